"""The paper's experiments: they run, go on where they stopped, and judge rightly."""

import dataclasses
import importlib
import json
import pathlib
import re
import shutil
import sys

import keras
import numpy as np
import pytest
from helpers import full_strength, run_alone, run_here, tiny_unet, to_numpy
from keras import ops

import keras_indi

FOLDER = pathlib.Path(__file__).parents[2] / "examples" / "paper"
BLUR = ["motion_deblurring", "defocus_deblurring"]
SUPER_RESOLUTION = [
    "super_resolution",
    "inference",
    "time_distribution",
    "conditional_ddpm",
    "regression",
]
BEYOND = ["conditioning", "posterior_mean_start", "student", "start_time"]
PHOTOGRAPHS = [*BLUR, "jpeg", *SUPER_RESOLUTION, "generation", *BEYOND]


@pytest.fixture(scope="module", autouse=True)
def _importable():
    sys.path.insert(0, str(FOLDER))
    yield
    sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder of runs, of all experiments as a user would have it."""
    return tmp_path_factory.mktemp("runs")


def run(name, runs, environment, run_command=run_here):
    """Runs an experiment in smoke mode; returns its results and what it printed."""
    output = run_command([FOLDER / f"{name}.py", "--runs", runs], environment)
    folder = runs / "results" / name
    content = json.loads((folder / "results.json").read_text())
    assert content["scale"] == "smoke" and content["claims"]
    for claim in content["claims"]:
        assert claim["verdict"] in output
        assert (folder / claim["figure"]).is_file()
    return content, output


@pytest.mark.slow
def test_gaussian_prior(tmp_path, smoke):
    content, _ = run("gaussian_prior", tmp_path, smoke)
    orders = content["measured"]["orders"]
    np.testing.assert_allclose(orders["indi"], 1, atol=0.15)
    np.testing.assert_allclose(orders["heun"], 2, atol=0.15)
    assert content["protocol"]["observation_seeds"] == [0, 1]


@pytest.mark.slow
def test_toy(tmp_path, smoke):
    content, _ = run("toy", tmp_path, smoke)
    exact = content["measured"]["identity"]["closed_form"]
    assert exact["1"]["near_a_mode"] < 0.2 < 0.8 < exact["4"]["near_a_mode"]
    assert exact["1"]["squared_error"] < exact["4"]["squared_error"]
    again, _ = run("toy", tmp_path, smoke)  # with the networks that are trained
    assert again["measured"] == content["measured"]


def test_the_networks_of_error_accumulation_are_here():
    from error_accumulation import CHECKPOINTS, TASKS

    known = {path.name for path in CHECKPOINTS.iterdir()} | {*keras_indi.InDI.presets}
    for _, models in TASKS.values():
        assert known.issuperset(models.values())


@pytest.mark.slow
def test_error_accumulation(tmp_path, smoke):
    content, _ = run("error_accumulation", tmp_path, smoke)
    measured = content["measured"]
    exact = measured["walks"]["controls"]["Gaussian prior"]
    squared = np.square(exact["time"])
    # Of x ~ N(0, 1) and y = x + n: F = x_t / (1 + t^2).
    np.testing.assert_allclose(exact["error_true"], squared / (1 + squared), rtol=0.1)
    np.testing.assert_allclose(exact["kept"], 1 / (1 + squared) ** 2, rtol=0.1)
    np.testing.assert_allclose(exact["power_own"], exact["power_true"], rtol=0.1)
    (task,) = measured["scores"].values()
    assert len(task) == 2  # without noise on the path there is none to leave out
    assert [len(training) for training in task.values()] == [2, 1]
    for training in task.values():
        plain, shifted = training["with the noise of training"].values()
        assert plain["1"] == shifted["1"] and plain["3"] != shifted["3"]


@pytest.mark.slow
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs(name, runs, smoke):
    import trainings

    config = importlib.import_module(name).CONFIGS["smoke"]
    models = {
        trainings.model_folder(config, variant, 0, runs / "smoke" / "models")
        / "restorer.keras"
        for variant in config.variants.values()
    }
    # What another experiment has trained is not trained again.
    missing = [path for path in models if not path.exists()]
    content, output = run(name, runs, smoke)
    assert output.count("training /") == len(missing)
    assert all(path.is_file() for path in models)
    assert (runs / "results" / name / "pictures.png").is_file()
    earlier = config.budget.measured_at
    assert (runs / "results" / name / "training.png").is_file() == bool(earlier)
    for claim in content["claims"]:
        assert [int(steps) for steps in claim["over_training"]] == list(earlier)
    for facts in content["protocol"]["variants"].values():
        assert facts["validation_losses"].keys() == {"1", "2"}
    rows = content["measured"]["rows"]
    assert {row["training_steps"] for row in rows} == {*earlier, 2}
    if "psnr" in config.metrics:
        (controls,) = content["measured"]["controls"].values()
        assert controls["calls"] == 3 and len(controls) == 4
    assert rows and all(row["images"] == 2 for row in rows)
    assert {row["line"] for row in rows} == {line for line, _, _ in config.lines()}
    assert {row["evaluations"] for row in rows} == {1, 3}  # equal, of all samplers


@pytest.mark.slow
def test_goes_on_where_it_stopped(runs, smoke):
    content, _ = run("defocus_deblurring", runs, smoke)
    again, output = run("defocus_deblurring", runs, smoke, run_alone)
    assert output.count("training /") == 0
    assert again["measured"]["rows"] == content["measured"]["rows"]
    # JAX sums in another order in another process.
    exact = keras.config.backend() != "jax"
    assert again["measured"] == content["measured"] or not exact
    (model,) = (runs / "smoke" / "models").glob("DefocusBlur*/seed0/restorer.keras")
    shutil.rmtree(model.parent)
    again, output = run("defocus_deblurring", runs, smoke, run_alone)
    assert output.count("training /") == 1
    assert again["measured"] == content["measured"] or not exact
    before, after = (
        [row["psnr"] for row in one["measured"]["rows"]] for one in (content, again)
    )
    assert after == pytest.approx(before, abs=0.01)


@pytest.mark.backend_free
def test_run_all_goes_on_and_tells(monkeypatch, capsys):
    import run_all

    started = []

    def call(command):
        started.append((pathlib.Path(command[1]).stem, command[2:]))
        return int("jpeg" in command[1])

    monkeypatch.setattr(run_all.subprocess, "call", call)
    assert run_all.main(["--scale", "small"]) == 1
    assert "failed: jpeg" in capsys.readouterr().out
    names = [name for name, _ in started]
    assert names == [*run_all.EXPERIMENTS, "report"]
    assert all((FOLDER / f"{name}.py").is_file() for name in names)
    assert all(given == ["--scale", "small"] for _, given in started[:-1])
    monkeypatch.setattr(run_all.subprocess, "call", lambda command: 0)
    assert run_all.main([]) == 0
    capsys.readouterr()
    assert run_all.main(["--scale", "medium"]) == 0
    printed = capsys.readouterr().out
    assert "=== toy: not at the scale medium" in printed and "=== jpeg\n" in printed


@pytest.mark.backend_free
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_full_scale_is_the_papers(name):
    config = importlib.import_module(name).CONFIGS["full"]
    budget = config.budget
    assert (budget.steps, budget.learning_rate, budget.warmup) == (500_000, 1e-4, None)
    assert budget.global_clipnorm is None and len(budget.seeds) >= 2
    noisy = {v.noise_schedule for v in config.variants.values()} != {0.0}
    assert noisy == (name not in [*BLUR, "start_time"])
    for line, variant in config.variants.items():
        sees_degraded = variant.restorer == "conditional_ddpm" or "and y" in line
        assert variant.condition_on_degraded == sees_degraded


@pytest.mark.backend_free
def test_small_trainings_are_few():
    """At small scale all train 33 models a seed, of one budget a task."""
    import trainings

    folders = {}
    for name in PHOTOGRAPHS:
        config = importlib.import_module(name).CONFIGS["small"]
        for variant in config.variants.values():
            folder = trainings.model_folder(config, variant, 0, pathlib.Path())
            found = trainings.circumstances(config, variant)
            assert folders.setdefault(folder, found) == found
    steps = [found["budget"]["steps"] for found in folders.values()]
    assert len(steps) == 33 and set(steps) == {1000, 2000, 6000}
    assert 2 * sum(steps) * 0.07 < 4 * 3600  # seconds, at some 0.07 a batch


def test_a_second_network_starts_where_one_step_ends(tmp_path):
    from posterior_mean import AfterOneStep, PosteriorMean

    from keras_indi.data.degradations import JPEGCompression

    first = keras_indi.models.InDI(tiny_unet(), seed=0)
    second = keras_indi.models.InDI(full_strength(tiny_unet()), seed=0)
    path = tmp_path / "first.keras"
    first.save(path)
    clean = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype("uint8")
    degrade = JPEGCompression(15)
    start = PosteriorMean(degrade, str(path))(clean, 0)
    degraded = degrade(clean, 0)
    # 8 bits, once and twice.
    assert np.abs(first.restore(degraded, 1, verbose=0) - start.astype("f4")).max() <= 1
    both = AfterOneStep(first, second)
    means = first.restore(degraded, 1, verbose=0)
    np.testing.assert_array_equal(
        both.restore(degraded, 2, seed=1, verbose=0),
        second.restore(means, 2, seed=1, verbose=0),
    )
    assert both.evaluations(2, "indi", "uniform") == 3


@pytest.mark.parametrize("eps", [0.0, 0.5])
def test_a_student_learns_where_its_teacher_walks(eps):
    from closed_forms import GaussianPosteriorMean
    from student_model import STEPS, Student

    problem = GaussianPosteriorMean(0.5, 1.0, 1.0)
    options = {"value_range": None, "noise_schedule": eps, "seed": 0}
    teacher = keras_indi.models.InDI(problem, **options)
    model = Student(problem, teacher.estimate, **options)
    rng = np.random.default_rng(0)
    clean, degraded = rng.normal(size=(2, 64, 1, 1, 1)).astype("float32")
    inputs, target = model.training_example(degraded, clean, draw=True)
    start, times, target = map(to_numpy, (inputs["images"], inputs["times"], target))
    deviation = np.std(start - degraded)
    assert deviation == pytest.approx(eps, rel=0.3)
    assert {*times} == {step / STEPS for step in range(1, STEPS + 1)}
    for one, time, found in zip(start, times, target):
        images, now = one, 1.0
        while now > time:
            following = now - 1 / STEPS
            ratio = following / now
            images = (1 - ratio) * problem.estimate(images, now) + ratio * images
            now = following
        np.testing.assert_allclose(found, problem.estimate(images, now), atol=1e-5)
    again, _ = model.training_example(degraded, clean, draw=False, first=3)
    first_times = to_numpy(again["times"])[:2]
    np.testing.assert_allclose(first_times, [1 - 3 / STEPS, 1 - 4 / STEPS])


def test_small_models_are_small_and_equal():
    import conditional_ddpm
    import generation
    import trainings

    config = conditional_ddpm.CONFIGS["small"]
    counts = set()
    for name in ("InDI", "cDDPM cosine"):
        model = trainings.build(config, config.variants[name], seed=1)
        counts.add(model.backbone.count_params())
        assert model.loss.name == "mean_absolute_error"
        rate = float(to_numpy(ops.convert_to_tensor(model.optimizer.learning_rate)))
        assert 0 <= rate < 5e-4
    config = generation.CONFIGS["small"]
    model = trainings.build(config, config.variants["InDI"], seed=1)
    assert 300_000 < min(counts)
    assert max(*counts, model.backbone.count_params()) < 1_000_000
    # They differ in the first convolution alone, which sees y too.
    assert max(counts) - min(counts) < 0.01 * min(counts)


def test_variants_start_from_the_same_network():
    import jpeg
    import trainings

    config = jpeg.CONFIGS["smoke"]
    first, second = (
        trainings.build(config, config.variants[name], seed=1).backbone.weights
        for name in ("no noise", "Brownian")
    )
    for one, other in zip(first, second):
        np.testing.assert_array_equal(to_numpy(one), to_numpy(other))


@pytest.mark.parametrize("patch_size", [1, 2])
def test_operations_are_those_of_the_compiled_network(patch_size):
    if keras.config.backend() != "jax":
        pytest.skip("JAX counts what it compiles")
    import jax
    import trainings

    unet = keras_indi.models.UNetBackbone(
        base_channels=16,
        channel_multipliers=(1, 2, 3),
        blocks_per_level=1,
        patch_size=patch_size,
        condition_on_degraded=True,
    )
    image = np.zeros((1, 128, 128, 3), "float32")
    inputs = {"images": image, "degraded": image, "times": np.zeros(1, "float32")}

    def estimate(inputs):
        return unet(inputs)

    counted = jax.jit(estimate).lower(inputs).cost_analysis()["flops"]
    # The compiler leaves out what the zeros beyond the borders are multiplied by.
    assert 1 < trainings.forward_flops(unet, 128) / counted < 1.08


def curves(psnr, lpips, config=None):
    """Curves of some lines over 1, 4 and 16 calls, and two seeds.

    Seeds differ by 0.01 dB times the place, and by 0.02 alike.
    """
    import configuration
    import verdicts

    rows = []
    for line in psnr:
        for index, calls in enumerate((1, 4, 16)):
            for seed in (0, 1):
                rows.append(
                    {
                        "line": line,
                        "variant": line,
                        "held_out": "set",
                        "training_seed": seed,
                        "evaluations": calls,
                        "psnr": psnr[line][index] + 0.01 * seed * index,
                        "lpips_alex": lpips[line][index] + 0.02 * seed,
                        "kid768": lpips[line][index] + 0.02 * seed,
                    }
                )
    if config is None:
        config = configuration.Config(
            variants={name: configuration.Variant() for name in psnr},
            calls=(1, 4, 16),
        )
    return config, verdicts.Curves(rows)


@pytest.mark.backend_free
def test_claims_follow_the_figures():
    import verdicts
    from harness import DOES_NOT_SHOW, NOT_DECIDABLE, SHOWS

    config, found = curves(
        {"good": (30, 29, 28), "bad": (28, 29, 29.5), "flat": (30, 30, 30)},
        {"good": (0.3, 0.1, 0.2), "bad": (0.1, 0.2, 0.3), "flat": (0.3, 0.11, 0.3)},
    )
    judged = {
        name: [
            claim.verdict
            for claim in verdicts.trade_off_claims(config, found, None, name)
        ]
        for name in config.variants
    }
    assert judged["good"] == [SHOWS, SHOWS]
    assert judged["bad"] == [DOES_NOT_SHOW, DOES_NOT_SHOW]
    assert judged["flat"][0] == NOT_DECIDABLE

    def compared(*arguments):
        return verdicts.comparison_claim(found, None, "text", *arguments)

    claim = compared("good", "flat", "lpips_alex")
    assert claim.verdict == SHOWS and "good 0.11 in 4 calls" in claim.found
    assert compared("flat", "good", "lpips_alex").verdict == DOES_NOT_SHOW
    assert compared("good", "bad", "lpips_alex").verdict == NOT_DECIDABLE
    assert compared("bad", "good", "lpips_alex", 1).verdict == SHOWS
    assert compared(["good", "bad"], "flat", "lpips_alex", 16).verdict == SHOWS
    # Of one seed no difference is known to be one.
    found.rows = [row for row in found.rows if row["training_seed"] == 0]
    claim = compared("good", "flat", "lpips_alex")
    assert claim.verdict == NOT_DECIDABLE and "of one training" in claim.found


@pytest.mark.backend_free
def test_one_training_is_judged_by_its_photographs():
    import verdicts
    from harness import NOT_DECIDABLE, SHOWS

    config, found = curves(
        dict.fromkeys(("first", "second", "third"), PSNR),
        {"first": GOOD, "second": GOOD, "third": GOOD},
    )
    found.rows = [row for row in found.rows if row["training_seed"] == 0]
    rng = np.random.default_rng(0)
    hard = rng.normal(0.3, 0.1, 68)  # photographs differ much more than models
    gains = {"first": 0.0, "second": 0.01 + rng.normal(0, 0.01, 68)}
    gains["third"] = rng.normal(0, 0.01, 68)
    for row in found.rows:
        values = hard - gains[row["line"]]
        row["photographs"] = {"lpips_alex": values}
        row["lpips_alex"] = values.mean()

    def compared(*lines):
        return verdicts.comparison_claim(found, None, "text", *lines, "lpips_alex", 4)

    claim = compared("second", "first")
    assert claim.verdict == SHOWS
    assert claim.gap == pytest.approx(np.mean(gains["second"]))
    deviation = np.std(gains["second"], ddof=1) / np.sqrt(68)
    told = float(re.search("over photographs (.*?)\\)", claim.found)[1])
    assert told == pytest.approx(deviation, rel=0.15)
    assert compared("third", "first").verdict == NOT_DECIDABLE
    # What grain cannot be told from is in the tables.
    import evidence

    best, calls = evidence.frontier(config, found)["second"]["1.0"]["lpips_alex"]
    assert (best, calls) == (pytest.approx((hard - gains["second"]).mean()), 1)


@pytest.mark.backend_free
def test_medium_scale_decides():
    """20,000 steps, on photographs with free licences, measured on the way."""
    import trainings

    folders = set()
    for name in ("super_resolution", "regression", "conditional_ddpm", "jpeg"):
        config = importlib.import_module(name).CONFIGS["medium"]
        assert config.budget.steps >= 20_000 and config.budget.measured_at
        assert all(
            n % config.budget.steps_per_epoch == 0 for n in config.budget.measured_at
        )
        assert not any("bsds500" in folder for folder in config.train)
        lines = {line for line, _, _ in config.lines()}
        assert lines.issuperset(config.controlled)
        for variant in config.variants.values():
            folders.add(trainings.model_folder(config, variant, 0, pathlib.Path()))
    assert len(folders) == 13
    inference = importlib.import_module("inference").CONFIGS["medium"]
    (variant,) = inference.variants.values()
    assert trainings.model_folder(inference, variant, 0, pathlib.Path()) in folders
    noises = importlib.import_module("super_resolution").MEDIUM.variants
    assert list(noises) == [f"eps {eps:g}" for eps in (0, 0.005, 0.01, 0.02, 0.05)]


@pytest.mark.backend_free
def test_tools_restore_whole_photographs(tmp_path):
    import configuration
    import held_out
    from tools import METHODS

    from keras_indi.data.degradations import Downsample

    image = np.random.default_rng(0).integers(0, 256, (64, 96, 3)).astype("uint8")
    held_out.save_image(tmp_path / "photographs" / "a.png", image)
    config = configuration.Config(
        variants={},
        degradation=Downsample(4),
        crop=32,
        tiles=True,
        tools={"bicubic": METHODS["bicubic"]},
    )
    sources = {"set": "photographs"}
    folders = held_out.held_out_folders(config, sources, tmp_path, tmp_path)
    whole = METHODS["bicubic"](None, image, Downsample(4), 0)
    found = keras_indi.data.read_image(
        folders["set"][0].parent / "bicubic" / "a_32_64.png"
    )
    np.testing.assert_array_equal(found, whole[32:64, 64:96])


def verdicts_of(name, psnr, lpips, **extra):
    """By a part of the claim's text, the verdicts of an experiment on curves."""
    module = importlib.import_module(name)
    config, found = curves(psnr, lpips, module.CONFIGS["small"])
    found.extra = extra
    claims = module.claims(config, found, None)
    return {claim.claim: claim.verdict for claim in claims}


