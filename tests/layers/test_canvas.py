import numpy as np
from helpers import tiny_unet, to_numpy
from keras import ops

from keras_indi.backend.compiled import compile_function
from keras_indi.layers import on_canvas


def test_images_on_a_canvas_have_borders_of_their_own():
    unet = tiny_unet(patch_size=2, condition_on_degraded=True, gain=0.8)
    rng = np.random.default_rng(0)
    extents = [(16, 24), (32, 8)]
    canvas = rng.standard_normal((2, 32, 32, 3)).astype("float32")  # anything beyond
    canvas[0, 20, 20] = 1e30

    def estimate(images):
        times = 0.5 * ops.ones(ops.shape(images)[:1])
        return unet({"images": images, "times": times, "degraded": images})

    def estimate_on_canvas(images, extents):
        with on_canvas(32, extents):
            return estimate(images)

    alone = compile_function(estimate, unet.variables)
    together = compile_function(estimate_on_canvas, unet.variables)
    canvas = ops.convert_to_tensor(canvas)
    found = to_numpy(together(canvas, ops.convert_to_tensor(extents, "int32")))
    outside = to_numpy(alone(canvas))
    for index, (height, width) in enumerate(extents):
        expected = to_numpy(alone(canvas[index : index + 1, :height, :width]))[0]
        np.testing.assert_allclose(found[index, :height, :width], expected, atol=1e-5)
    # Without the canvas's word, what lies beyond shows.
    assert not np.allclose(outside[0, :16, :24], found[0, :16, :24], atol=1e-3)
