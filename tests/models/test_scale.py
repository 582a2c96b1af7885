"""Models that enlarge: restored, trained, scored and saved."""

import keras
import numpy as np
import pytest
from helpers import small_network, smooth_images, tiny_unet

from keras_indi.callbacks import RestorationMonitor
from keras_indi.data.resize import resize
from keras_indi.evaluation import evaluate, uncertainty
from keras_indi.models import ConditionalDDPM, InDI


@pytest.fixture(scope="module")
def model():
    return InDI(tiny_unet(), noise_schedule=0.05, scale=2)


def enlarged(image, scale):
    height, width = (scale * size for size in image.shape[:2])
    return resize(image, height, width, "bilinear")


@keras.saving.register_keras_serializable(package="tests")
class Unchanged(keras.layers.Layer):
    """Estimates that x is x_t."""

    def call(self, inputs):
        return inputs["images"]


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_an_estimate_of_no_change_leaves_the_enlargement(scale):
    (image,) = smooth_images(1)
    restored = InDI(Unchanged(), scale=scale).restore(image, num_steps=3)
    np.testing.assert_allclose(restored, enlarged(image, scale), atol=1e-3)
    whole = image.astype("uint8")
    restored = InDI(Unchanged(), scale=scale).restore(whole, num_steps=1)
    assert restored.dtype == "uint8"
    np.testing.assert_allclose(restored, enlarged(whole, scale), atol=1)


def test_it_restores_what_it_enlarged(model):
    images = smooth_images(2)
    large = np.stack([enlarged(image, 2) for image in images])
    options = {"num_steps": 2, "seed": 0}
    expected = model.restore(large, scale=1, **options)
    np.testing.assert_array_equal(model.restore(images, **options), expected)
    listed = model.restore([images[0], images[1][:6]], **options)
    assert [image.shape for image in listed] == [(24, 20, 3), (12, 20, 3)]
    close = {"rtol": 0, "atol": 1e-3}  # other batches round differently
    np.testing.assert_allclose(listed[0], expected[0], **close)
    out = np.zeros((24, 20, 3), "float32")
    model.restore(images[0], out=out, **options)
    np.testing.assert_allclose(out, expected[0], **close)
    draws = model.restore(images, num_samples=3, **options)
    assert draws.shape == (3, 2, 24, 20, 3)
    np.testing.assert_allclose(draws[0], expected, **close)
    states = model.restore(images[0], return_trajectory=True, **options)
    assert states.shape == (3, 24, 20, 3)


def test_tiles_equal_the_whole(model, tmp_path):
    (image,) = smooth_images(1, height=70, width=40)
    whole = model.restore(image, num_steps=2, seed=0)
    stored = np.memmap(tmp_path / "image", "float32", "w+", shape=image.shape)
    stored[:] = image
    tiled = model.restore(stored, num_steps=2, seed=0, tile_size=64)
    np.testing.assert_allclose(tiled, whole, atol=2e-3)


def test_scales_it_has_not(model):
    (image,) = smooth_images(1)
    with pytest.raises(ValueError, match=r"1.*or 2, which.*scale=4"):
        model.restore(image, scale=4)
    with pytest.raises(ValueError, match=r"`scale` must be 1.*scale=2"):
        InDI(tiny_unet()).restore(image, scale=2)
    with pytest.raises(ValueError, match=r"scale=0"):
        InDI(tiny_unet(), scale=0)
    with pytest.raises(ValueError, match=r"result's shape \(24, 20, 3\)"):
        model.restore(image, out=np.zeros_like(image))


def test_a_conditional_ddpm_enlarges_too():
    unet = tiny_unet(condition_on_degraded=True)
    model = ConditionalDDPM(unet, noise_schedule="cosine", scale=2)
    (image,) = smooth_images(1)
    restored = model.restore(image, num_steps=2, seed=0)
    expected = model.restore(enlarged(image, 2), scale=1, num_steps=2, seed=0)
    np.testing.assert_array_equal(restored, expected)


@pytest.mark.parametrize("way", ["file", "preset"])
def test_the_scale_is_saved(model, tmp_path, way):
    if way == "file":
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
    else:
        model.save_to_preset(tmp_path / "preset")
        loaded = InDI.from_preset(str(tmp_path / "preset"))
    assert loaded.scale == 2
    old = model.get_config()
    del old["scale"]
    assert InDI.from_config(old).scale == 1


