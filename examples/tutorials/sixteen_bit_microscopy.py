"""
Title: Microscopy in 16 bits
Author: The keras_indi developers
Date created: 2026/11/29
Last modified: 2026/11/29
Description: A stack of uint16 planes: train, restore, keep bits and metadata, and what not to measure.
Accelerator: GPU
"""

r"""
## What we are going to do

A fluorescence microscope counts few photons, as light bleaches the sample. Its images are
grey, of 16 bits, and noisy. We train a restorer on pairs of short and long exposures, and

1. keep all 16 bits, from the file to the network and back;
2. restore one plane from file to file, with its metadata, and a whole stack;
3. draw several restorations, and map where they differ;
4. see why a restoration must not be measured as if it were data.

The sample is synthetic, so that the truth is known and nothing is downloaded. Replace its
folders with your own, and everything below stays the same.
"""

import os
import pathlib

import keras
import matplotlib.pyplot as plt
import numpy as np
import tifffile
from scipy.ndimage import gaussian_filter

import keras_indi

# A smoke run checks this tutorial in seconds, with hardly any training.
SMOKE = os.environ.get("KERAS_INDI_SMOKE") == "1"
RUN = pathlib.Path("runs/sixteen_bit_microscopy")
PICTURES = RUN / "pictures" if SMOKE else pathlib.Path("pictures")
for folder in (RUN, PICTURES):
    folder.mkdir(parents=True, exist_ok=True)
if SMOKE:
    print("Smoke run: small planes, hardly any training. The scores mean nothing.")

"""
## A sample

Filaments of a cell's skeleton: curves whose direction turns slowly, as bright as chance
wants, blurred by the optics. Values from 0 to 1.
"""


