"""What a training has learned is not lost, however it ends."""

import errno
import json
import os
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image
from training.short_training import short_training

import keras_indi
from keras_indi.images.folder_lock import locked_folder
from keras_indi.models import InDI
from keras_indi.training import TrainingConfig, train, training_run
from keras_indi.training.stop_after import StopAfter

pytestmark = pytest.mark.slow  # each trains several times


@pytest.fixture(autouse=True, scope="module")
def _eagerly():
    """Traces no steps on TensorFlow, which takes longer than these few of them."""
    if keras.config.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


class Death(BaseException):
    """The end of the process, as it were."""


@pytest.fixture
def config(tmp_path):
    """A training of seconds, with a backup after the fourth of five batches."""
    return TrainingConfig(**short_training(tmp_path))


@pytest.fixture
def output(tmp_path):
    return tmp_path / "run"


def never(*arguments, **options):
    raise AssertionError("The training has begun.")


def make_foreign_preset(output):
    (output / "preset").mkdir(parents=True)
    (output / "preset" / "config.json").write_text('{"model_type": "bert"}')


def make_file(name):
    def make(output):
        (output / name).parent.mkdir(exist_ok=True)
        (output / name).write_text("mine")

    return make


def make_folder(name):
    return lambda output: (output / name).mkdir(parents=True)


@pytest.mark.parametrize(
    "make, message",
    [
        (make_foreign_preset, "new or empty folder.*preset"),
        (make_file("preset"), "new or empty folder.*preset"),
        (make_file("previews"), "another kind.*previews"),
        (make_folder("restorer.keras"), "another kind.*restorer.keras"),
        (make_folder("backup.weights.h5"), "another kind.*backup"),
        (make_folder("training.csv"), "another kind.*training.csv"),
        (make_file("."), "must be a folder.*Received: output="),
        (make_file("training.csv"), "log of epochs.*training.csv"),
    ],
)
def test_what_can_be_refused_is_refused_before_the_first_step(
    make, message, config, output, monkeypatch
):
    if message.startswith("must be a folder"):
        output.write_text("mine")
    else:
        make(output)
    monkeypatch.setattr(StopAfter, "on_epoch_begin", never)
    with pytest.raises(ValueError, match=message):
        train(config, verbose=0)
    assert output.is_file() or not (output / "backup.weights.h5").is_file()


@pytest.mark.skipif(os.name != "posix" or not hasattr(os, "geteuid"), reason="rights")
@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root may write")
def test_a_folder_without_rights_is_refused_before_the_first_step(
    config, output, monkeypatch
):
    output.mkdir(mode=0o500)
    monkeypatch.setattr(StopAfter, "on_epoch_begin", never)
    with pytest.raises(OSError, match="Permission denied"):
        train(config, verbose=0)


def test_a_full_disk_is_met_before_the_first_step(config, monkeypatch):
    def full(file):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr(StopAfter, "on_epoch_begin", never)
    with pytest.raises(OSError, match="No space left"):
        train(config, verbose=0)


def breaks_off(*arguments, **options):
    raise Death


