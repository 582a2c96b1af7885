"""The model as a Keras model: its calls, losses, averages, saving and resuming."""

import keras
import numpy as np
import pytest
from closed_forms import ConstantEstimate
from helpers import pairs, small_network, smooth_images, tiny_unet, to_numpy
from keras import ops

import keras_indi
from keras_indi.models import AveragedAdam, InDI, PerImageLoss
from keras_indi.schedules import BrownianNoise, ConstantNoise, LinearMixtureTime

BACKEND = keras.config.backend()
QUIET = {"verbose": 0, "shuffle": False}


@keras.saving.register_keras_serializable(package="tests")
class Echo(keras.layers.Layer):
    """F = factor x_t + offset t + part y, to see what reaches the backbone."""

    condition_on_degraded = True

    def __init__(self, factor=1.0, offset=0.0, part=0.0, **kwargs):
        super().__init__(**kwargs)
        self.arguments = factor, offset, part
        self.shift = self.add_weight(shape=(), initializer="zeros", name="shift")

    def build(self, input_shape):
        pass

    def call(self, inputs):
        factor, offset, part = self.arguments
        times = ops.reshape(inputs["times"], (-1, 1, 1, 1))
        outputs = factor * inputs["images"] + offset * times + part * inputs["degraded"]
        return outputs + self.shift


def trainable(optimizer=None, seed=3, noise=0.02, **kwargs):
    """A small network of one's own, compiled; always the same start."""
    model = InDI(small_network(), noise_schedule=noise, seed=seed)
    model.compile(optimizer or keras.optimizers.Adam(1e-2), **kwargs)
    return model


def weights_of(model):
    return [to_numpy(weight) for weight in model.backbone.weights]


def assert_same_weights(model, other, atol=1e-6):
    for first, second in zip(weights_of(model), weights_of(other)):
        np.testing.assert_allclose(first, second, atol=atol)


def distance(model, other):
    return max(
        np.abs(first - second).max()
        for first, second in zip(weights_of(model), weights_of(other))
    )


@pytest.fixture(scope="module")
def data():
    return pairs(8, height=8, width=8)


# === The estimate ===


def test_bare_images_are_the_regression_at_time_one():
    images = smooth_images(2, 6, 5)
    model = InDI(Echo(0.5, 0.25, 0.125))
    unit = images / 127.5 - 1
    expected = (0.625 * unit + 0.25 + 1) * 127.5
    for found in (model(images), model.predict(images, verbose=0)):
        np.testing.assert_allclose(to_numpy(found), expected, atol=1e-3)


def test_one_step_is_the_prediction():
    model = InDI(small_network())
    images = smooth_images(3, 8, 8)
    np.testing.assert_allclose(
        model.restore(images, num_steps=1),
        np.clip(model.predict(images, verbose=0), 0, 255),
        atol=1e-3,
    )


def test_a_dict_is_the_estimate_at_its_times():
    images, degraded = smooth_images(2, 6, 5), smooth_images(2, 6, 5, seed=1)
    times = np.array([0.2, 0.9], "float32")
    model = InDI(Echo(0.5, 0.25, 0.125), value_range=(0, 510))
    inputs = {"images": images, "times": times, "degraded": degraded}
    unit = 0.5 * (images / 255 - 1) + 0.125 * (degraded / 255 - 1)
    expected = (unit + 0.25 * times[:, None, None, None] + 1) * 255
    np.testing.assert_allclose(to_numpy(model(inputs)), expected, atol=1e-3)
    for missing in inputs:
        less = {name: value for name, value in inputs.items() if name != missing}
        with pytest.raises(ValueError, match=f"lack.*{missing}.*Received: inputs with"):
            model(less)


