"""
Title: Train on your own pairs
Author: The keras_indi developers
Date created: 2026/11/25
Last modified: 2026/11/25
Description: Two folders of photographs: check, fit, watch, resume, save and restore.
Accelerator: GPU
"""

"""
## What we are going to do

You have photographs with a flaw, and the same photographs without: scans of a dusty and
of a cleaned negative, a short and a long exposure, a cheap and a good microscope. Two
folders, with files of the same names. We turn them into a restorer:

1. **check** that the pairs fit each other;
2. **fit** a network on random crops of them;
3. **watch** what it restores while it trains;
4. lose the connection, and **resume** at the very next batch;
5. **save** the result as a preset, load it, **restore** a photograph it has not seen.

It takes some minutes on a GPU or on two processors: enough to see every part work. For a
useful model, raise one number afterwards.
"""

import os
import pathlib

import keras
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

import keras_indi
from keras_indi.data.sample_photographs import HELD_OUT, TRAINING, sample_photographs

# A smoke run checks this tutorial in seconds, on a few small crops.
SMOKE = os.environ.get("KERAS_INDI_SMOKE") == "1"
RUN = pathlib.Path("runs/train_on_your_pairs")
PICTURES = RUN / "pictures" if SMOKE else pathlib.Path("pictures")
PICTURES.mkdir(parents=True, exist_ok=True)
if SMOKE:
    print("Smoke run: small images, hardly any training. The scores mean nothing.")

"""
## Two folders

If you have pairs, set these paths to yours and leave out the next two cells. PNG, JPEG,
WebP and TIFF files of 8 or 16 bits are read, in any depth of sub-folders. Photographs may
have different sizes. Keep some pairs apart, in the *held-out* folders: training must not
see them, so that their scores hold for photographs that you have not taken yet.
"""

degraded_dir = RUN / "train" / "degraded"
clean_dir = RUN / "train" / "clean"
held_out_degraded_dir = RUN / "held_out" / "degraded"
held_out_clean_dir = RUN / "held_out" / "clean"
degradation = "that of real pairs"  # for the card of the preset, in the end

"""
Otherwise we make some. scikit-image carries a dozen photographs, and `PoissonGaussianNoise` is
the noise of a sensor that got little light: at most 200 electrons in a pixel, and 4 more
or less when they are counted. A model trained on real pairs would learn the noise of
*your* camera in the same way; it only ever sees the pairs.
"""

degradation = keras_indi.data.degradations.PoissonGaussianNoise(200, 4)


def write_pairs(names, degraded_dir, clean_dir):
    """Write photographs, and their degraded forms, into two folders."""
    degraded_dir.mkdir(parents=True, exist_ok=True)
    clean_dir.mkdir(parents=True, exist_ok=True)
    for seed, (name, clean) in enumerate(zip(names, sample_photographs(names))):
        clean = clean[:96, :96] if SMOKE else clean
        degraded = degradation(clean, seed)
        Image.fromarray(clean).save(clean_dir / f"{name}.png")
        Image.fromarray(degraded).save(degraded_dir / f"{name}.png")


write_pairs(TRAINING[:3] if SMOKE else TRAINING, degraded_dir, clean_dir)
write_pairs(HELD_OUT, held_out_degraded_dir, held_out_clean_dir)

"""
Real folders are never quite clean. So that there is something to find, we spoil one pair:
the tripod was nudged between the two exposures, by nine pixels.
"""

nudged = degraded_dir / f"{TRAINING[1]}.png"
Image.fromarray(np.roll(keras_indi.data.read_image(nudged), 9, axis=1)).save(nudged)

"""
## Check

A network learns whatever the pairs have in common. If one image of a pair is shifted
against the other, it learns to shift and to blur. This is the most common way to spoil a
restorer. `check_folders` reads all pairs and reports what would
hurt: files without a partner, files that cannot be read, other sizes, and shifts.

(From the command line: `keras-indi data check train/degraded train/clean`.)
"""

found = keras_indi.data.check_folders(degraded_dir, clean_dir, verbose=0)
print(found.report())

"""
It found our pair. We leave it out of the training; its files stay where they are, for you
to look at. The PSNR in the report, the mean squared difference of a pair in decibels, is
what the restorer has to beat.
"""

sides = [keras_indi.data.find_images(f) for f in (degraded_dir, clean_dir)]
names = sorted(sides[0].keys() & sides[1].keys() - set(found.misaligned))
files = {name: (sides[0][name], sides[1][name]) for name in names}

print("left out:", *found.misaligned)
print(len(files), "pairs to train on")

