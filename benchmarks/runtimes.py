"""What each runtime of an exported restorer takes: disk, time, and what it changes.

    pip install ".[openvino]" onnxruntime ai-edge-litert
    python benchmarks/runtimes.py            # half an hour on two quiet cores
    python benchmarks/runtimes.py --quick    # whether it works
    python benchmarks/runtimes.py --formats --backends torch --engines openvino

Exports a preset in each format and precision, runs each file by its runtime in a
process of its own, beside `restore` on each installed backend, and prints one table.
The processes take turns, one run each, so that what slows the machine slows all;
speeds are medians. `difference` is the largest from `restore` in float32 on
TensorFlow, as a part of the value range; the installed size is that of the runtime's
distribution and all that it requires.
"""

import argparse
import contextlib
import importlib.util
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
from importlib import metadata

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402

import keras_indi  # noqa: E402
from keras_indi.backend.runtimes import RUNTIMES  # noqa: E402
from keras_indi.export import export_model, formats, sampler_noise  # noqa: E402
from keras_indi_cli.launcher import environment  # noqa: E402

WORKER = pathlib.Path(__file__).with_name("exported_files.py")
# What is exported, by format: the precisions whose speed is measured.
PRECISIONS = {
    "onnx": ("float32", "float16", "int8"),
    "openvino": ("float32", "bfloat16", "int8"),
    "litert": ("float32", "float16", "int8"),
    "saved_model": ("float32", "bfloat16"),
}

EACH_PRECISION = ["float32", "bfloat16", "float16", "int8"]


def installed_bytes(name, seen):
    """Bytes of a distribution's files, and of those it requires."""
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in seen:
        return 0
    seen.add(key)
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return 0
    files = [file.locate() for file in distribution.files or []]
    size = sum(os.path.getsize(file) for file in files if os.path.isfile(file))
    for requirement in distribution.requires or []:
        if "extra ==" not in requirement:
            name = re.match(r"[\w.-]+", requirement)[0]
            size += installed_bytes(name, seen)
    return size


def bytes_of(path):
    """Bytes of an exported file, with what belongs to it."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    further = path.with_suffix(".bin")
    return path.stat().st_size + (further.stat().st_size if further.exists() else 0)


class Worker:
    """A process that runs one thing again and again, when it is told to."""

    def __init__(self, row, inputs, output, num_steps):
        kind, name, backend, precision = row
        self.output, self.seconds = output, []
        environ = {**os.environ, "KERAS_BACKEND": backend}
        if kind != "file":  # as the command sets it for itself
            environ = environment(environ)
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [sys.executable, WORKER, kind, name, precision, num_steps, inputs, output],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise RuntimeError(self.errors.read()[-2000:])
        return line.strip()

    def run(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.seconds.append(float(self.answer()))

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.errors.close()


def measure(rows, inputs, expected, options, folder):
    """Pairs of the images a second and the difference, one a row."""
    archive = folder / "inputs.npz"
    np.savez(archive, **inputs)
    with contextlib.ExitStack() as stack:
        workers = []
        for number, row in enumerate(rows):
            output = folder / f"{number}.npy"
            worker = Worker(row, archive, output, str(options.num_steps))
            stack.callback(worker.close)
            workers.append(worker)
            worker.answer()  # one after the other, as each makes itself ready
        for _ in range(options.rounds):
            for worker in workers:
                worker.run()
    differences = [
        np.abs(np.load(worker.output).astype("float32") - expected).max() / 255
        for worker in workers
    ]
    speeds = [1 / statistics.median(worker.seconds) for worker in workers]
    return list(zip(speeds, differences))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="indi_small_jpeg")
    parser.add_argument("--num-steps", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--formats", nargs="*", default=list(PRECISIONS))
    parser.add_argument("--precisions", nargs="+", default=EACH_PRECISION)
    parser.add_argument("--backends", nargs="+", default=["tensorflow", "jax", "torch"])
    parser.add_argument(
        "--engines",
        nargs="*",
        default=[],
        choices=list(RUNTIMES),
        help="of `restore`, on each backend",
    )
    parser.add_argument("--sizes", nargs="+", default=["512x512", "720x1280"])
    parser.add_argument(
        "--quick", action="store_true", help="float32, small images, one round"
    )
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.precisions = 1, ["float32"]
        options.backends, options.sizes = ["tensorflow"], ["64x64"]
    sizes = [tuple(map(int, size.split("x"))) for size in options.sizes]

    model = keras_indi.load_restorer(options.preset, "float32")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        rows, told = [], []
        for backend in options.backends:
            if importlib.util.find_spec(backend):
                size = installed_bytes("keras", seen := set())
                size += installed_bytes(backend, seen)
                for dtype in ("float32", "bfloat16"):
                    if dtype not in options.precisions:
                        continue
                    rows.append(("restore", options.preset, backend, dtype))
                    told.append((f"Keras, {backend}", "-", dtype, 0, 0, size))
                    for engine in options.engines:
                        if dtype in RUNTIMES[engine]:
                            rows.append((engine, options.preset, backend, dtype))
                            shown = f"Keras, {backend}, {engine}"
                            told.append((shown, "-", dtype, 0, 0, size))
        for name in options.formats:
            found = formats.get(name)
            for precision in PRECISIONS[name]:
                if precision not in options.precisions:
                    continue
                sizes_of = []
                for form in ("sampler", "denoiser"):
                    sampler = {"num_steps": options.num_steps}
                    path = export_model(
                        model,
                        folder / f"{form}_{precision}{found.ending}",
                        form=form,
                        precision=precision,
                        **(sampler if form == "sampler" else {}),
                    )
                    sizes_of.append(bytes_of(path))
                path = folder / f"sampler_{precision}{found.ending}"
                rows.append(("file", str(path), "tensorflow", precision))
                size = installed_bytes(found.runtime, set())
                told.append((found.runtime, name, precision, *sizes_of, size))
        results = []
        for height, width in sizes:
            random = np.random.default_rng(0)
            image = random.integers(0, 256, (1, height, width, 3))
            inputs = {"images": image.astype("float32")}
            noise = sampler_noise(model, height, width, 0, num_steps=options.num_steps)
            if len(noise):
                inputs["noise"] = noise
            expected = model.restore(
                inputs["images"], num_steps=options.num_steps, seed=0, verbose=0
            )
            results.append(measure(rows, inputs, expected, options, folder))
    print(f"{options.preset}, {options.num_steps} step(s), {os.cpu_count()} cores")
    heads = [
        "runtime",
        "format",
        "precision",
        "sampler, MB",
        "denoiser, MB",
        "installed, MB",
        "difference",
        *(f"images/s, {size}" for size in options.sizes),
    ]
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for line, *measured in zip(told, *results):
        runtime, name, precision, *bytes_each = line
        megabytes = [f"{size / 1e6:.1f}" if size else "-" for size in bytes_each]
        difference = f"{max(each[1] for each in measured):.1e}"
        speeds = [f"{each[0]:.3g}" for each in measured]
        cells = [runtime, name, precision, *megabytes, difference, *speeds]
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
