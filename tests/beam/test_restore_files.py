"""Files restored by a pipeline: the same results as those of `restore_files`."""

import json
import os
import pathlib
import sys

import numpy as np
import pytest

beam = pytest.importorskip("apache_beam", reason="needs Apache Beam: the extra `beam`")

from apache_beam.options.pipeline_options import PipelineOptions  # noqa: E402
from apache_beam.testing.util import assert_that, equal_to  # noqa: E402
from helpers import shut, smooth_images, tiny_unet  # noqa: E402
from PIL import Image  # noqa: E402

from beam.stored_photographs import (  # noqa: E402  # isort: skip
    NAMES,
    RESULTS,
    MemoryFileSystem,
    write_broken,
    write_photographs,
)
from keras_indi.backend import compiled  # noqa: E402
from keras_indi.beam import RestoreFiles, restore_batches  # noqa: E402
from keras_indi.images.whole_writes import temporary_name  # noqa: E402
from keras_indi.models import InDI  # noqa: E402
from keras_indi.restoration import large_files, restore_files  # noqa: E402

OPTIONS = {"num_steps": 2, "dtype": "float32", "seed": 5}


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    InDI(tiny_unet(gain=0.3), noise_schedule=0.02, seed=0).save(path)
    return str(path)


@pytest.fixture
def batches(monkeypatch):
    """Images share batches of few shapes, as on accelerators."""
    monkeypatch.setattr(compiled, "gains_from_batches", lambda: True)


def run(output, preset, *inputs, **options):
    """Runs the transform here; the manifest's entries, and the counters."""
    pipeline = beam.Pipeline("FnApiRunner", PipelineOptions([]))
    transform = RestoreFiles(str(output), preset, **{**OPTIONS, **options})
    _ = pipeline | beam.Create([str(path) for path in inputs]) | transform
    result = pipeline.run()
    result.wait_until_finish()
    found = result.metrics().query()["counters"]
    sums = {
        counter.key.metric.name: counter.result
        for counter in found
        if counter.key.metric.namespace.startswith("keras_indi")
    }
    if "://" in str(output):
        return None, sums
    return manifest(output), sums


def manifest(output):
    """Dict of paths to entries; each path stands there once."""
    lines = (output / "manifest.jsonl").read_text().splitlines()
    entries = {entry["path"]: entry for entry in map(json.loads, lines)}
    assert len(entries) == len(lines)
    return entries


