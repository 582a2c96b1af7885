"""Finished work that is damaged is refused by name, with what to do."""

import json
import os

import numpy as np
import pytest
from helpers import tiny_unet
from PIL import Image

from keras_indi.evaluation import Table, evaluate, trade_off
from keras_indi.evaluation.named_pairs import as_pairs
from keras_indi.evaluation.resume import FinishedPairs, claim
from keras_indi.models import InDI

pytestmark = pytest.mark.backend_free


def test_finished_pairs_come_back_or_are_refused(tmp_path):
    finished = FinishedPairs(tmp_path)
    finished.save(3, {"psnr": 30.5}, {"clean": np.arange(5.0)})
    scores, features = finished.load(3)
    assert scores == {"psnr": 30.5}
    np.testing.assert_array_equal(features["clean"], np.arange(5.0))
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[len(whole) // 3] ^= 0x10
    damaged = [b"", b"no archive", whole[:-30], whole[: len(whole) // 2]]
    for content in (*damaged, bytes(changed)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="damaged.*delete it.*000003.npz"):
            finished.load(3)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"null"])
def test_damaged_circumstances_are_refused(tmp_path, content):
    path = tmp_path / "circumstances.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged; delete its folder.*circumstances"):
        claim(tmp_path, {"seed": 1})
    assert path.read_bytes() == content


def test_what_a_killed_writer_left_is_no_finished_work(tmp_path):
    claim(tmp_path, {"seed": 1})
    left = tmp_path / ".keras-indi-01234567-12-89abcdef.partial.npz"
    left.write_bytes(b"half")
    claim(tmp_path, {"seed": 2})
    assert [path.name for path in tmp_path.iterdir()] == ["circumstances.json"]
    assert json.loads((tmp_path / "circumstances.json").read_text()) == {"seed": 2}
    (tmp_path / "partial-1.npz").write_bytes(b"mine")
    with pytest.raises(ValueError, match="measured with another seed"):
        claim(tmp_path, {"seed": 3})


@pytest.mark.parametrize("content", [b"", b"[1]", b"{}", b"\xff", b'{"rows": 1}'])
def test_a_damaged_table_is_refused(tmp_path, content):
    path = tmp_path / "table.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="delete it and measure again.*table.json"):
        Table.from_json(path)


def test_a_table_of_endless_lists_is_refused(tmp_path):
    path = tmp_path / "table.json"
    path.write_text("[" * 100_000)
    with pytest.raises(ValueError, match="delete it and measure again.*table.json"):
        Table.from_json(path)


def images(folder, *values):
    folder.mkdir()
    for index, value in enumerate(values):
        image = np.full((13, 14, 3), value, "uint8")
        Image.fromarray(image).save(folder / f"{index}.png")
    return folder


def archive(path, **arrays):
    np.savez(path, **arrays)
    return path.read_bytes()


def test_finished_pairs_of_other_scores_are_refused(tmp_path):
    folders = images(tmp_path / "a", 10, 20), images(tmp_path / "b", 11, 22)
    out = tmp_path / "out"
    table = evaluate(*folders, output_dir=out, verbose=0)
    path = out / "measured" / "000001.npz"
    whole = path.read_bytes()
    pickled = np.array([{"psnr": 1}], dtype=object)
    for arrays, message in (
        ({}, "other scores than these; delete it.*000001"),
        ({"score_psnr": 30.0}, "other scores than these; delete it"),
        ({"score_psnr": 30.0, "score_ssim": np.ones(3)}, "other scores than these"),
        ({"score_psnr": 30.0, "score_ssim": 1.0, "features_2048": 1.0}, "other scores"),
        ({"score_psnr": pickled, "score_ssim": 1.0}, "damaged.*delete it.*000001"),
    ):
        content = archive(path, **arrays)
        with pytest.raises(ValueError, match=message):
            evaluate(*folders, output_dir=out, verbose=0)
        assert path.read_bytes() == content
    path.write_bytes((out / "measured" / "000000.npz").read_bytes())
    with pytest.raises(ValueError, match="another pair; delete it.*'0' for '1'"):
        evaluate(*folders, output_dir=out, verbose=0)
    path.write_bytes(whole)
    assert evaluate(*folders, output_dir=out, verbose=0) == table
    (out / "measured" / "circumstances.json").unlink()
    with pytest.raises(ValueError, match="without circumstances.json.*Delete it"):
        evaluate(*folders, output_dir=out, verbose=0)


def test_images_that_were_replaced_are_measured_in_another_folder(tmp_path):
    folders = images(tmp_path / "a", 10, 20), images(tmp_path / "b", 11, 22)
    evaluate(*folders, output_dir=tmp_path / "out", verbose=0)
    old = (folders[0] / "1.png").stat()
    Image.fromarray(np.full((13, 14, 3), 21, "uint8")).save(folders[0] / "1.png")
    os.utime(folders[0] / "1.png", ns=(old.st_atime_ns, old.st_mtime_ns))
    with pytest.raises(ValueError, match="with another images"):
        evaluate(*folders, output_dir=tmp_path / "out", verbose=0)


def test_an_image_that_changes_while_it_is_measured_is_in_no_score(tmp_path):
    folders = images(tmp_path / "a", 10, 20), images(tmp_path / "b", 11, 22)
    pairs = as_pairs(folders)
    pairs.fingerprint()
    Image.fromarray(np.full((13, 14, 3), 21, "uint8")).save(folders[0] / "1.png")
    pairs.read(0)
    with pytest.raises(ValueError, match="1.png has changed since"):
        pairs.read(1)


@pytest.mark.parametrize("name", ["evaluation.json", "evaluation.png", "measured"])
def test_what_stands_in_the_place_of_a_result_is_named_before_any_work(name, tmp_path):
    folders = images(tmp_path / "a", 10), images(tmp_path / "b", 11)
    out = tmp_path / "out"
    out.mkdir()
    (out / name).touch() if name == "measured" else (out / name).mkdir()
    with pytest.raises(ValueError, match=f"Received: .*{name}"):
        evaluate(*folders, output_dir=out, verbose=0)


def test_a_setting_of_other_images_is_refused(tmp_path):
    model = InDI(tiny_unet(), seed=0)
    folders = images(tmp_path / "a", 10, 20), images(tmp_path / "b", 11, 22)
    options = {"num_steps": (1, 2), "output_dir": tmp_path / "out", "verbose": 0}
    table = trade_off(model, folders, **options)
    one, two = sorted((tmp_path / "out" / "settings").glob("*steps-*"))
    content = json.loads(one.read_text())
    for change in (
        lambda c: c["rows"].pop(),
        lambda c: c.update(means=None),
        lambda c: c["rows"][0].update(name="other"),
        lambda c: c["protocol"].update(crop_border=3),
    ):
        other = json.loads(json.dumps(content))
        change(other)
        one.write_text(json.dumps(other))
        with pytest.raises(
            ValueError, match="other images, scores or settings.*delete it.*1step"
        ):
            trade_off(model, folders, **options)
    one.write_bytes(two.read_bytes())
    with pytest.raises(ValueError, match="or settings than these.*delete it.*1step"):
        trade_off(model, folders, **options)
    one.write_text(json.dumps(content))
    assert trade_off(model, folders, **options) == table
    model.restore_defaults = {**model.restore_defaults, "num_steps": 3}
    with pytest.raises(ValueError, match="with another restore_defaults"):
        trade_off(model, folders, **options)
