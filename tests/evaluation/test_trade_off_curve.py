"""The curve: rows are what `evaluate` gives, and survive interruptions."""

import numpy as np
import pytest
from helpers import full_strength, small_network, smooth_images
from PIL import Image

from keras_indi.evaluation import Protocol, Table, evaluate, recommend, trade_off
from keras_indi.models import InDI
from keras_indi.samplers import InDISampler
from keras_indi.schedules import BrownianNoise, PowerGrid

PSNR = Protocol(("psnr",))


def new_model(seed=0, **kwargs):
    return InDI(small_network(seed=seed), seed=0, **{"noise_schedule": 0.05, **kwargs})


@pytest.fixture(scope="module")
def model():
    return new_model()


@pytest.fixture(scope="module")
def pairs():
    clean = smooth_images(3, 16, 12).astype("uint8")
    return (clean // 2 + 40, clean)


class Interrupted(InDI):
    """Breaks off in the restoration that `calls_left` counts down to."""

    calls_left = None

    def restore(self, *args, **kwargs):
        if self.calls_left == 0:
            raise KeyboardInterrupt
        if self.calls_left is not None:
            self.calls_left -= 1
        return super().restore(*args, **kwargs)


def test_rows_are_what_evaluate_gives(model, pairs):
    settings = {"samplers": ("indi", "heun"), "time_grids": ("uniform", "power")}
    table = trade_off(model, pairs, (1, 2), **settings, seeds=(0, 5), protocol=PSNR)
    assert len(table) == 16
    seen = set()
    for row in table:
        arguments = {key: row[key] for key in ("sampler", "time_grid", "num_steps")}
        seen.add((*arguments.values(), row["seed"]))
        means = evaluate(model, pairs, PSNR, seed=row["seed"], **arguments).means
        assert row["psnr"] == means["psnr"]
        assert row["images"] == 3
        calls = {("heun", 1): 1, ("heun", 2): 3}
        steps = row["num_steps"]
        assert row["evaluations"] == calls.get((row["sampler"], steps), steps)
    assert len(seen) == 16
    assert len({row["psnr"] for row in table}) > 8  # the seed and the rest count


def test_an_interrupted_curve_continues_to_the_same_table(pairs, tmp_path):
    network = small_network()
    model = Interrupted(network, noise_schedule=0.05, seed=0)
    whole = trade_off(model, pairs, (1, 2, 4), protocol=PSNR, output_dir=tmp_path / "a")

    model.calls_left = 2
    with pytest.raises(KeyboardInterrupt):
        trade_off(model, pairs, (1, 2, 4), protocol=PSNR, output_dir=tmp_path / "b")
    files = {path.name for path in (tmp_path / "b" / "settings").iterdir()}
    done = {"indi-uniform-1steps-seed0.json", "indi-uniform-2steps-seed0.json"}
    assert files == {"circumstances.json", *done}
    assert not (tmp_path / "b" / "trade_off.json").exists()
    model.calls_left = 1  # what is finished is not restored again
    again = trade_off(model, pairs, (1, 2, 4), protocol=PSNR, output_dir=tmp_path / "b")
    assert again == whole
    written = [
        {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*.[jc]s*")}
        for folder in (tmp_path / "a", tmp_path / "b")
    ]
    assert written[0] == written[1] and len(written[0]) == 6

    # More steps later: only the new ones run.
    model.calls_left = 1
    more = trade_off(model, pairs, (1, 2, 3), protocol=PSNR, output_dir=tmp_path / "b")
    assert [row["num_steps"] for row in more] == [1, 2, 3]
    assert more.rows[:2] == whole.rows[:2]


def test_a_time_shift_is_an_axis(model, pairs, tmp_path, monkeypatch):
    def run(time_shifts, num_steps=(1, 2)):
        return trade_off(
            model,
            pairs,
            num_steps,
            time_shifts=time_shifts,
            protocol=PSNR,
            output_dir=tmp_path,
        )

    before = run((1.0,))
    names = {path.name for path in (tmp_path / "settings").iterdir()}
    table = run((1, 1.7, 0.6))
    assert table.rows[:2] == before.rows  # results without a shift still count
    new = {path.name for path in (tmp_path / "settings").iterdir()} - names
    assert "indi-uniform-shift1.7-2steps-seed0.json" in new and len(new) == 4
    shifts = [row["time_shift"] for row in table]
    assert shifts == [1.0, 1.0, 1.7, 1.7, 0.6, 0.6]
    for row in table:
        arguments = {key: row[key] for key in ("num_steps", "time_shift")}
        assert row["psnr"] == evaluate(model, pairs, PSNR, **arguments).means["psnr"]
    assert table.rows[1]["psnr"] != table.rows[3]["psnr"]
    assert "time_shift" in (tmp_path / "trade_off.csv").read_text()
    assert Table.from_json(tmp_path / "trade_off.json") == table
    with monkeypatch.context() as patched:
        patched.setattr(InDI, "restore", lambda *a, **k: pytest.fail("again"))
        assert run((1, 1.7, 0.6)) == table
    found = recommend(run((1.7,)), best="psnr")
    assert found.settings["time_shift"] == 1.7
    assert model.restore(pairs[0], **found.settings).shape == pairs[0].shape


def test_the_results_are_written(model, pairs, tmp_path):
    table = trade_off(model, pairs, (1, 2), protocol=Protocol(), output_dir=tmp_path)
    assert Table.from_json(tmp_path / "trade_off.json") == table
    assert (tmp_path / "trade_off.csv").read_text().count("\n") == 3
    Image.open(tmp_path / "scores_against_steps.png").verify()
    row = Table.from_json(tmp_path / "settings" / "indi-uniform-2steps-seed0.json")
    assert row.means["psnr"] == table.rows[1]["psnr"] and len(row) == 3
    assert not list(tmp_path.rglob(".*"))


def test_anothers_folder_is_refused(model, pairs, tmp_path):
    def run(model=model, pairs=pairs, protocol=PSNR):
        return trade_off(model, pairs, (1,), protocol=protocol, output_dir=tmp_path)

    run()
    run()
    with pytest.raises(ValueError, match="another protocol; .*Received: output_dir="):
        run(protocol=Protocol(("psnr",), crop_border=1))
    with pytest.raises(ValueError, match="another images;"):
        run(pairs=(pairs[0], 255 - pairs[1]))
    with pytest.raises(ValueError, match="another noise_schedule;"):
        run(model=new_model(noise_schedule=0.01))
    with pytest.raises(ValueError, match="another model;"):
        run(model=new_model(seed=1))
    with pytest.raises(ValueError, match="another value_range;"):
        run(model=new_model(value_range=(0, 256)))
    (tmp_path / "settings" / "circumstances.json").unlink()
    with pytest.raises(ValueError, match="without circumstances.json.*settings"):
        run()


def test_a_curve_is_of_the_images_below_one_limit(model, tmp_path):
    for seed, name in enumerate(("degraded", "clean")):
        (tmp_path / name).mkdir()
        for side in (12, 16):
            (image,) = smooth_images(1, side, side, seed=seed).astype("uint8")
            Image.fromarray(image).save(tmp_path / name / f"{side}.png")
    folders, out = (tmp_path / "degraded", tmp_path / "clean"), tmp_path / "curve"
    options = {"protocol": PSNR, "output_dir": out, "warn": False}
    table = trade_off(model, folders, (1,), max_pixels=150, **options)
    assert [row["images"] for row in table] == [1]
    assert "max_pixels=150" in table.failures[0]["reason"]
    with pytest.raises(ValueError, match="another max_pixels;"):
        trade_off(model, folders, (1,), **options)


def test_samplers_and_grids_of_ones_own(model, pairs, tmp_path):
    grids = (PowerGrid(3.0), [1.0, 0.3, 0.0])
    table = trade_off(
        model, pairs, (2,), (InDISampler(),), grids, protocol=PSNR, output_dir=tmp_path
    )
    read = Table.from_json(tmp_path / "trade_off.json")
    assert read == table
    assert len(list((tmp_path / "settings").iterdir())) == 3
    found = recommend(read, best="psnr")
    restored = model.restore(pairs[0], seed=0, **found.settings)
    assert restored.shape == pairs[0].shape
    assert found.settings["num_steps"] == 2
    for row, grid in zip(table, grids):
        means = evaluate(model, pairs, PSNR, num_steps=2, time_grid=grid).means
        assert row["psnr"] == means["psnr"]


def test_bad_settings_are_told_before_any_work(pairs, tmp_path):
    model = new_model()
    model.restore = lambda *args, **kwargs: pytest.fail("work was started")
    for arguments in (
        {"num_steps": (1, 0)},
        {"num_steps": ()},
        {"samplers": ("indi", "unknown")},
        {"time_grids": ([1.0, 0.5, 0.0],), "num_steps": (2, 3)},
        {"seeds": (0, -1)},
        {"time_shifts": (1.0, 0.0)},
        {"time_shifts": (None,)},
        {"time_shifts": ()},
    ):
        with pytest.raises(ValueError, match="Received: "):
            trade_off(model, pairs, **arguments, output_dir=tmp_path / "out")
    model.noise_schedule = BrownianNoise(0.1)
    with pytest.raises(ValueError, match="Received: noise_schedule="):
        trade_off(model, pairs, (1,), ("indi", "heun"), output_dir=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_new_weights_are_another_model(pairs, tmp_path):
    model = new_model()
    trade_off(model, pairs, (1,), protocol=PSNR, output_dir=tmp_path)
    full_strength(model.backbone, seed=9)
    with pytest.raises(ValueError, match="another model;"):
        trade_off(model, pairs, (1,), protocol=PSNR, output_dir=tmp_path)
    assert np.isfinite(trade_off(model, pairs, (1,), protocol=PSNR).rows[0]["psnr"])
