"""
Title: Restore a photograph
Author: The keras_indi developers
Date created: 2026/11/25
Last modified: 2026/11/25
Description: A trained restorer, the dial from one step to many, and how sure it is.
Accelerator: GPU
"""

r"""
## What we are going to do

We take a photograph, save it as a JPEG file of low quality, and restore it with a trained
model. You learn to use two things that this kind of model has and a plain restoration
network does not:

1. a **dial**, the number of steps, from the safest result to the sharpest;
2. **several answers** to one photograph, whose differences show where the model guesses.

You need to know Keras, but nothing about diffusion models. The method is *Inversion by
Direct Iteration*, InDI for short ([Delbracio & Milanfar,
2023](https://arxiv.org/abs/2303.11435)), and this is all there is to it. Call the clean
photograph $x$ and the degraded one $y$. Between the two lies a straight path,

$$x_t = (1 - t)\,x + t\,y, \qquad 0 \le t \le 1,$$

which is clean at $t = 0$ and degraded at $t = 1$. A network $F(x_t, t)$ has learned to
look at any point of that path and to estimate the clean end. To restore, we stand at
$x_1 = y$ and walk: ask $F$ where the clean end is, go a part of the way from $t$ to a
smaller $s$,

$$x_s = \Big(1 - \frac{s}{t}\Big)\,F(x_t, t) + \frac{s}{t}\,x_t,$$

and ask again. One step goes all the way at once. That is everything; let us try it.
"""

import os
import pathlib

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

import keras_indi
from keras_indi.models import InDI, UNetBackbone

# A smoke run checks this tutorial in seconds, on an untrained network.
SMOKE = os.environ.get("KERAS_INDI_SMOKE") == "1"
RUN = pathlib.Path("runs/restore_a_photograph")
PICTURES = RUN / "pictures" if SMOKE else pathlib.Path("pictures")
PICTURES.mkdir(parents=True, exist_ok=True)
if SMOKE:
    print("Smoke run: an untrained network on a small image. The scores mean nothing.")

"""
## A photograph, and its degraded form

scikit-image carries the portrait of a cat, Chelsea. It is a good test, as the model that
we are going to use has never seen her. A photograph is an array of shape `(height,
width, 3)` with values from 0 to 255, and stays one throughout.

For one of your own, write `clean = keras_indi.data.read_image("photo.jpg")`.
"""

clean = data.chelsea()[:256, 80:336]
if SMOKE:
    clean = clean[64:112, 64:112]

"""
The package holds the degradations that cameras and files cause. Each is a small object:
called with an image and a seed it returns the degraded image. We take JPEG at quality 15
of 100: squares of 8 by 8 pixels appear, edges ring, fine hair is gone.
"""

compress = keras_indi.data.degradations.JPEGCompression(15)
degraded = compress(clean, seed=0)
print(degraded.shape, degraded.dtype)

"""
A small function shows images side by side and keeps the picture. We need it a few times.
"""


def show(images, name):
    """Show a dict of titles to images in a row, and save the picture."""
    figure, axes = plt.subplots(
        1, len(images), figsize=(2.6 * len(images), 2.9), layout="constrained"
    )
    for axis, (title, image) in zip(axes, images.items()):
        axis.imshow(np.clip(image, 0, 255).astype("uint8"))
        axis.set_title(title, fontsize=9)
        axis.axis("off")
    figure.savefig(PICTURES / f"{name}.png", dpi=100)
    plt.show()


"""
## A preset

A *preset* is a trained model with a name: its network, its weights, and its recommended
settings. These are shipped with the package (some are architectures to train, without
weights):
"""

for name, metadata in keras_indi.presets.list_presets().items():
    weights = "" if metadata["weights_sha256"] else " (no weights)"
    print(f"{name}: {metadata['task']}{weights}")

"""
`from_preset` takes such a name. It also takes the path of a folder, which is how you
share models of your own, and addresses on Hugging Face and Kaggle. (The smoke run uses
the former: it saves an untrained network as a preset, and loads it from its folder.)
"""

preset = "indi_small_jpeg"
if SMOKE:
    tiny = UNetBackbone(
        base_channels=4, channel_multipliers=(1, 2), condition_on_degraded=True
    )
    preset = str(InDI(tiny, noise_schedule=0.2).save_to_preset(RUN / "preset"))

