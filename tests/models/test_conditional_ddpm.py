"""The conditional diffusion baseline: exact where the posterior is known."""

import keras
import numpy as np
import pytest
from closed_forms import GaussianNoiseEstimate
from helpers import pairs, smooth_images, tiny_unet, to_numpy
from keras import ops

import keras_indi
from keras_indi.models import AveragedAdam, ConditionalDDPM, InDI
from keras_indi.samplers import AncestralSampler, DDIMSampler
from keras_indi.schedules import CosineDiffusion, PowerGrid

SCHEDULES = ["linear", "cosine", "continuous"]
RULES = ["ancestral", "ddim", DDIMSampler(0.5)]


def exact_model(schedule="linear"):
    problem = GaussianNoiseEstimate(0.3, prior_scale=0.8, noise_scale=0.6)
    return ConditionalDDPM(problem, schedule, value_range=None, seed=0)


def new_model(seed=3, **kwargs):
    unet = tiny_unet(gain=0.5, condition_on_degraded=True)
    return ConditionalDDPM(unet, seed=seed, **kwargs)


# === Against the closed form ===


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("sampler", RULES, ids=str)
def test_the_exact_noise_gives_the_posterior(schedule, sampler):
    model = exact_model(schedule)
    # Two observations, each in many pixels that are independent of each other.
    observed = np.array([-1.0, 0.9], "float32")
    degraded = np.broadcast_to(observed[:, None, None, None], (2, 128, 128, 1))
    # Ancestral sampling's variance is short by 15 parts in the number of steps.
    num_steps = 800 if sampler == "ancestral" else 200
    found = model.restore(degraded, num_steps, sampler, seed=1, verbose=0)
    means, variance = model.backbone.posterior(observed)
    print(found.mean(axis=(1, 2, 3)) - means, found.var(axis=(1, 2, 3)) / variance)
    # 16384 draws have a mean within 0.004 and a variance within 1.1 % of theirs.
    np.testing.assert_allclose(found.mean(axis=(1, 2, 3)), means, atol=0.015)
    np.testing.assert_allclose(found.var(axis=(1, 2, 3)), variance, rtol=0.05)


def test_steps_that_begin_without_noise_are_refused():
    model = exact_model()
    model.trajectory(AncestralSampler(), PowerGrid(3)(100), 1.0)
    with pytest.raises(ValueError, match="200 steps.*Received: noise_schedule=Linear"):
        model.restore(np.zeros((4, 4, 1), "float32"), 200, time_grid=PowerGrid(3))


def test_few_steps_follow_the_recursion_of_ho():
    """Mean and variance of each state, by hand from the table of betas."""
    model = exact_model()
    steps = [1000, 600, 200, 50, 0]
    degraded = np.full((128, 128, 1), 0.9, "float32")
    grid = [step / 1000 for step in steps]
    found = model.restore(
        degraded, time_grid=grid, seed=2, return_trajectory=True, verbose=0
    )
    alpha_bar = np.cumprod([1.0, *(1 - np.linspace(1e-4, 0.02, 1000))])
    (mu, v), mean, variance = model.backbone.posterior(0.9), 0.0, 1.0
    for step, next_step, state in zip(steps, steps[1:], found[1:]):
        before, after = alpha_bar[step], alpha_bar[next_step]
        # The estimate of x given z and y is slope z + offset.
        slope = np.sqrt(before) * v / (before * v + 1 - before)
        offset = mu - slope * np.sqrt(before) * mu
        ratio = before / after
        of_x = np.sqrt(after) * (1 - ratio) / (1 - before)
        of_z = np.sqrt(ratio) * (1 - after) / (1 - before)
        mean = (of_z + of_x * slope) * mean + of_x * offset
        fresh = (1 - ratio) * (1 - after) / (1 - before)
        variance = (of_z + of_x * slope) ** 2 * variance + fresh
        assert state.mean() == pytest.approx(mean, abs=0.015), step
        assert state.var() == pytest.approx(variance, rel=0.04), step


