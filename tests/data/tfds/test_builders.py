"""Our tfds builders, on dummy data of the official archives' layout."""

import json
import pathlib
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
import tensorflow_datasets as tfds
from scipy.io import savemat

from keras_indi.data import tfds as builders
from keras_indi.data.tfds import dpdd, gopro, paired_folders, real_blur, sidd

# tfds's own test case needs TensorFlow; nothing here depends on Keras's backend.
pytest.importorskip("tensorflow")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*officially:UserWarning"),
]

DUMMY = pathlib.Path(__file__).parent / "dummy_data"
SIDES = ("degraded", "clean")


class GoProTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = gopro.Builder
    EXAMPLE_DIR = DUMMY / "gopro"
    SPLITS = {"train": 3, "test": 2}


class DpddTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = dpdd.Builder
    EXAMPLE_DIR = DUMMY / "dpdd"
    SPLITS = {"train": 3, "validation": 1, "test": 2}


class RealBlurTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = real_blur.Builder
    EXAMPLE_DIR = DUMMY / "real_blur"
    SPLITS = {"train": 2, "test": 1}


class SiddTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = sidd.Builder
    EXAMPLE_DIR = DUMMY / "sidd"
    SPLITS = {"train": 4, "validation": 6}


class PairedFoldersTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = paired_folders.Builder
    EXAMPLE_DIR = DUMMY / "paired_folders_uint8"
    BUILDER_CONFIG_NAMES_TO_TEST = ["uint8"]
    SPLITS = {"train": 3, "validation": 1}


class PairedFolders16Test(PairedFoldersTest):
    EXAMPLE_DIR = DUMMY / "paired_folders_uint16"
    BUILDER_CONFIG_NAMES_TO_TEST = ["uint16"]


def prepare(builder_class, tmp_path, manual_dir, config=None):
    builder = builder_class(data_dir=tmp_path / "tfds", config=config)
    builder.download_and_prepare(
        file_format="array_record",
        download_config=tfds.download.DownloadConfig(manual_dir=manual_dir),
    )
    return builder


def read(path):
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None, path
    return image[..., ::-1]


def assert_pairs(builder, split, expected):
    """Compares a split with `(name, degraded file, clean file)`, order included."""
    examples = builder.as_data_source(split)
    assert [x["name"].decode() for x in examples] == [name for name, *_ in expected]
    for example, (_, degraded, clean) in zip(examples, expected):
        np.testing.assert_array_equal(example["degraded"], read(degraded))
        np.testing.assert_array_equal(example["clean"], read(clean))
        assert not np.array_equal(example["degraded"], example["clean"])


@pytest.mark.parametrize("kind", ["blur", "blur_gamma"])
def test_gopro(tmp_path, kind):
    builder = prepare(gopro.Builder, tmp_path, DUMMY / "gopro", kind)
    root = DUMMY / "gopro" / "GOPRO_Large"
    names = ["GOPR0372_07_00/000047", "GOPR0372_07_00/000048", "GOPR0374_11_00/000047"]
    folders = [root / "train" / name.split("/")[0] for name in names]
    files = [name.split("/")[1] + ".png" for name in names]
    assert_pairs(
        builder,
        "train",
        [
            (name, folder / kind / file, folder / "sharp" / file)
            for name, folder, file in zip(names, folders, files)
        ],
    )


def test_dpdd_pairs_by_rank_and_keeps_16_bits(tmp_path):
    builder = prepare(dpdd.Builder, tmp_path, DUMMY / "dpdd")
    folder = DUMMY / "dpdd" / "dd_dp_dataset_canon" / "test_c"
    expected = [
        ("1P0A0917", folder / "source/1P0A0917.png", folder / "target/1P0A0916.png"),
        ("1P0A0923", folder / "source/1P0A0923.png", folder / "target/1P0A0922.png"),
    ]
    assert_pairs(builder, "test", expected)
    (example,) = builder.as_data_source("validation")
    assert example["clean"].dtype == np.uint16
    assert example["clean"].max() > 255