def contents(folder):
    """Dict of the names of all files of a folder to their bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.jsonl"
    }


def pixels(folder):
    return {
        path.relative_to(folder).as_posix(): np.asarray(Image.open(path)).astype(int)
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("manifest.jsonl", "d.png")
    }


def test_the_results_are_those_of_the_plain_command(preset, tmp_path):
    write_photographs(tmp_path / "in")
    os.utime(tmp_path / "in/a.png", (10**9, 10**9))
    entries, sums = run(tmp_path / "out", preset, tmp_path / "in")
    restore_files(tmp_path / "in", tmp_path / "plain", preset, **OPTIONS)
    assert sorted(contents(tmp_path / "out")) == sorted(RESULTS)
    if not compiled.gains_from_batches():
        assert contents(tmp_path / "out") == contents(tmp_path / "plain")
    expected = pixels(tmp_path / "plain")
    for name, image in pixels(tmp_path / "out").items():
        # JPEG rounds what differs by a rounding once more.
        assert np.abs(image - expected[name]).max() <= (4 if "jpg" in name else 1)
    assert os.stat(tmp_path / "out/a.png").st_mtime == 10**9
    with Image.open(tmp_path / "out/deep/b.jpg") as image:
        assert image.getexif()[0x010F] == "a camera"
    assert {entry["status"] for entry in entries.values()} == {"restored"}
    entry = entries[str(tmp_path / "in/e.bmp")]
    assert entry["output"] == str(tmp_path / "out/e.png") and entry["reason"] is None
    assert sums["restored"] == len(NAMES) and "failed" not in sums


@pytest.mark.backend_free
def test_the_collections(preset, tmp_path):
    write_photographs(tmp_path / "in")
    (tmp_path / "out").mkdir()
    Image.new("L", (9, 8)).save(tmp_path / "out/d.png")
    before = contents(tmp_path / "out")
    write_broken(tmp_path / "in")
    with beam.Pipeline("FnApiRunner", PipelineOptions([])) as pipeline:
        files = (
            pipeline
            | beam.Create([str(tmp_path / "in")])
            | RestoreFiles(str(tmp_path / "out"), preset, **OPTIONS)
        )
        expected = [
            (str(tmp_path / "in" / name), str(tmp_path / "out" / result))
            for name, result in zip(NAMES, RESULTS)
        ]
        done = expected.pop(NAMES.index("d.png"))
        assert_that(files.restored, equal_to(expected), "restored")
        assert_that(files.skipped, equal_to([done]), "skipped")
        failed = [str(tmp_path / "in/broken" / name) for name in ("1.jpg", "2.png")]
        assert_that(files.failed | beam.Keys(), equal_to(failed), "failed")
    assert before.items() <= contents(tmp_path / "out").items()


@pytest.mark.backend_free
def test_what_fails_is_named_once_and_tried_again(preset, tmp_path):
    write_photographs(tmp_path / "in")
    broken = write_broken(tmp_path / "in")
    entries, sums = run(tmp_path / "out", preset, tmp_path / "in/**")
    first = contents(tmp_path / "out")
    reasons = {path: e["reason"] for path, e in entries.items() if e["reason"]}
    assert sorted(reasons) == [str(tmp_path / "in" / name) for name in broken]
    assert "not a PNG" in reasons[str(tmp_path / "in/broken/1.jpg")]
    assert "truncated" in reasons[str(tmp_path / "in/broken/2.png")]
    assert sums["failed"] == 2 and sums["restored"] == len(NAMES)

    Image.fromarray(np.zeros((9, 9), "uint8")).save(tmp_path / "in/broken/2.png")
    entries, sums = run(tmp_path / "out", preset, tmp_path / "in/**")
    assert (sums["skipped"], sums["restored"], sums["failed"]) == (len(NAMES), 1, 1)
    assert entries[str(tmp_path / "in/a.png")]["status"] == "skipped"
    found = contents(tmp_path / "out")
    assert found.pop("broken/2.png") and found == first

    entries, sums = run(
        tmp_path / "out", preset, tmp_path / "in/**", existing="overwrite"
    )
    assert sums["restored"] == len(NAMES) + 1 and "skipped" not in sums
    assert first.items() <= contents(tmp_path / "out").items()


def write_many(folder):
    """Twelve images of four sizes, of which two share a batch's shape."""
    folder.mkdir()
    sizes = [(13, 10), (16, 16), (30, 20), (31, 24)]
    for index in range(12):
        image = smooth_images(1, *sizes[index % 4], seed=index)[0].astype("uint8")
        Image.fromarray(image).save(folder / f"{index}.png")
    return folder


@pytest.mark.slow
def test_a_result_does_not_depend_on_its_batch(preset, tmp_path, batches):
    folder = write_many(tmp_path / "in")
    options = {"batch_size": 4}
    run(tmp_path / "all", preset, folder, **options)
    for number, part in enumerate(("1*.png", "[0-5].png", "**")):
        run(tmp_path / "parts", preset, folder / part, **options)
        run(tmp_path / f"{number}", preset, folder / part, **options)
    expected = contents(tmp_path / "all")
    assert len(expected) == 12 and len({*expected.values()}) == 12
    assert contents(tmp_path / "parts") == expected
    for number in range(3):
        assert contents(tmp_path / f"{number}").items() <= expected.items()
    restore_files(folder, tmp_path / "plain", preset, **OPTIONS)
    plain = pixels(tmp_path / "plain")
    for name, image in pixels(tmp_path / "all").items():
        assert np.abs(image - plain[name]).max() <= 1


