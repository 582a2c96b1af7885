"""What the `keras-indi` command sets before the backend loads."""

import importlib.metadata
import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

from keras_indi_cli import environment as told
from keras_indi_cli import launcher

pytestmark = pytest.mark.backend_free
ROOT = pathlib.Path(launcher.__file__).parents[1]


@pytest.fixture
def installed(monkeypatch):
    def set_installed(*names):
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: name if name in names else None
        )

    monkeypatch.setattr(told.shutil, "which", lambda name: None)
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
    backend, reason = told.choose_backend({}, device)
    assert backend == chosen
    if len(names) == 1:
        assert reason == "it is the only one installed"
    else:
        where = "with an accelerator" if chosen == "jax" else "on a CPU"
        assert reason.startswith(f"{where} it is the fastest")


def test_without_a_backend_the_message_says_what_to_install(installed, capsys):
    installed()
    with pytest.raises(SystemExit, match="2"):
        launcher.environment({})
    assert "keras-indi[tensorflow]" in capsys.readouterr().err


def test_the_users_choice_stands(installed):
    installed("tensorflow", "torch")
    chosen = {"KERAS_BACKEND": "torch", "MALLOC_TRIM_THRESHOLD_": "7"}
    environ = launcher.environment(chosen)
    assert environ["KERAS_BACKEND"] == "torch"
    assert environ[told.REASON] == "KERAS_BACKEND names it"
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


def test_no_module_is_imported_from_the_current_folder(tmp_path):
    (tmp_path / "click.py").write_text("raise SystemExit('a file among photographs')")
    start = "from keras_indi_cli.launcher import main; main()"
    result = subprocess.run(
        [sys.executable, "-P", "-c", start, "--version"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("keras-indi")


# A process that finds no backend, and must not import the package.
WITHOUT_BACKENDS = """
import importlib.util, sys
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: (
    None if name in ("tensorflow", "jax", "torch") else find_spec(name, package))
from keras_indi_cli import launcher
sys.argv = ["keras-indi", *sys.argv[1:]]
try:
    launcher.main()
finally:
    assert "keras" not in sys.modules
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="of Linux")
def test_closed_streams_do_not_become_files_that_the_command_opens(tmp_path):
    script = """if True:
        import os, sys
        from keras_indi_cli import launcher

        def report(path, command, environ):
            print([os.readlink(f"/proc/self/fd/{n}") for n in range(3)],
                  [os.get_inheritable(n) for n in range(3)], file=open("told", "w"))

        os.execve = report
        sys.argv = ["keras-indi", "--version"]
        launcher.main()
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": "torch"}
    command = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", script]
    subprocess.run(command, cwd=tmp_path, env=environment)
    told = (tmp_path / "told").read_text()
    assert told == f"{['/dev/null'] * 3} {[True] * 3}\n"


def run_without_backends(*arguments):
    environ = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_BACKENDS, *arguments],
        cwd=ROOT,
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
    assert result.returncode == 2
    assert 'pip install "keras-indi[tensorflow]"' in result.stderr
    assert "Traceback" not in result.stderr


def test_extras_are_read_from_the_distribution(monkeypatch):
    metadata = importlib.metadata
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
    found = told.missing_of_extras()
    assert found == {"here": [], "there": ["no-such-thing"]}
    lines = "\n".join(told.report({"KERAS_BACKEND": "jax"}))
    assert 'there       lacks no-such-thing: pip install "keras-indi[there]"' in lines
    assert "Runs on jax: KERAS_BACKEND names it." in lines