def test_whether_the_backbone_takes_the_degraded_image_is_found_out():
    assert InDI(Echo()).condition_on_degraded
    assert not InDI(ConstantEstimate()).condition_on_degraded
    assert not InDI(small_network()).condition_on_degraded
    assert InDI(tiny_unet(condition_on_degraded=True)).condition_on_degraded
    inputs = {
        name: keras.Input((None, None, 1), name=name) for name in ("images", "degraded")
    }
    inputs["times"] = keras.Input((), name="times")
    outputs = 0.5 * (inputs["images"] + inputs["degraded"])
    model = InDI(keras.Model(inputs, outputs), value_range=None)
    assert model.condition_on_degraded
    image = smooth_images(1, 4, 4, 1)[0]
    # F = (x_t + y) / 2 and x_1 = y: the state stays y.
    np.testing.assert_allclose(model.restore(image, num_steps=3), image, rtol=1e-5)


# === What training prepares ===


def series(size):
    """Where the times of the pairs of an evaluation stand in [0, 1]."""
    return ((17711 * np.arange(size) + 14328) % 28657 + 0.5) / 28657


def test_evaluation_is_the_loss_on_a_fixed_series_of_times(data):
    degraded, clean = data
    model = InDI(Echo(), time_distribution="power", noise_schedule=0)  # F = x_t
    model.compile()
    found = model.evaluate(degraded, clean, batch_size=8, verbose=0)
    times = np.sqrt(series(8))  # the quantiles of p(t) = 2 t
    expected = np.mean(times * np.abs(degraded - clean).mean(axis=(1, 2, 3)))
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("schedule", [ConstantNoise(0.2), BrownianNoise(0.2)], ids=str)
def test_evaluation_adds_the_paths_noise(schedule):
    clean = np.full((16, 20, 20, 3), 100.0, "float32")
    model = InDI(Echo(), noise_schedule=schedule, seed=1)
    model.compile(loss="mean_squared_error")
    found = model.evaluate(clean, clean, batch_size=16, verbose=0)
    times = series(16)
    variance = (0.2 * 127.5) ** 2 * (times**2 if schedule.is_constant else times)
    error = 4 * np.sqrt(2 / (400 * 3) / 16)  # of a mean of squares
    assert found == pytest.approx(variance.mean(), rel=error)


def test_evaluations_are_identical_and_leave_training_alone(data):
    model, other = trainable(), trainable()
    losses = [model.evaluate(*data, verbose=0) for _ in range(3)]
    assert losses[0] == losses[1] == losses[2]
    for one in (model, other):
        one.fit(*data, epochs=2, batch_size=4, **QUIET)
    assert_same_weights(model, other)


@pytest.mark.parametrize("stratified", [False, True])
def test_training_draws_differ_between_steps_and_follow_the_seed(data, stratified):
    def losses(seed):
        time = keras_indi.schedules.UniformTime(stratified)
        model = InDI(small_network(), time, noise_schedule=0.1, seed=seed)
        model.compile(keras.optimizers.SGD(0.0))
        return model.fit(*data, epochs=4, batch_size=8, **QUIET).history["loss"]

    first = losses(1)
    assert len(set(np.round(first, 4))) == 4
    np.testing.assert_allclose(losses(1), first, rtol=1e-5)
    assert np.abs(np.subtract(losses(2), first)).min() > 1e-3


def test_training_times_follow_the_distribution():
    # F = x_t and x = 0, y = 1: the squared error is t^2, its mean E[t^2].
    clean = np.zeros((512, 1, 1, 1), "float32")
    a = 3.0
    model = InDI(Echo(), LinearMixtureTime(a), value_range=None, seed=0)
    model.compile(keras.optimizers.SGD(0.0), "mean_squared_error")
    history = model.fit(clean + 1, clean, epochs=8, batch_size=512, **QUIET)
    expected = (1 / 3 + a) / (1 + a)
    deviation = np.sqrt((1 / 5 + a) / (1 + a) - expected**2)
    assert np.mean(history.history["loss"]) == pytest.approx(
        expected, abs=4 * deviation / 64
    )


