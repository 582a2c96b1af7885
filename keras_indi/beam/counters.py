"""Counters that a runner adds up over all workers."""

from keras_indi.beam.apache import Metrics

NAMESPACE = "keras_indi"
LEFT_OUT = "keras_indi.left_out"  # of the kinds of files that are not restored


class Amount:
    """A counter of whole units that is given fractions of them.

    Args:
        name: String.
    """

    def __init__(self, name: str) -> None:
        self._counter = Metrics.counter(NAMESPACE, name)
        self._rest = 0.5  # so that the sum is rounded, not cut

    def add(self, amount: float) -> None:
        """Add an amount; what is less than a unit waits for more."""
        self._rest += amount
        whole = int(self._rest)
        if whole:
            self._counter.inc(whole)
            self._rest -= whole
