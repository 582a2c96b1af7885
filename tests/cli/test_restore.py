"""`keras-indi restore`, as a user runs it."""

import os
import signal
import subprocess
import sys
import time

import click
import numpy as np
import pytest
from click.testing import CliRunner
from helpers import smooth_images, tiny_unet
from PIL import Image

from keras_indi.models import InDI
from keras_indi.restoration import file_restoration, file_seed
from keras_indi_cli.__main__ import main
from keras_indi_cli.commands.restore_options import Bytes


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = InDI(tiny_unet(gain=0.3), noise_schedule=0.02, seed=0)
    model.save("model.keras")
    image = Image.fromarray(smooth_images(1, 13, 10)[0].astype("uint8"))
    os.mkdir("photos")
    image.save("photos/a.png", dpi=(240, 240))
    image.save("photos/b.jpg")
    return model, np.asarray(image)


def run(*arguments):
    options = ["--preset", "model.keras", "--dtype", "float32"]
    return CliRunner().invoke(main, ["restore", *options, *map(str, arguments)])


def test_a_folder_is_restored(here):
    model, image = here
    options = ["--steps", 2, "--sampler", "heun", "--time-grid", "power", "--seed", 4]
    options += ["--time-shift", 1.5]
    result = run("photos", "-o", "out", *options, "--device", "cpu")
    assert result.exit_code == 0, result.output
    restored = np.asarray(Image.open("out/a.png"))
    np.testing.assert_array_equal(
        restored,
        model.restore(image, 2, "heun", "power", 1.5, seed=file_seed(4, "a.png")),
    )
    assert (
        "Written: out/a.png" in result.stdout and "Written: out/b.jpg" in result.stdout
    )
    assert "\n2 written, in " in result.stdout and "model.keras" in result.stdout
    assert "\x1b" not in result.output  # colours and bars on a terminal alone


def test_one_photograph_and_its_comparison(here):
    result = run("photos/b.jpg", "--steps", 1, "--num-samples", 2, "--compare")
    assert result.exit_code == 0, result.output
    names = sorted(os.listdir("photos"))
    assert names == [
        "a.png",
        "b-restored-1-compare.png",
        "b-restored-1-steps.png",
        "b-restored-1.jpg",
        "b-restored-2-compare.png",
        "b-restored-2-steps.png",
        "b-restored-2.jpg",
        "b.jpg",
    ]


def test_one_bad_file_does_not_end_the_run(here):
    with open("photos/aa.jpg", "wb") as file:
        file.write(b"torn")
    result = run("photos", "-o", "out", "--steps", 1)
    assert result.exit_code == 1
    assert "photos/aa.jpg: unreadable" in result.stderr
    assert "2 written, 1 failed" in result.stdout
    assert sorted(os.listdir("out")) == ["a.png", "b.jpg"]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupt_says_how_far_it_came_and_how_to_go_on(
    here, monkeypatch, request, name
):
    restore = file_restoration.restore_job
    number = getattr(signal, name)
    # A shell starts what runs in its background without a handler of SIGINT.
    before = signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL
    inherited = signal.signal(number, before)
    request.addfinalizer(lambda: signal.signal(number, inherited))

    def interrupted(chosen, job, *arguments):
        if job.name == "b.jpg":
            signal.raise_signal(number)
        restore(chosen, job, *arguments)

    monkeypatch.setattr(file_restoration, "restore_job", interrupted)
    result = run("photos", "-o", "out", "--steps", 1)
    assert result.exit_code == 128 + number
    assert "Written: out/a.png" in result.stdout
    assert f"Interrupted by {name}. Images written: 1." in result.stderr
    assert "--skip-existing" in result.stderr
    assert signal.getsignal(number) is before
    assert os.listdir("out") == ["a.png"]


