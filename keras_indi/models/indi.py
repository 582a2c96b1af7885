"""The restorer: trained on pairs, it restores in as many steps as asked for."""

import functools

import keras
import numpy as np
from keras import ops

from keras_indi import process, samplers
from keras_indi.inference import compiled, memory, moves, restoration, sizes
from keras_indi.inference.plan import Plan, Shapes
from keras_indi.inference.walk import Walk
from keras_indi.layers import on_canvas
from keras_indi.models import checks
from keras_indi.models.averaged_adam import AveragedAdam
from keras_indi.models.per_image_loss import PerImageLoss
from keras_indi.presets import PresetModel
from keras_indi.schedules import noise_schedule as noise_schedules
from keras_indi.schedules import time_distribution as time_distributions
from keras_indi.schedules import time_grid as time_grids


@keras.saving.register_keras_serializable(package="keras_indi")
class InDI(PresetModel, keras.Model):
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
        restore_defaults: Dict of `num_steps`, `sampler` and `time_grid`, or some of
            them: what `restore` uses where it is given none. Saved with the model; a
            preset's are those its maker recommends. Defaults to 10 steps of
            `"indi"` on the `"uniform"` grid.
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
        checks.checked_backbone(backbone)
        # The images stay float32 here; the backbone casts what it computes on.
        super().__init__(dtype=backbone.dtype_policy, autocast=False, **kwargs)
        self.backbone = backbone
        self.time_distribution = time_distribution
        self.noise_schedule = noise_schedule
        self.value_range = value_range
        self.seed = seed
        self.restore_defaults = restore_defaults
        self.seed_generator = keras.random.SeedGenerator(seed)
        self._restore_seeds = np.random.default_rng(seed)
        # A backbone that has its weights leaves nothing to build.
        self.built = backbone.built

    # === What a user sets ===

    def __setattr__(self, name, value):
        if name in CAPTURED:
            value = CAPTURED[name](value)
        if name == "restore_defaults":
            value = checks.checked_restore_defaults(value)
        if name == "backbone" and hasattr(self, "backbone"):
            # Keras locks the layers of a model that is built, and forgets none.
            self._tracker.unlock()
            self._tracker.untrack(self.backbone)
        super().__setattr__(name, value)
        if name == "noise_schedule":
            self._is_noisy = not value.is_zero
        if name in CAPTURED:
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
        missing = [name for name in [*names, "times"] if name not in inputs]
        if missing:
            raise ValueError(
                f"The inputs lack {missing}. Received: inputs with {sorted(inputs)}"
            )
        for name in names:
            self._check_shape(inputs[name].shape, name)
        arguments = {name: self._to_unit(inputs[name]) for name in names}
        arguments["times"] = ops.cast(inputs["times"], "float32")
        estimate = self.backbone(arguments, training=training)
        images_shape = inputs["images"].shape
        if not checks.compatible(estimate.shape, images_shape):
            raise ValueError(
                "The backbone must return a tensor of its images' shape. "
                f"Received: output of shape {tuple(estimate.shape)} for images of "
                f"shape {tuple(images_shape)}"
            )
        return self._from_unit(estimate)

    def compute_output_shape(self, input_shape):
        if isinstance(input_shape, dict):
            input_shape = input_shape["images"]
        return tuple(input_shape)

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
        """The width of the value range, of which eps is a fraction."""
        if self.value_range is None:
            return 1.0
        return self.value_range[1] - self.value_range[0]

    # === Training ===

    def compile(self, optimizer=None, loss=None, *, jit_compile="auto", **kwargs):
        """Configures training, by default as in the paper.

        Args:
            optimizer: Keras optimizer or its name. Defaults to `AveragedAdam`:
                Adam(1e-4) with EMA 0.9999.
            loss: Keras loss, its name or a function, whose mean over each image
                is taken, in units of `value_range`. Defaults to mean absolute
                error.
            jit_compile: Bool or `"auto"`: Keras's choice, but never XLA on a
                CPU with TensorFlow, where it is slower.
            **kwargs: `metrics`, `steps_per_execution` and so on of
                `keras.Model.compile`. Metrics compare x with F(x_t, t) in units
                of `value_range`.
        """
        if loss is None:
            loss = "mean_absolute_error"
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
                All in the model's `value_range`.
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
        return super().train_step(*self._prepared(args, self._training_point))

    def test_step(self, *args):
        return super().test_step(*self._prepared(args, self._evaluation_point))

    def _prepared(self, args, draw_point):
        """A step's arguments with the pairs replaced by points on their path."""
        *state, data = args
        if not state:
            return (self._path_point(data, draw_point),)
        # On JAX the step's state holds the seed generator's; the draws must
        # read it there and leave its new value there.
        (state,) = state
        variables = self.non_trainable_variables
        with keras.StatelessScope(state_mapping=zip(variables, state[1])) as scope:
            data = self._path_point(data, draw_point)
        values = [scope.get_current_value(variable) for variable in variables]
        return (state[0], values, *state[2:]), data

    def _path_point(self, data, draw_point):
        degraded, clean, *weight = checks.unpack_pairs(data)
        self._check_shape(degraded.shape, "degraded")
        checks.check_same_shape(degraded, clean)
        clean = ops.cast(clean, "float32")
        degraded = ops.cast(degraded, "float32")
        times, noise = draw_point(clean)
        images = process.interpolate(clean, degraded, times)
        if noise is not None:
            scale = self._noise_unit * self.noise_schedule.scale(times)
            images = process.perturb(images, noise, scale)
        inputs = {"images": images, "times": times, "degraded": degraded}
        if not self.condition_on_degraded:
            del inputs["degraded"]
        return (inputs, clean, *weight)

    def _training_point(self, clean):
        shape = ops.shape(clean)
        times = self.time_distribution.sample(shape[:1], seed=self.seed_generator)
        if not self._is_noisy:
            return times, None
        return times, keras.random.normal(shape, seed=self.seed_generator)

    def _evaluation_point(self, clean):
        """A fixed grid of times and fixed noise, so that losses compare."""
        shape = ops.shape(clean)
        times = self.time_distribution.grid(shape[0])
        if not self._is_noisy:
            return times, None
        return times, keras.random.normal(shape, seed=self.seed or 0)

    # === Restoration ===

    def restore(
        self,
        images,
        num_steps=None,
        sampler=None,
        time_grid=None,
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
        """Restores degraded images of any size (paper, Algorithm 1).

        Args:
            images: One image `(height, width, channels)`, a batch `(batch,
                height, width, channels)` or a list of images of any sizes, in
                the model's `value_range`; integers or floats. What has a shape
                and a dtype and can be sliced, such as a `numpy.memmap` or a
                `zarr.Array`, is read by blocks.
            num_steps: Int >= 1. 1 is the regression estimate; more steps give
                sharper images. Defaults to the number of steps of an explicit
                `time_grid`, else to that of the model's `restore_defaults`.
            sampler: A `Sampler`, its name (`"indi"`, `"naive"`,
                `"cold_diffusion"`, `"heun"`, `"multistep"`, `"dpm_solver"`) or
                config. Defaults to that of the model's `restore_defaults`.
            time_grid: A `TimeGrid`, its name (`"uniform"`, `"power"`,
                `"cosine"`) or config, or a list of times from 1 to 0. Defaults to
                that of the model's `restore_defaults`; where that is a list of
                another number of steps, to `"uniform"`.
            num_samples: Int, how many restorations to draw of each image. They
                differ exactly where the noise schedule is not zero.
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
        """
        listed = sizes.as_list(images)
        for index, image in enumerate(listed):
            name = f"images[{index}]" if isinstance(images, (list, tuple)) else "images"
            sizes.check_image(image, self.value_range, self.image_channels, name)
            if isinstance(images, (list, tuple)) and image.ndim != 3:
                raise ValueError(
                    "A list must hold single images of shape (height, width, "
                    f"channels). Received: {name} of shape {image.shape}"
                )
        checks.check_count(
            num_samples=num_samples, batch_size=batch_size, max_memory=max_memory
        )
        checks.check_tiles(tile_size, tile_overlap)
        sizes.check_out(out, listed, num_samples is None and not return_trajectory)
        if seed is None:
            seed = int(self._restore_seeds.integers(2**31))
        elif not isinstance(seed, (int, np.integer)) or seed < 0:
            raise ValueError(
                f"`seed` must be a non-negative integer. Received: seed={seed!r}"
            )
        plan = self._plan(tile_size, tile_overlap, max_memory, listed[0].shape[-1])
        walk = self._walk(num_steps, sampler, time_grid)
        if not self.backbone.built:
            self._build_backbone((1, *listed[0].shape[-3:]))
        batched = listed[0].ndim == 4
        results = restoration.restore_images(
            self._network(walk.sampler),
            walk,
            plan,
            list(listed[0]) if batched else listed,
            num_samples=num_samples or 1,
            seed=int(seed),
            batch_size=batch_size,
            keep_states=return_trajectory,
            verbose=verbose,
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

    def _walk(self, num_steps, sampler, time_grid):
        defaults = self.restore_defaults
        sampler = samplers.get(defaults["sampler"] if sampler is None else sampler)
        if time_grid is None:
            time_grid = defaults["time_grid"]
            fixed = getattr(time_grid, "num_steps", num_steps)
            if num_steps is not None and num_steps != fixed:
                time_grid = "uniform"
        time_grid = time_grids.get(time_grid)
        if num_steps is None:
            num_steps = getattr(time_grid, "num_steps", defaults["num_steps"])
        return Walk(
            sampler, time_grid(num_steps), self.noise_schedule, self._noise_unit
        )

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
        return Plan(budget, reach, self._size_multiple, tile_size, tile_overlap)

    def _network(self, sampler):
        """What restores: functions that are compiled once, when used, and kept."""

        def kept(key, make):
            if key not in self._steps:
                self._steps[key] = make()
            return self._steps[key]

        def steps(on_canvas):
            make = functools.partial(
                moves.compile_moves,
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
        return restoration.Network(
            steps, estimate, self._size_multiple, self.condition_on_degraded, shapes
        )

    @property
    def _size_multiple(self):
        return getattr(self.backbone, "size_multiple", 1)

    def _estimate(self, images, times, degraded):
        """F(x_t, t) at one t for the whole batch, as samplers ask for it."""
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
            "time_distribution": serialize(self.time_distribution),
            "noise_schedule": serialize(self.noise_schedule),
            "value_range": self.value_range,
            "seed": self.seed,
            "restore_defaults": {
                "num_steps": self.restore_defaults["num_steps"],
                "sampler": serialize(self.restore_defaults["sampler"]),
                "time_grid": serialize(self.restore_defaults["time_grid"]),
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


# What compiled functions capture, each with what checks a new value.
CAPTURED = {
    "backbone": checks.checked_backbone,
    "time_distribution": time_distributions.get,
    "noise_schedule": noise_schedules.get,
    "value_range": checks.checked_range,
}


def _introduce(callbacks):
    """Tells each callback that asks, by `set_callbacks`, which it stands beside."""
    callbacks = keras.tree.flatten(getattr(callbacks, "callbacks", callbacks))
    for callback in callbacks:
        if hasattr(callback, "set_callbacks"):
            callback.set_callbacks(callbacks)
