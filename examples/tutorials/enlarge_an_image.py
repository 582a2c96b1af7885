"""
Title: Enlarge an image
Author: The keras_indi developers
Date created: 2026/11/29
Last modified: 2026/11/29
Description: A small image, four times larger: the preset, the dial, and what cannot be known.
Accelerator: None
"""

"""
## What we are going to do

Take a small image and make it four times as high and as wide. Interpolation does that too,
and leaves it blurred. A trained restorer adds detail that the small image only hints at.
You learn to

1. enlarge an image with a preset, and choose the number of steps;
2. enlarge files, large images, and by other factors than four;
3. check what the model added, and see what it cannot know.

*Restore a photograph* explains the method, and is the better first tutorial.
"""

import os
import pathlib
import time

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

import keras_indi
from keras_indi.data.resize import resize
from keras_indi.models import InDI, UNetBackbone

# A smoke run checks this tutorial in seconds, on an untrained network.
SMOKE = os.environ.get("KERAS_INDI_SMOKE") == "1"
RUN = pathlib.Path("runs/enlarge_an_image")
PICTURES = RUN / "pictures" if SMOKE else pathlib.Path("pictures")
PICTURES.mkdir(parents=True, exist_ok=True)
if SMOKE:
    print("Smoke run: an untrained network on small crops. The scores mean nothing.")

"""
## A small image

To enlarge an image of your own, write `small = keras_indi.data.read_image("small.png")`.
Here we shrink a photograph ourselves, so that we know what the result should look like.
`Downsample` averages before it drops pixels, as cameras and image editors do.
"""

photograph = data.coffee()[60:316, 130:386]
if SMOKE:
    photograph = photograph[96:160, 96:160]

shrink = keras_indi.data.degradations.Downsample(4, enlarge=False)
small = shrink(photograph, seed=0)
print(f"{small.shape[1]} x {small.shape[0]} pixels")

"""
A small function shows images side by side and saves the picture.
"""


def show(images, name):
    """Show a dict of titles to images in a row, and save the picture."""
    figure, axes = plt.subplots(
        1, len(images), figsize=(2.6 * len(images), 2.9), layout="constrained"
    )
    for axis, (title, image) in zip(axes, images.items()):
        axis.imshow(image, interpolation="nearest")
        axis.set_title(title, fontsize=9)
        axis.axis("off")
    figure.savefig(PICTURES / f"{name}.png", dpi=100)
    plt.show()


"""
## Enlarge it

The preset `super_resolution_x4` was trained on photographs that were shrunk to a quarter.
`scale` is part of the preset, so `restore` returns an image that is four times larger each
way. `num_steps=1` is the estimate that is closest to the original.

(The smoke run saves an untrained network as a preset, and loads that.)
"""

preset = "super_resolution_x4"
if SMOKE:
    tiny = UNetBackbone(
        base_channels=4,
        channel_multipliers=(1, 2),
        blocks_per_level=1,
        condition_on_degraded=True,
    )
    made = InDI(tiny, noise_schedule=0.2, scale=4)
    preset = str(made.save_to_preset(RUN / "preset"))

model = InDI.from_preset(preset)
print(f"{model.count_params():,} parameters, enlarges {model.scale} times")

enlarged = model.restore(small, num_steps=1)
print(small.shape, "to", enlarged.shape)

"""
Compare with bicubic interpolation, the default of most image editors. PSNR measures how
close an image is to the photograph, in decibels; higher is closer. We leave out a border of
four pixels, as papers do.
"""

metric = keras_indi.metrics.PSNR(value_range=(0, 255), crop_border=4)
height, width = photograph.shape[:2]
bicubic = resize(small, height, width, "bicubic")


def psnr(image, clean=photograph):
    """PSNR of one image against the photograph, in dB."""
    return float(metric.per_image(clean[None], image[None])[0])


show(
    {
        "small": small,
        f"bicubic, {psnr(bicubic):.1f} dB": bicubic,
        f"one step, {psnr(enlarged):.1f} dB": enlarged,
        "photograph": photograph,
    },
    "enlarge_one_step",
)

"""
![Small, enlarged by interpolation, by the preset in one step, and the
photograph](pictures/enlarge_one_step.png)

## Choose the number of steps

One step returns the average of all photographs that could have led to the small image. An
average is smooth. More steps settle for one of them: sharper, more natural to look at, and
farther from the original on average.

The second score is sharpness: how much neighbouring pixels differ, relative to the
photograph. Above 1 the image has more grain than the photograph had.
"""


def sharpness(image):
    """Mean difference of neighbouring pixels, relative to the photograph."""

    def gradient(array):
        return np.mean(np.abs(np.gradient(array.astype("float32"), axis=(0, 1))))

    return gradient(image) / gradient(photograph)


steps = (1, 2, 4, 8, 16)
results = {n: model.restore(small, num_steps=n, seed=0) for n in steps}
print(f"bicubic:  {psnr(bicubic):6.2f} dB, sharpness {sharpness(bicubic):.2f}")
for n, image in results.items():
    print(f"steps {n:2d}: {psnr(image):6.2f} dB, sharpness {sharpness(image):.2f}")
show({f"steps: {n}": results[n] for n in steps}, "enlarge_dial")

"""
![Enlarged in 1 to 16 steps](pictures/enlarge_dial.png)

Take one step for an image in which something is going to be compared or counted, and two to
eight for one to look at. Without `num_steps`, `restore` uses what the preset recommends:
"""

print(model.restore_defaults["num_steps"], "steps recommended")

