"""Spread of the draws, beside the error."""

import json

import numpy as np
import pytest
from helpers import small_network, smooth_images
from PIL import Image
from scipy.stats import spearmanr

from keras_indi.evaluation import uncertainty
from keras_indi.evaluation.uncertainty_maps import coverage
from keras_indi.models import InDI


@pytest.fixture(scope="module")
def model():
    return InDI(small_network(), noise_schedule=0.05, seed=0)


def test_mean_and_spread_are_those_of_the_draws(model):
    degraded, clean = smooth_images(2, 16, 12)
    found = uncertainty(model, degraded, clean, num_samples=5, seed=3, num_steps=2)
    draws = model.restore(degraded, num_samples=5, seed=3, num_steps=2)
    np.testing.assert_allclose(found.mean, draws.mean(0, "float64"))
    spread = draws.std(0, ddof=1, dtype="float64")
    np.testing.assert_allclose(found.standard_deviation, spread)
    assert found.coverage == coverage(found.mean, found.standard_deviation, clean)
    assert uncertainty(model, degraded, num_samples=2, num_steps=1).coverage is None


def test_integers_are_not_rounded_before_the_spread_is_taken(model):
    degraded = smooth_images(1, 16, 12)[0].astype("uint8")
    found = uncertainty(model, degraded, num_samples=3, num_steps=1)
    assert np.any(np.mod(3 * found.mean, 1) > 0.01)


def test_coverage_of_a_spread_that_is_right():
    rng = np.random.default_rng(0)
    spread = rng.uniform(1, 10, 200_000)
    clean = rng.normal(100, 20, spread.shape)
    found = coverage(clean + spread * rng.standard_normal(spread.shape), spread, clean)
    # A part p of n values has the standard deviation sqrt(p (1 - p) / n) < 0.003.
    expected = {"1": 0.6827, "2": 0.9545, "3": 0.9973}
    assert found["within"] == pytest.approx(expected, abs=0.01)
    assert len(found["groups"]) == 4
    for group, edge in zip(found["groups"], (1, 3.25, 5.5, 7.75)):
        assert group["within"] == pytest.approx(expected, abs=0.01)
        middle = edge + 1.125
        assert group["standard_deviation"] == pytest.approx(middle, rel=0.02)
        # The mean of |N(0, s)| is s sqrt(2 / pi).
        error = middle * np.sqrt(2 / np.pi)
        assert group["error"] == pytest.approx(error, rel=0.03)


def test_coverage_of_a_spread_that_says_nothing():
    rng = np.random.default_rng(0)
    spread = rng.uniform(1, 10, 50_000)
    found = coverage(
        3 * rng.standard_normal(spread.shape), spread, np.zeros_like(spread)
    )
    assert abs(found["rank_correlation"]) < 0.02
    assert found["groups"][0]["within"]["1"] < 0.6 < found["groups"][3]["within"]["1"]


def test_the_rank_correlation_is_scipys():
    rng = np.random.default_rng(1)
    spread = rng.integers(1, 6, (9, 7, 3)).astype(float)  # many equal ranks
    error = spread + rng.normal(0, 2, spread.shape)
    found = coverage(error, spread, np.zeros_like(spread))["rank_correlation"]
    expected = spearmanr(np.abs(error).ravel(), spread.ravel()).statistic
    assert found == pytest.approx(expected, abs=1e-12)
    assert coverage(error, np.ones_like(spread), error)["rank_correlation"] is None


def test_pictures_and_scores_are_written(model, tmp_path):
    degraded, clean = smooth_images(2, 16, 12)
    found = uncertainty(model, degraded, clean, num_samples=4, num_steps=2)
    folder = found.save(tmp_path / "out")
    names = {path.name for path in folder.iterdir()}
    pictures = {"mean.png", "standard_deviation.png", "error.png", "sheet.png"}
    assert names == {*pictures, "uncertainty.json"}
    mean = np.asarray(Image.open(folder / "mean.png"))
    np.testing.assert_array_equal(mean, np.rint(found.mean).astype("uint8"))
    content = json.loads((folder / "uncertainty.json").read_text())
    assert content["coverage"] == found.coverage and content["num_samples"] == 4
    # The heat map brightens with the spread, up to the scale's end.
    heat = np.asarray(Image.open(folder / "standard_deviation.png"))
    spread = np.sqrt(np.mean(found.standard_deviation**2, axis=-1))
    assert content["scales"]["standard_deviation"][1] == spread.max()
    brightness = heat.astype(int).sum(-1)
    assert spearmanr(brightness.ravel(), spread.ravel()).statistic > 0.99
    assert brightness.argmax() == spread.argmax()


def test_bad_arguments(model):
    degraded, clean = smooth_images(2, 16, 12)
    with pytest.raises(ValueError, match="Received: num_samples=1"):
        uncertainty(model, degraded, num_samples=1)
    with pytest.raises(ValueError, match="Received: degraded of shape"):
        uncertainty(model, degraded, clean[:8])
    with pytest.raises(ValueError, match="Received: noise_schedule="):
        uncertainty(InDI(small_network()), degraded)
