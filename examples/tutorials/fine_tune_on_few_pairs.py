"""
Title: Fine-tune on few pairs
Author: The keras_indi developers
Date created: 2026/11/29
Last modified: 2026/11/29
Description: A shipped preset learns a new kind of noise from twenty pairs, watched by validation.
Accelerator: GPU
"""

"""
## What we are going to do

Twenty pairs are too few to train a restorer from random weights. They are enough to teach a
trained one a new kind of damage, if it is near to what it knows. We take the preset
`denoise`, which removes the noise of cameras, and teach it banding, the stripes that the
electronics of a sensor add:

1. score the preset as it is, on **held-out** pairs;
2. fine-tune it on twenty pairs, and keep the model of the best **validation** loss;
3. see what overfitting looks like, on three pairs;
4. score again, and look at what the model has forgotten.

*Train on your own pairs* explains the parts of a training. Read it first.
"""

import os
import pathlib

import keras
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

import keras_indi
from keras_indi.data.sample_photographs import TRAINING, sample_photographs

# A smoke run checks this tutorial in seconds, on an untrained network.
SMOKE = os.environ.get("KERAS_INDI_SMOKE") == "1"
RUN = pathlib.Path("runs/fine_tune_on_few_pairs")
PICTURES = RUN / "pictures" if SMOKE else pathlib.Path("pictures")
PICTURES.mkdir(parents=True, exist_ok=True)
if SMOKE:
    print("Smoke run: an untrained network, few batches. The scores mean nothing.")

"""
## Three sets of pairs

Divide your pairs before you start, by *scene*: two views of one scene belong to the same
set.

| set | pairs here | what it is for |
|---|---|---|
| training | 20 | the weights |
| validation | 4 | when to stop, which model to keep |
| held-out | 4 | the score to believe, looked at twice: before and after |

If you have the pairs, set `folder` to yours, with the sub-folders `train`, `validation` and
`held_out`, each with `degraded` and `clean`. The next cells then make no pairs. (Held-out pairs
are read as one array here, so cut them to one size, and set `size` to that of the validation.)
"""

folder = RUN / "pairs"

"""
Otherwise make some, of photographs that scikit-image carries. A sensor is read row by row, and
in the dark each row comes out a little too bright or too dark, beside the noise of each pixel.
The preset was trained on noise that has no direction, so it takes stripes for structure, and
keeps them.
"""


def add_banding(clean, seed, rows=12, pixels=6):
    """Add noise: one value to all pixels of a row, and another to each pixel."""
    random = np.random.default_rng(seed)
    bands = random.standard_normal((len(clean), 1, 1))
    noise = random.standard_normal(clean.shape)
    noisy = clean + rows * bands + pixels * noise
    return np.clip(np.rint(noisy), 0, 255).astype("uint8")


"""
Each photograph gives square pieces from its corners.
"""


def write_pairs(part, photographs, pieces, size):
    """Write pieces of photographs, and their degraded forms, into two folders."""
    for side in ("degraded", "clean"):
        (folder / part / side).mkdir(parents=True, exist_ok=True)
    for name, photograph in photographs.items():
        corners = [(0, 0), (-size, -size), (0, -size), (-size, 0)][:pieces]
        for index, (top, left) in enumerate(corners):
            clean = np.roll(photograph, (-top, -left), (0, 1))[:size, :size]
            degraded = add_banding(clean, seed=(sum(name.encode()), index))
            file = f"{name}_{index}.png"
            Image.fromarray(clean).save(folder / part / "clean" / file)
            Image.fromarray(degraded).save(folder / part / "degraded" / file)


size = 32 if SMOKE else 160
if folder == RUN / "pairs":  # nothing is written into a folder of yours
    photographs = dict(zip(TRAINING, sample_photographs(TRAINING)))
    write_pairs("train", photographs, 2, size)
    for part, name in (("validation", "coffee"), ("held_out", "chelsea")):
        write_pairs(part, {name: sample_photographs([name])[0]}, 4, size)

"""
Pairs of your own deserve a check: files without a partner, damaged files, shifts.
"""

for part in ("train", "validation", "held_out"):
    sides = (folder / part / "degraded", folder / part / "clean")
    found = keras_indi.data.check_folders(*sides, verbose=0)
    print(f"{part}: {found.report()}")

"""
One piece of the moon may be reported as shifted. There is hardly any structure in it, so that
a shift cannot be measured. Look at such a pair before you leave it out.

## The preset, as it is

`load_restorer` loads a preset in the precision that is fastest here: bfloat16 on a CPU with
instructions for it, with TensorFlow, and float32 elsewhere. (The smoke run makes an
untrained network and loads that.)
"""

