"""What is no preset, and what a preset may not do: refused before anything is built."""

import json
import os
import pickle
import resource
import shutil

import h5py
import keras
import numpy as np
import pytest
from campaigns.preset_fuzzing import fuzz
from helpers import tiny_unet

import keras_indi
from keras_indi.models import InDI, UNetBackbone
from keras_indi.presets import card, read_metadata
from keras_indi.presets.safety import OWN_CLASSES, check_config

pytestmark = pytest.mark.backend_free


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("presets") / "tiny"
    return InDI(tiny_unet()).save_to_preset(folder)


@pytest.fixture
def preset(sound, tmp_path):
    """A preset of one's own, to be damaged."""
    return shutil.copytree(sound, tmp_path / "damaged")


def change(folder, name, edit):
    """Edits a preset's JSON in place, as a maker with ill intent may."""
    content = json.loads((folder / name).read_text())
    edit(content)
    (folder / name).write_text(json.dumps(content))


# === What is no preset ===


@pytest.mark.parametrize("kind", ["nowhere", "itself", "folder", "pipe"])
def test_settings_that_are_there_and_no_file_are_not_passed_over(preset, kind):
    task = preset / "task.json"
    task.unlink()
    if kind == "folder":
        task.mkdir()
    elif kind == "pipe":
        os.mkfifo(task)
    else:
        task.symlink_to(task.name if kind == "itself" else "nowhere")
    with pytest.raises(ValueError, match="task.json must be a file"):
        InDI.from_preset(preset)


@pytest.mark.parametrize("load", [InDI.from_preset, UNetBackbone.from_preset, card])
def test_what_is_no_preset(tmp_path, load):
    (tmp_path / "empty").mkdir()
    (tmp_path / "model.keras").write_bytes(b"")
    for handle, told in [
        ("indi_large_nothing", "No preset has this name"),
        ("", "lacks"),  # the current folder
        ("s3://bucket/preset", "No preset has this name"),
        ("https://example.org/preset", "No preset has this name"),
        (str(tmp_path / "missing"), "No preset has this name"),
        (tmp_path / "empty", "lacks config.json and metadata.json"),
        (tmp_path / "model.keras", r"`keras.saving.load_model\(path\)`"),
        (None, "No preset has this name"),
        (5, "No preset has this name"),
    ]:
        with pytest.raises(ValueError, match=told) as caught:
            load(handle)
        text = str(caught.value)
        for form in ("indi_jpeg_q15", "local folder", "hf://", "kaggle://", "gs://"):
            assert form in text
        assert text.endswith(f"Received: preset={handle!r}")


def test_a_name_does_not_lead_out_of_the_shipped_presets(sound, monkeypatch):
    monkeypatch.chdir(sound.parent)
    assert read_metadata("tiny")["parameter_count"]  # a folder here
    with pytest.raises(ValueError, match="No preset has this name"):
        read_metadata("indi_jpeg_q15/../nothing")


@pytest.mark.parametrize("name", ["config.json", "task.json", "metadata.json"])
def test_files_that_are_not_what_they_should_be(preset, name):
    nested = b"[" * 100_000
    for content in (b"", b"{", b"[]", b'"text"', b"\xff\xfe", nested):
        (preset / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name} must .*Received: "):
            InDI.from_preset(preset)


def test_a_config_of_another_library(preset):
    (preset / "config.json").write_text('{"model_type": "bert", "hidden_size": 768}')
    with pytest.raises(ValueError, match="another library, has .*'model_type'"):
        InDI.from_preset(preset)


def test_two_configs_that_differ(preset):
    change(preset, "config.json", lambda c: c["config"].update(blocks_per_level=2))
    with pytest.raises(ValueError, match="must describe the same backbone"):
        InDI.from_preset(preset)


# === Configs that would run code ===

