"""The commands that campaigns break off: their inputs, and what they leave."""

import argparse
import csv
import hashlib
import io
import os
import pathlib
import re
import subprocess
import sys
import zipfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = "OUT"  # stands for the output directory among a command's arguments
# What a training has before it is done, and what it has more of then.
DATE = re.compile(rb"\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d")  # of a preset
BACKUP, LOG, BEST = "backup.weights.h5", "training.csv", "best.keras"


def make_parser(description, names, **sizes):
    """The parser of a campaign's arguments.

    Args:
        description: String, of which the first line is shown.
        names: Sequence of strings, the commands that it breaks off.
        **sizes: `side`, `pairs` and `batches` of `make_inputs`, by default.
    """
    parser = make_common_parser(description)
    parser.add_argument("--commands", nargs="+", choices=names, default=names)
    helps = {
        "side": "pixels, of images",
        "pairs": "images to evaluate",
        "batches": "of a training",
    }
    for name, size in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=size, help=helps[name])
    return parser


def make_common_parser(description):
    """The parser of the arguments that all campaigns of commands have.

    Args:
        description: String, of which the first line is shown.
    """
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--backend", default=os.environ.get("KERAS_BACKEND", "tensorflow")
    )
    return parser


def make_inputs(folder, side=1500, pairs=200, batches=600):
    """Writes images, a model and configurations.

    Args:
        folder: `pathlib.Path`, which is made.
        side: Int, pixels, height of the images to restore.
        pairs: Int, pairs of small images to evaluate.
        batches: Int, of a training.

    Returns:
        Dict of the runs' names to the arguments of `keras-indi`, with `OUT` in them.
        Each may be run again, and goes on.
    """
    from keras_indi.models import InDI, UNetBackbone

    folder.mkdir(parents=True)
    model = folder / "model.keras"
    own = InDI(UNetBackbone(3, 4, (1, 2), 1), noise_schedule=0.05, seed=0)
    own.save(model)
    own.save_to_preset(folder / "preset")
    write_large(folder / "large", side)
    write_pairs(folder / "many", pairs)
    write_pairs(folder / "few", 6)
    for name, every in (("train", max(100, batches // 3)), ("train-every-3", 3)):
        write_training(folder / f"{name}.yaml", folder / "few", batches, every)
    degraded = ["--degraded", str(folder / "few/degraded")]
    many = folder / "many"
    restore = ["restore", str(folder / "large"), str(folder / "large/slide.zarr")]
    restore += ["-o", OUT, "--preset", str(folder / "preset"), "--steps", "1"]
    steps = ",".join(map(str, range(1, 13)))
    return {
        "restore": [*restore, "--dtype", "float32", "--skip-existing"],
        **{
            name: ["train", "--config", str(folder / f"{name}.yaml"), "-o", OUT]
            for name in ("train", "train-every-3")
        },
        "evaluate": [
            *("evaluate", "--restored", str(many / "degraded")),
            *("--clean", str(many / "clean"), "-o", OUT),
        ],
        "trade-off": [
            *("trade-off", str(model), *degraded, "--clean", str(folder / "few/clean")),
            *("--steps", steps, "--samplers", "indi,heun", "-o", OUT),
        ],
    }


def waves(height, width, channels, seed):
    """An image in [0, 1], with so much noise that its file is large."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width].astype("float32")
    image = 0.5 + 0.3 * np.sin(rows / 23) * np.cos(columns / 31)
    return np.clip(image[..., None] + 0.1 * rng.random((1, 1, channels)), 0, 1) * (
        0.9 + 0.1 * rng.random((height, width, channels), "float32")
    )


def write_large(folder, side):
    """Writes one image of each kind that is written in a way of its own."""
    import cv2
    import tifffile
    import zarr
    from PIL import Image

    folder.mkdir()
    image = waves(side, side * 4 // 3, 3, 0)
    small, deep = (255 * image).astype("uint8"), (65535 * image).astype("uint16")
    Image.fromarray(small).save(folder / "a.png", compress_level=1)
    Image.fromarray(small[::-1]).save(folder / "b.jpg", quality=90)
    cv2.imwrite(str(folder / "c.png"), deep)
    tifffile.imwrite(folder / "d.tif", deep, photometric="rgb")
    exif = Image.Exif()
    exif[0x8769] = {0x829A: 0.01}
    Image.fromarray(small[:, ::-1]).save(folder / "e.tif", exif=exif.tobytes())
    Image.fromarray(small[::2, ::2]).save(folder / "f.webp", lossless=True)
    planes = np.ascontiguousarray(np.moveaxis(deep, -1, 0))  # restored by blocks
    tifffile.imwrite(
        folder / "g.tif", planes, photometric="minisblack", metadata={"axes": "CYX"}
    )
    array = zarr.create_array(
        folder / "slide.zarr", shape=small.shape, dtype="uint8", chunks=(512, 512, 3)
    )
    array[:] = small
    for number, path in enumerate(sorted(folder.iterdir())):
        os.utime(path, (10**9 + number, 10**9 + number))


def write_pairs(folder, count):
    """Writes small pairs, in the folders `clean` and `degraded`."""
    from PIL import Image

    for side in ("clean", "degraded"):
        (folder / side).mkdir(parents=True)
    for number in range(count):
        clean = waves(48, 40, 3, number)
        noise = np.random.default_rng(number).normal(0, 0.1, clean.shape)
        for side, image in (("clean", clean), ("degraded", clean + noise)):
            pixels = (255 * np.clip(image, 0, 1)).astype("uint8")
            Image.fromarray(pixels).save(folder / side / f"{number:03}.png")


def write_training(path, folder, batches, every):
    """Writes a configuration, whose backups are at most `every` batches apart."""
    path.write_text(
        f"""clean: {folder}/clean
degraded: {folder}/degraded
validation_clean: {folder}/clean
validation_degraded: {folder}/degraded
network: {{base_channels: 4, channel_multipliers: [1, 2], blocks_per_level: 1}}
batches: {batches if every > 3 else max(12, batches // 10)}
batches_per_epoch: {every}
batch_size: 2
crop_size: 32
learning_rate: 1e-3
dtype: float32
"""
    )


def with_output(arguments, out):
    """The arguments of a run with its output directory."""
    return [str(out) if part == OUT else part for part in arguments]


def command(arguments, out):
    """The command line of a run with its output directory."""
    return [sys.executable, "-m", "keras_indi_cli", *with_output(arguments, out)]


def environment(backend, **more):
    """The environment of a run, in which the same steps give the same bits."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    threads = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    return {
        **os.environ,
        **dict.fromkeys(threads, "1"),
        "KERAS_BACKEND": backend,
        "PYTHONPATH": path,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **more,
    }


def run(arguments, out, environ, limit=900):
    """Runs a command to its end, and returns the finished process."""
    return subprocess.run(
        command(arguments, out),
        env=environ,
        capture_output=True,
        text=True,
        timeout=limit,
    )


def digest(folder):
    """A string that changes with any file in a folder."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        found.update(str(path.relative_to(folder)).encode())
        if path.is_file():
            found.update(f"{path.stat().st_mtime_ns}".encode())
            found.update(path.read_bytes())
    return found.hexdigest()


# === What a run leaves ===


def visible(folder):
    """Dict of relative names to paths of the files that are not hidden."""
    paths = {path.relative_to(folder): path for path in folder.rglob("*")}
    return {
        name.as_posix(): path
        for name, path in sorted(paths.items())
        if path.is_file() and not any(part.startswith(".") for part in name.parts)
    }


def hidden(folder):
    """The names of the hidden files and folders in a folder and below."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob(".*"))
    return sorted(names)


def problems(out, reference, done, dates=False):
    """What is wrong with the output directory of a run that was broken off.

    Args:
        out: `pathlib.Path`.
        reference: `pathlib.Path` of the output of a run that was not.
        done: Bool, whether the run was then brought to its end.
        dates: Bool, whether the dates of files must be the same.

    Returns:
        List of strings.
    """
    found, wanted = visible(out), visible(reference)
    told = []
    for name, path in found.items():
        try:
            if name in (BACKUP, BEST) and not done:
                values(path)  # another state than the last, but a whole one
            elif name == LOG and not done:
                _check_begins(path, wanted[name])
            elif name not in wanted:
                told.append(f"{name}: not among the results")
            elif values(path) != values(wanted[name]):
                told.append(f"{name}: differs")
            elif dates and _date(out, name) != _date(reference, name):
                told.append(f"{name}: another date")
        except Exception as error:  # of whatever reads a torn file
            told.append(f"{name}: {type(error).__name__}: {error}")
    if done:
        told += [f"{name}: missing" for name in wanted if name not in found]
        told += [f"{name}: left over" for name in hidden(out)]
    return told


def progress(out, reference):
    """Which share of its results a run has, roughly."""
    log = out / LOG
    if (reference / LOG).exists():
        lines = log.read_text().count("\n") - 1 if log.exists() else 0
        return lines / ((reference / LOG).read_text().count("\n") - 1)
    return len(visible(out)) / len(visible(reference))


def values(path):
    """What a file stands for: its bytes, or its values where those hold a date."""
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as file:
            assert file.testzip() is None
            return _of_hdf5(io.BytesIO(file.read("model.weights.h5")))
    if path.suffix == ".h5":
        return _of_hdf5(path)
    return DATE.sub(b"", path.read_bytes())


def _of_hdf5(file):
    import h5py

    found = {}

    def add(name, entry):
        if isinstance(entry, h5py.Dataset):
            found[name] = (str(entry.dtype), entry.shape, entry[()].tobytes())

    with h5py.File(file) as file:
        file.visititems(add)
    return found


def _check_begins(path, whole):
    """The lines of a log must be the first of the whole one, but for its columns."""
    here, there = (list(csv.DictReader(p.open())) for p in (path, whole))
    if here != there[: len(here)]:
        raise ValueError("other lines than those of the whole log")


def _date(folder, name):
    return (folder / pathlib.PurePath(name).parts[0]).stat().st_mtime_ns