def test_a_batch_that_fails_is_retried_image_by_image(
    preset, tmp_path, batches, monkeypatch
):
    folder = write_many(tmp_path / "in")
    run(tmp_path / "expected", preset, folder, batch_size=4)
    restore, sizes = InDI.restore, []

    def failing(self, images, *arguments, **options):
        sizes.append(len(images) if isinstance(images, list) else 1)
        if sizes[-1] > 1 or images.shape[:2] == (16, 16):
            raise MemoryError("no memory for these")
        return restore(self, images, *arguments, **options)

    monkeypatch.setattr(InDI, "restore", failing)
    entries, sums = run(tmp_path / "out", preset, folder, batch_size=4)
    assert max(sizes) > 1 and sizes.count(1) == 12
    failed = {path for path, entry in entries.items() if entry["status"] == "failed"}
    assert failed == {str(folder / f"{index}.png") for index in (1, 5, 9)}
    assert "no memory for these" in entries[min(failed)]["reason"]
    expected = contents(tmp_path / "expected")
    for index in (1, 5, 9):
        del expected[f"{index}.png"]
    assert contents(tmp_path / "out") == expected


def test_large_images_go_by_tiles(preset, tmp_path):
    image = smooth_images(1, 90, 80)[0].astype("uint8")
    (tmp_path / "in").mkdir()
    Image.fromarray(image).save(tmp_path / "in/a.png")
    run(tmp_path / "out", preset, tmp_path / "in/a.png", max_memory=2_000_000)
    restore_files(tmp_path / "in/a.png", tmp_path / "plain", preset, **OPTIONS)
    found, expected = pixels(tmp_path / "out"), pixels(tmp_path / "plain")
    assert np.abs(found["a.png"] - expected["a.png"]).max() <= 1


