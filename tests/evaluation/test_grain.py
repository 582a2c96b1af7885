"""Detectors of grain against closed forms, adversaries of the energy asked for."""

import numpy as np
import pytest
from helpers import smooth_images

from keras_indi.evaluation.grain import (
    added_energy,
    finest_band_power,
    sharpened,
    with_noise,
)

pytestmark = pytest.mark.backend_free


def smooth(size=96):
    return smooth_images(1, size, size, high=255.0)[0]


def test_white_noise_has_its_variance_in_every_band():
    noise = np.random.default_rng(0).normal(0, 7.0, (256, 200, 3))
    assert finest_band_power(noise) == pytest.approx(49.0, rel=0.03)
    assert finest_band_power(noise + 1000.0) == pytest.approx(49.0, rel=0.03)


@pytest.mark.parametrize("frequency, inside", [(8, False), (22, False), (26, True)])
def test_a_wave_counts_in_the_finest_band_alone(frequency, inside):
    columns = np.arange(64)
    wave = np.tile(np.cos(2 * np.pi * frequency * columns / 64), (64, 1))[..., None]
    for image in (wave, wave.swapaxes(0, 1)):
        power = finest_band_power(image)
        # Of its total power, 64 * 64 / 2, spread over the band's frequencies.
        size = 64 * 64 - 47 * 47
        expected = 64 * 64 / 2 / size if inside else 0.0
        assert power == pytest.approx(expected, abs=1e-9)


def test_smoothing_lowers_it_and_grain_raises_it():
    rng = np.random.default_rng(1)
    clean = np.clip(smooth() + rng.normal(0, 3, (96, 96, 3)), 0, 255)
    assert finest_band_power(smooth()) < finest_band_power(clean)
    assert finest_band_power(with_noise(clean, 25.0, 0)) > finest_band_power(clean)


@pytest.mark.parametrize("energy", [4.0, 60.0])
def test_noise_has_the_energy_and_depends_on_the_seed(energy):
    grey = np.full((128, 128, 3), 127.0)
    found = with_noise(grey, energy, seed=3)
    change = np.mean(np.square(found - grey))
    assert change == pytest.approx(energy + 1 / 12, rel=0.03)  # and of rounding
    np.testing.assert_array_equal(found, with_noise(grey, energy, seed=3))
    assert not np.array_equal(found, with_noise(grey, energy, seed=4))


@pytest.mark.parametrize("energy", [1.0, 20.0])
def test_sharpening_has_the_energy_and_steepens_edges(energy):
    image = np.full((32, 32, 1), 80.0)
    image[:, 16:] = 170.0
    found = sharpened(image, energy)
    change = np.mean(np.square(found - image))
    assert change == pytest.approx(energy, rel=0.15)  # rounded to 8 bits
    assert found[:, 15].max() < 80 < 170 < found[:, 16].min()
    np.testing.assert_array_equal(found[:, 0], 80)


def test_of_no_energy_both_are_the_image():
    image = np.rint(smooth()).astype("uint8")
    np.testing.assert_array_equal(with_noise(image, 0.0, 0), image)
    np.testing.assert_array_equal(sharpened(image, 0.0), image)


def test_sharpening_stops_where_clipping_allows_no_more():
    image = np.zeros((16, 16, 1))
    image[:, 8:] = 255.0
    np.testing.assert_array_equal(sharpened(image, 1e6), image)


def test_energy_is_what_more_steps_add():
    clean, one, more = (np.full((4, 6, 3), v, "uint8") for v in (100, 103, 96))
    # In bytes, 96 - 100 would be 252.
    assert added_energy(clean, one, more) == 16 - 9
    assert added_energy(clean, more, one) == 0
