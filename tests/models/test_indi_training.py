"""Training finds the posterior mean where it is known."""

import keras
import numpy as np
import pytest
from closed_forms import FOUR_MODES, DiscretePosteriorMean, GaussianPosteriorMean
from helpers import to_numpy
from keras import ops

from keras_indi.data import make_pairs
from keras_indi.data.degradations import PureNoise
from keras_indi.models import InDI, UNetBackbone

PAIRS = 40960
BATCH = 1024


class GaussianProblem(GaussianPosteriorMean):
    def draw(self, count, rng):
        clean = self.mean + self.prior_scale * rng.standard_normal((count, 1, 1, 1))
        noise = self.noise_scale * rng.standard_normal(clean.shape)
        return (clean + noise).astype("float32"), clean.astype("float32")


def perceptron(channels):
    """A network of each pixel for itself, of x_t, t and x_t / (t^2 + 0.05)."""
    images = keras.Input((None, None, channels), name="images")
    times = keras.Input((), name="times")
    time = ops.reshape(times, (-1, 1, 1, 1))
    plane = time * ops.ones_like(images[..., :1])
    sharpened = images / (ops.square(time) + 0.05)
    x = ops.concatenate([images, plane, sharpened], axis=-1)
    for _ in range(2):
        x = keras.layers.Dense(64, activation="tanh")(x)
    outputs = keras.layers.Dense(channels)(x)
    return keras.Model({"images": images, "times": times}, outputs)


@pytest.mark.parametrize(
    "problem, epochs",
    [
        (GaussianProblem(0.5, 1.0, 1.0), 15),
        (DiscretePosteriorMean(FOUR_MODES, (1, 0), 0.5), 20),
    ],
    ids=["gaussian", "four_modes"],
)
def test_training_finds_the_posterior_mean(problem, epochs):
    keras.utils.set_random_seed(0)
    degraded, clean = problem.draw(PAIRS, np.random.default_rng(0))
    model = InDI(perceptron(clean.shape[-1]), value_range=None, seed=0)
    rate = keras.optimizers.schedules.CosineDecay(2e-2, epochs * PAIRS // BATCH)
    # The mean is what squared errors ask for.
    model.compile(keras.optimizers.Adam(rate), "mean_squared_error")
    model.fit(degraded, clean, batch_size=BATCH, epochs=epochs, verbose=0)

    degraded, clean = problem.draw(8192, np.random.default_rng(1))
    times = np.random.default_rng(2).uniform(1e-3, 1, len(clean)).astype("float32")
    weights = times[:, None, None, None]
    inputs = {"images": (1 - weights) * clean + weights * degraded, "times": times}
    expected = to_numpy(
        problem({k: ops.convert_to_tensor(v) for k, v in inputs.items()})
    )
    found = model.predict(inputs, batch_size=8192, verbose=0)
    error = np.sqrt(np.mean((found - expected) ** 2) / np.var(expected))
    print(f"relative error {error:.4f}")
    assert error < 0.05


def test_pure_noise_in_floats_trains_and_is_restored():
    # Noise leaves the value range, which is no mistake.
    faces = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3)).astype("uint8")
    options = {"dtype": "float32", "value_range": (0, 255)}
    pairs = make_pairs(faces, PureNoise(), crop_size=16, batch_size=4, **options)
    noise, clean = pairs[0]
    assert noise.min() < -100 and noise.max() > 355
    backbone = UNetBackbone(base_channels=4, channel_multipliers=(1,))
    model = InDI(backbone, seed=0)
    model.compile("adam", "mean_absolute_error")
    history = model.fit(pairs, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    generated = model.restore(noise, num_steps=2, verbose=0)
    assert generated.shape == clean.shape and generated.dtype == noise.dtype
    assert generated.min() >= 0 and generated.max() <= 255


@pytest.mark.slow
@pytest.mark.skipif(keras.config.backend() == "torch", reason="has no XLA")
def test_the_default_network_trains_and_restores_under_xla():
    rng = np.random.default_rng(0)
    clean = np.full((8, 16, 16, 3), 90.0, "float32")
    degraded = clean + rng.normal(0, 20, clean.shape).astype("float32")
    keras.utils.set_random_seed(0)
    unet = UNetBackbone(base_channels=4)
    model = InDI(unet, noise_schedule=0.05, seed=0)
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=True)
    losses = model.fit(degraded, clean, batch_size=8, epochs=200, verbose=0)
    assert losses.history["loss"][-1] < 0.5 * losses.history["loss"][0]
    compiled = model.predict(degraded, verbose=0)
    np.testing.assert_allclose(compiled, to_numpy(model(degraded)), atol=0.01)
    restored = model.restore(degraded, 3, seed=0)
    assert np.abs(restored - clean).mean() < 0.5 * np.abs(degraded - clean).mean()
