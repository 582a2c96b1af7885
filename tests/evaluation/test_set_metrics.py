"""FID and KID in an evaluation: those of the metrics, computed once."""

import csv

import keras
import numpy as np
import pytest
from helpers import full_strength, shared_folder, small_network, smooth_images

from keras_indi.evaluation import Protocol, evaluate, feature_cache, scorer, trade_off
from keras_indi.metrics import FrechetDistance, InceptionV3Features, KernelDistance
from keras_indi.metrics.feature_distance import FeatureDistance
from keras_indi.models import InDI

COUNT = 12


def images(seed=0):
    return smooth_images(COUNT, 16, 12, seed=seed).astype("uint8")


@pytest.fixture(scope="module")
def extractor():
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    x = keras.layers.Conv2D(5, 3, activation="tanh")(x)
    outputs = keras.layers.GlobalAveragePooling2D()(x)
    return full_strength(keras.Model(inputs, outputs, name="own"))


@pytest.fixture
def protocol(extractor, tmp_path):
    extractor.save(tmp_path / "own.keras")
    return Protocol(("kid", "fid", "psnr"), extractor=tmp_path / "own.keras", seed=4)


def test_scores_are_those_of_the_metrics(extractor, protocol, tmp_path):
    clean, restored = images(), images(seed=1)
    fid = FrechetDistance(extractor)
    kid = KernelDistance(extractor, subset_size=COUNT // 2, seed=4)
    for metric in (fid, kid):
        metric.update_state(clean, restored)
    evaluation = evaluate(restored, clean, protocol)
    means = evaluation.means
    assert list(means) == ["kid", "kid_standard_deviation", "fid", "psnr"]
    assert means["fid"] == pytest.approx(fid.result(), rel=1e-4)
    assert means["kid"] == pytest.approx(kid.result(), rel=1e-3)
    deviation = means["kid_standard_deviation"]
    assert deviation == pytest.approx(kid.standard_deviation, rel=1e-3)
    assert deviation > 0
    assert evaluation.columns == ["name", "psnr"]
    assert set(protocol.weight_digests()) == {"extractor"}
    with open(evaluation.to_csv(tmp_path / "table.csv"), newline="") as file:
        lines = list(csv.DictReader(file))
    assert lines[0]["fid"] == "" and float(lines[0]["psnr"]) > 0
    for name, mean in means.items():
        assert float(lines[-1][name]) == mean
        assert f"{mean:.4f}" in str(evaluation)


def test_features_are_computed_once(protocol, monkeypatch):
    calls = []

    def counted(self, images):
        calls.append(len(images))
        return original(self, images)

    original = FeatureDistance.features
    monkeypatch.setattr(FeatureDistance, "features", counted)

    class Restorer:
        """Brightens by the number of steps."""

        noise_schedule = None

        def restore(self, images, num_steps, **_):
            return [image // 2 + num_steps for image in images]

    evaluate(Restorer(), (images(), images(seed=1)), protocol, num_steps=1)
    assert len(calls) == 2 * COUNT  # for FID and KID together
    calls.clear()
    # All of a trade-off's settings see the clean images' features once.
    calls.clear()
    model = InDI(small_network(), noise_schedule=0.1, seed=0)
    table = trade_off(model, (images(), images(seed=1)), (1, 2, 3), protocol=protocol)
    assert len(calls) == (1 + 3) * COUNT
    one = evaluate(model, (images(), images(seed=1)), protocol, seed=0, num_steps=2)
    assert table.rows[1]["fid"] == pytest.approx(one.means["fid"], rel=1e-9)


def test_the_memory_forgets_the_oldest(monkeypatch):
    monkeypatch.setattr(feature_cache, "MOST", 2)
    memory, calls = feature_cache.FeatureCache(), []

    def compute(x):
        calls.append(int(x[0]))
        return x * 2

    for value in (0, 1, 0, 2, 0, 1):
        x = np.array([value])
        assert memory.features(x, compute) == 2 * value
    assert calls == [0, 1, 2, 1]
    memory.features(np.array([1], "uint8"), compute)
    assert calls[-1] == 1 and len(calls) == 5  # another dtype, another image


def test_too_few_images_are_told_before_any_work(protocol):
    one = images()[:1]
    with pytest.raises(ValueError, match="Received: 1 images"):
        evaluate(one, one, protocol)
    config = {**protocol.get_config(), "kid_subset_size": COUNT + 1}
    with pytest.raises(ValueError, match=f"Received: {COUNT} images, kid_subset_size="):
        evaluate(images(), images(), Protocol.from_config(config))


def test_unreadable_images_make_kids_subsets_smaller(protocol):
    clean = list(images())
    restored = [image // 2 for image in clean]
    restored[3] = restored[3].astype("float32") + 1000  # out of the range
    with pytest.warns(UserWarning, match="1 images are"):
        evaluation = evaluate(restored, clean, protocol)
    assert np.isfinite(list(evaluation.means.values())).all()


def test_many_images_are_counted_as_all_at_once(protocol, monkeypatch):
    whole = evaluate(images(seed=1), images(), protocol).means
    monkeypatch.setattr(scorer, "COUNTED_TOGETHER", 5)
    parts = evaluate(images(seed=1), images(), protocol).means
    assert parts == pytest.approx(whole, rel=1e-9)


def test_an_interrupted_evaluation_keeps_the_features(protocol, tmp_path, monkeypatch):
    whole = evaluate(images(seed=1), images(), protocol, output_dir=tmp_path / "a")
    calls = []

    def breaks_off(self, pictures):
        calls.append(1)
        if len(calls) == 11:  # in the restored image of the sixth pair
            raise KeyboardInterrupt
        return original(self, pictures)

    original = FeatureDistance.features
    monkeypatch.setattr(FeatureDistance, "features", breaks_off)
    run = (images(seed=1), images(), protocol)
    with pytest.raises(KeyboardInterrupt):
        evaluate(*run, output_dir=tmp_path / "b")
    calls[:] = [1] * 100
    assert evaluate(*run, output_dir=tmp_path / "b") == whole
    assert len(calls) == 100 + 2 * (COUNT - 5)
    names = "evaluation.json", "evaluation.csv"
    for name in names:
        texts = [(tmp_path / folder / name).read_bytes() for folder in "ab"]
        assert texts[0] == texts[1]


@pytest.mark.slow
def test_fid768_of_real_photographs():
    weights = shared_folder("weights", "inception_fid768_fp16.npz")
    clean, restored = images(), images(seed=1)
    protocol = Protocol(("fid768",), weights={"inception768": weights})
    evaluation = evaluate(restored[:3], clean[:3], protocol)
    fid = FrechetDistance(InceptionV3Features(768, weights))
    fid.update_state(clean[:3], restored[:3])
    assert evaluation.means["fid768"] == pytest.approx(fid.result(), rel=1e-3)
