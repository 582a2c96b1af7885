"""`load_tfds`: batches of tfds's sets and of ours, as from folders."""

import importlib.util
import pathlib
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow_datasets as tfds
from helpers import tiny_unet
from PIL import Image

import keras_indi
from keras_indi.data import load_tfds, pairs_from_folders
from keras_indi.data.degradations import GaussianNoise, PureNoise
from keras_indi.data.resize import resize

ROOT = pathlib.Path(__file__).parent
DUMMY = ROOT / "dummy_data"
CROPS = {"crop_size": 16, "batch_size": 2, "seed": 3}

pytestmark = pytest.mark.filterwarnings("ignore:.*officially:UserWarning")
# What does not depend on Keras's backend runs on one.
one_backend = pytest.mark.slow


def epochs(pairs, count=2):
    """All batches of some epochs, as NumPy arrays."""
    return [
        tuple(np.asarray(images) for images in batch)
        for _ in range(count)
        for batch in pairs
    ]


def assert_same(batches, others):
    assert len(batches) == len(others) > 0
    for batch, other in zip(batches, others):
        for images, expected in zip(batch, other):
            assert images.dtype == expected.dtype
            np.testing.assert_array_equal(images, expected)


def whole(pairs):
    """The images of pairs that were made with `training=False`, one by one."""
    degraded, clean = zip(*epochs(pairs, 1))
    return np.concatenate(degraded), np.concatenate(clean)


@one_backend
@pytest.mark.parametrize("depth", ["uint8", "uint16"])
def test_the_same_batches_as_from_the_folders(tmp_path, depth):
    tree = DUMMY / f"paired_folders_{depth}"
    options = {**CROPS, "dtype": depth}
    ours = load_tfds(
        f"paired_folders/{depth}", data_dir=tmp_path, manual_dir=tree, **options
    )
    degraded, clean = (tree / "train" / side for side in ("degraded", "clean"))
    theirs = pairs_from_folders(clean, degraded=degraded, **options)
    assert_same(epochs(ours), epochs(theirs))


@one_backend
def test_the_same_batches_by_either_reader_and_file_format(prepared):
    pytest.importorskip("tensorflow")
    array_record, tfrecord = (
        prepared("gopro/blur", form) for form in ("array_record", "tfrecord")
    )
    expected = epochs(load_tfds("gopro/blur", data_dir=array_record, **CROPS))
    assert not np.array_equal(expected[0][1], expected[-1][1])
    for data_dir, options in (
        (array_record, {"num_workers": 0}),
        (array_record, {"cache_bytes": 0}),
        (tfrecord, {}),
        (array_record, {"reader": "tf_data"}),
        (tfrecord, {"reader": "tf_data"}),
    ):
        pairs = load_tfds("gopro/blur", data_dir=data_dir, **CROPS, **options)
        assert_same(epochs(pairs), expected)
    other_seed = {**CROPS, "seed": 4}
    pairs = load_tfds("gopro/blur", data_dir=array_record, **other_seed)
    assert not np.array_equal(epochs(pairs)[0][1], expected[0][1])


@one_backend
def test_div2k_enlarges_its_low_resolution(prepared):
    name, data_dir = "div2k/bicubic_x4", prepared("div2k/bicubic_x4")
    degraded, clean = whole(
        load_tfds(name, data_dir=data_dir, crop_size=48, batch_size=1, training=False)
    )
    examples = tfds.builder(name, data_dir=data_dir).as_data_source("train")
    for i, example in enumerate(examples):
        height, width, _ = example["hr"].shape
        enlarged = resize(example["lr"], height, width, "bilinear", antialias=False)
        top, left = (height - 48) // 2, (width - 48) // 2
        place = np.s_[top : top + 48, left : left + 48]
        np.testing.assert_array_equal(clean[i], example["hr"][place])
        np.testing.assert_array_equal(degraded[i], enlarged[place])
    assert len(clean) == len(examples) == 3


@one_backend
def test_div2k_clean_with_a_degradation(prepared):
    name, data_dir = "div2k/bicubic_x4", prepared("div2k/bicubic_x4")
    options = {"data_dir": data_dir, "crop_size": 64, "training": False}
    (degraded,), (clean,) = whole(
        load_tfds(name, "validation", GaussianNoise(20), dtype="float32", **options)
    )
    (example,) = tfds.builder(name, data_dir=data_dir).as_data_source("validation")
    np.testing.assert_allclose(255 * clean, example["hr"][:, 16:80], atol=1e-3)
    # 12288 values: the standard error of a standard deviation is 0.6 %.
    assert abs((degraded - clean).std() / (20 / 255) - 1) < 0.03


