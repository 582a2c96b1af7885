"""Formulas of InDI.

All functions are pure and work on tensors of any backend. `times` is a scalar
or a tensor of shape `(batch,)` with values in [0, 1], where 0 is clean and 1
is degraded; it is broadcast over the images' remaining axes. Everything is
computed and returned in float32 (float64 where the images are float64),
whatever the compute dtype.

Reference:
    Delbracio & Milanfar, "Inversion by Direct Iteration: An Alternative to
    Denoising Diffusion for Image Restoration", TMLR 2023, arXiv 2303.11435.
"""

from keras import ops

from keras_indi.annotations import Tensor
from keras_indi.broadcasting import along_batch, as_float

__all__ = [
    "interpolate",
    "perturb",
    "residual_flow",
    "shift_times",
    "update",
    "update_noise_scale",
]


def interpolate(clean: Tensor, degraded: Tensor, times: Tensor) -> Tensor:
    """Return the point at `times` on the straight path from clean to degraded (eq. 1).

    `x_t = (1 - t) x + t y`; exactly `clean` at t = 0, `degraded` at t = 1.

    Args:
        clean: Tensor of shape `(batch, ...)`, x.
        degraded: Tensor of the same shape, y.
        times: Scalar or tensor of shape `(batch,)` in [0, 1].

    Returns:
        Float tensor of the images' shape, x_t.

    Example:

    >>> float(interpolate([[0.0]], [[8.0]], [0.25])[0, 0])
    2.0
    """
    clean, degraded = as_float(clean), as_float(degraded)
    times = along_batch(times, clean)
    return (1.0 - times) * clean + times * degraded


def perturb(images: Tensor, noise: Tensor, noise_scale: Tensor) -> Tensor:
    """Add the noise of the perturbed path: `x_t + t eps_t n`.

    Args:
        images: Tensor of shape `(batch, ...)`, x_t without noise.
        noise: Standard normal tensor of the same shape, n.
        noise_scale: Scalar or tensor of shape `(batch,)`: the standard
            deviation `t eps_t = sqrt(v(t))`, in the images' units.
            `NoiseSchedule.scale(t)` returns it for images in [-1, 1]; times half
            the width of the value range it is that of other images.

    Returns:
        Float tensor of the images' shape.
    """
    images = as_float(images)
    return images + along_batch(noise_scale, images) * as_float(noise)


def update(
    images: Tensor, estimate: Tensor, times: Tensor, next_times: Tensor
) -> Tensor:
    """Return the InDI update from t to s <= t (Proposition 1 and Algorithm 1).

    `x_s = (1 - s/t) F(x_t, t) + (s/t) x_t`, the posterior mean of x_s given
    x_t; exactly the estimate at s = 0 and exactly `images` at s = t.

    Args:
        images: Tensor of shape `(batch, ...)`, x_t.
        estimate: Tensor of the same shape, F(x_t, t), the estimate of x.
        times: Scalar or tensor of shape `(batch,)`, t.
        next_times: Like `times`, s.

    Returns:
        Float tensor of the images' shape, x_s.

    Example: the last step returns the estimate.

    >>> float(update([[8.0]], [[2.0]], 0.5, 0.0)[0, 0])
    2.0
    """
    images, estimate = as_float(images), as_float(estimate)
    ratio = _ratio(along_batch(next_times, images), along_batch(times, images))
    return (1.0 - ratio) * estimate + ratio * images


def update_noise_scale(
    times: Tensor, next_times: Tensor, variance: Tensor, next_variance: Tensor
) -> Tensor:
    """Return the standard deviation of the fresh noise that an update adds.

    `sqrt(v(s) - (s/t)^2 v(t))` with the noise variance `v(t) = t^2 eps_t^2`.
    This is `s sqrt(eps_s^2 - eps_t^2)`, but defined at s = 0 too, and it is
    zero throughout for constant eps.

    Args:
        times: Scalar or tensor of shape `(batch,)`, t.
        next_times: Like `times`, s <= t.
        variance: Like `times`, v(t), in the square of the images' unit.
        next_variance: Like `times`, v(s), in the same unit.

    Returns:
        Float tensor of the arguments' shape, the square root of their unit: for
        variances of `NoiseSchedule.variance` that of images in [-1, 1].
    """
    variance, next_variance = as_float(variance), as_float(next_variance)
    times = ops.cast(times, variance.dtype)
    ratio = _ratio(ops.cast(next_times, variance.dtype), times)
    fresh = next_variance - ratio * ratio * variance
    # The roundings of v(t), v(s) and s/t add up to 6e-7 of v(s) in float32: a
    # smaller difference is theirs, not noise.
    resolved = fresh > 1e-6 * next_variance
    return ops.where(resolved, ops.sqrt(ops.where(resolved, fresh, 1.0)), 0.0)


def residual_flow(images: Tensor, estimate: Tensor, times: Tensor) -> Tensor:
    """Return the flow that the iteration follows in small steps: `dx_t/dt`.

    `dx_t/dt = (x_t - F(x_t, t)) / t`, the limit of the update for s -> t. It
    is the probability-flow equation of EDM (Karras et al. 2022, eq. 3) with
    `sigma(t) = t`. At t = 0, where the quotient is undefined, it is 0.

    Args:
        images: Tensor of shape `(batch, ...)`, x_t.
        estimate: Tensor of the same shape, F(x_t, t).
        times: Scalar or tensor of shape `(batch,)`, t.

    Returns:
        Float tensor of the images' shape, in image units per unit of t.
    """
    images, estimate = as_float(images), as_float(estimate)
    times = along_batch(times, images)
    positive = times > 0
    return ops.where(
        positive, (images - estimate) / ops.where(positive, times, 1.0), 0.0
    )


def shift_times(times: Tensor, time_shift: float) -> Tensor:
    """Return the shifted times at which the network is evaluated: `min(1, k t)`.

    A network trained on true states trusts its own states too much, because these
    contain its earlier errors. k > 1 allows for them. k = 1 is exactly the identity,
    and is right for the exact posterior mean.

    Args:
        times: Scalar or tensor of shape `(batch,)` in [0, 1], t.
        time_shift: Scalar, k > 0.

    Returns:
        Float tensor of the times' shape.

    Example:

    >>> float(shift_times(0.5, 1.5))
    0.75

    References:
        Li et al., "Alleviating Exposure Bias in Diffusion Models through Sampling
        with Shifted Time Steps", ICLR 2024, arXiv 2305.15583, shift the time;
        Ning et al., "Elucidating the Exposure Bias in Diffusion Models", ICLR 2024,
        arXiv 2308.15321, scale the network's output. Both for DDPM.
    """
    times = as_float(times)
    return ops.minimum(ops.cast(time_shift, times.dtype) * times, 1.0)


def _ratio(next_times, times):
    """s / t, and 1 where both are 0: a clean state stays."""
    positive = times > 0
    return ops.where(positive, next_times / ops.where(positive, times, 1.0), 1.0)