def test_results_that_are_there(here):
    assert run("photos/a.png", "-o", "out", "--steps", 1).exit_code == 0
    before = os.stat("out/a.png")
    assert before.st_mtime_ns == os.stat("photos/a.png").st_mtime_ns  # dates are kept
    result = run("photos", "-o", "out", "--steps", 1)
    assert result.exit_code == 2 and "--skip-existing" in result.stderr
    assert os.listdir("out") == ["a.png"]
    result = run("photos", "-o", "out", "--steps", 1, "--skip-existing")
    assert result.exit_code == 0 and "1 written, 1 skipped" in result.stdout
    assert os.stat("out/a.png").st_ino == before.st_ino
    assert run("photos", "-o", "out", "--steps", 1, "--overwrite").exit_code == 0
    assert os.stat("out/a.png").st_ino != before.st_ino
    result = run("photos", "-o", "out", "--overwrite", "--skip-existing")
    assert result.exit_code == 2 and "not both" in result.stderr


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["photos", "-o", "photos"], "would overwrite its own input"),
        (["none.jpg"], "Received: 'none.jpg'"),
        (["photos", "--steps", "0"], "'--steps'"),
        (["photos", "--sampler", "euler"], "'--sampler'"),
        (["photos", "--time-shift", "0"], "'--time-shift'"),
        (["photos", "--time-shift", "nan"], "Received: time_shift=nan"),
        (["photos", "--preset", "none.keras"], "Received: 'none.keras'"),
        (["photos", "-o", "one.png"], "must be a folder"),
        ([], "INPUT"),
    ],
)
def test_bad_options_end_with_a_message_and_no_files(here, arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr and "Traceback" not in result.output
    assert sorted(os.listdir()) == ["model.keras", "photos"]
    assert sorted(os.listdir("photos")) == ["a.png", "b.jpg"]


def test_a_gpu_that_is_not_there(here, monkeypatch):
    monkeypatch.setattr("keras_indi.backend.compiled.devices", lambda: ["cpu:0"])
    result = run("photos", "-o", "out", "--device", "gpu")
    assert result.exit_code == 2 and "finds no GPU" in result.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_a_killed_run_leaves_whole_files_and_continues(here):
    for number in range(200):  # so many that some are left when it dies
        os.link("photos/a.png", f"photos/{number:03}.png")
    arguments = ["restore", "photos", "-o", "out", "--preset", "model.keras"]
    arguments += ["--steps", "4"]
    with subprocess.Popen(
        [sys.executable, "-m", "keras_indi_cli", *arguments],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        deadline = time.monotonic() + 120
        while not os.path.exists("out/002.png") and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    written = [name for name in os.listdir("out") if not name.startswith(".")]
    assert 3 <= len(written) < 202
    for name in written:
        Image.open(f"out/{name}").load()
    result = run("photos", "-o", "out", "--steps", 4, "--skip-existing")
    assert result.exit_code == 0, result.output
    assert len([n for n in os.listdir("out") if not n.startswith(".")]) == 202


@pytest.mark.backend_free
@pytest.mark.parametrize(
    "text, size",
    [
        ("2GB", 2 * 10**9),
        ("1.5 GiB", 3 * 2**29),
        ("500m", 500 * 10**6),
        ("1KIB", 1024),
        ("77", 77),
    ],
)
def test_sizes_as_people_write_them(text, size):
    assert Bytes().convert(text, None, None) == size


@pytest.mark.backend_free
@pytest.mark.parametrize("text", ["", "GB", "2XB", "1.2.3G", "0", "-1GB", "9" * 400])
def test_what_is_no_size(text):
    with pytest.raises(click.BadParameter, match="is not a size such as 2GB"):
        Bytes().convert(text, None, None)


@pytest.mark.slow
def test_tiles_and_memory_give_the_same_image(here):
    image = smooth_images(1, 90, 70)[0].astype("uint8")
    Image.fromarray(image).save("photos/large.png")
    found = []
    for number, option in enumerate(
        (
            ["--tile-size", "none"],
            ["--tile-size", 48],
            ["--max-memory", "2GB"],
        )
    ):
        out = f"out/{number}.png"
        result = run("photos/large.png", "-o", out, "--steps", 2, *option)
        assert result.exit_code == 0, result.output
        found.append(np.asarray(Image.open(out)).astype(int))
    assert np.abs(found[1] - found[0]).max() <= 1
    assert np.abs(found[2] - found[0]).max() <= 1
    tiles = {"tile_size": 48, "tile_overlap": 0, "seed": file_seed(0, "large.png")}
    options = ["--steps", 2, "--tile-size", 48, "--tile-overlap", 0]
    assert run("photos/large.png", "-o", "seams.png", *options).exit_code == 0
    np.testing.assert_array_equal(
        np.asarray(Image.open("seams.png")), here[0].restore(image, 2, **tiles)
    )
    assert run("photos/a.png", "-o", "new", "--tile-size", "big").exit_code == 2


def test_shards_share_the_work(here):
    for index, name in ((1, "a.png"), (2, "b.jpg")):
        result = run("photos", "-o", "out", "--steps", 1, "--shard", f"{index}/2")
        assert result.exit_code == 0, result.output
        assert f"Written: out/{name}" in result.stdout and "1 written" in result.stdout
    for text in ("0/2", "3/2", "1", "a/b"):
        result = run("photos", "-o", "out", "--shard", text)
        assert result.exit_code == 2 and "1/4" in result.stderr


def test_another_runtime_computes_the_network(here):
    for module in ("onnxruntime", "onnx"):
        pytest.importorskip(module, reason="needs the extra onnxruntime")
    model, image = here
    result = run("photos/a.png", "-o", "a.png", "--engine", "onnxruntime")
    assert result.exit_code == 0, result.output
    expected = model.restore(image, seed=file_seed(0, "a.png")).astype(int)
    restored = np.asarray(Image.open("a.png"))
    assert np.abs(restored - expected).max() <= 1  # what lies at a half
    result = run("photos/a.png", "--engine", "onnx")
    assert result.exit_code == 2 and "'onnxruntime', 'openvino'" in result.stderr
