"""Training, evaluation and restoration in each way that Keras computes.

    python benchmarks/devices.py
    python benchmarks/devices.py --backend jax --row "mixed_float16" "two devices"

Prints one Markdown table: a row for each way, a column for each backend. In each cell a
small model of noise removal is fitted, evaluated and used for restoration, and three
things must hold:

- `evaluate` is at most 0.9 times what it was before `fit`;
- `restore` gives finite images, nearer to the clean ones than the degraded are;
- they are those of the formula `x_s = (1 - s/t) F(x_t, t) + (s/t) x_t` in NumPy, with
  F of a float32 network of the same weights.

Each backend runs in processes of its own, and two devices are two parts of one CPU.
Last, each backend loads the three files that all have saved, must give what was given
on saving, and trains on.
"""

import argparse
import contextlib
import functools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback

BACKENDS = ("tensorflow", "jax", "torch")
STEPS = 3  # of a restoration
TWO_DEVICES = "two devices"
LOADED = "saved on {}, loaded"


class NotApplicableError(Exception):
    """What this backend has not, with the reason."""


def backend():
    return os.environ["KERAS_BACKEND"]


# === The model, the data and the check ===


def make_data():
    import numpy as np

    rng = np.random.default_rng(0)
    levels = rng.uniform(60, 200, (16, 1, 1, 3))
    clean = (levels + np.zeros((16, 16, 16, 3))).astype("float32")
    return clean + rng.normal(0, 25, clean.shape).astype("float32"), clean


def make_model(dtype="float32"):
    import keras

    import keras_indi

    keras.utils.set_random_seed(0)
    unet = keras_indi.UNetBackbone(
        base_channels=8, channel_multipliers=(1, 2), blocks_per_level=1, dtype=dtype
    )
    return keras_indi.InDI(unet, noise_schedule=0.02, seed=0)


@functools.cache
def reference_model():
    return make_model()


def walk(model, degraded):
    """What `restore` must give: the formula, with F of those weights in float32."""
    import numpy as np

    reference = reference_model()
    reference.backbone.set_weights(model.backbone.get_weights())
    times = np.linspace(1, 0, STEPS + 1)
    trajectory = model.trajectory(model.get_sampler("indi"), times, 1.0)
    noise = [
        np.random.default_rng((5, index, 0, 1)).standard_normal(image.shape, "float32")
        for index, image in enumerate(degraded)
    ]
    images = degraded + trajectory.start_scale * np.array(noise)
    for t, s in zip(times[:-1], times[1:]):
        inputs = {
            "images": images.astype("float32"),
            "times": np.full(len(images), t, "float32"),
        }
        estimate = np.asarray(reference.predict_on_batch(inputs))
        images = (1 - s / t) * estimate + s / t * images
    return np.clip(images, 0, 255)


def check(compile_model, dtype="float32", tolerance=0.1, epochs=25, model=None):
    """Fit, evaluate, restore; raise an AssertionError where one is wrong."""
    import numpy as np

    degraded, clean = make_data()
    model = model or make_model(dtype)
    compile_model(model)
    before = model.evaluate(degraded, clean, batch_size=8, verbose=0)
    model.fit(degraded, clean, batch_size=8, epochs=epochs, verbose=0)
    after = model.evaluate(degraded, clean, batch_size=8, verbose=0)
    assert after < 0.9 * before, f"evaluate: {before:.2f}, after the fit {after:.2f}"
    restored = model.restore(degraded, STEPS, seed=5, verbose=0)
    assert np.all(np.isfinite(restored)), "restore: not finite"
    error, least = (np.abs(x - clean).mean() for x in (restored, degraded))
    assert error < least, f"restore: {error:.2f} from clean, degraded {least:.2f}"
    apart = np.abs(restored - walk(model, degraded)).max()
    assert apart < tolerance, f"restore: {apart:.3f} from the formula"
    return model


# === The rows ===


