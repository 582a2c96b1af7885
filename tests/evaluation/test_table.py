"""Tables come back exactly as they were written."""

import csv
import json
import math

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_indi.evaluation import Protocol, Table
from keras_indi.schedules import PowerGrid

pytestmark = pytest.mark.backend_free

ROWS = [
    {"name": "a/b", "psnr": 30.123456789012345, "ssim": 0.5},
    {"name": "c", "psnr": math.inf, "ssim": 1.0},
]


def table():
    means = {"psnr": math.inf, "ssim": 0.75}
    failures = [{"name": "d", "reason": "torn, \"quoted\" and 'so' on"}]
    return Table(ROWS, Protocol(seed=5), means, failures)


def test_json_keeps_everything(tmp_path):
    path = table().to_json(tmp_path / "t.json")
    again = Table.from_json(path)
    assert again == table()
    assert again.protocol == Protocol(seed=5)
    assert again.versions["backend"]
    assert list(tmp_path.iterdir()) == [path]
    # No JavaScript reader takes Infinity.
    json.loads(path.read_text(), parse_constant=pytest.fail)


@settings(max_examples=20)
@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=3))
def test_scores_keep_every_bit(tmp_path_factory, scores):
    path = tmp_path_factory.mktemp("table") / "t.json"
    made = Table([{"psnr": score} for score in scores], Protocol())
    made.to_json(path)
    assert [row["psnr"] for row in Table.from_json(path)] == scores


def test_csv_holds_rows_and_means(tmp_path):
    with open(table().to_csv(tmp_path / "t.csv"), newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["name"] for line in lines] == ["a/b", "c", "mean"]
    assert [float(line["psnr"]) for line in lines] == [ROWS[0]["psnr"]] + [math.inf] * 2
    assert float(lines[2]["ssim"]) == 0.75


def test_samplers_with_arguments_are_json_in_a_csv(tmp_path):
    grid = [1.0, 0.5, 0.0]
    path = Table([{"time_grid": grid, "psnr": 1.0}], Protocol()).to_csv(tmp_path / "t")
    with open(path, newline="") as file:
        (line,) = csv.DictReader(file)
    assert json.loads(line["time_grid"]) == grid


def test_it_prints_aligned():
    lines = str(table()).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[1].split() == ["a/b", "30.1235", "0.5000"]
    assert lines[-1].split() == ["mean", "inf", "0.7500"]


@pytest.mark.parametrize("content", ["{", "[]", '{"rows": []}'])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "t.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="Received: path="):
        Table.from_json(path)


def test_an_object_is_printed_as_its_call():
    grid = keras.saving.serialize_keras_object(PowerGrid(3.0))
    printed = Table([{"time_grid": grid, "psnr": 30.0}], Protocol(("psnr",)))
    assert str(printed).split() == ["time_grid", "psnr", "PowerGrid(k=3.0)", "30.0000"]
