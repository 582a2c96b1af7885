"""Random access to TFRecord files, the default of TFDS, without TensorFlow."""

import os
import struct
from typing import Any

import numpy as np

from keras_indi.annotations import FilePath

# A record: its length (8 bytes) and a checksum (4), the data, a checksum (4).
HEADER = 12
FOOTER = 4


class TFRecordExamples:
    """Random access to the examples of uncompressed TFRecord files.

    It corresponds to `tfds.data_source` for array_record files. The headers of all
    records are read at construction, and the data on access. Checksums are not
    verified.

    Args:
        instructions: List of TFDS file instructions of a split: objects with
            `filename`, `skip` and `take` (-1: all).
        features: The `tfds.features.FeaturesDict` of the data set.
        decoders: Dict of names to `tfds.decode.Decoder`. Defaults to `None`.

    Raises:
        OSError: If a file is truncated.
    """

    def __init__(self, instructions: Any, features: Any, decoders: Any = None) -> None:
        self.features = features
        self.decoders = decoders
        self.filenames = [os.fspath(each.filename) for each in instructions]
        positions = []
        for each in instructions:
            stop = None if each.take < 0 else each.skip + each.take
            positions.append(record_positions(each.filename)[each.skip : stop])
        counts = [len(each) for each in positions]
        self.files = np.repeat(np.arange(len(counts)), counts)
        self.positions = np.concatenate([np.zeros((0, 2), "int64"), *positions])

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, index: int) -> dict[str, Any]:
        start, length = self.positions[index]
        with open(self.filenames[self.files[index]], "rb") as file:
            file.seek(start)
            record = file.read(length)
        return self.features.deserialize_example_np(record, decoders=self.decoders)


def record_positions(path: FilePath) -> np.ndarray:
    """Find the records of a TFRecord file.

    Args:
        path: Path of the file.

    Returns:
        int64 array of shape `(records, 2)`: offset and length of the data of each
        record, in bytes.

    Raises:
        OSError: If the file ends within a record.
    """
    size = os.path.getsize(path)
    positions = []
    end = 0
    with open(path, "rb") as file:
        while end < size:
            file.seek(end)
            header = file.read(HEADER)
            length = struct.unpack("<Q", header[:8])[0] if len(header) >= 8 else size
            positions.append((end + HEADER, length))
            end += HEADER + length + FOOTER
    if end != size:
        raise OSError(
            "A TFRecord file is truncated, or not a TFRecord file. Prepare the data "
            f"set again. Received: {os.fspath(path)}"
        )
    return np.array(positions, "int64").reshape(-1, 2)
