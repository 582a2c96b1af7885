"""`keras-indi data`, as a user runs it."""

import numpy as np
import pytest
from click.testing import CliRunner
from helpers import smooth_images
from PIL import Image

from keras_indi.images.encoding import write_png
from keras_indi_cli.__main__ import main

pytestmark = pytest.mark.backend_free


@pytest.fixture
def folders(tmp_path):
    for number, image in enumerate(smooth_images(3, 40, 48).astype("uint8")):
        write_png(tmp_path / "clean" / f"{number}.png", image)
        write_png(tmp_path / "degraded" / f"{number}.png", image // 2 + 9)
    return tmp_path


def run(*arguments):
    result = CliRunner().invoke(main, ["data", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_check_of_a_usable_set(folders):
    sheet = folders / "pictures" / "sheet.png"
    status, printed, _ = run(
        "check", folders / "degraded", folders / "clean", "--sheet", sheet
    )
    assert status == 0
    assert "3 pairs, none without a partner" in printed
    assert "sheet.png, which shows from above: " in printed
    assert printed.rstrip().endswith("\nusable")
    assert list(sheet.parent.iterdir()) == [sheet]
    picture = np.asarray(Image.open(sheet))
    assert picture.shape[0] > 3 * 192 and picture.shape[1] > 3 * 192


def test_check_of_a_set_to_mend(folders):
    (folders / "clean" / "1.png").write_bytes(b"")
    (folders / "clean" / "2.png").unlink()
    status, printed, _ = run(
        "check",
        folders / "degraded",
        folders / "clean",
        "--sheet",
        folders / "sheet.png",
    )
    assert status == 1
    assert "unusable: 1 (1: unreadable" in printed
    assert "1 degraded without a partner (2)" in printed
    assert "\nnot usable as it is: " in printed


def test_check_of_no_set(folders):
    status, _, error = run("check", folders / "degraded", folders / "nothing")
    assert status == 2
    assert "Folder not found. Received: " in error and "nothing" in error


def test_prepare(folders):
    arguments = (
        "prepare",
        folders / "clean",
        "-o",
        folders / "out",
        "--degraded",
        folders / "degraded",
        "--size",
        "32",
        "--overlap",
        "8",
    )
    status, printed, _ = run(*arguments)
    assert status == 0
    assert "24 sub-images written to" in printed and ", 0 existed already" in printed
    assert len(list((folders / "out" / "clean").glob("*.png"))) == 3 * 2 * 2
    status, printed, _ = run(*arguments)
    assert status == 0
    assert "0 sub-images written" in printed and ", 24 existed already" in printed


def test_prepare_names_what_it_could_not_cut(folders):
    (folders / "clean" / "1.png").write_bytes(b"no image")
    status, printed, error = run("prepare", folders / "clean", "-o", folders / "out")
    assert status == 1
    assert "2 sub-images written" in printed
    assert "not cut: 1: unreadable" in error


def test_bad_options_write_nothing(folders):
    for options in (["--size", "0"], ["--size", "8", "--overlap", "8"]):
        status, _, error = run(
            "prepare", folders / "clean", "-o", folders / "out", *options
        )
        assert status == 2
        assert "size" in error
    assert not (folders / "out").exists()


@pytest.mark.parametrize("name", ["check", "prepare"])
def test_help_shows_an_example(name):
    status, printed, _ = run(name, "--help")
    assert status == 0 and f"Example: keras-indi data {name} " in printed
