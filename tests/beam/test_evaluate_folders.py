"""Folders scored by a pipeline: the scores of `evaluate`."""

import json
import os

import keras
import numpy as np
import pytest

beam = pytest.importorskip("apache_beam", reason="needs Apache Beam: the extra `beam`")

from apache_beam.options.pipeline_options import PipelineOptions  # noqa: E402
from apache_beam.testing.util import assert_that, equal_to  # noqa: E402
from helpers import full_strength, shared_folder, smooth_images  # noqa: E402
from PIL import Image  # noqa: E402

from keras_indi.beam import EvaluateFolders  # noqa: E402
from keras_indi.beam.combined_moments import CombinedMoments  # noqa: E402
from keras_indi.evaluation import Protocol, Table, evaluate  # noqa: E402
from keras_indi.metrics.frechet_distance import moments  # noqa: E402

COUNT = 9


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("folders")
    for side, seed in (("clean", 0), ("restored", 1)):
        (folder / side / "deep").mkdir(parents=True)
        for index in range(COUNT):
            size = 16 + index % 2, 14
            image = smooth_images(1, *size, seed=20 * seed + index)[0]
            image = (image / (1 + 2 * seed)).astype("uint8")  # restored ones are dark
            name = f"{'deep/' if index % 2 else ''}{index}"
            ending = "png" if side == "clean" else "tif"  # names pair, not endings
            Image.fromarray(image).save(folder / side / f"{name}.{ending}")
    return folder


@pytest.fixture
def protocol(tmp_path):
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    x = keras.layers.Conv2D(5, 3, activation="tanh")(x)
    outputs = keras.layers.GlobalAveragePooling2D()(x)
    full_strength(keras.Model(inputs, outputs)).save(tmp_path / "own.keras")
    return Protocol(("psnr", "ssim", "fid"), extractor=tmp_path / "own.keras")


def run(folders, protocol, output):
    with beam.Pipeline("FnApiRunner", PipelineOptions([])) as pipeline:
        yield pipeline | EvaluateFolders(
            str(folders / "restored"), str(folders / "clean"), protocol, str(output)
        )


def test_the_scores_are_those_of_evaluate(folders, protocol, tmp_path):
    expected = evaluate(folders / "restored", folders / "clean", protocol)
    for found in run(folders, protocol, tmp_path / "scores"):
        names = [row["name"] for row in expected.rows]
        assert_that(found.scores | beam.Keys(), equal_to(names), "names")
        assert_that(found.failed, equal_to([]), "failed")
    table = Table.from_json(tmp_path / "scores/evaluation.json")
    assert [*table.means] == [*expected.means] == ["psnr", "ssim", "fid"]
    for name, mean in expected.means.items():
        assert table.means[name] == pytest.approx(mean, rel=1e-6)
    assert table.means["fid"] > 0.1
    assert len(table.rows) == COUNT
    for row, own in zip(table.rows, expected.rows):
        assert row.pop("name") == own.pop("name")
        assert row == pytest.approx(own, rel=1e-6)
    assert table.protocol.get_config() == protocol.get_config()
    assert table.versions == expected.versions
    assert (tmp_path / "scores/evaluation.csv").read_text().startswith("name,psnr,ssim")


@pytest.mark.parametrize("network", ["alex", "squeeze"])
def test_lpips_is_that_of_evaluate(network, tmp_path):
    weights = {network: shared_folder("weights", f"lpips_{network}_v0.1.npz")}
    for side, strength in (("clean", 1), ("restored", 3)):
        (tmp_path / side).mkdir()
        for index in range(4):
            image = smooth_images(1, 40 + 8 * (index % 2), 36, seed=index)[0]
            image = (image / (1 + index * (strength - 1))).astype("uint8")
            Image.fromarray(image).save(tmp_path / side / f"{index}.png")
    protocol = Protocol(("psnr", f"lpips_{network}"), weights=weights)
    expected = evaluate(tmp_path / "restored", tmp_path / "clean", protocol)
    for _ in run(tmp_path, protocol, tmp_path / "scores"):
        pass
    table = Table.from_json(tmp_path / "scores/evaluation.json")
    assert table.failures == [] and len(table.rows) == 4
    for row, own in zip(table.rows, expected.rows):
        assert row.pop("name") == own.pop("name")
        assert row == pytest.approx(own, rel=1e-6, abs=1e-6)
    assert table.rows[0][f"lpips_{network}"] == 0  # of an image and itself
    assert table.means == pytest.approx(expected.means, rel=1e-6)
    assert table.means[f"lpips_{network}"] > 0.01
    assert table.versions == expected.versions  # the weights' digests among them


def test_what_cannot_be_scored_is_named(tmp_path):
    for side in ("clean", "restored"):
        (tmp_path / side).mkdir()
        for name in ("a.png", "b.png", "c.png"):
            Image.new("RGB", (14, 16)).save(tmp_path / side / name)
    (tmp_path / "restored/b.png").write_bytes(b"no image")
    (tmp_path / "clean/c.png").unlink()
    Image.new("RGB", (14, 16)).save(tmp_path / "clean/a.bmp")
    Image.new("RGB", (14, 16)).save(tmp_path / "clean/d.png")
    Image.new("RGB", (14, 17)).save(tmp_path / "restored/d.png")
    for side in ("clean", "restored"):
        Image.new("RGB", (14, 16)).save(tmp_path / side / "good.png")
    for _ in run(tmp_path, Protocol(), tmp_path / "scores"):
        pass
    content = json.loads((tmp_path / "scores/evaluation.json").read_text())
    assert [row["name"] for row in content["rows"]] == ["good"]
    reasons = {failure["name"]: failure["reason"] for failure in content["failures"]}
    assert [*reasons] == ["a", "b", "c", "d"]
    assert "several: " in reasons["a"] and "a.bmp" in reasons["a"]
    assert "unreadable" in reasons["b"] and "has none" in reasons["c"]
    assert "one shape" in reasons["d"]


