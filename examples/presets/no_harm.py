"""Measure that a preset for any file leaves alone what is good, and restores the rest.

    python examples/presets/no_harm.py indi_small_blind --data DATA --out measured

Degrades the photographs of kodak24 (the middle 256x256 pixels of each), and drawn
screenshots and line art, not at all, mildly and strongly, and restores them at the
preset's default setting; the camera's pairs of polyu100/eval as they are. Prints and
writes, to `measured/no_harm_NAME.md`: the mean PSNR of what goes in, the mean and the
worst change, and the change by the preset that is made for the kind alone.
"""

import argparse
import functools
import pathlib
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import keras_indi
from keras_indi import data
from keras_indi.data.degradations import (
    Compose,
    Degradation,
    GaussianNoise,
    JPEGCompression,
    Quantization,
)
from keras_indi.images.whole_writes import write_text
from keras_indi.metrics import PSNR

SIZE = 256  # pixels
LOSSLESS = 99.0  # dB, of equal images
METRIC = PSNR()
WORDS = "File  Edit  View  Help  The quick brown fox jumps over 0123456789 {};()"


class Case(NamedTuple):
    """A degradation, and the preset that is made for it, if there is one."""

    degradation: Degradation
    specialist: str | None = None


def noise(sigma, correlation=0.0, monochromatic=False):
    added = GaussianNoise(sigma, correlation, monochromatic)
    return Compose([added, Quantization()])


CASES = {
    "nothing": Case(Quantization()),
    "noise 2": Case(noise(2)),
    "noise 5": Case(noise(5)),
    "JPEG 95": Case(JPEGCompression(95)),
    "JPEG 85": Case(JPEGCompression(85)),
    "JPEG 75": Case(JPEGCompression(75)),
    "noise 15": Case(noise(15), "indi_small_denoise"),
    "noise 25": Case(noise(25), "indi_small_denoise"),
    "noise 50": Case(noise(50), "indi_small_denoise"),
    "coarse noise 10": Case(noise(10, 0.8), "indi_small_denoise"),
    "coarse noise 25": Case(noise(25, 0.8), "indi_small_denoise"),
    "grey noise 25": Case(noise(25, monochromatic=True), "indi_small_denoise"),
    "JPEG 30": Case(JPEGCompression(30), "indi_small_jpeg"),
    "JPEG 20": Case(JPEGCompression(20), "indi_small_jpeg"),
    "JPEG 10": Case(JPEGCompression(10), "indi_small_jpeg"),
}


def screenshot(dark=False):
    """A window with a menu and lines of text, as screens show them: no antialiasing
    but the letters'."""
    ground, ink = ((30, 30, 30), (210, 210, 210)) if dark else ("white", (20, 20, 20))
    image = Image.new("RGB", (SIZE, SIZE), ground)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, SIZE, 27), fill=(40, 60, 90))
    draw.text((8, 6), WORDS, "white", ImageFont.load_default(13))
    for line in range(14):
        colour = ink if line % 3 else (190, 90, 60)
        draw.text(
            (10, 36 + 15 * line), WORDS[line:], colour, ImageFont.load_default(11)
        )
    return np.array(image)


def line_art(seed=0):
    """Black strokes and circles on white, antialiased."""
    rng = np.random.default_rng(seed)
    image = Image.new("L", (4 * SIZE, 4 * SIZE), "white")
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        points = [tuple(point) for point in rng.uniform(0, 4 * SIZE, (3, 2))]
        draw.line(points, 0, int(rng.integers(4, 12)))
        left, top = rng.uniform(0, 3.5 * SIZE, 2)
        width, height = rng.uniform(60, 400, 2)
        draw.ellipse((left, top, left + width, top + height), outline=0, width=6)
    image = image.resize((SIZE, SIZE), Image.Resampling.LANCZOS).convert("RGB")
    return np.array(image)


def drawn():
    """Dict of names to drawn images, uint8 of shape `(256, 256, 3)`."""
    return {
        "screenshot": screenshot(),
        "dark screenshot": screenshot(dark=True),
        "line art": line_art(),
    }


def middle(image, size=SIZE):
    """The middle square of an image."""
    top, left = ((extent - size) // 2 for extent in image.shape[:2])
    return image[top : top + size, left : left + size]


def decibels(first, second):
    """PSNR of each of two lists' pairs of images, at most `LOSSLESS`."""
    pairs = zip(first, second)
    found = [METRIC.per_image(a[None], b[None])[0] for a, b in pairs]
    return np.minimum(found, LOSSLESS)


def changes(model, degraded, clean):
    """PSNR before, and by how much a restoration changes it, image by image."""
    before = decibels(degraded, clean)
    restored = model.restore(degraded, seed=0, verbose=0)
    return before, decibels(restored, clean) - before


# Each specialist restores several sets.
loaded = functools.cache(keras_indi.load_restorer)


def rows(model, name, images, dtype="float32"):
    """The table's rows of some clean images."""
    for case, (degradation, specialist) in CASES.items():
        degraded = [degradation(image, seed) for seed, image in enumerate(images)]
        before, change = changes(model, degraded, images)
        other = None
        if specialist is not None:
            special = loaded(specialist, dtype)
            other = changes(special, degraded, images)[1]
        yield name, case, before, change, other


def as_markdown(name, case, before, change, other):
    if np.min(before) == LOSSLESS:  # what is left of an image that was whole
        after = before + change
        cells = ["", f"{after.mean():.2f} dB", f"{after.min():.2f} dB"]
    else:
        cells = [
            f"{before.mean():.2f}",
            f"{change.mean():+.2f}",
            f"{change.min():+.2f}",
        ]
    cells.append("" if other is None else f"{other.mean():+.2f}")
    return f"| {name} | {case} | " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("preset")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--folder", default="kodak24", help="of DATA, clean images")
    parser.add_argument("--dtype", default="float32")
    options = parser.parse_args()
    model = keras_indi.load_restorer(options.preset, options.dtype)
    lines = [
        "| images | degraded by | PSNR | change, mean | change, worst | specialist |",
        "|---|---|---|---|---|---|",
    ]
    print(*lines, sep="\n", flush=True)

    def add(*row):
        lines.append(as_markdown(*row))
        print(lines[-1], flush=True)

    files = data.find_images(options.data / options.folder).values()
    photographs = [middle(data.read_image(path)) for path in files]
    for row in rows(model, options.folder, photographs, options.dtype):
        add(*row)
    for name, image in drawn().items():
        for row in rows(model, name, [image], options.dtype):
            add(*row)
    camera = options.data / "polyu100" / "eval"
    if camera.exists():
        pairs = [data.find_images(camera / part) for part in ("degraded", "clean")]
        names = sorted(set(pairs[0]) & set(pairs[1]))
        degraded, clean = (
            [data.read_image(part[name]) for name in names] for part in pairs
        )
        add("polyu100/eval", "a camera", *changes(model, degraded, clean), None)
    name = pathlib.Path(options.preset).name
    print(write_text(options.out / f"no_harm_{name}.md", "\n".join(lines) + "\n"))


if __name__ == "__main__":
    main()
