"""The restorer: trained on pairs, it restores in as many steps as asked for."""

import keras
from keras import ops

from keras_indi import process, samplers
from keras_indi.inference.walk import Walk
from keras_indi.models import checks
from keras_indi.models.restorer import Restorer
from keras_indi.schedules import noise_schedule as noise_schedules
from keras_indi.schedules import time_distribution as time_distributions


@keras.saving.register_keras_serializable(package="keras_indi")
class InDI(Restorer):
    """Inversion by Direct Iteration: restores images in small steps.

    Trained on pairs of a clean image x and a degraded one y, the model
    estimates x from any point `x_t = (1 - t) x + t y + t eps_t n` between them.
    `restore` walks from t = 1 to t = 0 on these estimates. One step is the
    regression with the best PSNR; more steps give up some of it for sharper,
    more natural images.

    Args:
        backbone: Keras model or layer that estimates x: called with a dict of
            `"images"`, x_t of shape `(batch, height, width, channels)` scaled
            from `value_range` to [-1, 1], and `"times"`, t of shape
            `(batch,)`, it returns a tensor of the images' shape. Where it has
            `condition_on_degraded=True`, or is a functional model with an input
            of that name, the dict also holds `"degraded"`, y. A
            `keras_indi.models.UNetBackbone` or one of your own.
        time_distribution: p(t), a `TimeDistribution`, its name or config.
            Defaults to `"uniform"`.
        noise_schedule: eps_t, a `NoiseSchedule`, its name or config, or a
            number for a constant one, as a fraction of the value range.
            Defaults to 0, no noise.
        value_range: Pair of numbers, the smallest and the largest value of the
            images, in which all images enter and leave; or `None` for
            unbounded data, which reaches the backbone unscaled. Defaults to
            `(0, 255)`.
        seed: Int, fixes training's draws and the default draws of `restore`.
            Defaults to `None`, a new seed.
        restore_defaults: Dict of `num_steps`, `sampler`, `time_grid` and `time_shift`,
            or some of them: what `restore` uses where it is given none. Saved with
            the model; a preset's are those its maker recommends. Defaults to 10 steps
            of `"indi"` on the `"uniform"` grid with the time shift 1, no shift.
        **kwargs: `name` and so on of `keras.Model`.

    Call arguments:
        inputs: A batch of degraded images `(batch, height, width, channels)`,
            or a dict of `"images"`, x_t, `"times"`, t of shape `(batch,)`, and
            `"degraded"`, y, where the backbone takes it.

    Returns:
        float32 tensor of the images' shape, the estimate of x, in
        `value_range`: F(y, 1) for images alone, F(x_t, t) for a dict.

    Raises:
        ValueError: If an argument is not valid.

    Example:

    ```python
    unet = keras_indi.models.UNetBackbone(base_channels=32)
    model = keras_indi.models.InDI(unet, noise_schedule=0.01)
    model.compile()
    model.fit(degraded, clean, batch_size=16, epochs=10)
    restored = model.restore(photograph, num_steps=10)
    model.save("restorer.keras")
    ```

    Reference:
        Delbracio & Milanfar, "Inversion by Direct Iteration", TMLR 2023,
        arXiv 2303.11435: Algorithm 1 is `restore`, eq. 1 and the noise
        perturbation what `train_step` prepares.
    """

    captured = {
        **Restorer.captured,
        "time_distribution": time_distributions.get,
        "noise_schedule": noise_schedules.get,
    }
    own_restore_defaults = {
        "num_steps": 10,
        "sampler": "indi",
        "time_grid": "uniform",
        "time_shift": 1.0,
    }

    def __init__(
        self,
        backbone,
        time_distribution="uniform",
        noise_schedule=0.0,
        value_range=(0, 255),
        seed=None,
        restore_defaults=None,
        **kwargs,
    ):
        super().__init__(backbone, value_range, seed, restore_defaults, **kwargs)
        self.time_distribution = time_distribution
        self.noise_schedule = noise_schedule

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name == "noise_schedule":
            self._is_noisy = not self.noise_schedule.is_zero

    def call(self, inputs, training=False):
        if not isinstance(inputs, dict):
            self._check_shape(inputs.shape)
            first_values = ops.cast(inputs[:, 0, 0, 0], "float32")
            inputs = {
                "images": inputs,
                "times": ops.ones_like(first_values),
                "degraded": inputs,
            }
        names = ["images", "degraded"] if self.condition_on_degraded else ["images"]
        checks.check_inputs(inputs, [*names, "times"])
        for name in names:
            self._check_shape(inputs[name].shape, name)
        arguments = {name: self._to_unit(inputs[name]) for name in names}
        arguments["times"] = ops.cast(inputs["times"], "float32")
        estimate = self.backbone(arguments, training=training)
        checks.check_output(estimate.shape, inputs["images"].shape)
        return self._from_unit(estimate)

    def _training_example(self, degraded, clean, draw):
        """The point x_t on the path of a pair, and x."""
        shape = ops.shape(clean)
        if draw:
            times = self.time_distribution.sample(shape[:1], seed=self.seed_generator)
        else:
            times = self.time_distribution.grid(shape[0])
        images = process.interpolate(clean, degraded, times)
        if self._is_noisy:
            noise = self._training_noise(shape, draw)
            scale = self._noise_unit * self.noise_schedule.scale(times)
            images = process.perturb(images, noise, scale)
        return {"images": images, "times": times}, clean

    @staticmethod
    def _get_sampler(identifier):
        return samplers.get(identifier)

    def _walk(self, sampler, times, time_shift):
        return Walk.from_degraded(
            sampler, times, self.noise_schedule, self._noise_unit, time_shift
        )

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "time_distribution": serialize(self.time_distribution),
            "noise_schedule": serialize(self.noise_schedule),
        }
