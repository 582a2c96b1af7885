"""`InDI.restore`: structures, dtypes, sizes, noise and compilation."""

import keras
import numpy as np
import pytest
from closed_forms import ConstantEstimate, GaussianPosteriorMean
from helpers import full_strength, small_network, smooth_images, tiny_unet

from keras_indi.models import InDI

BACKEND = keras.config.backend()


@pytest.fixture(scope="module")
def model():
    return InDI(tiny_unet(gain=0.7), noise_schedule=0.02, seed=5)


@pytest.fixture(scope="module")
def unbounded():
    return InDI(GaussianPosteriorMean(0.5, 1.0, 0.5), "uniform", 0.1, None, seed=1)


# === Structures, dtypes and ranges ===


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64", "float16"])
def test_dtype_and_range_are_given_back(dtype):
    high = 65535 if dtype == "uint16" else 255
    network = full_strength(tiny_unet(), gain=2.0)  # so strong that values clip
    model = InDI(network, value_range=(0, high))
    exact = smooth_images(1, 8, 8, high=high)[0]
    image = exact.astype(dtype)
    restored = model.restore(image, num_steps=2)
    assert restored.shape == image.shape and restored.dtype == dtype
    assert restored.min() == 0 and restored.max() == high
    trajectory = model.restore(image, num_steps=2, return_trajectory=True)
    unclipped = trajectory[-1]
    assert trajectory.dtype == np.float32
    assert unclipped.min() < 0 and unclipped.max() > high
    expected = np.clip(unclipped, 0, high)
    if "uint" in dtype:
        expected = np.rint(expected)
    np.testing.assert_array_equal(restored, expected.astype(dtype))


def test_a_value_range_is_only_a_change_of_units():
    network = tiny_unet(gain=0.7)
    image = smooth_images(1, 8, 8, high=1.0)[0]
    results = []
    for low, high in [(0, 1), (-1, 1), (0, 255), (100, 300)]:
        model = InDI(network, noise_schedule=0.02, value_range=(low, high))
        scaled = low + (high - low) * image
        restored = model.restore(scaled, num_steps=3, seed=2)
        results.append((restored - low) / (high - low))
    unscaled = InDI(network, noise_schedule=0.02, value_range=None)
    results.append((unscaled.restore(2 * image - 1, 3, seed=2) + 1) / 2)
    assert np.ptp(results[0] - image) > 0.1
    for result in results[1:4]:
        np.testing.assert_allclose(result, results[0], atol=1e-5)
    np.testing.assert_allclose(np.clip(results[4], 0, 1), results[0], atol=1e-5)


def test_single_images_batches_and_lists_agree(model):
    images = smooth_images(3, 9, 7)
    for given in (images, images.astype("uint8")):
        batch = model.restore(given, num_steps=2, seed=0)
        listed = model.restore(list(given), num_steps=2, seed=0)
        tupled = model.restore(tuple(given), num_steps=2, seed=0)
        single = model.restore(given[0], num_steps=2, seed=0)
        assert isinstance(listed, list) and isinstance(tupled, list)
        assert batch.shape == given.shape and single.shape == given[0].shape
        tolerance = 1 if given.dtype == "uint8" else 1e-3
        np.testing.assert_allclose(np.stack(listed), batch, atol=tolerance)
        np.testing.assert_allclose(np.stack(tupled), batch, atol=tolerance)
        np.testing.assert_allclose(single, batch[0], atol=tolerance)


def test_a_list_of_any_sizes(model):
    shapes = [(1, 1), (9, 7), (8, 8), (1, 6), (9, 7)]
    images = [
        smooth_images(1, *shape, seed=index)[0] for index, shape in enumerate(shapes)
    ]
    restored = model.restore(images, num_steps=2, seed=0)
    for index, image in enumerate(images):
        assert restored[index].shape == image.shape
        # The noise belongs to the image's place in the list.
        alone = model.restore(
            [images[0][:1, :1]] * index + [image], num_steps=2, seed=0
        )
        np.testing.assert_allclose(restored[index], alone[-1], atol=1e-3)


