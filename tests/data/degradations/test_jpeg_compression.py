"""JPEG, bit by bit what Pillow does."""

import io

import numpy as np
import pytest
from PIL import Image

from keras_indi.data.degradations import Compose, Degradation, JPEGCompression

pytestmark = pytest.mark.backend_free


def image_of(height, width, channels):
    rows, columns = np.mgrid[:height, :width] / 9
    waves = [np.sin(rows * (k + 1)) * np.cos(columns - k) for k in range(channels)]
    noise = np.random.default_rng(0).normal(0, 8, (height, width, channels))
    return np.clip(127 + 100 * np.stack(waves, -1) + noise, 0, 255).astype("uint8")


def by_pillow(image, mode, **settings):
    file = io.BytesIO()
    Image.fromarray(image, mode=mode).save(file, format="jpeg", **settings)
    file.seek(0)
    return np.array(Image.open(file))


@pytest.mark.parametrize("quality", [1, 15, 50, 90, 100])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.filterwarnings("ignore:.*mode.*:DeprecationWarning")
def test_colour_is_bit_equal(quality, subsampling):
    image = image_of(37, 45, 3)
    expected = by_pillow(image, "RGB", quality=quality, subsampling=subsampling)
    found = JPEGCompression(quality, subsampling)(image, seed=0)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.filterwarnings("ignore:.*mode.*:DeprecationWarning")
def test_the_default_subsampling_is_pillows():
    image = image_of(32, 32, 3)
    expected = by_pillow(image, "RGB", quality=20)
    np.testing.assert_array_equal(JPEGCompression(20)(image, seed=0), expected)


@pytest.mark.parametrize("channels", [1, 2, 4, 7])
@pytest.mark.filterwarnings("ignore:.*mode.*:DeprecationWarning")
def test_other_channels_are_grey_images(channels):
    image = image_of(30, 26, channels)
    found = JPEGCompression(15)(image, seed=0)
    for channel in range(channels):
        expected = by_pillow(image[..., channel].copy(), "L", quality=15)
        np.testing.assert_array_equal(found[..., channel], expected)


def test_deeper_images_go_through_8_bits():
    image = image_of(24, 24, 3)
    expected = JPEGCompression(30)(image, seed=0)
    deep = image.astype("uint16") * 257 + 40  # rounds to the same level
    deep[image == 255] = 65535
    found = JPEGCompression(30)(deep, seed=0)
    np.testing.assert_array_equal(found, expected.astype("uint16") * 257)
    found = JPEGCompression(30)(image / 255, seed=0)
    np.testing.assert_allclose(found, expected / 255, atol=1e-7)


def test_a_range_draws_all_its_integers():
    image = image_of(16, 16, 1)
    results = [JPEGCompression(q)(image, 0) for q in (5, 6, 7)]
    draw = JPEGCompression((5, 7))
    counts = np.zeros(3, int)
    for seed in range(90):
        drawn = draw(image, seed)
        counts += [np.array_equal(drawn, result) for result in results]
    assert counts.sum() == 90 and counts.min() > 12
    assert draw.get_config()["quality"] == (5, 7)


class Wide(Degradation):
    """Changes nothing, but asks for a margin."""

    margin = 3

    def apply(self, image, generator):
        return image


def test_in_a_group_the_blocks_begin_at_the_trimmed_crop():
    image = image_of(64, 64, 1)
    item = Compose([Wide(), JPEGCompression(10)])
    assert item.margin == 16
    trimmed = item(image, seed=0)[16:48, 16:48]
    np.testing.assert_array_equal(
        trimmed, JPEGCompression(10)(image[16:48, 16:48], seed=0)
    )


def test_a_random_grid_is_that_of_an_image_cropped_after_compression():
    image = image_of(48, 48, 3)
    degrade = JPEGCompression(15, random_grid=True)
    found = [degrade(image, seed=seed) for seed in range(64)]

    def cropped(top, left):
        padded = np.pad(image, ((top, 0), (left, 0), (0, 0)), "edge")
        return by_pillow(padded, "RGB", quality=15)[top:, left:]

    grids = [cropped(top, left) for top in range(16) for left in range(16)]
    chosen = set()
    for one in found:
        (same,) = [i for i, grid in enumerate(grids) if np.array_equal(grid, one)]
        chosen.add(divmod(same, 16))
    assert {top for top, _ in chosen} == {left for _, left in chosen} == set(range(16))