def test_images_of_no_weight_have_no_effect_on_training(data):
    degraded, clean = data
    ruined = clean.copy()
    ruined[::2] = 255 - ruined[::2]
    weights = np.array([0.0, 1.0] * 4, "float32")
    models = [trainable("adam") for _ in range(3)]
    for model, target in zip(models, (clean, ruined, ruined)):
        given = None if model is models[2] else weights
        model.fit(
            degraded, target, sample_weight=given, epochs=3, batch_size=8, **QUIET
        )
    assert_same_weights(models[0], models[1])
    assert distance(models[0], models[2]) > 1e-3


# === Sources of data ===


class Pairs(keras.utils.PyDataset):
    def __init__(self, degraded, clean, weights):
        super().__init__()
        self.arrays = degraded, clean, weights

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return tuple(array[4 * index : 4 * index + 4] for array in self.arrays)


def tensorflow_source(*arrays):
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices(arrays).batch(4)


def torch_source(*arrays):
    torch = pytest.importorskip("torch")
    dataset = torch.utils.data.TensorDataset(*map(torch.from_numpy, arrays))
    return torch.utils.data.DataLoader(dataset, batch_size=4)


def grain_source(*arrays):
    grain = pytest.importorskip("grain")
    return grain.MapDataset.source(list(zip(*arrays))).batch(4)


def generator(*arrays):
    for start in (0, 4):
        yield tuple(array[start : start + 4] for array in arrays)


WEIGHTS = np.linspace(0, 2, 8, dtype="float32")


@pytest.fixture(scope="module")
def trained_on_arrays(data):
    model = trainable()
    model.fit(*data, sample_weight=WEIGHTS, batch_size=4, **QUIET)
    loss = model.evaluate(*data, sample_weight=WEIGHTS, batch_size=4, verbose=0)
    return model, loss


@pytest.mark.parametrize(
    "source", [Pairs, tensorflow_source, torch_source, grain_source, generator]
)
def test_every_source_of_pairs_trains_as_arrays_do(data, source, trained_on_arrays):
    expected, loss = trained_on_arrays
    model = trainable()
    model.fit(source(*data, WEIGHTS), **QUIET)
    assert_same_weights(model, expected, atol=1e-5)
    found = model.evaluate(source(*data, WEIGHTS), verbose=0)
    assert found == pytest.approx(loss, rel=1e-4)


def test_training_learns(data):
    model = trainable(metrics=["mean_squared_error"])
    before = model.evaluate(*data, verbose=0)
    model.fit(*data, epochs=30, batch_size=4, **QUIET)
    after = model.evaluate(*data, verbose=0)
    assert after[0] < 0.8 * before[0] and after[1] < 0.8 * before[1]


# === Keras's own options ===


def test_gradients_accumulate(data):
    model, start = (
        trainable(keras.optimizers.SGD(0.1, gradient_accumulation_steps=2))
        for _ in range(2)
    )
    degraded, clean = data
    model.fit(degraded[:4], clean[:4], batch_size=4, **QUIET)
    assert distance(model, start) == 0
    model.fit(degraded[4:], clean[4:], batch_size=4, **QUIET)
    assert distance(model, start) > 1e-5


@pytest.mark.skipif(BACKEND == "torch", reason="Keras refuses it on PyTorch")
def test_steps_of_one_execution_draw_anew(data):
    # The same draws as one by one: they would repeat were the seed not carried.
    models = [trainable(steps_per_execution=steps) for steps in (1, 2, 4)]
    for model in models:
        model.fit(*data, epochs=2, batch_size=2, **QUIET)
    assert_same_weights(models[0], models[1], atol=1e-5)
    assert_same_weights(models[0], models[2], atol=1e-5)


class Traced(InDI):
    """Counts how often Python runs through a step of training."""

    runs = 0

    def train_step(self, *args):
        self.runs += 1
        return super().train_step(*args)


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch runs eagerly")
def test_a_step_is_traced_once(data):
    model = Traced(small_network(), noise_schedule=0.02)
    model.compile()
    model.fit(*data, epochs=2, batch_size=4, **QUIET)
    assert model.runs == 1