"""
## Batches of crops

`make_pairs` makes batches of those files for `fit`: pairs of crops, cut at random places,
alike on both sides, and flipped and turned at random. (`pairs_from_folders` does the same
with all pairs of two folders.) A few photographs hold millions of crops, so even ten are
enough to begin with. With `training=False` every photograph comes once, cropped in its
middle, in a fixed order: that is for validation.

An *epoch* here is a number of batches that you choose, as there is no natural end to
random crops. To train longer, raise `epochs`; a few hundred are not too many.
"""

epochs = 2 if SMOKE else 10
batches_per_epoch = 4 if SMOKE else 240


def make_pairs():
    """The pairs to train on, from their beginning."""
    return keras_indi.data.make_pairs(
        keras_indi.data.ImageFiles(files),
        crop_size=16 if SMOKE else 64,
        batch_size=2 if SMOKE else 8,
        batches_per_epoch=batches_per_epoch,
        seed=0,
    )


"""
The first batch, and the held-out pairs, of which all are in one batch:
"""

held_out = keras_indi.data.pairs_from_folders(
    held_out_clean_dir,
    degraded=held_out_degraded_dir,
    crop_size=32 if SMOKE else 192,
    batch_size=2,
    training=False,
)

degraded, clean = make_pairs()[0]
print(degraded.shape, degraded.dtype, clean.shape)

"""
## The model

`UNetBackbone` is the network: a small convolutional U-Net that takes an image $x_t$ and
the number $t$, and returns an image. `InDI` is the restorer around it. Both have sensible
defaults. Two of them are good to know:

- `value_range`, from black to white, is (0, 255).
- `noise_schedule` adds noise to the path from clean to degraded. The default is none, which
  is right here: the photographs bring noise of their own. Where the flaw is no noise but
  blur, compression or a small size, `noise_schedule=0.02` lets the model invent detail, and
  draw several restorations of one photograph. It is for images in [-1, 1], as in the paper:
  0.02 is 2.55 grey levels of 255.

`compile` sets what the paper trains with: the mean absolute error between the network's
estimate and the clean image, and Adam with a moving average of the weights. The average
is what is used in the end: it is steadier than the weights of any one moment. We only
choose a higher learning rate, which falls to zero along a cosine, as our run is short.
"""


def make_model():
    """A new restorer, compiled; the seeds make each one the same."""
    keras.utils.set_random_seed(0)
    unet = keras_indi.models.UNetBackbone(
        base_channels=4 if SMOKE else 32,
        channel_multipliers=(1, 2) if SMOKE else (1, 2, 3),
        blocks_per_level=1,
    )
    model = keras_indi.models.InDI(unet, seed=0)
    rate = keras.optimizers.schedules.CosineDecay(1e-3, epochs * batches_per_epoch)
    model.compile(keras_indi.models.AveragedAdam(rate))
    return model


model = make_model()
print(f"{model.count_params():,} parameters")

"""
What does a training step do? It draws a time $t$ between 0 and 1 for each pair of the
batch, mixes $x_t = (1 - t) x + t y$, adds the path's noise, and has the network estimate
$x$ from it. Nothing else: no adversary, no chain of steps. One network learns all times.

## Watch

The loss says little about the photographs that come out, as it averages over all $t$. Two
callbacks show more. `RestorationMonitor` restores held-out crops at the end of every
epoch, with the averaged weights, in one step and in four, puts their PSNR into the logs,
and draws them. `EpochLog` keeps the logs in a file, each epoch once.

`BackupAndResume` lets an interrupted training continue. At every 40th batch it writes one
file with everything: weights, optimizer, random numbers, the position in the data. With
`keep` the file stays until we remove it, once the result is saved.
"""


def make_callbacks(pairs):
    """Previews, a log, and a backup in case we are interrupted."""
    degraded, clean = held_out[0]
    return [
        keras_indi.callbacks.RestorationMonitor(
            degraded, clean, num_steps=(1, 4), log_dir=RUN / "previews"
        ),
        keras_indi.callbacks.EpochLog(RUN / "training.csv"),
        keras_indi.callbacks.BackupAndResume(
            RUN / "backup.weights.h5", pairs, every=2 if SMOKE else 40, keep=True
        ),
    ]


"""
## Fit, and lose the connection

A free GPU may be taken away at any moment. To simulate this, one more callback stops the
training in the middle of the second epoch.
"""


class PullThePlug(keras.callbacks.Callback):
    """Interrupt the training in the middle of its second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 1 and batch == batches_per_epoch // 2:
            raise KeyboardInterrupt


pairs = make_pairs()
callbacks = [*make_callbacks(pairs), PullThePlug()]
try:
    model.fit(
        pairs, validation_data=held_out, epochs=epochs, callbacks=callbacks, verbose=2
    )
except KeyboardInterrupt:
    print("The connection is lost.")

"""
## Resume