def test_degraded_images_of_either_size_train_alike():
    small = smooth_images(4, height=8, width=8)
    large = np.stack([enlarged(image, 2) for image in small])
    clean = np.clip(large + 10, 0, 255)
    weights = []
    for batches in (
        [(small[:2], clean[:2]), (large[2:], clean[2:])],
        [(large[:2], clean[:2]), (large[2:], clean[2:])],
    ):
        model = InDI(small_network(), seed=0, scale=2)
        model.compile("sgd")
        model.fit(Batches(batches), epochs=1, shuffle=False, verbose=0)
        weights.append(model.get_weights())
        small_loss = model.evaluate(small, clean, batch_size=4, verbose=0)
        large_loss = model.evaluate(large, clean, batch_size=4, verbose=0)
        np.testing.assert_allclose(small_loss, large_loss, rtol=1e-5)
    for first, second in zip(*weights):
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-5)


class Batches(keras.utils.PyDataset):
    def __init__(self, batches):
        super().__init__()
        self._batches = batches

    def __len__(self):
        return len(self._batches)

    def __getitem__(self, index):
        return self._batches[index]


def test_small_images_of_sizes_that_the_network_cannot_take_train():
    # The network sees them enlarged.
    small = smooth_images(2, height=7, width=9)
    large = np.stack([enlarged(image, 2) for image in small])
    clean = np.clip(large + 10, 0, 255)
    model = InDI(tiny_unet(), seed=0, scale=2)
    model.compile()
    history = model.fit(small, clean, validation_data=(small, clean), verbose=0)
    found = history.history["val_loss"][0]
    expected = model.evaluate(large, clean, verbose=0)
    assert found > 0 and np.isfinite(expected)
    np.testing.assert_allclose(
        model.evaluate(small, clean, verbose=0), expected, rtol=1e-5
    )


def test_pairs_that_do_not_fit_are_refused_before_training(model):
    clean = smooth_images(2, height=24, width=20)
    model.compile()
    for wrong in (clean[:, :8, :5], clean[:, ::3, ::2]):
        with pytest.raises(ValueError, match="or clean ones be 2 times larger"):
            model.fit(wrong, clean, verbose=0)
    plain = InDI(tiny_unet())
    plain.compile()
    with pytest.raises(ValueError, match=r"same shape\. Received"):
        plain.fit(clean[:, ::2, ::2], clean, verbose=0)


def test_pairs_of_either_size_are_scored_alike(model):
    small = smooth_images(3)
    large = np.stack([enlarged(image, 2) for image in small])
    clean = [np.clip(image + 10, 0, 255).astype("uint8") for image in large]
    mixed = [small[0], large[1], small[2]]
    scores = [
        evaluate(model, (degraded, clean), num_steps=1).rows
        for degraded in (list(small), list(large), mixed)
    ]
    for name in ("psnr", "ssim"):
        values = [[row[name] for row in rows] for rows in scores]
        np.testing.assert_allclose(values[1:], [values[0]] * 2, rtol=1e-2)
    with pytest.raises(ValueError, match="or the second 2 times larger"):
        evaluate(model, ([small[0][:5]], clean[:1]))


def test_a_monitor_and_the_spread_of_draws(model, tmp_path):
    small = smooth_images(2)
    clean = np.stack([enlarged(image, 2) for image in small])
    found = uncertainty(model, small[0], clean[0], num_samples=3, num_steps=1)
    assert found.mean.shape == clean[0].shape
    found.save(tmp_path / "spread")
    assert (tmp_path / "spread" / "sheet.png").exists()
    trained = InDI(small_network(), seed=0, scale=2)
    trained.compile()
    shown = RestorationMonitor(small, clean, num_steps=(1,), log_dir=tmp_path)
    logs = trained.fit(small, clean, callbacks=[shown], verbose=0).history
    restored = trained.restore(small, num_steps=1, seed=0)
    errors = np.mean((restored - clean) ** 2, axis=(1, 2, 3))
    psnr = np.mean(10 * np.log10(255**2 / errors))
    np.testing.assert_allclose(logs["restored_psnr_1"], [psnr], rtol=1e-3)
    thrice = np.stack([enlarged(image, 3) for image in small])
    with pytest.raises(ValueError, match="2 times larger"):
        shown = RestorationMonitor(small, thrice)
        trained.fit(small, clean, callbacks=[shown], verbose=0)
