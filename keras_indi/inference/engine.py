"""A sampler's moves as compiled functions."""

from keras_indi import process, samplers
from keras_indi.backend import compiled


def compile_moves(sampler, predict, variables):
    """Compiles what `Trajectory.run` walks with.

    Args:
        sampler: A `Sampler`.
        predict: Pure function of `(images, times, degraded, *extents)`, times a
            scalar, that returns the estimate.
        variables: List of the `keras.Variable` that `predict` reads.

    Returns:
        Pair of functions of `(images, times, next_times, time_shift, memory,
        degraded, *extents)` that return the new images and memory: a step, and the
        step that ends at t = 0.
    """
    step = compiled.compile_function(_bound(sampler.step, predict), variables)
    if type(sampler).last_step is samplers.Sampler.last_step:
        return step, step
    last_step = compiled.compile_function(_bound(sampler.last_step, predict), variables)
    return step, last_step


def _bound(rule, predict):
    """A sampler's rule with the estimate that it asks for."""

    def move(images, times, next_times, time_shift, memory, degraded, *extents):
        def estimate(images, times):
            shifted = process.shift_times(times, time_shift)
            return predict(images, shifted, degraded, *extents)

        return rule(estimate, images, times, next_times, memory)

    return move