GOOD, FAIR, POOR = (0.3, 0.1, 0.2), (0.3, 0.2, 0.25), (0.3, 0.3, 0.3)
PSNR = (30, 29, 28)


def expect(found, text, verdict):
    (matching,) = (found[claim] for claim in found if text in claim)
    assert matching == verdict, (text, found)


@pytest.mark.backend_free
def test_claims_of_noise():
    from harness import DOES_NOT_SHOW, NOT_DECIDABLE, SHOWS

    psnr = dict.fromkeys(("no noise", "constant", "Brownian"), PSNR)
    lpips = {"no noise": POOR, "constant": GOOD, "Brownian": GOOD}
    found = verdicts_of("jpeg", psnr, lpips)
    for text in ("Constant noise helps", "Brownian noise helps", "help alike"):
        expect(found, text, SHOWS)
    found = verdicts_of("jpeg", psnr, {**lpips, "Brownian": (0.3, 0.29, 0.3)})
    expect(found, "help alike", DOES_NOT_SHOW)
    found = verdicts_of("jpeg", psnr, {**lpips, "Brownian": (0.4, 0.4, 0.4)})
    expect(found, "Brownian noise helps", DOES_NOT_SHOW)

    import super_resolution

    levels = super_resolution.SMALL.variants
    psnr = dict.fromkeys(levels, PSNR)
    lpips = {**dict.fromkeys(levels, FAIR), "eps 0": POOR, "eps 0.1": GOOD}
    found = verdicts_of("super_resolution", psnr, lpips)
    expect(found, "Noise on the path helps", SHOWS)
    found = verdicts_of("super_resolution", psnr, {**lpips, "eps 0": FAIR})
    expect(found, "Noise on the path helps", NOT_DECIDABLE)


