"""Protocols: what they say of a score, and what they refuse."""

import hashlib
import json

import keras
import numpy as np
import pytest

from keras_indi.evaluation import Protocol
from keras_indi.evaluation.protocol import higher_is_better, running_versions
from keras_indi.metrics import PSNR, ImageMetric


def test_a_protocol_survives_json_and_keras():
    protocol = Protocol(
        ("ssim", "psnr"),
        channel="y",
        crop_border=4,
        value_range=(0, 1),
        weights={"alex": "a.npz"},
        num_images=7,
        seed=3,
    )
    again = Protocol.from_config(json.loads(json.dumps(protocol.get_config())))
    assert again == protocol and hash(again) == hash(protocol)
    config = keras.saving.serialize_keras_object(protocol)
    assert keras.saving.deserialize_keras_object(config) == protocol
    assert protocol != Protocol(("ssim", "psnr"))


def test_metrics_are_built_as_the_protocol_says():
    protocol = Protocol(("ssim", "psnr"), "y", crop_border=4, value_range=(0, 1))
    built = protocol.image_metrics()
    assert list(built) == ["ssim", "psnr"]
    for name, metric in built.items():
        config = metric.get_config()
        assert config["name"] == name
        assert config["channel"] == "y" and config["crop_border"] == 4
        assert tuple(config["value_range"]) == (0.0, 1.0)


def test_weights_are_told_by_their_contents(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(b"weights")
    protocol = Protocol(weights={"alex": path})
    assert protocol.weight_digests() == {"alex": hashlib.sha256(b"weights").hexdigest()}


def test_versions_name_the_backend_that_runs():
    versions = running_versions()
    assert versions["backend"] == keras.config.backend()
    assert versions["keras"] == keras.__version__
    assert versions[versions["backend"]][0].isdigit()


@pytest.mark.parametrize(
    "arguments",
    [
        {"metrics": ()},
        {"metrics": ("psnr", "psnr")},
        {"metrics": ("psnrr",)},
        {"metrics": ("fid",)},
        {"channel": "Y"},
        {"crop_border": -1},
        {"crop_border": 1.5},
        {"weights": {"alexnet": "a.npz"}},
        {"num_images": 0},
        {"kid_subset_size": 1},
        {"seed": -1},
    ],
)
def test_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"Received: {name}="):
        Protocol(**arguments)


def test_a_published_protocol_has_no_folders(tmp_path):
    protocol = Protocol(
        ("lpips_alex", "fid"),
        weights={"alex": tmp_path / "alex.npz"},
        extractor=tmp_path / "features.keras",
    )
    published = protocol.without_folders()
    assert published["weights"] == {"alex": "alex.npz"}
    assert published["extractor"] == "features.keras"
    assert str(tmp_path) not in str(published)
    assert protocol.weights == {"alex": str(tmp_path / "alex.npz")}


def test_as_words():
    assert str(Protocol()) == "psnr, ssim; channel rgb; value range 0 to 255"
    given = {"channel": "y", "crop_border": 4, "value_range": (0, 1), "num_images": 5}
    protocol = Protocol(("psnr", "lpips_alex"), weights={"alex": "a/b.npz"}, **given)
    assert str(protocol) == (
        "psnr, lpips_alex; channel y; value range 0 to 1; without 4 pixels at each "
        "border; the first 5 images; weights alex b.npz"
    )


@keras.saving.register_keras_serializable(package="tests")
class Brightness(ImageMetric):
    def compute(self, clean, restored):
        means = (keras.ops.mean(images, axis=(1, 2, 3)) for images in (clean, restored))
        return keras.ops.abs(keras.ops.subtract(*means))


def test_a_metric_of_ones_own_by_its_registered_name():
    protocol = Protocol(("psnr", "tests>Brightness"), value_range=(0, 1))
    assert Protocol.from_config(protocol.get_config()) == protocol
    built = protocol.image_metrics()
    assert list(built) == protocol.columns == ["psnr", "tests>Brightness"]
    dark, light = np.zeros((1, 4, 4, 3)), np.full((1, 4, 4, 3), 0.25)
    assert built["tests>Brightness"].per_image(dark, light) == [0.25]
    for name in ("tests>Nothing", "keras_indi>UniformTime"):
        with pytest.raises(ValueError, match="different names.*Received: metrics="):
            Protocol((name,))


def test_which_way_is_better_stands_with_the_metric():
    assert higher_is_better("psnr") and higher_is_better("ssim")
    for name in ("lpips_alex", "fid2048", "kid", "tests>Brightness", "evaluations"):
        assert not higher_is_better(name)
    # What Keras's callbacks ask.
    assert (PSNR()._direction, Brightness()._direction) == ("up", "down")