def optimizer_row(make):
    return lambda: check(lambda model: model.compile(make()))


def adam(**kwargs):
    import keras_indi

    return keras_indi.models.AveragedAdam(1e-2, **kwargs)


def keras_optimizer(name, *args, **kwargs):
    import keras

    return getattr(keras.optimizers, name)(*args, **kwargs)


def with_xla():
    if backend() == "torch":
        raise NotApplicableError("PyTorch has no XLA in Keras")
    from unittest import mock

    from keras_indi.backend import compiled

    # Restoration under XLA too, which TensorFlow on a CPU would leave out.
    forced = contextlib.nullcontext()
    if backend() == "tensorflow":
        name = "_tensorflow_accelerators"
        forced = mock.patch.object(compiled, name, return_value=["a CPU"])
    with forced:
        check(lambda model: model.compile(adam(), jit_compile=True))


def mixed(policy, tolerance):
    return lambda: check(lambda model: model.compile(adam()), policy, tolerance)


def many_steps_an_execution():
    if backend() == "torch":
        raise NotApplicableError("Keras refuses it on PyTorch")
    check(lambda model: model.compile(adam(), steps_per_execution=2))


def freezing():
    import numpy as np

    frozen = []

    def compile_model(model):
        # The way down; what goes up learns.
        for layer in model.backbone.layers:
            layer.trainable = not layer.name.startswith(("stem", "down"))
        frozen.extend(frozen_weights(model))
        model.compile(adam())

    def frozen_weights(model):
        layers = [layer for layer in model.backbone.layers if not layer.trainable]
        return [_value(weight).copy() for layer in layers for weight in layer.weights]

    model = check(compile_model, epochs=40)
    assert len(frozen) > 4, "nothing was frozen"
    for before, after in zip(frozen, frozen_weights(model), strict=True):
        np.testing.assert_array_equal(before, after)


def _value(weight):
    import keras

    return keras.ops.convert_to_numpy(weight)


def two_devices():
    """Run in a process with two devices, which `environment` or this prepares."""
    import keras

    if backend() == "torch":
        raise NotApplicableError("Keras distributes nothing on PyTorch")
    if backend() == "jax":
        devices = keras.distribution.list_devices()
        assert len(devices) == 2, devices
        keras.distribution.set_distribution(keras.distribution.DataParallel())
        check(lambda model: model.compile(adam()))
        return
    import tensorflow as tf

    (cpu,) = tf.config.list_physical_devices("CPU")
    parts = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, parts)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    reference_model()  # on one device
    with strategy.scope():
        model = make_model()
        model.compile(adam())
    check(lambda model: None, model=model)
    assert strategy.num_replicas_in_sync == 2


ROWS = {
    "XLA": with_xla,
    "mixed_float16": mixed("mixed_float16", 3.0),
    "mixed_bfloat16": mixed("mixed_bfloat16", 12.0),
    "gradient accumulation": optimizer_row(lambda: adam(gradient_accumulation_steps=2)),
    "steps_per_execution": many_steps_an_execution,
    "AveragedAdam": optimizer_row(adam),
    "AdamW": optimizer_row(lambda: keras_optimizer("AdamW", 1e-2)),
    "SGD": optimizer_row(lambda: keras_optimizer("SGD", 3e-4, momentum=0.9)),
    "Lion": optimizer_row(lambda: keras_optimizer("Lion", 2e-3)),
    "Muon": optimizer_row(lambda: keras_optimizer("Muon", 1e-2)),
    "freezing": freezing,
    TWO_DEVICES: two_devices,
}


def save(folder):
    import numpy as np

    model = check(lambda model: model.compile(adam()), epochs=20)
    restored = model.restore(make_data()[0], STEPS, seed=5, verbose=0)
    np.save(folder / f"{backend()}.npy", restored)
    model.save(folder / f"{backend()}.keras")


