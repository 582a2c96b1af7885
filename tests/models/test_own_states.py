"""Training on the model's own states: which they are, how many, and of what weights."""

import keras
import numpy as np
import pytest
from closed_forms import GaussianPosteriorMean
from helpers import pairs, small_network, tiny_unet, to_numpy
from keras import ops

from keras_indi.models import InDI
from keras_indi.schedules import BrownianNoise, ConstantNoise, TimeDistribution

BACKEND = keras.config.backend()
QUIET = {"verbose": 0, "shuffle": False}


class PointTime(TimeDistribution):
    """p(t) = delta(t - time)."""

    def __init__(self, time):
        super().__init__()
        self.time = time

    def quantile(self, probabilities):
        return ops.full_like(probabilities, self.time)


class Weighted(keras.layers.Layer):
    """A network of one weight that takes images of one pixel."""

    def __init__(self, weight):
        super().__init__()
        self.weight = self.add_weight(shape=(), name="weight")
        self.weight.assign(weight)

    def build(self, input_shape):
        pass


class Proportional(Weighted):
    """F = weight x_t."""

    def call(self, inputs):
        return self.weight * inputs["images"]


class Offset(Weighted):
    """F = x_t + weight t."""

    def call(self, inputs):
        times = ops.reshape(inputs["times"], (-1, 1, 1, 1))
        return inputs["images"] + self.weight * times


class Exact(GaussianPosteriorMean):
    """F for x ~ N(0.5, 1), y = x + 0.8 n and a noise schedule; its weight is idle."""

    def __init__(self, schedule):
        super().__init__(mean=0.5, prior_scale=1.0, noise_scale=0.8)
        self.schedule = schedule
        self.idle = self.add_weight(shape=(), initializer="zeros", name="idle")

    def build(self, input_shape):
        pass

    def variance(self, times):
        """V(t), the variance of x_t given x."""
        return (times * self.noise_scale) ** 2 + to_numpy(self.schedule.variance(times))

    def call(self, inputs):
        times = ops.reshape(inputs["times"], (-1, 1, 1, 1))
        added = self.schedule.variance(times) / self.noise_scale**2
        return self.estimate(inputs["images"], ops.sqrt(times**2 + added)) + self.idle


def a_step(model, degraded, clean, rate=0.0, **kwargs):
    """Trains a step on pixels; means of F, F^2, F x and F > 0.25 that it saw."""
    measures = {
        "mean": lambda y_true, y_pred: y_pred,
        "square": lambda y_true, y_pred: ops.square(y_pred),
        "product": lambda y_true, y_pred: y_pred * y_true,
        "above": lambda y_true, y_pred: ops.cast(y_pred > 0.25 + 1e-5, "float32"),
    }
    metrics = [
        keras.metrics.MeanMetricWrapper(measure, name)
        for name, measure in measures.items()
    ]
    model.compile(keras.optimizers.SGD(rate), "mean_squared_error", metrics=metrics)
    history = model.fit(degraded, clean, batch_size=len(clean), **kwargs, **QUIET)
    return {name: np.array(history.history[name]) for name in measures}


def pixels(values):
    return np.asarray(values, "float32").reshape(-1, 1, 1, 1)


# === Which states they are ===


