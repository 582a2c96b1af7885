"""The mean over images, in and out of training, and what is refused."""

import json

import keras
import numpy as np
import pytest
from helpers import to_numpy
from keras import ops
from metrics.photographs import noisy, photographs

from keras_indi.metrics import PSNR, SSIM, ImageMetric

CLEAN = photographs((24, 30))
RESTORED = noisy(CLEAN, 20)
both = pytest.mark.parametrize("metric", [PSNR, SSIM])


class Brightness(ImageMetric):
    """The mean of the restored image: a score that a test can choose."""

    def compute(self, clean, restored):
        return ops.mean(ops.cast(restored, "float32"), axis=(1, 2, 3))


@both
def test_the_result_is_the_mean_of_the_scores(metric):
    metric = metric()
    assert np.isnan(float(metric.result()))
    scores = metric.per_image(CLEAN, RESTORED)
    assert np.isnan(float(metric.result()))  # `per_image` leaves the mean alone
    metric.update_state(CLEAN, RESTORED)
    assert float(metric.result()) == pytest.approx(scores.mean(), rel=1e-6)
    metric.reset_state()
    metric.update_state(CLEAN, RESTORED, np.array([1.0, 0.0, 3.0]))
    expected = (scores[0] + 3 * scores[2]) / 4
    assert float(metric.result()) == pytest.approx(expected, rel=1e-6)


@both
def test_batches_and_order_do_not_matter(metric):
    metric = metric()
    metric.update_state(CLEAN, RESTORED)
    whole = float(metric.result())
    metric.reset_state()
    for index in (2, 0, 1):
        metric.update_state(CLEAN[index : index + 1], RESTORED[index : index + 1])
    assert float(metric.result()) == pytest.approx(whole, rel=1e-6)


def scores_that_float32_would_lose():
    weights = np.ones(301, "float32")
    weights[0] = 1e8
    scores = np.full(301, 60.0, "float32")
    scores[0] = 10.0
    images = np.broadcast_to(scores[:, None, None, None], (301, 2, 2, 1)).copy()
    return images, weights, np.average(scores.astype("float64"), weights=weights)


def test_the_mean_over_very_many_images_is_exact():
    images, weights, expected = scores_that_float32_would_lose()
    metric = Brightness()
    total = weight = np.float32(0)
    for image, share in zip(images, weights):
        total, weight = total + share * image[0, 0, 0], weight + share
        metric.update_state(image[None], image[None], share[None])
    assert abs(total / weight / expected - 1) > 2e-6  # a plain float32 sum
    assert float(metric.result()) == pytest.approx(expected, rel=2e-7)


# PyTorch's compiler needs one for C++.
@pytest.mark.parametrize(
    "jit_compile", [False, True][: 1 if keras.config.backend() == "torch" else 2]
)
def test_the_mean_is_exact_in_compiled_steps_too(jit_compile):
    images, weights, expected = scores_that_float32_would_lose()
    inputs = keras.Input((2, 2, 1))
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    model.compile(
        loss="mae", weighted_metrics=[Brightness(name="mean")], jit_compile=jit_compile
    )
    found = model.evaluate(
        images, images, 1, sample_weight=weights, return_dict=True, verbose=0
    )
    assert found["mean"] == pytest.approx(expected, rel=2e-7)


def test_compiled_into_a_model():
    clean, degraded = CLEAN.astype("float32"), RESTORED.astype("float32")
    inputs = keras.Input((None, None, 3))
    outputs = keras.layers.Conv2D(3, 1, use_bias=False, name="mix")(inputs)
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.SGD(0.0),
        loss="mae",
        metrics=[PSNR(), SSIM(), PSNR(channel="y", crop_border=2, name="psnr_y")],
    )
    model.get_layer("mix").set_weights([0.9 * np.eye(3)[None, None]])
    logs = model.fit(
        degraded, clean, 2, validation_data=(degraded, clean), verbose=0
    ).history
    restored = (np.float32(0.9) * degraded).clip(0, 255)
    for metric in (PSNR(), SSIM(), PSNR(channel="y", crop_border=2, name="psnr_y")):
        expected = metric.per_image(clean, restored).mean()
        for name in (metric.name, f"val_{metric.name}"):
            assert logs[name][0] == pytest.approx(expected, rel=1e-4)


def test_callbacks_know_which_way_is_better():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(3, 1)(inputs))
    model.compile(keras.optimizers.SGD(0.0), loss="mae", metrics=[PSNR(), SSIM()])
    images = CLEAN.astype("float32")
    for monitor in ("val_psnr", "val_ssim"):
        callback = keras.callbacks.EarlyStopping(monitor)
        model.fit(
            images,
            images,
            validation_data=(images, images),
            callbacks=[callback],
            verbose=0,
        )
        assert callback.monitor_op is ops.greater