def test_mixed_dtypes_in_a_list(model):
    levels = smooth_images(1, 8, 8)[0].astype("uint8")
    images = [levels, levels.astype("float32")]
    restored = model.restore(images, num_steps=2, seed=0)
    assert [result.dtype for result in restored] == ["uint8", "float32"]
    floats = model.restore([images[1]] * 2, num_steps=2, seed=0)
    np.testing.assert_array_equal(restored[0], np.rint(floats[0]).astype("uint8"))
    np.testing.assert_allclose(restored[1], floats[1], atol=1e-3)


def test_odd_sizes_are_padded_by_reflection():
    model = InDI(tiny_unet(channel_multipliers=(1, 1, 1), gain=0.7))
    image = smooth_images(1, 9, 14)[0]
    padded = np.pad(image, ((0, 3), (0, 2), (0, 0)), mode="reflect")
    np.testing.assert_allclose(
        model.restore(image, num_steps=3),
        model.restore(padded, num_steps=3)[:9, :14],
        atol=1e-3,
    )


@pytest.mark.parametrize("channels", [1, 4])
def test_grey_and_four_channel_images(channels):
    model = InDI(tiny_unet(image_channels=channels))
    image = smooth_images(1, 7, 6, channels).astype("uint8")[0]
    restored = model.restore(image, num_steps=2)
    assert restored.shape == (7, 6, channels) and restored.dtype == "uint8"
    assert np.any(restored != image)


def test_tensors_of_the_backend_are_images_too(model):
    images = smooth_images(2, 8, 8)
    restored = model.restore(keras.ops.convert_to_tensor(images), num_steps=2, seed=0)
    assert isinstance(restored, np.ndarray)
    np.testing.assert_array_equal(restored, model.restore(images, num_steps=2, seed=0))


def test_the_images_given_are_left_alone(model):
    images = smooth_images(2, 9, 7)
    before = images.copy()
    model.restore(images, num_steps=2)
    np.testing.assert_array_equal(images, before)


def test_the_default_is_ten_uniform_steps_of_the_papers_rule(unbounded):
    image = smooth_images(1, 5, 5, high=1.0)[0]
    found = unbounded.restore(image, seed=0)
    expected = unbounded.restore(
        image, num_steps=10, sampler="indi", time_grid="uniform", seed=0
    )
    np.testing.assert_array_equal(found, expected)
    grid = [1.0, 0.3, 0.0]
    found = unbounded.restore(image, time_grid=grid, return_trajectory=True)
    assert len(found) == 3


# === Seeds and draws ===


@pytest.mark.parametrize("batch_size", [None, 1, 2, 5])
def test_a_seed_fixes_the_noise_for_any_batch_size(model, batch_size):
    images = smooth_images(5, 8, 6)
    expected = model.restore(images, num_steps=2, seed=7)
    found = model.restore(images, num_steps=2, seed=7, batch_size=batch_size)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    again = model.restore(images, num_steps=2, seed=7, batch_size=batch_size)
    np.testing.assert_array_equal(found, again)
    other = model.restore(images, num_steps=2, seed=8, batch_size=batch_size)
    assert np.abs(found - other).max() > 0.5


@pytest.mark.parametrize("tile_size", [None, 48])
def test_with_a_seed_an_image_each_is_restored_as_alone(model, tile_size):
    sizes = [(56, 48), (48, 56), (56, 48), (17, 9)]
    images = [smooth_images(1, *size, seed=n)[0] for n, size in enumerate(sizes)]
    seeds = [5, 5, np.int64(8), 2**40]
    options = {"num_steps": 3, "num_samples": 2, "return_trajectory": True}
    options["tile_size"] = tile_size
    together = model.restore(images, seed=seeds, **options)
    for image, seed, found in zip(images, seeds, together):
        alone = model.restore(image, seed=seed, **options)
        np.testing.assert_array_equal(found[0], alone[0])  # the noise
        np.testing.assert_allclose(found, alone, atol=255e-5)
    same = model.restore(np.stack([images[0]] * 3), 1, seed=np.array([5, 5, 6]))
    np.testing.assert_allclose(same[0], same[1], atol=255e-5)
    assert np.abs(same[0] - same[2]).max() > 0.5


