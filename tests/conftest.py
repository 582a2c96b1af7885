"""What all tests share: reproducible hypothesis runs, and a clean global state."""

import signal

import keras
import pytest
from helpers import run_folder
from hypothesis import settings

# The first call of a backend takes long, and a test that fails must fail again.
settings.register_profile(
    "keras_indi", deadline=None, derandomize=True, database=None, max_examples=40
)
settings.load_profile("keras_indi")


@pytest.fixture(scope="session", autouse=True)
def _compile_once(tmp_path_factory):
    """Lets JAX compile once, as the same small networks come again and again."""
    if keras.config.backend() == "jax":
        import jax

        folder = run_folder(tmp_path_factory) / "jax_cache"
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


@pytest.fixture(autouse=True)
def _compile_fast(request):
    """Spares what takes longer than it gains with small networks.

    That is TensorFlow's graph optimizer, and the passes in which JAX's compiler turns
    loops into vectors; sums are less exact without. Tests that are `slow` or
    `optimized` run as a user's programs do.
    """
    node = request.node
    optimized = any(node.get_closest_marker(name) for name in ("slow", "optimized"))
    if optimized:
        _optimize(True)
    yield
    if optimized:
        _optimize(False)


def _optimize(whether):
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        options = {"disable_meta_optimizer": not whether}
        tf.config.optimizer.set_experimental_options(options)
    elif keras.config.backend() == "jax":
        import jax

        jax.config.update("jax_disable_most_optimizations", not whether)


_optimize(False)


@pytest.fixture
def interrupts():
    """Ctrl-C raises, as in a program; a process in the background ignores it."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


@pytest.fixture(autouse=True)
def _restore_global_policy():
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)