def test_ddim_without_noise_is_determined_by_its_start():
    model = exact_model()
    degraded = smooth_images(1, 8, 8, 1, high=1.0)[0]
    states = model.restore(
        degraded, 4, "ddim", seed=0, return_trajectory=True, verbose=0
    )
    # Equation 12 with sigma 0, in NumPy, from the same start.
    alpha_bar = np.cumprod([1.0, *(1 - np.linspace(1e-4, 0.02, 1000))])
    mean, variance = model.backbone.posterior(degraded)
    z = states[0].astype("float64")
    for number, step in enumerate([1000, 750, 500, 250]):
        before, after = alpha_bar[step], alpha_bar[step - 250]
        total = before * variance + 1 - before
        noise = np.sqrt(1 - before) * (z - np.sqrt(before) * mean) / total
        clean = (z - np.sqrt(1 - before) * noise) / np.sqrt(before)
        z = np.sqrt(after) * clean + np.sqrt(1 - after) * noise
        np.testing.assert_allclose(states[number + 1], z, atol=2e-3)
    assert abs(states[0].mean()) < 0.4 and states[0].std() == pytest.approx(1, abs=0.3)


def test_ddim_with_all_noise_is_ancestral():
    model = new_model()
    degraded = smooth_images(1)[0]
    ancestral = model.restore(degraded, 6, AncestralSampler(), seed=4)
    ddim = model.restore(degraded, 6, DDIMSampler(1.0), seed=4)
    np.testing.assert_allclose(ddim, ancestral, atol=0.05)
    other = model.restore(degraded, 6, "ddim", seed=4)
    assert np.abs(other - ancestral).mean() > 1


# === What the network is shown ===


@keras.saving.register_keras_serializable(package="tests")
class Shown(keras.layers.Layer):
    """Keeps what it is called with; its estimate is z."""

    condition_on_degraded = True

    def call(self, inputs):
        self.inputs = dict(inputs)
        return inputs["images"]


def test_training_shows_the_noisy_image_and_the_degraded_one():
    model = ConditionalDDPM(Shown(), "cosine", seed=0)
    degraded, clean = pairs(64)
    inputs, noise = model.training_example(
        ops.convert_to_tensor(degraded), ops.convert_to_tensor(clean), draw=True
    )
    assert to_numpy(noise).std() == pytest.approx(1, abs=0.05)
    levels = to_numpy(inputs["times"]).astype("float64")
    assert 0 <= levels.min() < 0.1 and 0.9 < levels.max() < 1
    a, b = np.cos(np.pi / 2 * levels), np.sin(np.pi / 2 * levels)
    a, b = a[:, None, None, None], b[:, None, None, None]
    expected = a * (clean / 127.5 - 1) + b * to_numpy(noise)
    np.testing.assert_allclose(to_numpy(inputs["images"]), expected, atol=1e-5)
    model({**inputs, "degraded": ops.convert_to_tensor(degraded)})
    shown = {name: to_numpy(value) for name, value in model.backbone.inputs.items()}
    np.testing.assert_allclose(shown["degraded"], degraded / 127.5 - 1, atol=1e-5)
    np.testing.assert_allclose(shown["times"], levels, rtol=1e-6)
    np.testing.assert_allclose(shown["images"], expected, atol=1e-5)


def trained(epochs, **kwargs):
    """Losses before, during and after a training of a U-Net."""
    degraded, clean = pairs(8, height=8, width=8)
    unet = tiny_unet(gain=0.7, condition_on_degraded=True, **kwargs)
    model = ConditionalDDPM(unet, "cosine", seed=3)
    model.compile(AveragedAdam(5e-3))
    before = model.evaluate(degraded, clean, verbose=0)
    history = model.fit(
        degraded, clean, batch_size=4, epochs=epochs, shuffle=False, verbose=0
    )
    after = model.evaluate(degraded, clean, verbose=0)
    assert model.evaluate(degraded, clean, verbose=0) == pytest.approx(after, rel=1e-5)
    return before, history.history["loss"], after


def test_fit_repeats():
    one_level = {"channel_multipliers": (1,)}
    before, losses, after = trained(1, **one_level)
    assert before != after
    for found, expected in zip(trained(1, **one_level), (before, losses, after)):
        np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.slow
def test_fit_lowers_the_loss_of_the_noise():
    before, _, after = trained(30)
    assert after < 0.85 * before


# === As any restorer ===


