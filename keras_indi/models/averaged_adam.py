"""Adam with a weight average that is usable from the first epoch."""

from typing import Any

import keras

from keras_indi.models.averaging_optimizer import AveragingOptimizer


@keras.saving.register_keras_serializable(package="keras_indi")
class AveragedAdam(AveragingOptimizer, keras.optimizers.Adam):
    """Adam with an exponential moving average of the weights that warms up.

    With the paper's momentum of 0.9999, the average spans some ten thousand steps,
    including the random initial weights. After a shorter training, it is still mostly
    untrained. Here the momentum at update n is at most `(1 + n) / (10 + n)`. So the
    average covers roughly the last tenth of a short training, and approaches the full
    momentum in a long one.

    The `compile` method of the models adds the same warm-up to any other Keras
    optimizer: `keras.optimizers.AdamW(1e-4, use_ema=True, ema_momentum=0.9999)`.

    Args:
        learning_rate: Float or schedule. Defaults to 1e-4, the paper's.
        use_ema: Bool. Defaults to `True`.
        ema_momentum: Float in [0, 1]. Defaults to 0.9999, the paper's.
        **kwargs: Further arguments of `keras.optimizers.Adam`.

    Example:

    >>> optimizer = keras_indi.models.AveragedAdam(1e-3)
    >>> optimizer.use_ema
    True
    >>> model.compile(optimizer)
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 1e-4,
        use_ema: bool = True,
        ema_momentum: float = 0.9999,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate=learning_rate,
            use_ema=use_ema,
            ema_momentum=ema_momentum,
            **kwargs,
        )
