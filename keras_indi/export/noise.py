"""Noise input of an exported sampler."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_indi.inference.batching import Batch, padded_size
from keras_indi.inference.inputs import normalize_seeds
from keras_indi.models import checks
from keras_indi.models.restorer import Restorer
from keras_indi.validation import checked_integer


def sampler_noise(
    model: Restorer,
    height: int,
    width: int,
    seed: int | Sequence[int],
    num_images: int = 1,
    num_steps: int | None = None,
    sampler: Any = None,
    time_grid: Any = None,
    time_shift: float | None = None,
    scale: int | None = None,
) -> np.ndarray:
    """Return the noise of `restore(images, seed=seed)`, for an exported sampler.

    Args:
        model: The restorer.
        height: Int, height of the degraded images.
        width: Int, width of the degraded images.
        seed: As for `restore`.
        num_images: Int, number of images in the batch. Defaults to 1.
        num_steps: As for `restore`.
        sampler: As for `restore`.
        time_grid: As for `restore`.
        time_shift: As for `restore`.
        scale: As for `restore`.

    Returns:
        Standard normal float32 array of shape `(draws, num_images, padded height,
        padded width, channels)`. The size is that of the enlarged image, padded to
        multiples of the model's `size_multiple`. `draws` is 0 if the noise schedule is
        zero, 1 if it is constant, and else up to 1 plus one per step.

    Raises:
        ValueError: If an argument is not valid.

    Example:

    ```python
    noise = sampler_noise(model, *photograph.shape[:2], seed=0, num_steps=4)
    session.run(None, {"images": photograph[None], "noise": noise})
    # the same as model.restore(photograph, num_steps=4, seed=0)
    ```
    """
    scale = checks.checked_scale(scale, model.scale)
    sizes = {"height": height, "width": width}
    enlarged = [scale * checked_integer(name, size) for name, size in sizes.items()]
    channels = checks.known_channels(model.backbone)
    image = np.broadcast_to(np.float32(0), (*enlarged, channels))
    padded = padded_size(image, model.size_multiple)
    seeds = normalize_seeds(seed, checked_integer("num_images", num_images))
    setting = model.setting(num_steps, sampler, time_grid, time_shift)
    num_draws = model.trajectory(*setting).num_draws
    items = [(index, 0) for index in range(num_images)]
    batch = Batch(items, padded, num_images, model.size_multiple)
    *_, draw_noise = batch.arrays([image] * num_images, seeds)
    noise = np.empty((num_draws, num_images, *padded, channels), "float32")
    for draw in range(num_draws):
        noise[draw] = draw_noise()
    return noise