def test_compilation_changes_nothing(data):
    expected = trainable(jit_compile="auto")
    expected.fit(*data, epochs=2, batch_size=4, **QUIET)
    choices = [{"jit_compile": False}, {"run_eagerly": True}]
    if BACKEND == "jax":
        choices.append({"jit_compile": True})
    for choice in choices:
        model = trainable(**choice)
        model.fit(*data, epochs=2, batch_size=4, **QUIET)
        assert_same_weights(model, expected, atol=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow's XLA")
def test_xla_learns_as_well(data):
    # With draws of its own: TensorFlow's generators differ under XLA.
    model = trainable(jit_compile=True)
    assert model.jit_compile is True
    before = model.evaluate(*data, verbose=0)
    model.fit(*data, epochs=20, batch_size=4, **QUIET)
    assert model.evaluate(*data, verbose=0) < 0.9 * before


def test_automatic_compilation_is_no_xla_on_a_cpu_with_tensorflow():
    model = trainable()
    if BACKEND == "tensorflow":
        import tensorflow as tf

        assert bool(model.jit_compile) == bool(tf.config.list_physical_devices("GPU"))
    if BACKEND == "jax":
        assert model.jit_compile is True


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_learns(data, policy):
    unet = tiny_unet(gain=0.3, channel_multipliers=(1,), dtype=policy)
    model = InDI(unet, noise_schedule=0.02, seed=0)
    model.compile(keras.optimizers.Adam(1e-2))
    scales = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert scales == (policy == "mixed_float16")
    before = model.evaluate(*data, verbose=0)
    history = model.fit(*data, epochs=15, batch_size=4, **QUIET)
    assert np.all(np.isfinite(history.history["loss"]))
    assert model.evaluate(*data, verbose=0) < 0.8 * before
    assert model.predict(data[0], verbose=0).dtype == "float32"


# === Averages of the weights ===


@pytest.mark.parametrize("momentum", [0.5, 0.9999])
def test_a_fit_ends_with_the_average_of_its_steps(data, momentum):
    model = trainable(AveragedAdam(1e-2, ema_momentum=momentum))
    steps = []
    record = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: steps.append(weights_of(model))
    )
    # One batch an epoch, so that every step is seen.
    model.fit(*data, epochs=6, batch_size=8, callbacks=[record], **QUIET)
    average = steps[0]
    for count, weights in enumerate(steps[1:], start=1):
        m = min(momentum, (1 + count) / (10 + count))
        average = [m * a + (1 - m) * w for a, w in zip(average, weights)]
    for found, expected, last in zip(weights_of(model), average, steps[-1]):
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert np.abs(found - last).max() > 1e-4


def test_training_goes_on_after_evaluating_and_saves(data, tmp_path):
    # On JAX a weight and its average must not end a fit as one array, which
    # the next step would donate away from under both.
    model = trainable(AveragedAdam(1e-3))
    for _ in range(2):
        model.fit(*data, epochs=1, batch_size=4, **QUIET)
        model.evaluate(*data, verbose=0)
        model.restore(data[0], num_steps=2)
        model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert_same_weights(again, model, atol=0)


def test_swapped_averages_are_what_checkpoints_keep(data, tmp_path):
    model = trainable(AveragedAdam(1e-2))
    path = tmp_path / "best.keras"
    callbacks = [
        keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
        keras.callbacks.ModelCheckpoint(path, monitor="val_loss", verbose=0),
    ]
    model.fit(
        *data,
        epochs=3,
        batch_size=4,
        validation_data=data,
        callbacks=callbacks,
        **QUIET,
    )
    plain = trainable(AveragedAdam(1e-2))
    plain.fit(*data, epochs=3, batch_size=4, **QUIET)
    saved = keras.saving.load_model(path)
    assert_same_weights(saved, plain, atol=1e-5)
    assert_same_weights(model, plain, atol=1e-5)


# === Saving and resuming ===


