"""Scorer of folders, arrays and models, against scikit-image."""

import types
import warnings

import keras
import numpy as np
import pytest
from helpers import shared_folder, small_network, smooth_images
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from keras_indi.data.sample_photographs import sample_photographs
from keras_indi.evaluation import Protocol, Table, as_pairs, evaluate, scoring
from keras_indi.evaluation.scorer import Scorer
from keras_indi.models import InDI
from keras_indi.samplers import InDISampler

pytestmark = pytest.mark.optimized  # scores have many digits


def photographs(count=3, size=32):
    (image,) = sample_photographs(("chelsea",))
    corners = [(50 + 20 * i, 100 + 10 * i) for i in range(count)]
    return [image[top : top + size, left : left + size] for top, left in corners]


def blurred(image):
    height, width, _ = image.shape
    small = Image.fromarray(image).resize((width // 2, height // 2))
    return np.asarray(small.resize((width, height)))


def write(folder, images, ending=".png"):
    for name, image in images.items():
        path = folder / f"{name}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path, lossless=True)
    return folder


def scores(clean, restored):
    ssim = structural_similarity(
        clean,
        restored,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return peak_signal_noise_ratio(clean, restored), ssim


@pytest.fixture
def folders(tmp_path):
    names = ["b", "a/c", "a/d"]
    clean = dict(zip(names, photographs()))
    restored = {name: blurred(image) for name, image in clean.items()}
    # Another system's names: a tree, with endings of its own.
    write(tmp_path / "clean", clean, ".png")
    write(tmp_path / "restored", restored, ".webp")
    return tmp_path, clean, restored


@pytest.fixture(scope="module")
def model():
    return InDI(small_network(), noise_schedule=0.05, seed=0)


def test_folders_score_as_scikit_image_says(folders):
    root, clean, restored = folders
    evaluation = evaluate(root / "restored", root / "clean")
    assert [row["name"] for row in evaluation] == ["a/c", "a/d", "b"]
    expected = [scores(clean[n], restored[n]) for n in ("a/c", "a/d", "b")]
    found = [(row["psnr"], row["ssim"]) for row in evaluation]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    means = [evaluation.means["psnr"], evaluation.means["ssim"]]
    np.testing.assert_allclose(means, np.mean(expected, axis=0), atol=1e-5)
    assert not evaluation.failures


def test_arrays_and_lists_score_as_folders(folders):
    root, clean, restored = folders
    rows = evaluate(root / "restored", root / "clean").rows
    names = sorted(clean)
    clean, restored = ([side[n] for n in names] for side in (clean, restored))
    for sides in [(restored, clean), (np.stack(restored), np.stack(clean))]:
        for found, expected in zip(evaluate(*sides).rows, rows):
            assert found["psnr"] == expected["psnr"]


def test_two_folders_come_as_a_tuple_or_a_list(folders):
    root, *_ = folders
    sides = [root / "restored", str(root / "clean")]
    first, second = as_pairs(tuple(sides)), as_pairs(sides)
    assert first.names == second.names == ["a/c", "a/d", "b"]
    for image, other in zip(first.read(2), second.read(2)):
        np.testing.assert_array_equal(image, other)
    with pytest.raises(ValueError, match="Received: .* PosixPath and ndarray"):
        as_pairs([root / "restored", np.zeros((2, 16, 16, 3))])


def interrupted_after(monkeypatch, count):
    """Makes a run break off at the pair after so many; counts those it measures."""
    measured = []

    def measure(self, clean, restored):
        if len(measured) == count:
            raise KeyboardInterrupt
        measured.append(1)
        return original(self, clean, restored)

    original = Scorer.measure
    monkeypatch.setattr(Scorer, "measure", measure)
    return measured


def test_an_interrupted_evaluation_continues_where_it_stopped(folders, monkeypatch):
    root, clean, _ = folders
    write(root / "restored", {"b": clean["b"]}, ".webp")  # infinite PSNR
    sides = root / "restored", root / "clean"
    whole = evaluate(*sides, output_dir=root / "whole")
    assert Table.from_json(root / "whole" / "evaluation.json") == whole
    assert evaluate(*sides) == whole
    with monkeypatch.context() as patch:
        interrupted_after(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            evaluate(*sides, output_dir=root / "out")
    assert not (root / "out" / "evaluation.json").exists()
    measured = interrupted_after(monkeypatch, 9)
    assert evaluate(*sides, output_dir=root / "out") == whole
    assert len(measured) == 1
    assert evaluate(*sides, output_dir=root / "out") == whole
    assert len(measured) == 1
    written = [
        {
            path.relative_to(folder): path.read_bytes()
            for path in folder.rglob("*.[jc]s*")
        }
        for folder in (root / "whole", root / "out")
    ]
    assert written[0] == written[1] and len(written[0]) == 3
    Image.open(root / "out" / "evaluation.png").verify()
    assert not list(root.rglob(".*"))


def test_what_could_not_be_scored_is_told_again(folders):
    root, *_ = folders
    (root / "restored" / "a" / "c.webp").write_bytes(b"RIFF torn")
    run = (root / "restored", root / "clean")
    for _ in range(2):
        with pytest.warns(UserWarning, match="1 images are in no score"):
            table = evaluate(*run, output_dir=root / "out")
        assert [row["name"] for row in table] == ["a/d", "b"]


def test_another_evaluations_folder_is_refused(folders, model):
    root, clean, _ = folders

    def run(protocol=None, restored="restored", **arguments):
        sides = root / restored, root / "clean"
        return evaluate(*sides, protocol, output_dir=root / "out", **arguments)

    run()
    with pytest.raises(
        ValueError, match="another protocol; .*Received: output_dir=.*out"
    ):
        run(Protocol(crop_border=1))
    with pytest.raises(ValueError, match="another model, .*, num_steps;"):
        pairs = root / "restored", root / "clean"
        evaluate(model, pairs, output_dir=root / "out", num_steps=1)
    write(root / "restored", {"b": clean["b"]}, ".webp")
    with pytest.raises(ValueError, match="another images;"):
        run()
    (root / "out" / "measured" / "circumstances.json").unlink()
    with pytest.raises(ValueError, match="without circumstances.json.*measured"):
        run()


def test_a_models_evaluation_continues_where_it_stopped(model, tmp_path, monkeypatch):
    monkeypatch.setattr(scoring, "PIXELS_PER_CHUNK", 2 * 32 * 32)
    clean = photographs(5)
    run = model, ([blurred(image) for image in clean], clean)
    arguments = {"num_steps": 2, "sampler": InDISampler()}
    whole = evaluate(*run, **arguments)
    with monkeypatch.context() as patch:
        interrupted_after(patch, 3)  # in the second of three chunks
        with pytest.raises(KeyboardInterrupt):
            evaluate(*run, output_dir=tmp_path, **arguments)
    restored = []

    def restore(images, **arguments):
        restored.append(len(images))
        return type(model).restore(model, images, **arguments)

    monkeypatch.setattr(model, "restore", restore)
    measured = interrupted_after(monkeypatch, 9)
    assert evaluate(*run, output_dir=tmp_path, batch_size=1, **arguments) == whole
    assert restored == [2, 1] and len(measured) == 2
    for changed in ({"num_steps": 1}, {"seed": 5}, {"time_grid": "power"}):
        (name,) = changed
        with pytest.raises(ValueError, match=f"another {name};"):
            evaluate(*run, output_dir=tmp_path, **{**arguments, **changed})


def test_the_first_images_are_those_of_the_protocol(folders):
    root, *_ = folders
    few = evaluate(root / "restored", root / "clean", Protocol(num_images=2))
    assert [row["name"] for row in few] == ["a/c", "a/d"]


def test_names_that_do_not_match_are_told_before_any_work(folders):
    root, *_ = folders
    (root / "restored" / "b.webp").rename(root / "restored" / "b_out.webp")
    message = r"1 only in .*restored \(b_out\); 1 only in .*clean \(b\)"
    with pytest.raises(ValueError, match=message):
        evaluate(root / "restored", root / "clean")


def test_endings_alone_make_no_difference_between_names(folders):
    root, clean, _ = folders
    write(root / "clean", {"b": clean["b"]}, ".webp")
    with pytest.raises(ValueError, match=r"Received: .*b\.png.* and .*b\.webp"):
        evaluate(root / "restored", root / "clean")


def test_what_cannot_be_scored_is_in_no_score(folders):
    root, clean, restored = folders
    (root / "restored" / "a" / "c.webp").write_bytes(b"RIFF torn")
    write(root / "restored", {"a/d": restored["a/d"][:16]}, ".webp")
    with pytest.warns(UserWarning, match="2 images are in no score"):
        evaluation = evaluate(root / "restored", root / "clean")
    assert [row["name"] for row in evaluation] == ["b"]
    psnr = peak_signal_noise_ratio(clean["b"], restored["b"])
    assert evaluation.means["psnr"] == pytest.approx(psnr, abs=1e-5)
    reasons = {failure["name"]: failure["reason"] for failure in evaluation.failures}
    assert "unreadable" in reasons["a/c"]
    assert "of shape (16, 32, 3)" in reasons["a/d"]
    (root / "restored" / "b.webp").write_bytes(b"")
    with pytest.raises(ValueError, match="No pair could be scored.*a/c: "):
        evaluate(root / "restored", root / "clean", output_dir=root / "scores")
    table = Table.from_json(root / "scores/evaluation.json")
    assert table.rows == [] and table.means is None
    assert [failure["name"] for failure in table.failures] == ["a/c", "a/d", "b"]


def test_images_above_a_limit_are_named(folders):
    root, clean, restored = folders
    write(root / "clean", {"b": clean["b"][:16, :16]}, ".png")
    write(root / "restored", {"b": restored["b"][:16, :16]}, ".webp")
    with pytest.warns(UserWarning, match=r"too large .*max_pixels=1000"):
        evaluation = evaluate(root / "restored", root / "clean", max_pixels=1000)
    assert [row["name"] for row in evaluation] == ["b"]
    with pytest.raises(ValueError, match="max_pixels=0"):
        evaluate(root / "restored", root / "clean", max_pixels=0)


def test_images_smaller_than_a_metrics_window_are_named(tmp_path):
    image = photographs(1, size=32)[0]
    write(tmp_path / "clean", {"big": image, "small": image[:8, :8]})
    write(tmp_path / "restored", {"big": blurred(image), "small": image[:8, :8]})
    with pytest.warns(UserWarning, match="small: .*at least 11 pixels"):
        evaluation = evaluate(tmp_path / "restored", tmp_path / "clean")
    assert [row["name"] for row in evaluation] == ["big"]


def test_grey_files_count_as_equal_channels(tmp_path):
    grey = photographs(1)[0][..., 0]
    colour = np.repeat(blurred(np.repeat(grey[..., None], 3, -1))[..., :1], 3, -1)
    write(tmp_path / "clean", {"a": grey})
    write(tmp_path / "restored", {"a": colour})
    (row,) = evaluate(tmp_path / "restored", tmp_path / "clean")
    expected = peak_signal_noise_ratio(grey, colour[..., 0])
    assert row["psnr"] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("given", ["arrays", "lists", "pairs", "folders", "data"])
def test_a_models_scores_are_those_of_its_restorations(given, model, tmp_path):
    clean = photographs()
    degraded = [blurred(image) for image in clean]
    if given == "arrays":
        pairs = (np.stack(degraded), np.stack(clean))
    elif given == "lists":
        pairs = (degraded, clean)
    elif given == "pairs":
        pairs = list(zip(degraded, clean))
    elif given == "folders":
        names = ["0", "1", "2"]
        pairs = (
            write(tmp_path / "degraded", dict(zip(names, degraded))),
            write(tmp_path / "clean", dict(zip(names, clean))),
        )
    else:
        pairs = Batches(degraded, clean)
    arguments = {"num_steps": 2, "sampler": "naive"}
    evaluation = evaluate(model, pairs, seed=7, batch_size=2, **arguments)
    seeds = [np.random.SeedSequence((7, n)).generate_state(1)[0] for n in range(3)]
    restored = model.restore(degraded, seed=seeds, **arguments)
    expected = [scores(c, r) for c, r in zip(clean, restored)]
    found = [(row["psnr"], row["ssim"]) for row in evaluation]
    np.testing.assert_allclose(found, expected, atol=1e-5)


class Batches(keras.utils.PyDataset):
    def __init__(self, degraded, clean):
        super().__init__()
        self.pairs = np.stack(degraded), np.stack(clean)

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return tuple(images[2 * index : 2 * index + 2] for images in self.pairs)


def test_the_seed_fixes_the_noise_and_no_two_images_share_it(model, monkeypatch):
    clean = smooth_images(1).astype("uint8")
    pairs = (np.repeat(clean, 4, axis=0), np.repeat(clean, 4, axis=0))
    protocol = Protocol(("psnr",), seed=1)
    rows = evaluate(model, pairs, protocol, num_steps=1).rows
    assert len({row["psnr"] for row in rows}) == 4
    assert evaluate(model, pairs, protocol, num_steps=1, batch_size=1).rows == rows
    other = evaluate(model, pairs, protocol, seed=2, num_steps=1).rows
    assert other[0] != rows[0]
    # Neither do images of different chunks.
    monkeypatch.setattr(scoring, "PIXELS_PER_CHUNK", 1)
    rows = evaluate(model, pairs, protocol, num_steps=1).rows
    assert len({row["psnr"] for row in rows}) == 4


def test_bad_arguments(model, tmp_path):
    clean = np.zeros((2, 16, 16, 3), "uint8")
    with pytest.raises(ValueError, match=r"Received: \['num_steps'\]"):
        evaluate(clean, clean, num_steps=2)
    with pytest.raises(ValueError, match=r"Received: \['num_samples'\]"):
        evaluate(model, (clean, clean), num_samples=2)
    with pytest.raises(ValueError, match="Received: seed='a'"):
        evaluate(model, (clean, clean), seed="a", output_dir=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(ValueError, match="Received: restored of type PosixPath"):
        evaluate(tmp_path, clean)
    restorer = types.SimpleNamespace(restore=model.restore)
    with pytest.raises(ValueError, match="Received: restored of type SimpleNamespace"):
        evaluate(restorer, (clean, clean), output_dir=tmp_path)
    with pytest.raises(ValueError, match="Received: 2 and 1 images"):
        evaluate(clean, clean[:1])
    with pytest.raises(ValueError, match="Received: pair 1 of shapes"):
        evaluate([clean[0], clean[1]], [clean[0], clean[1][:8]])
    with pytest.raises(ValueError, match="Folder not found"):
        evaluate(tmp_path / "none", tmp_path)
    with pytest.raises(ValueError, match="Received: no images"):
        evaluate(tmp_path, tmp_path)
    with pytest.raises(ValueError, match="value_range"):
        evaluate(clean + 128, clean, Protocol(value_range=(0, 1)))


def test_lpips_of_the_published_fixture():
    weights = shared_folder("weights", "lpips_alex_v0.1.npz")
    fixtures = shared_folder("weights", "fixtures")
    images = [
        np.asarray(Image.open(fixtures / f"ex_{name}.png").convert("RGB"))
        for name in ("ref", "p0", "p1")
    ]
    protocol = Protocol(("lpips_alex",), weights={"alex": weights})
    evaluation = evaluate(images[1:], [images[0]] * 2, protocol)
    found = [row["lpips_alex"] for row in evaluation]
    np.testing.assert_allclose(found, [0.7219, 0.1376], atol=1e-4)


def test_no_warning_where_all_is_well():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        found = evaluate(photographs(), photographs(), Protocol(("ssim",)))
    assert found.means["ssim"] == pytest.approx(1)