@pytest.mark.backend_free
def test_claims_of_algorithms_and_times():
    import inference
    import time_distribution
    from harness import DOES_NOT_SHOW, NOT_DECIDABLE, SHOWS

    lines = [line for line, _, _ in inference.CONFIGS["small"].lines()]
    psnr = dict.fromkeys(lines, PSNR)
    lpips = {
        **dict.fromkeys(lines, FAIR),
        "InDI, naive": POOR,
        "InDI, Cold Diffusion": GOOD,
    }
    found = verdicts_of("inference", psnr, lpips)
    expect(found, "better than naive", SHOWS)
    expect(found, "better than Cold Diffusion", DOES_NOT_SHOW)
    expect(found, "Heun (beyond the paper)", NOT_DECIDABLE)

    lines = list(time_distribution.CONFIGS["small"].variants)
    psnr = dict.fromkeys(lines, PSNR)
    lpips = {**dict.fromkeys(lines, GOOD), "uniform": FAIR, "p ~ t^-0.5": POOR}
    found = verdicts_of("time_distribution", psnr, lpips)
    expect(found, "towards t = 1 helps, in lpips_alex", SHOWS)
    expect(found, "away from t = 1 harms, in lpips_alex", SHOWS)
    expect(found, "towards t = 1 helps, in psnr", NOT_DECIDABLE)
    found = verdicts_of("time_distribution", psnr, {**lpips, "uniform": (0.05,) * 3})
    expect(found, "towards t = 1 helps, in lpips_alex", DOES_NOT_SHOW)


