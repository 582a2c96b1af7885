"""Settings of a training: checked by name, type and sense before any work."""

import dataclasses

import keras
import numpy as np
import pytest

from keras_indi.data import degradations
from keras_indi.training import TrainingConfig
from keras_indi.training.training_config import read_settings
from keras_indi.training.training_run import build_degradation

pytestmark = pytest.mark.backend_free

LEAST = {"output": "run", "clean": "clean", "degradation": "gaussian_noise"}


def test_a_file_of_it_gives_the_same(tmp_path):
    config = TrainingConfig.from_dict(
        {
            **LEAST,
            "degradation": {"name": "jpeg_compression", "quality": [10, 50]},
            "noise_schedule": 0.01,
            "learning_rate": 3e-4,
            "ema_momentum": None,
            "tensorboard": True,
        }
    )
    config.save(tmp_path / "new" / "config.yaml")
    again = TrainingConfig.from_dict(read_settings(tmp_path / "new" / "config.yaml"))
    assert again == config
    fields = [field.name for field in dataclasses.fields(TrainingConfig)]
    assert list(read_settings(tmp_path / "new" / "config.yaml")) == fields


def test_numbers_as_people_write_them_in_yaml(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        "output: run\nclean: c\ndegraded: d\n"
        "learning_rate: 1e-3\nnoise_schedule: 1e-2\nnoise_unit: paper\n"
    )
    config = TrainingConfig.from_dict(read_settings(path))
    assert config.learning_rate == 1e-3 and config.noise_schedule == 1e-2


def test_arrays_are_the_lists_that_a_file_holds(tmp_path):
    config = TrainingConfig(
        output="run",
        clean="clean",
        degradation={"name": "jpeg_compression", "quality": np.array([10, 50])},
        network={"base_channels": np.int64(4), "channel_multipliers": (np.int32(1), 2)},
        batches=np.int64(3),
    )
    config.save(tmp_path / "train.yaml")
    found = TrainingConfig.from_dict(read_settings(tmp_path / "train.yaml"))
    assert found.degradation["quality"] == config.degradation["quality"] == [10, 50]
    assert found.network == {"base_channels": 4, "channel_multipliers": [1, 2]}
    assert found.batches == config.batches == 3


def test_a_file_of_version_0_1_is_read(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("out: run\nclean: c\nsteps: 40\nsteps_per_epoch: 20\n")
    assert read_settings(path) == {
        "output": "run",
        "clean": "c",
        "batches": 40,
        "batches_per_epoch": 20,
    }
    for old, new in (("steps", "batches"), ("out", "output")):
        with pytest.raises(ValueError, match=f"Did you mean '{new}'.*Received: {old}"):
            TrainingConfig.from_dict({**LEAST, old: 1})
    path.write_text("output: run\nclean: c\nsteps: 40\nbatches: 80\n")
    with pytest.raises(ValueError, match="`steps` is the old name of `batches`"):
        read_settings(path)


BROWNIAN = "{class_name: keras_indi>BrownianNoise, config: {eps: 0.04}}"


@pytest.mark.parametrize(
    "noise, paper, range_fraction, doubled",
    [
        ("0.01", "1.275", "2.55", "`noise_schedule: 0.02`"),
        ("1e-2", "1.275", "2.55", "`noise_schedule: 0.02`"),
        ("brownian", "1.275", "2.55", "twice the eps"),
        (BROWNIAN, "5.1", "10.2", "twice the eps"),
    ],
)
def test_noise_without_its_unit_is_refused(
    noise, paper, range_fraction, doubled, tmp_path
):
    path = tmp_path / "config.yaml"
    path.write_text(f"output: run\nclean: c\nnoise_schedule: {noise}\n")
    with pytest.raises(ValueError) as error:
        read_settings(path)
    message = str(error.value)
    assert f"{range_fraction} grey levels of 255" in message
    assert f"{paper} grey levels" in message and doubled in message
    assert "`noise_unit: paper`" in message and "Received: noise_schedule=" in message


@pytest.mark.parametrize("noise", ["0", "0.0", "null"])
def test_no_noise_needs_no_unit(noise, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(f"output: run\nclean: c\nnoise_schedule: {noise}\n")
    assert not read_settings(path)["noise_schedule"]


def test_there_is_one_unit():
    assert TrainingConfig(**LEAST, noise_schedule=0.01).noise_unit == "paper"
    with pytest.raises(ValueError, match="noise_unit='range'"):
        TrainingConfig(**LEAST, noise_unit="range")


def test_an_epoch_is_no_longer_than_the_training():
    assert TrainingConfig(**LEAST, batches=40).batches_per_epoch == 40
    assert TrainingConfig(**LEAST).batches_per_epoch == 250


def test_unknown_names_name_the_known():
    with pytest.raises(ValueError) as error:
        TrainingConfig.from_dict({**LEAST, "batchsize": 8})
    message = str(error.value)
    assert message.endswith("Received: batchsize")
    assert "Did you mean 'batch_size'?" in message and "ema_momentum" in message


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"batches": 0}, "batches=0"),
        ({"batches": "many"}, "batches='many'"),
        ({"batches": 1.5}, "batches=1.5"),
        ({"batches": True}, "batches=True"),
        ({"batch_size": None}, "batch_size=None"),
        ({"learning_rate": -1}, "learning_rate=-1"),
        ({"global_clipnorm": 0}, "global_clipnorm=0"),
        ({"ema_momentum": 1}, "ema_momentum=1"),
        ({"own_states": 1.5}, "own_states=1.5"),
        ({"own_states": "all"}, "own_states='all'"),
        ({"learning_rate_schedule": "linear"}, "learning_rate_schedule='linear'"),
        ({"optimizer": "sgd"}, "'adam'.*'muon'.*Received: optimizer='sgd'"),
        ({"dtype": "float16"}, "dtype='float16'"),
        ({"seed": -1}, "seed=-1"),
        ({"tensorboard": "yes"}, "tensorboard='yes'"),
        ({"degraded": "noisy"}, r"\['degraded', 'degradation'\]"),
        ({"degradation": None}, "Received: neither"),
        ({"preset": "p", "network": {}}, "preset='p'"),
        ({"output": None}, "requires `output`"),
        ({"validation_degraded": "v"}, "validation_degraded='v'"),
        (
            {"degradation": None, "degraded": "d", "validation_clean": "v"},
            "pass `validation_degraded` too",
        ),
    ],
)
def test_settings_that_are_not_valid(settings, message):
    with pytest.raises(ValueError, match=message):
        TrainingConfig.from_dict({**LEAST, **settings})


