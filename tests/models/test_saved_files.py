"""Files that version 0.1 saved, before its layers were renamed: they load for ever.

`tests/golden/` holds a functional backbone of a user's own with each of our layers, an
`InDI` around a `UNetBackbone`, and what both returned when they were saved.
"""

import pathlib

import keras
import numpy as np
import pytest
from keras import ops

import keras_indi  # noqa: F401  (whose classes the files name)

FOLDER = pathlib.Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="module")
def stored():
    with np.load(FOLDER / "saved_outputs.npz") as arrays:
        return dict(arrays)


@pytest.fixture(params=["as it was saved", "saved again"])
def load(request, tmp_path):
    def loaded(name):
        model = keras.saving.load_model(FOLDER / name)
        if request.param == "saved again":
            model.save(tmp_path / name)
            model = keras.saving.load_model(tmp_path / name)
        return model

    return loaded


def test_a_users_own_backbone_with_our_layers_loads(load, stored):
    backbone = load("own_backbone.keras")
    names = ["images", "times", "degraded"]
    estimate = backbone({name: ops.convert_to_tensor(stored[name]) for name in names})
    np.testing.assert_allclose(
        ops.convert_to_numpy(estimate), stored["estimate"], atol=1e-5, rtol=1e-5
    )


def test_a_restorer_loads(load, stored):
    model = load("indi.keras")
    assert model.restore_defaults["num_steps"] == 3
    photograph = stored["photograph"].astype("float32")
    restored = model.restore(photograph, seed=5, return_trajectory=True)
    np.testing.assert_allclose(restored, stored["restored"], atol=255e-4, rtol=1e-5)
    assert np.abs(restored[-1] - photograph).max() > 10  # it does something
