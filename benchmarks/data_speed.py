"""Pairs a second: read, degraded, and trained on.

For each task and size of crop, in pairs a second:

- `read`: `keras_indi.data` alone, photographs cached after they were decoded once,
  as by default;
- `uncached`: the same with `cache_bytes=0`: each crop decodes its photograph;
- `loader`: a plain PyTorch DataLoader that does the work of `uncached`: the same
  decoder, crops, margins, flips and degradation, by as many worker processes;
- `train`: what the quickstart's network takes in `fit`, on TensorFlow, from arrays
  in memory;
- `fit`: what it takes from `read`, on the same processors.

and their ratios: `uncached / loader` and `fit / train`, of which 1.00 means that
data cost training nothing.

The two libraries run in a process each and take turns in short rounds, so that
drift of the machine cancels; each figure is the best of the rounds. Batches that
were read ahead while the other had its turn are not counted. The photographs are
JPEG files of 512x512 pixels, made of scikit-image's for the run, or those of a
folder (`--photographs`).

Example:

    python benchmarks/data_speed.py --task noise jpeg --json data_speed.json
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

TASKS = (
    "pairs",
    "noise",
    "poisson_noise",
    "jpeg",
    "downsample",
    "gaussian_blur",
    "motion_blur",
    "defocus_blur",
)
BATCH_SIZES = {64: 16, 128: 8}  # by size of crop
SIZE = 512  # pixels, of the photographs
COUNT = 48  # photographs
WORKERS = 2
AHEAD = 6  # batches that either side may have read ahead
ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": str(4 * 2**30),
    "MALLOC_TRIM_THRESHOLD_": str(8 * 2**30),
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
COLUMNS = ("read", "uncached", "loader", "train", "fit")


def degradation_of(task):
    from keras_indi.data import degradations

    return {
        "pairs": lambda: None,
        "noise": lambda: degradations.GaussianNoise(25),
        "poisson_noise": degradations.PoissonGaussianNoise,
        "jpeg": degradations.JPEGCompression,
        "downsample": lambda: degradations.Downsample(4),
        "gaussian_blur": degradations.GaussianBlur,
        "motion_blur": degradations.MotionBlur,
        "defocus_blur": degradations.DefocusBlur,
    }[task]()


def write_photographs(folder):
    """The photographs, and degraded partners, as JPEG files."""
    import numpy as np
    from PIL import Image

    from keras_indi.data.sample_photographs import sample_photographs

    random = np.random.default_rng(0)
    photographs = sample_photographs()
    for side in ("degraded", "clean"):
        (folder / side).mkdir()
    for number in range(COUNT):
        photograph = photographs[number % len(photographs)]
        image = np.pad(photograph, ((0, SIZE), (0, SIZE), (0, 0)), mode="symmetric")
        top, left = (random.integers(size) for size in photograph.shape[:2])
        clean = Image.fromarray(image[top : top + SIZE, left : left + SIZE])
        for side, quality in (("degraded", 60), ("clean", 95)):
            clean.save(folder / side / f"{number:03}.jpg", quality=quality)


# === The workers, each of which measures one of the figures when asked ===


class KerasSide:
    """Figures of keras_indi; `measure` gives pairs a second."""

    def __init__(self, folder):
        import keras

        from keras_indi.models import InDI, UNetBackbone

        self.keras = keras
        self.folder = folder
        self.kept = {}
        self.model = InDI(
            UNetBackbone(
                base_channels=32,
                channel_multipliers=(1, 2, 3),
                blocks_per_level=1,
            ),
            noise_schedule=0.02,
        )
        self.model.compile()

    def measure(self, figure, task, size, batches):
        if figure in ("read", "uncached"):
            stream = self._stream(figure, task, size)
            return pairs_a_second(stream, BATCH_SIZES[size], batches)
        return self._fit(figure, task, size, batches)

    def _pairs(self, figure, task, size, batches_per_epoch=None):
        from keras_indi import data

        options = {
            "crop_size": size,
            "batch_size": BATCH_SIZES[size],
            "num_workers": WORKERS,
            "batches_per_epoch": batches_per_epoch,
        }
        if figure == "uncached":
            options["cache_bytes"] = 0
        degradation = degradation_of(task)
        return data.pairs_from_folders(
            self.folder / "clean",
            degraded=self.folder / "degraded" if degradation is None else None,
            degradation=degradation,
            **options,
        )

    def _stream(self, figure, task, size):
        key = figure, task, size
        if key not in self.kept:
            self.kept = {key: endless(self._pairs(*key))}
            if figure == "read":  # fills the cache
                for _ in range(4 * COUNT // BATCH_SIZES[size]):
                    next(self.kept[key])
        return self.kept[key]

    def _fit(self, figure, task, size, batches):
        """`fit` over two batches that start the clock, and `batches` more."""

        class Clock(self.keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                if batch == 1:
                    float(logs["loss"])
                    self.start = time.perf_counter()

            def on_epoch_end(self, epoch, logs=None):
                float(logs["loss"])
                self.seconds = time.perf_counter() - self.start

        import numpy as np

        clock = Clock()
        arguments = {"verbose": 0, "callbacks": [clock]}
        key = figure, task, size, batches
        if figure == "fit":
            if key not in self.kept:
                self.kept = {key: self._pairs("read", task, size, batches + 2)}
                for _ in range(2):  # fills the cache
                    list(self.kept[key])
            self.model.fit(self.kept[key], **arguments)
        else:
            batch = next(endless(self._pairs("read", task, size)))
            arrays = [np.concatenate([images] * (batches + 2)) for images in batch]
            self.model.fit(*arrays, batch_size=BATCH_SIZES[size], **arguments)
        return batches * BATCH_SIZES[size] / clock.seconds


class LoaderSide:
    """The figure of a plain PyTorch DataLoader."""

    def __init__(self, folder):
        self.folder = folder
        self.key = None

    def measure(self, figure, task, size, batches):
        import torch

        if self.key != (task, size):
            self.key = task, size
            dataset = PlainDataset(self.folder, degradation_of(task), size)
            self.stream = endless(
                torch.utils.data.DataLoader(
                    dataset,
                    batch_size=BATCH_SIZES[size],
                    num_workers=WORKERS,
                    sampler=torch.utils.data.RandomSampler(
                        dataset, replacement=True, num_samples=10**6
                    ),
                )
            )
        return pairs_a_second(self.stream, BATCH_SIZES[size], batches)


class PlainDataset:
    """As many write it: decode, crop, degrade, flip."""

    def __init__(self, folder, degradation, size):
        self.clean = sorted((folder / "clean").iterdir())
        self.degraded = sorted((folder / "degraded").iterdir())
        self.degradation = degradation
        self.size = size

    def __len__(self):
        return len(self.clean)

    def __getitem__(self, index):
        import cv2
        import numpy as np

        def read(path):
            return cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)

        random = np.random.default_rng()
        clean = read(self.clean[index])
        corner = [int(random.integers(n - self.size + 1)) for n in clean.shape[:2]]
        if self.degradation is None:
            degraded = read(self.degraded[index])
            inside = tuple(slice(start, start + self.size) for start in corner)
        else:
            margin = self.degradation.margin
            multiple = self.degradation.size_multiple
            block, inside = [], []
            for start, limit in zip(corner, clean.shape[:2]):
                low = max(0, start - margin) // multiple * multiple
                high = -(-(start + self.size + margin) // multiple) * multiple
                block.append(slice(low, min(limit, high)))
                inside.append(slice(start - low, start - low + self.size))
            clean, inside = clean[tuple(block)], tuple(inside)
            degraded = self.degradation(clean, random)
        turns, mirrored = random.integers(4), random.integers(2)
        pair = []
        for image in (degraded[inside], clean[inside]):
            image = np.rot90(image, turns)
            pair.append(np.ascontiguousarray(image[:, ::-1] if mirrored else image))
        return tuple(pair)


def endless(batches):
    while True:
        yield from batches


def pairs_a_second(stream, batch_size, batches):
    for _ in range(AHEAD):
        next(stream)
    start = time.perf_counter()
    for _ in range(batches):
        next(stream)
    return batches * batch_size / (time.perf_counter() - start)


def work(name, folder):
    """Answer each line `[figure, task, size, batches]` with a number."""
    answers = os.fdopen(os.dup(1), "w")  # libraries may print: not into answers
    os.dup2(2, 1)
    side = {"keras": KerasSide, "loader": LoaderSide}[name](pathlib.Path(folder))
    for line in sys.stdin:
        print(json.dumps(side.measure(*json.loads(line))), file=answers, flush=True)


class Worker:
    """A handle on a worker's process."""

    def __init__(self, name, backend, folder):
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--worker", name, folder],
            env={**os.environ, **ENVIRONMENT, "KERAS_BACKEND": backend},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def measure(self, *request):
        print(json.dumps(request), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("A worker died; its message stands above.")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


# === The parent ===


def compare(tasks, sizes, rounds, batches, folder):
    """The figures: a list of dicts, one for each task and size."""
    keras_side = Worker("keras", "tensorflow", folder)
    sides = dict.fromkeys(COLUMNS, keras_side)
    sides["loader"] = Worker("loader", "torch", folder)
    results = []
    for size in sizes:
        for task in tasks:
            row = dict.fromkeys(COLUMNS, 0.0)
            for _ in range(rounds):
                for figure, side in sides.items():
                    count = batches if figure in ("train", "fit") else 4 * batches
                    found = side.measure(figure, task, size, count)
                    row[figure] = max(row[figure], found)
            row = {"task": task, "size": size, **row}
            row["uncached / loader"] = row["uncached"] / row["loader"]
            row["fit / train"] = row["fit"] / row["train"]
            results.append(row)
            print_row(row)
    for side in set(sides.values()):
        side.close()
    return results


def print_row(row):
    figures = "".join(f"{row[name]:>10.0f}" for name in COLUMNS)
    ratios = f"{row['uncached / loader']:>12.2f}{row['fit / train']:>12.2f}"
    print(f"{row['task']:<15}{row['size']:>5}{figures}{ratios}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument(
        "--size", nargs="+", type=int, choices=BATCH_SIZES, default=list(BATCH_SIZES)
    )
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--batches", type=int, default=10, help="a round of training")
    parser.add_argument("--photographs", help="folder with `degraded` and `clean`")
    parser.add_argument("--json", metavar="PATH", help="also write the figures here")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return work(*options.worker)
    names = "".join(f"{name:>10}" for name in COLUMNS)
    print(f"{'pairs a second':<15}{'size':>5}{names}{'unc/load':>12}{'fit/train':>12}")
    with tempfile.TemporaryDirectory() as made:
        folder = options.photographs or made
        if not options.photographs:
            write_photographs(pathlib.Path(made))
        results = compare(
            options.task, options.size, options.rounds, options.batches, folder
        )
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
