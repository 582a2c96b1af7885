"""Training pairs from TFDS, in the same batches as from folders."""

import importlib
import inspect
import os
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_indi.annotations import FilePath
from keras_indi.data import tfds as builders
from keras_indi.data.pipeline import make_pairs
from keras_indi.data.tfds.examples import ExampleImages, celeb_a_64, read_examples
from keras_indi.images.image_files import CACHE_BYTES
from keras_indi.optional_packages import optional_import
from keras_indi.validation import checked_choice

READERS = ("data_source", "tf_data")
# Degraded feature, clean feature and preparation of clean images for sets of TFDS.
KNOWN = {"div2k": ("lr", "hr", None), "celeb_a": (None, "image", celeb_a_64)}
OURS = ("degraded", "clean", None)


def load_tfds(
    name: str,
    split: str = "train",
    degradation: Any = None,
    *,
    reader: str = "data_source",
    degraded_feature: str | None = None,
    clean_feature: str | None = None,
    preparation: Callable[[np.ndarray], np.ndarray] | None = None,
    data_dir: FilePath | None = None,
    manual_dir: FilePath | None = None,
    download: bool = True,
    image_channels: int = 3,
    cache_bytes: int = CACHE_BYTES,
    max_pixels: int | None = None,
    **options: Any,
) -> Any:
    """Load pairs from a TensorFlow Datasets (TFDS) data set.

    The builders of this package, `gopro`, `dpdd`, `real_blur`, `sidd` and
    `paired_folders`, contain pairs. So does `div2k/*`, whose low-resolution images are
    enlarged, bilinear. With a degradation, its high-resolution images are the clean
    ones. `celeb_a` returns whole 64x64 faces without augmentation, and requires a
    degradation. For other builders, pass the names of the image features. All official
    splits are kept.

    Data sets that are not prepared yet are prepared first. TFDS downloads them if it
    can. Otherwise it reads the files that you placed in `manual_dir` (listed in the
    README of the builder). They are written as array_record, which can be read without
    TensorFlow. Data sets already prepared as TFRecord are reused.

    Args:
        name: String, name of the builder, followed by a slash and the config if it
            has several: `"gopro/blur"`, `"div2k/bicubic_x4"`.
        split: String, a TFDS split: `"train"`, `"train[:90%]"`, `"validation"`, ...
        degradation: A `keras_indi.data.degradations.Degradation`, its name or config,
            or a callable of `(image, generator)` that degrades clean images. Defaults
            to `None`, the pairs of the builder.
        reader: `"data_source"` reads without TensorFlow, on any backend. `"tf_data"`
            returns the same batches as a `tf.data.Dataset`, whose position cannot be
            saved.
        degraded_feature: Name of the feature with degraded images.
        clean_feature: Name of the feature with clean images.
        preparation: Function of a uint8 or uint16 array `(height, width, channels)`
            that returns such an array. It is applied to clean images before the
            degradation. Defaults to `celeb_a_64` for `celeb_a`, and to `None` for
            other builders.
        data_dir: Path of the prepared data sets. Defaults to that of TFDS, the
            environment variable `TFDS_DATA_DIR` or `~/tensorflow_datasets`.
        manual_dir: Path of the folder with the files that you placed. Defaults to
            that of TFDS, `<data_dir>/downloads/manual`.
        download: Bool, whether to prepare a data set that is not prepared yet.
        image_channels: Channels of the batches, 1 (grey) or 3 (RGB).
        cache_bytes: Int, memory for decoded images. 0 disables the cache.
        max_pixels: As for `read_image`.
        **options: `crop_size`, `batch_size`, `training`, `augment`,
            `batches_per_epoch`, `dtype`, `value_range`, `seed` and `num_workers`
            of `keras_indi.data.make_pairs`.

    Returns:
        `Pairs` for `fit`, or a `tf.data.Dataset` with `reader="tf_data"`.

    Raises:
        ValueError: On an unknown builder, split or feature, or if no image can be
            used.
        FileNotFoundError: If the set is not prepared and `download=False`, or its
            files are not in `manual_dir`. The message contains instructions.
        ImportError: If TFDS, Pillow, OpenCV or Grain is missing.

    Example:

    ```python
    pairs = keras_indi.data.load_tfds(
        "gopro/blur", "train", manual_dir="downloads", crop_size=128
    )
    model.fit(pairs, epochs=100)

    faces = keras_indi.data.load_tfds(
        "celeb_a", "train", "pure_noise", dtype="float32", value_range=(-1, 1)
    )
    ```
    """
    checked_choice("reader", reader, READERS)
    degradation = _checked_degradation(degradation)
    builder = _builder(name, data_dir)
    names, preparation = _features(
        builder, degradation, degraded_feature, clean_feature, preparation
    )
    if preparation is celeb_a_64:  # whole faces, upright
        options = {"crop_size": 64, "augment": False, **options}
    _prepare(builder, manual_dir, download)
    label = f"{builder.info.full_name} {split}"
    source = ExampleImages(
        read_examples(builder, split, names),
        names,
        label,
        preparation,
        image_channels,
        cache_bytes,
        max_pixels,
    )
    pairs = make_pairs(source, degradation, **options)
    return pairs.as_tf_dataset() if reader == "tf_data" else pairs