@pytest.mark.backend_free
def test_claims_beside_the_baselines():
    import conditional_ddpm
    from harness import DOES_NOT_SHOW, NOT_DECIDABLE, SHOWS

    lines = [line for line, _, _ in conditional_ddpm.CONFIGS["small"].lines()]
    psnr = {**dict.fromkeys(lines, (20, 24, 26)), "InDI": PSNR}
    lpips = {**dict.fromkeys(lines, (0.6, 0.4, 0.2)), "InDI": GOOD}
    found = verdicts_of("conditional_ddpm", psnr, lpips)
    expect(found, "same psnr", SHOWS)
    expect(found, "same lpips_alex", SHOWS)
    # One baseline of six that is better is enough.
    best = {"cDDPM cosine, DDIM": (0.6, 0.4, 0.05)}
    found = verdicts_of("conditional_ddpm", psnr, {**lpips, **best})
    expect(found, "same lpips_alex", DOES_NOT_SHOW)
    # As good, but in as many calls.
    few = {"cDDPM cosine, DDIM": (0.6, 0.15, 0.2)}
    found = verdicts_of("conditional_ddpm", psnr, {**lpips, **few})
    expect(found, "same lpips_alex", DOES_NOT_SHOW)
    equal = {"cDDPM cosine, DDIM": (0.6, 0.4, 0.1)}
    found = verdicts_of("conditional_ddpm", psnr, {**lpips, **equal})
    expect(found, "same lpips_alex", NOT_DECIDABLE)

    lines = ("regression", "InDI without noise", "InDI")
    psnr = {"regression": (30,) * 3, "InDI without noise": (29.95,) * 3}
    lpips = {"regression": POOR, "InDI without noise": POOR, "InDI": GOOD}
    found = verdicts_of("regression", {**psnr, "InDI": (29.5,) * 3}, lpips)
    expect(found, "One step (InDI without noise)", SHOWS)
    expect(found, "One step (InDI)", DOES_NOT_SHOW)
    expect(found, "More steps look better", SHOWS)


