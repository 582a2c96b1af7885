"""`export_model`: files that other runtimes run, equal to `restore`."""

import concurrent.futures
import errno
import json
import os
import subprocess
import sys
import tempfile
import threading
import types
import warnings

import keras
import numpy as np
import pytest
from helpers import small_network, smooth_images, tiny_unet, to_numpy
from PIL import Image, ImageCms

import keras_indi
from keras_indi.backend import conversion
from keras_indi.export import (
    export_model,
    exporting,
    formats,
    other_process,
    sampler_noise,
)
from keras_indi.models import ConditionalDDPM, InDI

ON_TENSORFLOW = keras.config.backend() == "tensorflow"
tensorflow_alone = pytest.mark.skipif(not ON_TENSORFLOW, reason="converts here")


def needs(*modules):
    for module in modules:
        pytest.importorskip(module, reason="needs the extras onnx and openvino")


def run_onnx(path, inputs):
    import onnxruntime

    return onnxruntime.InferenceSession(path).run(None, inputs)[0]


def run_openvino(path, inputs):
    import openvino

    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    return openvino.compile_model(path, "CPU", exact)(inputs)[0]


def run_litert(path, inputs):
    import tensorflow as tf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it moves to a package of its own
        run = tf.lite.Interpreter(str(path)).get_signature_runner()
    (result,) = run(**inputs).values()
    return result


def run_saved_model(path, inputs):
    import tensorflow as tf

    run = tf.saved_model.load(path).signatures["serving_default"]
    tensors = {name: tf.constant(array) for name, array in inputs.items()}
    (result,) = run(**tensors).values()
    return result.numpy()


FORMATS = {
    ".onnx": (run_onnx, ["tf2onnx", "onnxruntime"]),
    ".xml": (run_openvino, ["tf2onnx", "openvino"]),
    ".tflite": (run_litert, []),
    "": (run_saved_model, []),
}


def indi(network=None, **kwargs):
    network = tiny_unet(gain=0.3, condition_on_degraded=True)
    return InDI(network, noise_schedule=0.2, seed=0, **kwargs)


def assert_restores_alike(model, run, path, shapes, atol=0.0255, **arguments):
    """A file is as `restore`, for images of several shapes: 1e-4 of (0, 255)."""
    for count, *sizes in shapes:
        images = smooth_images(count, *sizes)
        noise = sampler_noise(model, *sizes, seed=1, num_images=count, **arguments)
        found = run(path, {"images": images, "noise": noise})
        expected = model.restore(images, seed=1, **arguments)
        np.testing.assert_allclose(found, expected, atol=atol)


@tensorflow_alone
@pytest.mark.parametrize("ending", FORMATS)
def test_samplers_in_each_format(tmp_path, ending):
    run, modules = FORMATS[ending]
    needs(*modules)
    model = indi(scale=2)
    path = export_model(model, tmp_path / f"restorer{ending}", num_steps=2)
    shapes = [(1, 6, 5), (3, 4, 4), (2, 1, 9)]
    assert_restores_alike(model, run, path, shapes, num_steps=2)
    beside = f"restorer{ending or '.saved_model'}.json"
    described = json.loads((tmp_path / beside).read_text())
    assert described["form"] == "sampler" and described["num_steps"] == 2
    assert described["value_range"] == [0, 255] and described["scale"] == 2
    assert described["size_multiple"] == 2 and described["sampler"] == "InDISampler()"
    assert described["receptive_field"] == model.receptive_field


@tensorflow_alone
@pytest.mark.parametrize(
    "model, arguments",
    [
        (indi(), {"num_steps": 2, "sampler": "heun", "time_grid": "cosine"}),
        (
            ConditionalDDPM(tiny_unet(gain=0.3, condition_on_degraded=True), seed=0),
            {"num_steps": 2, "sampler": "ancestral"},
        ),
    ],
    ids=["heun", "ancestral"],
)
def test_rules_in_onnx_that_ask_the_network_otherwise(tmp_path, model, arguments):
    needs(*FORMATS[".onnx"][1])
    path = export_model(model, tmp_path / "restorer.onnx", **arguments)
    assert_restores_alike(model, run_onnx, path, [(2, 5, 6)], **arguments)