@pytest.mark.parametrize("time", [0.0, 0.3, 0.9])
@pytest.mark.parametrize(
    "schedule",
    [ConstantNoise(0.0), ConstantNoise(1.0), BrownianNoise(1.0)],
    ids=["no_noise", "constant", "brownian"],
)
def test_moments_of_own_states_are_those_of_one_step(schedule, time):
    # With r = t / t', V' = V(t') and P' = V' / (1 + V'), the variance of x given x_t',
    # the step x_t = (1 - r) E[x | x_t'] + r x_t' + noise of variance v(t) - r^2 v(t')
    # keeps the mean, and has
    #     Var[x_t]    = 1 + V(t) - (1 - r)^2 P',   where a true state has 1 + V(t),
    #     Cov[x_t, x] = 1 - (1 - r) P',            where a true state has 1.
    count = 2**16
    rng = np.random.default_rng(0)
    exact = Exact(schedule)
    clean = pixels(0.5 + rng.standard_normal(count))
    degraded = clean + 0.8 * pixels(rng.standard_normal(count))
    starts = time + (1 - time) * (np.arange(10_000) + 0.5) / 10_000
    posterior = exact.variance(starts) / (1 + exact.variance(starts))
    skipped = 1 - time / starts
    true = 1 + float(exact.variance(np.array(time)))

    for share in (0.0, 1.0):
        model = InDI(exact, PointTime(time), schedule, None, seed=1, own_states=share)
        seen = a_step(model, degraded, clean)
        # F is linear in x_t, with this slope and the fixed point 0.5.
        slope = 1 / true
        mean = 0.5 + (seen["mean"] - 0.5) / slope
        variance = (seen["square"] - seen["mean"] ** 2) / slope**2
        covariance = (seen["product"] - seen["mean"] * clean.mean()) / slope
        expected = true - share * np.mean(skipped**2 * posterior)
        shared = 1 - share * np.mean(skipped * posterior)
        four_errors = 4 / np.sqrt(count)
        assert mean == pytest.approx(0.5, abs=four_errors * np.sqrt(expected))
        assert variance == pytest.approx(expected, abs=four_errors * 1.5 * expected)
        assert covariance == pytest.approx(
            shared, abs=four_errors * np.sqrt(expected + shared**2)
        )
        # The true marginal, but for the square of the step.
        allowed = (1 - time) ** 2 * posterior.max() + four_errors * 1.5 * true
        assert variance == pytest.approx(true, abs=allowed)


@pytest.mark.parametrize("share", [0.0, 0.75, 1.0])
def test_a_share_of_the_draws_steps_from_uniform_times(share):
    # x = y = 0 and F = x_t + t: F of an own state is t', of a true one t = 0.25.
    model = InDI(Offset(1.0), PointTime(0.25), 0.0, None, seed=0, own_states=share)
    nothing = pixels(np.zeros(4096))
    seen = a_step(model, nothing, nothing, epochs=4)
    count = 4 * 4096
    error = 4 * np.sqrt(share * (1 - share) / count)
    assert np.mean(seen["above"]) == pytest.approx(share, abs=error + 1e-3)
    for name, uniform in (("mean", 0.625), ("square", (1 - 0.25**3) / 3 / 0.75)):
        true = 0.25 if name == "mean" else 0.25**2
        expected = share * uniform + (1 - share) * true
        assert np.mean(seen[name]) == pytest.approx(expected, abs=4 * 0.4 / 128)
    # Each step draws anew.
    assert len(set(np.round(seen["mean"], 7))) == (1 if share == 0 else 4)


def test_draws_at_time_one_stay_true():
    model = InDI(Offset(1.0), PointTime(1.0), 0.0, None, own_states=1.0)
    nothing = pixels(np.zeros(256))
    seen = a_step(model, nothing, nothing)
    assert seen["mean"] == 1 and seen["square"] == 1


# === Whose states they are ===


def test_no_gradient_flows_through_the_step():
    rng = np.random.default_rng(0)
    clean, degraded = (pixels(rng.normal(1, 1, 512)) for _ in range(2))
    backbone = Proportional(0.5)
    model = InDI(backbone, PointTime(0.5), 0.1, None, seed=0, own_states=1.0)
    seen = a_step(model, degraded, clean, rate=0.2)
    # d/dw mean (w s - x)^2 = 2 mean s (w s - x) for a constant state s = F / w.
    gradient = 2 * (seen["square"] - seen["product"]) / 0.5
    assert abs(gradient) > 0.05
    np.testing.assert_allclose(
        to_numpy(backbone.weight), 0.5 - 0.2 * gradient.item(), atol=1e-5
    )