@pytest.mark.backend_free
def test_claims_of_generation():
    import generation
    from harness import DOES_NOT_SHOW, NOT_DECIDABLE, SHOWS

    lines = [line for line, _, _ in generation.CONFIGS["small"].lines()]
    psnr = dict.fromkeys(lines, PSNR)
    config, found = curves(
        psnr, {**dict.fromkeys(lines, POOR), generation.ALGORITHM_1: GOOD}
    )
    config = dataclasses.replace(config, metrics=("kid768",))
    for real, verdict in ((0.0, SHOWS), (-0.2, DOES_NOT_SHOW)):
        found.extra = {"real_faces": {"kid768": real}}
        claims = generation.claims(config, found, None)
        judged = {claim.claim: claim.verdict for claim in claims}
        expect(judged, "Pure noise generates", verdict)
        expect(judged, "better than naive", SHOWS)
    one_seed = [row for row in found.rows if row["training_seed"] == 0]
    found.rows = one_seed
    (claim, *_) = generation.claims(config, found, None)
    assert claim.verdict == NOT_DECIDABLE


@pytest.mark.backend_free
def test_held_out_crops(tmp_path):
    import configuration
    import held_out

    from keras_indi.data.degradations import JPEGCompression

    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (70, 100, 3)).astype("uint8")
    held_out.save_image(tmp_path / "photographs" / "a.png", image)
    config = configuration.Config(
        variants={}, degradation=JPEGCompression(15), crop=32, tiles=True
    )
    for tiles, corners in (
        (True, [(2, 2), (2, 34), (2, 66), (34, 2), (34, 34), (34, 66)]),
        (False, [(18, 34)]),
    ):
        config = dataclasses.replace(config, tiles=tiles)
        sources = {"set": "photographs"}
        folders = held_out.held_out_folders(config, sources, tmp_path, tmp_path)
        degraded, clean = folders["set"]
        whole = config.degradation(image[:68], 0)
        assert len(list(clean.iterdir())) == len(corners)
        for row, column in corners:
            tile = slice(row, row + 32), slice(column, column + 32)
            for side, expected in ((clean, image), (degraded, whole)):
                found = keras_indi.data.read_image(side / f"a_{row}_{column}.png")
                np.testing.assert_array_equal(found, expected[tile])