model = InDI.from_preset(preset)
print(f"{model.backbone.count_params():,} parameters")

"""
## One step

`restore` takes the photograph and returns one of the same shape and type. With
`num_steps=1` it evaluates the network once, at $t = 1$, and returns its estimate of the clean
photograph. This is what an ordinary network, trained to map degraded images to
clean ones, would give you.

PSNR measures how close we came: it is the mean squared difference to the clean
photograph on a logarithmic scale, in decibels. Higher is closer; 3 dB more are half the
squared difference. We can compute it only because we degraded the photograph ourselves.
"""

metric = keras_indi.metrics.PSNR(value_range=(0, 255))


def psnr(image):
    """PSNR of one image against the clean photograph, in dB."""
    return float(metric.per_image(clean[None], image[None])[0])


one_step = model.restore(degraded, num_steps=1)
show(
    {
        f"degraded, {psnr(degraded):.1f} dB": degraded,
        f"one step, {psnr(one_step):.1f} dB": one_step,
        "clean": clean,
    },
    "restore_one_step",
)

"""
![Degraded, restored in one step, clean](pictures/restore_one_step.png)

## The dial

The one-step result is close to the clean photograph, and a little smooth. Both have the
same reason. Many clean photographs could have led to this JPEG file: the hairs of the fur
may lie this way or that. A network that is trained to be close *on average* answers with
the average of all of them, and in an average of hairs no hair is left.

More steps change that. The first only goes a part of the way to the average. At its end
some of the many photographs fit the present state better than others, so that the next
estimate is an average over fewer of them, and a sharper one; and so on. The price is
that the walk settles for *one* of the possible photographs, which need not be the true
one. So PSNR goes down while the image becomes more natural. This is no flaw of the
method: no restorer can have the best of both, and this one lets you choose.
"""

steps = (1, 2, 4, 8, 16)
restored = {n: model.restore(degraded, num_steps=n, seed=0) for n in steps}
views = {f"steps: {n}": image for n, image in restored.items()}
show({"degraded": degraded, **views, "clean": clean}, "restore_dial")

"""
![Degraded, restored in 1 to 16 steps, clean](pictures/restore_dial.png)

To see it in numbers, we measure PSNR, and beside it a simple figure for sharpness: how
much neighbouring pixels differ, as a fraction of the same in the clean photograph. At 1
an image is as lively as the true one. Grain is lively too: where the figure passes 1, or
the picture looks sandy, the walk was longer than this small network can follow.
"""


def sharpness(image):
    """Mean difference of neighbouring pixels, relative to the clean photograph."""

    def gradient(array):
        return np.mean(np.abs(np.gradient(array.astype("float32"), axis=(0, 1))))

    return gradient(image) / gradient(clean)


print(f"degraded: {psnr(degraded):6.2f} dB, sharpness {sharpness(degraded):.2f}")
for n, image in restored.items():
    print(f"steps {n:2d}: {psnr(image):6.2f} dB, sharpness {sharpness(image):.2f}")

"""
How far the dial reaches depends on how much the degradation has destroyed. JPEG at
quality 90 leaves little to choose; at quality 15 one step and four differ at a glance.

Which setting is yours? One step invents least. If someone is going to look at the image,
try more. Leave `num_steps` out and you get what the preset's maker recommends:
"""

print(model.restore_defaults)

"""
## The walk itself

`return_trajectory=True` keeps all states $x_t$, from the degraded photograph at $t = 1$
to the restored one at $t = 0$: an array of shape `(num_steps + 1, height, width, 3)`. You
see the squares fade in equal parts while detail forms. The grain at the beginning is
intended; the next section explains it.
"""

states = model.restore(degraded, num_steps=8, seed=0, return_trajectory=True)
shown = range(0, 9, 2)
show({f"t = {1 - index / 8:.2f}": states[index] for index in shown}, "restore_walk")

r"""
![The states of the walk from t = 1 to 0](pictures/restore_walk.png)

## Several answers

If many clean photographs are possible, it is honest to show several. For that the path
carries a little noise of its own: the walk starts at $x_1 = y + \epsilon\, n$, where $n$
is standard normal noise and $\epsilon$ what this preset was trained with. It counts where
images span $[-1, 1]$: for values from 0 to 255, the noise is 127.5 times as strong.
"""

