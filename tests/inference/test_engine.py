"""How `restore` reaches the network."""

import inspect

import keras
import numpy as np
import pytest

from keras_indi.models import ConditionalDDPM, InDI


class Traced(keras.layers.Layer):
    """Notes the functions of the package between `restore` and its call."""

    condition_on_degraded = True

    def __call__(self, *args, **kwargs):
        names = [
            frame.function
            for frame in inspect.stack(0)
            if frame.frame.f_globals["__name__"].startswith("keras_indi.")
        ]
        if "run" in names:  # and so this is no call that builds
            self.between = names[::-1][1:]
        return super().__call__(*args, **kwargs)

    def call(self, inputs):
        return 0.5 * inputs["images"]


@pytest.mark.skipif(
    keras.config.backend() != "torch", reason="others call what they compiled"
)
@pytest.mark.parametrize("model_class", [InDI, ConditionalDDPM])
def test_few_functions_lie_between_restore_and_the_network(model_class):
    backbone = Traced()
    model = model_class(backbone)
    model.restore(np.ones((8, 8, 3), "float32"), num_steps=2)
    # The engine's `restore`, and so on.
    expected = ["restore", "run", "move", "step", "estimate", "call"]
    assert backbone.between == expected
