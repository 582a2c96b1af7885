"""Base class of samplers."""

import functools
from typing import TYPE_CHECKING, Any

from keras import ops

from keras_indi import process
from keras_indi.annotations import Predict, Tensor
from keras_indi.configurable import Configurable

if TYPE_CHECKING:
    from keras_indi.schedules.noise_schedule import NoiseSchedule


class Sampler(Configurable):
    """Base class of update rules, which move a state from t to s.

    A sampler sees the restorer only as a function `predict(images, times)` that returns
    F(x_t, t). It does not depend on time grids, tiles or progress bars. Apart from
    `predict`, a rule must treat each pixel independently, because large images are
    processed in parts. Then a rule with several estimates runs several times per step,
    each time up to the first estimate that is not known yet.

    For your own sampler, override `step`. A rule with a memory also overrides
    `initial_memory`, and a rule that cannot evaluate F at t = 0 overrides `last_step`.

    Example: a rule of your own, ready to be saved with a model.

    ```python
    import keras
    import keras_indi
    from keras_indi import process

    @keras.saving.register_keras_serializable(package="mine")
    class DampedSampler(keras_indi.samplers.Sampler):
        \"\"\"The InDI step towards an estimate mixed with the last one.\"\"\"

        def __init__(self, damping=0.2):
            self.damping = damping

        def initial_memory(self, images):
            return images

        def step(self, predict, images, times, next_times, memory):
            estimate = predict(images, times)
            mixed = (1 - self.damping) * estimate + self.damping * memory
            images = process.update(images, mixed, times, next_times)
            return images, estimate

    model.restore(degraded, sampler=DampedSampler(0.1))
    model.restore(degraded, sampler="mine>DampedSampler")
    ```
    """

    def initial_memory(self, images: Tensor) -> Any:
        """Return the memory of the rule before its first step.

        Args:
            images: Tensor of shape `(batch, height, width, channels)`, the
                state at t = 1, its noise included.

        Returns:
            A tensor or a (nested) tuple of tensors; `()` for nothing.
        """
        return ()

    def step(
        self,
        predict: Predict,
        images: Tensor,
        times: Tensor,
        next_times: Tensor,
        memory: Any,
    ) -> tuple[Tensor, Any]:
        """Move the state from t to s.

        Args:
            predict: Function of `(images, times)` that returns F(x_t, t).
            images: Tensor of shape `(batch, height, width, channels)`, x_t.
            times: Scalar float32 tensor, t > 0.
            next_times: Scalar float32 tensor, s < t.
            memory: The memory returned by the last step or by `initial_memory`.

        Returns:
            The pair of x_s, without the fresh noise that the caller adds, and
            the new memory.
        """
        raise NotImplementedError

    def last_step(
        self,
        predict: Predict,
        images: Tensor,
        times: Tensor,
        next_times: Tensor,
        memory: Any,
    ) -> tuple[Tensor, Any]:
        """Take the step that ends at s = 0; defaults to `step`."""
        return self.step(predict, images, times, next_times, memory)

    def evaluations(self, num_steps: int) -> int:
        """Return the number of evaluations of F in `num_steps` steps."""
        return num_steps

    def noise_scale(self, noise_schedule: Any, time: float, next_time: float) -> float:
        """Return the standard deviation of the fresh noise after a step from t to s.

        Args:
            noise_schedule: A `NoiseSchedule`.
            time: Float, t.
            next_time: Float, s.

        Returns:
            Float, in the unit of eps, for images in [-1, 1].

        Raises:
            ValueError: If the rule does not support this schedule. By default, a rule
                supports constant eps, for which no step adds noise.
        """
        if not noise_schedule.is_constant:
            raise ValueError(
                f"{type(self).__name__} follows the path of constant eps, on "
                "which no step adds noise. Use `ConstantNoise`, or the sampler "
                f"'indi'. Received: noise_schedule={noise_schedule!r}"
            )
        return 0.0

    @staticmethod
    @functools.lru_cache(maxsize=1024)  # its small operations cost more than a step
    def scale_between(
        noise_schedule: "NoiseSchedule", time: float, next_time: float
    ) -> float:
        """Return `process.update_noise_scale` of a schedule, in the unit of eps."""
        times = ops.convert_to_tensor([time, next_time], "float32")
        variance = noise_schedule.variance(times)
        scale = process.update_noise_scale(times[0], times[1], variance[0], variance[1])
        return float(ops.convert_to_numpy(scale))