def _checked_degradation(degradation):
    if degradation is None or callable(degradation):
        return degradation
    from keras_indi.data import degradations

    return degradations.get(degradation)


def _builder(name, data_dir):
    """Return the TFDS builder of this name. Registers this package's builders."""
    tfds = optional_import("tensorflow_datasets", extra="tfds", purpose="`load_tfds`")
    base = re.split("[/:]", name)[0]
    if base in builders.BUILDERS:
        importlib.import_module(f"keras_indi.data.tfds.{base}")
    try:
        return tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError:
        raise ValueError(
            "No builder has this name. This package has "
            f"{', '.join(builders.BUILDERS)}; `tfds.list_builders()` lists all "
            f"others. Received: name={name!r}"
        ) from None
    except ValueError as error:
        configs = ", ".join(tfds.builder_cls(base).builder_configs)
        raise ValueError(
            f"`{base}` has the configs {configs or '(none)'}. Received: name={name!r}"
        ) from error


def _features(builder, degradation, degraded, clean, preparation):
    """Return the names of the features to read, and the preparation of clean images."""
    import tensorflow_datasets as tfds

    if degradation and degraded:
        raise ValueError(
            "Pass a `degradation` or a `degraded_feature`, not both."
            f" Received: degradation={degradation!r}, "
            f"degraded_feature={degraded!r}"
        )
    known = KNOWN.get(builder.name, OURS)
    clean = clean or known[1]
    degraded = degraded or (None if degradation else known[0])
    if not (degraded or degradation):
        raise ValueError(
            f"`{builder.name}` has only clean images: pass a `degradation`, or the "
            f"name of a `degraded_feature`. Received: degradation={degradation!r}"
        )
    names = [degraded, clean] if degraded else [clean]
    usable = sorted(
        feature
        for feature, connector in builder.info.features.items()
        if isinstance(connector, tfds.features.Image)
        and connector.np_dtype in (np.uint8, np.uint16)
    )
    if not set(names) <= set(usable):
        raise ValueError(
            f"`degraded_feature` and `clean_feature` must be among the image features "
            f"of `{builder.name}`, {usable}. Received: degraded_feature={degraded!r}, "
            f"clean_feature={clean!r}"
        )
    if preparation and degraded:
        raise ValueError(
            "`preparation` requires a `degradation`. "
            f"Received: preparation={preparation!r}, degradation=None"
        )
    return names, preparation or (known[2] if degradation else None)


def _prepare(builder, manual_dir, download):
    """Prepare the data set if it is not prepared."""
    import tensorflow_datasets as tfds

    if builder.data_path.exists() and builder.is_prepared():
        placed = (builder.info.metadata or {}).get("manual_dir")
        if manual_dir and placed and os.path.abspath(manual_dir) != placed:
            raise ValueError(
                f"`{builder.info.full_name}` in this `data_dir` was prepared from "
                f"{placed}; use another `data_dir` for each `manual_dir`. Received: "
                f"manual_dir={os.fspath(manual_dir)!r}"
            )
        return
    instructions = inspect.cleandoc(builder.MANUAL_DOWNLOAD_INSTRUCTIONS or "")
    if not download:
        raise FileNotFoundError(
            f"`{builder.info.full_name}` is not prepared; `download=True` prepares it. "
            f"{instructions}\nReceived: data_dir={builder.data_dir}, download=False"
        )
    if instructions:
        placed = os.fspath(manual_dir or builder.data_dir_root / "downloads" / "manual")
        if not os.path.isdir(placed) or not os.listdir(placed):
            raise FileNotFoundError(
                f"`{builder.info.full_name}` requires files that you download "
                f"yourself, and none were found. {instructions}\n"
                f"Received: manual_dir={placed}"
            )
    builder.download_and_prepare(
        file_format="array_record",
        download_config=tfds.download.DownloadConfig(manual_dir=manual_dir),
    )