@tensorflow_alone
def test_more_steps_convert_the_network_once(tmp_path, monkeypatch, capfd):
    needs(*FORMATS[".onnx"][1])
    model, calls = indi(), []
    call = keras.Model.__call__

    def counted(self, *args, **kwargs):
        calls.append(self is model.backbone)
        return call(self, *args, **kwargs)

    monkeypatch.setattr(keras.Model, "__call__", counted)
    counts = []
    for num_steps in (1, 3):
        calls.clear()
        path = tmp_path / f"{num_steps}.onnx"
        export_model(model, path, num_steps=num_steps)
        counts.append(sum(calls))
    assert counts[0] == counts[1] > 0
    # The converter has nothing to warn of.
    assert "infer" not in capfd.readouterr().err
    import onnx

    files = [onnx.load(tmp_path / f"{num_steps}.onnx") for num_steps in (1, 3)]
    # The steps share the weights, and every runtime knows the operators.
    kernels = [
        [t for t in file.graph.initializer if len(t.dims) == 4] for file in files
    ]
    assert len(kernels[0]) == len(kernels[1]) > 0
    for file in files:
        assert not file.functions
        assert not {entry.domain for entry in file.opset_import} - {"", "ai.onnx.ml"}


@tensorflow_alone
@pytest.mark.parametrize("ending", FORMATS)
def test_denoisers_in_each_format(tmp_path, ending):
    run, modules = FORMATS[ending]
    needs(*modules)
    model = indi()
    path = export_model(model, tmp_path / f"net{ending}", form="denoiser")
    for count, *sizes in [(1, 6, 4), (2, 4, 8), (3, 2, 2)]:
        images, degraded = smooth_images(2 * count, *sizes).reshape(2, count, *sizes, 3)
        times = np.linspace(1, 0.1, count, dtype="float32")
        inputs = {"images": images, "times": times, "degraded": degraded}
        expected = to_numpy(model(inputs))
        np.testing.assert_allclose(run(path, inputs), expected, atol=0.0255)


@pytest.mark.slow
def test_a_shipped_preset_from_each_backend(tmp_path):
    needs(*FORMATS[".onnx"][1])
    needs("tensorflow")
    path = export_model("jpeg", tmp_path / "jpeg.onnx", num_steps=2)
    model = keras_indi.load_restorer("jpeg", "float32")
    shapes = [(1, 24, 17), (2, 16, 16), (1, 9, 30)]
    assert_restores_alike(model, run_onnx, path, shapes, num_steps=2)

    import onnx

    properties = onnx.load(path).metadata_props
    found = {entry.key: entry.value for entry in properties}
    metadata = keras_indi.presets.read_metadata("jpeg")
    assert found["keras_indi.preset"] == "indi_small_jpeg"
    assert found["keras_indi.license"] == metadata["license"]
    assert json.loads(found["keras_indi.value_range"]) == [0, 255]
    assert found["keras_indi.receptive_field"] == str(model.receptive_field)
    assert sorted(os.listdir(tmp_path)) == [
        "jpeg.onnx",
        "jpeg.onnx.json",
        "jpeg.onnx.py",
    ]


@tensorflow_alone
@pytest.mark.parametrize("precision, most", [("float16", 0.3), ("int8", 8)])
def test_weights_are_stored_in_fewer_bytes(tmp_path, precision, most):
    needs(*FORMATS[".onnx"][1])
    network = tiny_unet(gain=0.3, base_channels=16)
    model = InDI(network, noise_schedule=0.2, seed=0)
    path = tmp_path / "restorer.onnx"
    export_model(model, path, num_steps=1, precision=precision)
    assert_restores_alike(model, run_onnx, path, [(1, 8, 6)], atol=most, num_steps=1)
    found = model.restore(smooth_images(1, 8, 6), num_steps=1, seed=1)
    assert np.abs(found - smooth_images(1, 8, 6)).max() > 2 * most  # it does more
    import onnx

    stored = onnx.load(path).graph.initializer
    size = sum(len(tensor.raw_data) for tensor in stored)
    assert size < 0.7 * 4 * network.count_params()


RUN_SCRIPT = """
import runpy, sys
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
assert not {"keras", "tensorflow", "keras_indi"} & {*sys.modules}
"""