def test_a_saved_model_is_the_same(data, tmp_path):
    model = InDI(
        tiny_unet(channel_multipliers=(1,), condition_on_degraded=True),
        time_distribution=LinearMixtureTime(2.0, stratified=True),
        noise_schedule=BrownianNoise(0.03),
        value_range=(-10, 300),
        seed=4,
        name="restorer",
    )
    model.compile(loss=keras.losses.MeanSquaredError(), metrics=["mae"])
    model.fit(*data, batch_size=4, **QUIET)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(again, InDI) and again.name == "restorer"
    assert again.get_config() == model.get_config()
    assert again.value_range == (-10.0, 300.0) and again.seed == 4
    images = data[0]
    np.testing.assert_allclose(
        again.predict(images, verbose=0), model.predict(images, verbose=0), atol=1e-4
    )
    np.testing.assert_allclose(
        again.restore(images, num_steps=2, seed=0),
        model.restore(images, num_steps=2, seed=0),
        atol=1e-3,
    )
    # Compiled as before.
    assert isinstance(again.optimizer, AveragedAdam)
    assert isinstance(again.loss, PerImageLoss)
    assert int(to_numpy(again.optimizer.iterations)) == 2
    np.testing.assert_allclose(
        again.evaluate(*data, verbose=0), model.evaluate(*data, verbose=0), rtol=1e-5
    )


def test_a_config_builds_the_model_anew():
    model = InDI(tiny_unet(), "power", 0.05, (0, 1), 7)
    again = InDI.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    assert again.noise_schedule == ConstantNoise(0.05)


def test_weights_alone_carry_the_state_of_the_draws(data, tmp_path):
    model = trainable()
    model.fit(*data, epochs=1, batch_size=4, **QUIET)
    model.save_weights(tmp_path / "model.weights.h5")
    other = trainable(seed=99)
    other.load_weights(tmp_path / "model.weights.h5")
    assert_same_weights(other, model, atol=0)
    np.testing.assert_array_equal(
        to_numpy(other.seed_generator.state), to_numpy(model.seed_generator.state)
    )


def test_training_goes_on_exactly_where_a_saved_model_stopped(data, tmp_path):
    whole, parts = trainable(), trainable()
    whole.fit(*data, epochs=2, batch_size=4, **QUIET)
    parts.fit(*data, epochs=1, batch_size=4, **QUIET)
    parts.save(tmp_path / "model.keras")
    parts = keras.saving.load_model(tmp_path / "model.keras")
    assert distance(parts, whole) > 1e-4
    parts.fit(*data, epochs=1, batch_size=4, **QUIET)
    assert_same_weights(parts, whole)


@pytest.mark.parametrize("optimizer", [keras.optimizers.Adam, AveragedAdam])
def test_an_interrupted_training_resumes(data, tmp_path, optimizer):
    whole, broken, resumed = (trainable(optimizer(1e-2)) for _ in range(3))
    fixed = {"epochs": 4, "batch_size": 4, **QUIET}
    whole.fit(*data, **fixed)

    def interrupt(epoch, logs):
        if epoch == 2:
            raise KeyboardInterrupt

    backup = [keras.callbacks.BackupAndRestore(tmp_path)]
    stop = [keras.callbacks.LambdaCallback(on_epoch_begin=interrupt)]
    with pytest.raises(KeyboardInterrupt):
        broken.fit(*data, callbacks=backup + stop, **fixed)
    epochs = []
    count = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: epochs.append(epoch)
    )
    backup = [keras.callbacks.BackupAndRestore(tmp_path)]
    resumed.fit(*data, callbacks=[*backup, count], **fixed)
    assert epochs == [2, 3]
    assert_same_weights(resumed, whole)


# === Setting what a user sets ===


def test_a_new_backbone_replaces_the_old_one(data):
    model = trainable()
    model.fit(*data, batch_size=4, **QUIET)
    backbone = tiny_unet()
    model.backbone = backbone
    assert len(model.weights) == len(backbone.weights)
    model.compile(keras.optimizers.SGD(0.01))
    before = [to_numpy(weight) for weight in backbone.weights]
    model.fit(*data, batch_size=4, **QUIET)
    assert (
        max(
            np.abs(to_numpy(weight) - old).max()
            for weight, old in zip(backbone.weights, before)
        )
        > 0
    )