LAMBDA = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "registered_name": None,
    "config": {
        "name": "evil",
        "function": {"class_name": "__lambda__", "config": {"value": ["4wAAAA==\n"]}},
    },
}
HOSTILE = {
    "lambda layer": LAMBDA,
    "lambda": {"class_name": "__lambda__", "config": {"value": ["4wAAAA==\n"]}},
    "old lambda": {"class_name": "Lambda", "config": {"function": ["4wAA", None]}},
    "module": {"module": "os", "class_name": "system", "config": {"command": "x"}},
    "subprocess": {
        "module": "subprocess",
        "class_name": "Popen",
        "config": {"args": ["touch", "evil"]},
        "registered_name": None,
    },
    "function": {
        "module": "os",
        "class_name": "function",
        "config": "system",
        "registered_name": "system",
    },
    "keras function": {
        "module": "keras.utils",
        "class_name": "function",
        "config": "get_file",
        "registered_name": "get_file",
    },
    "saved model": {
        "module": "keras.layers",
        "class_name": "TFSMLayer",
        "config": {"filepath": "evil"},
        "registered_name": None,
    },
    "pickled module": {
        "module": "keras.layers",
        "class_name": "TorchModuleWrapper",
        "config": {"module": "gASV"},
        "registered_name": None,
    },
    "file reader": {
        "module": "keras.layers",
        "class_name": "StringLookup",
        "config": {"vocabulary": "/etc/passwd"},
        "registered_name": None,
    },
    "keras by another path": {
        "module": "keras",
        "class_name": "layers.Lambda",
        "config": {},
        "registered_name": None,
    },
    "internals": {
        "module": "keras.src.utils.file_utils",
        "class_name": "FileLock",
        "config": {},
        "registered_name": None,
    },
    "sibling": {"module": "keras_cv.layers", "class_name": "MixUp", "config": {}},
    "typespec": {
        "module": "os",
        "class_name": "__typespec__",
        "spec_name": "system",
        "registered_name": None,
        "config": ["x"],
    },
    "callback": {
        "module": "keras.callbacks",
        "class_name": "BackupAndRestore",
        "config": {"backup_dir": "evil"},
        "registered_name": None,
    },
    "unregistered": {
        "module": "theirs",
        "class_name": "Network",
        "config": {},
        "registered_name": "theirs>Network",
    },
    "own file reader": {
        "module": "keras_indi.metrics",
        "class_name": "LPIPS",
        "config": {"weights": "/etc/passwd"},
        "registered_name": "keras_indi>LPIPS",
    },
    "own file reader by its registered name alone": {
        "class_name": "keras_indi>LPIPS",
        "config": {"weights": "/etc/passwd"},
    },
    "own download": {
        "module": "keras_indi.metrics",
        "class_name": "InceptionV3Features",
        "config": {"dimensions": 2048},
        "registered_name": "keras_indi>InceptionV3Features",
    },
    "own optimizer": {
        "module": "keras_indi.models",
        "class_name": "AveragedAdam",
        "config": {},
        "registered_name": "keras_indi>AveragedAdam",
    },
    "no name": {"module": "keras.layers", "class_name": ["Dense"], "config": {}},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_configs(preset, name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    called = []
    monkeypatch.setattr(
        keras.saving, "deserialize_keras_object", lambda *a, **k: called.append(a)
    )
    message = "names `.*which a preset may not.*Received: preset="
    part = HOSTILE[name]

    # As the backbone, deep inside it, and in the restorer.
    backbone = part if isinstance(part["config"], dict) else {**part, "config": {}}
    (preset / "config.json").write_text(json.dumps(backbone))
    wanted = message
    if not isinstance(part["class_name"], str):
        wanted = "must be what `keras.saving"
    with pytest.raises(ValueError, match=wanted):
        UNetBackbone.from_preset(preset)
    change(
        preset,
        "task.json",
        lambda c: c["config"].update(noise_schedule=[{"deep": [part]}]),
    )
    for content in (None, "task"):
        if content:
            good = json.loads((preset / "task.json").read_text())["config"]["backbone"]
            (preset / "config.json").write_text(json.dumps(good))
        with pytest.raises(ValueError, match=wanted if not content else message):
            InDI.from_preset(preset)
    assert not called and not os.path.exists("evil")


@pytest.mark.parametrize("name", ["LPIPS", "InceptionV3Features"])
def test_a_name_alone_is_checked_too(preset, name, monkeypatch):
    found = keras.saving.get_registered_object(f"keras_indi>{name}")
    monkeypatch.setattr(found, "__init__", lambda *a, **k: pytest.fail("built"))
    change(
        preset,
        "task.json",
        lambda c: c["config"].update(noise_schedule=f"keras_indi>{name}"),
    )
    with pytest.raises(ValueError, match=f"names `keras_indi>{name}`, which a preset"):
        InDI.from_preset(preset)
    dense = {"class_name": "Dense", "module": "keras.layers", "registered_name": None}
    dense["config"] = {"units": 1, "kernel_initializer": f"keras_indi>{name}"}
    with pytest.raises(ValueError, match=f"names `keras_indi>{name}`, which a preset"):
        check_config(dense, "config.json", "own")
    # Keras looks for a function's name among all that is registered.
    function = {"class_name": "function", "module": "builtins", "config": name}
    dense["config"]["kernel_initializer"] = function
    for function["config"] in (name, f"keras_indi>{name}"):
        with pytest.raises(ValueError, match=f"names `.*{name}`, which a preset may"):
            check_config(dense, "config.json", "own")


def test_what_of_this_package_may_be_named():
    registered = {
        name: found
        for name, found in keras.saving.get_custom_objects().items()
        if name.startswith("keras_indi>")
    }
    refused = {
        "AveragedAdam",
        "AveragedMuon",
        "InceptionV3Features",
        "LPIPS",
        "PSNR",
        "PerImageLoss",
        "Protocol",
        "SSIM",
    }
    assert registered.keys() - OWN_CLASSES == {f"keras_indi>{name}" for name in refused}
    for name in registered.keys() & OWN_CLASSES:
        check_config({"class_name": name, "config": {}}, "task.json", "own")


def test_a_lambda_that_keras_saved(preset):
    (preset / "task.json").unlink()
    network = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x)])
    config = keras.saving.serialize_keras_object(network)
    (preset / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"names `keras.layers.Lambda`"):
        InDI.from_preset(preset)


