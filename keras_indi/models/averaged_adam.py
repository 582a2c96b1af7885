"""Adam whose weight average can be trusted from the first epoch."""

from typing import Any

import keras
from keras import ops

from keras_indi.annotations import Config


@keras.saving.register_keras_serializable(package="keras_indi")
class AveragedAdam(keras.optimizers.Adam):
    """Adam with an exponential moving average of the weights that warms up.

    A momentum of 0.9999, the paper's, remembers some ten thousand steps, the
    random start among them: after a shorter training the average is still
    mostly untrained. Here the momentum after n steps is at most
    `(1 + n) / (10 + n)`, so that the average covers roughly the last tenth of
    a short training and tends to the full momentum in a long one.

    Args:
        learning_rate: Float or schedule. Defaults to 1e-4, the paper's.
        use_ema: Bool. Defaults to `True`.
        ema_momentum: Float in [0, 1]. Defaults to 0.9999, the paper's.
        **kwargs: Further arguments of `keras.optimizers.Adam`.
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

    @property
    def ema_momentum(self) -> float:
        """Scalar tensor: the momentum at the present step."""
        steps = ops.cast(self.iterations, "float32")
        return ops.minimum(self._final_momentum, (1.0 + steps) / (10.0 + steps))

    @ema_momentum.setter
    def ema_momentum(self, value: float) -> None:
        self._final_momentum = float(value)

    def get_config(self) -> Config:
        config = super().get_config()
        config["ema_momentum"] = self._final_momentum
        return config
