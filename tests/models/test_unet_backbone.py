import keras
import numpy as np
import pytest
from helpers import apply, full_strength, smooth_images, tiny_unet, to_numpy

from keras_indi.models import UNetBackbone

TIMES = np.array([0.3, 1.0], "float32")


def inputs(height=8, width=12, channels=3, degraded=False):
    images = smooth_images(2, height, width, channels, high=2.0) - 1.0
    given = {"images": images, "times": TIMES}
    if degraded:
        given["degraded"] = images[::-1].copy()
    return given


@pytest.mark.parametrize(
    "arguments",
    [
        {"channel_multipliers": (1, 2)},
        {"channel_multipliers": (1, 1, 2), "blocks_per_level": 1},
        {"channel_multipliers": [1], "condition_on_degraded": True},
        {"channel_multipliers": (1, 2), "patch_size": 2},
        {"channel_multipliers": (1, 2), "blocks_per_level": [1, 3]},
        {"channel_multipliers": (1, 2), "activation": "relu"},
        {
            "image_channels": 1,
            "channel_multipliers": (1, 1),
            "dtype": "mixed_bfloat16",
            "name": "grey",
        },
    ],
    ids=str,
)
def test_config_builds_the_same_network(arguments):
    unet = UNetBackbone(**{"base_channels": 4, **arguments})
    config = unet.get_config()
    again = UNetBackbone.from_config(config)
    assert again.get_config() == config
    assert again.name == unet.name
    assert again.dtype_policy == unet.dtype_policy
    full_strength(unet)
    again.set_weights(unet.get_weights())
    given = inputs(16, 24, unet.image_channels, unet.condition_on_degraded)
    np.testing.assert_array_equal(apply(again, given), apply(unet, given))


def test_saving_keeps_the_outputs(tmp_path):
    unet = tiny_unet(condition_on_degraded=True)
    unet.save(tmp_path / "unet.keras")
    again = keras.saving.load_model(tmp_path / "unet.keras")
    given = inputs(degraded=True)
    np.testing.assert_array_equal(apply(again, given), apply(unet, given))


@pytest.mark.parametrize("condition_on_degraded", [False, True])
@pytest.mark.parametrize("multipliers", [(1,), (1, 2), (1, 1, 1, 2)])
def test_an_untrained_network_returns_its_input(condition_on_degraded, multipliers):
    unet = UNetBackbone(
        base_channels=4,
        channel_multipliers=multipliers,
        condition_on_degraded=condition_on_degraded,
    )
    assert unet.size_multiple == 2 ** (len(multipliers) - 1)
    given = inputs(16, 24, degraded=condition_on_degraded)
    np.testing.assert_array_equal(apply(unet, given), given["images"])
    full_strength(unet)
    assert np.abs(apply(unet, given) - given["images"]).max() > 0.1


@pytest.mark.parametrize("name", ["images", "times", "degraded"])
def test_every_input_matters(name):
    unet = tiny_unet(condition_on_degraded=True)
    given = inputs(degraded=True)
    changed = {**given, name: given[name] * 0.9}
    change = apply(unet, changed) - apply(unet, given)
    if name == "images":  # beyond the residual connection
        change -= changed["images"] - given["images"]
    assert np.abs(change).max() > 1e-3


def test_one_number_of_blocks_is_that_of_each_level():
    given = inputs()
    same = tiny_unet(blocks_per_level=2)
    each = tiny_unet(blocks_per_level=(2,) * len(same.channel_multipliers))
    each.set_weights(same.get_weights())
    np.testing.assert_array_equal(apply(each, given), apply(same, given))


def test_a_config_from_before_activations_is_silu():
    unet = tiny_unet()
    config = unet.get_config()
    del config["activation"]
    again = UNetBackbone.from_config(config)
    again.set_weights(unet.get_weights())
    relu = tiny_unet(activation="relu")
    relu.set_weights(unet.get_weights())
    expected = apply(unet, inputs())
    np.testing.assert_array_equal(apply(again, inputs()), expected)
    assert np.abs(apply(relu, inputs()) - expected).max() > 1e-3


def test_images_of_a_batch_do_not_mix():
    unet = tiny_unet()
    given = inputs()
    together = apply(unet, given)
    for index in range(2):
        alone = apply(unet, {name: value[[index]] for name, value in given.items()})
        np.testing.assert_allclose(alone[0], together[index], atol=1e-5)