@pytest.mark.parametrize(
    "metric",
    [
        PSNR((-1, 1), 3, "y", name="mine"),
        SSIM((0, 1), 2, "y", name="mine"),
        PSNR(),
        SSIM(),
    ],
    ids=lambda metric: type(metric).__name__,
)
def test_config_round_trip(metric):
    saved = json.loads(json.dumps(keras.saving.serialize_keras_object(metric)))
    again = keras.saving.deserialize_keras_object(saved)
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()


@both
def test_half_precision_policies_change_nothing(metric):
    expected = metric().per_image(CLEAN, RESTORED)
    keras.config.set_dtype_policy("mixed_bfloat16")
    again = metric()
    np.testing.assert_array_equal(again.per_image(CLEAN, RESTORED), expected)
    # Of bfloat16 predictions the score is that of their values.
    predictions = ops.cast(ops.convert_to_tensor(RESTORED), "bfloat16")
    again.update_state(ops.convert_to_tensor(CLEAN), predictions)
    values = to_numpy(ops.cast(predictions, "float32"))
    expected = metric().per_image(CLEAN, values).mean()
    assert float(again.result()) == pytest.approx(expected, rel=1e-5)


BAD_PAIRS = {
    "sizes": (CLEAN, RESTORED[:, :-1], "one shape"),
    "counts": (CLEAN, RESTORED[:1], "one shape"),
    "channels": (CLEAN, RESTORED[..., :1], "one shape"),
    "rank": (CLEAN[0], RESTORED[0], r"image\[None\]"),
    "no image": (CLEAN[:0], RESTORED[:0], "empty"),
    "text": (CLEAN.astype(str), RESTORED.astype(str), "integers or floats"),
    "complex": (CLEAN + 0j, RESTORED + 0j, "integers or floats"),
    "above": (CLEAN, RESTORED + 1.0, r"value_range=\(0.0, 255.0\).*clip"),
    "below": (CLEAN - 50.0, RESTORED, "values from -"),
    "fractions": (CLEAN / 255, RESTORED / 255, r"value_range=\(0, 1\)"),
    "nan": (CLEAN, np.where(RESTORED > 99, np.nan, RESTORED), "restored.*NaN"),
    "infinity": (np.where(CLEAN > 99, np.inf, CLEAN), RESTORED, "clean.*NaN"),
}


@both
@pytest.mark.parametrize("case", BAD_PAIRS)
def test_bad_images_are_refused(metric, case):
    clean, restored, message = BAD_PAIRS[case]
    metric = metric()
    for method in (metric.per_image, metric.update_state):
        with pytest.raises(ValueError, match=f"(?s){message}.*") as error:
            method(clean, restored)
        assert "Received: " in str(error.value)
    assert np.isnan(float(metric.result()))


@both
def test_luma_needs_colours(metric):
    with pytest.raises(ValueError, match=r"3 channels.*np\.repeat.*Received: clean"):
        metric(channel="y").per_image(CLEAN[..., :1], RESTORED[..., :1])


def test_images_smaller_than_the_window_are_refused():
    SSIM().per_image(CLEAN[:, :11, :11], RESTORED[:, :11, :11])
    for images in (CLEAN[:, :10], CLEAN[:, :, :10]):
        with pytest.raises(ValueError, match="11 pixels high and wide for SSIM"):
            SSIM().per_image(images, images)
    with pytest.raises(ValueError, match="19 pixels.*SSIM"):
        SSIM(crop_border=4).per_image(CLEAN[:, :18], RESTORED[:, :18])
    with pytest.raises(ValueError, match="9 pixels.*PSNR"):
        PSNR(crop_border=4).per_image(CLEAN[:, :8], RESTORED[:, :8])


@both
@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"value_range": (1, 0)}, "value_range=.1, 0."),
        ({"value_range": 255}, "value_range=255"),
        ({"value_range": (0, np.inf)}, "value_range=.0, inf."),
        ({"crop_border": -1}, "crop_border=-1"),
        ({"crop_border": 2.0}, "crop_border=2.0"),
        ({"channel": "g"}, "channel='g'"),
    ],
)
def test_bad_arguments_are_refused(metric, arguments, message):
    with pytest.raises(ValueError, match=f"Received: {message}"):
        metric(**arguments)


@both
@pytest.mark.parametrize("shape", [(3, 1), (1,), ()])
def test_weights_are_one_an_image(metric, shape):
    for clean in (CLEAN, ops.convert_to_tensor(CLEAN)):
        with pytest.raises(
            ValueError, match=r"\(batch,\).*Received: sample_weight of s"
        ):
            metric().update_state(clean, RESTORED, np.ones(shape))