@pytest.mark.parametrize("seed", [[1], [1, 2, 3], [1, -2], [1, 2.5], [1, None], "12"])
def test_seeds_must_be_one_an_image(model, seed):
    with pytest.raises(ValueError, match="`?seed.*Received: "):
        model.restore(smooth_images(2, 8, 6), 1, seed=seed)


def test_without_a_seed_draws_differ_but_follow_from_the_models():
    image = smooth_images(1, 6, 6, high=1.0)[0]
    runs = []
    for _ in range(2):
        model = InDI(ConstantEstimate(), "uniform", 0.1, (0, 1), seed=3)
        runs.append(
            [model.restore(image, 2, return_trajectory=True)[0] for _ in range(2)]
        )
    assert np.abs(runs[0][0] - runs[0][1]).max() > 0.05
    np.testing.assert_array_equal(*runs)


@pytest.mark.parametrize(
    "noise, differ", [(0.0, False), (0.05, True), ("brownian", True)]
)
def test_draws_differ_exactly_where_there_is_noise(noise, differ):
    model = InDI(tiny_unet(gain=0.7), noise_schedule=noise)
    image = smooth_images(1, 8, 6)[0]
    draws = model.restore(image, num_steps=3, num_samples=3, seed=0)
    assert draws.shape == (3, *image.shape)
    for first, second in [(0, 1), (1, 2), (0, 2)]:
        gap = np.abs(draws[first] - draws[second]).max()
        assert gap > 0.5 if differ else gap < 1e-3
    # The first draw is the one without `num_samples`.
    single = model.restore(image, num_steps=3, seed=0)
    np.testing.assert_allclose(draws[0], single, atol=1e-3)


def test_images_of_a_batch_get_noise_of_their_own():
    model = InDI(ConstantEstimate(), noise_schedule=0.1, value_range=None)
    images = np.zeros((40, 10, 10, 1), "float32")
    noise = model.restore(images, 1, num_samples=2, seed=0, return_trajectory=True)[0]
    noise = noise.reshape(80, 100) / 0.1
    correlation = noise @ noise.T / 100
    np.testing.assert_allclose(np.diag(correlation), 1.0, atol=6 * np.sqrt(2 / 100))
    others = correlation - np.diag(np.diag(correlation))
    assert np.abs(others).max() < 0.6  # six standard errors


# === Trajectories ===


@pytest.mark.parametrize("num_steps", [1, 4])
def test_a_trajectory_has_all_states(unbounded, num_steps):
    image = smooth_images(1, 5, 4, high=1.0)[0]
    arguments = {"num_steps": num_steps, "seed": 2}
    states = unbounded.restore(image, return_trajectory=True, **arguments)
    assert states.shape == (num_steps + 1, *image.shape)
    assert 0.05 < np.std(states[0] - image) < 0.2  # y with its noise, eps = 0.1
    restored = unbounded.restore(image, **arguments)
    np.testing.assert_array_equal(states[-1], restored)


def test_without_noise_the_first_state_is_the_image():
    model = InDI(tiny_unet(gain=0.7))
    image = smooth_images(1, 7, 5)[0].astype("uint8")
    states = model.restore(image, num_steps=2, return_trajectory=True)
    np.testing.assert_array_equal(states[0], image)


