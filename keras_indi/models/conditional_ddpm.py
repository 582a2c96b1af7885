"""The paper's baseline: denoising diffusion conditioned on the degraded image."""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import keras
import numpy as np
from keras import ops

from keras_indi import diffusion_process, samplers
from keras_indi.inference.trajectory import Trajectory
from keras_indi.models import checks
from keras_indi.models.restorer import Restorer
from keras_indi.schedules import diffusion_schedule as diffusion_schedules
from keras_indi.schedules.diffusion_schedule import DiffusionSchedule
from keras_indi.schedules.time_distribution import UniformTime


@keras.saving.register_keras_serializable(package="keras_indi")
class ConditionalDDPM(Restorer):
    """Conditional denoising diffusion: restore by removing noise in small steps.

    Trained on pairs of a clean image x and a degraded image y, the network estimates
    the noise n in `z = a x + b n`, given y. `restore` starts from pure noise and draws
    samples of x given y. The paper compares InDI with this baseline, with the same
    backbone. Training, saving, tiled restoration and evaluation work as for `InDI`.

    Args:
        backbone: Keras model or layer that estimates n: a
            `keras_indi.models.UNetBackbone` with `condition_on_degraded=True`, or your
            own. It is called with a dict of `"images"`, z of shape `(batch, height,
            width, channels)`; `"degraded"`, y of the same shape, scaled from
            `value_range` to [-1, 1] like x in z; and `"times"`, the noise level of
            shape `(batch,)`. It returns a tensor of the images' shape. The noise level
            is `2 / pi * arccos(a)`: 0 for a clean z, near 1 for pure noise. It is a
            one-to-one function of `a` (the square root of alpha bar), the input of
            SR3's network.
        noise_schedule: a(t), a `DiffusionSchedule`, its config, or `"linear"` (Ho et
            al.), `"cosine"` (Nichol & Dhariwal) or `"continuous"` (Song et al.).
            Training draws t uniformly, so a also falls between the schedule's steps, as
            in SR3. Defaults to `"linear"`.
        value_range: Pair of numbers, the smallest and the largest value of the images.
            Estimates of x are clipped to it in each step. `None` is for unbounded data
            with a spread of about 1, which is not scaled. Defaults to `(0, 255)`.
        seed: Int, fixes the draws of training and the default draws of `restore`.
            Defaults to `None`, a new seed.
        restore_defaults: Dict with any of `num_steps`, `sampler` and `time_grid`.
            Defaults to 100 steps of `"ancestral"` on the `"uniform"` grid, whose times
            are the schedule's t. `time_shift` can only be 1.
        scale: Int, as for `InDI`. Defaults to 1.
        size_multiple: Int, as for `InDI`. Defaults to `None`, the backbone's.
        receptive_field: Int, as for `InDI`. Defaults to `None`, the backbone's.
        **kwargs: `name` and so on of `keras.Model`.

    Call arguments:
        inputs: A dict of `"images"`, z, `"times"`, the noise level, and `"degraded"`,
            y in `value_range`. (A tensor of images, as Keras passes to build a model,
            is used as z and y at level 1.)

    Returns:
        float32 tensor of the images' shape, the estimate of n.

    Raises:
        ValueError: If an argument is not valid.

    Example:

    ```python
    unet = keras_indi.models.UNetBackbone(base_channels=32, condition_on_degraded=True)
    model = keras_indi.models.ConditionalDDPM(unet, noise_schedule="cosine")
    model.compile()  # AveragedAdam(1e-4), mean squared error of the noise
    model.fit(degraded, clean, batch_size=16, epochs=10)
    draws = model.restore(photograph, num_steps=100, num_samples=4)
    fewer = model.restore(photograph, num_steps=20, sampler="ddim")
    ```

    Reference:
        Delbracio & Milanfar, arXiv 2303.11435, comparison with conditional denoising
        diffusion; Saharia et al. (SR3), arXiv 2104.07636, Algorithms 1 and 2.
    """

    own_restore_defaults = {
        "num_steps": 100,
        "sampler": "ancestral",
        "time_grid": "uniform",
        "time_shift": 1.0,
    }
    default_loss = "mean_squared_error"

    def __init__(
        self,
        backbone: keras.layers.Layer,
        noise_schedule: Any = "linear",
        value_range: Sequence[float] | None = (0, 255),
        seed: int | None = None,
        restore_defaults: dict[str, Any] | None = None,
        scale: int = 1,
        size_multiple: int | None = None,
        receptive_field: int | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.update(size_multiple=size_multiple, receptive_field=receptive_field)
        super().__init__(backbone, value_range, seed, restore_defaults, scale, **kwargs)
        self.noise_schedule = noise_schedule
        if not self.condition_on_degraded:
            raise ValueError(
                "`backbone` must accept the degraded image: "
                "`condition_on_degraded=True` of a `UNetBackbone`. Received: "
                f"backbone={backbone!r}"
            )

    @property
    def noise_schedule(self) -> DiffusionSchedule:
        """a(t), for which training draws t uniformly."""
        return self._noise_schedule

    @noise_schedule.setter
    def noise_schedule(self, noise_schedule: Any) -> None:
        self._noise_schedule = diffusion_schedules.get(noise_schedule)
        self.forget_compiled()

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not isinstance(inputs, dict):
            self.check_shape(inputs.shape)
            first_values = ops.cast(inputs[:, 0, 0, 0], "float32")
            inputs = {
                "images": inputs,
                "times": ops.ones_like(first_values),
                "degraded": inputs,
            }
        checks.check_inputs(inputs, ("images", "times", "degraded"))
        for name in ("images", "degraded"):
            self.check_shape(inputs[name].shape, name)
        shown = self._shown(inputs["images"], inputs["times"], inputs["degraded"])
        noise = self.backbone(shown, training=training)
        checks.check_output(noise.shape, inputs["images"].shape)
        return ops.cast(noise, "float32")

    def _shown(self, images: Any, times: Any, degraded: Any) -> dict[str, Any]:
        """Return the input of the network, in its own units."""
        return {
            "images": ops.cast(images, "float32"),
            "times": ops.cast(times, "float32"),
            "degraded": self._value_range.to_unit(degraded),
        }

    def training_example(
        self, degraded: Any, clean: Any, draw: bool, first: Any = 0
    ) -> tuple[dict[str, Any], Any]:
        """Return the state z of a pair, and the noise n in it."""
        shape = ops.shape(clean)
        if draw:
            times = UniformTime().sample(shape[:1], seed=self.seed_generator)
        else:
            times = UniformTime().grid(shape[0], first)
        noise = self.training_noise(shape, draw, first)
        levels = self.noise_schedule.noise_level(times)
        unit = self._value_range.to_unit(clean)
        images = diffusion_process.diffuse(unit, noise, levels)
        return {"images": images, "times": levels}, noise

    @staticmethod
    def get_sampler(identifier: Any) -> samplers.Sampler:
        return samplers.get_diffusion(identifier)

    @staticmethod
    def get_time_shift(time_shift: float) -> float:
        if time_shift != 1:
            raise ValueError(
                "A `ConditionalDDPM` requires `time_shift=1`: its estimate of the "
                "image also depends on the time. Only `InDI` supports others. "
                "Received: "
                f"time_shift={time_shift!r}"
            )
        return 1.0

    def trajectory(
        self, sampler: samplers.Sampler, times: np.ndarray, time_shift: float
    ) -> Trajectory:
        levels = self.noise_schedule.noise_level(
            ops.convert_to_tensor(times, "float32")
        )
        levels = ops.convert_to_numpy(levels)
        if not np.all(levels[:-1] > 0):  # a step from no noise would divide by 0
            raise ValueError(
                f"At {len(times) - 1} steps the smallest times have no noise in "
                "float32. Use fewer steps, or a grid of more even steps. Received: "
                f"noise_schedule={self.noise_schedule!r}, last step from "
                f"t={float(times[-2]):.3g}"
            )
        noise_scales = [
            sampler.noise_scale(self.noise_schedule, float(level), float(next_level))
            for level, next_level in zip(levels[:-1], levels[1:])
        ]
        return Trajectory(
            sampler,
            levels,
            1.0,
            noise_scales,
            starts_at_degraded=False,
            time_shift=time_shift,
            to_values=self._value_range.from_unit,
        )

    def estimate(
        self,
        images: Any,
        times: Any,
        degraded: Any,
        time_shift: Any = 1.0,
        network: Callable[..., Any] | None = None,
    ) -> Any:
        """Return the estimate of x, in the units of z."""
        asked = self._asked_times(images, times, time_shift)
        network = network or self.backbone
        noise = network(self._shown(images, asked, degraded), training=False)
        checks.check_output(noise.shape, images.shape)
        noise = ops.cast(noise, "float32")
        estimate = diffusion_process.clean_from_noise(images, noise, times)
        if self.value_range is None:
            return estimate
        return ops.clip(estimate, -1.0, 1.0)

    def export(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise a ValueError: the model has no estimate in one step to export."""
        raise ValueError(
            "A ConditionalDDPM starts from noise and has no estimate in one step to "
            "export. Export a whole restoration: keras_indi.export.export_model(model, "
            f"'restorer.onnx', num_steps=20, sampler='ddim'). Received: {self!r}"
        )

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "noise_schedule": serialize(self.noise_schedule),
        }
