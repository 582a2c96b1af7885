"""An interrupted and resumed fit equals one that was not interrupted."""

import json
import warnings

import h5py
import keras
import numpy as np
import pytest
from helpers import small_network, smooth_images, tiny_unet, to_numpy

from keras_indi import data
from keras_indi.callbacks import BackupAndResume
from keras_indi.data.degradations import GaussianNoise
from keras_indi.models import InDI

EPOCHS = 3
BATCHES = 4  # an epoch


def training_pairs(num_workers=1, **options):
    clean = list(smooth_images(8, 12, 12, seed=4).astype("uint8"))
    arguments = {"crop_size": 8, "batch_size": 2, "seed": 1, **options}
    return data.make_pairs(
        clean, GaussianNoise(25), num_workers=num_workers, **arguments
    )


def held_out_pairs():
    clean = list(smooth_images(3, 8, 8, seed=5).astype("uint8"))
    return data.make_pairs(
        clean, GaussianNoise(25), crop_size=8, batch_size=2, training=False
    )


def new_model(seed=0):
    model = InDI(small_network(seed=seed), noise_schedule=0.05, seed=7)
    model.compile()
    return model


class Interruption(keras.callbacks.Callback):
    """Ends the process, as it were, after a batch of an epoch."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.place = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.place:
            raise KeyboardInterrupt


class Record(keras.callbacks.Callback):
    """Keeps the logs of each epoch."""

    def __init__(self):
        super().__init__()
        self.logs = {}

    def on_epoch_end(self, epoch, logs=None):
        self.logs[epoch] = {name: float(value) for name, value in logs.items()}


def fit(model, pairs, *callbacks):
    model.fit(
        pairs,
        validation_data=held_out_pairs(),
        epochs=EPOCHS,
        verbose=0,
        callbacks=list(callbacks),
    )


def state(model):
    variables = [*model.weights, *model.optimizer.variables]
    return [to_numpy(v) for v in [*variables, model.seed_generator.state]]


@pytest.fixture(scope="module")
def uninterrupted():
    model, record = new_model(), Record()
    fit(model, training_pairs(), record)
    return state(model), record.logs


@pytest.mark.parametrize(
    "every, place",
    [(1, (1, 1)), (3, (1, 3)), (1, (2, 0))],
    ids=["middle", "last_batch", "first_batch"],
)
def test_resumed_equals_uninterrupted(every, place, uninterrupted, tmp_path):
    expected, logs = uninterrupted
    path = tmp_path / "backup.weights.h5"
    pairs = training_pairs()
    with pytest.raises(KeyboardInterrupt):
        fit(
            new_model(),
            pairs,
            BackupAndResume(path, pairs, every),
            Interruption(*place),
        )
    assert list(tmp_path.iterdir()) == [path]

    # Another process builds all anew, its weights elsewhere.
    model, record = new_model(seed=9), Record()
    pairs = training_pairs(num_workers=3)
    fit(model, pairs, BackupAndResume(path, pairs, every), record)
    for found, value in zip(state(model), expected):
        np.testing.assert_array_equal(found, value)
    assert min(record.logs) == place[0]
    assert record.logs.items() <= logs.items()
    assert list(tmp_path.iterdir()) == []


class Between(keras.callbacks.Callback):
    """Ends the process, as it were, between two epochs."""

    def __init__(self, moment):
        super().__init__()
        setattr(self, moment, self.end)
        self.batches = 0

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1

    def end(self, *arguments, **options):
        if self.batches == 2 * BATCHES:
            raise KeyboardInterrupt


@pytest.mark.parametrize("moment", ["on_test_batch_end", "on_epoch_end"])
def test_of_a_finished_epoch_one_batch_is_repeated(moment, uninterrupted, tmp_path):
    expected, logs = uninterrupted
    path, pairs = tmp_path / "backup.weights.h5", training_pairs()
    with pytest.raises(KeyboardInterrupt):
        callbacks = [Between(moment), BackupAndResume(path, pairs, BATCHES)]
        fit(new_model(), pairs, *callbacks)
    model, record, pairs = new_model(seed=9), Record(), training_pairs()
    trained = Between("on_train_begin")
    fit(model, pairs, BackupAndResume(path, pairs, BATCHES), record, trained)
    assert trained.batches == 1 + BATCHES
    for found, value in zip(state(model), expected):
        np.testing.assert_array_equal(found, value)
    assert record.logs == {epoch: logs[epoch] for epoch in (1, 2)}


def test_interrupted_twice(uninterrupted, tmp_path):
    path = tmp_path / "backup.weights.h5"
    filters = list(warnings.filters)
    for place in ((1, 1), (1, 0)):  # the second counts from where it went on
        pairs = training_pairs()
        with pytest.raises(KeyboardInterrupt):
            fit(
                new_model(),
                pairs,
                BackupAndResume(path, pairs, 1),
                Interruption(*place),
            )
        assert warnings.filters == filters
    pairs, model = training_pairs(), new_model()
    fit(model, pairs, BackupAndResume(path, pairs, 1))
    assert warnings.filters == filters
    for found, value in zip(state(model), uninterrupted[0]):
        np.testing.assert_array_equal(found, value)


def test_a_resumed_fit_does_not_warn_and_a_later_one_begins_anew(tmp_path, recwarn):
    path = tmp_path / "backup.weights.h5"
    pairs, model = training_pairs(), new_model()
    with pytest.raises(KeyboardInterrupt):
        fit(model, pairs, BackupAndResume(path, pairs, 1), Interruption(1, 1))
    fit(model, pairs, BackupAndResume(path, pairs, 1))
    record = Record()
    fit(model, pairs, record)
    assert list(record.logs) == list(range(EPOCHS))
    assert not [w for w in recwarn if "ran out of data" in str(w.message)]


def test_what_cannot_be_resumed_is_refused(tmp_path):
    path, pairs = tmp_path / "backup.weights.h5", training_pairs()
    with pytest.raises(ValueError, match="Received: path='backup.h5'"):
        BackupAndResume("backup.h5", pairs)
    with pytest.raises(ValueError, match="Received: pairs of type list"):
        BackupAndResume(path, [])
    with pytest.raises(ValueError, match="Received: every=0"):
        BackupAndResume(path, pairs, every=0)
    with pytest.raises(ValueError, match="Received: steps_per_epoch=2"):
        new_model().fit(
            pairs,
            steps_per_epoch=2,
            verbose=0,
            callbacks=[BackupAndResume(path, pairs)],
        )
    new_model().save_weights(path)
    with pytest.raises(ValueError, match="has written.*Received: path="):
        fit(new_model(), pairs, BackupAndResume(path, pairs))


def test_a_backup_of_other_pairs_is_refused(tmp_path):
    path = tmp_path / "backup.weights.h5"
    pairs = training_pairs()
    with pytest.raises(KeyboardInterrupt):
        fit(new_model(), pairs, BackupAndResume(path, pairs, 1), Interruption(0, 2))
    others = training_pairs(seed=2)
    with pytest.raises(ValueError, match=r"\{'seed': 1\}.*\{'seed': 2\}"):
        fit(new_model(), others, BackupAndResume(path, others))


def interrupted_backup(path, **options):
    pairs = training_pairs()
    with pytest.raises(KeyboardInterrupt):
        fit(
            new_model(),
            pairs,
            BackupAndResume(path, pairs, 1, **options),
            Interruption(0, 2),
        )
    return path


def test_a_damaged_backup_is_refused_by_name(tmp_path):
    path = interrupted_backup(tmp_path / "backup.weights.h5")
    whole = path.read_bytes()
    changed = bytearray(whole)
    with h5py.File(path) as file:
        values = []
        file.visititems(lambda name, entry: values.append(entry))
        largest = max(
            (v for v in values if isinstance(v, h5py.Dataset)), key=lambda v: v.nbytes
        )
        changed[largest.id.get_offset() + 5] ^= 0x10
    elsewhere = whole.replace(b'"next_batch": ', b'"next_batch": 1')
    elsewhere = elsewhere.replace(b'"seed": 1', b'"seed":1', 1)
    assert len(elsewhere) == len(whole) and elsewhere != whole
    damaged = [
        b"",
        b"no backup",
        whole[: len(whole) // 2],
        whole[:-100],
        bytes(changed),
        elsewhere,
    ]
    for content in damaged:
        path.write_bytes(content)
        pairs = training_pairs()
        with pytest.raises(ValueError, match="damaged.*Remove it.*backup.weights.h5"):
            fit(new_model(), pairs, BackupAndResume(path, pairs))
        assert path.read_bytes() == content
    path.write_bytes(whole)
    pairs = training_pairs()
    other = InDI(tiny_unet(), seed=0)
    other.compile()
    with pytest.raises(ValueError, match="another model.*Received: path=.*backup"):
        fit(other, pairs, BackupAndResume(path, pairs))


def test_a_backup_can_stay_until_its_model_is_saved(tmp_path):
    path, pairs = tmp_path / "backup.weights.h5", training_pairs()
    backup = BackupAndResume(path, pairs, 1, keep=True)
    fit(new_model(), pairs, backup)
    assert path.exists()
    backup.remove()
    backup.remove()
    assert list(tmp_path.iterdir()) == []


class InfiniteFromTheThirdStep(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return keras.ops.where(step < 2, 1e-3, float("inf"))


def test_weights_that_are_not_finite_replace_no_backup(tmp_path):
    path, pairs = tmp_path / "backup.weights.h5", training_pairs()
    model = InDI(small_network(), seed=7)
    model.compile(keras.optimizers.SGD(InfiniteFromTheThirdStep()))
    with pytest.raises(ValueError, match="no longer finite"):
        fit(model, pairs, BackupAndResume(path, pairs, 1))
    with h5py.File(path) as file:
        state = json.loads(file["backup_and_resume"].attrs["state"])
    assert state["epoch"] == 0 and state["data"]["next_batch"] % BATCHES == 2
