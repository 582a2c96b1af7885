"""A restorer of one's own, with no more than `Restorer` asks of a subclass."""

import keras
import numpy as np
import pytest
from helpers import smooth_images, tiny_unet
from keras import ops

from keras_indi import evaluation, presets, samplers
from keras_indi.export.description import describe
from keras_indi.export.settings import Settings
from keras_indi.inference.trajectory import Trajectory
from keras_indi.models import Restorer, load_restorer


@keras.saving.register_keras_serializable(package="tests")
class Sharpener(Restorer):
    """The network's estimate at any t, without noise."""

    own_restore_defaults = {
        "num_steps": 2,
        "sampler": "indi",
        "time_grid": "uniform",
        "time_shift": 1.0,
    }

    def __init__(
        self, backbone, value_range=(0, 255), seed=None, restore_defaults=None, **kwargs
    ):
        super().__init__(backbone, value_range, seed, restore_defaults, **kwargs)

    get_sampler = staticmethod(samplers.get)

    def training_example(self, degraded, clean, draw, first=0):
        times = ops.ones(ops.shape(clean)[:1])
        return {"images": degraded, "times": times}, clean

    def call(self, inputs, training=False):
        return self.backbone(inputs, training=training)

    def trajectory(self, sampler, times, time_shift):
        return Trajectory(sampler, times, 0.0, [0.0] * (len(times) - 1))

    def estimate(self, images, times, degraded, time_shift=1.0, network=None):
        times = self._asked_times(images, times, time_shift)
        return (network or self.backbone)({"images": images, "times": times})


@pytest.fixture
def model():
    return Sharpener(tiny_unet())


def test_it_is_saved_as_a_preset_and_comes_back(model, tmp_path):
    folder = model.save_to_preset(tmp_path / "preset")
    image = smooth_images(1)[0]
    found = load_restorer(folder, "float32")
    assert type(found) is Sharpener
    np.testing.assert_allclose(found.restore(image), model.restore(image), atol=1e-3)
    assert "noise_schedule" not in presets.read_metadata(folder)
    assert "noise" not in presets.card(folder)


def test_its_scores_are_kept_beside_its_weights(model, tmp_path):
    images = smooth_images(2)
    protocol = evaluation.Protocol(("psnr",))
    first, again = (
        evaluation.evaluate(model, (images, images), protocol, output_dir=tmp_path)
        for _ in range(2)
    )
    assert first == again
    model.backbone.set_weights([weight + 1 for weight in model.backbone.get_weights()])
    with pytest.raises(ValueError, match="measured with another model"):
        evaluation.evaluate(model, (images, images), protocol, output_dir=tmp_path)


def test_its_draws_do_not_spread(model):
    found = evaluation.uncertainty(model, smooth_images(1)[0], num_samples=2)
    assert not found.standard_deviation.any()


def test_it_is_described_without_noise(model):
    settings = Settings("sampler", "onnx", "float32", "indi", [1.0, 0.0], 1.0, 1, False)
    found = describe(model, settings, None, {})
    assert found["noise_draws"] == 0 and "noise_schedule" not in found
