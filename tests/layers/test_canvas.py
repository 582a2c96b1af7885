import numpy as np
import pytest
from helpers import tiny_unet, to_numpy
from keras import ops

from keras_indi.layers import on_canvas


@pytest.mark.parametrize(
    "arguments",
    [
        {"channel_multipliers": (1, 2), "patch_size": 2, "condition_on_degraded": True},
        {"channel_multipliers": (1, 1, 1)},
    ],
)
def test_images_on_a_canvas_have_borders_of_their_own(arguments):
    unet = tiny_unet(gain=0.8, **arguments)
    rng = np.random.default_rng(0)
    extents = [(16, 24), (32, 8), (32, 32)]
    canvas = rng.standard_normal((3, 32, 32, 3)).astype("float32")  # anything beyond
    canvas[0, 20, 20] = 1e30

    def estimate(images):
        inputs = {"images": images, "times": np.full(len(images), 0.5, "float32")}
        if unet.condition_on_degraded:
            inputs["degraded"] = images
        return to_numpy(unet({k: ops.convert_to_tensor(v) for k, v in inputs.items()}))

    with on_canvas(32, ops.convert_to_tensor(extents, "int32")):
        found = estimate(canvas)
    outside = estimate(canvas)
    for index, (height, width) in enumerate(extents):
        alone = estimate(canvas[index : index + 1, :height, :width])[0]
        np.testing.assert_allclose(found[index, :height, :width], alone, atol=1e-5)
    # Without the canvas's word, what lies beyond shows.
    assert not np.allclose(outside[0, :16, :24], found[0, :16, :24], atol=1e-3)
