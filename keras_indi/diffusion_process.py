"""Formulas of denoising diffusion, the baseline of the paper.

The path leads from the clean image x to noise, `z = a x + b n` with n standard normal
and `a^2 + b^2 = 1`. Ho et al. call a^2 alpha bar. A point on the path is identified by
its noise level l in [0, 1], the angle of (a, b) as a fraction of a right angle:

    a = cos(pi l / 2),  b = sin(pi l / 2)

so 0 is clean and 1 is pure noise, like t in `process.py`. It is a one-to-one function
of the noise level `a` in Saharia et al., and resolves both nearly clean and nearly pure
noise. Images are in units in which x has a spread of about 1, such as [-1, 1].

All functions are pure and work on tensors of any backend, in float32 (float64 where
the images are float64). `levels` is a scalar or a tensor of shape `(batch,)`.

References:
    Ho, Jain & Abbeel, "Denoising Diffusion Probabilistic Models", 2020,
    arXiv 2006.11239.
    Song, Meng & Ermon, "Denoising Diffusion Implicit Models", 2021,
    arXiv 2010.02502.
    Saharia et al., "Image Super-Resolution via Iterative Refinement" (SR3), 2021,
    arXiv 2104.07636.
    The angle is that of Salimans & Ho, "Progressive Distillation", 2022,
    arXiv 2202.00512, appendix D.
"""

import math

from keras import ops

from keras_indi.annotations import Tensor
from keras_indi.broadcasting import along_batch, as_float


def noise_level(signal_scale: Tensor) -> Tensor:
    """Return the noise level at which the weight of the clean image is a.

    Args:
        signal_scale: Tensor with values in [0, 1], a.

    Returns:
        Float tensor of the same shape, l.

    Example:

    >>> float(noise_level(1.0))
    0.0
    """
    # Rounding may lift a above 1.
    return ops.arccos(ops.minimum(as_float(signal_scale), 1.0)) * (2.0 / math.pi)


