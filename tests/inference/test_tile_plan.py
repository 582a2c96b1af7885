import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_indi.inference import tile_plan
from keras_indi.inference.memory import Budget
from keras_indi.inference.tiling import tile_windows

pytestmark = pytest.mark.backend_free


@given(
    height=st.integers(1, 200),
    width=st.integers(1, 200),
    halo=st.integers(0, 5),
    most=st.integers(200, 40_000),
    multiple=st.sampled_from([1, 4]),
)
def test_chosen_tiles_are_small_enough_and_the_cheapest(
    height, width, halo, most, multiple
):
    height, width, halo = height * multiple, width * multiple, halo * multiple
    shape = tile_plan.tile_shape(height, width, 2 * halo, multiple, most)
    side = 2 * halo + multiple
    if shape is None:
        assert min(height, side) * min(width, side) > most
        return
    assert shape[0] * shape[1] <= most
    assert all(extent % multiple == 0 for extent in shape)

    def cost(shape, rounding=0):
        numbers = [
            len(tile_windows(length, extent, halo))
            for length, extent in zip((height, width), shape)
        ]
        extents = [extent + rounding for extent in shape]
        return numbers[0] * extents[0] * numbers[1] * extents[1]

    found = cost(shape)
    assert found == tile_plan.tiled_pixels(height, width, shape, 2 * halo)
    rng = np.random.default_rng(0)
    for _ in range(50):
        other = []
        for length in (height, width):
            least = min(length, side)
            other.append(
                int(rng.integers(least // multiple, length // multiple + 1)) * multiple
            )
        if other[0] * other[1] <= most:
            assert found <= cost(other, rounding=multiple)


def test_the_automatic_tiles_cost_little():
    # A preset's reach, and photographs of 8 to 100 megapixels in two gigabytes.
    budget = Budget(2**31, bytes_per_pixel=14 * 64.0, channels=3)
    for height, width in [(2448, 3264), (3000, 4000), (4000, 6000), (8660, 11548)]:
        shape = tile_plan.tile_shape(height, width, 128, 4, budget.evaluated_pixels)
        extra = tile_plan.tiled_pixels(height, width, shape, 128) / (height * width)
        assert 1.0 < extra < 1.25


def test_whole_images_within_the_budget_and_tiles_beyond():
    budget = Budget(10**8, bytes_per_pixel=1000.0, channels=3)
    chosen = tile_plan.TilePlan(budget, reach=20, multiple=4)
    side = int(budget.whole_pixels**0.5)
    assert chosen.is_whole(side, side)
    assert not chosen.is_whole(side + 4, side + 4)
    assert chosen.batch_size(side // 2, side // 2, wanted=9) == 4
    tiles = chosen.tiles(1000, 1000)
    assert tiles.shape[0] * tiles.shape[1] <= budget.evaluated_pixels
    assert chosen.needs_disk(1000, 1000) and not chosen.needs_disk(200, 200)
    assert tile_plan.TilePlan(budget, 20, 4, tile_size=None).is_whole(10**6, 10**6)
    assert not tile_plan.TilePlan(budget, 20, 4, tile_size=48).is_whole(4, 4)
    # A network that does not tell its reach has no tiles.
    assert tile_plan.TilePlan(budget, None, 1).is_whole(10**6, 10**6)


def test_a_budget_without_room_for_a_tile():
    budget = Budget(10**6, bytes_per_pixel=1000.0, channels=3)
    with pytest.raises(ValueError, match="44x44.*max_memory=1000000") as error:
        tile_plan.TilePlan(budget, 20, 4).tiles(1000, 1000)
    least = int(str(error.value).split("pixels: ")[1].split()[0])
    enough = Budget(least, bytes_per_pixel=1000.0, channels=3)
    assert tile_plan.TilePlan(enough, 20, 4).tiles(1000, 1000).shape == (44, 44)


@pytest.mark.parametrize(
    "tile_size, overlap, message",
    [
        (8, None, "larger than 8: the network sees 3"),
        (18, None, "multiple of 4"),
        (4, None, "tile_size=4"),
        (8, 6, "larger than 8: the network sees 3"),
        (4, 3, "larger than 4: which is how much neighbouring tiles overlap"),
    ],
)
def test_bad_tile_sizes(tile_size, overlap, message):
    budget = Budget(10**8, 1000.0, 3)
    with pytest.raises(ValueError, match=message):
        tile_plan.TilePlan(budget, 3, 4, tile_size, overlap)


def test_images_share_compiled_shapes():
    shapes = tile_plan.Shapes(multiple=4)
    assert shapes.canvas(100, 100) == (100, 100)  # the first as it is
    assert shapes.canvas(96, 80) == (100, 100)  # covered at little cost
    assert shapes.canvas(104, 100) == (112, 112)  # the next of the grid
    assert shapes.canvas(104, 108) == (112, 112)
    assert shapes.canvas(20, 20) == (20, 20)  # not at any cost
    rng = np.random.default_rng(0)
    used = set()
    for height, width in rng.integers(8, 128, (500, 2)) * 4:
        shape = shapes.canvas(height, width)
        assert shape[0] >= height and shape[1] >= width
        assert shape[0] * shape[1] <= tile_plan.CANVAS_COST * height * width
        used.add(shape)
    assert len(used) < 100
    alone = tile_plan.Shapes(multiple=4, canvases=False)
    assert [alone.canvas(size, 8) for size in (8, 12, 16)] == [(8, 8), (12, 8), (16, 8)]


def test_large_images_share_tiles():
    budget = Budget(10**9, bytes_per_pixel=1000.0, channels=3)
    chosen = tile_plan.TilePlan(budget, 60, 4)
    shapes = tile_plan.Shapes(multiple=4)
    sizes = [(4000, 6000), (3000, 4000), (4000, 3000), (3648, 5472), (6000, 4000)]
    found = {chosen.tiles(*size, shapes).shape for size in sizes * 2}
    assert len(found) < len(sizes)