def test_no_optimizer_comes_with_a_preset(preset):
    for name in ("config.json", "task.json"):
        change(preset, name, lambda c: c.update(compile_config={"optimizer": "sgd"}))
    change(
        preset,
        "task.json",
        lambda c: c["config"]["backbone"].pop("compile_config", None),
    )
    assert not InDI.from_preset(preset).compiled
    assert not UNetBackbone.from_preset(preset).compiled


def test_what_could_not_be_loaded_is_not_saved(tmp_path):
    images, times = keras.Input((None, None, 3)), keras.Input(())
    estimate = keras.layers.Lambda(lambda x: 2 * x, output_shape=(None, None, 3))
    network = keras.Model({"images": images, "times": times}, estimate(images))
    with pytest.raises(ValueError, match=r"names `keras.layers.Lambda`"):
        InDI(network).save_to_preset(tmp_path / "lambda")
    assert os.listdir(tmp_path) == []


@keras.saving.register_keras_serializable(package="tests")
class Registered(keras_indi.schedules.NoiseSchedule):
    """A schedule of a user's own."""

    def level(self, times):
        return 0.1 + 0 * times


def test_what_is_registered_may_be_named(tmp_path):
    folder = InDI(tiny_unet(), noise_schedule=Registered()).save_to_preset(
        tmp_path / "own"
    )
    assert InDI.from_preset(folder).noise_schedule == Registered()
    change(
        folder,
        "task.json",
        lambda c: c["config"]["noise_schedule"].update(registered_name="tests>Gone"),
    )
    with pytest.raises(ValueError, match="`tests>Gone`.*import the module"):
        InDI.from_preset(folder)


def test_plain_keras_may_be_named():
    images = keras.Input((None, None, 3), name="images")
    x = keras.layers.Conv2D(4, 3, activation="relu", kernel_regularizer="l2")(images)
    x = keras.layers.BatchNormalization(dtype="mixed_bfloat16")(x)
    x = keras.ops.image.resize(keras.ops.tanh(x) * 2 + 1, (8, 8))
    x = keras.layers.Dropout(0.1, seed=1)(x)
    network = keras.Model(images, keras.layers.Dense(3, activation=keras.ops.relu)(x))
    config = keras.saving.serialize_keras_object(network)
    check_config(json.loads(json.dumps(config)), "config.json", "own")