preset = "denoise"
if SMOKE:
    tiny = keras_indi.UNetBackbone(
        base_channels=4,
        channel_multipliers=(1, 2),
        blocks_per_level=1,
        condition_on_degraded=True,
    )
    made = keras_indi.InDI(tiny, noise_schedule=0.2)
    preset = str(made.save_to_preset(RUN / "untrained"))

model = keras_indi.load_restorer(preset)
print(model.backbone.dtype_policy.name, model.restore_defaults["num_steps"])

"""
Score it on the held-out pairs before anything else. What fine-tuning gains is the difference
to this. If the preset is good enough, stop here.
"""

metric = keras_indi.metrics.PSNR(value_range=(0, 255))


def read_pairs(part):
    """Read all pairs of a part as two arrays, degraded and clean."""
    sides = []
    for side in ("degraded", "clean"):
        files = keras_indi.data.find_images(folder / part / side).values()
        sides.append(np.stack([keras_indi.data.read_image(path) for path in files]))
    return sides


def score(restorer, degraded, clean):
    """Mean PSNR of restorations in one step and in four, in dB."""
    results = [restorer.restore(degraded, num_steps=n, seed=0) for n in (1, 4)]
    return [float(metric.per_image(clean, result).mean()) for result in results]


degraded, clean = read_pairs("held_out")
before = score(model, degraded, clean)
print(f"degraded: {metric.per_image(clean, degraded).mean():.2f} dB")
print(f"preset, 1 step: {before[0]:.2f} dB, 4 steps: {before[1]:.2f} dB")

"""
Keep its restorations, and its score on its own task (Gaussian noise), for the end.
"""

restored_before = model.restore(degraded, num_steps=1, seed=0)
add_noise = keras_indi.data.degradations.GaussianNoise(25)
noisy = np.stack([add_noise(image, seed) for seed, image in enumerate(clean)])
old_task_before = score(model, noisy, clean)

"""
## Fine-tune

Three things differ from a training of a new model:

- **A low learning rate.** The weights are good; large updates would destroy what they know.
  Here it is 3e-4. For more batches, take 1e-4.
- **Few batches.** The validation loss decides how many. `EarlyStopping` ends the training
  once it has not fallen for some epochs, and `ModelCheckpoint` keeps the model of its
  minimum.
- **The averaged weights** are validated and saved: `SwapEMAWeights`, before the checkpoint.
"""

epochs = 2 if SMOKE else 8
batches_per_epoch = 2 if SMOKE else 25


def fine_tune(name, num_pairs=None):
    """Fine-tune the preset on so many pairs; return its best model and the losses."""
    keras.utils.set_random_seed(0)
    tuned = keras_indi.load_restorer(preset)
    tuned.compile(keras_indi.models.AveragedAdam(3e-4))
    best = RUN / f"{name}.keras"
    history = tuned.fit(
        make_pairs(num_pairs),
        validation_data=validation,
        epochs=epochs,
        callbacks=[
            keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
            keras.callbacks.ModelCheckpoint(best, "val_loss", save_best_only=True),
            keras.callbacks.EarlyStopping("val_loss", patience=4),
        ],
        verbose=2,
    )
    return keras_indi.load_restorer(best), history.history


"""
Random crops, flips and turns make the most of twenty pairs. The validation pairs come whole,
with the same noise and the same times in every epoch, so that the losses compare.
"""


def make_pairs(num_pairs):
    """The first pairs of the training folder, or all of them."""
    files = keras_indi.data.find_images
    sides = [files(folder / "train" / side) for side in ("degraded", "clean")]
    names = sorted(sides[0].keys() & sides[1].keys())[:num_pairs]
    return keras_indi.data.make_pairs(
        keras_indi.data.ImageFiles({n: (sides[0][n], sides[1][n]) for n in names}),
        crop_size=16 if SMOKE else 64,
        batch_size=2 if SMOKE else 8,
        batches_per_epoch=batches_per_epoch,
    )


validation = keras_indi.data.pairs_from_folders(
    folder / "validation" / "clean",
    degraded=folder / "validation" / "degraded",
    crop_size=size,
    batch_size=4,
    training=False,
)
tuned, losses = fine_tune("twenty")

"""
## Overfitting, seen by validation

A network with millions of weights can learn three pairs by heart, stripes and all. We let it:
the same training, on the first three pairs.
"""

few, few_losses = fine_tune("three", num_pairs=3)

figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained", sharey=True)
for axis, title, logs in (
    (axes[0], "20 pairs", losses),
    (axes[1], "3 pairs", few_losses),
):
    for key, label in (("loss", "training"), ("val_loss", "validation")):
        axis.plot(np.arange(len(logs[key])) + 1, logs[key], "o-", label=label)
    axis.set_title(title, fontsize=9)
    axis.set_xlabel("epoch")