@one_backend
def test_celeb_a_gives_faces_and_pure_noise(prepared):
    data_dir = prepared("celeb_a")
    pairs = load_tfds(
        "celeb_a",
        "train",
        PureNoise(),
        data_dir=data_dir,
        batch_size=3,
        training=False,
        dtype="float32",
        value_range=(-1, 1),
    )
    degraded, clean = whole(pairs)
    assert clean.shape == degraded.shape == (3, 64, 64, 3)
    examples = tfds.builder("celeb_a", data_dir=data_dir).as_data_source("train")
    for face, example in zip(clean, examples):
        square = Image.fromarray(example["image"]).crop((19, 39, 159, 179))
        expected = np.asarray(square.resize((64, 64), Image.Resampling.BILINEAR))
        # Pillow rounds twice, and weighs otherwise what lies beyond the border.
        difference = np.abs(127.5 * (face + 1) - expected)
        assert difference[1:-1, 1:-1].max() < 1.01
    # Standard normal: 36864 values.
    assert abs(degraded.mean()) < 0.03 and abs(degraded.std() - 1) < 0.03
    assert abs(np.corrcoef(degraded.ravel(), clean.ravel())[0, 1]) < 0.03
    upright = load_tfds("celeb_a", "train", "pure_noise", data_dir=data_dir)
    (_, drawn), *_ = epochs(upright, 1)
    faces = [np.rint(127.5 * (face + 1)).astype("uint8") for face in clean]
    for image in drawn:  # trained on as they are, neither cut nor turned
        assert any(np.array_equal(image, face) for face in faces)


@one_backend
def test_other_features_and_a_preparation(prepared):
    data_dir = prepared("gopro/blur")
    options = {**CROPS, "data_dir": data_dir}
    pairs = epochs(load_tfds("gopro/blur", **options))
    swapped = load_tfds(
        "gopro/blur", degraded_feature="clean", clean_feature="degraded", **options
    )
    assert_same([batch[::-1] for batch in epochs(swapped)], pairs)
    negative = load_tfds(
        "gopro/blur",
        degradation=lambda image, generator: image // 2,
        clean_feature="degraded",
        preparation=lambda image: 255 - image,
        **options,
    )
    expected = [255 - degraded for degraded, _ in pairs]
    assert_same(epochs(negative), [(clean // 2, clean) for clean in expected])


@one_backend
def test_sixteen_bits_become_eight_only_where_asked(tmp_path):
    options = {"data_dir": tmp_path, "manual_dir": DUMMY / "dpdd", "training": False}
    options.update(split="test", crop_size=None)
    _, deep = whole(load_tfds("dpdd", dtype="uint16", **options))
    _, clean = whole(load_tfds("dpdd", **options))
    assert deep.dtype == np.uint16 and clean.dtype == np.uint8
    np.testing.assert_array_equal(np.rint(deep / 257), clean)


@one_backend
def test_grey_on_request(prepared):
    grey, colour = (
        load_tfds(
            "gopro/blur", data_dir=prepared("gopro/blur"), image_channels=n, **CROPS
        )
        for n in (1, 3)
    )
    for found, images in zip(grey[0], colour[0]):
        assert found.shape == (2, 16, 16, 1)
        luma = images @ [0.299, 0.587, 0.114]
        np.testing.assert_allclose(found[..., 0], luma, atol=1)


@one_backend
@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"name": "goppro"}, ValueError, "This package has dpdd, gopro.*name='goppro'"),
        ({"name": "gopro/blurr"}, ValueError, "configs blur, blur_gamma. Received"),
        ({"split": "val"}, ValueError, r"\['test', 'train'\].*split='val'"),
        ({"split": "train[:x]"}, ValueError, r"split='train\[:x\]'"),
        ({"reader": "grain"}, ValueError, "'data_source', 'tf_data'.*reader='grain'"),
        ({"clean_feature": "sharp"}, ValueError, r"\['clean', 'degraded'\].*'sharp'"),
        ({"clean_feature": "name"}, ValueError, "clean_feature='name'"),
        ({"degradation": "blurr"}, ValueError, "degradation='blurr'"),
        (
            {"degradation": "gaussian_noise", "degraded_feature": "degraded"},
            ValueError,
            "not both. Received",
        ),
        (
            {"preparation": np.flipud},
            ValueError,
            "`preparation` requires a `degradation`",
        ),
        ({"crop_size": 99}, ValueError, r"none can be.* train\[0\]: too small \(20x24"),
    ],
)
def test_bad_arguments_are_told(prepared, arguments, error, message):
    arguments = {"name": "gopro/blur", "crop_size": 16, **arguments}
    with pytest.raises(error, match=message):
        load_tfds(**arguments, data_dir=prepared("gopro/blur"))


@one_backend
def test_a_clean_set_needs_a_degradation(prepared):
    with pytest.raises(ValueError, match="has only clean images.*degradation=None"):
        load_tfds("celeb_a", data_dir=prepared("celeb_a"))


