"""Inversion by Direct Iteration (InDI)."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_indi import process, samplers
from keras_indi.annotations import FilePath
from keras_indi.backend.conversion import check_exports
from keras_indi.backend.padding import pad_to_multiple
from keras_indi.inference.trajectory import Trajectory
from keras_indi.models import checks
from keras_indi.models.restorer import Restorer
from keras_indi.schedules import noise_schedule as noise_schedules
from keras_indi.schedules import time_distribution as time_distributions
from keras_indi.schedules.noise_schedule import NoiseSchedule
from keras_indi.schedules.time_distribution import TimeDistribution
from keras_indi.validation import checked_choice


@keras.saving.register_keras_serializable(package="keras_indi")
class InDI(Restorer):
    """Inversion by Direct Iteration: restore images in small steps.

    Trained on pairs of a clean image x and a degraded image y, the model estimates x
    from any point `x_t = (1 - t) x + t y + t eps_t n` between them. `restore` uses
    these estimates to move from t = 1 to t = 0. One step is a regression and has the
    best PSNR. More steps trade some PSNR for sharper, more natural images.

    Args:
        backbone: Keras model or layer that estimates x: a
            `keras_indi.models.UNetBackbone` or your own. It is called with a dict of
            `"images"`, x_t of shape `(batch, height, width, channels)` scaled from
            `value_range` to [-1, 1], and `"times"`, t of shape `(batch,)`. It returns a
            tensor of the images' shape. The dict also holds `"degraded"`, y, if the
            backbone has `condition_on_degraded=True` or is a functional model with an
            input `"degraded"`.
        time_distribution: p(t), a `TimeDistribution`, its name or config.
            Defaults to `"uniform"`.
        noise_schedule: eps_t, a `NoiseSchedule`, its name or config, or a
            number for a constant one. Its unit is the paper's, of images in
            [-1, 1]: 0.01 is 1.275 grey levels of 255. Defaults to 0, no noise.
        value_range: Pair of numbers, the smallest and the largest value of all input
            and output images; or `None` for unbounded data, which is not scaled.
            Defaults to `(0, 255)`.
        seed: Int, fixes the draws of training and the default draws of `restore`.
            Defaults to `None`, a new seed.
        restore_defaults: Dict with any of `num_steps`, `sampler`, `time_grid` and
            `time_shift`, the default arguments of `restore`. They are saved with the
            model; those of a preset are recommended by its author. Defaults to 10 steps
            of `"indi"` on the `"uniform"` grid with a time shift of 1, no shift.
        own_states: Float in [0, 1], the share of training draws in which x_t is one
            of the model's own states instead of a true one. Defaults to 0. See
            below.
        scale: Int, the factor of a super-resolution model, by which clean images are
            larger in height and width. `restore` first enlarges each image bilinearly.
            Training does so for degraded images that are smaller than the clean ones.
            The backbone sees images of the clean size. Defaults to 1.
        size_multiple: Int, the backbone requires heights and widths that are multiples
            of this; other images are padded. Defaults to `None`, the attribute of the
            backbone, or 1.
        receptive_field: Int, side in pixels of the window that an output of the
            backbone depends on. It allows large images to be restored in tiles.
            Defaults to `None`, the attribute of the backbone, or unknown.
        **kwargs: `name` and so on of `keras.Model`.

    Call arguments:
        inputs: A batch of degraded images `(batch, height, width, channels)` of any
            size, or a dict of `"images"`, x_t, `"times"`, t of shape `(batch,)`, and
            `"degraded"`, y, if it is an input of the backbone.

    Returns:
        float32 tensor of the images' shape, the estimate of x, in
        `value_range`: F(y, 1) for a tensor of images, F(x_t, t) for a dict.

    Raises:
        ValueError: If an argument is not valid.

    The degraded image as an input: the paper's network sees x_t and t. One that sees y
    too can compute x from x_t and y for every t < 1, unless there is noise on the
    path, and learns that instead of restoring. So `fit` warns if eps_t is below 0.1. A
    small network that removed noise of sigma 25 after 2,000 batches had 28.2 dB in one
    step without y, and 27.2 dB with y and eps 0.01.

    Training on own states: during `restore`, the network sees states that contain its
    own errors, which never occur in training (exposure bias). With `own_states`, x_t is
    computed from a true x_t', t' uniform in (t, 1), by one step of `restore` with the
    network's own estimate. No gradient flows through that step, and evaluation uses
    only true states. It costs one more forward pass per batch.

    Use about 0.75 for the last 10 to 20 % of a training, or for fine-tuning. In a
    trained denoiser, 150 such batches improved 16 steps from 27.77 dB and LPIPS 0.0987
    to 28.50 and 0.0865, and 4 steps from 28.77 and 0.0778 to 29.32 and 0.0770. One step
    did not change, and 263 batches without own states had no effect. Choose when to
    stop by the LPIPS of validation images. The best estimate from an own state is that
    of x_t', so a long training of this kind pulls every step towards the mean.

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
        perturbation are in `train_step`. On exposure bias, and another remedy in
        training: Ning et al., "Input Perturbation Reduces Exposure Bias in
        Diffusion Models", ICML 2023, arXiv 2301.11706.
    """

    # Saved with the model; files of version 0.1 have none (`updated_config`).
    noise_unit = noise_schedules.UNIT
    own_restore_defaults = {
        "num_steps": 10,
        "sampler": "indi",
        "time_grid": "uniform",
        "time_shift": 1.0,
    }

    def __init__(
        self,
        backbone: keras.layers.Layer,
        time_distribution: Any = "uniform",
        noise_schedule: Any = 0.0,
        value_range: Sequence[float] | None = (0, 255),
        seed: int | None = None,
        restore_defaults: dict[str, Any] | None = None,
        own_states: float = 0.0,
        scale: int = 1,
        size_multiple: int | None = None,
        receptive_field: int | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.update(size_multiple=size_multiple, receptive_field=receptive_field)
        super().__init__(backbone, value_range, seed, restore_defaults, scale, **kwargs)
        self.time_distribution = time_distribution
        self.noise_schedule = noise_schedule
        self.own_states = own_states

    @property
    def time_distribution(self) -> TimeDistribution:
        """p(t), from which training draws t."""
        return self._time_distribution

    @time_distribution.setter
    def time_distribution(self, time_distribution: Any) -> None:
        self._time_distribution = time_distributions.get(time_distribution)
        self.forget_compiled()

    @property
    def noise_schedule(self) -> NoiseSchedule:
        """eps_t, for images in [-1, 1]."""
        return self._noise_schedule

    @noise_schedule.setter
    def noise_schedule(self, noise_schedule: Any) -> None:
        self._noise_schedule = noise_schedules.get(noise_schedule)
        self._is_noisy = not self._noise_schedule.is_zero
        self._adds_noise = not self._noise_schedule.is_constant
        self.forget_compiled()

    @property
    def own_states(self) -> float:
        """The share of training draws that are the model's own states."""
        return self._own_states

    @own_states.setter
    def own_states(self, own_states: float) -> None:
        self._own_states = checks.checked_own_states(own_states)
        self.forget_compiled()

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not isinstance(inputs, dict):
            self.check_channels(inputs.shape)
            padded = pad_to_multiple(inputs, self.size_multiple)
            first_values = ops.cast(padded[:, 0, 0, 0], "float32")
            times = ops.ones_like(first_values)
            padded = {"images": padded, "times": times, "degraded": padded}
            height, width = ops.shape(inputs)[1:3]
            return self.call(padded, training)[:, :height, :width]
        names = ["images", "degraded"] if self.condition_on_degraded else ["images"]
        checks.check_inputs(inputs, [*names, "times"])
        for name in names:
            self.check_shape(inputs[name].shape, name)
        shown = self._shown(inputs["images"], inputs["times"], inputs.get("degraded"))
        estimate = self.backbone(shown, training=training)
        checks.check_output(estimate.shape, inputs["images"].shape)
        return self._value_range.from_unit(estimate)

    def _warn_before_fit(self) -> None:
        if self.condition_on_degraded and self.value_range is not None:
            checks.warn_of_known_target(self.noise_schedule)

    def estimate(
        self,
        images: Any,
        times: Any,
        degraded: Any,
        time_shift: Any = 1.0,
        network: Callable[..., Any] | None = None,
    ) -> Any:
        times = self._asked_times(images, times, time_shift)
        network = network or self.backbone
        estimate = network(self._shown(images, times, degraded), training=False)
        checks.check_output(estimate.shape, images.shape)
        return self._value_range.from_unit(estimate)

    def _shown(self, images: Any, times: Any, degraded: Any) -> dict[str, Any]:
        """Return the input of the network, in its own units."""
        shown = {
            "images": self._value_range.to_unit(images),
            "times": ops.cast(times, "float32"),
        }
        if self.condition_on_degraded:
            shown["degraded"] = self._value_range.to_unit(degraded)
        return shown

    def training_example(
        self, degraded: Any, clean: Any, draw: bool, first: Any = 0
    ) -> tuple[dict[str, Any], Any]:
        """Return a state x_t of a pair, and x."""
        shape = ops.shape(clean)
        if draw:
            times = self.time_distribution.sample(shape[:1], seed=self.seed_generator)
        else:
            times = self.time_distribution.grid(shape[0], first)
        if draw and self.own_states:
            images = self._own_state(degraded, clean, times)
        else:
            images = self._true_state(degraded, clean, times, draw, first)
        return {"images": images, "times": times}, clean

    def _true_state(
        self, degraded: Any, clean: Any, times: Any, draw: bool, first: Any = 0
    ) -> Any:
        """Return the point x_t on the path of a pair."""
        images = process.interpolate(clean, degraded, times)
        if self._is_noisy:
            noise = self.training_noise(ops.shape(clean), draw, first)
            scale = self._value_range.half_width * self.noise_schedule.scale(times)
            images = process.perturb(images, noise, scale)
        return images

    def _own_state(self, degraded: Any, clean: Any, times: Any) -> Any:
        """Return x_t after a model step from a true x_t', in a share of the draws."""
        shape = ops.shape(times)
        chosen = keras.random.uniform(shape, seed=self.seed_generator) < self.own_states
        part = keras.random.uniform(shape, seed=self.seed_generator)
        # The other draws take a step from t to t, which keeps the true state.
        starts = ops.where(chosen, times + (1.0 - times) * part, times)
        images = self._true_state(degraded, clean, starts, draw=True)
        estimate = ops.stop_gradient(self.estimate(images, starts, degraded))
        images = process.update(images, estimate, starts, times)
        if self._adds_noise:
            variances = map(self.noise_schedule.variance, (starts, times))
            scale = process.update_noise_scale(starts, times, *variances)
            noise = self.training_noise(ops.shape(clean), draw=True)
            images = process.perturb(
                images, noise, self._value_range.half_width * scale
            )
        return images

    @staticmethod
    def get_sampler(identifier: Any) -> samplers.Sampler:
        return samplers.get(identifier)

    def trajectory(
        self, sampler: samplers.Sampler, times: np.ndarray, time_shift: float
    ) -> Trajectory:
        return Trajectory.from_degraded(
            sampler,
            times,
            self.noise_schedule,
            self._value_range.half_width,
            time_shift,
        )

    def export(
        self,
        filepath: FilePath,
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Export `model(y)`, the estimate in one step, for programs without Keras.

        Requires the TensorFlow backend. Batch, height and width are dynamic.

        Args:
            filepath: Path of the output; for a SavedModel, a folder.
            format: As for `keras.Model.export`. Defaults to `"tf_saved_model"`.
            verbose: Bool, or `None`, as for `keras.Model.export`.
            input_signature: List with a `keras.InputSpec` of the images. Defaults to
                `None`, float32 of any batch, height and width.
            **kwargs: Further arguments of `keras.Model.export`.

        Raises:
            RuntimeError: If the backend is not TensorFlow.
            ValueError: If the backbone has no weights yet, or its number of channels is
                not known.

        Example:

        ```python
        model.export("restorer")
        exported = tf.saved_model.load("restorer")
        estimate = exported.serve(photographs)  # float32 (batch, height, width, 3)
        ```
        """
        check_exports()
        if input_signature is None:
            channels = checks.known_channels(self.backbone)
            shape = (None, None, None, channels)
            input_signature = [keras.InputSpec("float32", shape, name="images")]
        super().export(filepath, format, verbose, input_signature, **kwargs)

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "time_distribution": serialize(self.time_distribution),
            "noise_schedule": serialize(self.noise_schedule),
            "noise_unit": self.noise_unit,
            "own_states": self.own_states,
        }

    @classmethod
    def updated_config(cls, config: dict[str, Any]) -> dict[str, Any]:
        config = dict(config)
        if "noise_schedule" in config and "noise_unit" not in config:
            schedule = noise_schedules.get(config["noise_schedule"])
            # Without a range, eps was in the units of the data, as it is today.
            if config.get("value_range", (0, 255)) is not None:
                schedule = noise_schedules.from_value_range(schedule)
            config["noise_schedule"] = keras.saving.serialize_keras_object(schedule)
        unit = config.setdefault("noise_unit", cls.noise_unit)
        checked_choice("noise_unit", unit, (cls.noise_unit,))
        return config

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict | None = None
    ) -> "InDI":
        config = cls.updated_config(config)
        del config["noise_unit"]
        return super().from_config(config, custom_objects)
