"""Small networks, walks, and runs of scripts that several tests use."""

import contextlib
import errno
import io
import os
import pathlib
import runpy
import subprocess
import sys
import textwrap
from itertools import pairwise
from unittest import mock

import keras
import numpy as np
import pytest
from keras import ops

import keras_indi


def shared_folder(*parts):
    """A path in the folder of real images and weights; skips the test without it."""
    beside = pathlib.Path(__file__).parent.parent.parent / "shared"
    path = pathlib.Path(os.environ.get("KERAS_INDI_SHARED", beside), *parts)
    if not path.exists():
        pytest.skip(f"needs {path}")
    return path


def run_folder(tmp_path_factory):
    """The folder of this run of pytest, one for all its processes."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


def run_alone(command, environment, folder="."):
    """Runs a script with its arguments in a process of its own; what it printed."""
    result = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert result.returncode == 0, result.stdout[-4000:]
    return result.stdout


def run_here(command, environment, folder="."):
    """The same in this process, which need not load Keras and the backend again."""
    printed = io.StringIO()
    with (
        contextlib.chdir(folder),
        mock.patch.object(sys, "argv", [str(part) for part in command]),
        mock.patch.dict(os.environ, environment),
        contextlib.redirect_stdout(printed),
    ):
        runpy.run_path(str(command[0]), run_name="__main__")
    return printed.getvalue()


# `DEVICES`, and `begin(build)`, which returns what `build()` makes for all of them.
SEVERAL_DEVICES = {
    "jax": """
import keras

DEVICES = keras.distribution.list_devices()

def begin(build):
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    return build()
""",
    "tensorflow": """
import keras
import tensorflow as tf

(cpu,) = tf.config.list_physical_devices("CPU")
parts = [tf.config.LogicalDeviceConfiguration()] * NUMBER
tf.config.set_logical_device_configuration(cpu, parts)
DEVICES = [f"CPU:{index}" for index in range(NUMBER)]

def begin(build):
    with tf.distribute.MirroredStrategy(DEVICES).scope():
        return build()
""",
}


def run_on_devices(number, script):
    """Runs a script in a process whose CPU counts as several devices.

    Args:
        number: Int, how many.
        script: String, indented as it stands; knows `NUMBER` and `SEVERAL_DEVICES`.

    Returns:
        String, what it printed.
    """
    backend = keras.config.backend()
    folder = pathlib.Path(__file__).parent
    path = os.pathsep.join([str(folder.parent), str(folder)])
    flags = f"--xla_force_host_platform_device_count={number}"
    environment = {**os.environ, "PYTHONPATH": path, "XLA_FLAGS": flags}
    begin = f"NUMBER = {number}\n{SEVERAL_DEVICES[backend]}"
    script = begin + textwrap.dedent(script)
    return run_alone(["-c", script], environment)


def to_numpy(tensor):
    return ops.convert_to_numpy(tensor)


def apply(model, inputs):
    """The model's output; on JAX in one compilation instead of one per operation."""
    if keras.config.backend() == "jax":
        return model.predict_on_batch(inputs)
    return to_numpy(model(inputs))


def x64():
    """A context in which the backend has float64, which JAX hides by default."""
    if keras.config.backend() != "jax":
        return contextlib.nullcontext()
    import jax

    return jax.enable_x64(True)


def walk(sampler, predict, start, times):
    """A whole restoration by a sampler's own moves, in float64."""
    with x64():
        images = ops.convert_to_tensor(np.asarray(start, "float64"))
        memory = sampler.initial_memory(images)
        for time, next_time in pairwise(times):
            move = sampler.last_step if next_time == 0 else sampler.step
            images, memory = move(
                predict,
                images,
                ops.convert_to_tensor(time, "float64"),
                ops.convert_to_tensor(next_time, "float64"),
                memory,
            )
        assert keras.backend.standardize_dtype(images.dtype) == "float64"
        return to_numpy(images)


def full_strength(model, seed=0, gain=1.0):
    """Overwrites all weights, zero-initialized ones too, from NumPy's generator."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        shape = variable.shape
        scale = gain / np.sqrt(np.prod(shape[:-1])) if len(shape) > 1 else 0.1
        variable.assign((scale * rng.standard_normal(shape)).astype("float32"))
    return model


def tiny_unet(seed=0, gain=1.0, **kwargs):
    """A U-Net of two levels and four channels with full-strength weights."""
    arguments = {
        "image_channels": 3,
        "base_channels": 4,
        "channel_multipliers": (1, 2),
        "blocks_per_level": 1,
        **kwargs,
    }
    return full_strength(keras_indi.models.UNetBackbone(**arguments), seed, gain)


def small_network(channels=3, seed=0, filters=4, condition_on_degraded=False):
    """A network of one's own: two convolutions of x_t and a constant image of t."""
    names = ["images", "degraded"] if condition_on_degraded else ["images"]
    shown = {name: keras.Input((None, None, channels), name=name) for name in names}
    images, times = shown["images"], keras.Input((), name="times")
    plane = ops.reshape(times, (-1, 1, 1, 1)) * ops.ones_like(images[..., :1])
    x = ops.concatenate([*shown.values(), plane], axis=-1)
    x = keras.layers.Conv2D(filters, 3, padding="same", activation="tanh")(x)
    x = keras.layers.Conv2D(channels, 3, padding="same")(x)
    network = keras.Model({**shown, "times": times}, images + x)
    return full_strength(network, seed, gain=0.5)


def smooth_images(count=2, height=12, width=10, channels=3, seed=0, high=255.0):
    """Float images in [0, high]: waves of random frequency, with some noise."""
    rng = np.random.default_rng(seed)
    rows = np.arange(height)[:, None, None]
    columns = np.arange(width)[None, :, None]
    images = [
        0.5
        + 0.3
        * np.sin(rng.uniform(0.2, 1, channels) * rows)
        * np.cos(rng.uniform(0.2, 1, channels) * columns)
        + 0.2 * rng.uniform(-1, 1, (height, width, channels))
        for _ in range(count)
    ]
    return (high * np.clip(images, 0, 1)).astype("float32")


def pairs(count=4, seed=0, **kwargs):
    """Training pairs (degraded, clean): the degraded are clean images, darkened."""
    clean = smooth_images(count, seed=seed, **kwargs)
    rng = np.random.default_rng(seed + 1000)
    noise = rng.uniform(-5, 5, clean.shape)
    return np.clip(0.7 * clean + 20 + noise, 0, 255).astype("float32"), clean


def shut(folder, monkeypatch):
    """Let no process, a root's neither, read a folder."""
    scan = os.scandir

    def denied(path="."):
        if str(path) == str(folder):
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return scan(path)

    monkeypatch.setattr(os, "scandir", denied)