@pytest.mark.parametrize("config", ["j", "r"])
def test_real_blur_follows_the_authors_lists(tmp_path, config):
    builder = prepare(real_blur.Builder, tmp_path, DUMMY / "real_blur", config)
    (folder,) = (DUMMY / "real_blur" / "RealBlur").glob(f"RealBlur-{config.upper()}_*")
    for split, scene, numbers in (
        ("train", "scene001", (1, 10)),
        ("test", "scene230", (2,)),
    ):
        root = folder / scene
        assert_pairs(
            builder,
            split,
            [
                (
                    f"{scene}/{number}",
                    root / "blur" / f"blur_{number}.png",
                    root / "gt" / f"gt_{number}.png",
                )
                for number in numbers
            ],
        )


def test_sidd_photographs_and_validation_blocks(tmp_path):
    blocks = np.random.default_rng(0).integers(0, 256, (2, 3, 8, 8, 3), "uint8")
    shutil.copytree(DUMMY / "sidd", tmp_path / "manual")
    for name, values in (
        (sidd.sidd_dataset_builder.CLEAN_BLOCKS, blocks),
        (sidd.sidd_dataset_builder.NOISY_BLOCKS, 255 - blocks),
    ):
        savemat(tmp_path / "manual" / f"{name}.mat", {name: values})
    builder = prepare(sidd.Builder, tmp_path, tmp_path / "manual")
    examples = builder.as_data_source("validation")
    assert [x["name"].decode() for x in examples] == [
        f"{image:02d}_{block:02d}" for image in range(2) for block in range(3)
    ]
    np.testing.assert_array_equal(
        np.stack([x["clean"] for x in examples]), blocks.reshape(6, 8, 8, 3)
    )
    np.testing.assert_array_equal(
        np.stack([x["degraded"] for x in examples]), 255 - blocks.reshape(6, 8, 8, 3)
    )
    scene = DUMMY / "sidd" / "SIDD_Medium_Srgb" / "Data"
    expected = [
        (
            f"{folder.name}/{folder.name[:4]}_{number}",
            folder / f"{folder.name[:4]}_NOISY_SRGB_{number}.PNG",
            folder / f"{folder.name[:4]}_GT_SRGB_{number}.PNG",
        )
        for folder in sorted(scene.iterdir())
        for number in ("010", "011")
    ]
    assert_pairs(builder, "train", expected)


def test_paired_folders_take_whole_trees_and_any_splits(tmp_path):
    root = DUMMY / "paired_folders_uint16"
    builder = prepare(paired_folders.Builder, tmp_path, root, "uint16")
    assert set(builder.info.splits) == {"train", "validation"}
    expected = [
        (name, *(root / "train" / side / f"{name}.png" for side in SIDES))
        for name in ("a", "b", "deep/a")
    ]
    assert_pairs(builder, "train", expected)


@pytest.mark.parametrize(
    "builder_class, config, folder, below",
    [
        (gopro.Builder, "blur", "gopro/GOPRO_Large", ""),
        (dpdd.Builder, None, "dpdd/dd_dp_dataset_canon", "dd_dp_dataset_png"),
        (real_blur.Builder, "j", "real_blur/RealBlur", ""),
        (sidd.Builder, None, "sidd/SIDD_Medium_Srgb", "SIDD_Medium_Srgb"),
    ],
)
def test_the_official_archive_alone_will_do(
    tmp_path, builder_class, config, folder, below
):
    manual = tmp_path / "manual"
    shutil.copytree(DUMMY / folder, tmp_path / "content" / below)
    for blocks in (DUMMY / folder).parent.glob("*.mat"):
        manual.mkdir(exist_ok=True)
        shutil.copy(blocks, manual)
    name, _, kind = builder_class.ARCHIVE.partition(".")
    form = {"zip": "zip", "tar.gz": "gztar"}[kind]
    shutil.make_archive(manual / name, form, tmp_path / "content")
    packed = prepare(builder_class, tmp_path, manual, config)
    plain = prepare(
        builder_class, tmp_path / "plain", DUMMY / folder.split("/")[0], config
    )
    assert set(packed.info.splits) == set(plain.info.splits)
    for split in plain.info.splits:
        for one, other in zip(
            packed.as_data_source(split), plain.as_data_source(split), strict=True
        ):
            assert one["name"] == other["name"]
            np.testing.assert_array_equal(one["degraded"], other["degraded"])
            np.testing.assert_array_equal(one["clean"], other["clean"])


