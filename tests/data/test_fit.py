"""`fit` takes pairs of every kind, on every backend."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from helpers import small_network, smooth_images, to_numpy

from keras_indi import data
from keras_indi.data.degradations import GaussianNoise
from keras_indi.images.encoding import write_png
from keras_indi.images.image_files import find_images
from keras_indi.models import InDI

COUNT, SIZE, BATCH = 6, 12, 2


def images():
    return smooth_images(COUNT, SIZE, SIZE, seed=8).astype("uint8")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("fit")
    for number, image in enumerate(images()):
        write_png(root / "clean" / f"{number}.png", image)
        write_png(root / "degraded" / f"{number}.png", image // 2)
    return root


OPTIONS = {"crop_size": 8, "batch_size": BATCH, "seed": 2}


def folder_pairs(root, **options):
    options = {**OPTIONS, **options}
    return data.pairs_from_folders(
        root / "clean", degraded=root / "degraded", **options
    )


def clean_pairs(root, **options):
    options = {**OPTIONS, **options}
    return data.pairs_from_folders(
        root / "clean", degradation=GaussianNoise(25), **options
    )


def float_pairs(root):
    options = {"dtype": "float32", "value_range": (0, 255), "crop_size": (8, 12)}
    return folder_pairs(root, **options)


class Halves(keras.utils.PyDataset):
    """A dataset of the user's own."""

    def __len__(self):
        return COUNT // BATCH

    def __getitem__(self, index):
        clean = images()[BATCH * index : BATCH * (index + 1)]
        return clean // 2, clean


def py_dataset(root):
    return Halves()


def data_loader(root):
    torch = pytest.importorskip("torch")
    files = find_images(root / "clean")
    pairs = {
        name: (root / "degraded" / path.name, path) for name, path in files.items()
    }
    source = data.ImageFiles(pairs)
    return torch.utils.data.DataLoader(source, batch_size=BATCH)


def tf_dataset(root):
    pytest.importorskip("tensorflow")
    return folder_pairs(root).as_tf_dataset()


def new_model():
    model = InDI(small_network(), seed=0)
    model.compile()
    return model


@pytest.mark.parametrize(
    "make",
    [folder_pairs, clean_pairs, float_pairs, py_dataset, data_loader, tf_dataset],
    ids=lambda make: make.__name__,
)
def test_fit_takes_it(make, folders, recwarn):
    model = new_model()
    before = to_numpy(model.trainable_variables[0]).copy()
    history = model.fit(
        make(folders),
        validation_data=folder_pairs(folders, training=False),
        epochs=2,
        verbose=0,
    )
    losses = [*history.history["loss"], *history.history["val_loss"]]
    assert len(losses) == 4 and np.all(np.isfinite(losses))
    assert not np.array_equal(to_numpy(model.trainable_variables[0]), before)
    if isinstance(make(folders), data.Pairs):
        messages = [str(warning.message) for warning in recwarn]
        assert not [m for m in messages if "ran out" in m or "shuffle" in m]


class Black(keras.Model):
    """Answers with black images, so that the loss is the clean ones' square."""

    def __init__(self):
        super().__init__()
        self.layer = keras.layers.Dense(3, kernel_initializer="zeros")

    def call(self, images):
        return self.layer(keras.ops.cast(images, "float32"))


def losses_of_batches(pairs, epochs):
    """The mean square of each clean batch of a fit, in the order it came."""
    losses, means = [], []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 0:
                means.clear()
            means.append((batch + 1) * float(logs["loss"]))
            losses.append(means[-1] - (means[-2] if batch else 0.0))

    model = Black()
    model.compile(keras.optimizers.SGD(0.0), "mean_squared_error")
    model.fit(pairs, epochs=epochs, verbose=0, callbacks=[Watch()])
    return losses


@pytest.mark.parametrize("batches_per_epoch", [1, 3])
def test_fit_takes_each_batch_in_its_place(batches_per_epoch, folders):
    """On each backend the same, whatever Keras's own shuffling is seeded with."""
    options = {"batches_per_epoch": batches_per_epoch}
    reference = clean_pairs(folders, **options)
    list(reference)  # the epoch that is looked at before fit's first
    expected = [
        np.mean(np.square(clean.astype("float64")))
        for _ in range(3)
        for _, clean in reference
    ]
    for seed in (0, 1):
        keras.utils.set_random_seed(seed)
        found = losses_of_batches(clean_pairs(folders, **options), epochs=3)
        np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.skipif(
    keras.config.backend() == "tensorflow", reason="TensorFlow is loaded anyway"
)
def test_no_tensorflow_is_loaded(folders):
    script = f"""
import sys
import keras_indi
from keras_indi.data.degradations import GaussianNoise
folder = {str(folders / "clean")!r}
pairs = keras_indi.data.pairs_from_folders(
    folder, degradation=GaussianNoise(25), crop_size=8
)
unet = keras_indi.models.UNetBackbone(base_channels=4, channel_multipliers=(1, 2))
model = keras_indi.models.InDI(unet)
model.compile()
model.fit(pairs, epochs=1, verbose=0)
keras_indi.data.check_folders(folder, folder, verbose=0)
assert "grain" in sys.modules
print("tensorflow" in sys.modules)
"""
    result = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ},
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip().splitlines()[-1] == "False"
