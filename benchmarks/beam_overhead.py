"""What a pipeline of Apache Beam costs beyond the plain command.

    python benchmarks/beam_overhead.py --count 2000 --rounds 3

Makes files of mixed sizes, one in a hundred broken, and restores them in one step by
`keras-indi restore` and by `keras-indi beam` with one and with two processes, in turn.
Prints the median seconds of each with its ratio to the plain command, and whether all
results are the same.
"""

import argparse
import io
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).parents[1]
COMMANDS = {
    "plain": ["restore"],
    "beam, 1 process": ["beam"],
    "beam, 2 processes": ["beam", "--direct_num_workers", "2"],
}


def make_files(folder, count, sides):
    """JPEG files of random sizes, every hundredth cut off."""
    rng = np.random.default_rng(0)
    for index in range(count):
        size = rng.integers(*sides, 2, endpoint=True)
        small = rng.integers(0, 256, (*(size // 8 + 1), 3), "uint8")
        image = Image.fromarray(small).resize((size[1], size[0]), Image.BICUBIC)
        content = io.BytesIO()
        image.save(content, "JPEG", quality=int(rng.integers(10, 60)))
        content = content.getvalue()
        path = folder / f"{index % 10}" / f"{index:05d}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content[: len(content) // (2 if index % 100 == 50 else 1)])


def run(command, source, output, preset):
    """Run a command as a user does; its seconds."""
    shutil.rmtree(output, ignore_errors=True)
    start = [sys.executable, "-c", "from keras_indi_cli.launcher import main; main()"]
    name, *more = command
    options = ["-o", output, "--preset", preset, "--steps", "1", *more]
    begin = time.perf_counter()
    result = subprocess.run(
        [*start, name, source, *map(str, options)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - begin
    if result.returncode != 1:  # the broken ones are named
        raise SystemExit(result.stderr[-2000:])
    return seconds


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.jpg")
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--sides", type=int, nargs=2, default=[64, 192])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--preset", default="indi_small_jpeg")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        source = folder / "in"
        source.mkdir()
        make_files(source, options.count, options.sides)
        seconds = {name: [] for name in COMMANDS}
        found = {}
        for _ in range(options.rounds):
            for name, command in COMMANDS.items():
                output = folder / "out"
                seconds[name].append(run(command, source, output, options.preset))
                found[name] = contents(output)
        plain = statistics.median(seconds["plain"])
        print(f"{options.count} files of {options.sides} pixels, {options.preset}")
        for name, times in seconds.items():
            median = statistics.median(times)
            same = sum(found["plain"][key] == data for key, data in found[name].items())
            print(
                f"{name:18} {median:7.1f} s   {median / plain:5.2f}   "
                f"{len(found[name])} results, {same} with the plain command's bytes"
            )


if __name__ == "__main__":
    main()
