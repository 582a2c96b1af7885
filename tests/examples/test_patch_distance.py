import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

PRESETS = Path(__file__).parents[2] / "examples" / "presets"


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(PRESETS)
    yield __import__("patch_distance")
    sys.modules.pop("patch_distance", None)


def extractor():
    """Mean and mean absolute slope of each channel."""
    images = keras.Input((None, None, 3))
    slope = keras.ops.abs(images[:, 1:] - images[:, :-1])
    features = [keras.layers.GlobalAveragePooling2D()(x) / 255 for x in (images, slope)]
    return keras.Model(images, keras.layers.Concatenate()(features))


def write(folder, noise, random, count=24):
    folder.mkdir()
    for number in range(count):
        flat = np.full((260, 400, 3), random.uniform(60, 180))
        flat += noise * random.standard_normal(flat.shape)
        Image.fromarray(flat.clip(0, 255).astype("uint8")).save(
            folder / f"{number:02}.png"
        )


def test_patches_lie_in_the_middle_and_do_not_overlap(module):
    image = np.arange(3 * 128 * 5 * 128).reshape(3 * 128, 5 * 128, 1)
    found = module.patches(image)
    assert found.shape == (4, 128, 128, 1)
    middle = image[128:256, 256:384]
    np.testing.assert_array_equal(found[0], middle)
    assert len(np.unique(found)) == found.size


def test_clean_patches_are_at_the_floor_and_noise_is_above_it(module, tmp_path):
    random = np.random.default_rng(0)
    write(tmp_path / "clean", 0, random)
    write(tmp_path / "same", 0, random)
    write(tmp_path / "noisy", 40, random)
    names = [f"{number:02}" for number in range(24)]
    distance = module.PatchDistance(extractor(), tmp_path, names)
    assert distance("clean") == pytest.approx(distance.floor)
    assert distance("noisy") > 10 * max(abs(distance("same")), abs(distance.floor))


def test_few_patches_give_no_figure(module, tmp_path):
    random = np.random.default_rng(0)
    write(tmp_path / "clean", 0, random, 4)
    distance = module.PatchDistance(extractor(), tmp_path, ["00", "01", "02", "03"])
    assert distance.floor is None and distance("clean") is None