@pytest.mark.backend_free
def test_large_tiff_goes_by_blocks(preset, tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    image = smooth_images(1, 50, 40)[0].astype("uint8")
    Image.fromarray(image).save(tmp_path / "in/a.tif")
    (tmp_path / "in/b.tif").write_bytes((tmp_path / "in/a.tif").read_bytes()[:3000])
    monkeypatch.setattr(large_files, "MAX_PIXELS", 50 * 40 - 1)
    entries, sums = run(tmp_path / "out", preset, tmp_path / "in")
    restore_files(tmp_path / "in/a.tif", tmp_path / "plain", preset, **OPTIONS)
    found, expected = pixels(tmp_path / "out"), pixels(tmp_path / "plain")
    assert np.abs(found["a.tif"] - expected["a.tif"]).max() <= 1
    assert sums["restored"] == sums["failed"] == 1 and [*found] == ["a.tif"]


@pytest.mark.backend_free
def test_two_images_with_one_result_are_both_named(preset, tmp_path):
    write_photographs(tmp_path / "in")
    Image.fromarray(np.zeros((9, 9), "uint8")).save(tmp_path / "in/e.png")
    entries, sums = run(tmp_path / "out", preset, tmp_path / "in")
    assert sums["failed"] == 2 and not (tmp_path / "out/e.png").exists()
    reason = entries[str(tmp_path / "in/e.bmp")]["reason"]
    assert str(tmp_path / "in/e.png") in reason and "the same output" in reason


@pytest.mark.backend_free
def test_inputs_are_never_replaced(preset, tmp_path):
    folder = write_photographs(tmp_path / "in")
    before = contents(folder)
    link = tmp_path / "link"
    link.symlink_to(folder)
    for output in (folder, link):
        entries, sums = run(output, preset, folder, existing="overwrite")
        assert before.items() <= contents(folder).items()
        assert "choose another output" in entries[str(folder / "a.png")]["reason"]


@pytest.mark.backend_free
@pytest.mark.parametrize("existing", ["skip", "overwrite"])
def test_no_input_is_replaced_by_the_result_of_another(preset, tmp_path, existing):
    image = Image.fromarray(np.zeros((9, 9), "uint8"))
    for name in ("in/a.png", "in/a_x.png", "in/b_x.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        image.save(tmp_path / name)
    before = contents(tmp_path / "in")
    options = {"existing": existing, "name": "{name}_x"}
    entries, sums = run(tmp_path / "in", preset, tmp_path / "in", **options)
    assert before.items() <= contents(tmp_path / "in").items()
    assert (sums["restored"], sums["failed"]) == (2, 1) and "skipped" not in sums
    reason = entries[str(tmp_path / "in/a.png")]["reason"]
    assert "replace another input" in reason


@pytest.mark.backend_free
def test_without_the_package_of_one_kind_of_file_the_rest_is_done(
    preset, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    heic = tmp_path / "in/a.heic"
    heic.parent.mkdir()
    heic.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    Image.fromarray(np.zeros((9, 9), "uint8")).save(tmp_path / "in/b.png")
    entries, sums = run(tmp_path / "out", preset, tmp_path / "in")
    assert (sums["restored"], sums["failed"]) == (1, 1)
    assert 'pip install "keras-indi[heif]"' in entries[str(heic)]["reason"]


@pytest.mark.backend_free
def test_results_within_the_inputs_are_no_inputs(preset, tmp_path):
    folder = write_photographs(tmp_path / "in")
    for _ in range(2):
        entries, _ = run(folder / "out", preset, folder)
        assert len(entries) == len(NAMES)


@pytest.mark.backend_free
def test_what_killed_runs_left_is_removed(preset, tmp_path):
    folder = write_photographs(tmp_path / "in")
    left = tmp_path / "out/deep" / temporary_name(pathlib.PurePath("b.jpg"))
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    run(tmp_path / "out", preset, folder)
    assert sorted(contents(tmp_path / "out")) == sorted(RESULTS)


@pytest.mark.backend_free
def test_a_write_that_fails_leaves_nothing(preset, tmp_path, monkeypatch):
    folder = write_photographs(tmp_path / "in")

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(restore_batches.storage.shutil, "copyfileobj", full)
    entries, sums = run(tmp_path / "out", preset, folder)
    assert sums["failed"] == len(NAMES) and contents(tmp_path / "out") == {}
    assert "No space left" in entries[str(folder / "a.png")]["reason"]


@pytest.mark.backend_free
def test_a_folder_with_a_result_s_name_is_kept(preset, tmp_path):
    folder = write_photographs(tmp_path / "in")
    (tmp_path / "out/a.png").mkdir(parents=True)
    (tmp_path / "out/a.png/own.txt").write_text("mine")
    for existing in ("skip", "overwrite"):
        entries, sums = run(tmp_path / "out", preset, folder, existing=existing)
        assert (tmp_path / "out/a.png/own.txt").read_text() == "mine"
        assert sums["failed"] == 1
        assert "a.png" in entries[str(folder / "a.png")]["reason"]
    assert sorted(contents(tmp_path / "out")) == sorted(["a.png/own.txt", *RESULTS[1:]])


@pytest.mark.backend_free
def test_an_output_that_is_no_folder_is_refused_first(preset, tmp_path):
    (tmp_path / "file").write_text("mine")
    for output in ("file", "file/below", "file/far/below"):
        with pytest.raises(ValueError, match="not a folder. Received: .*file"):
            RestoreFiles(str(tmp_path / output), preset)
    (tmp_path / "out/manifest.jsonl").mkdir(parents=True)
    with pytest.raises(ValueError, match="A folder exists where manifest.jsonl"):
        RestoreFiles(str(tmp_path / "out"), preset)
    with pytest.raises(ValueError, match="too long for the disk. Received: .*xxx"):
        RestoreFiles(str(tmp_path / "far" / ("x" * 300)), preset)
    RestoreFiles("/far/away", preset)  # it may be on the workers' disks


@pytest.mark.backend_free
@pytest.mark.parametrize(
    "text, names",
    [
        ("in [1]", ["a.png", "deep/b.png"]),
        ("in [1]/", ["a.png", "deep/b.png"]),
        ("in [1]/a.png", ["a.png"]),
        ("in [1]/*.png", ["a.png"]),
        ("in [1]/d*/**", ["deep/b.png"]),
        ("in*/**.png", ["in [1]/a.png", "in [1]/deep/b.png"]),
        ("in*/*.png", ["in [1]/a.png"]),
        ("none/*.png", []),
        ("none.png", []),
        ("in [1]/d.zarr", []),
        ("in [1]/*.zarr", []),
    ],
)
def test_files_folders_and_patterns(preset, tmp_path, text, names):
    image = Image.fromarray(np.zeros((9, 9), "uint8"))
    for name in ("a.png", "deep/b.png", ".hidden/c.png", "d.zarr/0.png"):
        path = tmp_path / "in [1]" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)
    given = f"{tmp_path}/{text}"
    entries, sums = run(tmp_path / "o[u]t", preset, given)
    assert sorted(contents(tmp_path / "o[u]t")) == names
    if not names:
        reason = "no Zarr" if "zarr" in text else "no image"
        assert reason in entries[given]["reason"] and sums["failed"] == 1
    else:
        again = run(tmp_path / "o[u]t", preset, given)[1]
        assert again.pop("skipped") == len(names)
        assert again == ({".zarr": 1} if text in ("in [1]", "in [1]/") else {})


@pytest.mark.backend_free
@pytest.mark.parametrize(
    "text, is_named",
    [
        ("in", True),
        ("in/shut", True),
        ("in/**.png", True),
        ("in/s**/b.png", True),
        ("in/*/*.png", True),
        ("in/*.png", False),
        ("in/d*/*.png", False),
        ("in/d**.png", False),
    ],
)
def test_folders_that_cannot_be_read_are_named(
    preset, tmp_path, monkeypatch, text, is_named
):
    for name in ("a.png", "deep/b.png", "shut/b.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((9, 9), "uint8")).save(tmp_path / "in" / name)
    shut(tmp_path / "in/shut", monkeypatch)
    given = [str(tmp_path / text)] * 2
    entries, sums = run(tmp_path / "out", preset, *given, tmp_path / "in/a.png")
    reasons = {path: e["reason"] for path, e in entries.items() if e["reason"]}
    closed = {str(tmp_path / "in/shut"): "unreadable folder (Permission denied)"}
    assert reasons == (closed if is_named else {})
    assert sums.get("failed", 0) == len(reasons) and (tmp_path / "out/a.png").exists()


@pytest.mark.backend_free
def test_links_and_other_files_are_as_those_of_the_plain_command(preset, tmp_path):
    image = Image.fromarray(np.zeros((9, 9), "uint8"))
    for name in ("in/z.png", "elsewhere/deep/b.png", "c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        image.save(tmp_path / name)
    for link, target in (
        ("a.png", "z.png"),
        ("c.png", "../c.png"),
        ("folder", "../elsewhere"),
        ("back", "."),
        ("nothing.png", "nowhere.png"),
    ):
        (tmp_path / "in" / link).symlink_to(target)
    for name in ("notes.txt", "more.txt", "README"):
        (tmp_path / "in" / name).write_text("mine")
    entries, sums = run(tmp_path / "out", preset, tmp_path / "in")
    plain = restore_files(tmp_path / "in", tmp_path / "plain", preset, **OPTIONS)
    assert sorted(contents(tmp_path / "out")) == sorted(contents(tmp_path / "plain"))
    assert sorted(contents(tmp_path / "out")) == ["c.png", "folder/deep/b.png", "z.png"]
    failed = {path for path, entry in entries.items() if entry["status"] == "failed"}
    assert failed == {str(path) for path in plain.failed}
    assert failed == {str(tmp_path / "in/nothing.png")}
    left_out = {"duplicate link": 1, ".txt": 2, "without an extension": 1}
    assert plain.left_out == left_out and left_out.items() <= sums.items()


@pytest.mark.backend_free
@pytest.mark.parametrize(
    "inputs, names",
    [
        (["in/sub/**", "in/**"], ["a.png", "sub/b.png"]),
        (["in", "in/sub", "in/a.png"], ["a.png", "sub/b.png"]),
        (["in/*.png", "in/a*", "link"], ["a.png", "sub/b.png"]),
        (["in/sub/*.png", "in/sub/b.png", "in/sub"], ["b.png"]),
    ],
)
def test_a_file_that_several_inputs_name_is_restored_once(
    preset, tmp_path, inputs, names
):
    for name in ("in/a.png", "in/sub/b.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((9, 9), "uint8")).save(tmp_path / name)
    (tmp_path / "link").symlink_to("in")
    given = [tmp_path / text for text in inputs]
    entries, sums = run(tmp_path / "out", preset, *given)
    assert sums.pop("restored") == len(names) == len(entries)
    assert sorted(contents(tmp_path / "out")) == names and "failed" not in sums


@pytest.mark.backend_free
def test_results_that_are_empty_or_end_early_are_made_again(preset, tmp_path):
    write_photographs(tmp_path / "in")
    run(tmp_path / "out", preset, tmp_path / "in")
    expected = contents(tmp_path / "out")
    (tmp_path / "out/a.png").write_bytes(b"")
    (tmp_path / "out/deep/b.jpg").write_bytes(expected["deep/b.jpg"][:-2])
    (tmp_path / "out/empty.png").write_bytes(b"")  # no result
    _, sums = run(tmp_path / "out", preset, tmp_path / "in")
    assert (sums["restored"], sums["skipped"]) == (2, len(NAMES) - 2)
    assert contents(tmp_path / "out") == {**expected, "empty.png": b""}


@pytest.mark.backend_free
def test_inputs_by_which_nothing_is_found_are_named_and_the_rest_is_done(
    preset, tmp_path
):
    write_photographs(tmp_path / "in")
    reasons = {
        "gss://bucket/**.png": "no file system for gss://",
        f"{tmp_path}/[z-a].png": "pattern is not valid",
        "": "must be a path",
        "a\0b": "must be a path",
    }
    given = [tmp_path / "in", *reasons]
    entries, sums = run(tmp_path / "out", preset, *given)
    assert (sums["restored"], sums["failed"]) == (len(NAMES), len(reasons))
    assert all(reasons[text] in entries[text]["reason"] for text in reasons)


@pytest.mark.backend_free
def test_object_stores(preset, tmp_path, monkeypatch):
    folder = write_photographs(tmp_path / "in")
    files = {f"memory://in/{name}": data for name, data in contents(folder).items()}
    monkeypatch.setattr(MemoryFileSystem, "files", files)
    monkeypatch.setattr(MemoryFileSystem, "created", [])
    before = {**files}
    _, sums = run("memory://out/", preset, "memory://in/**")
    run(tmp_path / "out", preset, folder)
    assert sums["restored"] == len(NAMES)
    assert before.items() <= files.items()
    lines = files.pop("memory://out/manifest.jsonl").decode().splitlines()
    assert {json.loads(line)["path"] for line in lines} == before.keys()
    results = {path: data for path, data in files.items() if path not in before}
    expected = contents(tmp_path / "out")
    assert results == {f"memory://out/{n}": data for n, data in expected.items()}
    # What appears under its name is whole, as it is renamed.
    assert not {*results} & {*MemoryFileSystem.created}
    files["memory://in/.hidden/a.txt"] = files["memory://in/a.zarr/0.0"] = b"part"
    files["memory://in/a.txt"] = files["memory://out/a.png"] = b""
    _, sums = run("memory://out", preset, "memory://in/**")
    expected = {"restored": 1, "skipped": len(NAMES) - 1, ".txt": 1}
    assert {name: sums.get(name) for name in (*expected, "failed")} == {
        **expected,
        "failed": None,
    }
    assert files["memory://out/a.png"] == results["memory://out/a.png"]


@pytest.mark.backend_free
@pytest.mark.parametrize(
    "options, received",
    [
        ({"preset": "no_such_preset"}, "no_such_preset"),
        ({"preset": "none.keras"}, "none.keras"),
        ({"preset": InDI}, "preset=<class"),
        ({"num_steps": 0}, "num_steps=0"),
        ({"sampler": "euler"}, "sampler='euler'"),
        ({"seed": -1}, "seed=-1"),
        ({"existing": "refuse"}, "existing='refuse'"),
        ({"name": "x4"}, "name='x4'"),
        ({"max_memory": 0}, "max_memory=0"),
        ({"dtype": "float64"}, "dtype='float64'"),
        ({"max_pixels": 0}, "max_pixels=0"),
        ({"tile_size": 0}, "tile_size=0"),
        ({"num_samples": 2}, "num_samples"),
        ({"output": "gss://bucket/out"}, "output='gss://bucket/out'"),
        ({"output": "in/\udcff"}, "output='in/\ufffd'"),
        ({"output": None}, "output=None"),
    ],
)
def test_bad_arguments_are_refused_before_the_pipeline(preset, options, received):
    with pytest.raises(ValueError, match="Received: .*" + received):
        RestoreFiles(**{"output": "out", "preset": preset, **options})
