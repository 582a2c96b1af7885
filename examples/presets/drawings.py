"""Draw what the photographs do not show: screens, grain, other scales and colours.

    pip install ".[evaluation]"
    python examples/presets/drawings.py --data DATA

Writes clean images to train on, below DATA:

- `drawn/train`: screenshots and line art of random words, colours and fonts, which keep
  the edges of letters;
- `grain/train`: photographs of `photographs/train` with the fine grain of film, which
  keep a network from taking a photograph's own grain for noise;
- `varied/train`: each of them reduced, at a random scale, and with other colours: the
  few hundred photographs as they are were learned by heart (README.md);
- `grey/train`: each of them without colours.
"""

import argparse
import pathlib
import string

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from keras_indi import data
from keras_indi.images.whole_writes import write_whole

SIZE = 320  # pixels
LEAST = 200  # pixels, the shorter side of what is reduced
VARIANTS = 2  # of each photograph
LETTERS = string.ascii_letters * 3 + string.digits + string.punctuation + " " * 20


def fonts():
    """Paths of the fonts that matplotlib carries, without those of symbols."""
    folder = pathlib.Path(matplotlib.get_data_path(), "fonts", "ttf")
    return sorted(str(path) for path in folder.glob("DejaVuSa*.ttf"))


def words(rng, length):
    return "".join(rng.choice(list(LETTERS), length))


def colour(rng, dark=None):
    """A colour, grey in half of the cases; `dark` or bright where that is asked."""
    low, high = {None: (0, 256), True: (0, 90), False: (170, 256)}[dark]
    if rng.random() < 0.5:
        return (int(rng.integers(low, high)),) * 3
    return tuple(int(value) for value in rng.integers(low, high, 3))


def screen(rng):
    """Windows with text, rules, buttons and curves, with sharp edges."""
    dark = bool(rng.random() < 0.4)
    image = Image.new("RGB", (SIZE, SIZE), colour(rng, dark))
    draw = ImageDraw.Draw(image)
    draw.fontmode = "1" if rng.random() < 0.2 else "L"
    for _ in range(rng.integers(2, 6)):
        left, top = rng.integers(-40, SIZE - 40, 2)
        right, bottom = left + rng.integers(60, 280), top + rng.integers(30, 240)
        own_dark = dark if rng.random() < 0.8 else not dark
        draw.rectangle((left, top, right, bottom), colour(rng, own_dark), colour(rng))
        size = int(rng.integers(8, 22))
        font = ImageFont.truetype(str(rng.choice(fonts())), size)
        ink = colour(rng, not own_dark)
        for line in range(int(top) + 4, int(bottom) - size, int(size * 1.4)):
            if rng.random() < 0.15:
                ink = colour(rng, not own_dark)
            text = words(rng, int(max(2, (right - left) / size * 1.4)))
            draw.text((left + 5, line), text, ink, font)
    for _ in range(rng.integers(0, 3)):
        points = [tuple(point) for point in rng.integers(0, SIZE, (6, 2)).tolist()]
        draw.line(points, colour(rng), int(rng.integers(1, 4)))
    return np.array(image)


def lines(rng):
    """Strokes, circles and letters, antialiased, of ink on paper."""
    paper = (255, 255, 255) if rng.random() < 0.7 else colour(rng, dark=False)
    image = Image.new("RGB", (3 * SIZE, 3 * SIZE), paper)
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(10, 40)):
        ink = (0, 0, 0) if rng.random() < 0.7 else colour(rng, dark=True)
        points = [tuple(p) for p in rng.uniform(0, 3 * SIZE, (3, 2)).tolist()]
        draw.line(points, ink, int(rng.integers(2, 12)))
        left, top = rng.uniform(0, 2.5 * SIZE, 2)
        box = (left, top, left + rng.uniform(30, 400), top + rng.uniform(30, 400))
        fill = colour(rng) if rng.random() < 0.2 else None
        draw.ellipse(box, fill, ink, int(rng.integers(2, 9)))
        font = ImageFont.truetype(str(rng.choice(fonts())), int(rng.integers(24, 120)))
        draw.text((left, top), words(rng, 8), ink, font)
    return np.array(image.resize((SIZE, SIZE), Image.Resampling.LANCZOS))


def grainy(photograph, rng):
    """A photograph with grain of 1 to 4 grey levels, finer or coarser, grey or not."""
    shape = photograph.shape if rng.random() < 0.5 else (*photograph.shape[:2], 1)
    width = rng.uniform(0, 0.8)
    grain = gaussian_filter(rng.standard_normal(shape), (width, width, 0))
    grain *= rng.uniform(1, 4) / grain.std()
    return np.clip(np.rint(photograph + grain), 0, 255).astype("uint8")


def varied(photograph, rng):
    """A photograph reduced to 0.4 to 0.9 of its size, with channels exchanged, other
    saturation, contrast and brightness."""
    image = Image.fromarray(photograph)
    # Not smaller than the crops with what a degradation looks at around them.
    scale = max(rng.uniform(0.4, 0.9), min(1, LEAST / min(image.size)))
    size = [round(scale * side) for side in image.size]
    reduced = np.asarray(image.resize(size, Image.Resampling.LANCZOS)) / 255.0
    reduced = reduced[..., rng.permutation(3)]
    grey = reduced.mean(axis=-1, keepdims=True)
    reduced = grey + rng.uniform(0.5, 2.0) * (reduced - grey)
    reduced = np.clip(reduced, 0, 1) ** np.exp(rng.uniform(-0.5, 0.5))
    return np.rint(255 * rng.uniform(0.7, 1.0) * reduced).astype("uint8")


def write(path, picture):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, picture.save)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument(
        "--count", type=int, default=120, help="drawn, and as many with grain"
    )
    options = parser.parse_args()
    photographs = list(data.find_images(options.data / "photographs/train").values())
    for index in range(options.count):
        rng = np.random.default_rng((7, index))
        chosen = data.read_image(photographs[index * len(photographs) // options.count])
        pictures = {
            f"drawn/train/{index:03d}": (screen, lines)[index % 2](rng),
            f"grain/train/{index:03d}": grainy(chosen, rng),
        }
        for name, picture in pictures.items():
            write(options.data / f"{name}.png", Image.fromarray(picture))
    for index, path in enumerate(photographs):
        photograph = data.read_image(path)
        grey = Image.fromarray(photograph).convert("L")
        write(options.data / f"grey/train/{index:03d}.png", grey)
        for variant in range(VARIANTS):
            rng = np.random.default_rng((8, index, variant))
            picture = Image.fromarray(varied(photograph, rng))
            write(options.data / f"varied/train/{index:03d}-{variant}.png", picture)


if __name__ == "__main__":
    main()
