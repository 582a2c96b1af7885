"""Training pairs from folders of image files."""

import warnings

from keras_indi.data.pipeline import make_pairs
from keras_indi.images.decoding import MAX_PIXELS
from keras_indi.images.image_files import (
    CACHE_BYTES,
    ImageFiles,
    find_images,
    listed,
    match_folders,
)


def paired_folder(
    degraded_dir,
    clean_dir,
    *,
    image_channels=3,
    max_pixels=MAX_PIXELS,
    cache_bytes=CACHE_BYTES,
    **options,
):
    """Pairs from a folder of degraded images and one of clean images.

    Files match by their path within the folder, extensions aside: PNG, JPEG, WebP
    and TIFF of 8 or 16 bits, in any depth of folders. What has no partner is
    named in a warning and left out. A clean image may be a whole number of times
    larger than its degraded one, which is then enlarged, bilinear. How files
    become arrays (alpha, palettes, orientation) stands in
    `keras_indi.data.read_image`.

    Args:
        degraded_dir: Path of the degraded images' folder.
        clean_dir: Path of the clean images' folder.
        image_channels: 1 (grey) or 3 (RGB), of the batches.
        max_pixels: Int; images of more pixels are refused, unread.
        cache_bytes: Int, memory for decoded images, which are read from there
            in later epochs. 0 keeps none.
        **options: `crop_size`, `batch_size`, `training`, `augment`,
            `batches_per_epoch`, `dtype`, `value_range`, `seed` and `num_workers`
            of `keras_indi.data.make_pairs`.

    Returns:
        `Pairs`, for `fit`.

    Raises:
        ValueError: If no pair can be used, two files of a folder have the same
            name, or an argument is not valid.
        ImportError: If Pillow, OpenCV or Grain is missing.

    Example:

    ```python
    pairs = keras_indi.data.paired_folder(
        "train/noisy", "train/clean", crop_size=64, batch_size=16
    )
    held_out = keras_indi.data.paired_folder(
        "held_out/noisy", "held_out/clean", crop_size=256, training=False
    )
    model.fit(pairs, validation_data=held_out, epochs=100)
    ```
    """
    match = match_folders(degraded_dir, clean_dir)
    if not match.pairs:
        raise ValueError(
            "No degraded image has a clean partner of the same name (extensions "
            f"aside). Received: {str(degraded_dir)!r} with "
            f"{_contents(match.only_degraded)}, {str(clean_dir)!r} with "
            f"{_contents(match.only_clean)}"
        )
    if match.report():
        warnings.warn(match.report(), stacklevel=2)
    source = ImageFiles(match.pairs, image_channels, max_pixels, cache_bytes)
    return make_pairs(source, **options)


def clean_folder(
    directory,
    degradation,
    *,
    image_channels=3,
    max_pixels=MAX_PIXELS,
    cache_bytes=CACHE_BYTES,
    **options,
):
    """Pairs from a folder of clean images, degraded as they are read.

    Args:
        directory: Path of the folder, read as by `paired_folder`.
        degradation: A `keras_indi.data.degradations.Degradation`, its name or
            config, or a callable of `(image, generator)`: a new draw for each
            crop.
        image_channels: As for `paired_folder`.
        max_pixels: As for `paired_folder`.
        cache_bytes: As for `paired_folder`.
        **options: As for `paired_folder`.

    Returns:
        `Pairs`, for `fit`.

    Raises:
        ValueError: If no image can be used, or an argument is not valid.
        ImportError: If Pillow, OpenCV or Grain is missing.

    Example:

    ```python
    pairs = keras_indi.data.clean_folder(
        "photographs", keras_indi.data.degradations.GaussianNoise(25)
    )
    model.fit(pairs, epochs=100)
    ```
    """
    from keras_indi.data import degradations

    files = find_images(directory)
    if not files:
        raise ValueError(
            "The folder must hold images (PNG, JPEG, WebP or TIFF). Received: "
            f"directory={str(directory)!r}"
        )
    if isinstance(degradation, (str, dict)) or not callable(degradation):
        degradation = degradations.get(degradation)
    source = ImageFiles(files, image_channels, max_pixels, cache_bytes)
    return make_pairs(source, degradation, **options)


def _contents(files):
    return f"{len(files)} images ({listed(files, 3)})" if files else "no images"
