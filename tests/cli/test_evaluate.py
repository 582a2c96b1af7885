"""`keras-indi evaluate`, as a user runs it."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from helpers import shared_folder, smooth_images
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from keras_indi import evaluation
from keras_indi.evaluation import Protocol, Table
from keras_indi_cli.__main__ import main


def write(folder, images):
    folder.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{index}.png")


@pytest.fixture
def folders(tmp_path):
    clean = smooth_images(3, 20, 16).astype("uint8")
    restored = smooth_images(3, 20, 16, seed=1).astype("uint8")
    write(tmp_path / "clean", clean)
    write(tmp_path / "restored", restored)
    return tmp_path, clean, restored


def run(root, *arguments):
    command = ["--restored", f"{root}/restored", "--clean", f"{root}/clean", *arguments]
    return CliRunner().invoke(main, ["evaluate", *command])


def test_scores_are_printed_and_written(folders):
    root, clean, restored = folders
    out = root / "new" / "scores"
    result = run(root, "--output", str(out), "--metrics", "psnr", "--crop-border", "2")
    assert result.exit_code == 0, result.output
    expected = [
        peak_signal_noise_ratio(c[2:-2, 2:-2], r[2:-2, 2:-2])
        for c, r in zip(clean, restored)
    ]
    for value in [*expected, np.mean(expected)]:
        assert f"{value:.4f}" in result.stdout
    assert "without 2 pixels at each border" in result.stdout
    with open(out / "evaluation.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["name"] for line in lines] == ["0", "1", "2", "mean"]
    found = [float(line["psnr"]) for line in lines]
    np.testing.assert_allclose(found[:3], expected, atol=1e-5)
    content = json.loads((out / "evaluation.json").read_text())
    assert content["protocol"]["crop_border"] == 2
    assert content["versions"]["keras_indi"]
    assert sorted(path.name for path in out.iterdir()) == [
        "evaluation.csv",
        "evaluation.json",
        "evaluation.png",
        "measured",
    ]
    assert f"Written: {out / 'evaluation.png'}" in result.stdout
    # Of what the folder holds, that of this command is named.
    (out / "mine.png").write_text("mine")
    result = run(root, "--output", str(out), "--metrics", "psnr", "--crop-border", "2")
    written = [line for line in result.stdout.splitlines() if "Written" in line]
    kinds = ("csv", "json", "png")
    assert written == [f"Written: {out / f'evaluation.{kind}'}" for kind in kinds]


def test_an_earlier_protocol_is_used_again(folders):
    root, *_ = folders
    first, second = root / "first", root / "second"
    options = ["--metrics", "ssim,psnr", "--channel", "y", "--num-images", "2"]
    assert run(root, "--output", str(first), *options).exit_code == 0
    earlier = ["--protocol", str(first / "evaluation.json")]
    assert run(root, "--output", str(second), *earlier).exit_code == 0
    tables = [Table.from_json(f / "evaluation.json") for f in (first, second)]
    assert tables[0] == tables[1] and len(tables[0]) == 2
    result = run(root, *earlier, "--channel", "y")
    assert result.exit_code == 2
    assert "and channel" in result.stderr


def test_a_bad_file_is_reported_at_the_end(folders):
    root, clean, restored = folders
    (root / "restored" / "1.png").write_bytes(b"\x89PNG torn")
    result = run(root, "--metrics", "psnr", "--output", str(root / "out"))
    assert result.exit_code == 1
    assert "1 images are in no score" in result.stderr and "1: " in result.stderr
    table = Table.from_json(root / "out" / "evaluation.json")
    assert [row["name"] for row in table] == ["0", "2"]
    psnr = [peak_signal_noise_ratio(clean[i], restored[i]) for i in (0, 2)]
    assert table.means["psnr"] == pytest.approx(np.mean(psnr), abs=1e-5)
    assert table.failures[0]["name"] == "1"


def test_names_that_do_not_match_end_it_before_any_file(folders):
    root, *_ = folders
    (root / "restored" / "1.png").rename(root / "restored" / "1_x.png")
    result = run(root, "--output", str(root / "out"))
    assert result.exit_code == 2
    assert "1_x" in result.stderr
    assert not (root / "out").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_a_killed_run_continues_where_it_stopped(tmp_path):
    count = 150  # so many that some are left when it dies
    for seed, name in enumerate(("clean", "restored")):
        write(tmp_path / name, smooth_images(count, 20, 16, seed=seed).astype("uint8"))
    inputs = keras.Input((None, None, 3))
    features = keras.layers.GlobalAveragePooling2D()(
        keras.layers.Conv2D(5, 3, activation="tanh")(inputs / 255)
    )
    keras.Model(inputs, features, name="own").save(tmp_path / "own.keras")
    protocol = Protocol(("psnr", "fid", "kid"), extractor=tmp_path / "own.keras")
    table = Table([{"name": "0"}], protocol)
    options = ["--protocol", str(table.to_json(tmp_path / "protocol.json"))]
    whole = run(tmp_path, "--output", str(tmp_path / "whole"), *options)
    assert whole.exit_code == 0, whole.output

    out = tmp_path / "killed"
    command = [sys.executable, "-m", "keras_indi_cli", "evaluate", *options]
    for name, folder in (("restored",) * 2, ("clean",) * 2, ("output", "killed")):
        command += [f"--{name}", str(tmp_path / folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            if (out / "measured" / "000002.npz").exists():
                break
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    finished = {path: path.stat().st_mtime_ns for path in out.glob("measured/0*.npz")}
    assert 3 <= len(finished) < count and not (out / "evaluation.json").exists()
    assert run(tmp_path, "--output", str(out), *options).exit_code == 0
    for path, modified in finished.items():
        assert path.stat().st_mtime_ns == modified
    for name in ("evaluation.json", "evaluation.csv"):
        texts = [(tmp_path / f / name).read_bytes() for f in ("whole", "killed")]
        assert texts[0] == texts[1]


@pytest.mark.parametrize(
    "options, message",
    [
        (["--metrics", "psnr,pnsr"], "Did you mean 'psnr'?"),
        (["--metrics", "psnr,psnr"], "Received: metrics="),
        (["--weights", "alexnet=x.npz"], "Received: weights="),
        (["--metrics", "lpips_alex", "--weights", "alex=none.npz"], "none.npz"),
        (["--crop-border", "-1"], "'--crop-border'"),
        (["--protocol", "setup.py"], "Received: path="),
    ],
)
def test_bad_options_end_with_a_message(folders, options, message):
    root, *_ = folders
    result = run(root, "--output", str(root / "out"), *options)
    assert result.exit_code == 2
    assert message in result.stderr and "Traceback" not in result.output
    assert not (root / "out").exists()


@pytest.mark.parametrize("saved", [True, False])
def test_an_interrupt_says_how_to_go_on(folders, monkeypatch, saved):
    root, *_ = folders

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluation, "evaluate", interrupted)
    out = ["--output", str(root / "out")] if saved else []
    result = run(root, "--metrics", "psnr", *out)
    assert result.exit_code == 130 and "Interrupted by SIGINT" in result.stderr
    expected = "same command again" if saved else "not saved: --output"
    assert expected in result.stderr


def test_weights_are_read_from_their_paths(folders):
    root, *_ = folders
    weights = shared_folder("weights", "lpips_alex_v0.1.npz")
    write(root / "clean", smooth_images(3, 64, 64).astype("uint8"))
    write(root / "restored", smooth_images(3, 64, 64, seed=1).astype("uint8"))
    options = ["--metrics", "lpips_alex", "--weights", f"alex={weights}"]
    result = run(root, *options, "--output", str(root / "out"))
    assert result.exit_code == 0, result.output
    table = Table.from_json(root / "out" / "evaluation.json")
    assert 0.05 < table.means["lpips_alex"] < 1.5


MODULE = """
import keras
import keras_indi


@keras.saving.register_keras_serializable(package="theirs")
class Zero(keras_indi.metrics.ImageMetric):
    def compute(self, clean, restored):
        return 0.0 * keras.ops.mean(clean, axis=(1, 2, 3))
"""


def test_a_metric_of_ones_own_by_its_registered_name(folders, monkeypatch):
    root, *_ = folders
    (root / "metric_of_theirs.py").write_text(MODULE)
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "path", list(sys.path))
    metrics = ["--metrics", "psnr,theirs>Zero", "--output", str(root / "out")]
    result = run(root, *metrics)
    assert result.exit_code == 2 and "--import MODULE" in result.stderr
    assert not (root / "out").exists()
    result = run(root, *metrics, "--import", "metric_of_theirs")
    assert result.exit_code == 0, result.output
    table = Table.from_json(root / "out" / "evaluation.json")
    assert [row["theirs>Zero"] for row in table] == [0.0] * 3
