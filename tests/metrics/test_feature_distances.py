"""FID and KID against independent implementations and closed forms."""

import keras
import numpy as np
import pytest
import scipy.linalg
from helpers import shared_folder
from keras import ops
from metrics.photographs import DEGRADATIONS, noisy, photographs, read

from keras_indi.metrics import FrechetDistance, InceptionV3Features, KernelDistance
from keras_indi.metrics.frechet_distance import frechet_distance
from keras_indi.metrics.kernel_distance import kernel_distance


def network(seed=0, name="small", width=6):
    """A feature extractor of one's own: random filters that see edges and noise."""
    images = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(images)
    x = keras.layers.Conv2D(width, 5, activation="relu", use_bias=False)(x)
    model = keras.Model(images, keras.layers.GlobalAveragePooling2D()(x), name=name)
    kernel = np.random.default_rng(seed).normal(size=(5, 5, 3, width))
    model.set_weights([kernel - kernel.mean((0, 1))])
    return model


def crops(count=40):
    image = photographs((400, 300), ["astronaut"])[0]
    corners = np.random.default_rng(1).integers(0, 250, (count, 2))
    return np.stack([image[i : i + 24, j : j + 24] for i, j in corners])


CLEAN = crops()
RESTORED = noisy(CLEAN, 30)


def fid_metric(extractor=None, **arguments):
    return FrechetDistance(extractor or network(), **arguments)


def kid_metric(extractor=None, **arguments):
    return KernelDistance(extractor or network(), 20, 12, **arguments)


both = pytest.mark.parametrize(
    "build", [fid_metric, kid_metric], ids=lambda build: build.__name__
)


def fid(x, y):
    """FID by the matrix root, of two arrays of features."""
    covariances = [np.cov(features, rowvar=False) for features in (x, y)]
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1])
    return (
        np.sum((x.mean(0) - y.mean(0)) ** 2)
        + np.trace(covariances[0] + covariances[1])
        - 2 * np.trace(root.real)
    )


def kid(x, y):
    """The unbiased squared maximum mean discrepancy, pair by pair."""

    def kernel(a, b):
        return (np.dot(a, b) / len(a) + 1) ** 3

    within = [
        np.mean([kernel(a, b) for i, a in enumerate(s) for b in np.delete(s, i, 0)])
        for s in (x, y)
    ]
    return sum(within) - 2 * np.mean([kernel(a, b) for a in x for b in y])


def test_fid_of_photographs():
    metric = fid_metric()
    metric.update_state(CLEAN, RESTORED)
    x, y = metric.features(CLEAN), metric.features(RESTORED)
    assert x.dtype == "float64" and x.shape == (40, 6)
    np.testing.assert_allclose(x, network().predict_on_batch(CLEAN), rtol=1e-5)
    assert metric.result() == pytest.approx(fid(x, y), rel=1e-6)
    assert metric.result() > 1e-3
    assert metric.name == "fid_small"
    assert metric.counts == {"clean": 40, "restored": 40}


def test_kid_of_photographs():
    extractor = network()
    metric = KernelDistance(extractor, subset_size=40, num_subsets=2)
    metric.update_state(CLEAN, RESTORED)
    x, y = metric.features(CLEAN), metric.features(RESTORED)
    assert metric.result() == pytest.approx(kid(x, y), rel=1e-6)
    assert metric.standard_deviation == pytest.approx(0, abs=1e-12)
    assert metric.name == "kid_small"
    # Many small subsets: their mean is near, and they differ.
    metric = KernelDistance(extractor, subset_size=10, num_subsets=400)
    metric.update_state(CLEAN, RESTORED)
    deviation = metric.standard_deviation
    assert deviation > 0
    assert abs(metric.result() - kid(x, y)) < 5 * deviation / np.sqrt(400)


def test_kid_subsets_follow_the_seed():
    first = kid_metric()
    others = [KernelDistance(network(), 20, 12, seed=seed) for seed in (0, 1)]
    for metric in (first, *others):
        metric.update_state(CLEAN, RESTORED)
    assert first.result() == others[0].result() != others[1].result()


@pytest.mark.parametrize("dimensions", [1, 5])
def test_closed_form_of_gaussians(dimensions):
    # Samples whose mean and covariance are exact, as pixels of tiny images.
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(60, dimensions))
    samples -= samples.mean(0)
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(samples, rowvar=False)))
    white = samples @ vectors / np.sqrt(values)
    means = rng.normal(0, 3, (2, dimensions))
    scales = rng.uniform(0.5, 4, (2, dimensions))
    turn = np.linalg.qr(rng.normal(size=(dimensions, dimensions)))[0]
    images = means[:, None] + (white * scales[:, None]) @ turn
    pixels = keras.Input((1, 1, dimensions))
    model = keras.Model(pixels, keras.layers.Flatten()(pixels))
    metric = FrechetDistance(model, value_range=(-99, 99))
    metric.update_state(*images[:, :, None, None])
    expected = np.sum((means[0] - means[1]) ** 2) + np.sum((scales[0] - scales[1]) ** 2)
    assert metric.result() == pytest.approx(expected, rel=1e-5)


