"""The preset for any file leaves good photographs alone, and restores the others."""

import importlib.util
import pathlib

import numpy as np
import pytest

import keras_indi
from keras_indi.data.sample_photographs import sample_photographs
from keras_indi.images.channels import to_channels
from keras_indi.restoration.chosen_model import DEFAULT_PRESET

SCRIPT = pathlib.Path(__file__).parents[2] / "examples" / "presets" / "no_harm.py"
pytest.importorskip("skimage")
pytestmark = pytest.mark.optimized


@pytest.fixture(scope="module")
def no_harm():
    spec = importlib.util.spec_from_file_location("no_harm", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def model():
    return keras_indi.load_restorer(DEFAULT_PRESET, "float32")


@pytest.fixture(scope="module")
def photographs(no_harm):
    """Photographs that no training has seen."""
    names = ("astronaut", "chelsea", "coffee", "motorcycle")
    return [no_harm.middle(image, 160) for image in sample_photographs(names)]


@pytest.fixture
def found(no_harm, model, photographs):
    def measure(name):
        degradation = no_harm.CASES[name].degradation
        degraded = [degradation(image, i) for i, image in enumerate(photographs)]
        return no_harm.changes(model, degraded, photographs)

    return measure


def test_a_clean_photograph_comes_out_as_it_was(found):
    before, change = found("nothing")
    after = before + change
    assert np.mean(after) >= 42
    assert np.min(after) >= 38


@pytest.mark.parametrize(
    "name", ["noise 2", "noise 5", "JPEG 95", "JPEG 85", "JPEG 75"]
)
def test_mild_degradations_are_not_made_worse(found, name):
    _, change = found(name)
    assert np.mean(change) >= -0.1


@pytest.mark.parametrize(
    "name, least",
    [
        ("noise 15", 5),
        ("noise 25", 8),
        ("noise 50", 10),
        ("coarse noise 10", 2),
        ("coarse noise 25", 5),
        ("grey noise 25", 5),
        ("JPEG 20", 0.5),
    ],
)
def test_strong_degradations_are_removed(found, name, least):
    _, change = found(name)
    assert np.mean(change) >= least
    assert np.min(change) > 0


def test_a_photograph_without_colours_is_restored_too(no_harm, model, photographs):
    grey = [to_channels(to_channels(image, 1), 3) for image in photographs]
    add_noise = no_harm.CASES["grey noise 25"].degradation
    degraded = [add_noise(image, seed) for seed, image in enumerate(grey)]
    _, change = no_harm.changes(model, degraded, grey)
    assert np.min(change) > 5


def test_drawings_keep_their_lines(no_harm, model):
    drawn = list(no_harm.drawn().values())
    before, change = no_harm.changes(model, drawn, drawn)
    assert np.min(before + change) >= 42
