"""Motion blur: lines by their second moments, shake by what holds for all paths."""

import numpy as np
import pytest
from helpers import shared_folder
from PIL import Image
from scipy import ndimage, stats

from keras_indi.data.degradations import MotionBlur

pytestmark = pytest.mark.backend_free


def point_of_light(item, seed, size=61):
    """The blurred image of a point, and the (row, column) grid around it."""
    point = np.zeros((size, size, 1), "float32")
    point[size // 2, size // 2] = 1
    kernel = item(point, seed)[..., 0].astype("float64")
    kernel[np.abs(kernel) < 1e-6] = 0  # the rounding of a transform
    return kernel, np.mgrid[:size, :size].reshape(2, -1) - size // 2


def covariance(kernel, grid):
    mean = grid @ kernel.ravel()
    return mean, (grid * kernel.ravel()) @ grid.T - np.outer(mean, mean)


@pytest.mark.parametrize("length", [3.0, 10.5, 25.0])
@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 135.0, -20.0])
def test_a_line_has_its_length_and_direction(length, angle):
    kernel, grid = point_of_light(MotionBlur(length, angle), seed=0)
    mean, found = covariance(kernel, grid)
    np.testing.assert_allclose(mean, 0, atol=1e-4)
    assert abs(kernel.sum() - 1) < 1e-4
    # Upwards is towards smaller rows.
    along = np.array([-np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))])
    across = along[::-1] * (1, -1)
    # A line's variance, and at most 1/4 of sharing out between two pixels an axis.
    assert -1e-3 < along @ found @ along - length**2 / 12 < 0.251
    assert -1e-3 < across @ found @ across < 0.251
    slant = 0.5 * np.rad2deg(
        np.arctan2(-2 * found[0, 1], found[1, 1] - found[0, 0])
    )  # of the major axis
    assert abs((slant - angle + 90) % 180 - 90) < 2


def test_a_horizontal_line_is_a_row():
    kernel, _ = point_of_light(MotionBlur(9.0, angle=0.0), seed=0)
    assert np.count_nonzero(kernel.any(axis=1)) == 1
    np.testing.assert_allclose(kernel[30, 27:34], 1 / 9, atol=1e-3)


def test_angles_are_drawn_evenly():
    slants = []
    for seed in range(150):
        kernel, grid = point_of_light(MotionBlur(15.0, angle=(0, 180)), seed, size=21)
        _, found = covariance(kernel, grid)
        slant = 0.5 * np.arctan2(-2 * found[0, 1], found[1, 1] - found[0, 0])
        slants.append(slant % np.pi / np.pi)
    assert stats.kstest(slants, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("length", [0.0, 2.0, 9.5, 24.0])
def test_shake(length):
    item = MotionBlur(length)
    extents = []
    for seed in range(40):
        kernel, grid = point_of_light(item, seed)
        assert kernel.min() >= 0 and abs(kernel.sum() - 1) < 1e-4
        np.testing.assert_allclose(grid @ kernel.ravel(), 0, atol=1e-4)
        assert ndimage.label(kernel, np.ones((3, 3)))[1] == 1  # a path has no gap
        reached = np.hypot(*grid)[kernel.ravel() > 0].max()
        extents.append(reached)
        assert np.abs(grid[:, kernel.ravel() > 0]).max() <= item.margin
        # Sharing out reaches less than a pixel's diagonal farther.
        assert length / 2 - 1 < reached < length / 2 + np.sqrt(2)


def features(kernel):
    """How much the brightest tenth of the path holds, and how long it is drawn."""
    ordered = np.sort(kernel[kernel > 0.02 * kernel.max()])[::-1]
    tenth = max(1, len(ordered) // 10)
    return ordered[:tenth].sum() / ordered.sum()


def test_shake_dwells_and_curls():
    """Not lines and not dots: between what straight motion and a stain have."""
    dwelling, curling = [], []
    for seed in range(100):
        kernel, grid = point_of_light(MotionBlur(25.0), seed)
        smaller, larger = np.linalg.eigvalsh(covariance(kernel, grid)[1])
        curling.append(np.sqrt(smaller / larger))
        dwelling.append(features(kernel))
    assert 0.1 < np.quantile(curling, 0.25) < np.quantile(curling, 0.75) < 0.8
    assert np.median(dwelling) > 0.15  # even brightness would be 0.1


def test_shake_is_like_that_of_real_cameras():
    real = []
    for path in sorted(shared_folder("data", "levin32", "kernels").glob("*.png")):
        with Image.open(path) as file:
            kernel = np.asarray(file.convert("L"), "float64")
        real.append(features(kernel / kernel.sum()))
    assert len(real) == 8
    ours = [features(point_of_light(MotionBlur(15.0), seed)[0]) for seed in range(200)]
    low, high = np.quantile(ours, [0.05, 0.95])
    assert np.mean([low < value < high for value in real]) >= 0.75


def test_paths_of_different_seeds_differ():
    kernels = [point_of_light(MotionBlur(15.0), seed)[0] for seed in range(30)]
    for index, kernel in enumerate(kernels):
        for other in kernels[index + 1 :]:
            assert np.abs(kernel - other).sum() > 0.2
