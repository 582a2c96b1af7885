"""`keras-indi trade-off`, as a user runs it."""

import os
import signal
import subprocess
import sys
import time

import keras
import pytest
from click.testing import CliRunner
from helpers import small_network, smooth_images
from PIL import Image

from keras_indi.evaluation import Protocol, Table, trade_off
from keras_indi.metrics import PSNR, SSIM
from keras_indi.models import InDI
from keras_indi_cli.__main__ import main

MANY = ",".join(map(str, range(1, 31)))  # so many that some are left when it dies


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("trade_off")
    clean = smooth_images(3, 16, 12).astype("uint8")
    for name, images in (("clean", clean), ("degraded", clean // 2 + 40)):
        (root / name).mkdir()
        for index, image in enumerate(images):
            Image.fromarray(image).save(root / name / f"{index}.png")
    InDI(small_network(), noise_schedule=0.05, seed=0).save(root / "model.keras")
    return root


def arguments(root, out, *options):
    return [
        "trade-off",
        str(root / "model.keras"),
        *("--degraded", str(root / "degraded")),
        *("--clean", str(root / "clean")),
        *("--output", str(out)),
        *options,
    ]


def run(root, out, *options):
    return CliRunner().invoke(main, arguments(root, out, *options))


def test_the_curve_is_printed_written_and_drawn(root, tmp_path):
    out = tmp_path / "out"
    options = ["--steps", "1,2", "--samplers", "indi,heun", "--time-grids", "power"]
    result = run(root, out, *options, "--seeds", "0,3", "--time-shifts", "1,1.7")
    assert result.exit_code == 0, result.output
    table = Table.from_json(out / "trade_off.json")
    assert len(table) == 2 * 2 * 2 * 2
    model = keras.saving.load_model(root / "model.keras")
    expected = trade_off(
        model,
        (root / "degraded", root / "clean"),
        (1, 2),
        ("indi", "heun"),
        ("power",),
        (1.0, 1.7),
        (0, 3),
    )
    assert table == expected
    assert str(table) in result.stdout
    names = sorted(path.name for path in out.iterdir())
    assert names == [
        "scores_against_steps.png",
        "settings",
        "trade_off.csv",
        "trade_off.json",
    ]


def test_the_recommendation_is_printed(root, tmp_path, monkeypatch):
    # SSIM taken for a perceptual score saves the weights of one.
    monkeypatch.setattr(Protocol, "image_metrics", with_a_fake_lpips)
    options = ["--steps", "1,2", "--metrics", "psnr,lpips_alex", "--within", "90"]
    result = run(root, tmp_path, *options)
    assert result.exit_code == 0, result.output
    rows = Table.from_json(tmp_path / "trade_off.json").rows
    best = min(rows, key=lambda row: row["lpips_alex"])["num_steps"]
    assert f"Recommended: num_steps={best}, sampler=indi" in result.stdout
    assert (tmp_path / "psnr_against_lpips_alex.png").exists()


def with_a_fake_lpips(self):
    return {"psnr": PSNR(), "lpips_alex": SSIM()}


def test_a_bad_file_is_reported_at_the_end(root, tmp_path):
    for name in ("clean", "degraded"):
        (tmp_path / name).mkdir()
        for path in (root / name).iterdir():
            (tmp_path / name / path.name).write_bytes(path.read_bytes())
    (tmp_path / "degraded" / "1.png").write_bytes(b"torn")
    options = ["--degraded", str(tmp_path / "degraded"), "--steps", "1,2"]
    options += ["--clean", str(tmp_path / "clean")]
    result = run(root, tmp_path / "out", *options)
    assert result.exit_code == 1
    assert result.stderr.count("1 images are in no score") == 1
    table = Table.from_json(tmp_path / "out" / "trade_off.json")
    assert [row["images"] for row in table] == [2, 2]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_a_killed_run_continues_where_it_stopped(root, tmp_path):
    whole = run(root, tmp_path / "whole", "--steps", MANY)
    assert whole.exit_code == 0
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "keras_indi_cli"]
    command += arguments(root, out, "--steps", MANY)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        first = out / "settings" / "indi-uniform-1steps-seed0.json"
        deadline = time.monotonic() + 120
        while not first.exists() and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    finished = {path: path.stat().st_mtime_ns for path in first.parent.iterdir()}
    assert 2 <= len(finished) <= 30 and not (out / "trade_off.json").exists()
    assert run(root, out, "--steps", MANY).exit_code == 0
    for path, modified in finished.items():
        if "partial" not in path.name and "circumstances" not in path.name:
            assert path.stat().st_mtime_ns == modified
    for name in ("trade_off.json", "trade_off.csv"):
        texts = [(tmp_path / f / name).read_text() for f in ("whole", "killed")]
        assert texts[0] == texts[1]


@pytest.mark.parametrize(
    "options, message",
    [
        (["--steps", "1,x"], "'--steps'"),
        (["--steps", "0"], "'--steps'"),
        (["--time-shifts", "1,0"], "'--time-shifts'"),
        (["--time-shifts", "1,inf"], "Received: time_shift=inf"),
        (["--samplers", "indi,euler"], "'euler' is not one of indi"),
        (["--metrics", "fid"], "Received: metrics="),
    ],
)
def test_bad_options_end_with_a_message_and_no_files(root, tmp_path, options, message):
    result = run(root, tmp_path / "out", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "out").exists()
