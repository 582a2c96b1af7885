"""Worker processes that would not find the package are refused, not waited for."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

pytest.importorskip("apache_beam", reason="needs Apache Beam: the extra `beam`")

from apache_beam import Pipeline  # noqa: E402
from apache_beam.options.pipeline_options import PipelineOptions  # noqa: E402

import keras_indi  # noqa: E402
from keras_indi.beam import EvaluateFolders, workers  # noqa: E402

pytestmark = pytest.mark.backend_free

PROCESSES = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
ROOT = pathlib.Path(keras_indi.__file__).parents[1]
SCRIPT = """
import sys
sys.path[:0] = {places}
from keras_indi_cli.__main__ import main
sys.argv[1:] = ["beam", "in", "-o", "out", "--preset", "jpeg", "--steps", "1", *{own}]
main()
"""


@pytest.fixture
def apart(tmp_path, monkeypatch):
    """A folder and an environment in which new processes do not find the package."""
    monkeypatch.chdir(tmp_path)
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = [path for path in paths if path and pathlib.Path(path).resolve() != ROOT]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(kept))
    found = subprocess.run(
        [sys.executable, "-c", workers.FIND], capture_output=True, text=True, check=True
    )
    if found.stdout.strip():
        # It is installed: a folder of its name stands before what is.
        (tmp_path / "keras_indi").mkdir()
        (tmp_path / "keras_indi/__init__.py").write_text("")
    return tmp_path


def test_a_pipeline_of_which_workers_find_no_package_is_refused(apart, monkeypatch):
    received = f"PYTHONPATH={ROOT}. Received: .* instead of .*__init__.py"
    with pytest.raises(ValueError, match=received):
        _ = Pipeline("FnApiRunner", PipelineOptions(PROCESSES)) | EvaluateFolders(
            "a", "b"
        )
    shutil.rmtree(apart / "keras_indi", ignore_errors=True)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for options in (PROCESSES, []):
        _ = Pipeline("FnApiRunner", PipelineOptions(options)) | EvaluateFolders(
            "a", "b"
        )


def test_modules_that_workers_do_not_find_are_refused(tmp_path, monkeypatch):
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    (tmp_path / "own_of_workers.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    options, own = PipelineOptions(PROCESSES), ["own_of_workers"]
    with pytest.raises(ValueError, match="Received: modules=.'own_of_workers'"):
        _ = Pipeline("FnApiRunner", options) | EvaluateFolders("a", "b", modules=own)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*paths, str(tmp_path)]))
    _ = Pipeline("FnApiRunner", options) | EvaluateFolders("a", "b", modules=own)


@pytest.mark.parametrize("modules", ["keras", [1], None, {"keras"}])
def test_what_is_no_list_of_modules_is_refused(modules):
    with pytest.raises(ValueError, match="Received: modules="):
        EvaluateFolders("a", "b", modules=modules)


def test_the_command_names_the_remedy(apart):
    (apart / "in").mkdir()
    places = [str(ROOT), *sys.path]
    script = SCRIPT.format(places=places, own=["--direct_num_workers", "2"])
    (apart / "start").mkdir()
    (apart / "start/script.py").write_text(script)
    result = subprocess.run(
        [sys.executable, "start/script.py"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 2, result.stderr
    assert f"set PYTHONPATH={ROOT}" in result.stderr and not (apart / "out").exists()