def is_full(*arguments, **options):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    "owner, name, end",
    [
        (InDI, "save_to_preset", is_full),
        (InDI, "from_preset", breaks_off),
        (InDI, "save", is_full),
        (keras.saving, "load_model", breaks_off),
        (training_run.BackupAndResume, "remove", breaks_off),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_breaks_off_at_the_end_finishes_the_next_time(
    owner, name, end, config, output, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, end)
        with pytest.raises((Death, OSError)):
            train(config, verbose=0)
    assert (output / "backup.weights.h5").is_file()
    assert (output / "restorer.keras").exists() == (name == "remove")
    path = train(config, verbose=0)
    assert not (output / "backup.weights.h5").exists()
    model = keras.saving.load_model(path)
    assert int(model.optimizer.iterations) == 5
    preset = InDI.from_preset(output / "preset")
    for one, other in zip(model.get_weights(), preset.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not [p for p in output.rglob(".*")]


def test_what_cannot_be_read_back_replaces_nothing(config, output, monkeypatch):
    def save(self, path, plain=InDI.save):
        self.backbone.set_weights([w + 1 for w in self.backbone.get_weights()])
        plain(self, path)
        self.backbone.set_weights([w - 2 for w in self.backbone.get_weights()])

    with monkeypatch.context() as patch:
        patch.setattr(InDI, "save", save)
        with pytest.raises(OSError, match="read back differs.*restorer.keras"):
            train(config, verbose=0)
    assert (output / "backup.weights.h5").is_file()
    assert not (output / "restorer.keras").exists()
    assert train(config, verbose=0).is_file()


@pytest.mark.parametrize("batch", [3, 4])
def test_weights_that_are_not_finite_end_it_and_the_state_stays(
    batch, config, output, monkeypatch
):
    config.ema_momentum = None  # an average outlives one step
    steps = iter(range(100))

    def poison(self, number, logs=None, plain=StopAfter.on_train_batch_end):
        plain(self, number, logs)
        if next(steps) == batch:
            weight = self.model.backbone.weights[0]
            weight.assign(np.full(weight.shape, np.nan))

    with monkeypatch.context() as patch:
        patch.setattr(StopAfter, "on_train_batch_end", poison)
        with pytest.raises(
            ValueError, match="no longer finite.*lower learning rate.*nan"
        ):
            train(config, verbose=0)
    assert not (output / "restorer.keras").exists()
    assert not (output / "preset").exists()
    assert (output / "backup.weights.h5").exists()
    # Of finite weights, so that it can go on.
    model = keras.saving.load_model(train(config, verbose=0))
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


KILLED = """
import os, signal, sys
from keras_indi.images import whole_writes
from keras_indi.training import TrainingConfig, train
from keras_indi.training.training_config import read_settings

plain = os.replace

def replace(source, target):
    if str(target).endswith(sys.argv[2]) and sys.argv[3] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    plain(source, target)
    if str(target).endswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

os.replace = replace
train(TrainingConfig.from_dict(read_settings(sys.argv[1])), verbose=0)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills a process")
@pytest.mark.parametrize(
    "name, moment", [("preset", "after"), ("restorer.keras", "before")]
)
def test_a_process_killed_at_the_end_goes_on(name, moment, config, output, tmp_path):
    config.save(tmp_path / "train.yaml")
    arguments = [str(tmp_path / "train.yaml"), name, moment]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.run([sys.executable, "-c", KILLED, *arguments], env=environ)
    assert process.returncode == -signal.SIGKILL
    assert (output / "backup.weights.h5").is_file()
    path = train(config, verbose=0)
    assert int(keras.saving.load_model(path).optimizer.iterations) == 5
    assert sorted(entry.name for entry in output.iterdir()) == [
        "config.yaml",
        "images.json",
        "preset",
        "restorer.keras",
        "training.csv",
    ]


# === Other images, other processes ===


def interrupted(config, monkeypatch):
    """Breaks the training off at the end of its second epoch."""
    with monkeypatch.context() as patch:
        patch.setattr(keras_indi.callbacks.EpochLog, "on_epoch_end", dies_later())
        with pytest.raises(Death):
            train(config, verbose=0)


def dies_later(plain=keras_indi.callbacks.EpochLog.on_epoch_end):
    def on_epoch_end(self, epoch, logs=None):
        plain(self, epoch, logs)
        if epoch == 1:
            raise Death

    return on_epoch_end


def enlarge(folder):
    image = Image.open(folder / "1.png").resize((40, 40))
    image.save(folder / "1.png")


def rename(folder):
    for side in (folder, folder.with_name("degraded")):
        (side / "1.png").rename(side / "4.png")


@pytest.mark.parametrize("change", [enlarge, rename])
def test_a_training_whose_images_were_replaced_is_refused(
    change, config, tmp_path, monkeypatch
):
    interrupted(config, monkeypatch)
    change(tmp_path / "clean")
    with pytest.raises(ValueError, match="not those that the training began with"):
        train(config, verbose=0)


def test_so_is_one_whose_validation_images_were(config, output, tmp_path, monkeypatch):
    for side in ("clean", "degraded"):
        (tmp_path / f"held_out_{side}").mkdir()
        path = tmp_path / f"held_out_{side}" / "1.png"
        path.write_bytes((tmp_path / side / "1.png").read_bytes())
        setattr(config, f"validation_{side}", str(path.parent))
    interrupted(config, monkeypatch)
    enlarge(tmp_path / "held_out_clean")
    enlarge(tmp_path / "held_out_degraded")
    with pytest.raises(ValueError, match="not those that the training began with"):
        train(config, verbose=0)
    (output / "images.json").write_text("{")
    with pytest.raises(ValueError, match="images is damaged; remove it.*images.json"):
        train(config, verbose=0)


def test_each_epoch_stands_in_the_log_once(config, output, monkeypatch):
    interrupted(config, monkeypatch)
    interrupted(config, monkeypatch)
    text = (output / "training.csv").read_text()
    assert [line.split(",")[0] for line in text.splitlines()] == ["epoch", "0", "1"]
    (output / "training.csv").write_text(text[:-4])  # torn
    train(config, verbose=0)
    lines = (output / "training.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["epoch", "0", "1", "2"]


def test_a_folder_that_a_process_trains_in_is_refused(config, output):
    with locked_folder(output, "output"):
        with pytest.raises(ValueError, match=f"process {os.getpid()} on .*output='"):
            train(config, verbose=0)
    assert train(config, verbose=0).is_file()


def test_settings_that_cannot_be_read_are_named(config, output):
    output.mkdir()
    (output / "config.yaml").write_text("output: [")
    with pytest.raises(ValueError, match="cannot be read.*config.yaml"):
        train(config, verbose=0)


def test_the_images_file_knows_both_sets(config, output):
    train(config, verbose=0)
    found = json.loads((output / "images.json").read_text())
    assert list(found) == ["training"] and found["training"]["batches"] == 2
