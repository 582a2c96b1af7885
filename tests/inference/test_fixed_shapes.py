"""An image's result in bytes: of its own size and seed, not of what is beside it."""

import numpy as np
import pytest
from helpers import small_network, smooth_images, tiny_unet

from keras_indi.backend import compiled
from keras_indi.models import InDI
from keras_indi.models.fixed_shapes import batch_shape

SIZES = [(13, 10), (16, 16), (30, 20), (31, 24), (32, 24), (9, 31), (90, 80)]
IMAGES = [smooth_images(1, *size, seed=size[0])[0] for size in SIZES]
OPTIONS = {"num_steps": 2, "fixed_shapes": True, "max_memory": 2_000_000}


@pytest.fixture(params=[False, True], ids=["alone", "in batches"])
def in_batches(request, monkeypatch):
    if not request.param and compiled.compiles_each_shape():
        pytest.skip("each shape costs a compilation here")
    monkeypatch.setattr(compiled, "gains_from_batches", lambda: request.param)
    return request.param


def restore(model, indices, **options):
    images = [IMAGES[index] for index in indices]
    found = model.restore(images, seed=list(indices), **{**OPTIONS, **options})
    return {index: image.tobytes() for index, image in zip(indices, found)}


@pytest.mark.parametrize("network", ["unet", "own"])
def test_neither_batch_nor_history_changes_a_byte(in_batches, network):
    def make():
        backbone = tiny_unet(gain=0.3) if network == "unet" else small_network()
        return InDI(backbone, noise_schedule=0.02, seed=0)

    last = len(SIZES) if network == "unet" else 4
    model = make()
    expected = restore(model, range(last), batch_size=3)
    assert restore(model, range(last - 1, -1, -1), batch_size=3) == expected
    fresh = make()
    for index in range(0, last, 2):
        assert restore(fresh, [index], batch_size=3)[index] == expected[index]
    plain = [model.restore(IMAGES[i], 2, seed=[i]) for i in range(last)]
    for index, image in enumerate(plain):
        found = np.frombuffer(expected[index], "float32").reshape(image.shape)
        np.testing.assert_allclose(found, image, atol=3e-3)


def test_the_shape_of_a_batch_is_told(in_batches):
    model = InDI(tiny_unet(), scale=2)
    shapes = {size: batch_shape(model, *size, max_memory=2_000_000) for size in SIZES}
    assert shapes[90, 80] is None  # by tiles
    if not in_batches:
        assert shapes[13, 10] == (1, 26, 20)
        return
    assert shapes[13, 10][1:] == (28, 20)
    size, height, width = shapes[30, 20]
    assert (height, width) == (64, 40) and 1 < size < 16
    assert batch_shape(model, 30, 20, max_memory=2**31)[0] == 16
    assert batch_shape(model, 512, 512, max_memory=2**34)[0] == 1
    assert batch_shape(model, 30, 20, max_memory=2_000_000, scale=1)[1:] == (32, 20)
    assert batch_shape(model, 30, 20, max_memory=2**31, batch_size=5)[0] == 5


def test_free_memory_must_not_choose():
    with pytest.raises(ValueError, match="Received: .*max_memory=None"):
        InDI(tiny_unet()).restore(IMAGES[0], fixed_shapes=True)
