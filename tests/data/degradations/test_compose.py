"""Degradations one after another."""

import numpy as np
import pytest

from keras_indi.data.degradations import (
    Compose,
    DefocusBlur,
    Downsample,
    GaussianBlur,
    GaussianNoise,
    JPEGCompression,
)

pytestmark = pytest.mark.backend_free

IMAGE = np.random.default_rng(0).random((16, 14, 3))


def test_members_share_one_generator_in_order():
    members = [GaussianNoise((5, 20)), GaussianBlur((0.5, 2)), GaussianNoise(9)]
    generator = np.random.default_rng(3)
    expected = IMAGE
    for member in members:
        expected = member(expected, generator)
    found = Compose(members)(IMAGE, seed=3)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert not np.allclose(Compose(members[::-1])(IMAGE, seed=3), expected, atol=1e-3)


def test_integers_are_rounded_at_the_end_alone():
    """Two weak blurs of 8-bit values do not round in between."""
    image = (255 * IMAGE).astype("uint8")
    twice = [GaussianBlur(1.0), GaussianBlur(1.0)]
    expected = 255 * Compose(twice)(image / 255, seed=0)
    np.testing.assert_allclose(Compose(twice)(image, 0), expected, atol=0.501)


def test_members_are_objects_names_and_configs():
    import keras

    config = keras.saving.serialize_keras_object(DefocusBlur(2.0))
    group = Compose(["keras_indi>GaussianNoise", config, Compose([Downsample(2)])])
    assert group.degradations == (
        GaussianNoise(),
        DefocusBlur(2.0),
        Compose([Downsample(2)]),
    )
    assert repr(Compose([GaussianNoise(5)])) == (
        "Compose(degradations=(GaussianNoise(sigma=5.0, correlation=0.0, "
        "monochromatic=False),))"
    )


def test_margins_add_up_to_whole_patterns():
    assert Compose([GaussianBlur(1.0), DefocusBlur(2.2)]).margin == 4 + 2
    assert Compose([GaussianBlur(1.0), Downsample(3)]).margin == 15  # 4 + 9
    group = Compose([GaussianBlur(1.0), Downsample(3), JPEGCompression(50)])
    assert group.size_multiple == 3 and group.margin == 48
    assert Compose([GaussianNoise(), JPEGCompression(50)]).margin == 0
