"""The base class of samplers: a rule that moves the state from t to s."""

import functools
from typing import TYPE_CHECKING, Any

from keras import ops

from keras_indi import process
from keras_indi.annotations import Predict, Tensor
from keras_indi.configurable import Configurable

if TYPE_CHECKING:
    from keras_indi.schedules.noise_schedule import NoiseSchedule


class Sampler(Configurable):
    """One update rule, which moves states from t to s, independent of the model.

    A sampler sees the restorer only as a function `predict(images, times)`
    that returns F(x_t, t), so that grids, tiles and progress bars need no word
    in it. Apart from `predict`, a rule treats each pixel by itself: large images
    move in parts, and a rule with several estimates runs several times a step, each
    time up to the first that is not known yet. To write one, override `step`; a
    rule with a memory also overrides `initial_memory`, and a rule that cannot
    evaluate F at t = 0 `last_step`.

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
        """What the rule remembers before its first step.

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
            memory: What the last step, or `initial_memory`, returned.

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
        """The step that ends at s = 0; by default the same as the others."""
        return self.step(predict, images, times, next_times, memory)

    def evaluations(self, num_steps: int) -> int:
        """How many times a restoration in `num_steps` steps evaluates F."""
        return num_steps

    def noise_scale(self, noise_schedule: Any, time: float, next_time: float) -> float:
        """Standard deviation of the fresh noise after the step from t to s.

        Args:
            noise_schedule: A `NoiseSchedule`.
            time: Float, t.
            next_time: Float, s.

        Returns:
            Float, in the unit of eps: of images in [-1, 1].

        Raises:
            ValueError: If the rule does not hold for this schedule. By
                default a rule holds for constant eps, where no step adds
                noise.
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
        """`process.update_noise_scale` of a schedule, as a float in the unit of eps."""
        times = ops.convert_to_tensor([time, next_time], "float32")
        variance = noise_schedule.variance(times)
        scale = process.update_noise_scale(times[0], times[1], variance[0], variance[1])
        return float(ops.convert_to_numpy(scale))
