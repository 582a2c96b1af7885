"""Defocus: a point of light becomes a disc."""

import numpy as np
import pytest

from keras_indi.data.degradations import DefocusBlur

pytestmark = pytest.mark.backend_free


def test_a_point_becomes_an_even_disc():
    point = np.zeros((31, 31, 2), "float32")
    point[15, 15] = 1
    blurred = DefocusBlur(6.3)(point, seed=0)
    np.testing.assert_allclose(blurred.sum(axis=(0, 1)), 1, atol=1e-5)
    rows, columns = np.mgrid[-15:16, -15:16]
    distance = np.hypot(rows, columns)
    # Half a pixel's diagonal lies between inside and outside.
    inside = blurred[distance < 6.3 - np.sqrt(0.5)]
    np.testing.assert_allclose(inside, 1 / (np.pi * 6.3**2), rtol=0.005)
    assert np.abs(blurred[distance > 6.3 + np.sqrt(0.5)]).max() < 1e-6
    # Pixels on the edge are neither quite inside nor quite outside.
    edge = blurred[np.abs(distance - 6.3) < 0.2] * np.pi * 6.3**2
    assert edge.size and 0.2 < edge.min() and edge.max() < 0.8


def test_the_radius_is_drawn_from_the_range():
    point = np.zeros((31, 31, 1), "float32")
    point[15, 15] = 1
    item = DefocusBlur((2, 8))
    radii = [np.sqrt(1 / (np.pi * item(point, seed).max())) for seed in range(60)]
    assert 1.98 < min(radii) < 2.6 and 7.4 < max(radii) < 8.02


def test_highlights_spread_into_discs_in_linear_light():
    image = np.full((31, 31, 1), 0.2, "float32")
    image[15, 15] = 30.0  # a lamp, far over white
    stored = DefocusBlur(3.0)(image, seed=0)
    light = DefocusBlur(3.0, linear_light=True)(image, seed=0)
    assert light[15, 17, 0] > 2 * stored[15, 17, 0]