def scales(levels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the weights of the clean image and of the noise.

    Args:
        levels: Tensor with values in [0, 1], l.

    Returns:
        Pair of float tensors of the same shape, a and b.
    """
    angle = as_float(levels) * (math.pi / 2)
    return ops.cos(angle), ops.sin(angle)


def diffuse(clean: Tensor, noise: Tensor, levels: Tensor) -> Tensor:
    """Return the state at a level (Ho et al., eq. 4): `z = a x + b n`.

    Args:
        clean: Tensor of shape `(batch, ...)`, x.
        noise: Standard normal tensor of the same shape, n.
        levels: Scalar or tensor of shape `(batch,)`, l.

    Returns:
        Float tensor of the images' shape, z.
    """
    clean = as_float(clean)
    signal_scale, noise_scale = scales(along_batch(levels, clean))
    return signal_scale * clean + noise_scale * as_float(noise)


def clean_from_noise(images: Tensor, noise: Tensor, levels: Tensor) -> Tensor:
    """Return the estimate of x from an estimate of the noise: `(z - b n) / a`.

    Ho et al., eq. 15.

    Args:
        images: Tensor of shape `(batch, ...)`, z.
        noise: Tensor of the same shape, the estimate of n.
        levels: Scalar or tensor of shape `(batch,)` with values below 1, l.

    Returns:
        Float tensor of the images' shape.
    """
    images = as_float(images)
    signal_scale, noise_scale = scales(along_batch(levels, images))
    return (images - noise_scale * as_float(noise)) / signal_scale


def noise_from_clean(images: Tensor, clean: Tensor, levels: Tensor) -> Tensor:
    """Return the estimate of the noise from an estimate of x: `(z - a x) / b`.

    Args:
        images: Tensor of shape `(batch, ...)`, z.
        clean: Tensor of the same shape, the estimate of x.
        levels: Scalar or tensor of shape `(batch,)` with values above 0, l.

    Returns:
        Float tensor of the images' shape.
    """
    images = as_float(images)
    signal_scale, noise_scale = scales(along_batch(levels, images))
    return (images - signal_scale * as_float(clean)) / noise_scale


def ancestral_update(
    images: Tensor, estimate: Tensor, levels: Tensor, next_levels: Tensor
) -> Tensor:
    """Return the mean of the state at a lower level (Ho et al., eq. 7).

    With r = (a_t / a_s)^2, `z_s = a_s (1 - r) / b_t^2 x + sqrt(r) b_s^2 / b_t^2 z_t`,
    the mean of z_s given z_t and x. At level 0 it is exactly the estimate.

    Args:
        images: Tensor of shape `(batch, ...)`, z_t.
        estimate: Tensor of the same shape, the estimate of x.
        levels: Scalar or tensor of shape `(batch,)` with values in (0, 1), of z_t.
        next_levels: Like `levels`, of z_s, lower.

    Returns:
        Float tensor of the images' shape.
    """
    images, estimate = as_float(images), as_float(estimate)
    levels, next_levels = (
        along_batch(value, images) for value in (levels, next_levels)
    )
    _, noise_scale = scales(levels)
    next_signal_scale, next_noise_scale = scales(next_levels)
    kept = _kept_signal(levels, next_levels)
    replaced = next_signal_scale * _replaced(levels, next_levels) / noise_scale**2
    return replaced * estimate + kept * (next_noise_scale / noise_scale) ** 2 * images


def ancestral_noise_scale(levels: Tensor, next_levels: Tensor) -> Tensor:
    """Return the noise's standard deviation after `ancestral_update`.

    `sqrt(1 - r) b_s / b_t`, the square root of beta tilde in Ho et al., eq. 7. It is 0
    at level 0.

    Args:
        levels: Scalar or tensor of shape `(batch,)` with values in (0, 1], l_t.
        next_levels: Like `levels`, l_s.

    Returns:
        Float tensor of the levels' shape.
    """
    levels, next_levels = as_float(levels), as_float(next_levels)
    ratio = scales(next_levels)[1] / scales(levels)[1]
    return ratio * ops.sqrt(_replaced(levels, next_levels))


def ddim_update(
    images: Tensor,
    estimate: Tensor,
    levels: Tensor,
    next_levels: Tensor,
    eta: float = 0.0,
) -> Tensor:
    """Return the DDIM update (Song et al., eq. 12), without the noise of `eta`.

    `z_s = a_s x + sqrt(b_s^2 - c^2) n`, where n is the noise in z_t according to the
    estimate of x. c is `eta` times `ancestral_noise_scale`, the standard deviation of
    the noise that the caller adds.

    Args:
        images: Tensor of shape `(batch, ...)`, z_t.
        estimate: Tensor of the same shape, the estimate of x.
        levels: Scalar or tensor of shape `(batch,)` with values in (0, 1), of z_t.
        next_levels: Like `levels`, of z_s, lower.
        eta: Float in [0, 1]; 0 adds no noise, 1 is the ancestral update.

    Returns:
        Float tensor of the images' shape.
    """
    images, estimate = as_float(images), as_float(estimate)
    levels, next_levels = (
        along_batch(value, images) for value in (levels, next_levels)
    )
    signal_scale, noise_scale = scales(next_levels)
    fresh = eta * ancestral_noise_scale(levels, next_levels)
    kept = ops.sqrt(ops.maximum(noise_scale**2 - fresh**2, 0.0))
    return signal_scale * estimate + kept * noise_from_clean(images, estimate, levels)


def _kept_signal(levels, next_levels):
    """a_t / a_s, the square root of r."""
    return scales(levels)[0] / scales(next_levels)[0]


def _replaced(levels, next_levels):
    """1 - r, without cancellation between neighbouring levels.

    `a_s^2 - a_t^2 = sin(u - w) sin(u + w)` with the angles u of t and w of s.
    """
    half_pi = math.pi / 2
    difference = ops.sin(half_pi * (levels - next_levels))
    total = ops.sin(half_pi * (levels + next_levels))
    return difference * total / scales(next_levels)[0] ** 2
