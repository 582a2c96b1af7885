"""What is told of a preset: found out, told by its maker, and shown as a card."""

import datetime
import json

import keras
import numpy as np
import pytest
from helpers import tiny_unet

import keras_indi
from keras_indi.data.degradations import GaussianNoise
from keras_indi.models import InDI
from keras_indi.presets import card, read_metadata

pytestmark = pytest.mark.backend_free

TOLD = {
    "description": "Removes noise.",
    "task": "denoising",
    "license": "apache-2.0",
    "training_data": [{"name": "BSDS500", "terms": "research", "images": 200}],
    "degradation": GaussianNoise((5, 50)),
    "training": {"loss": "mean_absolute_error", "steps": 9000},
    "held_out_scores": {
        "protocol": {"channels": "RGB", "crop_border": 0},
        "scores": [
            {"data": "kodak24", "num_steps": 1, "psnr": 31.23456},
            {"data": "kodak24", "num_steps": 4, "psnr": 30.5, "lpips_alex": 0.125},
        ],
    },
    "notes": ["Reads 8-bit photographs."],
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    model = InDI(
        tiny_unet(), noise_schedule=0.01, restore_defaults={"time_grid": [1, 0.4, 0]}
    )
    folder = tmp_path_factory.mktemp("presets") / "tiny"
    return model.save_to_preset(folder, TOLD, "float16")


def test_what_is_found_out(saved):
    found = read_metadata(saved)
    assert found["keras_version"] == keras.version()
    assert found["keras_indi_version"] == keras_indi.__version__
    assert found["parameter_count"] == tiny_unet().count_params()
    saved_at = datetime.datetime.strptime(found["date_saved"], "%Y-%m-%d@%H:%M:%S")
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    assert abs(now - saved_at) < datetime.timedelta(hours=1)
    assert found["value_range"] == [0, 255]
    assert found["noise_schedule"] == "ConstantNoise(eps=0.01)"
    assert found["recommended"] == {
        "num_steps": 2,
        "sampler": "indi",
        "time_grid": "ExplicitGrid(points=(1.0, 0.4, 0.0))",
        "time_shift": 1.0,
    }
    path = saved / "model.weights.h5"
    assert found["weights_bytes"] == path.stat().st_size
    assert found["weights_dtype"] == "float16"


def test_what_the_maker_tells(saved):
    found = read_metadata(saved)
    for key in TOLD.keys() - {"degradation"}:
        assert found[key] == TOLD[key]
    degradation = keras_indi.data.degradations.get(found["degradation"])
    assert degradation == TOLD["degradation"]


def test_the_card_tells_all(saved):
    text = card(saved)
    assert text == (saved / "README.md").read_text()
    header = text.split("---")[1]
    assert 'license: "apache-2.0"' in header
    assert "pipeline_tag: image-to-image" in header
    for told in (
        "# tiny",
        "Removes noise.",
        "Reads 8-bit photographs.",
        'InDI.from_preset("tiny")',
        "BSDS500",
        "terms: research; images: 200",
        "num_steps=2",
        "GaussianNoise",
        "* steps: 9000",
        "* crop_border: 0",
        "| data | num_steps | psnr | lpips_alex |",
        "| kodak24 | 1 | 31.23 |  |",
        "| kodak24 | 4 | 30.5 | 0.125 |",
    ):
        assert told in text
    (saved / "README.md").unlink()
    assert card(saved) == text  # made of the metadata


def test_a_card_of_a_backbone_alone(tmp_path):
    folder = tiny_unet().save_to_preset(tmp_path / "unet")
    assert 'UNetBackbone.from_preset("unet")' in card(folder)
    assert not {"value_range", "recommended"} & read_metadata(folder).keys()


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"tasks": "noise"}, r"`task` \(what it undoes.*"),
        ({"parameter_count": 3}, "set from the model"),
        ({"held_out_scores": {"scores": []}}, "`protocol`, how they were measured"),
        ({"held_out_scores": {"protocol": "x", "scores": [3]}}, "a list of dicts"),
        ({"training_data": ["BSDS500"]}, "`name` and `terms`"),
        ({"training_data": [{"name": "BSDS500"}]}, "`name` and `terms`"),
        ({"training": {"loss": float("nan")}}, "what JSON can"),
        ({"training": {"loss": np.zeros(3)}}, "what JSON can"),
    ],
)
def test_what_cannot_be_told(tmp_path, metadata, told):
    with pytest.raises(ValueError, match=f"{told}.*Received: "):
        tiny_unet().save_to_preset(tmp_path / "unet", metadata)
    assert not (tmp_path / "unet").exists()


def test_the_files_are_json_for_people(saved):
    for name in ("config.json", "task.json", "metadata.json"):
        text = (saved / name).read_text()
        assert text == json.dumps(json.loads(text), indent=2) + "\n"
