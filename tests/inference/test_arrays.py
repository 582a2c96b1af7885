import errno
import os
import tempfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_indi.inference import arrays

pytestmark = pytest.mark.backend_free


@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    multiple=st.sampled_from([1, 2, 8]),
)
def test_padding_is_the_smallest_and_reflects(height, width, multiple):
    image = np.random.default_rng(0).random((height, width, 2)).astype("float32")
    view = arrays.PaddedImage(image, multiple)
    padded = view[:, :]
    assert padded.shape == view.shape and padded.dtype == "float32"
    assert all(size % multiple == 0 for size in padded.shape[:2])
    assert all(
        size - before < multiple for size, before in zip(padded.shape, image.shape)
    )

    def reflected(index, length):
        period = max(1, 2 * (length - 1))
        return min(index % period, -index % period)

    rows = [reflected(row, height) for row in range(padded.shape[0])]
    columns = [reflected(column, width) for column in range(padded.shape[1])]
    np.testing.assert_array_equal(padded, image[np.ix_(rows, columns)])
    # Any block of it is the same.
    for rows in (slice(0, 1), slice(padded.shape[0] // 2, None), slice(-1, None)):
        block = view[rows, -3:]
        np.testing.assert_array_equal(block, padded[rows, -3:])


def test_padding_reads_no_more_than_the_block():
    read = []

    class Stored:
        shape, dtype = (1000, 1000, 1), "uint8"

        def __getitem__(self, index):
            block = np.zeros(self.shape, self.dtype)[index]
            read.append(block.shape)
            return block

    view = arrays.PaddedImage(Stored(), 64)
    assert view[:8, 4:10].shape == (8, 6, 1)
    assert view[1000:1024, :2].shape == (24, 2, 1)
    assert read == [(8, 6, 1), (24, 2, 1)]


def test_disk_arrays_hold_what_is_written_and_leave_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    array = arrays.DiskArray((5, 4, 3))
    assert not array[:].any()
    values = np.random.default_rng(0).random((5, 4, 3)).astype("float32")
    array[:2] = values[:2]
    array[2:, 1:3] = values[2:, 1:3]
    np.testing.assert_array_equal(array[:2], values[:2])
    np.testing.assert_array_equal(array[2:, 1:3], values[2:, 1:3])
    assert not array[2:, 0].any()
    copy = array[:]
    copy[:] = 7
    assert array[0, 0, 0] == values[0, 0, 0]
    assert list(tmp_path.iterdir()) == []


@given(height=st.integers(1, 3000), width=st.integers(1, 3000))
def test_bands_cover_every_row_once(height, width):
    bands = arrays.row_bands(height, width)
    rows = [row for band in bands for row in range(band.start, band.stop)]
    assert rows == list(range(height))
    for band in bands:
        assert (band.stop - band.start) * width <= max(arrays.PIXELS_PER_BAND, width)


@given(cuts=st.lists(st.integers(1, 7), min_size=1, max_size=6))
def test_noise_drawn_by_rows_is_the_noise_drawn_at_once(cuts):
    # What tiles rely on: NumPy's generator gives one stream, however it is cut.
    whole = np.random.default_rng((3, 0, 1, 1)).standard_normal(
        (sum(cuts), 5, 3), dtype="float32"
    )
    generator = np.random.default_rng((3, 0, 1, 1))
    parts = [generator.standard_normal((n, 5, 3), dtype="float32") for n in cuts]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_a_disk_without_room_is_named(monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(OSError, match="240 bytes of temporary files.*TMPDIR") as error:
        arrays.DiskArray((5, 4, 3))
    assert error.value.filename == tempfile.gettempdir()