def test_fid_of_fewer_samples_than_dimensions():
    # A matrix root is at its worst here; the sum of singular values is not.
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 10, 50)) @ rng.normal(size=(50, 50))
    means = x.mean(0), y.mean(0)
    factors = (x - means[0]) / 3, (y - means[1]) / 3
    nuclear = np.linalg.norm(factors[0] @ factors[1].T, "nuc")
    traces = sum(np.sum(factor**2) for factor in factors)
    expected = np.sum((means[0] - means[1]) ** 2) + traces - 2 * nuclear
    moments = [(s.mean(0), np.cov(s, rowvar=False)) for s in (x, y)]
    assert frechet_distance(*moments[0], *moments[1]) == pytest.approx(expected, 1e-9)
    assert frechet_distance(*moments[0], *moments[0]) < 1e-9 * traces


def test_kernel_distance_is_unbiased():
    # Two samples of one distribution: 0 on average, unlike the biased estimate.
    rng = np.random.default_rng(0)
    draws = [kernel_distance(*rng.normal(size=(2, 12, 3))) for _ in range(1000)]
    assert abs(np.mean(draws)) < 4 * np.std(draws) / np.sqrt(1000)
    x, y = rng.normal(size=(2, 7, 3))
    assert kernel_distance(x, y) == pytest.approx(kid(x, y), rel=1e-10)


@both
def test_identity_symmetry_batches_and_order(build):
    metric = build()
    metric.update_state(CLEAN, CLEAN)
    same = metric.result()
    metric.reset_state()
    assert metric.counts == {"clean": 0, "restored": 0}
    metric.update_state(CLEAN, RESTORED)
    expected = metric.result()
    if build is fid_metric:
        assert same < 1e-8 < expected
    else:
        assert same < expected
    order = np.random.default_rng(0).permutation(len(CLEAN))
    metric.reset_state()
    for start, stop in ((0, 1), (1, 20), (20, 40)):
        # Sets, not pairs: each side may come in its own order.
        metric.update_state(CLEAN[order[start:stop]], None)
        metric.update_state(None, RESTORED[start:stop])
    assert metric.result() == pytest.approx(expected, rel=1e-5)
    metric.reset_state()
    metric.update_state(ops.convert_to_tensor(RESTORED), ops.convert_to_tensor(CLEAN))
    if build is fid_metric:
        assert metric.result() == pytest.approx(expected, rel=1e-6)
    else:  # other subsets
        whole = KernelDistance(network(), 40, 1), KernelDistance(network(), 40, 1)
        whole[0].update_state(CLEAN, RESTORED)
        whole[1].update_state(RESTORED, CLEAN)
        assert whole[0].result() == pytest.approx(whole[1].result(), rel=1e-9)


@both
@pytest.mark.parametrize("degradation", DEGRADATIONS)
def test_scores_grow_with_the_degradation(build, degradation):
    degrade, strengths = DEGRADATIONS[degradation]
    metric = build()
    scores = []
    for strength in strengths:
        metric.reset_state()
        metric.update_state(CLEAN, degrade(CLEAN, strength))
        scores.append(metric.result())
    assert np.all(np.diff(scores) > 0)
    assert scores[-1] > 1e-3


@pytest.mark.slow
def test_fid768_and_kid768_of_photographs():
    weights = shared_folder("weights", "inception_fid768_fp16.npz")
    extractor = InceptionV3Features(768, weights)
    fid768, kid768 = FrechetDistance(extractor), KernelDistance(extractor, 12, 1)
    assert (fid768.name, kid768.name) == ("fid768", "kid768")
    files = sorted(shared_folder("data", "kodak24").glob("*.png"))[:12]
    clean = np.stack([read(file)[100:228, 100:228] for file in files])
    scores = []
    for strength in (10, 40):
        restored = noisy(clean, strength)
        for metric in (fid768, kid768):
            metric.reset_state()
            for start in range(0, len(clean), 8):
                batch = slice(start, start + 8)
                metric.update_state(clean[batch], restored[batch])
        scores.append([fid768.result(), kid768.result()])
    assert np.all(np.diff(scores, axis=0) > 0)
    x, y = fid768.features(clean), fid768.features(restored)
    covariances = [np.cov(features, rowvar=False) for features in (x, y)]
    roots = np.sqrt(scipy.linalg.eigvals(covariances[0] @ covariances[1]))
    expected = np.sum((x.mean(0) - y.mean(0)) ** 2) - 2 * np.sum(roots.real)
    expected += np.trace(covariances[0] + covariances[1])
    assert scores[-1][0] == pytest.approx(expected, rel=1e-3)
    assert scores[-1][1] == pytest.approx(kid(x, y), rel=1e-5)


