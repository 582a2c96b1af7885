"""Engines of a restorer, created on first use."""

from typing import TYPE_CHECKING

from keras_indi.inference.engine import Engine
from keras_indi.models.runtime_engine import RuntimeEngine
from keras_indi.value_range import ValueRange

if TYPE_CHECKING:
    from keras_indi.models.restorer import Restorer


class Engines:
    """Engines of the backend and of other runtimes, with their compiled functions.

    Args:
        model: The restorer.
    """

    def __init__(self, model: "Restorer") -> None:
        self._model = model
        self._of_backend: Engine | None = None
        self._variables: list[int] = []  # of its network, by identity
        self._of_runtimes: dict[str, RuntimeEngine] = {}

    def get(self, runtime: str | None = None) -> Engine:
        """Return the engine of a runtime, with the current weights.

        Args:
            runtime: String, a name of `runtimes.RUNTIMES`. Defaults to `None`, the
                backend.

        Raises:
            ValueError: If the runtime does not support the model or its dtype.
        """
        model = self._model
        if runtime is not None:
            kept = self._of_runtimes.get(runtime)
            if kept is None or not kept.is_of(model.backbone.variables):
                kept = self._of_runtimes[runtime] = RuntimeEngine(model, runtime)
            return kept
        # As by `quantize` or `enable_lora`, whose variables are not the compiled ones.
        variables = list(map(id, model.backbone.variables))
        if self._of_backend is None or self._variables != variables:
            self._variables = variables
            self._of_backend = Engine(
                model.backbone,
                model.estimate,
                model.condition_on_degraded,
                ValueRange(model.value_range),
                model.size_multiple,
                model.receptive_field,
            )
        return self._of_backend
