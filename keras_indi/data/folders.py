"""Training pairs from folders of image files."""

import warnings
from typing import TYPE_CHECKING, Any

from keras_indi.annotations import FilePath
from keras_indi.data import degradations
from keras_indi.data.pipeline import make_pairs
from keras_indi.images.image_files import (
    CACHE_BYTES,
    ImageFiles,
    find_images,
    listed,
    match_folders,
)

if TYPE_CHECKING:
    from keras_indi.data.pairs import Pairs


def pairs_from_folders(
    clean: FilePath,
    *,
    degraded: FilePath | None = None,
    degradation: Any = None,
    image_channels: int = 3,
    max_pixels: int | None = None,
    cache_bytes: int = CACHE_BYTES,
    **options: Any,
) -> "Pairs":
    """Make pairs from a folder of clean images, and degraded ones or a degradation.

    Reads PNG, JPEG, WebP and TIFF of 8 or 16 bits, including sub-folders. See
    `keras_indi.data.read_image` for how files are converted to arrays (alpha, palettes,
    orientation).

    With `degraded`, files are matched by their path relative to the folder, ignoring
    extensions. Files without a partner are skipped and listed in a warning. A clean
    image can be an integer number of times larger than its degraded one, which is then
    enlarged, bilinear. With `degradation`, each crop of a clean image is degraded when
    it is read.

    Args:
        clean: Path of the folder of clean images.
        degraded: Path of the folder of degraded images. Exactly one of `degraded`
            and `degradation` is required.
        degradation: A `keras_indi.data.degradations.Degradation`, its name or
            config, or a callable of `(image, generator)`.
        image_channels: Channels of the batches, 1 (grey) or 3 (RGB).
        max_pixels: As for `read_image`. Larger images are refused without decoding.
        cache_bytes: Int, memory for decoded images, which later epochs reuse. 0
            disables the cache.
        **options: `crop_size`, `batch_size`, `training`, `augment`,
            `batches_per_epoch`, `dtype`, `value_range`, `seed` and `num_workers`
            of `keras_indi.data.make_pairs`.

    Returns:
        `Pairs`, for `fit`.

    Raises:
        ValueError: If neither or both of `degraded` and `degradation` are given, no
            image or pair can be used, two files of a folder have the same name, or
            an argument is not valid.
        ImportError: If Pillow, OpenCV or Grain is missing.

    Example:

    ```python
    pairs = keras_indi.data.pairs_from_folders(
        "train/clean", degraded="train/noisy", crop_size=64, batch_size=16
    )
    held_out = keras_indi.data.pairs_from_folders(
        "held_out/clean", degraded="held_out/noisy", crop_size=256, training=False
    )
    model.fit(pairs, validation_data=held_out, epochs=100)

    # Clean images alone, degraded as they are read:
    pairs = keras_indi.data.pairs_from_folders(
        "photographs", degradation=keras_indi.data.degradations.GaussianNoise(25)
    )
    ```
    """
    if (degraded is None) == (degradation is None):
        raise ValueError(
            "Pass `degraded`, a folder of degraded images, or `degradation`, which "
            "degrades the clean images; exactly one of them. Received: "
            f"degraded={degraded!r}, degradation={degradation!r}"
        )
    if degraded is None:
        files = _clean_files(clean)
        if isinstance(degradation, (str, dict)) or not callable(degradation):
            degradation = degradations.get(degradation)
    else:
        files = _matching_files(degraded, clean)
    source = ImageFiles(files, image_channels, max_pixels, cache_bytes)
    return make_pairs(source, degradation, **options)


def _clean_files(clean):
    files = find_images(clean)
    if not files:
        raise ValueError(
            "The folder must hold images (PNG, JPEG, WebP or TIFF). Received: "
            f"clean={str(clean)!r}"
        )
    return files


def _matching_files(degraded, clean):
    match = match_folders(degraded, clean)
    if not match.pairs:
        raise ValueError(
            "No degraded image has a clean partner of the same name (extensions "
            f"aside). Received: degraded={str(degraded)!r} with "
            f"{_contents(match.only_degraded)}, clean={str(clean)!r} with "
            f"{_contents(match.only_clean)}"
        )
    if match.report():
        warnings.warn(match.report(), stacklevel=3)
    return match.pairs


def _contents(files):
    return f"{len(files)} images ({listed(files, 3)})" if files else "no images"