# === Weights ===


def with_checksum(folder):
    """Makes the metadata tell the checksum of what is there."""
    from keras_indi.presets.weights import checksum

    change(
        folder,
        "metadata.json",
        lambda c: c.update(weights_sha256=checksum(folder / "model.weights.h5")),
    )


def test_damaged_weights(preset):
    path = preset / "model.weights.h5"
    whole = path.read_bytes()
    for content in (whole[:-1], whole[:1000] + b"x" + whole[1001:], b""):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="damaged.*SHA-256 must be.*Received: "):
            InDI.from_preset(preset)
        assert InDI.from_preset(preset, load_weights=False)
    path.unlink()
    with pytest.raises(ValueError, match="model.weights.h5 is missing"):
        InDI.from_preset(preset)
    path.write_bytes(whole)
    change(preset, "metadata.json", lambda c: c.pop("weights_sha256"))
    with pytest.raises(ValueError, match="SHA-256 must be None"):
        InDI.from_preset(preset)


def test_pickles_are_not_weights(preset, tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "evil"), "w"))

    (preset / "model.weights.h5").write_bytes(pickle.dumps(Evil()))
    with_checksum(preset)
    with pytest.raises(ValueError, match="not a readable HDF5 file"):
        InDI.from_preset(preset)
    assert not (tmp_path / "evil").exists()


def _external_link(file):
    file["layers/more"] = h5py.ExternalLink("/etc/passwd", "/")


def _soft_link(file):
    del file["layers/fast_conv2d/vars/1"]
    file["layers/fast_conv2d/vars/1"] = h5py.SoftLink("/layers/fast_conv2d_1/vars/1")


def _external_data(file):
    shape = file["layers/fast_conv2d/vars/1"].shape
    del file["layers/fast_conv2d/vars/1"]
    file["layers/fast_conv2d/vars"].create_dataset(
        "1", shape, "f4", external=[("/etc/passwd", 0, 16)]
    )


def _virtual_data(file):
    shape = file["layers/fast_conv2d/vars/1"].shape
    del file["layers/fast_conv2d/vars/1"]
    layout = h5py.VirtualLayout(shape, "f4")
    layout[:] = h5py.VirtualSource("other.h5", "data", shape)
    file["layers/fast_conv2d/vars"].create_virtual_dataset("1", layout)


def _cycle(file):
    file["layers/again"] = file["layers"]


def _text(file):
    del file["layers/fast_conv2d/vars/1"]
    file["layers/fast_conv2d/vars/1"] = ["a", "b", "c", "d"]


def _more(file):
    file["layers/more/vars/0"] = np.zeros(3)


def _less(file):
    del file["layers/fast_conv2d"]


def _another_shape(file):
    del file["layers/fast_conv2d/vars/1"]
    file["layers/fast_conv2d/vars/1"] = np.zeros(5)


def _huge(file):
    del file["layers/fast_conv2d/vars/1"]
    file["layers/fast_conv2d/vars"].create_dataset("1", (2**40,), "f4", chunks=True)


def _compressed(file):
    del file["layers/fast_conv2d/vars/1"]
    file["layers/fast_conv2d/vars"].create_dataset(
        "1", data=np.zeros(4, "f4"), chunks=(4,), compression="gzip"
    )
    assert file["layers/fast_conv2d/vars/1"].id.get_storage_size() < 16


def _not_a_number(file):
    file["layers/fast_conv2d/vars/1"][2] = np.nan


