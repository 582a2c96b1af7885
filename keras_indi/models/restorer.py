"""What all restorers share: training on pairs, restoration in steps, presets."""

import functools
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_indi.backend import compiled
from keras_indi.inference import batching, engine, memory
from keras_indi.inference.inputs import as_list, check_image, check_out
from keras_indi.inference.tile_plan import Shapes, TilePlan
from keras_indi.layers import on_canvas
from keras_indi.models import checks
from keras_indi.models.averaged_adam import AveragedAdam
from keras_indi.models.per_image_loss import PerImageLoss
from keras_indi.presets import PresetModel
from keras_indi.schedules import time_grid as time_grids
from keras_indi.validation import checked_integer


class Restorer(PresetModel, keras.Model):
    """Base class of models that restore images in steps with one network.

    A subclass says what the network is shown and what of it is compared
    (`_training_example`, `call`), which sampler it walks with and how
    (`_get_sampler`, `_walk`), and what `restore` does by default.

    Args:
        backbone: Keras model or layer, called with a dict of `"images"`,
            `"times"` and, where it is conditioned on it, `"degraded"`.
        value_range: Pair of numbers, or `None`.
        seed: Int, or `None`.
        restore_defaults: Dict, or `None`.
        **kwargs: `name` and so on of `keras.Model`.
    """

    # What compiled functions capture, each with what checks a new value.
    captured = {
        "backbone": checks.checked_backbone,
        "value_range": checks.checked_value_range,
    }
    # What `restore` does unless the model or the caller says otherwise.
    own_restore_defaults: dict[str, Any] = {}
    # The loss of `compile`, unless another is given.
    default_loss = "mean_absolute_error"

    def __init__(self, backbone, value_range, seed, restore_defaults, **kwargs):
        checks.checked_backbone(backbone)
        # The images stay float32 here; the backbone casts what it computes on.
        super().__init__(dtype=backbone.dtype_policy, autocast=False, **kwargs)
        self.backbone = backbone
        self.value_range = value_range
        self.seed = seed
        self.restore_defaults = restore_defaults
        self.seed_generator = keras.random.SeedGenerator(seed)
        self._restore_seeds = np.random.default_rng(seed)
        # A backbone that has its weights leaves nothing to build.
        self.built = backbone.built

    # === What a subclass says ===

    def _training_example(self, degraded, clean, draw):
        """What the network is shown of a pair, and what it is compared with.

        Args:
            degraded: float32 tensor `(batch, height, width, channels)`.
            clean: float32 tensor of the same shape.
            draw: Bool, whether to draw from the model's seed generator; else a
                fixed grid and fixed noise, so that losses compare.

        Returns:
            Pair of a dict of `"images"` and `"times"`, and the target.
        """
        raise NotImplementedError

    @staticmethod
    def _get_sampler(identifier):
        """A sampler of this model from an object, a name or a config."""
        raise NotImplementedError

    @staticmethod
    def _get_time_shift(time_shift):
        """A time shift of this model as a float."""
        return checks.checked_time_shift(time_shift)

    def _walk(self, sampler, times, time_shift):
        """The `Trajectory` of a sampler on falling times from 1 to 0."""
        raise NotImplementedError

    def _values(self, states):
        """A NumPy array of a walk's states in units of the value range."""
        return states

    # === What a user sets ===

    def __setattr__(self, name, value):
        if name in self.captured:
            value = self.captured[name](value)
        if name == "restore_defaults":
            value = checks.checked_restore_defaults(
                value,
                self.own_restore_defaults,
                self._get_sampler,
                self._get_time_shift,
            )
        if name == "backbone" and hasattr(self, "backbone"):
            # Keras locks the layers of a model that is built, and forgets none.
            self._tracker.unlock()
            self._tracker.untrack(self.backbone)
        super().__setattr__(name, value)
        if name in self.captured:
            # Compiled functions have captured the old value: throw them away.
            # (In __dict__, as Keras tracks what is set as an attribute.)
            self.__dict__["_steps"] = {}
            self.train_function = self.test_function = self.predict_function = None

    @property
    def condition_on_degraded(self):
        """Bool: whether the backbone also takes the degraded image."""
        declared = getattr(self.backbone, "condition_on_degraded", None)
        if declared is None:
            inputs = getattr(self.backbone, "input", None)
            return isinstance(inputs, dict) and "degraded" in inputs
        return bool(declared)

    @property
    def image_channels(self):
        """Int, the images' channels, or `None` where the backbone tells none."""
        return getattr(self.backbone, "image_channels", None)

    # === The estimate ===

    def build(self, input_shape):
        if not self.backbone.built:
            shape = input_shape
            if isinstance(input_shape, dict):
                shape = input_shape["images"]
            self._build_backbone(shape)
        self.built = True

    def _build_backbone(self, shape):
        """Lets the backbone make its variables, by a call without values."""
        images = keras.KerasTensor(shape, dtype="float32")
        inputs = {
            "images": images,
            "times": keras.KerasTensor(shape[:1], dtype="float32"),
            "degraded": images,
        }
        if not self.condition_on_degraded:
            del inputs["degraded"]
        self.backbone(inputs)

    def compute_output_shape(self, input_shape):
        if isinstance(input_shape, dict):
            input_shape = input_shape["images"]
        return tuple(input_shape)

    # === Units ===

    def _to_unit(self, images):
        images = ops.cast(images, "float32")
        if self.value_range is None:
            return images
        low, high = self.value_range
        return (images - low) * (2.0 / (high - low)) - 1.0

    def _from_unit(self, images):
        images = ops.cast(images, "float32")
        if self.value_range is None:
            return images
        low, high = self.value_range
        return (images + 1.0) * (0.5 * (high - low)) + low

    @property
    def _noise_unit(self):
        """The width of the value range, 1 where there is none."""
        if self.value_range is None:
            return 1.0
        return self.value_range[1] - self.value_range[0]

    # === Training ===

    def compile(self, optimizer=None, loss=None, *, jit_compile="auto", **kwargs):
        """Configures training, by default as in the model's paper.

        Args:
            optimizer: Keras optimizer or its name. Defaults to `AveragedAdam`:
                Adam(1e-4) with EMA 0.9999.
            loss: Keras loss, its name or a function, whose mean over each image
                is taken: of `InDI` in units of `value_range`, of
                `ConditionalDDPM` in those of standard normal noise. Defaults to
                mean absolute error, for `ConditionalDDPM` mean squared error.
            jit_compile: Bool or `"auto"`: Keras's choice, but never XLA on a
                CPU with TensorFlow, where it is slower.
            **kwargs: `metrics`, `steps_per_execution` and so on of
                `keras.Model.compile`. Metrics compare what the loss compares.
        """
        if loss is None:
            loss = self.default_loss
        if not isinstance(loss, PerImageLoss):
            loss = PerImageLoss(loss)
        if jit_compile == "auto":
            jit_compile = compiled.default_jit_compile()
        super().compile(
            optimizer=AveragedAdam() if optimizer is None else optimizer,
            loss=loss,
            jit_compile=jit_compile,
            **kwargs,
        )

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.backbone.built:
            self.optimizer.build(self.trainable_variables)

    def fit(self, x=None, y=None, **kwargs):
        """Trains on pairs; see `keras.Model.fit`.

        Args:
            x: Degraded images as an array, with `y`; or any Keras data source of
                `(degraded, clean)` or `(degraded, clean, sample_weight)`
                batches: `tf.data`, `PyDataset`, PyTorch `DataLoader`, Grain.
                All in the model's `value_range`, which noise on degraded images
                may overshoot.
            y: Clean images, of the degraded images' shape.
            **kwargs: Further arguments of `keras.Model.fit`.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            ValueError: If the arrays, or the data source's first batch, do not
                suit the model. A one-way iterator is checked for its shapes
                alone, as looking at it would take its first batch away.
        """
        self._check_pairs(x, y)
        _introduce(kwargs.get("callbacks"))
        validation_data = kwargs.get("validation_data")
        if isinstance(validation_data, (tuple, list)):
            self._check_pairs(*validation_data[:2])
        elif validation_data is not None:
            self._check_pairs(validation_data, None)
        history = super().fit(x, y, **kwargs)
        # Keras ends a fit with EMA by giving a weight and its average the same
        # array, which on JAX the next step would donate away from under both.
        for variable in self.trainable_variables:
            variable.assign(ops.copy(variable))
        return history

    def train_step(self, *args):
        return super().train_step(*self._prepared(args, draw=True))

    def test_step(self, *args):
        return super().test_step(*self._prepared(args, draw=False))

    def _prepared(self, args, draw):
        """A step's arguments with the pairs replaced by training examples."""
        *state, data = args
        if not state:
            return (self._example(data, draw),)
        # On JAX the step's state holds the seed generator's; the draws must
        # read it there and leave its new value there. The step's weights are in
        # its state too: read elsewhere, they would be compiled in as constants.
        (state,) = state
        variables = self.non_trainable_variables
        values = zip([*self.trainable_variables, *variables], [*state[0], *state[1]])
        with keras.StatelessScope(state_mapping=values) as scope:
            data = self._example(data, draw)
        values = [scope.get_current_value(variable) for variable in variables]
        return (state[0], values, *state[2:]), data

    def _example(self, data, draw):
        degraded, clean, *weight = checks.unpack_pairs(data)
        self._check_shape(degraded.shape, "degraded")
        checks.check_same_shape(degraded, clean)
        clean = ops.cast(clean, "float32")
        degraded = ops.cast(degraded, "float32")
        inputs, target = self._training_example(degraded, clean, draw)
        if self.condition_on_degraded:
            inputs["degraded"] = degraded
        return (inputs, target, *weight)

    def _training_noise(self, shape, draw):
        """Standard normal noise, drawn or fixed."""
        seed = self.seed_generator if draw else self.seed or 0
        return keras.random.normal(shape, seed=seed)

    # === Restoration ===

    def restore(
        self,
        images,
        num_steps=None,
        sampler=None,
        time_grid=None,
        time_shift=None,
        num_samples=None,
        seed=None,
        tile_size="auto",
        tile_overlap=None,
        max_memory=None,
        batch_size=None,
        return_trajectory=False,
        verbose="auto",
        out=None,
    ):
        """Restores degraded images of any size in steps.

        Args:
            images: One image `(height, width, channels)`, a batch `(batch,
                height, width, channels)` or a list of images of any sizes, in
                the model's `value_range`, which noise may overshoot; integers
                or floats. What has a shape and a dtype and can be sliced, such as
                a `numpy.memmap` or a `zarr.Array`, is read by blocks.
            num_steps: Int >= 1. One step of `InDI` is the regression estimate;
                more steps give sharper images. Defaults to the number of steps of
                an explicit `time_grid`, else to that of the model's
                `restore_defaults`.
            sampler: A `Sampler`, its name (of `InDI` `"indi"`, `"naive"`,
                `"cold_diffusion"`, `"heun"`, `"multistep"`, `"dpm_solver"`; of
                `ConditionalDDPM` `"ancestral"`, `"ddim"`) or config. Defaults to
                that of the model's `restore_defaults`.
            time_grid: A `TimeGrid`, its name (`"uniform"`, `"power"`,
                `"cosine"`) or config, or a list of times from 1 to 0. Defaults to
                that of the model's `restore_defaults`; where that is a list of
                another number of steps, to `"uniform"`.
            time_shift: Float k > 0: at t the network is asked at `min(1, k t)`. It
                corrects what a network does on its own states, whose mistakes it
                takes for the image: k > 1, about 1.3 to 1.7, has it allow for them
                and lessens the grain of many steps. With the exact posterior mean
                1, no shift, is right. A property of the trained network, chosen on
                validation images (`keras_indi.evaluation.trade_off`). Any sampler and
                grid; of `ConditionalDDPM` 1 alone. Defaults to that of the model's
                `restore_defaults`.
            num_samples: Int, how many restorations to draw of each image. Those
                of `InDI` differ exactly where the noise schedule is not zero.
            seed: Int, fixes the noise, on every backend and for any
                `batch_size`. Defaults to the next of the model's own seeds.
            tile_size: `"auto"`, whole images where `max_memory` has room for
                them, and where not, in each step, the network on tiles as large
                as fit, with the same result as whole. An int, always tiles of
                this height and width. `None`, always whole images. Tiles need
                a backbone with a `receptive_field`; others restore whole.
            tile_overlap: Int, how many pixels neighbouring tiles share. Less
                than the `receptive_field` is faster and NOT exact: tiles then
                fade into each other, and the result differs from the whole
                image's near the seams. Defaults to what exact tiles need.
            max_memory: Int, bytes that a restoration may take of the main
                memory, and of the accelerator's, beside the images given and
                returned. States that do not fit lie in temporary files (in the
                folder of the environment variable `TMPDIR`). Defaults to half
                of what is free.
            batch_size: Int, images restored at a time, where `max_memory` has
                room for them. Defaults to about a megapixel's worth.
            return_trajectory: Bool, whether to return all states instead of
                the last.
            verbose: `"auto"`, a progress bar for what takes longer than some
                seconds, `1` at once, `0` never.
            out: Array-like of one image's shape and dtype that takes its
                restoration, written by blocks. Defaults to a new array.

        Returns:
            `out`, where it is given; else a NumPy array, or list of arrays, of
            the input's structure, dtype and range. `num_samples` adds a leading
            axis to each array (to each image of a list). `return_trajectory` adds
            a leading axis of the `num_steps + 1` states from t = 1 to 0 before
            that, as float32, neither clipped nor rounded.

        Raises:
            ValueError: If the images do not suit the model, or an argument is
                not valid.
            OSError: If states lie on disk, and it has no room for them.

        Example:

        ```python
        restored = model.restore(photograph, num_steps=20)
        draws = model.restore(photograph, num_samples=8, seed=0)  # (8, H, W, 3)
        ```

        Reference:
            The time shift: see `keras_indi.process.shift_times`.
        """
        listed = as_list(images)
        for index, image in enumerate(listed):
            name = f"images[{index}]" if isinstance(images, (list, tuple)) else "images"
            check_image(image, self.value_range, self.image_channels, name)
            if isinstance(images, (list, tuple)) and image.ndim != 3:
                raise ValueError(
                    "A list must hold single images of shape (height, width, "
                    f"channels). Received: {name} of shape {image.shape}"
                )
        checked_integer("num_samples", num_samples, optional=True)
        checked_integer("batch_size", batch_size, optional=True)
        checked_integer("max_memory", max_memory, optional=True)
        checks.check_tiles(tile_size, tile_overlap)
        check_out(out, listed, num_samples is None and not return_trajectory)
        checked_integer("seed", seed, least=0, optional=True)
        if seed is None:
            seed = int(self._restore_seeds.integers(2**31))
        plan = self._plan(tile_size, tile_overlap, max_memory, listed[0].shape[-1])
        walk = self._walk(*self._setting(num_steps, sampler, time_grid, time_shift))
        if not self.backbone.built:
            self._build_backbone((1, *listed[0].shape[-3:]))
        batched = listed[0].ndim == 4
        results = batching.restore_images(
            self._network(walk.sampler),
            walk,
            plan,
            list(listed[0]) if batched else listed,
            num_samples=num_samples or 1,
            seed=int(seed),
            batch_size=batch_size,
            keep_states=return_trajectory,
            verbose=verbose,
            to_values=self._values,
            value_range=self.value_range,
            out=out,
        )

        # [image][draw] of ([states,] height, width, channels) to the input's form.
        axis = int(bool(return_trajectory))
        finished = [
            draws[0] if num_samples is None else np.stack(draws, axis)
            for draws in results
        ]
        if batched:
            return np.stack(finished, axis=axis + (num_samples is not None))
        return finished if isinstance(images, (list, tuple)) else finished[0]

    def evaluations(
        self, num_steps=None, sampler=None, time_grid=None, time_shift=None
    ):
        """How often a restoration evaluates the network on an image.

        Args:
            num_steps: As for `restore`.
            sampler: As for `restore`.
            time_grid: As for `restore`.
            time_shift: As for `restore`; it changes no number.

        Returns:
            Int.

        Raises:
            ValueError: If one is not valid, or they do not suit each other or the
                model.

        Example:

        >>> model.evaluations(8, "heun")
        15
        """
        setting = self._setting(num_steps, sampler, time_grid, time_shift)
        return self._walk(*setting).num_evaluations

    def _setting(self, num_steps, sampler, time_grid, time_shift):
        """The sampler, times and time shift that arguments and defaults make."""
        defaults = self.restore_defaults
        if time_shift is None:
            time_shift = defaults["time_shift"]
        sampler = self._get_sampler(defaults["sampler"] if sampler is None else sampler)
        if time_grid is None:
            time_grid = defaults["time_grid"]
            fixed = getattr(time_grid, "num_steps", num_steps)
            if num_steps is not None and num_steps != fixed:
                time_grid = "uniform"
        time_grid = time_grids.get(time_grid)
        if num_steps is None:
            num_steps = getattr(time_grid, "num_steps", defaults["num_steps"])
        return sampler, time_grid(num_steps), self._get_time_shift(time_shift)

    def _plan(self, tile_size, tile_overlap, max_memory, channels):
        """How images go through the network: whole, or in which tiles."""
        reach = getattr(self.backbone, "receptive_field", None)
        if reach is not None:
            reach = (reach - 1) // 2
        elif tile_size not in (None, "auto"):
            raise ValueError(
                "Tiles need a backbone with `receptive_field` and "
                "`size_multiple`, such as `UNetBackbone`. Received: "
                f"backbone={self.backbone!r}"
            )
        needed = memory.bytes_per_pixel(self.backbone)
        budget = memory.Budget(max_memory, needed, channels)
        return TilePlan(budget, reach, self._size_multiple, tile_size, tile_overlap)

    def _network(self, sampler):
        """What restores: functions that are compiled once, when used, and kept."""

        def kept(key, make):
            if key not in self._steps:
                self._steps[key] = make()
            return self._steps[key]

        def steps(on_canvas):
            make = functools.partial(
                engine.compile_moves,
                sampler,
                self._estimate_on_canvas if on_canvas else self._estimate,
                self.backbone.variables,
            )
            return kept((sampler, on_canvas), make)

        def estimate(*args):
            make = functools.partial(
                compiled.compile_function, self._estimate, self.backbone.variables
            )
            return kept("estimate", make)(*args)

        shapes = None
        if compiled.compiles_each_shape():
            canvases = getattr(self.backbone, "works_on_canvas", False)
            make = functools.partial(Shapes, self._size_multiple, canvases)
            shapes = kept("shapes", make)
        return batching.Network(
            steps, estimate, self._size_multiple, self.condition_on_degraded, shapes
        )

    @property
    def _size_multiple(self):
        return getattr(self.backbone, "size_multiple", 1)

    def _estimate(self, images, times, degraded):
        """What samplers ask for: the network's answer at one t for the whole batch."""
        times = ops.broadcast_to(times, ops.shape(images)[:1])
        inputs = {"images": images, "times": times}
        if self.condition_on_degraded:
            inputs["degraded"] = degraded
        return self(inputs, training=False)

    def _estimate_on_canvas(self, images, times, degraded, extents):
        """The same for images that fill their arrays in part."""
        with on_canvas(ops.shape(images)[1], extents):
            return self._estimate(images, times, degraded)

    # === Checks ===

    def _check_shape(self, shape, name="images"):
        channels = self.image_channels
        suits = len(shape) == 4 and (channels is None or shape[-1] in (None, channels))
        if not suits:
            raise ValueError(
                f"`{name}` must have shape (batch, height, width, "
                f"{channels or 'channels'}). Received: {name} of shape "
                f"{tuple(shape)}"
            )
        multiple = self._size_multiple
        if any(size is not None and size % multiple for size in shape[1:3]):
            raise ValueError(
                f"The backbone takes heights and widths that are multiples of "
                f"{multiple}; `restore` pads images of other sizes by itself. "
                f"Received: {name} of shape {tuple(shape)}"
            )

    def _check_pairs(self, x, y):
        checks.check_pairs(x, y, self.value_range, self.image_channels)

    # === Saving ===

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "backbone": serialize(self.backbone),
            "value_range": self.value_range,
            "seed": self.seed,
            "restore_defaults": {
                key: serialize(value) for key, value in self.restore_defaults.items()
            },
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        config["backbone"] = keras.saving.deserialize_keras_object(
            config["backbone"], custom_objects=custom_objects
        )
        return cls(**config)

    def save_own_variables(self, store):
        # Keras saves no seed generators; exact resumption needs this one.
        super().save_own_variables(store)
        store["seed_generator_state"] = ops.convert_to_numpy(self.seed_generator.state)

    def load_own_variables(self, store):
        names = list(store.keys())
        if "seed_generator_state" in names:
            self.seed_generator.state.assign(store["seed_generator_state"][...])
            names.remove("seed_generator_state")
        super().load_own_variables({name: store[name] for name in names})


def _introduce(callbacks):
    """Tells each callback that asks, by `set_callbacks`, which it stands beside."""
    callbacks = keras.tree.flatten(getattr(callbacks, "callbacks", callbacks))
    for callback in callbacks:
        if hasattr(callback, "set_callbacks"):
            callback.set_callbacks(callbacks)
