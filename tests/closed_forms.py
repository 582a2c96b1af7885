"""Restoration problems with a known posterior mean F(x_t, t), as backbones."""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="tests")
class GaussianPosteriorMean(keras.layers.Layer):
    """F for x ~ N(mean, prior_scale^2 I), y = x + noise_scale n.

    `mean` is a number or an image (nested list) that broadcasts against x; the scales
    may be arrays that do.
    """

    def __init__(self, mean=0.0, prior_scale=1.0, noise_scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.mean = mean
        self.prior_scale = prior_scale
        self.noise_scale = noise_scale

    def estimate(self, images, times):
        """F, for NumPy arrays and tensors alike; times broadcast to images."""
        mean = self.mean
        if not isinstance(mean, float):
            mean = np.asarray(mean, dtype="float32")
        prior, noise = self.prior_scale**2, (times * self.noise_scale) ** 2
        # Tensors first: PyTorch takes arrays on the right alone.
        return (images * prior + noise * mean) / (noise + prior)

    def flow_end(self, degraded):
        """Where the residual flow from y ends at t = 0."""
        shrinkage = self.prior_scale / np.hypot(self.prior_scale, self.noise_scale)
        return self.mean + (degraded - np.asarray(self.mean)) * shrinkage

    def call(self, inputs):
        times = ops.reshape(inputs["times"], (-1, 1, 1, 1))
        return self.estimate(inputs["images"], times)

    def get_config(self):
        return {
            **super().get_config(),
            "mean": self.mean,
            "prior_scale": self.prior_scale,
            "noise_scale": self.noise_scale,
        }


# The paper's toy: four clean points in the plane.
FOUR_MODES = [[0.5, 0.5], [0.5, -0.5], [-0.5, 0.5], [-0.5, -0.5]]


@keras.saving.register_keras_serializable(package="tests")
class DiscretePosteriorMean(keras.layers.Layer):
    """F for x uniform among `modes`, y = H x + noise_scale n, H diagonal.

    The softmax-weighted mean of the modes c_i under N(H_t c_i, t^2 sigma^2 I)
    with H_t = (1 - t) I + t H. The points are the images' channels.
    """

    def __init__(self, modes, diagonal, noise_scale, **kwargs):
        super().__init__(**kwargs)
        self.modes = np.asarray(modes, dtype="float32")
        self.diagonal = np.asarray(diagonal, dtype="float32")
        self.noise_scale = noise_scale

    def draw(self, count, rng):
        """Pairs (degraded, clean) of shape (count, 1, 1, channels)."""
        clean = self.modes[rng.integers(len(self.modes), size=count)]
        noise = rng.standard_normal(clean.shape, dtype="float32")
        degraded = clean * self.diagonal + self.noise_scale * noise
        return degraded[:, None, None], clean[:, None, None]

    def call(self, inputs):
        times = ops.reshape(inputs["times"], (-1, 1, 1, 1, 1))
        kept = (1.0 - times) + times * self.diagonal
        distance = inputs["images"][..., None, :] - kept * self.modes
        squared = ops.sum(ops.square(distance), axis=-1)
        logits = -squared / (2.0 * ops.square(times[..., 0] * self.noise_scale))
        return ops.matmul(ops.softmax(logits, axis=-1), self.modes)


@keras.saving.register_keras_serializable(package="tests")
class ConstantEstimate(keras.layers.Layer):
    """F = value, which leaves of a restoration the noise alone."""

    def __init__(self, value=0.0, **kwargs):
        super().__init__(**kwargs)
        self.value = value

    def call(self, inputs):
        return ops.full_like(inputs["images"], self.value)

    def get_config(self):
        return {**super().get_config(), "value": self.value}


@keras.saving.register_keras_serializable(package="tests")
class GaussianNoiseEstimate(keras.layers.Layer):
    """The exact noise estimate of diffusion for x ~ N(mean, prior_scale^2), given y.

    With y = x + noise_scale n, x given y is normal with a known mean and variance;
    so is z = a x + b n, and the estimate of n given z and y is linear.
    """

    condition_on_degraded = True

    def __init__(self, mean=0.0, prior_scale=1.0, noise_scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.mean = mean
        self.prior_scale = prior_scale
        self.noise_scale = noise_scale

    def posterior(self, degraded):
        """Mean and variance of x given y."""
        precision = self.prior_scale**-2 + self.noise_scale**-2
        mean = self.mean * self.prior_scale**-2 + degraded * self.noise_scale**-2
        return mean / precision, 1 / precision

    def call(self, inputs):
        angle = ops.reshape(inputs["times"], (-1, 1, 1, 1)) * (np.pi / 2)
        signal_scale, noise_scale = ops.cos(angle), ops.sin(angle)
        mean, variance = self.posterior(inputs["degraded"])
        total = signal_scale**2 * variance + noise_scale**2
        return noise_scale * (inputs["images"] - signal_scale * mean) / total