def test_restores_any_size_and_keeps_range_and_dtype():
    model = new_model()
    images = [smooth_images(1, 11, 13)[0].astype("uint8"), smooth_images(1, 8, 5)[0]]
    restored = model.restore(images, 3, seed=0)
    for image, found in zip(images, restored):
        assert found.shape == image.shape and found.dtype == image.dtype
        assert found.min() >= 0 and found.max() <= 255
    draws = model.restore(images[1], 3, num_samples=3, seed=0)
    np.testing.assert_allclose(draws[0], model.restore(images[1], 3, seed=0), atol=1e-3)
    assert np.abs(draws[0] - draws[1]).mean() > 1
    states = model.restore(images[1], 3, seed=0, return_trajectory=True)
    assert states.shape == (4, *images[1].shape)
    # From noise about the middle of the range, half of it wide.
    assert states[0].mean() == pytest.approx(127.5, abs=40)
    assert states[0].std() == pytest.approx(127.5, rel=0.3)
    np.testing.assert_allclose(states[-1], draws[0], atol=1e-3)


def test_tiles_give_the_whole_image():
    model = new_model(noise_schedule="continuous")
    image = smooth_images(1, 64, 100)[0]
    whole = model.restore(image, 3, seed=0, tile_size=None)
    reach = model.backbone.receptive_field
    tiled = model.restore(image, 3, seed=0, tile_size=-(-reach // 8) * 8 + 8)
    np.testing.assert_allclose(tiled, whole, atol=0.02)


def test_saving_and_presets(tmp_path):
    model = new_model(
        noise_schedule=CosineDiffusion(0.01),
        restore_defaults={"num_steps": 3, "sampler": DDIMSampler(0.2)},
    )
    image = smooth_images(1)[0]
    expected = model.restore(image, seed=0)
    model.save(tmp_path / "model.keras")
    model.save_to_preset(tmp_path / "preset")
    metadata = keras_indi.presets.card(tmp_path / "preset")
    assert "keras_indi.models.ConditionalDDPM.from_preset" in metadata
    for loaded in (
        keras.saving.load_model(tmp_path / "model.keras"),
        ConditionalDDPM.from_preset(tmp_path / "preset"),
    ):
        assert loaded.noise_schedule == CosineDiffusion(0.01)
        np.testing.assert_allclose(loaded.restore(image, seed=0), expected, atol=1e-3)
    with pytest.raises(ValueError, match="cannot be loaded as InDI"):
        InDI.from_preset(tmp_path / "preset")


def test_trade_off_takes_it(tmp_path):
    table = keras_indi.evaluation.trade_off(
        new_model(),
        (smooth_images(2, seed=1), smooth_images(2)),
        num_steps=(1, 3),
        samplers=("ancestral", "ddim"),
        protocol=keras_indi.evaluation.Protocol(("psnr",)),
    )
    assert [row["evaluations"] for row in table] == [1, 3, 1, 3]
    assert len({row["psnr"] for row in table}) == 4 - 1  # in one step they are one
    assert new_model().evaluations(7, "ddim") == 7
    found = keras_indi.evaluation.recommend(table, best="psnr")
    new_model().restore(smooth_images(), **found.settings)


@pytest.mark.parametrize(
    "act, message",
    [
        (
            lambda model: ConditionalDDPM(tiny_unet()),
            "condition_on_degraded=True.*Received: backbone=",
        ),
        (lambda model: new_model(noise_schedule=0.1), "Received: noise_schedule=0.1"),
        (lambda model: new_model(restore_defaults={"eta": 1}), "restore_defaults="),
        (lambda model: model.restore(smooth_images(), sampler="indi"), "'indi'"),
        (
            lambda model: model.restore(smooth_images(), time_shift=1.5),
            "requires `time_shift=1`.*also depends on the time.*time_shift=1.5",
        ),
        (
            lambda model: new_model(restore_defaults={"time_shift": 1.5}),
            "requires `time_shift=1`.*Only `InDI`.*Received: time_shift=1.5",
        ),
        (lambda model: DDIMSampler(2), "Received: eta=2"),
        (
            lambda model: InDI(model.backbone).restore(
                smooth_images(), sampler=DDIMSampler()
            ),
            "Received: noise_schedule=ConstantNoise",
        ),
        (
            lambda model: model({"images": smooth_images()}),
            "lack .'times', 'degraded'",
        ),
        (lambda model: model.export("exported"), "export_model.*<ConditionalDDPM"),
    ],
)
def test_what_does_not_suit_is_refused(act, message):
    with pytest.raises(ValueError, match=message):
        act(new_model())
