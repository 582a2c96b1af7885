"""The mathematics of denoising diffusion, each formula once.

The baseline of the paper beside `process.py`. The path leads from the clean image x
to noise, `z = a x + b n` with n standard normal and `a^2 + b^2 = 1`; a^2 is called
alpha bar by Ho et al. A point on it is named by its noise level l in [0, 1], the
angle of (a, b) as a fraction of a right one:

    a = cos(pi l / 2),  b = sin(pi l / 2)

so that 0 is clean and 1 is pure noise, as t is in `process.py`. It is a one-to-one
map of the noise level `a` that Saharia et al. condition on, and distinguishes both
nearly clean and nearly pure noise. Images are in units in which x is about 1 wide,
as [-1, 1].

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
    """The level at which the clean image's weight is a.

    Args:
        signal_scale: Tensor with values in [0, 1], a.

    Returns:
        Float tensor of the same shape, l.

    Example:

    >>> float(noise_level(1.0))
    0.0
    """
    return ops.arccos(as_float(signal_scale)) * (2.0 / math.pi)


def scales(levels: Tensor) -> tuple[Tensor, Tensor]:
    """The weights of the clean image and of the noise.

    Args:
        levels: Tensor with values in [0, 1], l.

    Returns:
        Pair of float tensors of the same shape, a and b.
    """
    angle = as_float(levels) * (math.pi / 2)
    return ops.cos(angle), ops.sin(angle)


def diffuse(clean: Tensor, noise: Tensor, levels: Tensor) -> Tensor:
    """The state at a level (Ho et al., eq. 4): `z = a x + b n`.

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
    """The estimate of x that an estimate of the noise makes: `(z - b n) / a`.

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
    """The estimate of the noise that an estimate of x makes: `(z - a x) / b`.

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
    """The mean of the state at a lower level (Ho et al., eq. 7).

    With r = (a_t / a_s)^2, `z_s = a_s (1 - r) / b_t^2 x + sqrt(r) b_s^2 / b_t^2 z_t`:
    what is known of z_s where z_t and x are. Exactly the estimate at level 0.

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
    """Standard deviation of the noise after `ancestral_update` (Ho et al., eq. 7).

    `sqrt(1 - r) b_s / b_t`, the square root of their beta tilde; 0 at level 0.

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
    """The DDIM update (Song et al., eq. 12), without the noise of `eta`.

    `z_s = a_s x + sqrt(b_s^2 - c^2) n` with n the noise that the estimate of x
    leaves of z_t, and c `eta` times `ancestral_noise_scale`, the standard deviation
    of the noise that the caller adds.

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
    """1 - r, without the cancellation between neighbouring levels.

    `a_s^2 - a_t^2 = sin(u - w) sin(u + w)` with the angles u of t and w of s.
    """
    half_pi = math.pi / 2
    difference = ops.sin(half_pi * (levels - next_levels))
    total = ops.sin(half_pi * (levels + next_levels))
    return difference * total / scales(next_levels)[0] ** 2