def test_own_states_are_those_of_the_current_weights():
    # x = 0, y = 1 and F = w x_t: x_t = w (t' - t) + t, of which F = w x_t.
    backbone = Proportional(2.0)
    model = InDI(backbone, PointTime(0.5), 0.0, None, seed=0, own_states=1.0)
    weights = []
    record = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: weights.append(
            float(to_numpy(backbone.weight))
        )
    )
    clean = pixels(np.zeros(4096))
    seen = a_step(model, clean + 1, clean, 0.3, epochs=4, callbacks=[record])
    weights = np.array(weights)
    assert weights[0] == 2 and weights[1] < 1 and weights[3] < 0.7 * weights[1]
    expected = weights * (weights * 0.25 + 0.5)
    error = 4 * weights**2 * 0.5 / np.sqrt(12 * 4096)
    assert np.all(np.abs(seen["mean"] - expected) < error + 1e-5)


# === As a setting of the model ===


@pytest.fixture(scope="module")
def data():
    return pairs(8, height=8, width=8)


def trainable(optimizer=None, share=0.75, backbone=None, **kwargs):
    backbone = backbone or small_network(condition_on_degraded=True)
    model = InDI(backbone, noise_schedule=BrownianNoise(0.04), seed=3, own_states=share)
    model.compile(optimizer or keras.optimizers.Adam(1e-2), **kwargs)
    return model


def assert_same_weights(model, other, atol=1e-6):
    for one, another in zip(model.backbone.weights, other.backbone.weights):
        np.testing.assert_allclose(to_numpy(one), to_numpy(another), atol=atol)


def test_evaluation_stays_on_true_states(data):
    losses = [trainable(share=s).evaluate(*data, verbose=0) for s in (0.0, 1.0)]
    assert losses[0] == losses[1]


def test_compilation_changes_nothing(data):
    def trained(**kwargs):
        adam = keras.optimizers.Adam(1e-2, gradient_accumulation_steps=2)
        model = trainable(adam, **kwargs)
        model.fit(*data, batch_size=2, **QUIET)
        return model

    expected = trained()
    choices = [{"jit_compile": False}, {"run_eagerly": True}]
    if BACKEND != "torch":  # where Keras refuses it
        choices.append({"steps_per_execution": 2})
    if BACKEND == "jax":
        choices.append({"jit_compile": True})
    for choice in choices:
        assert_same_weights(trained(**choice), expected, atol=1e-4)


def test_mixed_precision_learns_alike(data):
    unet = {"gain": 0.3, "channel_multipliers": (1,), "condition_on_degraded": True}
    models = (
        trainable(backbone=tiny_unet(**unet, dtype=policy))
        for policy in ("float32", "mixed_bfloat16")
    )
    losses = [model.fit(*data, epochs=5, batch_size=4, **QUIET) for model in models]
    exact, mixed = (np.array(history.history["loss"]) for history in losses)
    np.testing.assert_allclose(mixed, exact, rtol=0.02)
    assert exact[-1] < exact[0]


def test_a_saved_training_goes_on_exactly(data, tmp_path):
    whole, parts = trainable(), trainable()
    whole.fit(*data, epochs=2, batch_size=4, **QUIET)
    parts.fit(*data, epochs=1, batch_size=4, **QUIET)
    parts.save(tmp_path / "model.keras")
    parts = keras.saving.load_model(tmp_path / "model.keras")
    assert parts.own_states == 0.75
    parts.fit(*data, epochs=1, batch_size=4, **QUIET)
    assert_same_weights(parts, whole)


def test_a_compiled_training_follows_the_setting(data):
    plain, other = trainable(share=0.0), trainable(share=0.0)
    for model in (plain, other):
        model.fit(*data, batch_size=4, **QUIET)
    assert_same_weights(plain, other)
    other.own_states = 1
    for model in (plain, other):
        model.fit(*data, batch_size=4, **QUIET)
    differences = [
        np.abs(to_numpy(one) - to_numpy(another)).max()
        for one, another in zip(plain.backbone.weights, other.backbone.weights)
    ]
    assert max(differences) > 1e-4


def test_configs_of_before_have_none():
    config = InDI(tiny_unet(), own_states=0.5).get_config()
    assert config["own_states"] == 0.5
    assert InDI.from_config(config).own_states == 0.5
    del config["own_states"]
    assert InDI.from_config(config).own_states == 0
