"""A student that gives in one step what its teacher gives in several."""

import keras
from keras import ops

from keras_indi import models, process
from keras_indi.schedules import UniformGrid

STEPS = 8  # of the teacher


@keras.saving.register_keras_serializable(package="paper_student")
class Student(models.InDI):
    """InDI whose F(x_1, t) is learned to be where a teacher's steps to t would lead.

    The teacher walks from `x_1 = y + eps n` in uniform steps. Its estimates
    `F(x_t, t)` on the way, from the posterior mean at t = 1 to a sample at its last t,
    are what the student learns from x_1 and t alone. So t is a dial between fidelity
    and realism in one step: `restore(y, num_steps=1, time_shift=t)`.

    The noise must be constant (or none), so that x_1 determines the teacher's walk.

    Args:
        backbone: The student's network, with the teacher's weights.
        estimate: The teacher's method `estimate`, for training; or `None`.
        **kwargs: As for `InDI`.

    Reference:
        Zhu et al., "OFTSR: One-Step Flow for Image Super-Resolution with Tunable
        Fidelity-Realism Trade-offs", arXiv 2412.09465.
    """

    def __init__(self, backbone, estimate=None, **kwargs):
        super().__init__(backbone, **kwargs)
        self._taught_by = estimate  # a method, whose weights are not the student's

    def training_example(self, degraded, clean, draw, first=0):
        count = ops.shape(clean)[0]
        if draw:
            seed = self.seed_generator
            chosen = keras.random.randint((count,), 0, STEPS, seed=seed)
        else:
            chosen = ops.mod(first + ops.arange(count, dtype="int32"), STEPS)
        noise = self.training_noise(ops.shape(clean), draw, first)
        scale = self._value_range.half_width * self.noise_schedule.scale(
            ops.ones((count,))
        )
        start = process.perturb(degraded, noise, scale)
        images, target = start, start
        times = ops.cast(ops.convert_to_tensor(UniformGrid()(STEPS)), "float32")
        for step in range(STEPS):
            now = ops.broadcast_to(times[step], (count,))
            estimate = ops.stop_gradient(self._taught_by(images, now, degraded))
            is_chosen = ops.reshape(chosen == step, (-1, 1, 1, 1))
            target = ops.where(is_chosen, estimate, target)
            following = ops.broadcast_to(times[step + 1], (count,))
            images = process.update(images, estimate, now, following)
        return {"images": start, "times": ops.take(times, chosen)}, target
