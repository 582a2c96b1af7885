"""Files in, restored files out: as the model restores their pixels."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from helpers import small_network, smooth_images, tiny_unet
from PIL import Image

from keras_indi.images.encoding import write_png
from keras_indi.images.jpeg_quality import jpeg_quality
from keras_indi.models import InDI, load_restorer
from keras_indi.restoration import file_seed, restore_file, restore_files


@pytest.fixture(scope="module")
def model():
    return InDI(tiny_unet(gain=0.3), noise_schedule=0.02, seed=0)


def environ():
    """That of processes which import the package."""
    return {**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parents[2])}


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = image.astype("uint8") if image.dtype == "float32" else image
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(path)
    return path


def read(path):
    image = np.asarray(Image.open(path))
    return image[..., None] if image.ndim == 2 else image


def test_the_models_own_restoration_is_written(model, tmp_path):
    images = smooth_images(2, 13, 10).astype("uint8")
    for name, image in zip(("a.png", "deep/b.tif"), images):
        write(tmp_path / "in" / name, image)
    options = {"num_steps": 2, "sampler": "heun", "time_grid": "cosine", "seed": 3}
    options["time_shift"] = 1.5
    result = restore_files(tmp_path / "in", tmp_path / "out", model, **options)
    assert result.failed == {} and result.notes == {} and result.skipped == []
    assert result.written == [tmp_path / "out/a.png", tmp_path / "out/deep/b.tif"]
    for name, image, path in zip(("a.png", "deep/b.tif"), images, result.written):
        expected = model.restore(image, **{**options, "seed": file_seed(3, name)})
        np.testing.assert_array_equal(read(path), expected)
        assert np.any(expected != image)


def test_samples_are_the_models_draws(model, tmp_path):
    image = smooth_images(1, 13, 10)[0].astype("uint8")
    path = write(tmp_path / "a.png", image)
    result = restore_files(path, None, model, num_steps=1, num_samples=2, seed=1)
    assert [p.name for p in result.written] == ["a-restored-1.png", "a-restored-2.png"]
    seed = file_seed(1, "a.png")
    expected = model.restore(image, 1, num_samples=2, seed=seed)
    for path, draw in zip(result.written, expected):
        np.testing.assert_array_equal(read(path), draw)


def test_equal_samples_of_a_model_without_noise_are_an_error(tmp_path):
    image = smooth_images(1, 13, 10)[0].astype("uint8")
    path = write(tmp_path / "a.png", image)
    model = InDI(tiny_unet(gain=0.3), noise_schedule=0.0)
    with pytest.raises(ValueError, match="`jpeg`.*Received: noise_schedule=Const"):
        restore_files(path, None, model, num_steps=1, num_samples=2)
    assert [found.name for found in tmp_path.iterdir()] == ["a.png"]
    (written,) = restore_files(path, None, model, num_steps=1, num_samples=1).written
    assert written.name == "a-restored-1.png"


def test_a_result_does_not_depend_on_what_is_restored_beside_it(model, tmp_path):
    image = smooth_images(1, 13, 10)[0].astype("uint8")
    for name in ("a.png", "b.png", "deep/a.png"):
        write(tmp_path / "in" / name, image)
    restore_files(tmp_path / "in", tmp_path / "out", model, num_steps=1)
    restore_files(tmp_path / "in/b.png", tmp_path / "alone", model, num_steps=1)
    names = ("out/a.png", "out/b.png", "out/deep/a.png")
    results = [read(tmp_path / name) for name in names]
    np.testing.assert_array_equal(read(tmp_path / "alone/b.png"), results[1])
    # Nor do two files share their noise.
    assert len({result.tobytes() for result in results}) == 3


def test_both_spellings_of_a_name_have_one_seed():
    assert file_seed(0, "caf\u00e9.png") == file_seed(0, "cafe\u0301.png")
    seeds = [file_seed(seed, name) for seed in (0, 1) for name in ("a", "b", "a/b")]
    assert len(set(seeds)) == 6 and all(0 <= seed < 2**32 for seed in seeds)
    # What was restored in one version is restored again in another.
    assert file_seed(0, "summer/beach.jpg") == 961882849


def test_16_bits_and_alpha(model, tmp_path):
    image = smooth_images(1, 13, 10, high=65535)[0].astype("uint16")
    write_png(tmp_path / "deep.png", image)
    plain = smooth_images(1, 13, 10, channels=4)[0].astype("uint8")
    write(tmp_path / "alpha.png", plain)
    result = restore_files(
        [tmp_path / "deep.png", tmp_path / "alpha.png"],
        tmp_path / "out",
        model,
        num_steps=1,
    )
    assert result.failed == {}
    import cv2

    found = cv2.imread(str(tmp_path / "out/deep.png"), cv2.IMREAD_UNCHANGED)
    seed = file_seed(0, "deep.png")
    exact = model.restore(image.astype("float32") / 257, 1, seed=seed) * 257
    np.testing.assert_allclose(found[..., ::-1], exact, atol=0.6)
    found = read(tmp_path / "out/alpha.png")
    np.testing.assert_array_equal(found[..., 3], plain[..., 3])
    np.testing.assert_array_equal(
        found[..., :3],
        model.restore(plain[..., :3], 1, seed=file_seed(0, "alpha.png")),
    )


def test_grey_through_colours_and_colours_through_grey(model, tmp_path):
    grey, colours = (
        smooth_images(1, 13, 10, channels)[0].astype("uint8") for channels in (1, 3)
    )
    paths = [write(tmp_path / "g.png", grey), write(tmp_path / "c.png", colours)]
    restore_files(paths[0], tmp_path / "out", model, num_steps=1)
    seed = file_seed(0, "g.png")
    as_rgb = model.restore(np.repeat(grey, 3, -1), 1, seed=seed)
    expected = as_rgb @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(
        read(tmp_path / "out/g.png")[..., 0], expected, atol=1.01
    )

    grey_model = InDI(
        tiny_unet(image_channels=1, gain=0.3), value_range=(-1, 1), seed=0
    )
    restore_files(paths[1], tmp_path / "out", grey_model, num_steps=1)
    planes = [
        grey_model.restore(colours[..., c : c + 1] / np.float32(127.5) - 1, 1)
        for c in range(3)
    ]
    expected = (np.concatenate(planes, -1) + 1) * 127.5
    np.testing.assert_allclose(read(tmp_path / "out/c.png"), expected, atol=0.6)


def test_a_network_of_ones_own(tmp_path):
    image = smooth_images(1, 12, 10)[0].astype("uint8")
    own = InDI(small_network(), seed=0)
    path = write(tmp_path / "a.png", image)
    result = restore_files(path, tmp_path / "b.png", own, num_steps=2)
    np.testing.assert_array_equal(read(result.written[0]), own.restore(image, 2))


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_what_a_killed_run_has_left_is_removed_by_the_next(model, tmp_path):
    write(tmp_path / "in/deep/a.png", smooth_images(1, 13, 10)[0])
    (tmp_path / "out/deep").mkdir(parents=True)
    code = (
        "import os, sys; from keras_indi.images.whole_writes import write_whole\n"
        "write_whole(sys.argv[1], lambda partial: (os.mkdir(partial), os.abort()))"
    )
    path = tmp_path / "out/deep/a.zarr"
    subprocess.run([sys.executable, "-c", code, path], env=environ(), timeout=100)
    (left,) = (tmp_path / "out/deep").iterdir()
    elsewhere = left.with_name(".keras-indi-00000000-1-01234567.partial.png")
    elsewhere.write_text("")
    os.utime(elsewhere, (10**9, 10**9))
    with pytest.warns(UserWarning, match=f"may be deleted.*{elsewhere.name}"):
        restore_files(tmp_path / "in", tmp_path / "out", model, num_steps=1)
    names = sorted(file.name for file in (tmp_path / "out/deep").iterdir())
    assert names == [elsewhere.name, "a.png"]


def test_what_fails_is_named_and_the_rest_is_done(model, tmp_path):
    image = smooth_images(1, 13, 10)[0]
    for name in ("1.png", "3.png"):
        write(tmp_path / "in" / name, image)
    whole = write(tmp_path / "whole.png", image).read_bytes()
    (tmp_path / "in/2.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "in/4.jpg").write_bytes(b"no image")
    result = restore_files(tmp_path / "in", tmp_path / "out", model, num_steps=1)
    assert [path.name for path in result.written] == ["1.png", "3.png"]
    assert sorted(path.name for path in result.failed) == ["2.png", "4.jpg"]
    assert "truncated" in result.failed[tmp_path / "in/2.png"]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["1.png", "3.png"]
    assert result.report().startswith("2 written, 2 failed, in ")


def test_without_the_package_of_one_kind_of_file_the_rest_is_done(
    model, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    for name in ("a.png", "c.png"):
        write(tmp_path / "in" / name, smooth_images(1, 13, 10)[0])
    heic = tmp_path / "in/b.heic"
    heic.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    result = restore_files(tmp_path / "in", tmp_path / "out", model, num_steps=1)
    assert [path.name for path in result.written] == ["a.png", "c.png"]
    needs = 'Reading HEIC needs pillow_heif. Install it: pip install "keras-indi[heif]"'
    assert result.failed == {heic: needs}
    # By itself it is an error, as is what all files need.
    with pytest.raises(ImportError, match="pillow_heif"):
        restore_files(heic, tmp_path / "out", model, num_steps=1)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match="needs Pillow"):
        restore_files(tmp_path / "in", tmp_path / "new", model, num_steps=1)


@pytest.mark.parametrize("existing", ["refuse", "skip", "overwrite"])
def test_what_appears_during_a_run_is_not_replaced(model, tmp_path, existing):
    for name in ("a.png", "b.png", "c.png"):
        write(tmp_path / "in" / name, smooth_images(1, 13, 10)[0])
    out = tmp_path / "out"

    def appear(result, left):
        if left == 2:  # another name of the file, on a disk that ignores case
            (out / "b.png").hardlink_to(out / "a.png")
            (out / "c.png").write_text("mine")

    result = restore_files(
        tmp_path / "in", out, model, num_steps=1, existing=existing, on_file=appear
    )
    names = [path.name for path in result.failed]
    if existing == "refuse":
        assert names == ["b.png", "c.png"] and (out / "c.png").read_text() == "mine"
        assert "exists by now" in result.failed[tmp_path / "in/c.png"]
    else:
        assert names == ["b.png"]
    reason = result.failed[tmp_path / "in/b.png"]
    assert "would replace that of another file" in reason
    assert (out / "b.png").samefile(out / "a.png")


def test_an_interrupted_write_leaves_nothing(model, tmp_path, monkeypatch):
    path = write(tmp_path / "a.png", smooth_images(1, 13, 10)[0])

    def half(self, content):
        with open(self, "wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError("No space left on device")

    monkeypatch.setattr(pathlib.Path, "write_bytes", half)
    result = restore_files(path, tmp_path / "out", model, num_steps=1)
    assert "No space left" in result.failed[path] and result.written == []
    assert list((tmp_path / "out").iterdir()) == []


def test_a_comparison_shows_both_and_the_steps(model, tmp_path):
    image = smooth_images(1, 40, 60)[0].astype("uint8")
    path = write(tmp_path / "a.png", image)
    result = restore_files(
        path, tmp_path / "out", model, num_steps=2, compare=True, seed=1
    )
    assert [p.name for p in result.pictures] == ["a-compare.png", "a-steps.png"]
    sides, steps = (read(p) for p in result.pictures)
    seed = file_seed(1, "a.png")
    for picture, images in (
        (sides, [image, model.restore(image, 2, seed=seed)]),
        (
            steps,
            [image, *(model.restore(image, n, seed=seed) for n in (1, 2, 4, 8, 16))],
        ),
    ):
        assert picture.shape[1] == len(images) * (60 + 8) + 8
        for column, expected in enumerate(images):
            left = 8 + column * (60 + 8)
            np.testing.assert_array_equal(
                picture[28 : 28 + 40, left : left + 60], expected
            )


@pytest.mark.parametrize(
    "options, received",
    [
        ({"num_steps": 0}, "num_steps=0"),
        ({"num_samples": 0}, "num_samples=0"),
        ({"seed": -1}, "seed=-1"),
        ({"sampler": "euler"}, "sampler='euler'"),
        ({"time_grid": "log"}, "time_grid='log'"),
        ({"existing": "keep"}, "existing='keep'"),
        ({"dtype": "float16", "model": "m.keras"}, "dtype='float16'"),
        ({"model": "none.keras"}, "none.keras"),
        ({"model": "no_such_preset"}, "no_such_preset"),
    ],
)
def test_what_suits_no_file_ends_it_before_any(model, tmp_path, options, received):
    path = write(tmp_path / "a.png", smooth_images(1, 13, 10)[0])
    with pytest.raises(ValueError, match=f"Received: .*{received}"):
        restore_files(path, tmp_path / "out", **{"model": model, **options})
    assert not (tmp_path / "out").exists()


def test_lossy_outputs_have_the_inputs_quality_and_at_least_90(model, tmp_path):
    image = Image.fromarray(smooth_images(1, 16, 16)[0].astype("uint8"))
    image.save(tmp_path / "low.jpg", quality=40)
    image.save(tmp_path / "high.jpg", quality=97)
    image.save(tmp_path / "plain.png")

    def quality(path):
        return jpeg_quality(Image.open(path).quantization)

    out = tmp_path / "out"
    restore_files([tmp_path / "low.jpg", tmp_path / "high.jpg"], out, model)
    assert (quality(out / "low.jpg"), quality(out / "high.jpg")) == (90, 97)
    restore_file(model, tmp_path / "plain.png", out / "plain.jpg")
    restore_file(model, tmp_path / "high.jpg", out / "small.jpg", quality=20)
    assert (quality(out / "plain.jpg"), quality(out / "small.jpg")) == (90, 20)
    sizes = []
    for name, options in (("a.webp", {}), ("b.webp", {"quality": 5})):
        restore_file(model, tmp_path / "plain.png", out / name, **options)
        sizes.append((out / name).stat().st_size)
    assert sizes[1] < sizes[0]
    for wrong in (0, 101, 2.5):
        with pytest.raises(ValueError, match=f"Received: quality={wrong}"):
            restore_file(model, tmp_path / "low.jpg", out / "x.jpg", quality=wrong)
    assert not (out / "x.jpg").exists()


def test_each_file_is_reported_as_soon_as_it_is_done(model, tmp_path):
    image = smooth_images(1, 13, 10)[0]
    good, bad = write(tmp_path / "b.png", image), tmp_path / "a.png"
    bad.write_bytes(b"torn")
    seen = []

    def on_file(result, left):
        for path in result.written:
            assert path.exists()
        seen.append((result.written, list(result.failed), left))

    out = tmp_path / "out"
    result = restore_files([bad, good], out, model, num_steps=1, on_file=on_file)
    assert seen == [([], [bad], 1), ([out / "b.png"], [], 0)]
    assert result.written == [out / "b.png"] and list(result.failed) == [bad]


def test_the_report_names_the_presets_and_their_steps(model, tmp_path):
    model.save_to_preset(tmp_path / "preset")
    path = write(tmp_path / "a.png", smooth_images(1, 13, 10)[0])
    preset = tmp_path / "preset"
    for steps, words in ((1, "1 step"), (2, "2 steps")):
        out = tmp_path / str(steps)
        result = restore_files(path, out, preset, num_steps=steps)
        assert result.report().endswith(f" s, using {preset} ({words})")
    result = restore_files(path, tmp_path / "own", preset)
    own = model.restore_defaults["num_steps"]
    assert f"({own} step" in result.report()


def test_without_a_model_one_preset_restores_files_of_every_format(tmp_path):
    pixels = np.full((16, 16, 3), 128, "uint8")
    for name in ("a.jpg", "b.png", "c.tif"):
        Image.fromarray(pixels).save(tmp_path / name)
    result = restore_files(tmp_path, tmp_path / "out")
    assert len(result.written) == 3
    assert list(result.models) == ["indi_small_blind"]


def test_a_jpeg_that_a_preset_was_not_trained_on_is_noted(model, tmp_path):
    model.save_to_preset(tmp_path / "preset", {"jpeg_quality": (10, 50)})
    image = Image.fromarray(smooth_images(1, 16, 16)[0].astype("uint8"))
    for name, quality in (("good", 95), ("bad", 40)):
        image.save(tmp_path / f"{name}.jpg", quality=quality)
    image.save(tmp_path / "plain.png")
    names = ("good.jpg", "bad.jpg", "plain.png")
    paths = [tmp_path / name for name in names]
    options = {"num_steps": 1}
    found = restore_files(paths, tmp_path / "out", tmp_path / "preset", **options)
    assert found.failed == {} and list(found.notes) == [tmp_path / "good.jpg"]
    (note,) = found.notes.values()
    assert "quality 95" in note and "trained on 10 to 50" in note
    assert restore_files(paths, tmp_path / "of", model, **options).notes == {}
    with pytest.warns(UserWarning, match="quality 95.*trained on 10 to 50"):
        restore_file(tmp_path / "preset", paths[0], tmp_path / "one.jpg", **options)


@pytest.mark.parametrize("target", ["b.png", "deep/b.webp", "b.tif"])
def test_one_photograph_keeps_what_its_format_can(model, target, tmp_path):
    image = smooth_images(1, 13, 10, channels=4)[0].astype("uint8")
    Image.fromarray(image).save(tmp_path / "a.png", dpi=(240, 240))
    found = restore_file(
        model, tmp_path / "a.png", str(tmp_path / target), num_steps=2, seed=1
    )
    assert found == tmp_path / target
    expected = model.restore(image[..., :3], 2, seed=1)
    with Image.open(found) as restored:
        pixels = np.asarray(restored)
        if restored.format == "WEBP":
            assert pixels.shape == image.shape
            return
        assert restored.info["dpi"] == pytest.approx((240, 240), abs=0.1)
    np.testing.assert_array_equal(pixels[..., :3], expected)
    np.testing.assert_array_equal(pixels[..., 3], image[..., 3])


def test_of_two_with_one_result_neither_is_written_and_the_rest_is(model, tmp_path):
    images = smooth_images(3, 13, 10).astype("uint8")
    for name, image in zip(("a.gif", "a.png", "b.png"), images):
        Image.fromarray(image).save(tmp_path / name)
    (tmp_path / "out").mkdir()
    write(tmp_path / "out/a.png", images[2])
    before = (tmp_path / "out/a.png").read_bytes()
    for existing in ("refuse", "overwrite", "skip"):
        result = restore_files(
            [tmp_path / name for name in ("a.gif", "a.png", "b.png")],
            tmp_path / "out",
            model,
            num_steps=1,
            existing=existing,
        )
        done = result.skipped if existing == "skip" else result.written
        assert [path.name for path in done] == ["b.png"]
        assert [path.name for path in result.failed] == ["a.gif", "a.png"]
        (reason,) = {*result.failed.values()}
        assert "same output" in reason and "a.gif" in reason and "a.png" in reason
        assert (tmp_path / "out/a.png").read_bytes() == before


@pytest.mark.parametrize(
    "options",
    [
        {"model": 5},
        {"scale": 0},
        {"tile_size": "x"},
        {"max_memory": 0},
        {"batch_size": 0.5},
        {"on_file": 5},
        {"inputs": [None]},
        {"inputs": None},
    ],
)
def test_what_every_file_would_fail_by_is_refused(model, tmp_path, options):
    write(tmp_path / "a.png", smooth_images(1, 13, 10)[0])
    given = {"inputs": tmp_path, "out": tmp_path / "out", "model": model, **options}
    with pytest.raises(ValueError, match=f"Received: {[*options][0]}="):
        restore_files(**given, num_steps=1)
    assert not (tmp_path / "out").exists()


def test_an_empty_and_a_cut_result_are_made_again(model, tmp_path):
    image = smooth_images(1, 13, 10)[0].astype("uint8")
    paths = [write(tmp_path / name, image) for name in ("a.png", "b.png", "c.png")]
    options = {"num_steps": 1, "existing": "skip"}
    restore_files(paths, tmp_path / "out", model, **options)
    expected = (tmp_path / "out/b.png").read_bytes()
    (tmp_path / "out/a.png").write_bytes(b"")
    (tmp_path / "out/b.png").write_bytes(expected[:-9])
    result = restore_files(paths, tmp_path / "out", model, **options)
    assert [path.name for path in result.written] == ["a.png", "b.png"]
    assert result.skipped == [paths[2]]
    assert (tmp_path / "out/b.png").read_bytes() == expected


def test_one_photograph_warns_of_what_is_lost(model, tmp_path):
    write(tmp_path / "a.png", smooth_images(1, 13, 10, channels=4)[0])
    with pytest.warns(UserWarning, match="a.png: JPEG has no alpha"):
        restore_file(model, tmp_path / "a.png", tmp_path / "b.jpg", num_steps=1)


def test_one_file_is_replaced_only_where_that_is_asked_for(model, tmp_path):
    image = smooth_images(1, 13, 10)[0].astype("uint8")
    path, other = write(tmp_path / "a.png", image), write(tmp_path / "b.png", image)
    for output, message in ((other, "already exist"), (path, "would overwrite")):
        with pytest.raises(ValueError, match=message):
            restore_file(model, path, output, num_steps=1)
        np.testing.assert_array_equal(read(output), image)
    for output in (other, path):
        restore_file(model, path, output, overwrite=True, num_steps=1, seed=0)
        np.testing.assert_array_equal(read(output), model.restore(image, 1, seed=0))


def test_one_file_that_cannot_be_read_is_named(model, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no image")
    (tmp_path / "a.tif").write_bytes(b"no image")
    for name in ("a.jpg", "a.tif"):
        with pytest.raises(ValueError, match=f"unreadable.* Received: .*{name}"):
            restore_file(model, tmp_path / name, tmp_path / "b.png")
    assert not (tmp_path / "b.png").exists()


def test_one_file_by_the_name_of_a_model(model, tmp_path):
    model.save(tmp_path / "m.keras")
    image = smooth_images(1, 13, 10)[0].astype("uint8")
    path = write(tmp_path / "a.png", image)
    options = {"num_steps": 1, "seed": 3}
    restore_file(tmp_path / "m.keras", path, tmp_path / "b.png", **options)
    expected = load_restorer(tmp_path / "m.keras").restore(image, **options)
    np.testing.assert_array_equal(read(tmp_path / "b.png"), expected)


def test_a_partial_eclipse_survives_an_eclipse(model, tmp_path):
    images = smooth_images(2, 13, 10).astype("uint8")
    names = ["eclipse.png", "partial-eclipse.png"]
    for name, image in zip(names, images):
        write(tmp_path / name, image)
    restore_file(
        model, tmp_path / names[0], tmp_path / names[0], overwrite=True, num_steps=1
    )
    np.testing.assert_array_equal(read(tmp_path / names[1]), images[1])
    result = restore_files(tmp_path, tmp_path / "out", model, num_steps=1)
    assert [path.name for path in result.written] == names


@pytest.mark.skipif(os.name != "posix", reason="names of bytes")
def test_a_name_that_becomes_too_long_is_named_and_the_rest_is_done(model, tmp_path):
    image = smooth_images(1, 13, 10)[0]
    long, longest = f"{'a' * 242}.png", f"{'b' * 251}.png"
    paths = [write(tmp_path / name, image) for name in (longest, long, "c.png")]
    result = restore_files(paths, None, model, num_steps=1)
    assert [path.name[-13:] for path in result.written] == ["-restored.png"] * 2
    assert list(result.failed) == [paths[0]]
    assert "too long" in result.failed[paths[0]]
    # In place and into a folder the name stays, and a picture's may not.
    result = restore_files(paths, tmp_path / "out", model, num_steps=1)
    assert len(result.written) == 3
    result = restore_files(paths, tmp_path / "more", model, num_steps=1, compare=True)
    assert list(result.failed) == [paths[0]]
    for output in (tmp_path / f"{longest}.png", tmp_path / f"{longest}s" / "c.png"):
        with pytest.raises(ValueError, match="too long.*Received: .*c.png"):
            restore_file(model, paths[2], output)
