"""The same numbers on every backend, from one stored file."""

import numpy as np
import pytest
from golden import make_golden

from keras_indi.samplers import BUILTIN

TOLERANCE = 1e-4  # of the value range, here 1


@pytest.fixture(scope="module")
def stored():
    with np.load(make_golden.PATH) as arrays:
        return dict(arrays)


def test_the_example_is_the_stored_one(stored):
    np.testing.assert_array_equal(make_golden.example(), stored["image"])


def test_estimates(stored):
    found = make_golden.estimates(stored["image"])
    # The backbone's range [-1, 1] is two wide.
    np.testing.assert_allclose(found, stored["estimates"], atol=2 * TOLERANCE, rtol=0)


def test_restorations(stored):
    found = make_golden.restorations(stored["image"])
    assert len(found) == 2 * len(BUILTIN) + len(make_golden.ANY_NOISE)
    assert set(found) == set(stored) - {"image", "estimates"}
    image = stored["image"] / 255
    for name, states in found.items():
        np.testing.assert_allclose(
            states, stored[name], atol=TOLERANCE, rtol=0, err_msg=name
        )
        # The network does something, and noise what it should.
        assert 0.1 < np.abs(states[-1] - image).max() < 5
        still = name.endswith("still")
        assert (np.abs(states[-1, 0] - states[-1, 1]).max() > 0.01) != still
