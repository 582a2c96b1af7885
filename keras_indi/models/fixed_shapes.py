"""Which images go through the network together, where shapes are fixed."""

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
    """The arrays in which `restore` with `fixed_shapes` takes images of a size.

    Images of one answer go through the network together, as many as it says; a
    list of fewer is filled up.

    Args:
        model: A restorer.
        height: Int, of the degraded image.
        width: Int, of the degraded image.
        max_memory: As for `restore`; so are the others.
        scale: Int.
        batch_size: Int.
        tile_size: `"auto"`, an int or `None`.
        tile_overlap: Int.

    Returns:
        Tuple of ints, the number of images, the height and the width of the
        arrays; `None` where an image is restored alone in tiles.

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