@tensorflow_alone
@pytest.mark.parametrize(
    "ending, arguments",
    [
        (".onnx", {"uint8": True, "num_steps": 2}),
        (".onnx", {"form": "denoiser"}),
        (".xml", {"num_steps": 2}),
    ],
    ids=str,
)
def test_the_script_needs_the_runtime_alone(tmp_path, ending, arguments):
    needs(*FORMATS[ending][1])
    model = indi()
    path = export_model(model, tmp_path / f"restorer{ending}", **arguments)
    image = smooth_images(1, 13, 11)[0].astype("uint8")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112] = 6  # a camera held upright: to be turned by a quarter
    Image.fromarray(np.rot90(image).copy()).save(
        tmp_path / "photo.png", exif=exif, icc_profile=profile
    )
    script = path.with_name(path.name + ".py")
    names = [tmp_path / "photo.png", tmp_path / "restored.png"]
    result = subprocess.run(
        [sys.executable, "-c", RUN_SCRIPT, script, *names],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    restored = Image.open(names[1])
    assert restored.info["icc_profile"] == profile
    found = np.asarray(restored).astype(int)
    if "form" in arguments:
        expected = to_numpy(model(image[None].astype("float32")))[0].clip(0, 255)
    else:
        expected = model.restore(image, num_steps=2, seed=0)
    assert np.abs(found - expected).max() <= 1 and np.abs(found - image).max() > 2

    if "uint8" in arguments:  # of 16 bits and grey
        Image.fromarray(image[..., 0].astype("uint16") * 257).save(names[0])
        subprocess.run([sys.executable, script, *names], check=True, timeout=120)
        found = np.asarray(Image.open(names[1])).astype(int)
        grey = np.repeat(image[..., :1], 3, axis=2)
        expected = model.restore(grey, num_steps=2, seed=0)
        assert np.abs(found - expected).max() <= 1

    usage = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=120
    )
    assert usage.returncode == 1 and "photograph.jpg restored.png" in usage.stderr
    assert "Traceback" not in usage.stderr