@pytest.mark.parametrize(
    "settings, optimizer, rate",
    [
        ({}, "muon", 1e-3),
        ({"learning_rate": 2e-4}, "muon", 2e-4),
        ({"optimizer": "adam"}, "adam", 1e-4),
        ({"preset": "jpeg"}, "adam", 1e-4),
        ({"preset": "jpeg", "optimizer": "muon"}, "muon", 1e-3),
    ],
)
def test_a_new_network_learns_by_muon_and_a_preset_by_adam(settings, optimizer, rate):
    config = TrainingConfig.from_dict({**LEAST, **settings})
    assert (config.optimizer, config.learning_rate) == (optimizer, rate)


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [1\n", "just text"])
def test_files_that_hold_no_settings(text, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match="Received: "):
        read_settings(path)


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf"])
def test_numbers_that_are_not_finite_are_refused(value, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(f"learning_rate: {value}\n")
    with pytest.raises(ValueError, match="finite.*Received: "):
        TrainingConfig.from_dict({**LEAST, **read_settings(path)})


def test_aliases_that_multiply_are_refused(tmp_path):
    path = tmp_path / "config.yaml"
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for n in range(1, 30):
        lines.append(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]")
    path.write_text("\n".join(lines))  # of 9 ** 30 values where it is written out
    with pytest.raises(ValueError, match="may hold 10000 values.*Received: path="):
        read_settings(path)
    path.write_text("a: &a [*a]\n")
    with pytest.raises(ValueError, match="must not contain itself.*Received: path="):
        read_settings(path)
    path.write_text("network: &n {patch_size: 2}\nof_teacher: *n\n")
    assert read_settings(path)["of_teacher"] == {"patch_size": 2}


def test_a_file_that_is_not_utf_8_is_named(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_bytes(b"output: caf\xe9\n")
    with pytest.raises(ValueError, match="UTF-8.*config.yaml"):
        read_settings(path)


def test_yaml_runs_no_code(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(f"out: !!python/object/apply:os.mkdir ['{tmp_path}/made']\n")
    with pytest.raises(ValueError, match="Not valid YAML"):
        read_settings(path)
    assert not (tmp_path / "made").exists()


@keras.saving.register_keras_serializable(package="tests")
class Fade(degradations.Degradation):
    def __init__(self, share=0.5):
        self.share = share

    def apply(self, image, generator):
        return (1 - self.share) * image


def test_degradations_as_a_file_describes_them():
    assert build_degradation("tests>Fade") == Fade()
    assert build_degradation({"name": "tests>Fade", "share": 0.2}) == Fade(0.2)
    for name in ("mine>Fade", "keras_indi>UniformTime", None):
        with pytest.raises(ValueError, match="registered name.*Received: name="):
            build_degradation({"name": name})
    assert build_degradation(None) is None
    jpeg = build_degradation({"name": "jpeg_compression", "quality": [10, 50]})
    assert jpeg == degradations.JPEGCompression((10, 50))
    both = build_degradation([{"name": "gaussian_noise", "sigma": 5}, "downsample"])
    assert both == degradations.Compose(
        [degradations.GaussianNoise(5), degradations.Downsample()]
    )
    stored = {"name": "downsample", "factor": 4, "degradation": {"name": "noise"}}
    with pytest.raises(ValueError, match="gaussian_noise.*name='noise'"):
        build_degradation(stored)
    stored["degradation"] = {"name": "jpeg_compression", "quality": [60, 98]}
    assert build_degradation(stored) == degradations.Downsample(
        4, degradation=degradations.JPEGCompression((60, 98))
    )
    with pytest.raises(ValueError, match="gaussian_noise.*name='noise'"):
        build_degradation({"name": "noise"})
    with pytest.raises(ValueError, match="Not arguments of gaussian_noise"):
        build_degradation({"name": "gaussian_noise", "strength": 3})