def test_the_axes_of_trajectories_samples_and_structures(unbounded):
    images = smooth_images(3, 5, 4, high=1.0)
    arguments = {"num_steps": 2, "seed": 4}
    full = unbounded.restore(images, num_samples=2, return_trajectory=True, **arguments)
    assert full.shape == (3, 2, 3, 5, 4, 3)  # states, draws, batch, image
    samples = unbounded.restore(images, num_samples=2, **arguments)
    states = unbounded.restore(images, return_trajectory=True, **arguments)
    assert samples.shape == (2, 3, 5, 4, 3) and states.shape == (3, 3, 5, 4, 3)
    np.testing.assert_allclose(full[-1], samples, atol=1e-6)
    np.testing.assert_allclose(full[:, 0], states, atol=1e-6)

    listed = unbounded.restore(
        list(images), num_samples=2, return_trajectory=True, **arguments
    )
    for index, result in enumerate(listed):
        np.testing.assert_allclose(result, full[:, :, index], atol=1e-6)
    listed = unbounded.restore(list(images), num_samples=2, **arguments)
    for index, result in enumerate(listed):
        np.testing.assert_allclose(result, samples[:, index], atol=1e-6)
    single = unbounded.restore(
        images[0], num_samples=2, return_trajectory=True, **arguments
    )
    np.testing.assert_allclose(single, full[:, :, 0], atol=1e-6)


# === Compilation and what is captured ===


