"""What tiles cost, and how much memory a restoration takes as images grow.

    KERAS_BACKEND=jax python benchmarks/tiling.py cost
    KERAS_BACKEND=jax python benchmarks/tiling.py memory --megapixels 8 24 100

`cost` times one image restored whole and in tiles, alternating, in one process,
and prints the ratio of the medians. `memory` restores from TIFF to TIFF with
`max_memory`, each size in a process of its own, and prints the peak of its resident
memory above what it had once the network had run on a small image.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import keras
import numpy as np

from keras_indi.models import InDI, UNetBackbone
from keras_indi.restoration import restore_file
from keras_indi.training import NETWORK


def preset_model():
    """A restorer of the shipped small presets' network, with weights of noise."""
    keras.utils.set_random_seed(0)
    network = UNetBackbone(**NETWORK)
    rng = np.random.default_rng(0)
    for variable in network.weights:
        scale = (
            1.0 / np.sqrt(np.prod(variable.shape[:-1]))
            if len(variable.shape) > 1
            else 0.1
        )
        variable.assign(scale * rng.standard_normal(variable.shape))
    return InDI(network)


def photograph(height, width):
    """A uint8 image that no compression makes small."""
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), "uint8")


def cost(options):
    model = preset_model()
    image = photograph(options.height, options.width)
    arguments = {"num_steps": 1, "verbose": 0, "seed": 0}
    ways = {
        "whole": {"tile_size": None},
        "tiled": {"tile_size": "auto", "max_memory": options.max_memory},
    }
    seconds = {name: [] for name in ways}
    results = {}
    for _ in range(options.rounds + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            results[name] = model.restore(image, **way, **arguments).astype("int")
            seconds[name].append(time.perf_counter() - start)
    whole, tiled = (statistics.median(seconds[name][1:]) for name in ways)
    difference = np.abs(results["whole"] - results["tiled"]).max()
    print(
        f"{keras.config.backend()} {options.height}x{options.width}: whole {whole:.2f} "
        f"s, tiled {tiled:.2f} s, ratio {tiled / whole:.3f}; largest difference "
        f"{difference} of 255"
    )


def memory(options):
    for megapixels in options.megapixels:
        command = [sys.executable, __file__, "one", "--megapixels", str(megapixels)]
        command += ["--max-memory", str(options.max_memory)]
        subprocess.run(command, check=True)


def one(options):
    (megapixels,) = options.megapixels
    import tifffile

    model = preset_model()
    model.restore(photograph(64, 64), num_steps=1)
    height, width = (round(side * (megapixels * 1e6 / 12) ** 0.5) for side in (3, 4))
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "source.tif")
        # In a process of its own, so that the image made here counts nowhere.
        script = (
            "import numpy as np, tifffile; tifffile.imwrite("
            f"{str(source)!r}, np.random.default_rng(0).integers(0, 256, "
            f"({height}, {width}, 3), 'uint8'), photometric='rgb', tile=(256, 256))"
        )
        subprocess.run([sys.executable, "-c", script], check=True)
        before = _memory("VmRSS")
        start = time.perf_counter()
        target = pathlib.Path(folder, "restored.tif")
        restore_file(
            model, source, target, num_steps=1, max_memory=options.max_memory, verbose=0
        )
        seconds = time.perf_counter() - start
        assert tifffile.TiffFile(target).series[0].shape == (height, width, 3)
        peak = (_memory("VmHWM") - before) / 2**20
    print(
        f"{keras.config.backend()} {height * width / 1e6:.1f} megapixels: peak "
        f"{peak:.0f} MiB above {before / 2**20:.0f} MiB, {seconds:.0f} s",
        flush=True,
    )


def _memory(name):
    """Bytes, of the process's status (Linux)."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * int(line.split()[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["cost", "memory", "one"])
    parser.add_argument("--megapixels", type=float, nargs="+", default=[8, 24, 100])
    parser.add_argument("--max-memory", type=int, default=2**31)
    parser.add_argument("--height", type=int, default=1536)
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    {"cost": cost, "memory": memory, "one": one}[options.what](options)


if __name__ == "__main__":
    main()