A new session starts with a new model, new pairs and the same lines as before.
`BackupAndResume` finds its file, and `fit` continues with the batch after the last one that
was saved. The result is what it would have been without the interruption. A script only has
to be started again.
"""

model, pairs = make_model(), make_pairs()
callbacks = make_callbacks(pairs)
model.fit(
    pairs, validation_data=held_out, epochs=epochs, callbacks=callbacks, verbose=2
)

"""
The logs of both sessions are in one file. We plot the PSNR of the held-out crops.
"""

with open(RUN / "training.csv") as file:
    names = file.readline().strip().split(",")
    logs = dict(zip(names, np.loadtxt(file, delimiter=",", ndmin=2).T))

figure, axis = plt.subplots(figsize=(5, 3), layout="constrained")
for steps in (1, 4):
    axis.plot(logs["epoch"] + 1, logs[f"restored_psnr_{steps}"], "o-", label=steps)
axis.set_xlabel("epoch")
axis.set_ylabel("PSNR of held-out crops (dB)")
axis.legend(title="steps")
figure.savefig(PICTURES / "pairs_training.png", dpi=100)
plt.show()

"""
![PSNR of the held-out crops by epoch, in one step and in four](pictures/pairs_training.png)

Both get closer, and four steps are ahead of one. The first step has the furthest to go, from
$t = 1$, and the training draws times near 1 no more often than others. The steps after it
mend some of what it missed. In a longer training the lead shrinks.

This is what the monitor drew after the last epoch: degraded, restored in one step and in
four, clean.
"""

preview = Image.open(sorted((RUN / "previews").glob("*.png"))[-1])
preview.save(PICTURES / "pairs_preview.png")
plt.figure(figsize=(10, 5), layout="constrained")
plt.imshow(preview)
plt.axis("off")
plt.show()

"""
![Held-out crops: degraded, restored in one step and in four, clean](pictures/pairs_preview.png)

## Save a preset

A preset is a folder with the network, its averaged weights, the settings and a card that
explains to others what the model is for. What only you know goes into `metadata`. It loads on
every backend, whichever it was trained on.

Which number of steps will users get who do not choose one? Set it in
`restore_defaults`, by the plot above and by your eyes. Here it is four.
"""

model.restore_defaults = {"num_steps": 4}
folder = model.save_to_preset(
    RUN / "preset",
    metadata={
        "description": "Removes the noise of a sensor in little light.",
        "task": "noise",
        "degradation": degradation,
        "training_data": [
            {"name": "scikit-image's photographs", "terms": "see scikit-image"}
        ],
    },
)
print(*sorted(path.name for path in folder.iterdir()))
callbacks[-1].remove()  # the backup: what it was for is saved

"""
## Restore

From here on it is any preset: `from_preset` takes the folder, and the model restores
photographs of any size. We measure on the held-out ones, whole.
"""

restorer = keras_indi.models.InDI.from_preset(str(folder))
metric = keras_indi.metrics.PSNR(value_range=(0, 255))

for name, path in keras_indi.data.find_images(held_out_degraded_dir).items():
    degraded = keras_indi.data.read_image(path)
    clean = keras_indi.data.read_image(held_out_clean_dir / path.name)
    results = {"degraded": degraded}
    for steps in (1, 4, 16):
        results[f"steps: {steps}"] = restorer.restore(degraded, num_steps=steps)
    for label, image in results.items():
        print(
            f"{name}, {label}: {metric.per_image(clean[None], image[None])[0]:.2f} dB"
        )

"""
## When not to restore

A model undoes what its pairs show, and nothing else. On photographs of another camera, or in
other light, it smooths what it should keep; hold some of those out, and look. Where you can
take the photograph again, longer or in better light, do that. A measurement beats an
estimate, and an estimate is no evidence.

## Time and result

On two cores of a server CPU, which did other work too, with TensorFlow, the full run took 14
minutes. The held-out photographs went from 25.7 and 26.5 dB to 33.6 and 31.0 dB in one step,
and to 33.6 and 31.2 dB in four. Some grain is left in smooth places (see the coffee): ten
photographs are few.

## Where to go from here

- **Longer.** Ten epochs of 240 batches are a beginning. With `epochs=400` and
  `base_channels=64` you train a strong model.
- **Clean photographs only?** `pairs_from_folders("photographs", degradation=degradation)`
  degrades each crop anew, if you can describe the flaw in code: see *Bring your own*.
- **From a trained model.** Your few pairs go further if you do not begin with random
  weights: build the model by `InDI.from_preset("denoise")`, compile, fit. See *Fine-tune on
  few pairs*.
- **Without Python.** The command does all of the above, resumes by itself, and writes
  `restorer.keras` and a preset into its output directory:

```shell
keras-indi train --degraded train/degraded --clean train/clean --output runs/mine
keras-indi restore photo.png --preset runs/mine/preset
```
"""
