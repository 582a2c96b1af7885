"""`keras-indi export`, as a user runs it."""

import keras
import pytest
from click.testing import CliRunner
from helpers import tiny_unet

from keras_indi.models import InDI
from keras_indi_cli.__main__ import main


def run(*arguments):
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="converts here")
@pytest.mark.slow
def test_a_model_of_ones_own(tmp_path):
    import tensorflow as tf

    InDI(tiny_unet(), noise_schedule=0.1, seed=0).save(tmp_path / "mine.keras")
    output = tmp_path / "mine"
    result = run(tmp_path / "mine.keras", output, "--steps", 2, "--uint8")
    assert result.exit_code == 0, result.output
    assert (
        f"Written: {output}" in result.stdout and "mine.saved_model.py" in result.stdout
    )
    signature = tf.saved_model.load(output).signatures["serving_default"]
    shapes = signature.structured_input_signature[1]
    assert shapes["images"].dtype == tf.uint8 and shapes["noise"].shape[0] == 1
    again = run(tmp_path / "mine.keras", output)
    assert again.exit_code == 2 and "overwrite" in again.stderr
    assert "Traceback" not in again.output


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["jpeg", "out.txt"], "must end in"),
        (["no_such", "out"], "No preset has this name"),
        (
            ["jpeg", "out", "--form", "denoiser", "--steps", "4"],
            "the denoiser has none",
        ),
        (["jpeg", "out", "--precision", "int8"], "`precision` must be one of"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2 and message in result.stderr
    assert "Traceback" not in result.output and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "error, status, message",
    [
        (RuntimeError("the converter fails"), 1, "keras-indi: the converter fails"),
        (KeyboardInterrupt(), 130, "Interrupted by SIGINT. No output is partial"),
    ],
    ids=["fails", "interrupted"],
)
def test_what_ends_it_is_said(tmp_path, monkeypatch, error, status, message):
    def export_model(*args, **kwargs):
        raise error

    monkeypatch.setattr("keras_indi.export.export_model", export_model)
    result = run("jpeg", tmp_path / "out.onnx")
    assert result.exit_code == status and message in result.stderr
    assert "Traceback" not in result.output