print(model.noise_schedule)

"""
Different draws of the noise end in different photographs: it decides, where the degraded
photograph leaves things open. Without it the walk could only ever end in one place. The
network is also shown $y$ itself at each step, so that the noise hides nothing from it.

`num_samples=4` draws four restorations of one photograph: a new first axis. `seed` fixes
them.
"""

draws = model.restore(degraded, num_steps=8, num_samples=4, seed=0)
print(draws.shape)
show({f"draw {i + 1}": draw for i, draw in enumerate(draws)}, "restore_draws")

"""
![Four draws](pictures/restore_draws.png)

## Where the model guesses

Four similar photographs are hard to compare by eye. `uncertainty` draws more, and
computes their mean and, in each pixel, their standard deviation: small where all draws
agree, large where they differ.
"""

found = keras_indi.evaluation.uncertainty(
    model, degraded, clean, num_samples=4 if SMOKE else 16, num_steps=8
)
spread = np.sqrt(np.mean(found.standard_deviation**2, axis=-1))
error = np.sqrt(np.mean((found.mean - clean) ** 2, axis=-1))
print(f"mean of the draws: {psnr(found.mean):.2f} dB")

"""
Beside the spread we put the true error of the mean. Were the spread a perfect account of
the error, the two maps would be bright in the same places: on edges and in fine texture,
where a pixel's neighbours say little about it.
"""

figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
axes[0].imshow(np.clip(found.mean, 0, 255).astype("uint8"))
axes[0].set_title("mean of the draws", fontsize=9)
for axis, title, values in ((axes[1], "spread", spread), (axes[2], "error", error)):
    shades = axis.imshow(values, cmap="inferno", vmax=np.quantile(values, 0.995))
    axis.set_title(f"{title}, grey levels", fontsize=9)
    figure.colorbar(shades, ax=axis, shrink=0.8)
for axis in axes:
    axis.axis("off")
figure.savefig(PICTURES / "restore_uncertainty.png", dpi=100)
plt.show()

"""
![The draws' mean, their spread, the error](pictures/restore_uncertainty.png)

How far can you trust the map? That, too, is measured, as we have the clean photograph, and
there are two questions in it. Is the spread of the right *size*? Count how many errors are
smaller than one, two and three standard deviations: 68, 95 and 99.7 % if it were. If the
parts are smaller, the model is too sure of itself. And is it in the right *places*? Rank
all pixels by spread, and again by error: the rank correlation is 1 if both orders are the
same and 0 if they have nothing in common. Look at these figures before you build on a map
of uncertainty.
"""

print(f"rank correlation: {found.coverage['rank_correlation']:.2f}")
for width, part in found.coverage["within"].items():
    print(f"errors within {width} standard deviation(s): {100 * part:.0f} %")

"""
## When not to restore

A clean photograph does not get better: the model takes some of its texture for damage. Do
not use a restoration as evidence or for measurements, and do not read in it what cannot be
read in the original. What is not in the degraded photograph is invented, in one step as in
many. Keep the original, and say that a photograph was restored where you publish it.

## Time and result

Measured on two cores of a server CPU, TensorFlow in float32, with the preset of version 0.2: 55
seconds.

| | PSNR (dB) | sharpness |
|---|---|---|
| degraded | 28.23 | 0.86 |
| 1 step | 29.14 | 0.67 |
| 2 steps | 28.94 | 0.68 |
| 4 steps | 28.57 | 0.72 |
| 8 steps | 28.23 | 0.75 |
| 16 steps | 27.92 | 0.78 |
| mean of 16 draws of 8 steps | 29.08 | |

Of the errors of that mean 35, 62 and 80 % were within one, two and three standard deviations,
and the rank correlation was 0.21: the map is too sure, and only a weak hint of the places.

## Your own photographs

In Python, with any size and any number of files:

```python
photograph = keras_indi.data.read_image("photo.jpg")
restored = model.restore(photograph, num_steps=4)
```

Photographs that do not fit in memory are processed in tiles, with an identical result. All
of this also works from the command line, which keeps EXIF data and colour profiles:

```shell
keras-indi restore photo.jpg --steps 4 --compare
```

A model can only undo what it has learned. If yours is another degradation, continue with
*Train on your own pairs*; if you want to see why the walk works, with *The mathematics
in 2-D*.
"""
