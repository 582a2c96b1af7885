"""The service behind the page, which needs no Gradio."""

import pathlib
import struct
import threading
import time
import zlib

import numpy as np
import pytest
import tifffile
from helpers import smooth_images, tiny_unet
from PIL import Image, ImageCms

from keras_indi.images import read_image, write_png
from keras_indi.images.orientation import upright
from keras_indi.models import InDI, load_restorer
from keras_indi.page import Limits, Requested, RestorationService
from keras_indi.page.refused import Refused
from keras_indi.page.restoration_service import LARGE
from keras_indi.restoration import restore_files
from keras_indi.restoration.comparison import VIEW

pytestmark = pytest.mark.backend_free


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The path of a small model with noise."""
    path = tmp_path_factory.mktemp("model") / "model.keras"
    unet = tiny_unet(gain=0.3)
    model = InDI(unet, noise_schedule=0.2, value_range=(0, 255), seed=0)
    model.restore_defaults = {"num_steps": 2}
    model.save(path)
    return str(path)


@pytest.fixture
def service(model):
    with RestorationService(model, Limits(max_steps=4), dtype="float32") as service:
        yield service


def asked(service, **arguments):
    return Requested(service.suggested_preset, **arguments)


def restored(service, path, **arguments):
    """The last view of a restoration."""
    *_, view = service.restore(path, asked(service, **arguments))
    return view


def write_photographs(folder):
    """Photographs of several kinds, with metadata; their paths."""
    colours = smooth_images(1, 21, 34)[0].astype("uint8")
    deep = smooth_images(1, 21, 34, high=65535)[0].astype("uint16")
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "a camera", 6  # to be turned by a quarter
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name in ("turned.jpg", "turned.png"):
        Image.fromarray(colours).save(
            folder / name, exif=exif, icc_profile=profile, dpi=(300, 300)
        )
    Image.fromarray(colours[..., 0]).save(folder / "grey.png")
    Image.fromarray(np.dstack([colours, colours[..., 0]])).save(folder / "clear.webp")
    write_png(folder / "deep.png", deep)
    tifffile.imwrite(folder / "scan.tif", deep, photometric="rgb")
    return sorted(folder.iterdir())


def test_results_are_those_of_the_command(service, model, tmp_path):
    (tmp_path / "in").mkdir()
    loaded = load_restorer(model, "float32")
    for path in write_photographs(tmp_path / "in"):
        view = restored(service, path, num_steps=2, seed=3)
        plain = restore_files(path, tmp_path / "out", loaded, num_steps=2, seed=3)
        (output,), (wanted,) = view.outputs, plain.written
        assert output.name == f"{path.stem}-restored{path.suffix}"
        assert output.read_bytes() == wanted.read_bytes()
        assert view.notes == list(plain.notes.values())
        assert service.files.folder in output.parents


def test_pictures_are_upright_with_the_profile(service, tmp_path):
    write_photographs(tmp_path)
    path = tmp_path / "turned.png"
    view = restored(service, path)
    with Image.open(path) as photograph, Image.open(view.before) as before:
        stored = np.asarray(photograph)
        assert (np.asarray(before) == upright(stored, 6)).all()
        assert before.info["icc_profile"] == photograph.info["icc_profile"]
    assert (view.height, view.width) == (34, 21)
    assert (read_image(view.after) == read_image(view.outputs[0])).all()
    assert view.is_whole and view.draws == [] and view.spread is None


def test_a_large_photograph_shows_its_centre_first(service, tmp_path):
    side = int(VIEW * LARGE**0.5) + 2
    path = tmp_path / "large.png"
    image = smooth_images(1, side, side)[0].astype("uint8")
    Image.fromarray(image).save(path)
    centre, whole = service.restore(path, asked(service, num_steps=1))
    assert not centre.is_whole and centre.outputs == []
    begin = (side - VIEW) // 2
    crop = image[begin : begin + VIEW, begin : begin + VIEW]
    assert (read_image(centre.before) == crop).all()
    assert read_image(centre.after).shape == crop.shape
    assert whole.is_whole and (whole.height, whole.width) == (side, side)


def test_draws_and_their_spread(service, tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(smooth_images(1, 20, 24)[0].astype("uint8")).save(path)
    view = restored(service, path, num_samples=3)
    assert [output.name for output in view.outputs] == [
        f"a-restored-{number}.png" for number in (1, 2, 3)
    ]
    draws = np.stack([read_image(output) for output in view.outputs]).astype(float)
    for picture, draw in zip(view.draws, draws):
        assert (read_image(picture) == draw).all()
    assert (read_image(view.after) == draws[0]).all()
    spread = np.sqrt(draws.var(axis=0, ddof=1).mean(axis=-1))
    assert view.largest_spread == pytest.approx(spread.max(), rel=1e-5)
    # The map is brightest where the spread is largest.
    brightness = read_image(view.spread).astype(float).sum(axis=-1)
    assert brightness[np.unravel_index(spread.argmax(), spread.shape)] == (
        brightness.max()
    )


def test_an_enlarging_model_enlarges_or_not(tmp_path):
    InDI(tiny_unet(), value_range=(0, 255), scale=2, seed=0).save(tmp_path / "x2.keras")
    path = tmp_path / "a.png"
    Image.fromarray(smooth_images(1, 20, 24)[0].astype("uint8")).save(path)
    with RestorationService(str(tmp_path / "x2.keras")) as service:
        assert service.choices[service.suggested_preset].scale == 2
        view = restored(service, path)
        assert read_image(view.outputs[0]).shape == (40, 48, 3)
        assert read_image(view.before).shape == (40, 48, 3)
        view = restored(service, path, enlarge=False)
        assert read_image(view.outputs[0]).shape == (20, 24, 3)
        # Without noise all draws are one.
        with pytest.raises(Refused, match="no noise"):
            restored(service, path, num_samples=2)


def test_progress_counts_to_the_end(service, tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(smooth_images(1, 20, 24)[0].astype("uint8")).save(path)
    calls = []
    requested = asked(service, num_steps=3)
    list(service.restore(path, requested, lambda *call: calls.append(call)))
    done, totals = zip(*calls)
    assert done == tuple(range(totals[0] + 1)) and set(totals) == {totals[0]}


def declaring(png, height, width):
    """The content of a PNG file, whose header says another size."""
    header = png[12:16] + struct.pack(">II", width, height) + png[24:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]


def broken_files(folder):
    """Files that cannot be restored, and what is said of them."""
    whole = folder / "whole.png"
    Image.fromarray(smooth_images(1, 90, 90)[0].astype("uint8")).save(whole)
    content = whole.read_bytes()
    return {
        "text.png": (b"not an image", "not a PNG"),
        "empty.jpg": (b"", "empty"),
        "short.png": (content[: len(content) // 2], "cannot be restored"),
        # The advice to who calls a function, `max_pixels`, is not for a page.
        "bomb.png": (declaring(content, 40000, 40000), r"of \d+ bytes\)\.$"),
        "song.mp3": (b"ID3 and so on", "not a PNG"),
    }


def test_what_cannot_be_read_is_refused_without_a_path(service, tmp_path):
    for name, (content, reason) in broken_files(tmp_path).items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Refused, match=reason) as error:
            restored(service, tmp_path / name)
        assert str(tmp_path) not in str(error.value)
    with pytest.raises(Refused, match="Upload it again"):
        restored(service, tmp_path / "gone.png")


@pytest.mark.parametrize(
    "arguments, reason",
    [
        ({"preset": "/etc"}, "offers"),
        ({"preset": "hf://user/name"}, "offers"),
        ({"num_steps": 5}, "num_steps"),
        ({"num_steps": 0}, "num_steps"),
        ({"num_samples": 9}, "num_samples"),
        ({"seed": -1}, "seed"),
        ({"preset": []}, "This page offers"),
        ({"preset": {"path": "/etc"}}, "This page offers"),
    ],
)
def test_requests_beyond_the_limits_are_refused(service, tmp_path, arguments, reason):
    requested = Requested(**{"preset": service.suggested_preset, **arguments})
    with pytest.raises(Refused, match=reason):
        service.check_file(tmp_path / "any.png", requested)


def test_large_files_and_photographs_are_refused_by_their_header(model, tmp_path):
    path = tmp_path / "large.png"
    Image.new("RGB", (1000, 1100)).save(path)
    with RestorationService(model, Limits(max_megapixels=1)) as service:
        with pytest.raises(Refused, match="1000 x 1100 pixels, are 1.1 megapixels"):
            restored(service, path)
        Image.new("RGB", (1000, 600)).save(path)
        assert service.check_file(path, asked(service)).width == 1000
        # Draws count.
        with pytest.raises(Refused, match="with all that is restored"):
            restored(service, path, num_samples=2)
        path.write_bytes(bytes(100 * 10**6 + 1))
        with pytest.raises(Refused, match="at most 100 are allowed"):
            restored(service, path)


def test_names_without_a_known_ending_become_png(service, tmp_path):
    content = tmp_path / "a.png"
    Image.fromarray(smooth_images(1, 20, 24)[0].astype("uint8")).save(content)
    for name, wanted in (("photo", "photo-restored.png"), ("é (1).bmp", None)):
        path = tmp_path / name
        path.write_bytes(content.read_bytes())
        (output,) = restored(service, path).outputs
        assert output.name == (wanted or "é (1)-restored.png")
        assert read_image(output).shape == (20, 24, 3)


def test_one_restoration_at_a_time(service, tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    Image.fromarray(smooth_images(1, 20, 24)[0].astype("uint8")).save(path)
    inside, most = [], []

    def report(done, total):
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.02)
        inside.pop()

    threads = [
        threading.Thread(
            target=lambda: list(service.restore(path, asked(service), report))
        )
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(most) >= 6 and max(most) == 1


def test_an_abandoned_restoration_blocks_nobody(service, tmp_path):
    side = int(VIEW * LARGE**0.5) + 2
    path = tmp_path / "large.png"
    Image.new("RGB", (side, side)).save(path)
    abandoned = service.restore(path, asked(service, num_steps=1))
    next(abandoned)  # its user has left
    assert restored(service, path, num_steps=1).is_whole


def test_the_shipped_presets_are_offered_and_the_one_for_any_file_suggested():
    with RestorationService() as service:
        assert service.suggested_preset == "indi_small_blind"
        assert service.suggested_preset in service.choices
        assert "indi_jpeg_q15" not in service.choices  # without weights


def test_a_shipped_preset_by_its_short_name():
    with RestorationService("jpeg") as service:
        assert service.suggested_preset == "indi_small_jpeg"
        assert list(service.choices)[0] == "indi_small_jpeg"
        assert len(service.choices) == len(set(service.choices)) == 5
    with pytest.raises(ValueError, match="preset='jpegs'"):
        RestorationService("jpegs")


def test_closing_ends_what_is_being_restored(model, tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(smooth_images(1, 20, 24)[0].astype("uint8")).save(path)
    service = RestorationService(model)
    begun, errors = threading.Event(), []

    def report(done, total):
        begun.set()
        time.sleep(0.05)

    def run():
        try:
            list(service.restore(path, asked(service, num_steps=16), report))
        except Refused as error:
            errors.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(60)
    service.close()
    thread.join(60)
    assert errors == ["The page has ended."]
    assert not service.files.folder.exists()


def test_closing_leaves_no_file(model, tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(smooth_images(1, 20, 24)[0].astype("uint8")).save(path)
    with RestorationService(model) as service:
        restored(service, path)
        folder = service.files.folder
        assert any(folder.rglob("*.png"))
    assert not pathlib.Path(folder).exists()
    assert path.exists()