@pytest.mark.parametrize(
    "name, arguments, message",
    [
        ("a.txt", {}, "must end in '.onnx'.*format='saved_model'.*Received: path="),
        ("a.onnx", {"format": "litert"}, "must end in '.tflite'.*Received"),
        (".onnx", {"format": "saved_model", "precision": "int8"}, "bfloat16.*Received"),
        (".tflite", {"precision": "bfloat16"}, "for the format 'litert'.*Received"),
        ("a.onnx", {"format": "onx"}, "Did you mean 'onnx'.*Received: format="),
        ("a.onnx", {"form": "sample"}, "Did you mean 'sampler'.*Received: form="),
        (
            "a.onnx",
            {"precision": "bfloat16"},
            "precision.*float16.*format 'onnx'.*Received",
        ),
        ("a", {"precision": "int8"}, "precision.*bfloat16.*Received"),
        ("a", {"num_steps": 0}, "num_steps.*Received"),
        ("a", {"sampler": "hune"}, "Did you mean 'heun'.*Received"),
        ("a", {"scale": 3}, "scale.*Received"),
        (
            "a",
            {"form": "denoiser", "num_steps": 2},
            "sampler; the denoiser.*num_steps=2$",
        ),
        ("a", {"form": "denoiser", "uint8": True}, "sampler; the denoiser.*Received"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_before_any_work(tmp_path, name, arguments, message):
    if name.endswith(".onnx"):
        needs("tf2onnx")
    with pytest.raises(ValueError, match=message):
        export_model(indi(), tmp_path / "folder" / name, **arguments)
    assert list(tmp_path.iterdir()) == []


def test_models_that_do_not_suit(tmp_path):
    path = tmp_path / "a"
    with pytest.raises(ValueError, match="Integer images.*Received"):
        export_model(indi(value_range=(0, 1)), path, uint8=True)
    diffusion = ConditionalDDPM(tiny_unet(condition_on_degraded=True), seed=0)
    with pytest.raises(ValueError, match="noise alone.*Received"):
        export_model(diffusion, path, form="denoiser")
    with pytest.raises(ValueError, match="No preset has this name"):
        export_model("no_such_preset", path)
    assert list(tmp_path.iterdir()) == []


def mixed_network():
    """A network of one's own, not a backbone, that computes in bfloat16."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        return small_network()
    finally:
        keras.config.set_dtype_policy(policy)


def test_networks_whose_precision_is_their_own(tmp_path):
    needs("tensorflow")
    model = InDI(mixed_network(), seed=0)
    with pytest.raises(ValueError, match="UNetBackbone.*Received: dtype='float32'"):
        export_model(model, tmp_path / "a", num_steps=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_bfloat16_from_each_backend(tmp_path):
    needs("tensorflow")
    images = smooth_images(1, 7, 9)
    for network in (mixed_network(), tiny_unet(gain=0.3)):
        model = InDI(network, seed=0)
        path = export_model(
            model, tmp_path / "a", num_steps=2, precision="bfloat16", overwrite=True
        )
        found = run_saved_model(path, {"images": images})
        expected = model.restore(images, num_steps=2)
        np.testing.assert_allclose(found, expected, atol=4)
        assert np.abs(expected - images).max() > 8


def test_what_is_there_stays(tmp_path):
    (tmp_path / "a.saved_model.py").write_text("mine")
    with pytest.raises(FileExistsError, match="overwrite.*Received.*a.saved_model.py"):
        export_model(indi(), tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="other files.*Received"):
        export_model(indi(), tmp_path / "b", overwrite=True)
    assert (tmp_path / "b" / "mine.txt").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 2


@tensorflow_alone
def test_overwritten_and_whole(tmp_path, monkeypatch):
    path = export_model(InDI(tiny_unet(), seed=0), tmp_path / "a", num_steps=1)
    before = sorted(tmp_path.rglob("*"))
    again = export_model(indi(), path, num_steps=1, overwrite=True)
    assert_restores_alike(indi(), run_saved_model, again, [(1, 4, 4)], num_steps=1)
    assert sorted(tmp_path.rglob("*")) == before
    (path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="other files.*mine.txt"):
        export_model(indi(), path, num_steps=1, overwrite=True)
    (path / "mine.txt").unlink()
    content = {p: p.read_bytes() for p in before if p.is_file()}

    def fail(*args):
        raise OSError("broken")

    monkeypatch.setattr(conversion, "trace", fail)
    monkeypatch.setattr("keras_indi.export.export_format.trace", fail)
    with pytest.raises(OSError, match="broken"):
        export_model(InDI(small_network(), seed=0), path, overwrite=True)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == content


@tensorflow_alone
@pytest.mark.parametrize("ending", [".onnx", ".xml"])
def test_no_temporary_file_lies_elsewhere(tmp_path, monkeypatch, ending):
    needs(*FORMATS[ending][1])
    elsewhere = tmp_path / "temporary"
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    export_model(indi(), tmp_path / "out" / f"a{ending}", num_steps=1)
    assert list(elsewhere.iterdir()) == []


@tensorflow_alone
@pytest.mark.parametrize("ending", FORMATS)
def test_a_disk_without_room_is_named(tmp_path, ending):
    needs(*FORMATS[ending][1])
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    path, model = tmp_path / f"a{ending}", indi()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as raised:
            export_model(model, path, num_steps=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert raised.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


def test_without_tensorflow_the_command_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r'pip install "keras-indi\[tensorflow\]"'):
        export_model(indi(), tmp_path / "a")


@pytest.mark.skipif(ON_TENSORFLOW, reason="converts in this process")
def test_a_failing_process_is_told(tmp_path):
    needs("tensorflow")

    class OwnSampler(keras_indi.samplers.Sampler):
        def step(self, predict, images, times, next_times, memory):
            return predict(images, times), memory

    with pytest.raises(RuntimeError, match="process on TensorFlow.*Received: model"):
        export_model(indi(), tmp_path / "a", sampler=OwnSampler())
    assert list(tmp_path.iterdir()) == []


def test_paths_that_cannot_be_written_are_refused_before_the_work(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(conversion, "check_converter", lambda: pytest.fail("too late"))
    model = InDI(tiny_unet(), seed=0)
    (tmp_path / "file").touch()
    (tmp_path / "link.onnx").symlink_to("nowhere")
    long = tmp_path / f"{'x' * 247}.onnx"  # its script's name is longer still
    for path, reason in [
        ("a\0.onnx", "must name a file"),
        (tmp_path / "file" / "a.onnx", "not a folder"),
        (long, "too long for the disk"),
    ]:
        with pytest.raises(ValueError, match=reason):
            export_model(model, path, format="onnx", num_steps=1)
    for path in ("", "."):
        with pytest.raises(ValueError, match="must name a file"):
            export_model(model, path, format="saved_model", num_steps=1)
    with pytest.raises(FileExistsError, match="link.onnx"):
        export_model(model, tmp_path / "link.onnx", num_steps=1)
    assert sorted(os.listdir(tmp_path)) == ["file", "link.onnx"]


@pytest.fixture
def written(monkeypatch):
    """Conversions write their description instead, and wait for `written.gate`."""
    gate = threading.Barrier(1)

    def convert(model, settings, metadata, path):
        path.write_text(metadata["noise_schedule"])
        if path.suffix == ".xml":
            path.with_suffix(".bin").write_text(metadata["noise_schedule"])
        gate_of.gate.wait(30)

    gate_of = types.SimpleNamespace(gate=gate)
    monkeypatch.setattr(exporting, "convert", convert)
    monkeypatch.setattr(other_process, "convert", convert)
    monkeypatch.setattr(conversion, "check_converter", lambda: None)
    for found in ("onnx", "openvino"):
        cls = type(formats.get(found))
        monkeypatch.setattr(cls, "check_packages", lambda self: None)
    return gate_of


def noisy(epsilon, **arguments):
    return InDI(tiny_unet(**arguments), noise_schedule=epsilon, seed=0)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_replaced_export_leaves_nothing_of_itself(tmp_path, written):
    export_model(noisy(0.1), tmp_path / "a.onnx")
    assert {*contents(tmp_path)} == {"a.onnx", "a.onnx.json", "a.onnx.py"}
    # Of two channels there is no script.
    other = noisy(0.2, image_channels=2)
    export_model(other, tmp_path / "a.onnx", overwrite=True)
    assert {*contents(tmp_path)} == {"a.onnx", "a.onnx.json"}
    assert "0.2" in (tmp_path / "a.onnx").read_text()


def test_a_file_that_cannot_be_replaced_leaves_all_as_they_were(
    tmp_path, written, monkeypatch
):
    export_model(noisy(0.1), tmp_path / "a.xml")
    before = contents(tmp_path)
    assert len(before) == 4
    rename = os.rename

    def of_another_user(source, target):
        if os.fspath(target).endswith("a.xml.json"):
            raise PermissionError(errno.EPERM, "not permitted", os.fspath(target))
        rename(source, target)

    monkeypatch.setattr(os, "rename", of_another_user)
    with pytest.raises(PermissionError, match="not permitted"):
        export_model(noisy(0.2), tmp_path / "a.xml", overwrite=True)
    assert contents(tmp_path) == before


KILLED = """
import os, pathlib, sys
from keras_indi.export import exporting

NAMES = "a.xml", "a.xml.json", "a.xml.py", "a.bin"
rename, renamed = os.rename, []

def killed(folder):
    def killed_before_a_rename(source, target):
        if len(renamed) == int(folder.name):
            os.kill(os.getpid(), 9)
        rename(source, target)
        renamed.append(target)

    outputs = [folder / name for name in NAMES]
    with exporting.temporary_beside(outputs[0]) as partial:
        new = partial / exporting.NEW
        new.mkdir(parents=True)
        for path in outputs:
            (new / path.name).write_text("new")
        os.rename = killed_before_a_rename
        exporting._move(outputs, partial)
        os.kill(os.getpid(), 9)

for folder in sys.argv[1:]:
    process = os.fork()
    if not process:
        killed(pathlib.Path(folder))
    os.waitpid(process, 0)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="left-overs stay there")
def test_what_a_killed_export_has_taken_away_is_put_back(tmp_path, written):
    # How many files have been renamed: four old ones, then four new ones.
    folders = [tmp_path / str(renames) for renames in (0, 2, 4, 7, 8)]
    for folder in folders:
        export_model(noisy(0.1), folder / "a.xml")
    before = contents(folders[0])
    subprocess.run([sys.executable, "-c", KILLED, *folders], check=True)
    for folder in folders:
        assert any(name.startswith(".keras-indi") for name in os.listdir(folder))
        with pytest.raises(FileExistsError, match="overwrite"):
            export_model(noisy(0.2), folder / "a.xml")
        whole = before if folder.name != "8" else dict.fromkeys(before, b"new")
        assert contents(folder) == whole


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="left-overs stay there")
def test_a_killed_first_export_leaves_none_of_its_files(tmp_path, written):
    folders = [tmp_path / str(renames) for renames in range(4)]
    for folder in folders:
        folder.mkdir()
    subprocess.run([sys.executable, "-c", KILLED, *folders], check=True)
    assert {path.name for path in folders[3].iterdir()} > {"a.xml.json", "a.xml.py"}
    for folder in folders:
        export_model(noisy(0.2), folder / "a.xml")
        assert sorted(contents(folder)) == ["a.bin", "a.xml", "a.xml.json", "a.xml.py"]


@pytest.mark.parametrize("name", ["jax", "a.b", "replaced", "new", "names.json"])
def test_no_file_has_the_name_of_a_module_or_of_an_export_under_way(
    tmp_path, written, name
):
    path, arguments = tmp_path / name, {"format": "saved_model", "num_steps": 1}
    for epsilon in (0.1, 0.2):
        export_model(noisy(epsilon), path, overwrite=True, **arguments)
        script = f"{name}.saved_model.py"
        assert sorted(contents(tmp_path)) == sorted(
            [name, f"{name}.saved_model.json", script]
        )
        assert str(epsilon) in path.read_text()
    text = (tmp_path / script).read_text()
    assert f"python {script} photograph.jpg" in text
    assert f'with_name("{name}")' in text


@pytest.mark.parametrize("name", ["a.onnx", "a.onnx.json", "a.onnx.py"])
def test_folders_are_not_replaced_by_files(tmp_path, written, name):
    (tmp_path / name).mkdir()
    with pytest.raises(FileExistsError, match=f"A folder.*Received.*{name}"):
        export_model(noisy(0.1), tmp_path / "a.onnx", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("overwrite", [False, True])
def test_two_exports_into_one_path(tmp_path, written, overwrite):
    written.gate = threading.Barrier(2)  # both have found nothing there
    path = tmp_path / "a.xml"
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        models = noisy(0.1), noisy(0.2)
        jobs = [
            pool.submit(export_model, model, path, overwrite=overwrite)
            for model in models
        ]
    errors = [job.exception() for job in jobs]
    assert errors.count(None) == 1 + overwrite
    if not overwrite:
        (error,) = filter(None, errors)
        assert isinstance(error, FileExistsError)
    found = contents(tmp_path)
    assert len(found) == 4 and found["a.xml"] == found["a.bin"]
    described = json.loads(found["a.xml.json"])
    assert described["noise_schedule"] == found["a.xml"].decode()


@pytest.mark.slow
@pytest.mark.skipif(ON_TENSORFLOW, reason="converts in this process")
def test_the_other_process_imports_nothing_of_the_current_folder(tmp_path, monkeypatch):
    needs("tensorflow")
    (tmp_path / "numpy.py").write_text("raise SystemExit('not NumPy')")
    monkeypatch.chdir(tmp_path)
    assert export_model(indi(), tmp_path / "a", num_steps=1).is_dir()


@pytest.mark.skipif(ON_TENSORFLOW, reason="converts in this process")
def test_the_other_process_does_not_run_for_ever(tmp_path, monkeypatch):
    needs("tensorflow")
    monkeypatch.setattr(other_process, "SECONDS", 0.01)
    with pytest.raises(RuntimeError, match="was ended after 0.01 seconds"):
        export_model(indi(), tmp_path / "a", num_steps=1)
    assert not os.listdir(tmp_path)


@pytest.mark.slow
@pytest.mark.backend_free
def test_the_other_process_ends_with_the_one_that_waits_for_it(tmp_path):
    needs("tensorflow")
    job = tmp_path / "job"
    os.mkfifo(job)  # it would wait here for ever
    process = subprocess.Popen(
        [sys.executable, "-m", "keras_indi.export.worker", job],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        stdin=subprocess.PIPE,
    )
    try:
        process.stdin.close()
        assert process.wait(120) == 1
    finally:
        process.kill()
