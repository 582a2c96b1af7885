"""Progress bar for long-running work."""

import sys
import time

import keras

from keras_indi.validation import checked_choice


class Progress:
    """A `keras.utils.Progbar` that appears after a delay.

    Args:
        total: Int, total number of units.
        verbose: `"auto"` (after two seconds, on a terminal or in a notebook), `1`
            (at once) or `0` (never). Or a function of the number of finished units
            and the total, called before the first unit and after each.
        unit: String, name of the unit.
    """

    PATIENCE = 2.0  # seconds

    def __init__(self, total, verbose="auto", unit="step"):
        self._report = verbose if callable(verbose) else None
        verbose = 0 if self._report else verbose
        checked_choice("verbose", verbose, ("auto", 0, 1))
        self._total = total
        self._done = 0
        if verbose == "auto" and not _is_watched():
            verbose = 0
        self._shown_from = {0: float("inf"), 1: 0.0, "auto": self.PATIENCE}[verbose]
        self._start = time.perf_counter()
        self._unit = unit
        # Created now, because it estimates the remaining time from its creation on.
        self._bar = self._new_bar() if verbose == 1 else None
        if self._report:
            self._report(0, total)

    def advance(self):
        """Count one finished unit."""
        self._done = min(self._done + 1, self._total)
        if self._report:
            self._report(self._done, self._total)
        if self._bar is None:
            if time.perf_counter() - self._start < self._shown_from:
                return
            self._bar = self._new_bar()
        self._bar.update(self._done)

    def _new_bar(self):
        return keras.utils.Progbar(self._total, unit_name=self._unit)


def _is_watched():
    """Return whether output is interactive. In a file, a bar is thousands of lines."""
    return sys.stdout.isatty() or "ipykernel" in sys.modules
