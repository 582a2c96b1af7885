"""The eight symmetries, against NumPy's flips and rotations."""

import numpy as np
import pytest

from keras_indi.data import augmentation

pytestmark = pytest.mark.backend_free


def test_they_are_all_flips_and_rotations():
    image = np.arange(2 * 2 * 3).reshape(2, 2, 3)
    turned = [np.rot90(image, turns) for turns in range(4)]
    expected = {view.tobytes() for view in [*turned, *(t[:, ::-1] for t in turned)]}
    found = [augmentation.transform(image, symmetry) for symmetry in range(8)]
    assert len(expected) == 8
    assert {view.tobytes() for view in found} == expected


def test_oblong_images_keep_their_shape():
    image = np.arange(2 * 5 * 1).reshape(2, 5, 1)
    random = np.random.default_rng(0)
    drawn = {augmentation.random_symmetry(2, 5, random) for _ in range(100)}
    assert drawn == {0, 1, 2, 3}
    for symmetry in drawn:
        assert augmentation.transform(image, symmetry).shape == image.shape


def test_draws_are_uniform():
    random = np.random.default_rng(0)
    drawn = [augmentation.random_symmetry(4, 4, random) for _ in range(8000)]
    counts = np.bincount(drawn, minlength=8)
    # Five standard deviations of a binomial count.
    assert np.max(np.abs(counts - 1000)) < 5 * np.sqrt(8000 * 7 / 64)
