"""On several devices a restoration is divided, and gives what one device gives."""

import keras
import numpy as np
import pytest
from helpers import run_on_devices

from keras_indi.backend import several_devices

backend = keras.config.backend()
several = pytest.mark.skipif(
    backend not in ("jax", "tensorflow"), reason="Keras distributes nothing here"
)

# Twice as many at a time on two devices: each computes what one alone did.
SAME = """
    import numpy as np
    import keras_indi
    from helpers import small_network, smooth_images

    def build():
        network = small_network()
        network.receptive_field, network.size_multiple = 5, 1
        return keras_indi.InDI(network, noise_schedule=0.1, seed=3)

    images = [*smooth_images(5), *smooth_images(2, 17, 9), *smooth_images(1, 30, 8)]
    large = smooth_images(1, 50, 40)[0]

    def results(model, devices):
        for sampler in ("indi", "heun", "multistep"):
            options = dict(
                sampler=sampler, num_steps=3, batch_size=2 * devices, seed=7, verbose=0
            )
            # XLA rounds Heun's sums otherwise in a program of several devices.
            on_jax = keras.config.backend() == "jax"
            error = 3e-7 * 255 * (on_jax and sampler == "heun")
            for image in model.restore(images, **options):
                yield image, error
            yield model.restore(images[0], num_samples=5, **options), error
            yield model.restore(images[7], **options), error
            yield model.restore(large, tile_size=16, **options), 0
            yield model.restore(large, tile_size=16, tile_overlap=2, **options), 0

    alone = list(results(build(), 1))
    model = begin(build)
    found = list(results(model, NUMBER))
    assert len(alone) == len(found) == 36
    for (one, error), (more, _) in zip(alone, found):
        np.testing.assert_allclose(one, more, rtol=0, atol=error)
    print("the same")
"""

# A third of the work on each of three, and nothing is computed three times.
DIVIDED = """
    import numpy as np
    import keras_indi
    from keras import ops
    from keras_indi.backend import compiled, several_devices

    seen = []

    class Network(keras.layers.Layer):
        receptive_field, size_multiple = 1, 1

        def build(self, shapes):
            self.weight = self.add_weight(shape=(), initializer="ones")

        def call(self, inputs):
            images = inputs["images"]
            if keras.config.backend() == "jax":
                import jax

                jax.debug.inspect_array_sharding(
                    images, callback=lambda s: seen.append(s.shard_shape(images.shape))
                )
            else:
                tf.numpy_function(lambda part: seen.append(part.shape), [images], [])
            return self.weight * images

    model = begin(lambda: keras_indi.InDI(Network()))
    images = np.zeros((7, 8, 6, 3), "float32")
    model.restore(images[:1], num_steps=1, verbose=0)  # builds the network
    assert several_devices.num_devices(model.backbone.variables) == NUMBER
    for size, options in [(9, {}), (6, {"batch_size": 4}), (12, {"batch_size": 99})]:
        seen.clear()
        more = [images[0]] * (7 if size < 12 else 11)
        model.restore(more, num_steps=2, verbose=0, **options)
        assert seen and {shape[0] for shape in seen} == {size // NUMBER}, seen
    seen.clear()
    model.restore(images[0], num_steps=2, tile_size=4, verbose=0)  # four tiles
    assert seen and {shape[:3] for shape in seen} == {(2, 4, 4)}, seen
    print("divided")
"""


@several
def test_gives_what_one_device_gives():
    assert run_on_devices(2, SAME).endswith("the same\n")


@several
def test_each_device_gets_its_part():
    assert run_on_devices(3, DIVIDED).endswith("divided\n")


def test_one_device_divides_nothing():
    variables = keras.layers.Dense(2)
    variables.build((None, 2))
    assert several_devices.num_devices(variables.variables) == 1
    assert several_devices.num_devices([]) == 1
    if backend == "jax":
        args = (np.zeros((2, 4)), ())
        assert several_devices.place([], args) == ([], args)
