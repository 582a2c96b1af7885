"""The photographs that nothing is trained on: degraded, cropped, written down."""

import collections
import hashlib
import pathlib

import numpy as np
from PIL import Image

from keras_indi import data
from keras_indi.data.degradations import Degradation
from keras_indi.images.image_files import match_folders
from keras_indi.images.whole_writes import write_whole


def held_out_folders(config, sources, root, runs):
    """Write the pairs of some sets, if they are not there yet.

    A photograph is degraded with the seed of its number in the order of names.

    Args:
        config: `Config`.
        sources: Dict, `config.held_out` or `config.shown`.
        root: Path of the folder of data.
        runs: Path of what all experiments of a scale share.

    Returns:
        Dict of names to pairs of folders, of degraded and of clean images. Beside them
        are those of what each of `config.tools` makes of the degraded ones.
    """
    found = {}
    for name, source in sources.items():
        kind = source if isinstance(source, (str, tuple)) else source.__name__
        depends = (kind, config.degradation, config.crop, config.tiles)
        depends = repr((*depends, *config.tools) if config.tools else depends)
        digest = hashlib.sha256(depends.encode()).hexdigest()[:8]
        out = runs / "held_out" / f"{name}-{digest}"
        if not out.exists():
            write_whole(out, Writer(config, source, root))
        found[name] = (out / "degraded", out / "clean")
    return found


class Writer:
    """Write the pairs of a set into a folder.

    Args:
        config: `Config`.
        source: A value of `config.held_out`.
        root: Path of the folder of data.
    """

    def __init__(self, config, source, root):
        self.config = config
        self.source = source
        self.root = root

    def __call__(self, folder):
        for number, (name, degraded, clean) in enumerate(self.photographs()):
            sides = {"degraded": degraded, "clean": clean}
            for tool, restore in self.config.tools.items():
                sides[tool] = restore(degraded, clean, self.config.degradation, number)
            for tile in self.tiles(*clean.shape[:2]):
                rows, columns = tile
                file_name = f"{name}_{rows.start or 0}_{columns.start or 0}.png"
                for side, image in sides.items():
                    save_image(pathlib.Path(folder, side, file_name), image[tile])

    def photographs(self):
        """Yield name, degraded and clean image of whole photographs."""
        source, degradation = self.source, self.config.degradation
        if isinstance(source, tuple) and isinstance(source[1], Degradation):
            source, degradation = source
        if isinstance(source, str):
            files = data.find_images(self.root / source)
            for number, (inside, path) in enumerate(sorted(files.items())):
                clean = data.read_image(path, 3)
                height, width = (size // 4 * 4 for size in clean.shape[:2])
                clean = clean[:height, :width]
                degraded = degradation(clean, number)
                yield inside.replace("/", "_"), degraded, clean
            return
        if callable(source):
            pairs = source(self.root)
        else:
            sides = (self.root / side for side in source)
            pairs = match_folders(*sides).pairs
        for inside, paths in sorted(pairs.items()):
            degraded, clean = (data.read_image(path, 3) for path in paths)
            yield inside.replace("/", "_"), degraded, clean

    def tiles(self, height, width):
        """Yield the pairs of slices to cut out of a photograph."""
        size = self.config.crop
        if size is None:
            yield slice(None), slice(None)
            return
        if self.config.tiles:
            counts = height // size, width // size
        else:
            counts = 1, 1
        top, left = (
            max(0, (length - count * size) // 2)
            for length, count in zip((height, width), counts)
        )
        for row in range(counts[0]):
            for column in range(counts[1]):
                yield tuple(
                    slice(start, start + size)
                    for start in (top + row * size, left + column * size)
                )


def by_photograph(table, names=None):
    """Dict of metrics to arrays: the mean over the tiles of each photograph.

    Args:
        table: `Table`, a row a tile.
        names: The tiles' names. Defaults to those of the table.
    """
    tiles = collections.defaultdict(list)
    for name, row in zip(names or [row["name"] for row in table], table):
        tiles[name.rsplit("_", 2)[0]].append(row)
    return {
        metric: np.array(
            [np.mean([row[metric] for row in tiles[name]]) for name in sorted(tiles)]
        )
        for metric in table.protocol.columns
        if all(metric in row for row in table)
    }


def save_image(path, image):
    write_whole(path, Image.fromarray(image).save)


def data_folder(options):
    """The folder of data of a run: at the smoke scale, one that is made for it."""
    if options.scale == "smoke":
        make_smoke_data(options.shared / "data")
        return options.shared / "data"
    if options.data is None:
        raise SystemExit("--data FOLDER, the folder of photographs, is needed")
    return options.data


def make_smoke_data(folder):
    """Two pictures of waves, in place of photographs."""
    for index in range(2):
        rows, columns = np.mgrid[:64, :64] / (3.0 + index)
        channels = [np.sin(rows + k) * np.cos(columns - k) for k in range(3)]
        picture = (127.5 + 120 * np.stack(channels, axis=-1)).astype("uint8")
        save_image(folder / "smoke" / f"{index}.png", picture)
