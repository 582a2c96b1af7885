"""What holds for all commands: help and usage errors at once, names of one's own."""

import errno
import os
import pathlib
import subprocess
import sys

import click
import keras
import numpy as np
import pytest
from click.testing import CliRunner
from helpers import smooth_images, tiny_unet
from PIL import Image

import keras_indi_cli
from keras_indi import metrics, samplers
from keras_indi.data import degradations
from keras_indi.export import formats
from keras_indi.models import InDI
from keras_indi.schedules import noise_schedule, time_distribution, time_grid
from keras_indi_cli.__main__ import COMMANDS, main
from keras_indi_cli.package_files import REGISTRIES, registered_names

ROOT = pathlib.Path(keras_indi_cli.__file__).parents[1]

# Exits as the command does, after a look at what was imported.
WITHOUT_KERAS = """
import sys
from keras_indi_cli.__main__ import main
try:
    main(prog_name="keras-indi")
finally:
    loaded = {"keras", "keras_indi", "numpy"} & {*sys.modules}
    assert not loaded, loaded
"""


@pytest.mark.backend_free
@pytest.mark.parametrize(
    "arguments, status",
    [
        (["--help"], 0),
        (["--version"], 0),
        *[([*command.split(), "--help"], 0) for command in (*COMMANDS, "data check")],
        (["restor"], 2),
        (["restore"], 2),
        (["restore", "photo.jpg", "--sampler", "huen"], 2),
        (["trade-off", "model", "--time-grids", "uniform,cosin"], 2),
        (["train", "--degradation", "{"], 2),
        (["evaluate", "--metrics", "psrn"], 2),
    ],
    ids=str,
)
def test_help_and_usage_errors_import_no_keras(arguments, status):
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_KERAS, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == status, result.stderr
    assert "Traceback" not in result.stderr and "WARNING" not in result.stderr
    assert (status == 2) == bool(result.stderr)
    assert status == 2 or "keras-indi" in result.stdout


@pytest.mark.backend_free
def test_a_command_that_is_interrupted_before_its_work_ends_by_the_signal(monkeypatch):
    def interrupted(modules):
        raise KeyboardInterrupt

    monkeypatch.setattr("keras_indi_cli.commands.restore.import_modules", interrupted)
    result = CliRunner().invoke(main, ["restore", "photo.jpg"])
    assert result.exit_code == 130
    assert result.stderr == "\nInterrupted.\n"


@pytest.mark.backend_free
def test_a_warning_is_a_line_without_its_place_in_the_source(tmp_path):
    (tmp_path / "warns.py").write_text(
        "import sys, warnings\nwarnings.warn('Two words')\nsys.exit()\n"
    )
    arguments = ["restore", "photo.jpg", "--import", "warns"]
    result = subprocess.run(
        [sys.executable, "-W", "always", "-m", "keras_indi_cli", *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert result.stderr == "Warning: Two words\n"


@pytest.mark.backend_free
def test_a_reader_that_goes_away_is_no_error_to_speak_of(monkeypatch):
    def write(*_):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(click.Group, "invoke", write)
    result = CliRunner().invoke(main, ["info"])
    assert result.exit_code == 1 and result.output == ""


@pytest.mark.backend_free
def test_the_registries_are_read_from_their_files():
    found = {
        "samplers": samplers.BUILTIN,
        "time_grids": time_grid.BUILTIN,
        "noise_schedules": noise_schedule.BUILTIN,
        "time_distributions": time_distribution.BUILTIN,
        "degradations": degradations.BUILTIN,
        "metrics": metrics.BUILTIN,
        "export_formats": formats.BUILTIN,
    }
    assert found.keys() == REGISTRIES.keys()
    for name, registry in found.items():
        assert list(registered_names(name)) == list(registry)


@pytest.mark.backend_free
@pytest.mark.parametrize(
    "arguments, hint",
    [
        (["restore", "a.jpg", "--sampler", "huen"], "Did you mean 'heun'?"),
        (["restore", "a.jpg", "--time-grid", "cosin"], "Did you mean 'cosine'?"),
        (["evaluate", "--metrics", "psnr,simm"], "Did you mean 'ssim'?"),
        (["restore", "a.jpg", "--tile", "64"], "--tile-size"),
        (["train", "--batch", "64"], "--batches"),
    ],
)
def test_usage_errors_suggest_the_nearest_name(arguments, hint):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2 and hint in result.stderr


# A module of a user's own: a sampler that Keras knows by a name.
MODULE = """
import keras

import keras_indi


@keras.saving.register_keras_serializable(package="{package}")
class Half(keras_indi.samplers.Sampler):
    def step(self, predict, images, times, next_times, memory):
        return 0.5 * predict(images, times) + 0.5 * images, memory
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    InDI(tiny_unet(gain=0.3), seed=0).save("model.keras")
    image = smooth_images(1, 13, 10)[0].astype("uint8")
    Image.fromarray(image).save("photo.png")
    return image


def test_a_sampler_of_ones_own_by_its_registered_name(here, tmp_path):
    (tmp_path / "my_module.py").write_text(MODULE.format(package="mine"))
    arguments = ["restore", "photo.png", "-o", "out.png", "--preset", "model.keras"]
    arguments += ["--steps", "2", "--dtype", "float32", "--sampler", "mine>Half"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2 and "Received: sampler='mine>Half'" in result.stderr
    assert not os.path.exists("out.png")
    result = CliRunner().invoke(main, [*arguments, "--import", "my_module"])
    assert result.exit_code == 0, result.output
    import my_module

    model = keras.saving.load_model("model.keras")
    np.testing.assert_array_equal(
        np.asarray(Image.open("out.png")),
        model.restore(here, num_steps=2, sampler=my_module.Half(), seed=0),
    )
    result = CliRunner().invoke(main, [*arguments, "--import", "no_such_module"])
    assert result.exit_code == 2 and "no_such_module" in result.stderr


def test_no_module_is_imported_because_a_preset_names_it(here, tmp_path):
    (tmp_path / "never_imported.py").write_text(MODULE.format(package="theirs"))
    folder = InDI(tiny_unet()).save_to_preset(tmp_path / "preset")
    text = (folder / "task.json").read_text()
    changed = text.replace('"keras_indi.samplers.indi_sampler"', '"never_imported"')
    changed = changed.replace("keras_indi>InDISampler", "theirs>Half")
    changed = changed.replace('"InDISampler"', '"Half"')
    assert changed != text
    (folder / "task.json").write_text(changed)
    result = CliRunner().invoke(main, ["restore", "photo.png", "--preset", "preset"])
    assert result.exit_code == 2 and "theirs>Half" in result.stderr
    assert "never_imported" not in sys.modules