@one_backend
def test_what_is_not_prepared_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="download=True.*GOPRO_Large.zip from"):
        load_tfds("gopro/blur", data_dir=tmp_path, download=False)
    with pytest.raises(FileNotFoundError) as error:
        load_tfds("sidd", data_dir=tmp_path)
    assert "SIDD_Medium_Srgb.zip; place it in" in str(error.value)
    assert str(error.value).endswith(f"manual_dir={tmp_path}/downloads/manual")
    with pytest.raises(FileNotFoundError, match="Make `manual_dir` the folder of"):
        load_tfds("paired_folders", data_dir=tmp_path, manual_dir=tmp_path / "none")
    assert not list(tmp_path.rglob("*.array_record*"))


@one_backend
def test_a_damaged_image_is_named_and_replaced(tmp_path):
    shutil.copytree(DUMMY / "gopro", tmp_path / "manual")
    sharp = next((tmp_path / "manual").rglob("train/*/sharp/000048.png"))
    sharp.write_bytes(sharp.read_bytes()[:100])
    pairs = load_tfds(
        "gopro/blur", data_dir=tmp_path, manual_dir=tmp_path / "manual", **CROPS
    )
    with pytest.warns(UserWarning, match=r"1 of 3.*gopro/blur/1.0.0 train\[1\]: trunc"):
        assert len(epochs(pairs, 1)) == 2


@one_backend
def test_a_position_is_of_one_split(prepared):
    options = {"data_dir": prepared("gopro/blur"), "crop_size": 8, "batch_size": 1}
    first, second = (
        load_tfds("gopro/blur", split, batches_per_epoch=2, **options)
        for split in ("train[:1]", "train[1:2]")
    )
    assert "gopro/blur/1.0.0 train[:1]: 1 examples" in first.fingerprint
    first.set_state(first.get_state())
    with pytest.raises(ValueError, match=r"not those.*train\[:1\].*train\[1:2\]"):
        second.set_state(first.get_state())


@one_backend
def test_images_above_a_limit_are_named(prepared):
    with pytest.raises(ValueError, match="max_pixels=10"):
        load_tfds("gopro/blur", data_dir=prepared("gopro/blur"), max_pixels=10)


@one_backend
def test_one_data_dir_holds_one_tree_of_folders(tmp_path):
    options = {"data_dir": tmp_path, **CROPS}
    tree = DUMMY / "paired_folders_uint8"
    load_tfds("paired_folders/uint8", manual_dir=tree, **options)
    load_tfds("paired_folders/uint8", manual_dir=tree, **options)
    load_tfds("paired_folders/uint8", **options)
    with pytest.raises(
        ValueError, match="paired_folders_uint8; use another `data_dir`"
    ):
        load_tfds("paired_folders/uint8", manual_dir=DUMMY, **options)


@one_backend
def test_without_tfds_the_command_that_mends_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ImportError, match=r'pip install "keras-indi\[tfds\]"$'):
        load_tfds("gopro/blur", data_dir=tmp_path)


def test_fit_through_either_reader(prepared):
    options = {"data_dir": prepared("gopro/blur"), **CROPS}
    held_out = load_tfds("gopro/blur", "test", training=False, **options)
    model = keras_indi.models.InDI(tiny_unet(), value_range=(0, 255), seed=0)
    model.compile(optimizer=keras.optimizers.Adam(3e-3))
    losses = [model.evaluate(held_out, verbose=0)]
    readers = ["data_source"]
    if importlib.util.find_spec("tensorflow"):
        readers.append("tf_data")
    for reader in readers:
        pairs = load_tfds("gopro/blur", reader=reader, batches_per_epoch=12, **options)
        history = model.fit(pairs, validation_data=held_out, verbose=0).history
        losses.extend(history["val_loss"])
    assert max(losses[1:]) < 0.8 * losses[0]


WITHOUT_TENSORFLOW = """
import sys
import keras_indi

pairs = keras_indi.data.load_tfds(
    "gopro/blur_gamma", "train", data_dir=sys.argv[1], manual_dir=sys.argv[2],
    crop_size=16, batch_size=2,
)
keras_indi.data.load_tfds("celeb_a", "train", "pure_noise", data_dir=sys.argv[3])[0]
model = keras_indi.models.InDI(
    keras_indi.models.UNetBackbone(base_channels=4, channel_multipliers=(1, 2))
)
model.compile()
model.fit(pairs, epochs=1, verbose=0)
print("tensorflow" in sys.modules)
"""


@pytest.mark.skipif(keras.config.backend() == "tensorflow", reason="it is the backend")
def test_preparing_and_training_import_no_tensorflow(prepared, tmp_path):
    folders = (tmp_path, DUMMY / "gopro", prepared("celeb_a"))
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, *map(str, folders)],
        cwd=ROOT.parents[2],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip().splitlines()[-1] == "False"
