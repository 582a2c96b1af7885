"""Model that is loaded once per process and shared by its threads."""

import threading
from collections.abc import Sequence
from typing import Any

from keras_indi.beam.workers import import_modules
from keras_indi.restoration.chosen_model import choose


class LoadedModel:
    """A model with a lock for restoring.

    Args:
        preset: As for `load_restorer`.
        dtype: As for `load_restorer`.
        modules: As for `RestoreFiles`.

    Attributes:
        chosen: `ChosenModel`.
        lock: Lock that limits restoring to one thread at a time.
    """

    def __init__(self, preset: str, dtype: str, modules: Sequence[str] = ()) -> None:
        import_modules(modules)
        self.chosen = choose(preset, dtype)
        self.lock = threading.Lock()

    def restore(self, *arguments: Any, **options: Any) -> Any:
        """Call `restore` of the model, one thread at a time."""
        with self.lock:
            return self.chosen.model.restore(*arguments, **options)
