"""PSNR and SSIM against scikit-image."""

import numpy as np
import pytest
from helpers import shared_folder, to_numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops
from metrics.photographs import DEGRADATIONS, blurred, noisy, photographs, read
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from keras_indi.metrics import PSNR, SSIM

CLEAN = photographs()
RESTORED = noisy(CLEAN, 12)


def psnr(clean, restored, peak=255):
    return peak_signal_noise_ratio(clean, restored, data_range=peak)


def ssim(clean, restored, peak=255):
    return structural_similarity(
        clean,
        restored,
        data_range=peak,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )


METRICS = {"psnr": (PSNR, psnr), "ssim": (SSIM, ssim)}
both = pytest.mark.parametrize("name", METRICS)


def assert_like_scikit_image(name, clean, restored, **arguments):
    metric, oracle = METRICS[name]
    found = metric(**arguments).per_image(clean, restored)
    assert found.dtype == "float64" and found.shape == (len(clean),)
    span = np.ptp(arguments.get("value_range", (0, 255)))
    expected = [oracle(x, y, span) for x, y in zip(clean, restored)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@both
@pytest.mark.parametrize("degradation", DEGRADATIONS)
def test_photographs(name, degradation):
    degrade, strengths = DEGRADATIONS[degradation]
    for strength in (strengths[0], strengths[-1]):
        assert_like_scikit_image(name, CLEAN, degrade(CLEAN, strength))


@both
def test_kodak(name):
    files = sorted(shared_folder("data", "kodak24").glob("*.png"))[:3]
    for file in files:
        clean = read(file)[None, :256, :384]
        assert_like_scikit_image(name, clean, blurred(clean, 1.5))
        assert_like_scikit_image(name, clean, noisy(clean, 2))


@both
def test_bright_flat_and_nearly_equal_images(name):
    # Variances far below the squared mean; and a square error of 1e-6.
    rng = np.random.default_rng(0)
    clean = np.clip(250 + rng.normal(0, 0.3, (2, 40, 40, 3)), 0, 255)
    assert_like_scikit_image(name, clean, clean + rng.normal(0, 0.3, clean.shape))
    restored = CLEAN.astype("float32")
    restored[:, ::7, ::7] = np.abs(restored[:, ::7, ::7] - 0.01)
    assert_like_scikit_image(name, CLEAN.astype("float32"), restored)


@both
def test_value_ranges_and_dtypes_give_one_score(name):
    metric = METRICS[name][0]
    expected = metric().per_image(CLEAN, RESTORED)
    for images, value_range in (
        ((CLEAN / 255, RESTORED / 255), (0, 1)),
        ((CLEAN / 127.5 - 1, RESTORED / 127.5 - 1), (-1, 1)),
        ((CLEAN.astype("uint16") * 257, RESTORED.astype("uint16") * 257), (0, 65535)),
        ((CLEAN.astype("int64") - 100, RESTORED.astype("int64") - 100), (-100, 155)),
    ):
        found = metric(value_range=value_range).per_image(*images)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert_like_scikit_image(name, CLEAN / 255, RESTORED / 255, value_range=(0, 1))
    tensors = (ops.convert_to_tensor(images) for images in (CLEAN, RESTORED))
    np.testing.assert_allclose(metric().per_image(*tensors), expected, rtol=1e-6)


@both
def test_luma_and_border(name):
    metric, oracle = METRICS[name]
    found = metric(channel="y", crop_border=4).per_image(CLEAN, RESTORED)
    inside = np.s_[4:-4, 4:-4]
    expected = [
        oracle(rgb2ycbcr(x)[inside][..., :1], rgb2ycbcr(y)[inside][..., :1])
        for x, y in zip(CLEAN, RESTORED)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    bordered = metric(crop_border=4).per_image(CLEAN, RESTORED)
    cropped = metric().per_image(CLEAN[:, 4:-4, 4:-4], RESTORED[:, 4:-4, 4:-4])
    np.testing.assert_allclose(bordered, cropped, rtol=1e-6)


@both
def test_any_number_of_channels_counts_as_it_comes(name):
    for channels in (1, 2, 4):
        clean = np.concatenate([CLEAN, CLEAN], axis=-1)[..., :channels]
        restored = np.concatenate([RESTORED, CLEAN], axis=-1)[..., :channels]
        assert_like_scikit_image(name, clean, restored)


@settings(max_examples=8)
@given(
    st.integers(11, 20),
    st.integers(11, 20),
    st.integers(1, 3),
    st.integers(0, 2**32 - 1),
)
@pytest.mark.slow  # compiles for every size
def test_any_size(height, width, channels, seed):
    rng = np.random.default_rng(seed)
    clean, restored = rng.uniform(0, 255, (2, 1, height, width, channels))
    for name in METRICS:
        assert_like_scikit_image(name, clean, restored)


def test_identity():
    assert np.all(PSNR().per_image(CLEAN, CLEAN) == np.inf)
    np.testing.assert_allclose(SSIM().per_image(CLEAN, CLEAN), 1, rtol=2e-6)
    mean = PSNR()
    mean.update_state(np.stack([CLEAN[0]] * 2), np.stack([CLEAN[0], RESTORED[0]]))
    mean.update_state(CLEAN[:1], RESTORED[:1])
    assert float(mean.result()) == np.inf
    # An identical pair that counts for nothing leaves the mean finite.
    mean.reset_state()
    mean.update_state(
        np.stack([CLEAN[0]] * 2), np.stack([CLEAN[0], RESTORED[0]]), np.array([0, 1])
    )
    expected = psnr(CLEAN[0], RESTORED[0])
    assert float(mean.result()) == pytest.approx(expected, rel=1e-5)


@both
def test_symmetry(name):
    metric = METRICS[name][0]()
    there, back = metric.per_image(CLEAN, RESTORED), metric.per_image(RESTORED, CLEAN)
    np.testing.assert_allclose(there, back, rtol=1e-5)


@both
@pytest.mark.parametrize("degradation", DEGRADATIONS)
def test_scores_fall_as_the_degradation_grows(name, degradation):
    degrade, strengths = DEGRADATIONS[degradation]
    metric = METRICS[name][0]()
    scores = [metric.per_image(CLEAN, degrade(CLEAN, level)) for level in strengths]
    assert np.all(np.diff(scores, axis=0) < 0)


@both
def test_tensors_outside_the_range_count_with_their_true_distance(name):
    metric = METRICS[name][0](value_range=(0, 1))
    beyond = (RESTORED / 255 - 0.3).astype("float32")
    metric.update_state(ops.convert_to_tensor(CLEAN / 255), beyond)
    expected = [
        METRICS[name][1](x.astype("float64"), y.astype("float64"), 1)
        for x, y in zip(CLEAN / 255, beyond)
    ]
    assert float(to_numpy(metric.result())) == pytest.approx(
        np.mean(expected), rel=1e-5
    )