@pytest.mark.parametrize(
    "multipliers, blocks, patch_size",
    [
        ((1,), 1, 1),
        ((1,), 2, 1),
        ((1, 1), 1, 1),
        ((1, 1), 2, 1),
        ((1, 1, 1), 1, 1),
        ((1, 1), (1, 3), 1),
        ((1, 1), (3, 1), 2),
        ((1, 1, 1), (1, 2, 1), 1),
        ((1,), 1, 2),
        ((1, 1), 1, 2),
        ((1,), 1, 3),
    ],
    ids=str,
)
def test_receptive_field_is_the_measured_influence_of_a_pixel(
    multipliers, blocks, patch_size
):
    unet = UNetBackbone(1, 4, multipliers, blocks, patch_size=patch_size)
    assert unet.size_multiple == patch_size * 2 ** (len(multipliers) - 1)
    reach, multiple = (unet.receptive_field - 1) // 2, unet.size_multiple
    # One image without and one each with a bright pixel at every phase. They
    # are larger than what it reaches.
    center = multiple * (reach // multiple + 2)
    images = np.zeros((1 + multiple, 2 * center, 2 * center, 1), "float32")
    for phase in range(multiple):
        images[1 + phase, center + phase, center + phase] = 1e3
    times = np.ones(len(images), "float32")
    furthest = []
    # Each convolution moves its image one pixel in one direction, so that the
    # pixel's trace arrives undimmed at the end of its reach.
    for row, column in [(0, 1), (2, 1), (1, 0), (1, 2)]:
        for variable in unet.weights:
            value = np.full(variable.shape, 0.1, "float32")
            if len(variable.shape) == 4 and variable.shape[0] == 3:
                value[:] = 0.0
                value[row, column] = 1.0 / variable.shape[2]
            variable.assign(value)
        outputs = apply(unet, {"images": images, "times": times})
        changes = np.abs(outputs - outputs[0])[..., 0]
        for phase in range(multiple):
            seen = changes[1 + phase] > 1e-4 * changes[1 + phase].max()
            distances = np.argwhere(seen) - (center + phase)
            furthest.append(np.abs(distances).max())
    assert max(furthest) == reach
    assert reach < center - multiple


def test_outputs_shift_with_their_input():
    unet = tiny_unet(channel_multipliers=(1, 1), seed=1)
    reach = (unet.receptive_field - 1) // 2
    margin = reach + (-reach) % 2
    size = 2 * margin + 8
    image = smooth_images(1, size, size, high=2.0) - 1.0
    times = TIMES[:1]
    whole = apply(unet, {"images": image, "times": times})
    part = apply(unet, {"images": image[:, 2:, 2:], "times": times})
    kept = slice(margin + 2, size - margin)
    shifted = slice(margin, size - margin - 2)
    np.testing.assert_allclose(
        part[:, shifted, shifted], whole[:, kept, kept], atol=1e-5
    )


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("globally", [False, True])
def test_mixed_precision_gives_float32_near_float32(policy, globally):
    exact = tiny_unet()
    if globally:
        keras.config.set_dtype_policy(policy)
    unet = tiny_unet(**({} if globally else {"dtype": policy}))
    assert unet.dtype_policy.name == policy
    assert all(variable.dtype == "float32" for variable in unet.trainable_variables)
    given = inputs()
    outputs = unet(given)
    assert keras.backend.standardize_dtype(outputs.dtype) == "float32"
    error = np.abs(to_numpy(outputs) - apply(exact, given))
    scale = np.abs(apply(exact, given) - given["images"]).max()
    assert 0 < error.max() < (0.06 if policy == "mixed_bfloat16" else 0.01) * scale


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_near_times_are_told_apart(policy):
    # In bfloat16, 0.5 and 0.501 are the same number.
    unet = tiny_unet(dtype=policy)
    images = inputs()["images"]
    outputs = [
        apply(unet, {"images": images, "times": np.full(2, time, "float32")})
        for time in (0.5, 0.501)
    ]
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-3


@pytest.mark.parametrize(
    "arguments, received",
    [
        ({"image_channels": 0}, "image_channels=0"),
        ({"base_channels": -4}, "base_channels=-4"),
        ({"base_channels": 4.0}, "base_channels=4.0"),
        ({"blocks_per_level": 0}, "blocks_per_level=0"),
        ({"blocks_per_level": (1, 1, 1, 0)}, r"blocks_per_level\[3\]=0"),
        ({"blocks_per_level": 10**12}, "blocks_per_level=1000000000000"),
        ({"blocks_per_level": (1, 2)}, r"blocks_per_level=\(1, 2\)"),
        ({"activation": "rleu"}, "rleu"),
        ({"patch_size": 0}, "patch_size=0"),
        ({"channel_multipliers": ()}, r"channel_multipliers=\(\)"),
        ({"channel_multipliers": (1, 0)}, r"channel_multipliers\[1\]=0"),
        ({"channel_multipliers": (1, "2")}, r"channel_multipliers\[1\]='2'"),
    ],
    ids=str,
)
def test_bad_arguments(arguments, received):
    # Keras's own error of an activation ends otherwise.
    start = "" if "activation" in arguments else "Received: "
    with pytest.raises(ValueError, match=start + received):
        UNetBackbone(**arguments)


def test_negative_features_reach_the_last_convolution():
    # With an activation between, training on small residuals drove all features to
    # where that is zero, and with them all gradients.
    unet = tiny_unet(channel_multipliers=(1,))
    first, second = smooth_images(2, 8, 8, high=1.0)
    times = np.full(1, 0.5, "float32")

    def difference():
        estimates = [
            apply(unet, {"images": image[None], "times": times})
            for image in (first, second)
        ]
        return estimates[0] - estimates[1]

    expected = difference()
    (bias,) = [w for w in unet.weights if w.path == "up_0_block_0/second/bias"]
    bias.assign(bias - 100.0)
    assert np.std(expected - (first - second)) > 0.01
    np.testing.assert_allclose(difference(), expected, atol=1e-3)
