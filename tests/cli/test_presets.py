"""`keras-indi presets`, as a user runs it."""

import pytest
from click.testing import CliRunner
from helpers import tiny_unet

from keras_indi.models import InDI
from keras_indi.presets import list_presets
from keras_indi_cli.__main__ import main


def run(*arguments):
    return CliRunner().invoke(main, ["presets", *map(str, arguments)])


def test_all_shipped_ones_are_listed():
    result = run()
    assert result.exit_code == 0, result.output
    for name, metadata in list_presets().items():
        assert f"\n{name}\n" in f"\n{result.stdout}"
        assert f"{metadata['parameter_count'] / 1e6:.1f}M parameters" in result.stdout
        for data in metadata.get("training_data") or []:
            assert f"trained on {data['name']}: {data['terms']}" in result.stdout
    assert "\x1b" not in result.output
    names = [line for line in result.stdout.splitlines() if not line.startswith(" ")]
    weights = [list_presets()[name]["weights_sha256"] is not None for name in names]
    assert weights == sorted(weights, reverse=True)


def test_the_card_of_one(tmp_path):
    InDI(tiny_unet(), seed=0).save_to_preset(
        tmp_path / "mine", metadata={"task": "my task", "license": "MIT"}
    )
    result = run(tmp_path / "mine")
    assert result.exit_code == 0, result.output
    assert "# mine" in result.stdout and "my task" in result.stdout


@pytest.mark.parametrize("name", ["no_such_preset", "ftp://somewhere"])
def test_what_is_none(name):
    result = run(name)
    assert result.exit_code == 2
    assert name in result.stderr and "Traceback" not in result.output
