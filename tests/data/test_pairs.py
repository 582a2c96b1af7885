"""Batches: the same for one seed, from any number of workers, at any position."""

import json
import warnings

import numpy as np
import pytest
from helpers import smooth_images
from PIL import Image

from keras_indi import data
from keras_indi.data.degradations import Downsample, FrameAverage, GaussianNoise
from keras_indi.images.encoding import write_png

pytestmark = pytest.mark.backend_free

COUNT = 11


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders of degraded and clean images; image i has a blue of i."""
    root = tmp_path_factory.mktemp("pairs")
    clean = smooth_images(COUNT, 24, 20, seed=5).astype("uint8")
    clean[..., 2] = np.arange(COUNT)[:, None, None]
    for number, image in enumerate(clean):
        write_png(root / "clean" / f"{number:02}.png", image)
        dark = image // np.array([2, 2, 1], "uint8")
        write_png(root / "degraded" / f"{number:02}.png", dark)
    return root


def paired(folders, **options):
    arguments = {"crop_size": 8, "batch_size": 4, "seed": 3, **options}
    return data.pairs_from_folders(
        folders / "clean", degraded=folders / "degraded", **arguments
    )


def noisy(folders, **options):
    arguments = {"crop_size": 8, "batch_size": 4, "seed": 3, **options}
    return data.pairs_from_folders(
        folders / "clean", degradation=GaussianNoise(25.5), **arguments
    )


MAKERS = pytest.mark.parametrize("make", [paired, noisy])


def equal(batches, others):
    return len(batches) == len(others) and all(
        np.array_equal(image, other)
        for batch, other_batch in zip(batches, others)
        for image, other in zip(batch, other_batch)
    )


def two_epochs(pairs):
    return [*pairs, *pairs]


def images_seen(batches):
    return [int(image[0, 0, 2]) for _, clean in batches for image in clean]


@MAKERS
def test_batches_do_not_depend_on_run_or_workers(make, folders):
    expected = two_epochs(make(folders, num_workers=0))
    for workers in (0, 1, 4):
        assert equal(two_epochs(make(folders, num_workers=workers)), expected)
    assert not equal(two_epochs(make(folders, seed=4)), expected)


@MAKERS
def test_epochs_differ_and_pairs_fit(make, folders):
    pairs = make(folders)
    first, second = list(pairs), list(pairs)
    assert not equal(first, second)
    for degraded, clean in [*first, *second]:
        assert degraded.shape == clean.shape == (4, 8, 8, 3)
        assert degraded.dtype == clean.dtype == "uint8"
        if make is paired:
            np.testing.assert_array_equal(degraded[..., :2], clean[..., :2] // 2)
        else:
            error = degraded[..., 0].astype(float) - clean[..., 0]
            assert 15 < np.std(error) < 30  # 25.5, less what was clipped


def test_each_pass_takes_each_image_once_in_an_order_of_its_own(folders):
    pairs = paired(folders, batch_size=1, num_workers=2)
    passes = [images_seen(list(pairs)) for _ in range(3)]
    assert all(sorted(seen) == list(range(COUNT)) for seen in passes)
    assert passes[0] != passes[1] != passes[2]


def test_passes_join_without_a_gap(folders):
    pairs = paired(folders, batch_size=4)
    seen = images_seen([*pairs, *pairs, *pairs, *pairs])[: 4 * COUNT]
    for start in range(0, 4 * COUNT, COUNT):
        assert sorted(seen[start : start + COUNT]) == list(range(COUNT))


@MAKERS
@pytest.mark.parametrize("read", [0, 1, 3])
def test_a_saved_position_goes_on_at_the_next_batch(make, read, folders):
    expected = two_epochs(make(folders))
    epoch = len(expected) // 2
    pairs = make(folders)
    list(pairs)
    iterator = iter(pairs)
    for _ in range(read):
        next(iterator)
    state = json.loads(json.dumps(iterator.get_state()))
    # In another process, and in this iterator.
    for workers in (0, 3):
        resumed = make(folders, num_workers=workers)
        resumed.set_state(state)
        assert equal(list(resumed)[: epoch - read], expected[epoch + read :])
    iterator.set_state({**state, "next_batch": 1})
    assert equal([next(iterator)], expected[1:2])


def test_a_position_of_other_pairs_is_refused(folders):
    state = iter(paired(folders)).get_state()
    with pytest.raises(ValueError, match=r"Received: \{'seed': 3\} in.*'seed': 4\}"):
        paired(folders, seed=4).set_state(state)


def test_the_length_of_an_epoch(folders):
    assert len(paired(folders)) == 3  # 11 images, 4 a batch
    pairs = paired(folders, batches_per_epoch=7)
    assert len(pairs) == len(list(pairs)) == 7


@MAKERS
def test_validation_is_the_same_each_time_and_takes_each_image_once(make, folders):
    pairs = make(folders, training=False)
    first, second = list(pairs), list(pairs)
    assert equal(first, second)
    assert images_seen(first) == list(range(COUNT))
    assert [len(clean) for _, clean in first] == [4, 4, 3]
    _, clean = first[0]
    with Image.open(folders / "clean" / "00.png") as image:
        np.testing.assert_array_equal(clean[0], np.asarray(image)[8:16, 6:14])


def test_whole_images(folders, tmp_path):
    pairs = paired(folders, training=False, crop_size=None)
    assert next(iter(pairs))[0].shape == (4, 24, 20, 3)
    write_png(tmp_path / "a.png", np.zeros((8, 8, 3), "uint8"))
    write_png(tmp_path / "b.png", np.zeros((8, 9, 3), "uint8"))
    mixed = data.pairs_from_folders(
        tmp_path, degraded=tmp_path, crop_size=None, batch_size=2, training=False
    )
    for _ in range(2):  # an error does not confuse what is read ahead
        with pytest.raises(ValueError, match="one size.*crop_size"):
            list(mixed)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_dtypes_and_ranges(dtype, folders):
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    expected = next(iter(paired(folders)))
    for found, reference in zip(next(iter(paired(folders, dtype=dtype))), expected):
        assert found.dtype == dtype
        np.testing.assert_allclose(found * (255 / top), reference, rtol=0, atol=1e-4)


def test_float_noise_is_in_the_value_range(folders):
    pairs = noisy(folders, dtype="float32", value_range=(0, 255))
    degraded, clean = next(iter(pairs))
    # 768 values, neither rounded nor clipped: five standard errors are 13 %.
    assert np.std(degraded - clean) == pytest.approx(25.5, rel=0.13)


def test_grey_batches(folders):
    grey = next(iter(paired(folders, image_channels=1)))
    colour = next(iter(paired(folders)))
    for found, images in zip(grey, colour):
        assert found.shape == (4, 8, 8, 1)
        luma = images @ [0.299, 0.587, 0.114]
        np.testing.assert_allclose(found[..., 0], luma, atol=1)


# === What cannot be used ===


@pytest.fixture
def broken(folders, tmp_path):
    """The pairs, two of which are unreadable and one too small."""
    for side in ("degraded", "clean"):
        (tmp_path / side).mkdir()
        for path in (folders / side).iterdir():
            (tmp_path / side / path.name).write_bytes(path.read_bytes())
    truncated = tmp_path / "clean" / "03.png"
    truncated.write_bytes(truncated.read_bytes()[:-40])
    (tmp_path / "degraded" / "07.png").write_text("no image")
    for side in ("degraded", "clean"):
        write_png(tmp_path / side / "09.png", np.zeros((7, 30, 3), "uint8"))
    return tmp_path


def test_bad_files_are_replaced_counted_and_named_once(broken):
    pairs = paired(broken, num_workers=2)
    with pytest.warns(UserWarning, match="3 of 11 images or pairs") as caught:
        first = list(pairs)
    (message,) = [str(warning.message) for warning in caught]
    for name in ("03: truncated", "07: unreadable", "09: too small"):
        assert name in message
    assert len(first) == 3 and all(len(clean) == 4 for _, clean in first)
    assert not {3, 7, 9} & set(images_seen(first))
    assert list(sorted(pairs.skipped)) == ["03", "07", "09"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second = list(pairs)
    # Who met the bad ones when makes no difference.
    with pytest.warns(UserWarning):
        assert equal(two_epochs(paired(broken, num_workers=0)), [*first, *second])
    resumed = paired(broken)
    resumed.set_state({**resumed.get_state(), "next_batch": 3})
    with pytest.warns(UserWarning):
        assert equal(list(resumed), second)


def test_nothing_usable_is_an_error_at_once(tmp_path):
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_text("no image")
    with pytest.raises(ValueError, match="none can be used.*2 images.*a: unreadable"):
        data.pairs_from_folders(tmp_path, degradation=GaussianNoise())
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="must hold images.*empty"):
        data.pairs_from_folders(tmp_path / "empty", degradation="gaussian_noise")


@pytest.mark.parametrize("others", [{}, {"degraded": "dark", "degradation": "jpeg"}])
def test_one_of_a_folder_and_a_degradation_is_required(others):
    with pytest.raises(ValueError, match="exactly one.*Received: degraded="):
        data.pairs_from_folders("missing", **others)


def test_a_path_for_a_degraded_folder_is_no_positional_argument(folders):
    with pytest.raises(TypeError):
        data.pairs_from_folders(folders / "degraded", folders / "clean")


def test_no_partners_is_an_error_that_shows_names(folders, tmp_path):
    write_png(tmp_path / "other.png", np.zeros((8, 8, 3), "uint8"))
    with pytest.raises(ValueError, match=r"No degraded.*00, 01, 02 and 8 more"):
        data.pairs_from_folders(tmp_path, degraded=folders / "degraded")


def test_missing_partners_are_named_in_a_warning(broken):
    (broken / "clean" / "05.png").unlink()
    with pytest.warns(UserWarning, match=r"10 pairs; 1 degraded without .*\(05\)"):
        paired(broken)


@pytest.mark.parametrize(
    "options",
    [
        {"crop_size": 0},
        {"crop_size": (8, 8, 8)},
        {"batch_size": 0},
        {"batches_per_epoch": 0},
        {"num_workers": -1},
        {"seed": None},
        {"dtype": "float64"},
    ],
    ids=str,
)
def test_bad_arguments_are_named(options, folders):
    (name,) = options
    with pytest.raises(ValueError, match=f"Received: {name}="):
        paired(folders, **options)


@pytest.mark.parametrize("degradation", [Downsample(2, enlarge=False), FrameAverage()])
def test_degradations_of_another_shape_are_refused(degradation, folders):
    with pytest.raises(ValueError, match="Received: degradation="):
        data.pairs_from_folders(folders / "clean", degradation=degradation)


def test_degradations_go_by_name(folders):
    named, built = (
        data.pairs_from_folders(
            folders / "clean", degradation=degradation, crop_size=8, seed=0
        )
        for degradation in ("gaussian_noise", GaussianNoise())
    )
    assert equal(list(named), list(built))


# === Any source ===


def test_any_source_with_random_access(folders):
    clean = smooth_images(3, 12, 12).astype("uint8")
    pairs = data.make_pairs(
        list(zip(clean // 2, clean)), crop_size=12, batch_size=3, augment=False
    )
    for degraded, cut in pairs:
        np.testing.assert_array_equal(degraded, cut // 2)


def test_tensorflow_gets_the_same_batches(folders):
    pytest.importorskip("tensorflow")
    expected = two_epochs(paired(folders))
    dataset = paired(folders).as_tf_dataset()
    assert dataset.cardinality() == 3
    assert dataset.element_spec[0].shape == (None, 8, 8, 3)
    found = [
        tuple(images.numpy() for images in batch) for _ in range(2) for batch in dataset
    ]
    assert equal(found, expected)


def joined(parts):
    """The batches of several processes, put together as they train on them."""
    return [
        tuple(np.concatenate(sides) for sides in zip(*batches))
        for batches in zip(*parts, strict=True)
    ]


@MAKERS
@pytest.mark.parametrize("count", [2, 4])
def test_the_parts_of_processes_are_the_batches_of_one(folders, make, count):
    options = {"batches_per_epoch": 5}
    whole = two_epochs(make(folders, **options))
    parts = [make(folders, shard=(i, count), **options) for i in range(count)]
    assert all(len(part) == 5 for part in parts)
    found = [two_epochs(part) for part in parts]
    assert found[0][0][0].shape[0] == 4 // count
    assert equal(joined(found), whole)
    # One goes on where another stood, and so does one process alone.
    parts[1].set_state(parts[0].get_state())
    alone = make(folders, **options)
    alone.set_state(parts[0].get_state())
    assert equal(joined([list(part) for part in parts]), list(alone))


@MAKERS
def test_of_a_short_last_batch_all_processes_read_as_much(folders, make):
    whole = list(make(folders, training=False))  # 4, 4 and 3 pairs
    with pytest.warns(UserWarning, match="1 of 11 pairs are left out"):
        parts = [make(folders, training=False, shard=(i, 2)) for i in range(2)]
    found = joined([list(part) for part in parts])
    assert [len(degraded) for degraded, _ in found] == [4, 4, 2]
    cut = [*whole[:2], tuple(side[:2] for side in whole[2])]
    assert equal(found, cut)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"shard": (2, 2)}, r"0 <= index < count. Received: shard=\(2, 2\)"),
        ({"shard": 1}, "must be a pair .* Received: shard=1"),
        ({"shard": (0, 0)}, "0 <= index < count"),
        ({"shard": (0, 1.0)}, "of ints"),
        (
            {"shard": (0, 3)},
            r"must be a multiple of 3.*: 3 or 6. Received: batch_size=4",
        ),
        ({"shard": (0, 8)}, r"multiple of 8.*: 8. Received: batch_size=4"),
        (
            {"shard": (0, 12), "batch_size": 12, "training": False},
            "a pair for each device .* Received: 11 pairs",
        ),
    ],
)
def test_parts_that_cannot_be(folders, options, message):
    with pytest.raises(ValueError, match=message):
        paired(folders, **options)
