"""The quality of JPEG files, against the encoder that made them."""

import io

import numpy as np
import pytest
from PIL import Image

from keras_indi.images.jpeg_quality import jpeg_quality

pytestmark = pytest.mark.backend_free


@pytest.mark.parametrize("quality", [1, 5, 10, 25, 49, 50, 51, 75, 90, 95, 100])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_what_the_encoder_was_told(quality, mode):
    file = io.BytesIO()
    Image.new(mode, (16, 16)).save(file, "JPEG", quality=quality)
    found = jpeg_quality(Image.open(file).quantization)
    # Up to 4 some tables are alike: all of their steps are 255.
    assert found == quality or quality < 5 and found < 5


def test_tables_of_ones_own():
    image = Image.fromarray(np.zeros((16, 16, 3), "uint8"))
    file = io.BytesIO()
    image.save(file, "JPEG", qtables=[[1] * 64, [2] * 64])
    assert jpeg_quality(Image.open(file).quantization) == 100
    flat = io.BytesIO()
    image.save(flat, "JPEG", qtables=[[58] * 64] * 2)  # the mean at quality 50
    assert jpeg_quality(Image.open(flat).quantization) == 50