@keras.saving.register_keras_serializable(package="tests")
class Counting(keras.layers.Layer):
    """F = a weight times x_t, which counts how often Python runs through it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.runs = 0
        self.factor = self.add_weight(shape=(), initializer="ones", name="factor")

    def build(self, input_shape):
        pass

    def call(self, inputs):
        self.runs += 1
        return self.factor * inputs["images"]


@pytest.mark.parametrize("sampler", ["indi", "multistep"])
@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch runs eagerly")
def test_numbers_of_steps_share_one_compilation(sampler):
    backbone = Counting()
    model = InDI(backbone, noise_schedule=0.1, value_range=None)
    image = smooth_images(1, 6, 6, high=1.0)[0]
    model.restore(image, num_steps=3, sampler=sampler)
    runs = backbone.runs
    assert runs <= 2  # one for the variables, where Keras builds, and one
    for num_steps, shift in ((3, 1.0), (7, 1.7), (1, 0.6)):
        model.restore(image, num_steps, sampler, "cosine", shift)
    assert backbone.runs == runs
    model.restore(smooth_images(1, 6, 8, high=1.0)[0], num_steps=3, sampler=sampler)
    # TensorFlow compiles for all sizes at once.
    assert backbone.runs == runs + (BACKEND == "jax")


def test_short_batches_need_no_compilation_of_their_own():
    backbone = Counting()
    model = InDI(backbone, value_range=None)
    images = smooth_images(5, 6, 6, high=1.0)
    found = model.restore(images, num_steps=2, batch_size=2)
    np.testing.assert_allclose(found, images, atol=1e-5)
    if BACKEND != "torch":
        assert backbone.runs <= 2


def test_new_weights_are_used_at_once():
    network = small_network()
    model = InDI(network)
    images = smooth_images(2, 8, 8)
    before = model.restore(images, num_steps=2)
    full_strength(network, seed=9, gain=0.5)
    after = model.restore(images, num_steps=2)
    assert np.abs(after - before).max() > 1
    fresh = InDI(small_network())
    fresh.backbone.set_weights(network.get_weights())
    np.testing.assert_array_equal(after, fresh.restore(images, num_steps=2))

    model.compile(keras.optimizers.SGD(0.01))
    model.fit(images, images[::-1].copy(), epochs=2, verbose=0)
    trained = model.restore(images, num_steps=2)
    assert np.abs(trained - after).max() > 1e-2
    fresh.backbone.set_weights(network.get_weights())
    np.testing.assert_allclose(trained, fresh.restore(images, num_steps=2), atol=1e-3)


@pytest.mark.parametrize("tile_size", [None, 48])
def test_setting_what_was_captured_discards_compiled_steps(tile_size):
    first = tiny_unet()
    image = smooth_images(1, 50, 50, high=200.0)[0]
    arguments = {"num_steps": 2, "tile_size": tile_size, "seed": 0}
    model = InDI(first)
    before = model.restore(image, **arguments)
    for name, value in [("value_range", (0.0, 510.0))]:
        setattr(model, name, value)
        found = model.restore(image, **arguments)
        assert np.abs(found - before).max() > 1, name
        fresh = InDI(
            model.backbone,
            noise_schedule=model.noise_schedule,
            value_range=model.value_range,
        )
        np.testing.assert_array_equal(found, fresh.restore(image, **arguments))
        before = found


def test_a_backbone_that_was_never_called_is_built_first():
    images = smooth_images(2, 8, 8)

    class Lazy(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.convolution = keras.layers.Conv2D(3, 3, padding="same")

        def call(self, inputs):
            return self.convolution(inputs["images"])

    lazy = Lazy()
    model = InDI(lazy)
    restored = model.restore(images, num_steps=2)
    again = model.restore(images, num_steps=2)
    np.testing.assert_array_equal(restored, again)
    assert len(lazy.weights) == 2


def test_a_progress_bar_appears_when_asked_for(model, capsys):
    image = smooth_images(1, 8, 6)[0]
    model.restore(image, num_steps=4, verbose=0)
    assert capsys.readouterr().out == ""
    model.restore(image, num_steps=4, verbose=1)
    assert "4/4" in capsys.readouterr().out


# === Sizes that share a compilation ===


def test_images_of_many_sizes_share_compiled_shapes(monkeypatch):
    from keras_indi.backend import compiled

    # As on JAX and on accelerators, whatever the backend here.
    monkeypatch.setattr(compiled, "compiles_each_shape", lambda: True)
    network = tiny_unet(gain=0.7, condition_on_degraded=True)
    shared = InDI(network, noise_schedule=0.02, value_range=(0, 1))
    rng = np.random.default_rng(0)
    images = [
        smooth_images(1, *shape, high=1.0, seed=index)[0]
        for index, shape in enumerate(rng.integers(20, 45, (8, 2)))
    ]
    seen = set()
    original = shared.estimate

    def noted(images, *args, **kwargs):
        seen.add(tuple(images.shape[1:3]))
        return original(images, *args, **kwargs)

    shared.estimate = noted
    found = shared.restore(images, num_steps=2, seed=1)
    assert len(seen) <= 4
    # One after another, and with noise: the very result of each alone.
    monkeypatch.setattr(compiled, "compiles_each_shape", lambda: False)
    alone = InDI(network, noise_schedule=0.02, value_range=(0, 1))
    expected = alone.restore(images, num_steps=2, seed=1)
    for result, wanted, image in zip(found, expected, images):
        assert result.shape == image.shape
        np.testing.assert_allclose(result, wanted, atol=1e-5)
        assert np.abs(result - image).max() > 0.02


# === What is read and written by blocks ===


def test_array_likes_are_read_by_blocks_and_written_by_blocks(model, tmp_path):
    image = smooth_images(1, 150, 70)[0].astype("uint8")
    np.save(tmp_path / "image.npy", image)
    mapped = np.load(tmp_path / "image.npy", mmap_mode="r")
    arguments = {"num_steps": 2, "seed": 0, "verbose": 0}
    expected = model.restore(image, tile_size=None, **arguments)
    for budget in ({}, {"max_memory": 1_500_000}):
        found = model.restore(mapped, **budget, **arguments)
        # A value half-way between two integers may round to either.
        np.testing.assert_allclose(found.astype(int), expected, atol=1)
        assert np.mean(found != expected) < 1e-3
        out = np.zeros_like(image)
        assert model.restore(mapped, out=out, **budget, **arguments) is out
        np.testing.assert_array_equal(out, found)


@pytest.mark.parametrize(
    "arguments",
    [
        {"out": np.zeros((8, 9, 3), "uint8")},
        {"out": np.zeros((8, 8, 3), "float32")},
        {"out": np.zeros((8, 8, 3), "uint8"), "num_samples": 2},
        {"out": np.zeros((8, 8, 3), "uint8"), "return_trajectory": True},
        {"tile_size": "large"},
        {"tile_overlap": -1},
        {"tile_overlap": 0.5},
        {"max_memory": "2GB"},
        {"max_memory": 0},
    ],
)
def test_arguments_of_tiles_that_do_not_suit(model, arguments):
    image = np.full((8, 8, 3), 100, "uint8")
    with pytest.raises(ValueError, match="Received: "):
        model.restore(image, **arguments)