def _names_exchanged(file):
    file["layers/other/vars/0"] = file["layers/fast_conv2d/vars/0"][...]
    del file["layers/fast_conv2d/vars/0"]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (_external_link, "`/layers/more` is a link"),
        (_soft_link, "vars/1` is a link"),
        (_external_data, "vars/1` lies in another file"),
        (_virtual_data, "vars/1` lies in another file"),
        (_cycle, "more than once"),
        (_text, "holds no numbers"),
        (_more, r"has layers/more/vars/0 of shape \(3,\) beside"),
        (_less, r"lacks .*/kernel of shape .*; lacks .*/bias of shape"),
        (
            _another_shape,
            r"lacks .* of shape \(4,\); has .*vars/1 of shape \(5,\) beside",
        ),
        (_huge, "vars/1` is compressed or incomplete"),
        (_compressed, "vars/1` is compressed or incomplete"),
        (_not_a_number, "vars/1` has values that are not finite"),
        (_names_exchanged, "lacks layers/.*; has layers/other/vars/0 beside"),
    ],
)
def test_weights_of_another_kind(preset, damage, told, monkeypatch):
    with h5py.File(preset / "model.weights.h5", "a") as file:
        damage(file)
    with_checksum(preset)
    monkeypatch.setattr(
        UNetBackbone, "load_weights", lambda *a, **k: pytest.fail("assigned")
    )
    with pytest.raises(ValueError, match=f"{told}.*Received: preset="):
        InDI.from_preset(preset)
    with pytest.raises(ValueError, match=told):
        UNetBackbone.from_preset(preset)


# === What would take memory or time ===


def _network(**arguments):
    def edit(config):
        network = config["config"]
        network.get("backbone", {"config": network})["config"].update(arguments)

    return edit


