"""Counters that a runner sums over all workers."""

from keras_indi.beam.apache import Metrics

NAMESPACE = "keras_indi"
LEFT_OUT = "keras_indi.left_out"  # namespace of the counts of unsupported files


class Amount:
    """Integer counter to which fractions can be added.

    Args:
        name: String.
    """

    def __init__(self, name: str) -> None:
        self._counter = Metrics.counter(NAMESPACE, name)
        self._rest = 0.5  # so that the sum is rounded, not truncated

    def add(self, amount: float) -> None:
        """Add an amount, and keep the fraction for the next one."""
        self._rest += amount
        whole = int(self._rest)
        if whole:
            self._counter.inc(whole)
            self._rest -= whole
