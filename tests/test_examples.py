"""The examples, as a user runs them."""

import csv
import importlib.util
import os
import pathlib
import re

import keras
import numpy as np
import pytest
from helpers import run_alone, run_here, smooth_images
from PIL import Image

ROOT = pathlib.Path(__file__).parents[1]


def run(name, *arguments):
    """Runs an example on this package; returns what it printed."""
    command = [ROOT / "examples" / name, *arguments]
    return run_here(command, {"KERAS_INDI_SMOKE": "1"})


@pytest.mark.slow
def test_train_and_restore():
    assert re.search(r"4 draws differ by (?!0\.00)\d", run("train_and_restore.py"))


@pytest.mark.slow
def test_train_on_folders(tmp_path):
    rng = np.random.default_rng(0)
    for part in ("train", "held_out"):
        for index in range(2):
            clean = rng.integers(0, 256, (80, 96, 3)).astype("uint8")
            for side, image in (("clean", clean), ("noisy", clean // 2 + 40)):
                folder = tmp_path / part / side
                folder.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).save(folder / f"{index}.png")
    noisy, clean = tmp_path / "train" / "noisy", tmp_path / "train" / "clean"
    held_out = [tmp_path / "held_out" / side for side in ("noisy", "clean")]
    out = tmp_path / "out"
    arguments = ["--degraded", noisy, "--clean", clean, "--held-out", *held_out]
    arguments += ["--out", out, "--batches", "2"]
    run("train_on_folders.py", *arguments)
    with open(out / "table.csv", newline="") as file:
        rows = {row["name"]: float(row["psnr"]) for row in csv.DictReader(file)}
    assert list(rows) == ["degraded", "1 step", "4 steps", "16 steps"]
    degraded, clean = (np.asarray(Image.open(f / "0.png"), float) for f in held_out)
    other = (np.asarray(Image.open(f / "1.png"), float) for f in held_out)
    expected = [
        10 * np.log10(255**2 / np.mean((a - b) ** 2))
        for a, b in ((degraded, clean), tuple(other))
    ]
    assert rows["degraded"] == pytest.approx(np.mean(expected), abs=1e-4)
    assert np.asarray(Image.open(out / "restored.png")).shape[1] > 5 * 96


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="needs PyTorch")
def test_several_processes_torch(tmp_path):
    folders = tmp_path / "clean", tmp_path / "degraded"
    images = smooth_images(3, 24, 24)
    for folder, strength in zip(folders, (1, 0.6)):
        folder.mkdir()
        for number, image in enumerate(images):
            shown = (strength * image).astype("uint8")
            Image.fromarray(shown).save(folder / f"{number}.png")
    command = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    command += [ROOT / "examples" / "several_processes_torch.py"]
    command += ["--clean", folders[0], "--degraded", folders[1]]
    command += ["--out", tmp_path / "restorer.keras", "--batches", "60"]
    command += ["--batch-size", "4", "--crop-size", "16", "--channels", "8"]
    command += ["--learning-rate", "0.001"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": "torch"}
    assert "batch 60: loss" in run_alone(command, environment)
    model = keras.saving.load_model(tmp_path / "restorer.keras", compile=False)
    restored = model.restore(0.6 * images, num_steps=1, verbose=0)
    before, after = (np.abs(i - images).mean() for i in (0.6 * images, restored))
    assert after < 0.6 * before