def draw_filaments(seed, size, count=None):
    """Draw a plane of filaments, with values from 0 to 1."""
    random = np.random.default_rng(seed)
    plane = np.zeros((size, size))
    for _ in range(size // 6 if count is None else count):
        turns = np.cumsum(random.normal(0, 0.05, 4 * size))
        angle = random.uniform(0, 2 * np.pi) + turns
        steps = 0.5 * np.cumsum([np.sin(angle), np.cos(angle)], axis=1)
        rows, columns = (random.uniform(0, size, (2, 1)) + steps).astype(int)
        inside = (np.minimum(rows, columns) >= 0) & (np.maximum(rows, columns) < size)
        np.add.at(plane, (rows[inside], columns[inside]), random.uniform(0.1, 1))
    return np.clip(0.35 * gaussian_filter(plane, 1.3), 0, 1)


r"""
## A camera of 14 bits

A pixel collects $n$ electrons, a Poisson number around the light that falls on it. Reading
adds noise $r$ of some electrons. The file holds counts: $100\,n$ and an offset, cut at
$2^{14} - 1$. So the brightest pixels here are of some hundred electrons.

The clean image of a pair is the mean of many exposures of one place, as a laboratory would
take it of a fixed sample, which does not bleach so soon.
"""

WHITE = 2**14 - 1  # of the camera, in a file of 16 bits
OFFSET, GAIN = 500, 100  # counts, and counts per electron


def expose(light, seed, exposures=1):
    """Mean of so many exposures, in counts of the camera."""
    random = np.random.default_rng(seed)
    electrons = random.poisson(120 * exposures * light + 2 * exposures) / exposures
    noise = random.normal(0, 3 / np.sqrt(exposures), light.shape)
    counts = np.rint(OFFSET + GAIN * (electrons + noise))
    return np.clip(counts, 0, WHITE).astype("uint16")


"""
Write pairs as a microscope does: a TIFF a plane, of 16 bits, with the size of a pixel (65
nanometres here) and a description. Two folders of files with the same names are all that the
training needs; validation pairs are kept apart.
"""

PIXELS_PER_CM = 1e4 / 0.065
TAGS = {
    "resolution": (PIXELS_PER_CM, PIXELS_PER_CM),
    "resolutionunit": "CENTIMETER",
    "description": "filaments, 20 ms",
    "photometric": "minisblack",
    "metadata": None,
}


def write_pairs(part, seeds, size):
    """Write short and long exposures of planes into two folders."""
    for side, exposures in (("short", 1), ("long", 400)):
        (RUN / part / side).mkdir(parents=True, exist_ok=True)
        for seed in seeds:
            light = draw_filaments(seed, size)
            plane = expose(light, (seed, exposures), exposures)
            tifffile.imwrite(RUN / part / side / f"{seed:03d}.tif", plane, **TAGS)


size = 48 if SMOKE else 192
write_pairs("train", range(3 if SMOKE else 24), size)
write_pairs("validation", range(100, 102 if SMOKE else 104), size)

"""
`read_image` returns the counts as they are. Grey images have an axis of one channel.
"""

short = keras_indi.data.read_image(RUN / "validation" / "short" / "100.tif")
long = keras_indi.data.read_image(RUN / "validation" / "long" / "100.tif")
print(short.shape, short.dtype, f"{short.min()} to {short.max()} counts")


def show(planes, name):
    """Show a dict of titles to planes in a row, in one scale, and save the picture."""
    figure, axes = plt.subplots(
        1, len(planes), figsize=(2.6 * len(planes), 2.9), layout="constrained"
    )
    for axis, (title, plane) in zip(axes, planes.items()):
        axis.imshow(plane[..., 0], cmap="gray", vmin=OFFSET, vmax=long.max())
        axis.set_title(title, fontsize=9)
        axis.axis("off")
    figure.savefig(PICTURES / f"{name}.png", dpi=100)
    plt.show()


show({"one exposure": short, "mean of 400": long}, "microscopy_pair")

"""
![One exposure, and the mean of 400](pictures/microscopy_pair.png)

## The pairs, and the model

`dtype="uint16"` hands the counts on. The default, `"uint8"`, would keep 8 bits of them, and
of a dark image hardly any.
"""

epochs, batches = (1, 4) if SMOKE else (16, 100)
options = {"image_channels": 1, "dtype": "uint16"}

pairs = keras_indi.data.pairs_from_folders(
    RUN / "train" / "long",
    degraded=RUN / "train" / "short",
    crop_size=16 if SMOKE else 64,
    batch_size=2 if SMOKE else 8,
    batches_per_epoch=batches,
    **options,
)
validation = keras_indi.data.pairs_from_folders(
    RUN / "validation" / "long",
    degraded=RUN / "validation" / "short",
    crop_size=size,
    batch_size=2,
    training=False,
    **options,
)

r"""
Three settings make it a model of this camera:

- `image_channels=1`, for grey.
- `value_range=(0, 16383)`, from black to white *of the camera*. With (0, 65535) the network
  would see a quarter of its range.
- `dtype="float32"`. bfloat16 holds 8 bits of each number. For photographs of 8 bits that is
  enough, and faster on many devices; for 16 bits it is not.

`noise_schedule=0.1` lets the model give several answers to one image.
"""

keras.utils.set_random_seed(0)
unet = keras_indi.UNetBackbone(
    image_channels=1,
    base_channels=4 if SMOKE else 32,
    channel_multipliers=(1, 2),
    blocks_per_level=1,
    patch_size=2,
    condition_on_degraded=True,
    dtype="float32",
)
model = keras_indi.InDI(unet, noise_schedule=0.1, value_range=(0, WHITE), seed=0)
rate = keras.optimizers.schedules.CosineDecay(1e-3, epochs * batches)
model.compile(keras_indi.models.AveragedAdam(rate, global_clipnorm=1e4))
print(f"{model.count_params():,} parameters")

model.fit(pairs, validation_data=validation, epochs=epochs, verbose=2)

"""
Save it as a preset, with what others need to know. The value range goes with it.
"""

model.restore_defaults = {"num_steps": 1}
model.save_to_preset(
    RUN / "preset",
    metadata={
        "description": "Filaments, 20 ms, by a camera of 14 bits.",
        "task": "microscopy",
        "training_data": [{"name": "synthetic filaments", "terms": "none"}],
    },
)

"""
## Restore in 16 bits

`restore` returns the dtype that it was given. Scores need the range, too.
"""

metric = keras_indi.metrics.PSNR(value_range=(0, WHITE))
steps = (1, 2, 4, 8)
restored = {n: model.restore(short, num_steps=n, seed=0) for n in steps}

print(f"one exposure: {metric.per_image(long[None], short[None])[0]:.2f} dB")
for n, plane in restored.items():
    decibels = metric.per_image(long[None], plane[None])[0]
    print(
        f"steps {n}: {decibels:.2f} dB, {plane.dtype}, {len(np.unique(plane))} values"
    )

views = {"one exposure": short, "1 step": restored[1], "4 steps": restored[4]}
show({**views, "mean of 400": long}, "microscopy_restored")

"""
![One exposure, restored in one step and in four, the mean of
400](pictures/microscopy_restored.png)

## Files and their metadata

`restore_file` restores one plane from file to file, and leaves its input alone. The output
has the bits, the size of a pixel and the description of the input. (It takes 16 bits for the
model's own counts, as the model's range is wider than 8 bits.)
"""

source, output = RUN / "validation" / "short" / "100.tif", RUN / "restored.tif"
keras_indi.restoration.restore_file(
    model, source, output, overwrite=True, num_steps=1, seed=0
)
for path in (source, output):
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        micrometres = 1e4 / page.get_resolution("CENTIMETER")[0]
        print(path.name, page.dtype, f"{micrometres:.3f} um", page.description)

"""
A stack is a file of many planes, of which `restore_file` restores the first, with a warning. So
read it with tifffile, restore it as a batch of planes, and write it with the metadata of the
original, into a new file. Each plane is restored by itself: the model knows nothing of its
neighbours.
"""

IMAGEJ = {"imagej": True, "resolution": TAGS["resolution"]}
planes = np.stack([expose(draw_filaments(s, size), s) for s in range(200, 204)])
stack_path = RUN / "stack.tif"
metadata = {"axes": "ZYX", "spacing": 0.2, "unit": "um"}
tifffile.imwrite(stack_path, planes, metadata=metadata, **IMAGEJ)

with tifffile.TiffFile(stack_path) as file:
    stack, metadata = file.asarray(), file.imagej_metadata
    resolution = file.pages.first.get_resolution()
result = model.restore(stack[..., None], num_steps=1, seed=0)[..., 0]
tifffile.imwrite(
    RUN / "stack_restored.tif",
    result,
    imagej=True,
    resolution=resolution,
    metadata={**metadata, "axes": "ZYX"},
)
print(stack.shape, stack.dtype, "to", result.shape, result.dtype)

"""
Images that are too large for the memory go from file to file in tiles, as TIFF or OME-Zarr:
`pip install ".[big]"`, then `restore_file(model, "slide.tif", "restored.ome.zarr")`.

## Several draws, and their spread

More steps settle for one of the possible samples; other draws of the noise end at others.
`uncertainty` draws eight, and computes mean and standard deviation in each pixel. Beside it
stands the true error of the mean, which you will not have.
"""

found = keras_indi.evaluation.uncertainty(
    model, short, long, num_samples=3 if SMOKE else 8, num_steps=4
)
maps = {
    "mean of the draws": found.mean[..., 0],
    "spread of the draws": found.standard_deviation[..., 0],
    "error of the mean": np.abs(found.mean - long)[..., 0],
}
most = np.quantile(maps["error of the mean"], 0.995)
figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
for axis, (title, values) in zip(axes, maps.items()):
    is_mean = title.startswith("mean")
    colours = {"cmap": "gray"} if is_mean else {"cmap": "inferno", "vmax": most}
    shades = axis.imshow(values, **colours)
    axis.set_title(f"{title}, counts", fontsize=9)
    axis.axis("off")
    figure.colorbar(shades, ax=axis, shrink=0.8)
figure.savefig(PICTURES / "microscopy_spread.png", dpi=100)
plt.show()

"""
![The draws' mean, their spread, the error](pictures/microscopy_spread.png)

If the spread had the right size, 68 % of the errors would be within one standard deviation
and 95 % within two. Where they are fewer, the model is too sure of itself.
"""

for width in ("1", "2"):
    part = 100 * found.coverage["within"][width]
    print(f"errors within {width} standard deviation(s): {part:.0f} %")

"""
## Not data

The restored plane looks like a long exposure. It is not one. Three measurements show it.

**Brightness.** A restorer that is not sure pulls each pixel towards what is usual. Divide
the pixels by their true brightness, and compare the means. One exposure is noisy, and
correct on average, where the camera does not cut at zero. The restored plane is smooth, and its
brightest pixels are too dim.
"""

truth = long - float(OFFSET)
order = np.argsort(truth, axis=None)
groups = dict(zip(("dim", "medium", "bright"), np.array_split(order, 3)))
groups["brightest 1 %"] = order[-order.size // 100 :]
for title, group in groups.items():
    mean = truth.flat[group].mean()
    ratios = [
        (plane.flat[group].astype(float) - OFFSET).mean() / mean
        for plane in (short, restored[1], restored[4])
    ]
    print("{}: exposed {:.2f}, 1 step {:.2f}, 4 steps {:.2f}".format(title, *ratios))

r"""
**Noise.** Light has noise: the variance of $n$ electrons is $n$, and statistics on counts rely
on it. Expose one place many times. The errors of the exposures are independent, and their
mean tends to the truth. A restored plane has a smaller error, of which a part is the same each
time. So the mean of restored planes tends to something else.
"""

light = draw_filaments(100, size)
count = 4 if SMOKE else 64
exposed = np.stack([expose(light, (7, seed)) for seed in range(count)])[..., None]
smooth = model.restore(exposed, num_steps=1, seed=0)
for title, planes in (("exposed", exposed), ("restored", smooth)):
    single = np.sqrt(np.mean((planes[0] - truth - OFFSET) ** 2))
    average = np.sqrt(np.mean((planes.mean(axis=0) - truth - OFFSET) ** 2))
    print(f"{title}: error {single:.0f}, of the mean of {count} {average:.0f} counts")

"""
**Objects.** The model learned filaments. Show it a field of dots, vesicles for example, which
it has never seen, and measure their brightness in the brightest hundredth of the pixels:
"""

random = np.random.default_rng(0)
places = np.zeros((size, size))
places[tuple(random.integers(0, size, (2, size // 3)))] = 1
dots = np.clip(5 * gaussian_filter(places, 1.3), 0, 1)
one, many = expose(dots, 1)[..., None], expose(dots, 2, 400)[..., None]
found_dots = {n: model.restore(one, num_steps=n, seed=0) for n in (1, 4)}
views = {"one exposure": one, "1 step": found_dots[1], "4 steps": found_dots[4]}
show({**views, "mean of 400": many}, "microscopy_dots")
group = np.argsort(many, axis=None)[-many.size // 100 :]
for title, plane in views.items():
    decibels = metric.per_image(many[None], plane[None])[0]
    means = [image.flat[group].mean() - OFFSET for image in (plane, many)]
    print(f"dots, {title}: {decibels:.2f} dB, brightness {means[0] / means[1]:.2f}")

"""
![A field of dots: one exposure, restored, and the mean of 400](pictures/microscopy_dots.png)

The picture is convincing, and the PSNR is as good as that of filaments. Yet the dots are too dim
by a sixth, as the model expects filaments. Nothing in the picture shows it.

## When not to restore

- **Before any measurement:** intensity, area, number, distance, colocalisation. Measure the
  exposures, and take the noise into account. Restore to look, to find the place, to draw the
  outline that you then apply to the exposures.
- **On samples, microscopes or settings that are not in the pairs.** The model has no way to
  notice, and neither has the viewer.
- **To find what is rare.** What was not in the pairs is made to look like what was.
- **In a figure, without saying so.** Publish the exposure beside the restoration, and name
  model and number of steps.

If it has to be measured nevertheless, then measure *pairs*: the same quantity in long
exposures that training has not seen and in their restorations, and report the difference.

## Time and result

Measured on two cores of a server CPU, TensorFlow in float32: 126 seconds of processor time. (The
processors were busy with other programs, so that the clock showed five and a half minutes.)

| | PSNR (dB) | brightest 1 %, relative to the truth |
|---|---|---|
| one exposure | 32.73 | 1.00 |
| 1 step | 39.82 | 0.94 |
| 2 steps | 40.06 | |
| 4 steps | 39.66 | 0.93 |
| 8 steps | 39.43 | |
| dots, one exposure | 33.55 | 0.99 |
| dots, 1 step | 39.71 | 0.83 |
| dots, 4 steps | 39.48 | 0.83 |

The error of an exposure was 379 counts, and 51 of the mean of 64; of a restored plane 165, and
still 88 of the mean of 64. In four steps, 44 % of the errors were within one standard deviation
of the draws and 73 % within two: the spread is larger where the error is, and too small.
"""
