"""What the `keras-indi` command sets before the backend loads."""

import importlib.util

import pytest

import keras_indi_launcher as launcher


@pytest.fixture
def installed(monkeypatch):
    def set_installed(*names):
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: name if name in names else None
        )

    monkeypatch.setattr(launcher.shutil, "which", lambda name: None)
    return set_installed


@pytest.mark.parametrize(
    "names, chosen",
    [
        (("jax", "torch", "tensorflow"), "tensorflow"),
        (("jax", "torch"), "torch"),
        (("jax",), "jax"),
        (("jax", "torch", "tensorflow", "libtpu"), "jax"),
    ],
)
def test_the_fastest_installed_backend_is_chosen(installed, names, chosen):
    installed(*names)
    assert launcher.fastest_backend() == chosen


def test_without_a_backend_the_message_says_what_to_install(installed):
    installed()
    with pytest.raises(SystemExit, match=r"keras-indi\[tensorflow\]"):
        launcher.fastest_backend()


def test_the_users_choice_stands(installed):
    installed("tensorflow", "torch")
    chosen = {"KERAS_BACKEND": "torch", "MALLOC_TRIM_THRESHOLD_": "7"}
    environ = launcher.environment(chosen)
    assert environ["KERAS_BACKEND"] == "torch"
    assert environ["MALLOC_TRIM_THRESHOLD_"] == "7"
    assert int(environ["MALLOC_MMAP_THRESHOLD_"]) >= 2**30