def load(folder, source):
    """The three checks of a file that another backend has saved."""
    import keras
    import numpy as np

    import keras_indi  # noqa: F401  (whose classes the files name)

    degraded, clean = make_data()
    model = keras.saving.load_model(folder / f"{source}.keras")
    restored = model.restore(degraded, STEPS, seed=5, verbose=0)
    apart = np.abs(restored - np.load(folder / f"{source}.npy")).max()
    assert apart < 0.1, f"restore: {apart:.3f} from what was saved"
    usual = make_model()
    usual.compile()
    assert model.jit_compile == usual.jit_compile, "the compiler of the other backend"
    assert int(_value(model.optimizer.iterations)) == 40, "the optimizer's steps"
    before = model.evaluate(degraded, clean, batch_size=8, verbose=0)
    model.fit(degraded, clean, batch_size=8, epochs=10, verbose=0)
    after = model.evaluate(degraded, clean, batch_size=8, verbose=0)
    assert after < before, f"evaluate: {before:.2f}, trained on {after:.2f}"


# === Processes ===


def work(rows, folder):
    """Run rows in this process; print a JSON line of each row's result."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    folder = pathlib.Path(folder)
    if backend() == "jax":  # which compiles the same functions in each row
        import jax

        jax.config.update("jax_compilation_cache_dir", str(folder / "compiled"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    tasks = {**ROWS, "save": lambda: save(folder)}
    for source in BACKENDS:
        name = LOADED.format(source)
        tasks[name] = lambda source=source: load(folder, source)
    for row in rows:
        try:
            tasks[row]()
            result = "pass"
        except NotApplicableError as reason:
            result = f"n/a: {reason}"
        except Exception as error:
            traceback.print_exc()
            text = " ".join(str(error).split())[:80]
            result = f"FAIL: {type(error).__name__}: {text}"
        print(json.dumps([row, result]), file=answers, flush=True)


def run(backend, rows, folder):
    """Results of rows, in a process of this backend."""
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    if rows == [TWO_DEVICES]:
        flags = os.environ.get("XLA_FLAGS", "")
        environment["XLA_FLAGS"] = (
            f"{flags} --xla_force_host_platform_device_count=2".strip()
        )
    command = [sys.executable, __file__, "--worker", folder, *rows]
    results = {}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout:
            row, results[row] = json.loads(line)
            print(f"{backend}, {row}: {results[row]}", file=sys.stderr, flush=True)
    ended = f"FAIL: the process ended ({process.returncode})"
    return {row: results.get(row, ended) for row in rows}


def print_table(results, backends):
    rows = list(dict.fromkeys(row for found in results.values() for row in found))
    print(f"| | {' | '.join(backends)} |")
    print(f"|---|{'---|' * len(backends)}")
    for row in rows:
        cells = [results[name].get(row, "not run") for name in backends]
        print(f"| {row} | {' | '.join(cells)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--backend", nargs="+", choices=BACKENDS, default=list(BACKENDS)
    )
    parser.add_argument("--row", nargs="+", choices=[*ROWS, "loaded"], metavar="ROW")
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        folder, *rows = options.worker
        return work(rows, folder)
    chosen = options.row or [*ROWS, "loaded"]
    plain = [row for row in ROWS if row in chosen and row != TWO_DEVICES]
    results = {name: {} for name in options.backend}
    with tempfile.TemporaryDirectory() as folder:
        saved = {}
        for name in options.backend:
            own = [*plain, "save"] if "loaded" in chosen else plain
            results[name] = run(name, own, folder) if own else {}
            saved[name] = results[name].pop("save", None)
            if TWO_DEVICES in chosen:
                results[name] |= run(name, [TWO_DEVICES], folder)
        if "loaded" in chosen:
            rows = [LOADED.format(name) for name in options.backend]
            for name in options.backend:
                results[name] |= run(name, rows, folder)
    print_table(results, options.backend)
    return any("FAIL" in cell for found in results.values() for cell in found.values())


if __name__ == "__main__":
    sys.exit(main())
