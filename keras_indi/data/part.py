"""Part of each batch that a process reads in distributed training."""


class Part:
    """Map positions in one process to numbers of pairs in all processes.

    Each process reads a contiguous part of every batch. Together, the processes read
    the same batches as a single process, in the same order. A partial last batch is cut
    to a multiple of `divisor`.

    Args:
        shard: Pair of ints, index of this process and number of processes.
        batch_size: Int, pairs per batch of all processes, a multiple of their number.
        total: Int, pairs in all batches.
        divisor: Int, number of devices of all processes that share a batch.

    Attributes:
        left_out: Int, number of pairs at the end that are left out.
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
        """Return the number among all pairs for a position in this process."""
        batch, row = divmod(position, self._batch_size // self._count)
        first = batch * self._batch_size
        size = min(self._batch_size, self._total - first) // self._count
        return first + self._index * size + row
