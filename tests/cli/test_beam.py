"""`keras-indi beam`, with the runner of one process."""

import errno
import os
import pathlib
import sys

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("apache_beam", reason="needs Apache Beam: the extra `beam`")

from helpers import smooth_images, tiny_unet  # noqa: E402
from PIL import Image  # noqa: E402

import keras_indi  # noqa: E402
from keras_indi.beam import outcomes  # noqa: E402
from keras_indi.models import InDI  # noqa: E402
from keras_indi_cli.__main__ import main  # noqa: E402


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    InDI(tiny_unet(gain=0.3), seed=0).save("model.keras")
    image = smooth_images(1, 13, 10)[0].astype("uint8")
    (tmp_path / "in/deep").mkdir(parents=True)
    Image.fromarray(image).save("in/a.png")
    Image.fromarray(image).save("in/deep/b.png")
    return tmp_path


def run(*arguments):
    options = ["-o", "out", "--preset", "model.keras", "--dtype", "float32"]
    return CliRunner().invoke(main, ["beam", *arguments, *options])


@pytest.mark.slow
def test_it_restores_as_the_plain_command(here):
    arguments = ["--steps", "2", "--sampler", "heun", "--seed", "4"]
    result = run("in/**.png", *arguments, "--name", "{name}_x")
    assert result.exit_code == 0, result.output
    assert "2 restored, 0 skipped, 0 failed" in result.output
    plain = ["restore", "in", "-o", "plain", "--preset", "model.keras"]
    plain += ["--dtype", "float32", *arguments]
    assert CliRunner().invoke(main, plain).exit_code == 0
    for name in ("a", "deep/b"):
        found, expected = (
            np.asarray(Image.open(path)).astype(int)
            for path in (f"out/{name}_x.png", f"plain/{name}.png")
        )
        assert np.abs(found - expected).max() <= 1
    again = run("in/**.png", "--name", "{name}_x")
    assert "0 restored, 2 skipped, 0 failed" in again.output


OWN = """
import keras
from keras_indi.samplers import InDISampler

@keras.saving.register_keras_serializable(package="beam_own")
class OwnSampler(InDISampler):
    pass
"""


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_classes_of_the_users_own(here, workers, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    found = os.environ.get("PYTHONPATH", "")
    root = str(pathlib.Path(keras_indi.__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([root, *filter(None, [found])]))
    (here / f"own{workers}.py").write_text(OWN)
    options = ["--steps", "1", "--sampler", "beam_own>OwnSampler"]
    options += ["--import", f"own{workers}"]
    result = run("in", "--direct_num_workers", str(workers), *options)
    assert result.exit_code == 0, result.stderr
    assert "2 restored, 0 skipped, 0 failed" in result.output


def test_a_module_that_is_missing_is_named(here):
    result = run("in", "--import", "no_such_module")
    assert result.exit_code == 2 and "no_such_module" in result.stderr


def test_what_fails_is_told_of(here):
    (here / "in/c.png").write_bytes(b"no image")
    result = run("in", "--steps", "1")
    assert result.exit_code == 1 and "out/manifest.jsonl" in result.stderr
    assert "2 restored, 0 skipped, 1 failed; " in result.output


def test_a_job_that_fails_ends_with_its_reason(here, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(outcomes, "publish_lines", full)
    result = run("in", "--steps", "1")
    assert result.exit_code == 2 and "Traceback" not in result.stderr
    assert "The job failed: " in result.stderr and "No space left" in result.stderr
    assert "Run the same command again" in result.stderr
    assert (here / "out/a.png").exists()


def test_what_is_left_out_is_counted(here):
    for name in ("a.txt", "b.txt", "c"):
        (here / "in" / name).write_text("mine")
    result = run("in", "--steps", "1")
    expected = "0 failed, ignored: 2 .txt, 1 without an extension; "
    assert result.exit_code == 0 and expected in result.output


@pytest.mark.parametrize(
    "arguments, hint",
    [
        (["--runner=FnApiRunner"], "Inputs must precede"),
        (["in", "--stps", "2"], "Received: ['stps']"),
        (["in", "--direct_num_worker", "2"], "Received: ['direct_num_worker']"),
        (["in", "--direct_num_workers=-1"], "direct_num_workers=-1"),
        (["in", "--direct_num_workers", "two"], "refuses an option: argument --direct"),
        (["in", "--direct_num_workers", "1", "more"], "Received: ['more']"),
        (["in", "--streaming", "more", "--", "x"], "Received: ['more', 'x']"),
        (["in", "--runner=FlinkRunner", "--mine", "1", "more"], "Received: ['more']"),
        (["in", "--preset", "no_such"], "no_such"),
        (["in", "nothing"], "File or folder not found. Received: "),
        (["nothing/**.png"], "nothing/**.png'"),
        (["nothing.png"], "nothing.png'"),
        ([""], "must be a path or a pattern. Received: ''"),
        (["gss://in/**.png"], "Beam has no file system for gss:// here"),
        (["in/[z-a].png"], "pattern is not valid (bad character range z-a"),
        (["in/\udcff"], "not UTF-8; rename it. Received: 'in/\ufffd'"),
    ],
)
def test_bad_arguments_are_refused_before_any_work(here, arguments, hint):
    options = ["-o", "out", "--preset", "model.keras"]
    result = CliRunner().invoke(main, ["beam", *options, *arguments])
    assert result.exit_code == 2 and hint in result.stderr
    assert not (here / "out").exists() and "usage:" not in result.stderr
