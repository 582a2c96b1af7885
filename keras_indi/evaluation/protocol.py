"""Evaluation protocol: how scores were measured, so that they can be compared."""

import hashlib
import importlib.metadata
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_indi import metrics
from keras_indi.annotations import Config, FilePath, ValueLimits
from keras_indi.configurable import Configurable, class_of, name_hint
from keras_indi.validation import (
    checked_choice,
    checked_integer,
    checked_path,
    checked_value_range,
)
from keras_indi.version import __version__

if TYPE_CHECKING:
    from keras_indi.metrics.feature_distance import FeatureDistance
    from keras_indi.metrics.image_metric import ImageMetric

# Scores of single images, then scores of a set of images.
IMAGE_METRICS = tuple(
    name
    for name, metric in metrics.BUILTIN.items()
    if issubclass(metric, metrics.ImageMetric)
)
SET_METRICS = tuple(name for name in metrics.BUILTIN if name not in IMAGE_METRICS)
NETWORKS = ("alex", "squeeze", "vgg", "inception2048", "inception768")
DEVIATION = "_standard_deviation"  # suffix of the column with KID's spread


@keras.saving.register_keras_serializable(package="keras_indi")
class Protocol(Configurable):
    """Everything that a score depends on, except the images and the model.

    Two scores are comparable only if their protocols are equal. `evaluate` and
    `trade_off` save the protocol, and the versions used, in every result.

    Args:
        metrics: Sequence of names. Per image, then averaged: `"psnr"` (dB), `"ssim"`,
            `"lpips_alex"`, `"lpips_squeeze"`, `"lpips_vgg"`. Over all images together:
            `"fid2048"` and `"kid2048"` with the pooled features of Inception-v3,
            `"fid768"` and `"kid768"` with its 768 features before the last blocks,
            `"fid"` and `"kid"` with `extractor`. The registered name of your own
            `ImageMetric`, such as `"mine>Sharpness"`, adds a score per image; the
            metric is built with `value_range` only. Defaults to `("psnr", "ssim")`.
        channel: `"rgb"`, or `"y"` for PSNR and SSIM on luma only, as is usual for
            super-resolution.
        crop_border: Int, pixels that PSNR and SSIM ignore at each border.
        value_range: Pair of numbers, the smallest and largest value of the
            images. Defaults to `(0, 255)`.
        weights: Dict from `"alex"`, `"squeeze"`, `"vgg"`, `"inception2048"` and
            `"inception768"` to paths of the networks' weights. Weights without a path
            are downloaded from their official URL.
        extractor: Path of a saved Keras model that turns a batch of images into
            feature vectors, for `"fid"` and `"kid"`.
        kid_subset_size: Int, number of images in each subset of KID. Defaults to 1000,
            as in the literature, or to half of the images if that is less.
        num_images: Int, number of images to score, the first ones in the order of their
            names. Defaults to all.
        seed: Int, fixes a model's noise and KID's subsets.

    Raises:
        ValueError: If an argument is not valid.

    Example:

    ```python
    protocol = keras_indi.evaluation.Protocol(
        metrics=("psnr", "lpips_alex"), weights={"alex": "lpips_alex_v0.1.npz"}
    )
    evaluation = keras_indi.evaluation.evaluate("restored", "clean", protocol)
    ```
    """

    def __init__(
        self,
        metrics: Sequence[str] = ("psnr", "ssim"),
        channel: str = "rgb",
        crop_border: int = 0,
        value_range: ValueLimits = (0, 255),
        weights: Mapping[str, Any] | None = None,
        extractor: FilePath | None = None,
        kid_subset_size: int | None = None,
        num_images: int | None = None,
        seed: int = 0,
    ) -> None:
        self.metrics = _checked_metrics(metrics, extractor)
        self.channel = checked_choice("channel", channel, ("rgb", "y"))
        self.crop_border = checked_integer("crop_border", crop_border, least=0)
        self.value_range = checked_value_range(value_range)
        self.weights = _checked_weights(weights)
        self.extractor = (
            None if extractor is None else checked_path("extractor", extractor)
        )
        self.kid_subset_size = checked_integer(
            "kid_subset_size", kid_subset_size, least=2, optional=True
        )
        self.num_images = checked_integer("num_images", num_images, optional=True)
        self.seed = checked_integer("seed", seed, least=0)

    @property
    def columns(self) -> list[str]:
        """List of the names of all scores, in the order of `metrics`."""
        names = []
        for name in self.metrics:
            names.append(name)
            if name.startswith("kid"):
                names.append(name + DEVIATION)
        return names

    def image_metrics(self) -> "dict[str, ImageMetric]":
        """Build the metrics of single images.

        Returns:
            Dict from names to metrics with a `per_image` method.
        """
        options: dict[str, Any] = {"value_range": self.value_range}
        classic = {**options, "crop_border": self.crop_border, "channel": self.channel}
        built: dict[str, ImageMetric] = {}
        for name in self.metrics:
            metric: Any = _image_metric(name)
            if metric is None:
                continue
            network = name.partition("_")[2]
            if name not in metrics.BUILTIN:
                built[name] = metric(**options)
            elif network:
                path = self.weights.get(network)
                built[name] = metric(network, weights=path, **options)
            else:
                built[name] = metric(**classic)
        return built

    def set_metrics(self, count: int) -> "dict[str, FeatureDistance]":
        """Build the metrics of a set of images.

        Args:
            count: Int, number of images.

        Returns:
            Dict from names to metrics with `features`, `add_features`, `result` and
            `reset_state`. Metrics with the same `name[3:]` share one extractor.

        Raises:
            ValueError: If there are too few images.
        """
        names = [name for name in self.metrics if name in SET_METRICS]
        least = max(2, self.kid_subset_size or 0)
        if names and count < least:
            raise ValueError(
                f"{names} of these images need at least {least} of them. Received: "
                f"{count} images, kid_subset_size={self.kid_subset_size}"
            )
        extractors: dict[str, Any] = {}
        built: dict[str, FeatureDistance] = {}
        for name in names:
            dimensions = name[3:]
            if dimensions not in extractors:
                extractors[dimensions] = self._extractor(dimensions)
            extractor = extractors[dimensions]
            options: dict[str, Any] = {"value_range": self.value_range, "name": name}
            if name.startswith("kid"):
                size = self.kid_subset_size or kid_subset_size(count)
                options |= {"subset_size": size, "seed": self.seed}
            built[name] = metrics.BUILTIN[name](extractor, **options)
        return built

    def _extractor(self, dimensions):
        if not dimensions:
            return keras.saving.load_model(self.extractor)
        return metrics.InceptionV3Features(
            int(dimensions),
            self.weights.get(f"inception{dimensions}"),
            self.value_range,
        )

    def __str__(self) -> str:
        """Return the protocol in words, without settings that are not set."""
        low, high = self.value_range
        words = [", ".join(self.metrics), f"channel {self.channel}"]
        words.append(f"value range {low:g} to {high:g}")
        if self.crop_border:
            words.append(f"without {self.crop_border} pixels at each border")
        if self.num_images is not None:
            words.append(f"the first {self.num_images} images")
        files = [f"{n} {name}" for n, name in self.without_folders()["weights"].items()]
        words += [f"weights {', '.join(files)}"] if files else []
        return "; ".join(words)

    def without_folders(self) -> Config:
        """Return the configuration for publication, with file names but no folders.

        Returns:
            Dict, as from `get_config()`.
        """
        config = self.get_config()
        files = config["weights"].items()
        config["weights"] = {name: pathlib.Path(path).name for name, path in files}
        if self.extractor is not None:
            config["extractor"] = pathlib.Path(self.extractor).name
        return config

    def weight_digests(self) -> dict[str, str]:
        """Return a dict from names in `weights` (and `"extractor"`) to SHA-256."""
        paths = dict(self.weights)
        if self.extractor is not None:
            paths["extractor"] = self.extractor
        return {
            name: hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
            for name, path in paths.items()
        }


