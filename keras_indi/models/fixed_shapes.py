"""Batch shapes of restorations with `fixed_shapes`."""

from keras_indi.models import checks
from keras_indi.models.restorer import Restorer


def batch_shape(
    model: Restorer,
    height: int,
    width: int,
    max_memory: int,
    scale: int | None = None,
    batch_size: int | None = None,
    tile_size: int | str | None = "auto",
    tile_overlap: int | None = None,
) -> tuple[int, int, int] | None:
    """Return the batch shape of `restore` with `fixed_shapes` for images of a size.

    Images with the same batch shape go through the network together. A smaller list is
    filled up.

    Args:
        model: A restorer.
        height: Int, height of the degraded image.
        width: Int, width of the degraded image.
        max_memory: As for `restore`.
        scale: Int.
        batch_size: Int.
        tile_size: `"auto"`, an int or `None`.
        tile_overlap: Int.

    Returns:
        Tuple of ints: the number of images, the height and the width of the batch.
        `None` if an image is restored by itself in tiles.

    Raises:
        ValueError: If an argument is not valid.

    Example:

    ```python
    size, *_ = batch_shape(model, 480, 640, max_memory=2**31) or (1,)
    restored = model.restore(
        images[:size], seed=seeds[:size], fixed_shapes=True, max_memory=2**31
    )
    ```
    """
    scale = checks.checked_scale(scale, model.scale)
    checks.check_tiles(tile_size, tile_overlap)
    engine, channels = model.engine, model.image_channels or 3
    plan = engine.plan(tile_size, tile_overlap, max_memory, channels)
    return engine.batch_shape(scale * height, scale * width, plan, batch_size)