axes[0].set_ylabel("loss (grey levels)")
axes[0].legend()
figure.savefig(PICTURES / "few_pairs_losses.png", dpi=100)
plt.show()

"""
![Losses by epoch: of training and of validation, on twenty pairs and on
three](pictures/few_pairs_losses.png)

On twenty pairs both losses fall together. On three, the training loss falls much lower, while
the validation loss stays far above that of twenty pairs, and rises after the seventh epoch: the
network learns these three pictures beside the stripes. The checkpoint kept the seventh epoch.

The training loss says nothing about new photographs. Never choose a model by it.

## Score again

The held-out pairs were not used since the first score. They show what was gained:
"""

after = score(tuned, degraded, clean)
after_few = score(few, degraded, clean)
for title, scores in (
    ("preset", before),
    ("fine-tuned on 20 pairs", after),
    ("fine-tuned on 3 pairs", after_few),
):
    print(f"{title}, 1 step: {scores[0]:.2f} dB, 4 steps: {scores[1]:.2f} dB")

"""
Look at them, too:
"""

restored_after = tuned.restore(degraded, num_steps=1, seed=0)
views = {
    "degraded": degraded[0],
    "preset": restored_before[0],
    "fine-tuned": restored_after[0],
    "clean": clean[0],
}
figure, axes = plt.subplots(1, 4, figsize=(10.4, 2.9), layout="constrained")
for axis, (title, image) in zip(axes, views.items()):
    decibels = metric.per_image(clean[:1], image[None])[0]
    note = "" if title == "clean" else f", {decibels:.1f} dB"
    axis.imshow(image)
    axis.set_title(f"{title}{note}", fontsize=9)
    axis.axis("off")
figure.savefig(PICTURES / "few_pairs_restored.png", dpi=100)
plt.show()

"""
![Degraded, restored by the preset, by the fine-tuned model,
clean](pictures/few_pairs_restored.png)

## What it has forgotten

A fine-tuned model serves your task, and no other. On the noise that the preset was made for,
it may be worse now. So keep both, and name yours after what it is for.
"""

old_task_after = score(tuned, noisy, clean)
print(f"Gaussian noise, preset: {old_task_before[0]:.2f} dB")
print(f"Gaussian noise, fine-tuned: {old_task_after[0]:.2f} dB")

"""
## Save it

The licence of the preset's weights holds for what you make of them: state it. The weights of
`denoise` are for non-commercial use.
"""

shipped = keras_indi.presets.list_presets()["indi_small_denoise"]
tuned.restore_defaults = {"num_steps": 1}
saved = tuned.save_to_preset(
    RUN / "preset",
    metadata={
        "description": "Removes the banding of a sensor.",
        "task": "banding",
        "license": shipped["license"],
        "training": {"start": "indi_small_denoise", "pairs": 20},
        "training_data": [
            {"name": "scikit-image's photographs", "terms": "see scikit-image"}
        ],
    },
)
print(*sorted(path.name for path in saved.iterdir()))
print("licence:", shipped["license"])

"""
The command trains the same way, resumes after an interruption, and keeps the best model:

```shell
keras-indi train --degraded train/degraded --clean train/clean --preset denoise \\
    --learning-rate 3e-4 --batches 200 --output runs/banding
```

## When not to fine-tune, and when not to restore

- **The preset is good enough already**, or your damage is nothing like its own: then train a
  new model, on more pairs.
- **The pairs are shifted against each other.** Twenty shifted pairs teach a shift, and blur.
- **You have no pairs left to hold out.** Without them, nobody knows whether it got better.
- **The picture has such stripes itself**: blinds, knitwear, a ploughed field. What resembles
  the damage may vanish with it.
- **Pictures that have to prove something.** A restored one is an estimate: keep the original.

## Time and result

Measured on two cores of a server CPU with bfloat16 instructions, TensorFlow, with the preset of
November 2026: three minutes, both trainings included.

| held-out PSNR (dB) | 1 step | 4 steps |
|---|---|---|
| degraded | 25.66 | |
| preset | 26.70 | 26.60 |
| fine-tuned on 20 pairs | 32.42 | 32.24 |
| fine-tuned on 3 pairs | 32.00 | 32.06 |

On Gaussian noise, sigma 25, one step of the preset reached 34.01 dB, and that of the fine-tuned
model 28.81 dB. The best validation loss came in the last of 8 epochs on twenty pairs, which
could have been trained for longer, and in the seventh on three.
"""
