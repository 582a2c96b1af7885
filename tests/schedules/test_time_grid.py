import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_indi.schedules import (
    CosineGrid,
    ExplicitGrid,
    PowerGrid,
    TimeGrid,
    UniformGrid,
)
from keras_indi.schedules import time_grid as time_grids

GRIDS = [UniformGrid(), PowerGrid(), PowerGrid(0.4), PowerGrid(5.0), CosineGrid()]


@pytest.mark.parametrize("grid", GRIDS, ids=repr)
@given(num_steps=st.integers(1, 1500))
def test_every_grid_falls_strictly_from_one_to_zero(grid, num_steps):
    times = grid(num_steps)
    assert times.shape == (num_steps + 1,)
    assert times[0] == 1.0 and times[-1] == 0.0
    assert np.all(np.diff(times) < 0)
    # Restoration walks in float32, where neighbours must differ too.
    assert np.all(np.diff(times.astype("float32")) < 0)


@pytest.mark.parametrize(
    "grid, num_steps",
    [
        (PowerGrid(20.0), 100),  # (1 / 100)^20, below all of float32's numbers
        (PowerGrid(0.01), 10**6),  # near 1, closer together than they are
        (ExplicitGrid([1.0, 1.0 - 1e-9, 0.0]), 2),
        (ExplicitGrid([1.0, 1e-39, 0.0]), 2),  # a subnormal number
        (PowerGrid(20.0), 70),  # by which quotients overflow
        (ExplicitGrid([1.0, 0.5, 1e-37, 0.0]), 3),
    ],
    ids=repr,
)
def test_steps_that_vanish_in_float32_are_refused(grid, num_steps):
    times = grid.times(num_steps)
    assert np.all(np.diff(times) < 0)  # in float64 they do not
    with pytest.raises(
        ValueError, match=r"float32.*Received: num_steps=\d+, time_grid"
    ):
        grid(num_steps)


def test_formulas():
    np.testing.assert_allclose(UniformGrid()(4), [1, 0.75, 0.5, 0.25, 0])
    np.testing.assert_allclose(PowerGrid(2)(4), [1, 0.5625, 0.25, 0.0625, 0])
    np.testing.assert_allclose(PowerGrid(0.5)(4), np.sqrt([1, 0.75, 0.5, 0.25, 0]))
    angles = np.pi * np.array([1, 0.75, 0.5, 0.25, 0])
    np.testing.assert_allclose(CosineGrid()(4), (1 - np.cos(angles)) / 2, atol=1e-12)


def test_an_explicit_grid_gives_its_points_and_their_number():
    points = [1.0, 0.7, 0.1, 0.0]
    grid = ExplicitGrid(points)
    assert grid.num_steps == 3
    np.testing.assert_array_equal(grid(3), points)
    for same in (points, tuple(points), np.array(points)):
        assert time_grids.get(same) == grid
    with pytest.raises(ValueError, match="has 3 steps.*Received: num_steps=4"):
        grid(4)


@pytest.mark.parametrize(
    "points",
    [
        [],
        [1.0],
        [0.0, 1.0],
        [0.9, 0.5, 0.0],
        [1.0, 0.5, 0.1],
        [1.0, 0.5, 0.5, 0.0],
        [1.0, 0.2, 0.5, 0.0],
        [1.0, float("nan"), 0.0],
        [[1.0, 0.0]],
    ],
)
def test_points_that_do_not_fall_from_one_to_zero_are_refused(points):
    for build in (ExplicitGrid, time_grids.get):
        with pytest.raises(ValueError, match="decrease strictly.*Received: time_grid="):
            build(points)


def test_a_grid_of_ones_own_is_checked():
    @keras.saving.register_keras_serializable(package="tests")
    class BrokenGrid(TimeGrid):
        def times(self, num_steps):
            return np.linspace(1.0, 0.1, num_steps + 1)

    @keras.saving.register_keras_serializable(package="tests")
    class TwoSpeedGrid(TimeGrid):
        def times(self, num_steps):
            return np.interp(np.linspace(0, 2, num_steps + 1), [0, 1, 2], [1, 0.2, 0])

    np.testing.assert_allclose(
        time_grids.get("tests>TwoSpeedGrid")(4), [1, 0.6, 0.2, 0.1, 0]
    )
    with pytest.raises(ValueError, match="Received: time_grid="):
        BrokenGrid()(4)


@pytest.mark.parametrize("times", ["abc", [[1], [1, 0]], iter([1, 0])])
def test_a_grid_of_ones_own_that_returns_no_numbers_is_told(times):
    class Broken(TimeGrid):
        def times(self, num_steps):
            return times

    with pytest.raises(ValueError, match="`times` must be numbers. Received: times="):
        Broken()(1)


@pytest.mark.parametrize("num_steps", [0, -1, 2.0, "3", None])
def test_bad_numbers_of_steps(num_steps):
    with pytest.raises(ValueError, match="Received: num_steps="):
        UniformGrid()(num_steps)


@pytest.mark.parametrize("k", [0, -1.0, float("nan")])
def test_bad_powers(k):
    with pytest.raises(ValueError, match="Received: k="):
        PowerGrid(k)


def test_bad_identifiers():
    for wrong in ("logarithmic", 0.5, None):
        with pytest.raises(ValueError, match="Received: time_grid="):
            time_grids.get(wrong)
    assert time_grids.get("power") == PowerGrid(2.0)


@pytest.mark.parametrize("grid", [UniformGrid(), CosineGrid()])
def test_more_steps_than_float32_tells_apart_take_no_memory(grid):
    with pytest.raises(ValueError, match="at most 1e\\+06.* Received: num_steps="):
        grid(10**12)