@pytest.mark.parametrize(
    ("arguments", "told", "without_weights"),
    [
        # 11 billion weights in a file of some thousand.
        ({"base_channels": 2000}, "lacks .*of shape .*2000", "has at most .*param"),
        ({"base_channels": 10**12}, "lacks|cannot be built", "has at most|cannot be"),
        ({"blocks_per_level": 10**9}, "weights of .* arrays must", "at most 256 blo"),
        ({"blocks_per_level": [10**9]}, "weights of .* arrays must", "at most 256 blo"),
        (
            {"blocks_per_level": [1, "a"]},
            r"`blocks_per_level\[1\]` must",
            r"`blocks_per_level\[1\]` must",
        ),
        ({"image_channels": 10**9}, "lacks .*of shape .*1000000000", "has at most"),
        ({"patch_size": 10**6}, "lacks .*of shape", "has at most"),
    ],
)
def test_a_network_larger_than_its_weights(preset, arguments, told, without_weights):
    for name in ("config.json", "task.json"):
        change(preset, name, _network(**arguments))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for load in (InDI.from_preset, UNetBackbone.from_preset):
        with pytest.raises(ValueError, match=f"({told}).*Received: "):
            load(preset)
        with pytest.raises(ValueError, match=f"({without_weights}).*Received: "):
            load(preset, load_weights=False)
        # Nor is anything left that Keras makes up for later.
        with keras.StatelessScope():
            pass
        UNetBackbone(3, 4, (1, 2), 1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**18  # KiB


def test_a_graph_larger_than_its_weights(tmp_path):
    images = keras.Input((None, None, 3), name="images")
    network = keras.Model(images, keras.layers.Conv2D(3, 3, padding="same")(images))
    folder = InDI(network).save_to_preset(tmp_path / "graph")
    assert InDI.from_preset(folder).backbone.count_params() == 84

    def grow(config):
        config = config["config"].get("backbone", config)["config"]
        config["layers"][1]["config"].update(filters=10**9, kernel_size=[99, 99])

    for name in ("config.json", "task.json"):
        change(folder, name, grow)
    with pytest.raises(ValueError, match=r"lacks .*\(99, 99, 3, 1000000000\)"):
        InDI.from_preset(folder)


@pytest.mark.parametrize("num_steps", [10**12, 10**7])
def test_more_steps_than_there_are(preset, num_steps):
    change(
        preset,
        "task.json",
        lambda c: c["config"]["restore_defaults"].update(num_steps=num_steps),
    )
    with pytest.raises(ValueError, match="`num_steps` must be an integer .*1e\\+06"):
        InDI.from_preset(preset)


@pytest.mark.parametrize("digits", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("name", ["config.json", "task.json", "metadata.json"])
def test_numbers_that_are_not_finite(preset, name, digits):
    text = (preset / name).read_text()
    (preset / name).write_text(text.replace("{", f'{{"more": {digits},', 1))
    with pytest.raises(ValueError, match=f"{name} must be JSON.*finite.*Received: "):
        InDI.from_preset(preset)


def test_texts_are_not_read_without_end(preset):
    with open(preset / "config.json", "r+b") as file:
        file.truncate(2**34)  # of which the disk holds none
    with pytest.raises(ValueError, match="config.json must be of at most 16777216"):
        InDI.from_preset(preset)


def test_a_value_of_a_config_may_be_anything(preset):
    clear, unclear = fuzz(preset, InDI.from_preset, count=20)
    assert len(clear) > 10 and unclear == []


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("README.md", b"\xff\xfe card", "README.md must be text in UTF-8"),
        ("metadata.json", b'{"value_range": 5}', "metadata.json must be what"),
        ("metadata.json", b'{"training_data": [1]}', "metadata.json must be what"),
    ],
)
def test_cards_that_cannot_be_shown(preset, name, content, told):
    (preset / "README.md").unlink()
    (preset / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{told}.*Received: "):
        card(preset)


@pytest.mark.parametrize("qualities", [5, "ab", [1], [None, 3], [5, 1], [1, 10**9]])
def test_metadata_that_the_command_would_use(preset, qualities):
    change(preset, "metadata.json", lambda c: c.update(jpeg_quality=qualities))
    with pytest.raises(ValueError, match="`jpeg_quality` must be a pair"):
        read_metadata(preset)


# === Saving ===


def test_weights_that_do_not_fit_into_float16(tmp_path):
    unet = tiny_unet()
    unet.get_layer("stem").bias.assign([1e5, 0, 0, 0])
    with pytest.raises(ValueError, match="finite as float16.*weights_dtype='float16'"):
        unet.save_to_preset(tmp_path / "preset", weights_dtype="float16")
    assert os.listdir(tmp_path) == []
    with pytest.raises(ValueError, match="'float32', 'float16'.*'int8'"):
        unet.save_to_preset(tmp_path / "preset", weights_dtype="int8")
    unet.get_layer("stem").bias.assign([np.nan, 0, 0, 0])
    with pytest.raises(ValueError, match="finite as float32"):
        unet.save_to_preset(tmp_path / "preset")


def test_a_preset_is_replaced_but_for_a_card_written_by_hand(preset):
    old = read_metadata(preset)["weights_sha256"]
    (preset / "LICENSE").write_text("mine")
    tiny_unet(seed=3).save_to_preset(preset, {"task": "new"})
    assert "| task | new |" in card(preset)
    assert read_metadata(preset)["weights_sha256"] != old
    assert "task.json" not in os.listdir(preset)
    (preset / "README.md").write_text("# By hand\n")
    tiny_unet().save_to_preset(preset, {"task": "newer"}, save_weights=False)
    assert card(preset) == "# By hand\n"
    assert (preset / "LICENSE").read_text() == "mine"
    assert "model.weights.h5" not in os.listdir(preset)
    with pytest.raises(ValueError, match="without weights.*`load_weights=False`"):
        UNetBackbone.from_preset(preset)


def test_files_of_another_kind_are_not_replaced(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match=r"new or empty folder.*\['config.json'\]"):
        tiny_unet().save_to_preset(tmp_path)
    assert os.listdir(tmp_path) == ["config.json"]
    with pytest.raises(ValueError, match="new or empty folder"):
        tiny_unet().save_to_preset(tmp_path / "config.json")


def test_an_interrupted_save_leaves_no_preset(preset, monkeypatch):
    plain = os.replace

    def breaks_off(source, target):
        if str(target).endswith("config.json"):
            raise KeyboardInterrupt
        plain(source, target)

    monkeypatch.setattr(os, "replace", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        tiny_unet(seed=3).save_to_preset(preset)
    assert not [name for name in os.listdir(preset.parent) if "partial" in name]
    with pytest.raises(ValueError, match="lacks metadata.json"):
        UNetBackbone.from_preset(preset)
    # The same command completes it.
    monkeypatch.undo()
    tiny_unet(seed=3).save_to_preset(preset)
    UNetBackbone.from_preset(preset)
