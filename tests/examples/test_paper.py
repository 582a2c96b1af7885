"""The paper's experiments: they run, go on where they stopped, and judge rightly."""

import importlib
import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from helpers import to_numpy
from keras import ops

import keras_indi

ROOT = pathlib.Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "paper"
PHOTOGRAPHS = ["motion_deblurring", "super_resolution", "defocus_deblurring", "jpeg"]


@pytest.fixture(scope="module", autouse=True)
def _importable():
    sys.path.insert(0, str(FOLDER))
    yield
    sys.path.remove(str(FOLDER))


def run(name, runs):
    """Runs an experiment in smoke mode; returns its results and what it printed."""
    result = subprocess.run(
        [sys.executable, FOLDER / f"{name}.py", "--runs", runs],
        env={**os.environ, "KERAS_INDI_SMOKE": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    folder = runs / "results" / name
    content = json.loads((folder / "results.json").read_text())
    assert content["scale"] == "smoke"
    for claim in content["claims"]:
        assert claim["verdict"] in result.stdout
        assert (folder / claim["figure"]).is_file()
    return content, result.stdout


@pytest.mark.slow
def test_gaussian_prior(tmp_path):
    content, _ = run("gaussian_prior", tmp_path)
    orders = content["measured"]["orders"]
    np.testing.assert_allclose(orders["indi"], 1, atol=0.15)
    np.testing.assert_allclose(orders["heun"], 2, atol=0.15)
    assert content["protocol"]["observation_seeds"] == [0, 1]


@pytest.mark.slow
def test_toy(tmp_path):
    content, _ = run("toy", tmp_path)
    exact = content["measured"]["identity"]["closed_form"]
    assert exact["1"]["near_a_mode"] < 0.2 < 0.8 < exact["4"]["near_a_mode"]
    assert exact["1"]["squared_error"] < exact["4"]["squared_error"]
    again, _ = run("toy", tmp_path)  # with the networks that are trained
    assert again["measured"] == content["measured"]


@pytest.mark.slow
def test_jpeg_goes_on_where_it_stopped(tmp_path):
    content, output = run("jpeg", tmp_path)
    assert output.count("loss:") == 6  # three variants, two seeds
    rows = content["measured"]["rows"]
    assert len(rows) == 12 and all(row["images"] == 2 for row in rows)
    assert content["protocol"]["training_images"] == 4
    model = tmp_path / "smoke" / "jpeg" / "constant_seed1" / "restorer.keras"
    model.unlink()
    again, output = run("jpeg", tmp_path)
    assert output.count("loss:") == 1
    assert again["measured"] == content["measured"]


@pytest.mark.backend_free
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_full_scale_is_the_papers(name):
    config = importlib.import_module(name).CONFIGS["full"]
    budget = config.budget
    assert (budget.steps, budget.learning_rate, budget.warmup) == (500_000, 1e-4, None)
    assert budget.global_clipnorm is None and len(budget.seeds) >= 2
    noisy = {v.noise_schedule for v in config.variants.values()} != {0.0}
    assert noisy == (name in ("super_resolution", "jpeg"))


@pytest.mark.parametrize("restorer", ["indi", "conditional_ddpm"])
def test_small_models_are_small_and_equal(restorer):
    import jpeg
    import photographs

    schedule = {"indi": 0.01, "conditional_ddpm": "cosine"}[restorer]
    variant = photographs.Variant(restorer=restorer, noise_schedule=schedule)
    model = photographs.build(jpeg.CONFIGS["small"], variant, seed=1)
    assert 300_000 < model.backbone.count_params() < 1_000_000
    rate = model.optimizer.learning_rate
    assert model.loss.name == "mean_absolute_error"
    assert 0 <= float(to_numpy(ops.convert_to_tensor(rate))) < 5e-4
    # For one seed all variants start from the same network.
    other = photographs.build(jpeg.CONFIGS["small"], photographs.Variant(), seed=1)
    for first, second in zip(model.backbone.weights, other.backbone.weights):
        np.testing.assert_array_equal(to_numpy(first), to_numpy(second))


@pytest.mark.parametrize("patch_size", [1, 2])
def test_operations_are_those_of_the_compiled_network(patch_size):
    if keras.config.backend() != "jax":
        pytest.skip("JAX counts what it compiles")
    import jax
    import photographs

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
    assert 1 < photographs.forward_flops(unet, 128) / counted < 1.08


def curves(psnr, lpips):
    """Curves of two variants over 1, 4 and 16 steps, and two seeds."""
    import photographs

    rows = []
    for variant in psnr:
        for index, steps in enumerate((1, 4, 16)):
            for seed in (0, 1):
                rows.append(
                    {
                        "variant": variant,
                        "held_out": "set",
                        "training_seed": seed,
                        "sampler": "indi",
                        "num_steps": steps,
                        "psnr": psnr[variant][index] + 0.01 * seed * index,
                        "lpips_alex": lpips[variant][index] + 0.02 * seed,
                    }
                )
    config = photographs.Config(
        variants={name: photographs.Variant() for name in psnr},
        budget=None,
        degradation=None,
        num_steps=(1, 4, 16),
        metrics=("psnr", "lpips_alex"),
    )
    return config, photographs.Curves(rows)


@pytest.mark.backend_free
def test_claims_follow_the_figures():
    import photographs
    from harness import DOES_NOT_SHOW, NOT_DECIDABLE, SHOWS

    config, found = curves(
        {"good": (30, 29, 28), "bad": (28, 29, 29.5), "flat": (30, 30, 30)},
        {"good": (0.3, 0.1, 0.2), "bad": (0.1, 0.2, 0.3), "flat": (0.3, 0.11, 0.3)},
    )
    verdicts = {
        name: [
            claim.verdict
            for claim in photographs.trade_off_claims(config, found, None, name)
        ]
        for name in config.variants
    }
    assert verdicts["good"] == [SHOWS, SHOWS]
    assert verdicts["bad"] == [DOES_NOT_SHOW, DOES_NOT_SHOW]
    assert verdicts["flat"][0] == NOT_DECIDABLE
    claim = photographs.comparison_claim(
        config, found, None, "text", "good", "flat", "lpips_alex"
    )
    assert claim.verdict == SHOWS and "good 0.11 in 4 steps" in claim.found
    claim = photographs.comparison_claim(
        config, found, None, "text", "flat", "good", "lpips_alex"
    )
    assert claim.verdict == DOES_NOT_SHOW


@pytest.mark.backend_free
def test_the_page_is_written_from_the_results(tmp_path, monkeypatch):
    import report

    assert report.page() == (FOLDER / "README.md").read_text()
    monkeypatch.setattr(report, "HERE", tmp_path)
    (tmp_path / "jpeg.py").touch()
    assert report.page().count("not run yet") == 1
