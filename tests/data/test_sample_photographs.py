"""The photographs of the quickstart."""

import numpy as np
from PIL import Image

from keras_indi.data.sample_photographs import (
    HELD_OUT,
    TRAINING,
    RandomCrops,
    sample_photographs,
    shrink_and_enlarge,
)


def test_photographs_are_colour_and_held_out_ones_are_not_trained_on():
    assert not set(TRAINING) & set(HELD_OUT)
    for photograph in sample_photographs((*TRAINING, *HELD_OUT)):
        assert photograph.dtype == np.uint8
        assert photograph.ndim == 3 and photograph.shape[-1] == 3
        assert photograph.std() > 10


def test_shrinking_keeps_the_mean_and_takes_the_detail():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype("uint8")
    degraded = shrink_and_enlarge(image, 4)
    assert degraded.shape == image.shape
    assert abs(degraded.mean() - image.mean()) < 1
    assert degraded.std() < 0.5 * image.std()
    small = np.asarray(
        Image.fromarray(image).resize((16, 16), Image.Resampling.BICUBIC)
    )
    # Bilinear enlargement by 4: output 4 i + 2 lies an eighth beyond sample i.
    expected = 0.875 * small[5, 5] + 0.125 * small[6, 5]
    expected = 0.875 * expected + 0.125 * (0.875 * small[5, 6] + 0.125 * small[6, 6])
    assert np.all(np.abs(degraded[22, 22] - expected) <= 1)


def test_crops_are_pairs_drawn_from_the_seed():
    photographs = sample_photographs(("astronaut", "coins"))

    def crops(seed):
        return RandomCrops(photographs, lambda x: 255 - x, 16, 4, 3, seed)

    degraded, clean = crops(seed=1)[0]
    assert degraded.shape == clean.shape == (4, 16, 16, 3)
    np.testing.assert_array_equal(degraded, 255 - clean)
    np.testing.assert_array_equal(clean, crops(seed=1)[0][1])
    assert not np.array_equal(clean, crops(seed=2)[0][1])
    assert not np.array_equal(clean, crops(seed=1)[1][1])
    later = crops(seed=1)
    later.on_epoch_end()
    assert not np.array_equal(clean, later[0][1])
