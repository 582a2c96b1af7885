"""Which pairs of every batch a process reads, where several train together."""


class Part:
    """Numbers the pairs of one process among those of all.

    Each process reads its part of every batch, neighbours; so all together see the
    batches that one process alone would, in the same order. Of a short last batch what
    `divisor` does not divide is left out.

    Args:
        shard: Pair of ints, this process's number and how many processes there are.
        batch_size: Int, pairs in a batch of all, which the processes divide.
        total: Int, pairs in all batches.
        divisor: Int, how many devices, of all processes, share a batch.

    Attributes:
        left_out: Int, how many pairs at the end are left out.
    """

    def __init__(
        self, shard: tuple[int, int], batch_size: int, total: int, divisor: int
    ) -> None:
        self._index, self._count = shard
        self._batch_size = batch_size
        self.left_out = total % batch_size % divisor
        self._total = total - self.left_out

    def __len__(self) -> int:
        return self._total // self._count

    def __call__(self, position: int) -> int:
        """The number among all pairs of the one at a position of this process's."""
        batch, row = divmod(position, self._batch_size // self._count)
        first = batch * self._batch_size
        size = min(self._batch_size, self._total - first) // self._count
        return first + self._index * size + row
