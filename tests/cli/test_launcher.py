"""What the `keras-indi` command sets before the backend loads."""

import importlib.util
import os
import subprocess
import sys

import pytest

import keras_indi_environment
import keras_indi_launcher as launcher

pytestmark = pytest.mark.backend_free


@pytest.fixture
def installed(monkeypatch):
    def set_installed(*names):
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: name if name in names else None
        )

    monkeypatch.setattr(keras_indi_environment.shutil, "which", lambda name: None)
    return set_installed


@pytest.mark.parametrize(
    "names, device, chosen",
    [
        (("jax", "torch", "tensorflow"), "auto", "tensorflow"),
        (("jax", "torch"), "auto", "torch"),
        (("jax",), "auto", "jax"),
        (("jax", "torch", "tensorflow", "libtpu"), "auto", "jax"),
        (("jax", "torch", "tensorflow", "libtpu"), "cpu", "tensorflow"),
    ],
)
def test_the_fastest_installed_backend_is_chosen(installed, names, device, chosen):
    installed(*names)
    backend, reason = keras_indi_environment.choose_backend({}, device)
    assert backend == chosen
    if len(names) == 1:
        assert reason == "it is the only one installed"
    else:
        where = "with an accelerator" if chosen == "jax" else "on a CPU"
        assert reason.startswith(f"{where} it is the fastest")


def test_without_a_backend_the_message_says_what_to_install(installed):
    installed()
    with pytest.raises(SystemExit, match=r"keras-indi\[tensorflow\]"):
        launcher.environment({})


def test_the_users_choice_stands(installed):
    installed("tensorflow", "torch")
    chosen = {"KERAS_BACKEND": "torch", "MALLOC_TRIM_THRESHOLD_": "7"}
    environ = launcher.environment(chosen)
    assert environ["KERAS_BACKEND"] == "torch"
    assert environ[keras_indi_environment.REASON] == "KERAS_BACKEND names it"
    assert environ["MALLOC_TRIM_THRESHOLD_"] == "7"
    assert int(environ["MALLOC_MMAP_THRESHOLD_"]) >= 2**30


@pytest.mark.parametrize("option", [["--device", "cpu"], ["--device=cpu"]])
def test_device_cpu_hides_accelerators_before_the_backend_starts(installed, option):
    installed("tensorflow", "libtpu")
    device = launcher.device_of(["restore", "photo.jpg", *option])
    environ = launcher.environment({"CUDA_VISIBLE_DEVICES": "0"}, device)
    assert environ["CUDA_VISIBLE_DEVICES"] == "-1"
    assert environ["JAX_PLATFORMS"] == "cpu"
    plain = launcher.environment({}, launcher.device_of(["restore", "photo.jpg"]))
    assert "CUDA_VISIBLE_DEVICES" not in plain


# A process that finds no backend, and must not import the package.
WITHOUT_BACKENDS = """
import importlib.util, sys
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: (
    None if name in ("tensorflow", "jax", "torch") else find_spec(name, package))
import keras_indi_launcher
sys.argv = ["keras-indi", *sys.argv[1:]]
try:
    keras_indi_launcher.main()
finally:
    assert "keras" not in sys.modules
"""


def run_without_backends(*arguments):
    environ = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_BACKENDS, *arguments],
        cwd=os.path.dirname(launcher.__file__),
        env=environ,
        capture_output=True,
        text=True,
    )


def test_info_works_where_no_backend_is_installed():
    result = run_without_backends("info")
    assert result.returncode == 1, result.stderr
    assert "needs TensorFlow, JAX or PyTorch, and none is installed" in result.stdout
    assert 'jax         missing     pip install "keras-indi[jax]"' in result.stdout
    assert "bfloat16 instructions: " in result.stdout
    assert "Traceback" not in result.stderr


def test_other_commands_say_what_to_install():
    result = run_without_backends("restore", "photo.jpg")
    assert result.returncode == 1
    assert 'pip install "keras-indi[tensorflow]"' in result.stderr
    assert "Traceback" not in result.stderr


def test_bfloat16_instructions_are_read_from_the_cpus_flags(tmp_path):
    told = keras_indi_environment.bfloat16_features
    path = tmp_path / "cpuinfo"
    assert told(path) is None
    path.write_text("processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16x\n")
    assert told(path) == []
    path.write_text("flags\t\t: fpu amx_bf16 avx512_bf16 sse\nflags\t\t: fpu\n")
    assert told(path) == ["avx512_bf16", "amx_bf16"]
    path.write_text("Features\t: asimd bf16\n")  # of another processor
    assert told(path) is None


def test_extras_are_read_from_the_distribution(monkeypatch):
    metadata = keras_indi_environment.importlib.metadata
    monkeypatch.setattr(
        metadata,
        "requires",
        lambda name: [
            "keras<3.16,>=3.15",
            'numpy; extra == "here"',
            'no-such-thing>=1; extra == "there"',
            'numpy; extra == "there"',
        ],
    )
    found = keras_indi_environment.missing_of_extras()
    assert found == {"here": [], "there": ["no-such-thing"]}
    lines = "\n".join(keras_indi_environment.report({"KERAS_BACKEND": "jax"}))
    assert 'there       lacks no-such-thing: pip install "keras-indi[there]"' in lines
    assert "Runs on jax: KERAS_BACKEND names it." in lines
