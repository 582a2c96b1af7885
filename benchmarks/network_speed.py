"""Our backbone beside the same network written by hand.

`keras_indi.models.UNetBackbone` of about a million parameters stands beside a
hand-written network of the same layers and weights:

- on the TensorFlow and PyTorch backends, `handwritten_torch.py`: plain PyTorch,
  channels-last memory;
- on the JAX backend, `handwritten_jax.py`: plain JAX under `jax.jit`.

That they are the same is checked, not assumed: the hand-written side is given
our weights, must have as many, and must return our outputs to 1e-4.

Measured, in float32 with two threads:

- `train`: one step of training, L1 loss and Adam: ours by `fit` on arrays, the
  other by its loop over the same arrays;
- `forward`: one call of the network: ours through
  `keras_indi.backend.compiled`, as restoration calls it.

Each side runs in a process of its own, with glibc's allocator tuned (it keeps
freed memory, in one arena for all threads) and, for JAX, the same XLA_FLAGS. The
two take turns in short rounds, so that drift of the machine cancels; the figure
is the hand-written side's time over ours, of each the least, which other work on
the machine disturbs least: above 1, ours is faster.

Example:

    python benchmarks/network_speed.py --backend tensorflow --json speed.json
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

CONFIG = {
    "image_channels": 3,
    "base_channels": 32,
    "channel_multipliers": (1, 2, 3),
    "blocks_per_level": 1,
    "threads": 2,
}
CASES = {  # name: batch, height, width, steps (or calls) a round
    "train 16x64x64": (16, 64, 64, 2),
    "train 8x128x128": (8, 128, 128, 2),
    "forward 1x256x256": (1, 256, 256, 4),
    "forward 1x720x1280": (1, 720, 1280, 1),
}
OPPONENT = {"tensorflow": "torch", "torch": "torch", "jax": "jax"}
TARGET = {"tensorflow": 0.9, "torch": 0.9, "jax": 0.95}
ENVIRONMENT = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(4 * 2**30),
    "MALLOC_TRIM_THRESHOLD_": str(8 * 2**30),
    "XLA_FLAGS": "--xla_cpu_experimental_ynn_fusion_type=-individual_convolution",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "OMP_NUM_THREADS": str(CONFIG["threads"]),
}


class KerasSide:
    """Our side of the benchmark, on the backend that KERAS_BACKEND names."""

    def __init__(self, config):
        import keras
        import numpy as np

        from keras_indi.backend.compiled import (
            compile_function,
            default_jit_compile,
        )
        from keras_indi.models import UNetBackbone

        _limit_threads(config["threads"])
        self.keras = keras
        self.network = UNetBackbone(
            **{name: config[name] for name in config if name != "threads"}
        )
        # Some convolutions start at zero, which would hide the rest.
        random = np.random.default_rng(0)
        for weight in self.network.weights:
            scale = 0.5 / max(1, np.prod(weight.shape[:-1])) ** 0.5
            weight.assign(scale * random.standard_normal(weight.shape))
        self.network.compile(
            keras.optimizers.Adam(1e-4), "mae", jit_compile=default_jit_compile()
        )
        self._forward = compile_function(
            lambda images, times: self.network({"images": images, "times": times}),
            self.network.variables,
        )

    def weights(self):
        to_numpy = self.keras.ops.convert_to_numpy
        return {w.path: to_numpy(w) for w in self.network.weights}

    def count(self):
        return self.network.count_params()

    def forward(self, images, times):
        to_tensor = self.keras.ops.convert_to_tensor
        outputs = self._forward(to_tensor(images), to_tensor(times))
        return self.keras.ops.convert_to_numpy(outputs)

    def seconds_a_step(self, images, times, targets, steps):
        """`fit` over `steps + 1` batches; the first starts the clock."""

        class Clock(self.keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                if batch == 0:
                    float(logs["loss"])
                    self.start = time.perf_counter()

            def on_epoch_end(self, epoch, logs=None):
                float(logs["loss"])
                self.seconds = time.perf_counter() - self.start

        clock = Clock()
        batches = steps + 1
        self.network.fit(
            {
                "images": _repeat(images, batches),
                "times": _repeat(times, batches),
            },
            _repeat(targets, batches),
            batch_size=len(images),
            shuffle=False,
            verbose=0,
            callbacks=[clock],
        )
        return clock.seconds / steps


def _limit_threads(threads):
    backend = os.environ["KERAS_BACKEND"]
    if backend == "torch":
        import torch

        torch.set_num_threads(threads)
    elif backend == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)


def _repeat(array, times):
    import numpy as np

    return np.concatenate([array] * times)


def _data(batch, height, width):
    import numpy as np

    random = np.random.default_rng(1)
    shape = (batch, height, width, CONFIG["image_channels"])
    images, targets = (random.random(shape, "float32") for _ in range(2))
    return images, random.random(batch, "float32"), targets


# === A worker: one side, which obeys its standard input ===


def work(side_name, folder):
    """Answer each line `[case, steps]` with seconds a step, as JSON lines."""
    answers = os.fdopen(os.dup(1), "w")  # libraries may print: not into answers
    os.dup2(2, 1)
    side = _make_side(side_name, pathlib.Path(folder))
    print(json.dumps(side.count()), file=answers, flush=True)
    for line in sys.stdin:
        case, steps = json.loads(line)
        data = _data(*CASES[case][:3])
        if case.startswith("train"):
            seconds = _time_training(side, data, steps)
        else:
            start = time.perf_counter()
            for _ in range(steps):
                side.forward(*data[:2])
            seconds = (time.perf_counter() - start) / steps
        print(json.dumps(seconds), file=answers, flush=True)


def _make_side(side_name, folder):
    import numpy as np

    data = _data(2, 32, 48)[:2]
    if side_name == "ours":
        side = KerasSide(CONFIG)
        np.savez(folder / "weights.npz", **side.weights())
        np.save(folder / "outputs.npy", side.forward(*data))
        return side
    if side_name == "torch":
        from handwritten_torch import Side
    else:
        from handwritten_jax import Side
    with np.load(folder / "weights.npz") as weights:
        side = Side(CONFIG, dict(weights))
    expected = np.load(folder / "outputs.npy")
    error = np.max(np.abs(side.forward(*data) - expected))
    spread = np.std(expected - data[0])
    if error > 1e-4 or spread < 1e-2:
        raise AssertionError(f"Not the same network: error={error} spread={spread}")
    return side


def _time_training(side, data, steps):
    if isinstance(side, KerasSide):
        return side.seconds_a_step(*data, steps)
    images, times, targets = (_repeat(array, steps + 1) for array in data)
    batch = len(data[0])
    for step in range(steps + 1):
        part = slice(step * batch, (step + 1) * batch)
        loss = side.train(images[part], times[part], targets[part])
        if step == 0:
            side.finish(loss)
            start = time.perf_counter()
    side.finish(loss)
    return (time.perf_counter() - start) / steps


class Worker:
    """A handle on a worker's process."""

    def __init__(self, side_name, backend, folder):
        environment = {**os.environ, **ENVIRONMENT, "KERAS_BACKEND": backend}
        command = [sys.executable, __file__, "--worker", side_name, folder]
        self.process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.count = self._answer()

    def seconds(self, case, steps):
        print(json.dumps([case, steps]), file=self.process.stdin, flush=True)
        return self._answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("A worker died; its message stands above.")
        return json.loads(line)


