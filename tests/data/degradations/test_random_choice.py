"""One of several degradations."""

import numpy as np
import pytest

from keras_indi.data.degradations import (
    DefocusBlur,
    Downsample,
    GaussianBlur,
    JPEGCompression,
    RandomChoice,
)

pytestmark = pytest.mark.backend_free

IMAGE = np.random.default_rng(0).random((12, 12, 1))
MEMBERS = [GaussianBlur(1.0), DefocusBlur(2.0), Downsample(2)]


@pytest.mark.parametrize("probabilities", [None, [1, 2, 1], [0.75, 0.25, 0]])
def test_members_are_drawn_by_their_probabilities(probabilities):
    item = RandomChoice(MEMBERS, probabilities)
    results = [member(IMAGE, 0) for member in MEMBERS]
    counts, total = np.zeros(3), 800
    for seed in range(total):
        counts += [np.array_equal(item(IMAGE, seed), result) for result in results]
    expected = np.ones(3) if probabilities is None else np.array(probabilities)
    expected = expected / expected.sum()
    assert counts.sum() == total
    deviation = np.sqrt(total * expected * (1 - expected))
    assert np.all(np.abs(counts - total * expected) <= 5 * deviation)


def test_what_crops_need_is_the_most_that_a_member_needs():
    item = RandomChoice(MEMBERS)
    assert item.size_multiple == 2 and item.margin == 6
    item = RandomChoice([GaussianBlur(1.0), JPEGCompression(50)])
    assert item.size_multiple == 1 and item.margin == 16
    small = RandomChoice([Downsample(2, m, enlarge=False) for m in ("area", "bicubic")])
    assert small.reduction == 2 and small(IMAGE, 0).shape == (6, 6, 1)


def test_probabilities_stay_as_they_are_given():
    weights = [0.1, 0.7, 0.3]  # whose shares do not add up to 1 exactly
    item = RandomChoice(MEMBERS, weights)
    again = RandomChoice.from_config(item.get_config())
    assert again == item and list(again.probabilities) == weights
