"""Training on pairs of images."""

import contextlib
import inspect
import warnings
from typing import Any

import keras
from keras import ops

from keras_indi.backend import compiled, keras_private
from keras_indi.backend.numbered_seed import NumberedSeed
from keras_indi.backend.replicas import first_number, scope_of
from keras_indi.backend.resampling import enlarge
from keras_indi.models import checks, distribution_checks
from keras_indi.models.averaged_adam import AveragedAdam
from keras_indi.models.averaging_optimizer import (
    averaging_optimizers,
    warm_up_averages,
)
from keras_indi.models.backbone_model import BackboneModel
from keras_indi.models.per_image_loss import PerImageLoss
from keras_indi.validation import checked_integer

NO_AVERAGE = (
    "An optimizer that is passed by name does not average the weights, and the average "
    "restores better than the weights of the last step. Pass "
    "`keras.optimizers.{}(rate, use_ema=True, ema_momentum=0.9999)`, or no optimizer "
    "for `AveragedAdam(1e-4)`. Received: optimizer={!r}"
)


class PairTrainer(BackboneModel):
    """Base class of models that are trained on pairs of degraded and clean images.

    Its steps only convert pairs to training examples. Losses, metrics, gradients and
    averages are those of Keras. A subclass defines the inputs and the target of the
    network in `training_example`.
    """

    train_function: Any
    test_function: Any
    predict_function: Any
    # The loss of `compile`, unless another is given.
    default_loss = "mean_absolute_error"

    @property
    def scale(self) -> int:
        """The factor by which clean and restored images are larger."""
        return self._scale

    @scale.setter
    def scale(self, scale: int) -> None:
        self._scale = checked_integer("scale", scale)
        self.forget_compiled()

    def training_example(
        self, degraded: Any, clean: Any, draw: bool, first: Any = 0
    ) -> tuple[dict[str, Any], Any]:
        """Return the network's input and target for a pair.

        In your own training loop, call it, then the model on the dict (add `"degraded"`
        if `condition_on_degraded`), then a loss on the target.

        Args:
            degraded: float32 tensor `(batch, height, width, channels)`, in the
                value range.
            clean: float32 tensor of the same shape.
            draw: Bool, whether to draw from the model's seed generator. If not, each
                pair of an evaluation has its own fixed time and noise, so that losses
                are comparable.
            first: Int or scalar int tensor, the index of the first pair in its
                evaluation, used if `draw` is false.

        Returns:
            Pair of a dict of `"images"` and `"times"`, and the target, a tensor of the
            images' shape.
        """
        raise NotImplementedError

    def compile(
        self,
        optimizer: keras.optimizers.Optimizer | str | None = None,
        loss: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Configure training, by default as in the model's paper.

        Args:
            optimizer: Keras optimizer or its name. Defaults to `AveragedAdam`:
                Adam(1e-4) with EMA 0.9999. With `use_ema=True` any optimizer
                averages the weights, and the average warms up as
                `AveragedAdam`'s. An optimizer passed by name has no average.
            loss: Keras loss, its name or a function, or a list of one. Its mean over
                each image is used. For `InDI`, it compares images in the units of
                `value_range`. With (0, 255), a mean absolute error is in grey levels,
                127.5 times that of images in [-1, 1]. Gradients grow by the same factor
                (this affects `global_clipnorm` and SGD, but not Adam). For
                `ConditionalDDPM`, it compares standard normal noise. Defaults to mean
                absolute error, for `ConditionalDDPM` to mean squared error.
            *args: Further arguments of `keras.Model.compile`, in their order.
            **kwargs: `metrics`, `steps_per_execution` and so on of
                `keras.Model.compile`. Metrics compare the same tensors as the loss.
                `jit_compile="auto"` is Keras's choice, except on a CPU with TensorFlow,
                where XLA is slower and never used. A loaded model has `"auto"` again,
                because the choice depends on the backend and the device.
        """
        given = optimizer
        optimizer = keras.optimizers.get(given or AveragedAdam())
        if isinstance(given, str):
            name = type(optimizer).__name__
            warnings.warn(NO_AVERAGE.format(name, given), stacklevel=2)
        warm_up_averages(optimizer)
        if loss is None:
            loss = self.default_loss
        loss = _per_image(loss)
        arguments = _bound(super().compile, optimizer, loss, *args, **kwargs)
        if arguments.get("jit_compile", "auto") == "auto":
            arguments["jit_compile"] = compiled.default_jit_compile()
        super().compile(**arguments)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        compiled_with = dict(keras.saving.deserialize_keras_object(config))
        # Of the backend and device that saved it, not of those that continue.
        compiled_with.pop("jit_compile", None)
        self.compile(**compiled_with)
        if self.backbone.built:
            self.optimizer.build(self.trainable_variables)

    def fit(
        self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any
    ) -> keras.callbacks.History:
        """Train on pairs; see `keras.Model.fit`.

        A second call continues with the optimizer's state (including its step, so that
        a learning rate schedule continues) and the model's seed. Two things differ from
        one long call. First, an optimizer that averages the weights, like the default,
        writes the average into the model at the end of each call. The next call starts
        from the average, not from the weights of the last step. Second, epochs count
        from 0 again, also for callbacks; pass `initial_epoch` to continue counting.

        A fit that is interrupted, by Ctrl-C or an error in the data, ends like a
        complete one: with the averages so far as weights, if the optimizer keeps them.
        Another `fit` continues from these. To resume exactly, from the weights of the
        last step, use `keras_indi.callbacks.BackupAndResume`.

        Args:
            x: Degraded images as an array, with `y`; or any Keras data source of
                `(degraded, clean)` or `(degraded, clean, sample_weight)`
                batches: `tf.data`, `PyDataset`, PyTorch `DataLoader`, Grain.
                All in the model's `value_range`, which noise on degraded images
                may overshoot.
            y: Clean images, of the degraded images' shape, or with height and width
                times `scale`; then the degraded images are enlarged bilinearly.
            *args: Further arguments of `keras.Model.fit`, in their order.
            **kwargs: Further arguments of `keras.Model.fit`. `sample_weight` may weigh
                images, `(batch,)`, or pixels, `(batch, height, width)` or
                `(batch, height, width, 1)`.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            ValueError: If the arrays, or the first batch of the data source, do not
                match the model. The first batch of a shuffled `tf.data.Dataset` is
                checked when training reads it. Of a distributed dataset, only shapes
                are checked. Also if devices cannot share the batches evenly, or the
                model was built under `tf.distribute.MultiWorkerMirroredStrategy`, which
                Keras 3 does not support.

        Warns:
            UserWarning: If the backbone of an `InDI` sees the degraded image and there
                is little noise on the path; if floats lie within [-1, 1] and the value
                range is at least 50 wide; and if a callback would keep raw weights
                instead of averages.
        """
        distribution_checks.check_strategy(self)
        self._warn_before_fit()
        with checks.own_errors(self._check_pairs) as check:
            x = checks.checked_source(x, y, check)
            arguments = _bound(super().fit, x, y, *args, **kwargs)
            distribution_checks.check_shares(self, x, y, arguments)
            checks.check_no_class_weight(arguments)
            validation_data = arguments.get("validation_data")
            if isinstance(validation_data, (tuple, list)):
                check(validation_data[:2])
            elif validation_data is not None:
                validation_data = checks.first_checked(validation_data, check)
                arguments["validation_data"] = validation_data
            return self._fit(arguments)

    def _warn_before_fit(self) -> None:
        """Warn of settings that waste a training."""

    def _fit(self, arguments: dict[str, Any]) -> keras.callbacks.History:
        """Return `keras.Model.fit` of these arguments, with averages."""
        callbacks = arguments.get("callbacks")
        callbacks = keras.tree.flatten(getattr(callbacks, "callbacks", callbacks))
        _introduce(callbacks)
        averaging = list(averaging_optimizers(getattr(self, "optimizer", None)))
        if averaging:
            checks.warn_of_raw_weights(callbacks)
            checks.check_averaged(averaging, self.trainable_variables)
        for optimizer in averaging:
            optimizer.begin_fit(callbacks)
        try:
            return super().fit(**arguments)
        except BaseException:
            # On TensorFlow, a function interrupted in its first step cannot be reused.
            self.train_function = self.test_function = None
            # As Keras ends an interrupted fit on JAX alone.
            if averaging and self.optimizer.built:
                self.optimizer.finalize_variable_values(self.trainable_variables)
            raise

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Return the losses and metrics of pairs; see `keras.Model.evaluate`.

        The k-th pair always has the same time and the same noise, independent of the
        batches.

        Args:
            x: Degraded images, or a data source, as for `fit`.
            y: Clean images, as for `fit`.
            *args: Further arguments of `keras.Model.evaluate`, in their order.
            **kwargs: Further arguments of `keras.Model.evaluate`.

        Raises:
            ValueError: As `fit`, of pairs that do not match the model.

        Warns:
            UserWarning: As `fit`, of values of another range.
        """
        with contextlib.ExitStack() as stack:
            if not kwargs.get("_use_cached_eval_dataset"):  # which `fit` has checked
                check = stack.enter_context(checks.own_errors(self._check_pairs))
                x = checks.checked_source(x, y, check)
                arguments = _bound(super().evaluate, x, y, *args, **kwargs)
                distribution_checks.check_evaluation(self, x, y, arguments)
            try:
                return super().evaluate(x, y, *args, **kwargs)
            except BaseException:
                keras_private.reattach_variables(self)
                raise

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """Return `call` for batches of images; see `keras.Model.predict`.

        Raises:
            ValueError: In a JAX program of several processes. Use `restore` there.
        """
        distribution_checks.check_predicts()
        try:
            return super().predict(*args, **kwargs)
        except BaseException:
            keras_private.reattach_variables(self)
            raise

    def make_train_function(self, force: bool = False) -> Any:
        if self.train_function is None or force:
            # Within its first step TensorFlow would make the optimizer's variables one
            # by one, and trace the step again without.
            if self.backbone.built and not self.optimizer.built:
                with scope_of(self):
                    self.optimizer.build(self.trainable_variables)
            warm_up_averages(self.optimizer)  # of optimizers that `build` made
            super().make_train_function(force)
            keras_private.make_interruptible(self, "train")
        return self.train_function

    def make_test_function(self, force: bool = False) -> Any:
        if self.test_function is None or force:
            super().make_test_function(force)
            keras_private.make_interruptible(self, "test")
        return self.test_function

    def make_predict_function(self, force: bool = False) -> Any:
        if self.predict_function is None or force:
            super().make_predict_function(force)
            keras_private.make_interruptible(self, "predict")
        return self.predict_function

    def _symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        # Keras builds losses and metrics on the batch that it is given, and shows them
        # pairs. Those of a subclass may read times.
        if not keras_private.is_built(self):
            data_batch = keras_private.stand_in(iterator, data_batch)
            data_batch = self._example(data_batch, draw=False)
        super()._symbolic_build(iterator=iterator, data_batch=data_batch)

    def train_step(self, *args: Any) -> Any:
        return super().train_step(*self._prepared(args, draw=True))

    def test_step(self, *args: Any) -> Any:
        return super().test_step(*self._prepared(args, draw=False))

    def _prepared(self, args: tuple, draw: bool) -> tuple:
        """Return a step's arguments with the pairs replaced by training examples."""
        *state, data = args
        if not state:
            return (self._example(data, draw),)
        # On JAX the step's state holds the seed generator's; the draws must
        # read it there and leave its new value there. The step's weights are in
        # its state too: read elsewhere, they would be compiled in as constants; and so
        # is the count of pairs, as one of the metrics'.
        (state,) = state
        variables = self.non_trainable_variables
        kept = [*self.trainable_variables, *variables, *self.metrics_variables]
        mapping = zip(kept, [*state[0], *state[1], *state[-1]])
        with keras.StatelessScope(state_mapping=mapping) as scope:
            data = self._example(data, draw)
        values = [scope.get_current_value(variable) for variable in variables]
        return (state[0], values, *state[2:]), data

    def _example(self, data: Any, draw: bool) -> tuple:
        degraded, clean, *weight = checks.unpack_pairs(data)
        self.check_channels(degraded.shape, "degraded")
        is_small = checks.check_same_shape(degraded, clean, self.scale)
        self.check_shape(clean.shape, "clean")  # which the network's inputs have
        clean = ops.cast(clean, "float32")
        degraded = ops.cast(degraded, "float32")
        small = degraded
        if is_small:
            degraded = enlarge(small, self.scale)
        elif is_small is None:  # TensorFlow learns the shapes in the step
            degraded = ops.cond(
                ops.shape(small)[1] != ops.shape(clean)[1],
                lambda: enlarge(small, self.scale),
                lambda: small,
            )
        first = 0
        if not draw:
            seen = ops.cast(keras_private.pairs_seen(self), "int32")
            first = first_number(seen, ops.shape(clean)[0])
        inputs, target = self.training_example(degraded, clean, draw, first)
        if self.condition_on_degraded:
            inputs["degraded"] = degraded
        return (inputs, target, *weight)

    def training_noise(self, shape: Any, draw: bool, first: Any = 0) -> Any:
        """Return standard normal noise, from the model's seed generator or fixed.

        Args:
            shape: Shape of the noise, `(batch, height, width, channels)`.
            draw: Bool, as for `training_example`.
            first: Int or scalar int tensor, as for `training_example`.

        Returns:
            float32 tensor of that shape.
        """
        if draw:
            return keras.random.normal(shape, seed=self.seed_generator)
        dtype = self.seed_generator.state.dtype

        def noise(number):
            seed = NumberedSeed(self.seed or 0, number, dtype)
            return keras.random.normal(shape[1:], seed=seed)

        return ops.map(noise, first + ops.arange(shape[0], dtype="int32"))

    def _check_pairs(self, pairs: tuple) -> None:
        shape = checks.check_pairs(
            pairs, self.value_range, self.image_channels, self.scale
        )
        self.check_shape(shape, "clean")


def _per_image(loss: Any) -> Any:
    """Return a loss, or the one in a list, as a loss per image."""
    is_list = isinstance(loss, (list, tuple))
    if is_list and len(loss) == 1:
        return [_per_image(loss[0])]
    # A dict may be a loss's config.
    if is_list or (isinstance(loss, dict) and "class_name" not in loss):
        raise ValueError(
            "A restorer has one output and supports one loss. Add up several in a "
            f"function of (y_true, y_pred). Received: loss={loss!r}"
        )
    return loss if isinstance(loss, PerImageLoss) else PerImageLoss(loss)


def _bound(method, *args, **kwargs):
    """Return the arguments of a method call as a dict by name."""
    return inspect.signature(method).bind(*args, **kwargs).arguments


def _introduce(callbacks: Any) -> None:
    """Pass the list of callbacks to every callback with `set_callbacks`."""
    for callback in callbacks:
        if hasattr(callback, "set_callbacks"):
            callback.set_callbacks(callbacks)