# === The parent: alternates between the sides ===


def compare(backend, cases, rounds):
    """Ratios of one backend: a list of dicts, one a case."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        ours = Worker("ours", backend, folder)
        other = Worker(OPPONENT[backend], backend, folder)
        if ours.count != other.count:
            raise AssertionError(f"{ours.count} parameters, not {other.count}")
        print(f"{backend}: {ours.count} parameters, the same outputs", flush=True)
        for case in cases:
            steps = CASES[case][3]
            times = {ours: [], other: []}
            for side in times:
                side.seconds(case, 1)  # compiles
            for _ in range(rounds):
                for side, seconds in times.items():
                    seconds.append(side.seconds(case, steps))
            mine, theirs = (min(seconds) for seconds in times.values())
            median = statistics.median(times[other]) / statistics.median(times[ours])
            ratio = theirs / mine
            print(f"  {case}: {ratio:.2f} ({median:.2f} of medians)", flush=True)
            results.append(
                {
                    "backend": backend,
                    "opponent": OPPONENT[backend],
                    "case": case,
                    "ratio": ratio,
                    "ratio_of_medians": median,
                    "ours_seconds": mine,
                    "opponent_seconds": theirs,
                }
            )
        ours.close()
        other.close()
    return results


def print_table(results):
    header = f"{'backend':<12}{'beside':<8}{'case':<20}{'ratio':>7}{'target':>8}"
    print(f"\n{header}\n{'-' * len(header)}")
    for row in results:
        target = TARGET[row["backend"]]
        print(
            f"{row['backend']:<12}{row['opponent']:<8}{row['case']:<20}"
            f"{row['ratio']:>7.2f}{target:>8.2f}"
            f"{'' if row['ratio'] >= target else '  below'}"
        )


def main():
    parser = argparse.ArgumentParser(
        description="Our network's speed beside the same network written by hand."
    )
    parser.add_argument("--backend", nargs="+", choices=TARGET, default=list(TARGET))
    parser.add_argument(
        "--case", nargs="+", choices=CASES, default=list(CASES), metavar="CASE"
    )
    parser.add_argument("--rounds", type=int, default=10, help="of each side a case")
    parser.add_argument("--quick", action="store_true", help="four rounds")
    parser.add_argument("--json", metavar="PATH", help="also write the figures here")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return work(*options.worker)
    results = []
    for backend in options.backend:
        rounds = 4 if options.quick else options.rounds
        results += compare(backend, options.case, rounds)
    print_table(results)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
