"""Finished work that is damaged is refused by name, with what to do."""

import json

import numpy as np
import pytest

from keras_indi.evaluation import Table
from keras_indi.evaluation.resume import FinishedPairs, claim

pytestmark = pytest.mark.backend_free


def test_finished_pairs_come_back_or_are_refused(tmp_path):
    finished = FinishedPairs(tmp_path)
    finished.save(3, {"psnr": 30.5}, {"clean": np.arange(5.0)})
    scores, features = finished.load(3)
    assert scores == {"psnr": 30.5}
    np.testing.assert_array_equal(features["clean"], np.arange(5.0))
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[len(whole) // 3] ^= 0x10
    for content in (b"", b"no archive", whole[:-30], whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="damaged.*delete it.*000003.npz"):
            finished.load(3)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"null"])
def test_damaged_circumstances_are_refused(tmp_path, content):
    path = tmp_path / "circumstances.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged; delete its folder.*circumstances"):
        claim(tmp_path, {"seed": 1})
    assert path.read_bytes() == content


def test_what_a_killed_writer_left_is_no_finished_work(tmp_path):
    claim(tmp_path, {"seed": 1})
    left = tmp_path / ".keras-indi-01234567-12-89abcdef.partial.npz"
    left.write_bytes(b"half")
    claim(tmp_path, {"seed": 2})
    assert [path.name for path in tmp_path.iterdir()] == ["circumstances.json"]
    assert json.loads((tmp_path / "circumstances.json").read_text()) == {"seed": 2}
    (tmp_path / "partial-1.npz").write_bytes(b"mine")
    with pytest.raises(ValueError, match="measured with another seed"):
        claim(tmp_path, {"seed": 3})


@pytest.mark.parametrize("content", [b"", b"[1]", b"{}", b"\xff", b'{"rows": 1}'])
def test_a_damaged_table_is_refused(tmp_path, content):
    path = tmp_path / "table.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="delete it and measure again.*table.json"):
        Table.from_json(path)
