"""Sets of tfds's own, prepared by its own builders from dummy downloads."""

import io
import pathlib
from unittest import mock

import cv2
import numpy as np
import pytest
import tensorflow_datasets as tfds

from keras_indi.data.tfds import gopro

MANAGER = "tensorflow_datasets.core.download.DownloadManager"
DUMMY = pathlib.Path(__file__).parent / "dummy_data"


def waves(height, width, seed):
    """A smooth colour image."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    phases = rng.uniform(0, 6, 3)
    slopes = rng.uniform(0.02, 0.3, (2, 3))
    angles = rows[..., None] * slopes[0] + columns[..., None] * slopes[1] + phases
    return np.rint(127.5 + 120 * np.sin(angles)).astype("uint8")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A function: `prepared(name, file_format)` is the data_dir of a prepared set."""
    folders = {}

    def prepare(name, file_format="array_record"):
        key = (name, file_format)
        if key not in folders:
            folders[key] = tmp_path_factory.mktemp("_".join(key).replace("/", "_"))
            PREPARE[name.split("/")[0]](name, folders[key], file_format)
        return folders[key]

    return prepare


def prepare_gopro(name, data_dir, file_format):
    builder = gopro.Builder(data_dir=data_dir, config=name.split("/")[1])
    builder.download_and_prepare(
        file_format=file_format,
        # Two shards of the training split, as large sets have many.
        download_config=tfds.download.DownloadConfig(
            manual_dir=DUMMY / "gopro", num_shards=2
        ),
    )


def prepare_div2k(name, data_dir, file_format):
    """HR images of three sizes, and LR ones of a quarter of the size."""
    pytest.importorskip("tensorflow")  # the builder lists its folders with it
    downloads = data_dir / "downloaded"
    sizes = {
        "train": {"0001": (64, 96), "0002": (96, 64), "0003": (64, 64)},
        "valid": {"0801": (64, 96)},
    }
    for split, images in sizes.items():
        for number, (height, width) in images.items():
            sharp = waves(height, width, int(number))
            small = cv2.resize(sharp, (width // 4, height // 4), cv2.INTER_AREA)
            for file, image in (
                (f"DIV2K_{split}_HR/{number}.png", sharp),
                (f"{split}_lr/X4/{number}x4.png", small),
            ):
                path = downloads / file
                path.parent.mkdir(parents=True, exist_ok=True)
                assert cv2.imwrite(str(path), image[..., ::-1])
    extracted = {
        f"{split}_{kind}_url": str(downloads / (f"{split}_lr" if kind == "lr" else ""))
        for split in sizes
        for kind in ("lr", "hr")
    }
    with mock.patch(f"{MANAGER}.download_and_extract", lambda *_: extracted):
        tfds.builder(name, data_dir=data_dir).download_and_prepare(
            file_format=file_format
        )


def prepare_celeb_a(name, data_dir, file_format):
    """Five aligned faces of CelebA's size, as far as tfds can tell."""
    partition = {"000001": 0, "000002": 0, "000003": 0, "000004": 1, "000005": 2}
    builder = tfds.builder(name, data_dir=data_dir)
    values = {
        "list_eval_partition": [f"{n}.jpg {s}" for n, s in partition.items()],
        "list_attr_celeba": table(builder.info.features["attributes"], partition),
        "landmarks_celeba": table(builder.info.features["landmarks"], partition),
        "identity_celeba": [f"{n}.jpg 7" for n in partition],
    }
    files = {"img_align_celeba": "img_align_celeba.zip"}
    for file, lines in values.items():
        files[file] = data_dir / f"{file}.txt"
        files[file].write_text("\n".join(lines) + "\n")
    archive = [(f"img/{n}.jpg", jpeg(waves(218, 178, int(n)))) for n in partition]
    with mock.patch.multiple(
        MANAGER, download=lambda *_: files, iter_archive=lambda *_: iter(archive)
    ):
        builder.download_and_prepare(file_format=file_format)


def table(features, partition):
    rows = [f"{n}.jpg " + " ".join("1" for _ in features) for n in partition]
    return [str(len(rows)), " ".join(features), *rows]


def jpeg(image):
    return io.BytesIO(cv2.imencode(".jpg", image[..., ::-1])[1].tobytes())


PREPARE = {"gopro": prepare_gopro, "div2k": prepare_div2k, "celeb_a": prepare_celeb_a}