@pytest.mark.parametrize("name", builders.BUILDERS)
def test_what_tfds_asks_of_a_builder(name):
    builder_class = getattr(sys.modules[__name__], name).Builder
    metadata = builder_class.get_metadata()
    assert len(metadata.description) > 200
    assert metadata.citation.startswith("@")
    assert "content.data-type.image" in metadata.tags
    instructions = builder_class.MANUAL_DOWNLOAD_INSTRUCTIONS
    assert "manual_dir" in instructions
    assert not builder_class.ARCHIVE or builder_class.ARCHIVE in instructions


def test_the_wheel_holds_what_tfds_asks(tmp_path):
    pytest.importorskip("setuptools")
    subprocess.run(
        [sys.executable, "setup.py", "-q", "build_py", "--build-lib", str(tmp_path)],
        cwd=DUMMY.parents[3],
        check=True,
    )
    for name in builders.BUILDERS:
        source = pathlib.Path(builders.__file__).parent / name
        files = {path.name for path in source.iterdir() if path.is_file()}
        assert {"README.md", "CITATIONS.bib", "TAGS.txt"} < files
        built = tmp_path / "keras_indi" / "data" / "tfds" / name
        assert {path.name for path in built.iterdir()} == files


def test_nothing_placed_shows_the_instructions(tmp_path):
    (tmp_path / "manual").mkdir()
    (tmp_path / "manual" / "other.zip").write_text("another data set's")
    with pytest.raises(FileNotFoundError, match="Download GOPRO_Large.zip from"):
        prepare(gopro.Builder, tmp_path, tmp_path / "manual", "blur")
    assert not list((tmp_path / "tfds").rglob("*.array_record*"))


def test_a_split_that_is_not_of_the_official_size_is_warned_of(tmp_path):
    with pytest.warns(
        UserWarning, match="'test' of `gopro` has 2 pairs, officially 11"
    ):
        prepare(gopro.Builder, tmp_path, DUMMY / "gopro", "blur")


def test_incomplete_files_are_named_before_anything_is_written(tmp_path):
    manual = tmp_path / "manual"
    shutil.copytree(DUMMY, manual)
    lost = next((manual / "gopro").glob("*/test/*/blur"))
    shutil.rmtree(lost)
    with pytest.raises(FileNotFoundError, match="2 files missing.*blur/000001.png"):
        prepare(gopro.Builder, tmp_path, manual / "gopro", "blur")
    next((manual / "dpdd").glob("*/val_c/source/*")).unlink()
    with pytest.raises(ValueError, match="equally many.*Received: 0 and 1"):
        prepare(dpdd.Builder, tmp_path, manual / "dpdd")
    (manual / "sidd" / "ValidationGtBlocksSrgb.mat").unlink()
    with pytest.raises(FileNotFoundError, match="ValidationGtBlocksSrgb.mat"):
        prepare(sidd.Builder, tmp_path, manual / "sidd")
    (manual / "paired_folders_uint8" / "train" / "clean" / "b.png").unlink()
    with pytest.raises(ValueError, match=r"'train', 2 pairs; 1 degraded without.*b\)"):
        prepare(
            paired_folders.Builder, tmp_path, manual / "paired_folders_uint8", "uint8"
        )
    assert not list((tmp_path / "tfds").rglob("*.array_record*"))


@pytest.mark.parametrize(
    "name, numbers",
    [
        ("gopro", [2, 3]),
        ("dpdd", [1, 2, 3]),
        ("real_blur", [1, 2]),
        ("sidd", [4, 6]),
        ("paired_folders", [1, 3]),
    ],
)
def test_the_command_of_tfds_builds_it(name, numbers, tmp_path):
    for module in ("apache_beam", "mlcroissant"):
        pytest.importorskip(module)
    folder = pathlib.Path(builders.__file__).parent / name
    dummy = DUMMY / (name if name != "paired_folders" else "paired_folders_uint8")
    script = "from tensorflow_datasets.scripts.cli.main import launch_cli; launch_cli()"
    command = [sys.executable, "-c", script, "build", str(folder)]
    command += ["--manual_dir", str(dummy), "--data_dir", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-3000:]
    found = sorted(tmp_path.rglob("dataset_info.json"))
    infos = [json.loads(path.read_text()) for path in found]
    assert infos
    for info in infos:
        lengths = [sum(map(int, split["shardLengths"])) for split in info["splits"]]
        assert sorted(lengths) == numbers