@pytest.mark.backend_free
def test_the_page_is_written_from_the_results(tmp_path, monkeypatch):
    import report

    assert report.page() == (FOLDER / "README.md").read_text()
    figures = re.findall(r"!\[(.*?)\]\(results/.*?(\w+)\.png\)", report.page())
    assert figures and not any(text.endswith(f": {stem}") for text, stem in figures)
    monkeypatch.setattr(report, "HERE", tmp_path)
    (tmp_path / "findings.md").write_text("what was found")
    page = report.page()
    assert page.count("not run yet") == len(report.EXPERIMENTS) + len(report.PAPER)
    assert "\n\nwhat was found\n\n" in page


@pytest.mark.backend_free
def test_claims_count_for_the_papers_they_test(tmp_path, monkeypatch):
    import report
    from harness import DOES_NOT_SHOW, SHOWS

    claims = {
        "jpeg": [("One step has the best PSNR (a).", SHOWS)],
        "toy": [
            ("One step, the regression, has the least squared error.", SHOWS),
            ("One step has the best PSNR (b).", DOES_NOT_SHOW),
            ("One step, the regression, has the least squared error, too.", SHOWS),
        ],
    }
    monkeypatch.setattr(report, "HERE", tmp_path)
    for name, found in claims.items():
        folder = tmp_path / "results" / name
        folder.mkdir(parents=True)
        content = [{"claim": claim, "verdict": verdict} for claim, verdict in found]
        (folder / "results.json").write_text(json.dumps({"claims": content}))
    beginnings = report.PAPER["One step has the best PSNR"]
    assert list(report.verdicts(report.results(), beginnings)) == [
        "*shows*: toy (2 claims), jpeg",
        "*does not show*: toy",
    ]
