"""Base class of restorers: training on pairs, restoration in steps, presets."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_indi import process
from keras_indi.backend.forks import check_not_forked
from keras_indi.backend.runtimes import check_runtime
from keras_indi.inference import inputs
from keras_indi.inference.engine import Engine
from keras_indi.inference.trajectory import Trajectory
from keras_indi.models import checks, settings
from keras_indi.models.engines import Engines
from keras_indi.models.pair_trainer import PairTrainer
from keras_indi.samplers import Sampler


class Restorer(PairTrainer):
    """Base class of models that restore images in steps with one network.

    A subclass defines the inputs and targets of the network (`training_example`,
    `call`), its sampler and trajectory (`get_sampler`, `get_time_shift`, `trajectory`,
    `estimate`), and the defaults of `restore` (`own_restore_defaults`). All of these
    are public, for training loops of your own.

    Args:
        backbone: Keras model or layer, called with a dict of `"images"`,
            `"times"` and, if it is conditioned on it, `"degraded"`.
        value_range: Pair of numbers, or `None`.
        seed: Int, or `None`.
        restore_defaults: Dict, or `None`.
        scale: Int, the factor by which height and width grow. Defaults to 1.
        **kwargs: `size_multiple`, `receptive_field`, and `name` and so on of
            `keras.Model`.

    Example:

    >>> isinstance(model, keras_indi.models.Restorer)
    True
    >>> restored = model.restore(image, num_steps=4)
    >>> restored.shape == image.shape
    True
    """

    # The defaults of `restore`, unless the model or the caller overrides them.
    own_restore_defaults: dict[str, Any] = {}

    def __init__(
        self,
        backbone: keras.layers.Layer,
        value_range: Sequence[float] | None,
        seed: int | None,
        restore_defaults: dict[str, Any] | None,
        scale: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(backbone, value_range, seed, **kwargs)
        self.scale = scale
        self.restore_defaults = restore_defaults

    # === Defined by a subclass, with `training_example` and `call` ===

    @staticmethod
    def get_sampler(identifier: Any) -> Sampler:
        """Return a sampler of this model from an object, a name or a config."""
        raise NotImplementedError

    @staticmethod
    def get_time_shift(time_shift: float) -> float:
        """Return a time shift as a float; raise a ValueError if it is not valid."""
        return checks.checked_time_shift(time_shift)

    def trajectory(
        self, sampler: Sampler, times: np.ndarray, time_shift: float
    ) -> Trajectory:
        """Return the trajectory of `restore` from t = 1 to 0.

        Args:
            sampler: A `Sampler`.
            times: NumPy array of shape `(num_steps + 1,)`, falling from 1 to 0.
            time_shift: Float, as for `restore`.

        Raises:
            ValueError: If the model does not support the sampler.
        """
        raise NotImplementedError

    def estimate(
        self,
        images: Any,
        times: Any,
        degraded: Any,
        time_shift: Any = 1.0,
        network: Callable[..., Any] | None = None,
    ) -> Any:
        """Return the estimate of x for samplers, at one t for a whole batch.

        Args:
            images: float32 tensor `(batch, height, width, channels)`, x_t.
            times: Scalar float32 tensor, t, or one of shape `(batch,)`.
            degraded: Tensor of the images' shape, y.
            time_shift: Scalar, as for `restore`.
            network: Function to use instead of the backbone. Defaults to `None`.

        Returns:
            float32 tensor of the images' shape, in the units of x_t.
        """
        raise NotImplementedError

    def _asked_times(self, images: Any, times: Any, time_shift: Any) -> Any:
        """Return the shifted times at which the network is evaluated, one per image."""
        times = process.shift_times(times, time_shift)
        return ops.broadcast_to(times, ops.shape(images)[:1])

    @property
    def restore_defaults(self) -> dict[str, Any]:
        """Dict of the default arguments of `restore`."""
        return self._restore_defaults

    @restore_defaults.setter
    def restore_defaults(self, restore_defaults: dict[str, Any] | None) -> None:
        self._restore_defaults = settings.checked_defaults(restore_defaults, self)

    def forget_compiled(self) -> None:
        super().forget_compiled()
        self._engines = Engines(self)

    # === Restoration ===

    def restore(
        self,
        images: Any,
        num_steps: int | None = None,
        sampler: Any = None,
        time_grid: Any = None,
        time_shift: float | None = None,
        num_samples: int | None = None,
        scale: int | None = None,
        seed: int | Sequence[int] | None = None,
        tile_size: int | str | None = "auto",
        tile_overlap: int | None = None,
        max_memory: int | None = None,
        batch_size: int | None = None,
        return_trajectory: bool = False,
        verbose: int | str | Callable[[int, int], Any] = "auto",
        out: Any = None,
        fixed_shapes: bool = False,
        engine: str | None = None,
    ) -> Any:
        """Restore degraded images of any size in steps.

        Args:
            images: One image `(height, width, channels)`, a batch `(batch, height,
                width, channels)` or a list of images of any sizes, integers or floats
                in the `value_range`, which noise may overshoot. An array on disk, such
                as a `numpy.memmap` or a `zarr.Array`, is read by blocks.
            num_steps: Int >= 1. One step of `InDI` is the regression estimate; more
                steps give sharper images. Defaults to the number of steps of
                an explicit `time_grid`, else to that of the model's
                `restore_defaults`.
            sampler: A `Sampler`, its name (for `InDI` `"indi"`, `"naive"`,
                `"cold_diffusion"`, `"heun"`, `"multistep"`, `"dpm_solver"`; for
                `ConditionalDDPM` `"ancestral"`, `"ddim"`) or config. Defaults to
                that of the model's `restore_defaults`.
            time_grid: A `TimeGrid`, its name (`"uniform"`, `"power"`,
                `"cosine"`) or config, or a list of times from 1 to 0. Defaults to
                that of the model's `restore_defaults`, or to `"uniform"` if that is a
                list of another number of steps.
            time_shift: Float k > 0: at t, the network is evaluated at `min(1, k t)`.
                About 1.3 to 1.7 reduces the grain of many steps, because the network
                then allows for its own errors. For the exact posterior mean, 1 (no
                shift) is right. Choose it on validation images with
                `keras_indi.evaluation.trade_off`. `ConditionalDDPM` supports only 1.
                Defaults to that of `restore_defaults`.
            num_samples: Int, number of restorations to draw of each image. Those of
                `InDI` differ if and only if the noise schedule is not zero.
            scale: Int, the factor by which height and width grow: the image is first
                enlarged bilinearly. Defaults to the model's `scale`. Pass 1 for an
                image that is already enlarged.
            seed: Int, fixes the noise of each image by its index, on every backend and
                for any `batch_size`; or a sequence of ints, one per image, which gives
                each image the same noise as if restored by itself. Defaults to the
                next of the model's own seeds.
            tile_size: `"auto"` restores whole images if they fit in `max_memory`, and
                otherwise runs each step on the largest tiles that fit, with the same
                result. An int always uses tiles of this height and width. `None`, like
                a model without `receptive_field`, always uses whole images.
            tile_overlap: Int, number of pixels shared by neighbouring tiles. Less than
                the `receptive_field` is faster but NOT exact: tiles are blended near
                the seams. Defaults to the overlap of exact tiles.
            max_memory: Int, maximum bytes of main memory, and of the accelerator's
                memory, for a restoration, besides the input and output images. States
                that do not fit are written to temporary files (in the folder of the
                environment variable `TMPDIR`). Defaults to half of the free memory.
            batch_size: Int, number of images restored at a time, if they fit in
                `max_memory`. Defaults to about one megapixel per device; with
                `fixed_shapes` to at most 16 images. The devices of the active
                `keras.distribution`, or of the `tf.distribute` strategy under which the
                model was built, share each batch, which is filled up if necessary.
            return_trajectory: Bool, whether to return all states, not just the last.
            verbose: `"auto"` shows a progress bar if the work takes longer than some
                seconds, `1` always, `0` never; or a function `(done, total)`.
            out: Array-like for the restoration, of the result's shape and the image's
                dtype, written by blocks. Defaults to a new array.
            fixed_shapes: Bool, whether array shapes depend only on an image's size;
                batches are filled up. With one seed per image, its result is then the
                same bytes in any process on machines of one kind, so work can be
                divided and repeated. Requires `max_memory`. Defaults to `False`.
            engine: `"openvino"` or `"onnxruntime"` computes the network of a
                `UNetBackbone` on the CPU instead of the backend. Float32 results are
                equal within 1e-4 of the value range. OpenVINO also supports a model
                loaded in bfloat16. Defaults to `None`, the backend.

        Returns:
            `out`, if given; else a NumPy array, or list of arrays, of the input's
            structure, dtype and range, with height and width times `scale`.
            `num_samples` adds a leading axis to each array (to each image of a list).
            `return_trajectory` adds a leading axis of the `num_steps + 1` states from
            t = 1 to 0 before that, as float32, neither clipped nor rounded.

        Raises:
            ValueError: If the images do not match the model, or an argument is
                not valid.
            ImportError: If a package required by `engine` is not installed.
            OSError: If states are written to disk, and the disk is full.
            RuntimeError: In a process forked from one that has built a model, where
                backends hang; use `multiprocessing.get_context("spawn")`.

        Example:

        ```python
        restored = model.restore(photograph, num_steps=20)
        draws = model.restore(photograph, num_samples=8, seed=0)  # (8, H, W, 3)
        ```

        Reference:
            The time shift: see `keras_indi.process.shift_times`.
        """
        check_not_forked()
        if engine is not None:
            check_runtime(engine)
        listed, structure = inputs.normalize_inputs(
            images,
            self.value_range,
            self.image_channels,
            checks.checked_scale(scale, self.scale),
        )
        checks.check_restoration(
            num_samples, batch_size, max_memory, tile_size, tile_overlap, fixed_shapes
        )
        alone = structure == "image" and num_samples is None and not return_trajectory
        inputs.check_out(out, listed[0], alone)
        if seed is None:
            seed = int(self._restore_seeds.integers(2**31))
        seeds = inputs.normalize_seeds(seed, len(listed))
        if not (self.built and self.backbone.built):
            self.build((1, *listed[0].shape))
        channels = listed[0].shape[-1]
        plan = self.engine.plan(tile_size, tile_overlap, max_memory, channels)
        setting = self.setting(num_steps, sampler, time_grid, time_shift)
        trajectory = self.trajectory(*setting)
        results = self._engines.get(engine).restore(
            listed,
            trajectory,
            plan,
            num_samples or 1,
            seeds,
            batch_size,
            return_trajectory,
            verbose,
            out,
            fixed_shapes,
        )
        return inputs.normalize_outputs(
            results, structure, num_samples, return_trajectory
        )

    @property
    def engine(self) -> Engine:
        """The backend's `Engine`, with its compiled functions."""
        return self._engines.get()

    def evaluations(
        self,
        num_steps: int | None = None,
        sampler: Any = None,
        time_grid: Any = None,
        time_shift: float | None = None,
    ) -> int:
        """Return the number of network evaluations per image of a restoration.

        Args:
            num_steps: As for `restore`.
            sampler: As for `restore`.
            time_grid: As for `restore`.
            time_shift: As for `restore`; it does not change the number.

        Returns:
            Int.

        Raises:
            ValueError: If an argument is not valid, or not compatible with the others
                or the model.

        Example:

        >>> model.evaluations(8, "heun")
        15
        """
        setting = self.setting(num_steps, sampler, time_grid, time_shift)
        return self.trajectory(*setting).num_evaluations

    def setting(
        self,
        num_steps: int | None = None,
        sampler: Any = None,
        time_grid: Any = None,
        time_shift: float | None = None,
    ) -> tuple[Sampler, np.ndarray, float]:
        """Return the sampler, times and time shift from arguments and defaults.

        Args:
            num_steps: As for `restore`.
            sampler: As for `restore`.
            time_grid: As for `restore`.
            time_shift: As for `restore`.

        Returns:
            Tuple of the arguments of `trajectory`.

        Raises:
            ValueError: If an argument is not valid.
        """
        return settings.chosen(self, num_steps, sampler, time_grid, time_shift)

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        defaults = self.restore_defaults.items()
        return {
            **super().get_config(),
            "restore_defaults": {key: serialize(value) for key, value in defaults},
            "scale": self.scale,
        }
