"""The quickstart, as a user runs it."""

import re
import subprocess
import sys

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from keras_indi_cli.__main__ import COMMANDS, main


@pytest.mark.slow
def test_smoke_writes_a_picture_and_a_model_that_restores(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "keras_indi_cli", "quickstart", "--smoke"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    rows = re.findall(r"^(degraded|\d+ steps?) +(\d+\.\d+)", result.stdout, re.M)
    assert [label for label, _ in rows] == ["degraded", "1 step", "4 steps", "16 steps"]
    assert all(15 < float(psnr) < 40 for _, psnr in rows)
    picture = np.asarray(Image.open(tmp_path / "quickstart" / "restored.png"))
    assert picture.shape[0] > 192 and picture.shape[1] > 5 * 192
    files = sorted(path.name for path in (tmp_path / "quickstart").iterdir())
    assert files == ["held_out", "restored.png", "restorer.keras"]
    for folder in ("degraded", "clean"):
        held_out = tmp_path / "quickstart" / "held_out" / folder
        names = sorted(path.name for path in held_out.iterdir())
        assert names == ["chelsea.png", "coffee.png"]
    assert "keras-indi trade-off quickstart/restorer.keras --degraded" in result.stdout

    model = keras.saving.load_model(tmp_path / "quickstart" / "restorer.keras")
    image = np.random.default_rng(0).integers(0, 256, (37, 51, 3)).astype("uint8")
    restored = model.restore(image, num_steps=2, seed=0)
    assert restored.shape == image.shape and restored.dtype == image.dtype


@pytest.mark.parametrize("arguments", [["--batches", "3"], ["--seed", "-1"]])
def test_bad_options_end_with_a_message_and_no_files(arguments, tmp_path):
    out = tmp_path / "out"
    result = CliRunner().invoke(main, ["quickstart", "--output", str(out), *arguments])
    assert result.exit_code == 2
    assert f"Invalid value for '{arguments[0]}': {arguments[1]}" in result.stderr
    assert not out.exists()


def test_every_command_shows_an_example():
    for name in COMMANDS:
        result = CliRunner().invoke(main, [name, "--help"])
        assert result.exit_code == 0
        assert f"Example: keras-indi {name}" in result.stdout