@pytest.mark.parametrize("output", ["scores", None])
def test_where_nothing_can_be_scored_it_ends_as_evaluate(output, tmp_path):
    for side in ("clean", "restored"):
        (tmp_path / side).mkdir()
        for name in ("a.png", "b.png"):
            (tmp_path / side / name).write_bytes(b"no image")
    with pytest.raises(ValueError, match="No pair could be scored.*a: .*b: ") as plain:
        evaluate(
            tmp_path / "restored", tmp_path / "clean", output_dir=tmp_path / "plain"
        )
    with (
        pytest.raises(Exception, match="No pair could be scored.*a: .*b: ") as found,
        beam.Pipeline("FnApiRunner", PipelineOptions([])) as pipeline,
    ):
        folders = (str(tmp_path / "restored"), str(tmp_path / "clean"))
        where = output and str(tmp_path / output)
        _ = pipeline | EvaluateFolders(*folders, output=where)
    assert str(plain.value) in str(found.value)
    if output is not None:
        expected, table = (
            Table.from_json(tmp_path / name / "evaluation.json")
            for name in ("plain", "scores")
        )
        assert table == expected and table.rows == [] and table.means is None
        assert [failure["name"] for failure in table.failures] == ["a", "b"]


@pytest.mark.backend_free
def test_a_folder_that_is_not_there_is_named(tmp_path):
    with (
        pytest.raises(Exception, match="Folder not found. Received: .*none"),
        beam.Pipeline("FnApiRunner", PipelineOptions([])) as pipeline,
    ):
        _ = pipeline | EvaluateFolders(str(tmp_path / "none"), str(tmp_path))


def test_links_are_followed(tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (14, 16)).save(tmp_path / "images/good.png")
    (tmp_path / "images/bad.png").symlink_to("nowhere.png")
    for side in ("clean", "restored"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "deep").symlink_to(tmp_path / "images")
    for _ in run(tmp_path, Protocol(), tmp_path / "scores"):
        pass
    table = Table.from_json(tmp_path / "scores/evaluation.json")
    assert [row["name"] for row in table.rows] == ["deep/good"]
    assert [failure["name"] for failure in table.failures] == ["deep/bad"]


def test_names_that_are_not_utf8_are_named(tmp_path):
    for side in ("clean", "restored"):
        (tmp_path / side).mkdir()
        Image.new("RGB", (14, 16)).save(tmp_path / side / "good.png")
    odd = tmp_path / "restored" / os.fsdecode(b"odd\xff.png")
    try:
        odd.write_bytes((tmp_path / "restored/good.png").read_bytes())
    except (OSError, UnicodeError):
        pytest.skip("needs a file system whose names are bytes")
    for side in ("restored", "clean"):
        (tmp_path / side / odd.name).write_bytes(odd.read_bytes())
        for _ in run(tmp_path, Protocol(), tmp_path / "scores"):
            pass
        table = Table.from_json(tmp_path / "scores/evaluation.json")
        assert [row["name"] for row in table.rows] == ["good"]
        (failure,) = table.failures
        assert failure["name"] == "odd\ufffd"
        assert ("UTF-8" if side == "clean" else "has none") in failure["reason"]


@pytest.mark.backend_free
def test_moments_are_the_same_however_they_are_combined():
    rng = np.random.default_rng(0)
    features = rng.normal(3, 1, (300, 4))
    combine = CombinedMoments()
    parts = []
    for part in np.split(features, [0, 1, 7, 200]):
        accumulator = combine.create_accumulator()
        for vector in part:
            accumulator = combine.add_input(accumulator, vector)
        parts.append(combine.compact(accumulator) if len(part) > 50 else accumulator)
    found = combine.extract_output(combine.merge_accumulators(parts))
    for value, expected in zip(found, moments(features)):
        np.testing.assert_allclose(value, expected, rtol=1e-12)


@pytest.mark.backend_free
def test_what_cannot_be_combined_is_refused(protocol):
    own = {"extractor": protocol.extractor}
    with pytest.raises(
        ValueError, match="keras-indi evaluate.*Received: metrics=.*kid"
    ):
        EvaluateFolders("a", "b", Protocol(("psnr", "kid"), **own))
    with pytest.raises(ValueError, match="num_images=3"):
        EvaluateFolders("a", "b", Protocol(num_images=3))
    with pytest.raises(ValueError, match="not a folder. Received: .*own.keras"):
        EvaluateFolders("a", "b", output=str(protocol.extractor))
    for folders in (("gss://b/a", "b"), ("a", "gss://b/a")):
        with pytest.raises(ValueError, match="for gss://.* Received: .*'gss://b/a'"):
            EvaluateFolders(*folders)
    with pytest.raises(ValueError, match="must be a .*Protocol.*'psnr'"):
        EvaluateFolders("a", "b", "psnr")
    with pytest.raises(ValueError, match="Received: clean=None"):
        EvaluateFolders("a", None)