def test_another_backbone_gets_an_optimizer_state_of_its_own(data):
    model = trainable(AveragedAdam(3e-3))
    model.fit(*data, epochs=2, batch_size=4, **QUIET)
    earlier = model.optimizer
    # Of other shapes than before, and of the same.
    for seed in (1, 2):
        model.backbone = small_network(seed=seed, filters=6)
        before = weights_of(model)
        history = model.fit(*data, epochs=2, batch_size=4, **QUIET).history
        assert np.all(np.isfinite(history["loss"]))
        assert max(np.abs(a - b).max() for a, b in zip(weights_of(model), before)) > 0
        assert int(to_numpy(model.optimizer.iterations)) == 4
        assert type(model.optimizer) is AveragedAdam
        assert float(to_numpy(model.optimizer.learning_rate)) == pytest.approx(3e-3)
    assert model.optimizer is not earlier


@pytest.mark.parametrize("averages", [False, True])
def test_two_fits_are_one_but_for_the_average(data, averages):
    whole, parts = (trainable(AveragedAdam(1e-2, use_ema=averages)) for _ in range(2))
    keras.utils.set_random_seed(0)  # of the order of arrays
    whole.fit(*data, epochs=4, batch_size=4, **QUIET)
    keras.utils.set_random_seed(0)
    for _ in range(2):
        parts.fit(*data, epochs=2, batch_size=4, **QUIET)
    steps = {int(to_numpy(model.optimizer.iterations)) for model in (whole, parts)}
    assert len(steps) == 1
    assert (distance(whole, parts) > 1e-4) == averages


def test_settings_reach_a_compiled_evaluation():
    degraded, clean = pairs(4, height=6, width=6)
    model = InDI(Echo(), noise_schedule=0)
    model.compile()
    plain = model.evaluate(degraded, clean, verbose=0)
    model.time_distribution = keras_indi.schedules.LinearMixtureTime(1e6)
    at_one = model.evaluate(degraded, clean, verbose=0)
    assert at_one == pytest.approx(np.abs(degraded - clean).mean(), rel=1e-4)
    assert at_one > 1.3 * plain
    model.noise_schedule = 0.5
    assert model.noise_schedule == ConstantNoise(0.5)
    noisy = model.evaluate(degraded, clean, verbose=0)
    assert noisy > 1.3 * at_one


def test_what_is_compiled_in_cannot_change_behind_it():
    model = InDI(Echo(), noise_schedule=0.1)
    with pytest.raises(AttributeError, match=r"Received: eps=0.5 for ConstantNoise"):
        model.noise_schedule.eps = 0.5
    assert model.noise_schedule == ConstantNoise(0.1)


def test_settings_are_checked_as_arguments_are():
    model = InDI(Echo())
    for name, wrong in [
        ("backbone", "unet"),
        ("time_distribution", "normal"),
        ("noise_schedule", -1),
        ("own_states", 2),
        ("value_range", (1, 0)),
    ]:
        before = getattr(model, name)
        with pytest.raises(ValueError, match="Received: "):
            setattr(model, name, wrong)
        assert getattr(model, name) == before


@pytest.mark.parametrize("size", [(8, 8), (7, 9), (1, 3)])
def test_a_call_on_images_alone_is_one_step_at_any_size(size):
    model = InDI(tiny_unet(condition_on_degraded=True))
    images = smooth_images(2, *size)
    expected = model.restore(images, num_steps=1)
    found = np.clip(to_numpy(model(images)), 0, 255)
    np.testing.assert_allclose(found, expected, atol=0.01)
    np.testing.assert_allclose(
        np.clip(model.predict(images, verbose=0), 0, 255), expected, atol=0.01
    )
