"""Check and convert input images, and restore their structure in results."""

import math
import os
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from keras import ops

from keras_indi.inference.arrays import EnlargedImage
from keras_indi.validation import checked_integer
from keras_indi.value_range import ValueRange

Structure = Literal["image", "batch", "list"]

# Resampled photographs exceed their range a little. More is an error, except for
# noise, whose values can be far outside (2.5 ranges for pure noise).
RANGE_TOLERANCE = 0.1
NOISE_TOLERANCE = 3.0
VALUES_PER_BLOCK = 2**22
# Images in a wrong range, such as [0, 1] for (0, 255), use less than this fraction.
SMALL_FRACTION = 1 / 50


def check_image(
    image: Any,
    value_range: Sequence[float] | None,
    channels: int | None,
    argument: str = "images",
    degraded: bool = True,
) -> None:
    """Check that a model can restore an image, or a batch of images.

    Args:
        image: Array-like of shape `(height, width, channels)` or
            `(batch, height, width, channels)`, read in blocks.
        value_range: Pair of floats, the smallest and largest value, or `None`.
        channels: Int, required number of channels, or `None` for any.
        argument: String, argument name of the image for the message.
        degraded: Bool, whether noise may have moved values out of the range.

    Raises:
        ValueError: On a wrong rank or number of channels, an empty array, a dtype that
            is not numeric, NaN or infinity. Also for integers with a float range, or
            with a range of which their dtype covers less than a fiftieth. Also if
            values exceed the range by more than a tenth of it. For degraded images,
            only if more than half of the values do, or any exceeds it by three ranges.

    Warns:
        UserWarning: If floats lie within [-1, 1] and the range is at least 50 wide.
    """
    received = f"Received: {argument} of shape {image.shape} and dtype {image.dtype}"
    if image.ndim not in (3, 4):
        raise ValueError(
            f"`{argument}` must have shape (height, width, channels) or (batch, "
            "height, width, channels); a grey image needs an axis of 1 channel. "
            + received
        )
    if 0 in image.shape:
        raise ValueError(f"`{argument}` must not be empty. {received}")
    if channels is not None and image.shape[-1] != channels:
        raise ValueError(
            f"The model restores images of {channels} channel(s), with the "
            f"channels last. {received}"
        )
    integers = np.issubdtype(image.dtype, np.integer)
    if not (integers or _is_float(image.dtype)):
        raise ValueError(f"`{argument}` must hold integers or floats. {received}")
    low, high = (-np.inf, np.inf) if value_range is None else value_range
    if integers and high - low <= 2:
        raise ValueError(
            f"Integer images cannot use the float range {value_range}. Divide "
            "them into that range, or build the model with their own range, "
            f"such as (0, 255). {received}, value_range={value_range}"
        )
    least_width = SMALL_FRACTION * (high - low)
    if integers and np.isfinite(low) and np.iinfo(image.dtype).max - low < least_width:
        raise ValueError(
            f"Images of {image.dtype} use almost none of the model's value_range="
            f"{value_range}. Rescale them to it. {received}"
        )
    tolerance = RANGE_TOLERANCE * (high - low)
    lowest, highest = low - tolerance, high + tolerance
    bad, outside, least, most, whole = 0, 0, np.inf, -np.inf, True
    for block in _blocks(image):
        if not integers:
            finite = np.isfinite(block)
            bad += block.size - int(np.count_nonzero(finite))
            if bad:
                continue
        smallest, largest = float(block.min()), float(block.max())
        least, most = min(least, smallest), max(most, largest)
        if whole and not integers and max(-smallest, largest) <= 1:
            whole = not np.any(block % 1)
        if smallest < lowest or largest > highest:
            outside += int(np.count_nonzero((block < lowest) | (block > highest)))
    if bad:
        raise ValueError(
            f"`{argument}` must be finite. {received}, with {bad} values NaN or "
            "infinite"
        )
    if least < lowest or most > highest:
        far = NOISE_TOLERANCE * (high - low)
        is_noise = outside <= math.prod(image.shape) / 2 and (
            low - far <= least and most <= high + far
        )
        if not (degraded and is_noise):
            raise ValueError(
                f"`{argument}` must lie in the model's value_range={value_range}. "
                "Rescale the images, or build the model with their range. "
                f"{received}, values from {least:g} to {most:g}"
            )
    if max(-least, most) <= 1 <= least_width < np.inf and not whole:
        # The same text for all images, so that Python shows it once.
        warnings.warn(
            f"`{argument.partition('[')[0]}` lies within [-1, 1], and the model's "
            f"value_range is {value_range}: it would look black. Rescale the images to "
            "the model's range, or build the model with theirs.",
            stacklevel=2,
        )


def check_uint8(value_range: Sequence[float] | None) -> None:
    """Raise a ValueError unless a model can restore uint8 images."""
    least = 0 if value_range is None else max(0, min(255, int(value_range[0])))
    check_image(np.full((1, 1, 1), least, "uint8"), value_range, None, "uint8")


def normalize_inputs(
    images: Any,
    value_range: Sequence[float] | None,
    channels: int | None,
    scale: int = 1,
) -> tuple[list[Any], Structure]:
    """Convert input images to a list of single images, checked and enlarged.

    Tensors are converted to NumPy arrays. Array-likes with a shape and a dtype that can
    be sliced, such as a `numpy.memmap` or a `zarr.Array`, are not converted.

    Args:
        images: One image `(height, width, channels)`, a batch
            `(batch, height, width, channels)` or a list of images of any sizes.
        value_range: Pair of floats, the smallest and largest value, or `None`.
        channels: Int, required number of channels, or `None` for any.
        scale: Int, enlargement factor of height and width. Defaults to 1.

    Returns:
        List of array-likes of shape `(scale * height, scale * width, channels)`, and
        the structure of the input: `"image"`, `"batch"` or `"list"`.

    Raises:
        ValueError: If an image does not match the model, or the list is empty.
    """
    listed, structure = _listed(images, value_range, channels)
    if scale > 1:
        listed = [EnlargedImage(image, scale) for image in listed]
    return listed, structure


