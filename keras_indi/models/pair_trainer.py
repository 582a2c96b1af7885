"""Training on pairs, each turned into what the network is shown."""

from typing import Any

import keras
from keras import ops

from keras_indi.backend import compiled, replicas
from keras_indi.models import checks
from keras_indi.models.averaged_adam import AveragedAdam
from keras_indi.models.backbone_model import BackboneModel
from keras_indi.models.per_image_loss import PerImageLoss


class PairTrainer(BackboneModel):
    """Base class of models that are trained on pairs of a degraded and a clean image.

    Its steps only turn pairs into training examples; losses, metrics, gradients and
    averages are Keras's own. A subclass says with `training_example` what the network
    is shown.
    """

    # The loss of `compile`, unless another is given.
    default_loss = "mean_absolute_error"

    def training_example(
        self, degraded: Any, clean: Any, draw: bool
    ) -> tuple[dict[str, Any], Any]:
        """What the network is shown of a pair, and what it is compared with.

        A training loop of your own calls it, then the model on the dict (with
        `"degraded"` added where `condition_on_degraded`), and a loss on the target.

        Args:
            degraded: float32 tensor `(batch, height, width, channels)`, in the
                value range.
            clean: float32 tensor of the same shape.
            draw: Bool, whether to draw from the model's seed generator; else a
                fixed grid and fixed noise, so that losses compare.

        Returns:
            Pair of a dict of `"images"` and `"times"`, and the target, of the
            images' shape.
        """
        raise NotImplementedError

    def compile(
        self,
        optimizer: keras.optimizers.Optimizer | str | None = None,
        loss: Any = None,
        *,
        jit_compile: bool | str = "auto",
        **kwargs: Any,
    ) -> None:
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

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.backbone.built:
            self.optimizer.build(self.trainable_variables)

    def fit(
        self, x: Any = None, y: Any = None, **kwargs: Any
    ) -> keras.callbacks.History:
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

    def make_train_function(self, force: bool = False) -> Any:
        # Within its first step TensorFlow would make the optimizer's variables one
        # by one, and trace the step again without.
        if not self.optimizer.built:
            with replicas.scope_of(self):
                self.optimizer.build(self.trainable_variables)
        return super().make_train_function(force)

    def train_step(self, *args: Any) -> Any:
        return super().train_step(*self._prepared(args, draw=True))

    def test_step(self, *args: Any) -> Any:
        return super().test_step(*self._prepared(args, draw=False))

    def _prepared(self, args: tuple, draw: bool) -> tuple:
        """A step's arguments with the pairs replaced by training examples."""
        *state, data = args
        if not state:
            return (self._example(data, draw),)
        # On JAX the step's state holds the seed generator's; the draws must
        # read it there and leave its new value there. The step's weights are in
        # its state too: read elsewhere, they would be compiled in as constants.
        (state,) = state
        variables = self.non_trainable_variables
        mapping = zip([*self.trainable_variables, *variables], [*state[0], *state[1]])
        with keras.StatelessScope(state_mapping=mapping) as scope:
            data = self._example(data, draw)
        values = [scope.get_current_value(variable) for variable in variables]
        return (state[0], values, *state[2:]), data

    def _example(self, data: Any, draw: bool) -> tuple:
        degraded, clean, *weight = checks.unpack_pairs(data)
        self.check_shape(degraded.shape, "degraded")
        checks.check_same_shape(degraded, clean)
        clean = ops.cast(clean, "float32")
        degraded = ops.cast(degraded, "float32")
        inputs, target = self.training_example(degraded, clean, draw)
        if self.condition_on_degraded:
            inputs["degraded"] = degraded
        return (inputs, target, *weight)

    def training_noise(self, shape: Any, draw: bool) -> Any:
        """Standard normal noise: of the model's seed generator, or fixed.

        Args:
            shape: Shape of the noise.
            draw: Bool, as of `training_example`.

        Returns:
            float32 tensor of that shape.
        """
        seed = self.seed_generator if draw else self.seed or 0
        return keras.random.normal(shape, seed=seed)

    def _check_pairs(self, x: Any, y: Any) -> None:
        checks.check_pairs(x, y, self.value_range, self.image_channels)


def _introduce(callbacks: Any) -> None:
    """Tells each callback that asks, by `set_callbacks`, which it stands beside."""
    callbacks = keras.tree.flatten(getattr(callbacks, "callbacks", callbacks))
    for callback in callbacks:
        if hasattr(callback, "set_callbacks"):
            callback.set_callbacks(callbacks)