def higher_is_better(name: str) -> bool:
    """Return whether higher values of a score are better."""
    metric = _image_metric(name)
    return metric is not None and metric.higher_is_better


def _image_metric(name: str) -> "type[ImageMetric] | None":
    """Return the class of a metric of single images, or `None` for other metrics."""
    return class_of(name, metrics.ImageMetric, metrics.BUILTIN)


def kid_subset_size(count: int) -> int:
    """Return KID's usual subset size, or half the images if there are few."""
    return min(1000, max(2, count // 2))


def running_versions() -> dict[str, str]:
    """Return a dict of the versions of this package, Keras, the backend and NumPy."""
    backend = keras.config.backend()
    return {
        "keras_indi": __version__,
        "keras": keras.__version__,
        "backend": backend,
        backend: importlib.metadata.version(backend),
        "numpy": np.__version__,
    }


def _checked_metrics(names, extractor):
    if isinstance(names, str) or not isinstance(names, Iterable):
        names = [names]
    names = list(names)
    known = metrics.BUILTIN
    unknown = [str(n) for n in names if n not in known and not _image_metric(str(n))]
    if not names or unknown or len(set(names)) < len(names):
        hint = name_hint(unknown[0], known) if unknown else ""
        raise ValueError(
            f"`metrics` must be different names among {list(known)}, or registered "
            f"names of ImageMetrics.{hint} Received: metrics={names}"
        )
    if {"fid", "kid"} & set(names) and extractor is None:
        raise ValueError(
            "'fid' and 'kid' need `extractor`, the path of a saved Keras model; over "
            "Inception-v3 they are 'fid2048', 'fid768', 'kid2048' and 'kid768'. "
            f"Received: metrics={names}, extractor=None"
        )
    return names


def _checked_weights(weights):
    if weights is None:
        weights = {}
    if not isinstance(weights, Mapping) or set(weights) - set(NETWORKS):
        raise ValueError(
            f"`weights` must map names among {list(NETWORKS)} to paths. Received: "
            f"weights={weights!r}"
        )
    return {name: checked_path("weights", path) for name, path in weights.items()}
