"""The photographs of the quickstart."""

import numpy as np

from keras_indi.data.sample_photographs import (
    HELD_OUT,
    TRAINING,
    sample_photographs,
)


def test_photographs_are_colour_and_held_out_ones_are_not_trained_on():
    assert not set(TRAINING) & set(HELD_OUT)
    for photograph in sample_photographs((*TRAINING, *HELD_OUT)):
        assert photograph.dtype == np.uint8
        assert photograph.ndim == 3 and photograph.shape[-1] == 3
        assert photograph.std() > 10