def normalize_seeds(seed: int | Sequence[int], count: int) -> list[tuple[int, int]]:
    """Return the seeds of the noise of each image.

    Args:
        seed: Int for all images, or a sequence of ints, one per image.
        count: Int, number of images.

    Returns:
        List of pairs of ints, the seed and the index of the image. The index is 0 if
        each image has its own seed, as for a single image.

    Raises:
        ValueError: If `seed` is neither, or the number of seeds is wrong.
    """
    one = isinstance(seed, str) or getattr(seed, "ndim", 1) == 0
    if one or not isinstance(seed, (Sequence, np.ndarray)):
        seed = checked_integer("seed", seed, least=0)
        return [(seed, index) for index in range(count)]
    if len(seed) != count:
        raise ValueError(
            "`seed` must be an int, or a sequence of ints, one per image. Received: "
            f"{len(seed)} seeds for {count} image(s)"
        )
    for index, value in enumerate(seed):
        checked_integer(f"seed[{index}]", value, least=0)
    return [(int(value), 0) for value in seed]


def normalize_outputs(
    results: list[list[Any]],
    structure: Structure,
    num_samples: int | None,
    keep_states: bool,
) -> Any:
    """Return results in the structure of the inputs.

    Args:
        results: Nested list `[image][draw]` of arrays `([states,] height, width,
            channels)`.
        structure: Structure returned by `normalize_inputs`.
        num_samples: Int, or `None` for one draw without a sample axis.
        keep_states: Bool, whether the arrays contain all states.

    Returns:
        Array of shape `([states,] [num_samples,] [batch,] height, width, channels)`.
        For a list of inputs, a list of such arrays.
    """
    axis = int(bool(keep_states))
    finished = [
        draws[0] if num_samples is None else np.stack(draws, axis) for draws in results
    ]
    if structure == "batch":
        return np.stack(finished, axis=axis + (num_samples is not None))
    return finished if structure == "list" else finished[0]


def check_out(out: Any, image: Any, alone: bool) -> None:
    """Raise a ValueError unless the result of one image can be written to `out`.

    Args:
        out: Array-like, or `None`, which is always valid.
        image: The image, after enlargement.
        alone: Bool, whether it is the only image and is restored once.
    """
    if out is None:
        return
    if not alone:
        raise ValueError(
            "`out` requires one image of shape (height, width, channels), "
            "without `num_samples` and `return_trajectory`. Received: "
            f"out={out!r}"
        )
    if tuple(out.shape) != tuple(image.shape) or out.dtype != image.dtype:
        raise ValueError(
            f"`out` must have the result's shape {tuple(image.shape)} and dtype "
            f"{image.dtype}. Received: out of shape {tuple(out.shape)} and dtype "
            f"{out.dtype}"
        )


def like_input(
    restored: np.ndarray, dtype: np.dtype, value_range: ValueRange
) -> np.ndarray:
    """Clip a restored image to the value range and convert it to the input's dtype.

    Integers are rounded, and also clipped to their dtype, which a range may exceed.
    """
    restored = value_range.clip(restored)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        restored, most = np.rint(restored), float(limits.max)
        if dtype.itemsize > 2:  # float32 has no 2^32 - 1, and 2^32 would turn to 0
            restored = restored.astype("float64")
            most = most if int(most) <= limits.max else math.nextafter(most, 0)
        restored = np.clip(restored, limits.min, most)
    return restored.astype(dtype)


def _listed(images, value_range, channels):
    """Return single images, checked, and the structure of the input."""
    if not isinstance(images, (list, tuple)):
        image = _array_like(images)
        check_image(image, value_range, channels)
        return ([image], "image") if image.ndim == 3 else (list(image), "batch")
    if not images:
        raise ValueError(f"`images` must not be empty. Received: images={images!r}")
    listed = [_array_like(image) for image in images]
    for index, image in enumerate(listed):
        name = f"images[{index}]"
        check_image(image, value_range, channels, name)
        if image.ndim != 3:
            raise ValueError(
                "A list must hold single images of shape (height, width, "
                f"channels). Received: {name} of shape {image.shape}"
            )
    return listed, "list"


def _array_like(image: Any) -> Any:
    if isinstance(image, (str, bytes, os.PathLike)):
        raise ValueError(
            "`images` must be arrays; restore files with `keras_indi.restoration."
            f"restore_file`. Received: images={image!r}"
        )
    by_blocks = all(hasattr(image, name) for name in ("shape", "dtype", "__getitem__"))
    if by_blocks and not ops.is_tensor(image):
        return image
    return ops.convert_to_numpy(image)


def _blocks(image: Any) -> Iterator[np.ndarray]:
    """Yield an image or a batch in blocks of limited size."""
    per_row = int(np.prod(image.shape[1:]))
    rows = max(1, VALUES_PER_BLOCK // per_row)
    for top in range(0, image.shape[0], rows):
        yield np.asarray(image[top : top + rows])


def _is_float(dtype: np.dtype) -> bool:
    # np.issubdtype does not recognize bfloat16, a NumPy extension type.
    return np.issubdtype(dtype, np.floating) or dtype.name == "bfloat16"
