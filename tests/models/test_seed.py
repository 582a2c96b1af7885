"""A model's seed: what it fixes, and what setting it does."""

import keras
import numpy as np
import pytest
from helpers import pairs, small_network

from keras_indi.models import ConditionalDDPM, InDI

MODELS = {
    "indi": lambda seed: InDI(small_network(), noise_schedule=0.3, seed=seed),
    "ddpm": lambda seed: ConditionalDDPM(
        small_network(condition_on_degraded=True), seed=seed
    ),
}


@pytest.fixture(scope="module")
def data():
    return pairs(4, height=8, width=8)


def draws(model, data):
    """What an evaluation, a training and two restorations draw."""
    evaluated = model.evaluate(*data, verbose=0)
    trained = model.fit(*data, verbose=0, shuffle=False).history["loss"][0]
    restored = [model.restore(data[0], num_steps=2).mean() for _ in range(2)]
    return [evaluated, trained, *restored]


@pytest.mark.parametrize("name", MODELS)
def test_a_seed_that_is_set_is_that_of_a_model_built_with_it(data, name):
    model, other = MODELS[name](0), MODELS[name](5)
    for one in (model, other):
        one.compile(keras.optimizers.SGD(0.0))
    before = draws(model, data)  # and so all is compiled
    model.seed = np.int64(5)
    assert model.seed == 5 and model.get_config()["seed"] == 5
    found = draws(model, data)
    np.testing.assert_allclose(found, draws(other, data), rtol=1e-5)
    assert np.abs(np.subtract(found, before)).min() > 1e-3


def test_a_bad_seed_is_refused_and_changes_nothing(data):
    model = InDI(small_network(), seed=3)
    for seed in (-1, 1.5, "1", True):
        with pytest.raises(ValueError, match="Received: seed="):
            model.seed = seed
    assert model.seed == 3


def test_large_seeds_are_saved_and_loaded(tmp_path, data):
    model = InDI(small_network(), noise_schedule=0.3, seed=2**32 - 1)
    model.compile(keras.optimizers.SGD(0.0))
    model.fit(*data, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    losses = [
        one.fit(*data, verbose=0, shuffle=False).history["loss"]
        for one in (model, again)
    ]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