@both
def test_saved_references(build, tmp_path):
    metric = build()
    metric.update_state(CLEAN, RESTORED)
    path = tmp_path / "clean.npz"
    metric.save_reference(path)
    assert [file.name for file in tmp_path.iterdir()] == ["clean.npz"]
    again = build(reference=path)
    for _ in range(2):
        again.update_state(None, RESTORED)
        assert again.counts == metric.counts
        assert again.result() == pytest.approx(metric.result(), rel=1e-9)
        again.reset_state()
    with pytest.raises(ValueError, match="replaces the clean.*Received: clean"):
        again.update_state(CLEAN, RESTORED)
    # Another name, other weights, another range, another metric.
    for extractor, arguments, key in (
        (network(name="other"), {}, "extractor"),
        (network(seed=1), {}, "extractor_weights"),
        (network(), {"value_range": (0, 256)}, "value_range"),
    ):
        with pytest.raises(ValueError, match=f"`{key}` must be.*Received: {key}="):
            build(extractor, reference=path, **arguments)
    other = kid_metric if build is fid_metric else fid_metric
    with pytest.raises(ValueError, match="`kind` must be.*Received: kind="):
        other(reference=path)


def test_a_reference_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    metric = fid_metric()
    metric.update_state(CLEAN, None)
    path = tmp_path / "clean.npz"
    metric.save_reference(path)
    before = path.read_bytes()

    def full_disk(file, **arrays):
        file.write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OSError, match="no space"):
        metric.save_reference(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@both
def test_what_is_refused(build):
    metric = build()
    with pytest.raises(ValueError, match="at least 2 clean.*Received: 0 clean"):
        metric.save_reference("never.npz")
    metric.update_state(CLEAN, RESTORED[:40])
    before = metric.result()
    for clean, restored, message in (
        (CLEAN, RESTORED[:, :20], "one shape"),
        (CLEAN, RESTORED[:3], "one shape"),
        (CLEAN[..., :1], RESTORED[..., :1], "3 channels"),
        (CLEAN[0], RESTORED[0], "batch, height"),
        (CLEAN, RESTORED + 1.0, "value_range"),
        (CLEAN / 255, RESTORED / 255, r"value_range=\(0, 1\)"),
        (CLEAN, np.full(RESTORED.shape, np.nan), "finite"),
    ):
        with pytest.raises(ValueError, match=f"(?s){message}.*Received: "):
            metric.update_state(clean, restored)
    assert metric.result() == before
    metric.reset_state()
    metric.update_state(CLEAN[:1], RESTORED[:1])
    with pytest.raises(ValueError, match="needs at least .*Received: 1 clean"):
        metric.result()


def test_extractors_that_are_refused():
    with pytest.raises(ValueError, match="that is built.*Received: extractor=<f"):
        FrechetDistance(lambda images: images)
    with pytest.raises(ValueError, match="that is built"):
        FrechetDistance(keras.Sequential([keras.layers.GlobalAveragePooling2D()]))
    images = keras.Input((None, None, 3))
    maps = keras.Model(images, keras.layers.Conv2D(2, 3)(images))
    with pytest.raises(ValueError, match=r"GlobalAveragePooling2D.*\(40, 22, 22, 2\)"):
        FrechetDistance(maps).update_state(CLEAN, RESTORED)


@pytest.mark.parametrize(
    "wrong",
    [
        {"subset_size": 1},
        {"subset_size": 2.5},
        {"num_subsets": 0},
        {"num_subsets": 1.5},
        {"seed": -1},
    ],
    ids=str,
)
def test_numbers_that_are_refused_before_any_work(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"Received: {name}={value}"):
        KernelDistance(network(), **wrong)


def test_a_subclassed_extractor():
    class Means(keras.Model):
        def call(self, images):
            return ops.mean(ops.cast(images, "float32"), axis=(1, 2))

    extractor = Means(name="means")
    extractor(CLEAN[:1].astype("float32"))
    metric = FrechetDistance(extractor)
    metric.update_state(CLEAN, RESTORED)
    expected = fid(CLEAN.mean((1, 2)), RESTORED.mean((1, 2)))
    assert metric.result() == pytest.approx(expected, rel=1e-4)