"""
## Check it without the original

You will not have the photograph. One check needs none: shrink the result again. If it does
not return the small image, the model changed what was known, instead of only adding to it.
This finds wrong colours and shifted edges. It does *not* show that the added detail is true.
"""

for n, image in results.items():
    again = shrink(image, seed=0)
    print(
        f"steps {n:2d}: shrunk again {psnr(again, small):.1f} dB from the small image"
    )

"""
## Other factors

The preset knows one factor, four.

- **Two or three times:** enlarge four times, then shrink the result. This also hides grain.
- **An image that was enlarged already**, by a phone's zoom for example: pass `scale=1`. The
  preset then sharpens it at its size.
- **Sixteen times:** do not enlarge twice. The second run takes the first one's guesses for
  facts.
"""

half = results[4].shape[0] // 2
twice = resize(results[4], half, half, "bicubic")
zoomed = resize(small, height, width, "bilinear")  # as a phone would have
sharpened = model.restore(zoomed, scale=1, num_steps=4, seed=0)
print(small.shape, "to", twice.shape)
print(zoomed.shape, "to", sharpened.shape)

"""
## Large images

Large images need no extra arguments. If an image does not fit in half of the free memory,
every step runs on tiles, and the result is the same. `max_memory` sets another limit, in
bytes, and `tile_size` forces tiles, which must be larger than what the network sees. Here we
force them on the whole cup, to compare, and measure the time of a megapixel.
"""

cup = small if SMOKE else shrink(data.coffee()[:400, 100:500], seed=0)
model.restore(cup, num_steps=1, verbose=0)  # the first call compiles
begin = time.perf_counter()
whole = model.restore(cup, num_steps=4, seed=0, verbose=0)
seconds = time.perf_counter() - begin
print(f"{seconds / 4 / (whole[..., 0].size / 1e6):.2f} s a step and megapixel")

size = 7 * whole.shape[0] // 8 // 8 * 8  # two tiles in each direction
tiled = model.restore(cup, num_steps=4, seed=0, tile_size=size, verbose=0)
print("tiles differ by", np.abs(tiled.astype(int) - whole).max(), "of 255")

"""
## Files

`restore_file` reads, enlarges and writes one image. It keeps name, bits, alpha channel,
metadata and colour profile, and never changes its input:

```python
keras_indi.restoration.restore_file(model, "small.png", "large.png", num_steps=4)
```

The command does the same for files and folders:

```shell
keras-indi restore small.png --preset super_resolution_x4 --steps 4 -o large.png
keras-indi restore scans -o enlarged --preset super_resolution_x4
```

## What it cannot know

Sixteen pixels become one in a small image. Fifteen sixteenths of what is in the large one
has to come from elsewhere: from the photographs that the model was trained on. For fur,
leaves and fabric that is fine, as any natural texture will do. For writing it is not. We
shrink a printed page until nobody can read it, and enlarge it twice, by two draws.
"""

page = resize(np.repeat(data.page()[:184, 100:284, None], 3, axis=-1), 92, 92)
if SMOKE:
    page = page[:64, :64]
tiny_page = shrink(page, seed=0)
draws = model.restore(tiny_page, num_steps=4, num_samples=2, seed=0)
show(
    {
        "small": tiny_page,
        "first draw": draws[0],
        "second draw": draws[1],
        "the page": page,
    },
    "enlarge_page",
)

"""
![A page of print, too small to read; two draws of its enlargement; the
page](pictures/enlarge_page.png)

The marks look like print from afar, and no letter of the page is in them. Both draws agree
with the small image, and neither with the page. They agree with each other, too, for the most
part: draws that agree can all be wrong.
"""

for index, draw in enumerate(draws):
    again = shrink(draw, seed=0)
    print(
        f"draw {index + 1}: {psnr(again, tiny_page):.1f} dB from the small page, "
        f"{psnr(draw, page):.1f} dB from the page"
    )
spread = np.abs(draws[0].astype(int) - draws[1]).mean()
print(f"the draws differ by {spread:.1f} grey levels on average")

"""
## When not to enlarge

- **To read or recognise something:** a number plate, a signature, a face in a crowd. If you
  cannot read it in the small image, what you read in the large one is invented.
- **As evidence, or for measurements.** Use the original pixels, or interpolate.
- **Small JPEG files of low quality.** The preset was trained on clean small images and takes
  blocks for detail. Ask for the original file, or remove the blocks first
  (`--preset jpeg`).
- **Noisy images:** remove the noise first, or train on pairs of your own.
- **Drawings, screenshots and pixel art:** it was trained on photographs. Redraw them, or use
  nearest-neighbour interpolation.

Say that an image was enlarged where you publish it, and keep the small one.

## Time and result

Measured on two cores of a server CPU, TensorFlow in float32, with the preset of version 0.2: 24
seconds for the whole tutorial, and about 3 seconds a step and megapixel of the result.

| the cup | PSNR (dB) | sharpness | shrunk again, PSNR (dB) |
|---|---|---|---|
| bicubic | 26.80 | 0.65 | |
| 1 step | 28.88 | 0.75 | 44.4 |
| 2 steps | 28.74 | 0.75 | 44.1 |
| 4 steps | 28.43 | 0.82 | 43.0 |
| 8 steps | 28.04 | 0.85 | 41.8 |
| 16 steps | 27.66 | 0.88 | 40.7 |

Tiles and the whole image differed by at most 1 of 255. Both draws of the page were 41 dB from the
small page when shrunk again, and 19.7 dB from the page itself.

What next: *Fine-tune on few pairs* adapts the preset to your camera.
"""
