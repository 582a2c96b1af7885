"""The tutorials, and the environment that they run in."""

import importlib.util
import os
import pathlib

import keras
import pytest
from helpers import run_folder

EXAMPLES = pathlib.Path(__file__).parent.parent.parent / "examples"
TUTORIALS = sorted((EXAMPLES / "tutorials").glob("*.py"))


@pytest.fixture(params=TUTORIALS, ids=lambda path: path.stem)
def tutorial(request):
    """The path of each script, one after another."""
    return request.param


@pytest.fixture(scope="session")
def make_notebooks():
    """The module `examples/make_notebooks.py`."""
    path = EXAMPLES / "make_notebooks.py"
    spec = importlib.util.spec_from_file_location("make_notebooks", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    """The environment of a smoke run on this process's backend.

    Proxies lead nowhere, so that what would download fails, and fast.
    """
    path = [str(EXAMPLES.parent), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "KERAS_BACKEND": keras.config.backend(),
        "KERAS_INDI_SMOKE": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "http_proxy": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
        # The same small networks come again and again.
        "JAX_COMPILATION_CACHE_DIR": str(run_folder(tmp_path_factory) / "jax_cache"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    }
