"""
Title: Bring your own
Author: The keras_indi developers
Date created: 2026/11/25
Last modified: 2026/11/25
Description: A degradation, a noise schedule, a sampler and a backbone of your own.
Accelerator: GPU
"""

r"""
## What we are going to do

The package is made of small parts with one job each, and you can put your own in place of
any of them:

| part | its job | the one method to write |
|---|---|---|
| degradation | makes the degraded image $y$ of a clean one $x$ | `apply` |
| noise schedule | how much noise, $\epsilon_t$, the path from $x$ to $y$ carries | `level` |
| sampler | moves from $x_t$ to $x_s$ on the walk from $y$ back to $x$ | `step` |
| backbone | the network, which estimates $x$ from $x_t$ | `call` |

We write one of each, train the whole for some minutes to mend scratched film, save it, and
load it again. The first tutorials, *Restore a photograph* and *Train on your own pairs*,
explain what the parts do together.

One rule holds for all. A saved model must find your classes again, so each is decorated
with `register_keras_serializable` and a package name of yours; and its constructor keeps
each argument under the argument's own name. Then `get_config()` is written for you.
"""

import os
import pathlib

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import ops

import keras_indi
from keras_indi import process
from keras_indi.data.sample_photographs import HELD_OUT, TRAINING, sample_photographs

# A smoke run checks this tutorial in seconds, with hardly any training.
SMOKE = os.environ.get("KERAS_INDI_SMOKE") == "1"
RUN = pathlib.Path("runs/bring_your_own")
PICTURES = RUN / "pictures" if SMOKE else pathlib.Path("pictures")
for folder in (RUN, PICTURES):
    folder.mkdir(parents=True, exist_ok=True)
if SMOKE:
    print("Smoke run: small images, hardly any training. The scores mean nothing.")

register = keras.saving.register_keras_serializable

r"""
## A degradation

Old film has scratches: bright lines, nearly upright, where dust tore the emulsion. `apply`
gets a clean image, scaled so that 0 is black and 1 is white, and returns the degraded one.
Two things to keep in mind:

- It is plain NumPy. Degradations run in the threads that read the data, the same on every
  backend.
- All that is random comes from the `generator` it is given. So a seed fixes the image, and
  validation sees the same scratches in every epoch.
"""


@register(package="my_film")
class Scratches(keras_indi.data.degradations.Degradation):
    """Bright, nearly upright lines, one for each so many columns."""

    def __init__(self, spacing=24, brightness=0.6):
        self.spacing = spacing
        self.brightness = brightness

    def apply(self, image, generator):
        height, width, _ = image.shape
        rows = np.arange(height)[:, None]
        columns = np.arange(width)
        scratched = image.copy()
        for _ in range(generator.poisson(width / self.spacing) + 1):
            place = generator.uniform(0, width) + generator.uniform(-0.1, 0.1) * rows
            line = np.exp(-np.square((columns - place) / 0.8))[..., None]
            scratched += self.brightness * line * (1 - image)
        return scratched


"""
That is all: the base class takes care of integers and ranges. We try it on a photograph.
"""

clean = sample_photographs(HELD_OUT[:1])[0]
clean = clean[64:112, 100:148] if SMOKE else clean[40:232, 80:272]
degraded = Scratches()(clean, seed=1)

figure, axes = plt.subplots(1, 2, figsize=(6, 3.2), layout="constrained")
for axis, (title, image) in zip(axes, {"clean": clean, "degraded": degraded}.items()):
    axis.imshow(image)
    axis.set_title(title, fontsize=9)
    axis.axis("off")
figure.savefig(PICTURES / "own_degradation.png", dpi=100)
plt.show()

r"""
![A photograph, and the same with bright, nearly upright scratches](pictures/own_degradation.png)

## A noise schedule

The path may carry noise, $x_t = (1 - t)\,x + t\,y + t\,\epsilon_t\,n$. It lets the model
give several answers, and fill in texture. `level` returns $\epsilon_t$ for a tensor of
times in $(0, 1]$. Its unit is the paper's: it counts where images span $[-1, 1]$. It must
never be negative, and must not rise with $t$ (the package checks both): on the way back,
from $t = 1$ to 0, the walk can add noise but cannot take any away.

The shipped schedules have noise in $y$ itself, at $t = 1$. But our scratched photograph
has no noise in it. So we write a *bridge*: $\epsilon_t = \epsilon\,(1 - t)$ has none at
$t = 1$, none at $t = 0$ (as $t\,\epsilon_t$ is 0 there), and most in the middle. Here we
compute on tensors, with `keras.ops` or plain operators.
"""


@register(package="my_film")
class BridgeNoise(keras_indi.schedules.NoiseSchedule):
    """eps_t = eps (1 - t): no noise at either end of the path."""

    def __init__(self, eps=0.2):
        self.eps = eps

    def level(self, times):
        return self.eps * (1.0 - times)


schedule = BridgeNoise()
times = np.linspace(0, 1, 5, dtype="float32")
print(ops.convert_to_numpy(schedule.scale(times)).round(4))  # t eps_t

r"""
## A sampler

A sampler is asked for one step: here is the state $x_t$ (`images`), there is a function
`predict` that gives $F(x_t, t)$, move to $s$. It knows neither the network nor how many
steps there are.

Ours is the ordinary step with one more thought. An estimate may lie outside of what a
photograph can be, darker than black or lighter than white, and would then drag the state
along. We clip it first. The step itself, $x_s = (1 - s/t) F + (s/t) x_t$, is there to be
called: all formulas of the method are functions in `keras_indi.process`.

`memory` is for samplers that remember earlier steps; we pass it on. And as our schedule has
noise that grows on the way back, someone must say how much fresh noise a step adds. By
default a sampler refuses such a schedule, so that nobody is wrong in silence. Our step
scales the noise that is there by $s/t$, like the ordinary one, so the same amount is
missing afterwards, and `scale_between` knows it.
"""


@register(package="my_film")
class ClippedSampler(keras_indi.samplers.Sampler):
    """The InDI step towards an estimate without impossible values."""

    def __init__(self, low=0.0, high=255.0):
        self.low = low
        self.high = high

    def step(self, predict, images, times, next_times, memory):
        estimate = ops.clip(predict(images, times), self.low, self.high)
        return process.update(images, estimate, times, next_times), memory

    def noise_scale(self, noise_schedule, time, next_time):
        return self.scale_between(noise_schedule, time, next_time)


r"""
## A backbone

The network may be any Keras model or layer. It is called with a dict of `images`, $x_t$,
scaled to $[-1, 1]$, and `times`, $t$, one for each image; with
`condition_on_degraded = True` the dict holds `degraded`, $y$, too. It returns its estimate
of the clean images.

Ours has no levels, as the U-Net has, but a row of dilated convolutions: each looks twice as
far as the one before. The time enters as one more channel, the same at all pixels. The
last layer begins with zeros, and its output is *added* to the input, so that an untrained
network returns its input: a good beginning, as most of a photograph is fine.

First the convolutions. A `Sequential` model that begins with an `Input` has its weights at
once; nothing needs to be built later, which makes saving and loading simple.
"""


def dilated_convolutions(channels):
    """Convolutions that reach 1 + 2 + 4 + 8 + 1 pixels to each side."""
    layers = [
        keras.layers.Conv2D(
            channels, 3, padding="same", dilation_rate=rate, activation="gelu"
        )
        for rate in (1, 2, 4, 8)
    ]
    last = keras.layers.Conv2D(3, 3, padding="same", kernel_initializer="zeros")
    inputs = keras.Input((None, None, 3 + 3 + 1))  # x_t, y and t
    return keras.Sequential([inputs, *layers, last])


r"""
Around them the network itself. `receptive_field` is optional: how many pixels wide
the window is that a pixel of the output depends on, and with it large photographs go through
the network in tiles, exactly.

`get_config` must be written here, as Keras does not write it for a model of one's own: its
name and the like, and our one argument.
"""


@register(package="my_film")
class DilatedNetwork(keras.Model):
    """Dilated convolutions; conditioned on t by a channel of its own."""

    condition_on_degraded = True
    receptive_field = 1 + 2 * (1 + 2 + 4 + 8 + 1)

    def __init__(self, channels=48, **kwargs):
        super().__init__(**kwargs)
        self.channels = channels
        self.convolutions = dilated_convolutions(channels)
        self.built = True

    def call(self, inputs):
        images = inputs["images"]
        times = ops.reshape(inputs["times"], (-1, 1, 1, 1))
        plane = times * ops.ones_like(images[..., :1])
        x = ops.concatenate([images, inputs["degraded"], plane], axis=-1)
        return images + self.convolutions(x)

    def get_config(self):
        return {**super().get_config(), "channels": self.channels}


r"""
## All together

Wherever the package takes a name, it takes an object of yours. `restore_defaults` are what
`restore` uses by default, and are saved with the model.
"""

keras.utils.set_random_seed(0)
model = keras_indi.models.InDI(
    DilatedNetwork(channels=8 if SMOKE else 48),
    noise_schedule=BridgeNoise(0.2),
    restore_defaults={"num_steps": 4, "sampler": ClippedSampler()},
    seed=0,
)
epochs, batches = (1, 4) if SMOKE else (8, 200)
rate = keras.optimizers.schedules.CosineDecay(1e-3, epochs * batches)
model.compile(keras_indi.models.AveragedAdam(rate))

"""
The photographs that scikit-image carries are clean, and our degradation scratches a new
crop for every batch. `make_pairs` takes any list of images, or anything with `len` and
an index; `pairs_from_folders` is the same for a folder of files.
"""

pairs = keras_indi.data.make_pairs(
    sample_photographs(TRAINING[:2] if SMOKE else TRAINING),
    Scratches(),
    crop_size=16 if SMOKE else 64,
    batch_size=2 if SMOKE else 8,
    batches_per_epoch=batches,
)
model.fit(pairs, epochs=epochs, verbose=2)

"""
Did it learn to mend film? The photograph is one that it has not seen.
"""

restored = model.restore(degraded, seed=0)
metric = keras_indi.metrics.PSNR(value_range=(0, 255))
views = {"degraded": degraded, "restored": restored, "clean": clean}

figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
for axis, (title, image) in zip(axes, views.items()):
    decibels = metric.per_image(clean[None], image[None])[0]
    axis.imshow(image)
    axis.set_title(f"{title}, {decibels:.1f} dB", fontsize=9)
    axis.axis("off")
figure.savefig(PICTURES / "own_restored.png", dpi=100)
plt.show()

"""
![Scratched, restored, clean](pictures/own_restored.png)

The receptive field lets `restore` work in tiles. It says that the result is the same;
never believe such a thing unseen. (Up to one level of 255, where the two orders of
summation round a value to either side.)
"""

size = 5 * clean.shape[0] // 6  # two tiles in each direction
tiled = model.restore(degraded, seed=0, tile_size=size)
print("tiles differ by", np.abs(tiled.astype(int) - restored).max())

"""
## Save, and load again

A `.keras` file holds everything: the network, its weights, the schedule, the sampler. A
preset is a folder with the same, to share. Neither holds your *code*: who loads it must
have imported the module with your registered classes, and a preset that names others is
refused. So put the classes of this tutorial into a module of yours.
"""

model.save(RUN / "film.keras")
loaded = keras.saving.load_model(RUN / "film.keras")
print(loaded.noise_schedule, loaded.restore_defaults["sampler"])
np.testing.assert_allclose(loaded.restore(degraded, seed=0), restored, atol=1)

folder = model.save_to_preset(RUN / "preset", {"degradation": Scratches()})
again = keras_indi.models.InDI.from_preset(str(folder))
np.testing.assert_allclose(again.restore(degraded, seed=0), restored, atol=1)

"""
A registered class also has a name, and a config that describes an object completely. Both are
accepted in place of the object, which is how configuration files can name your parts.
"""

config = keras.saving.serialize_keras_object(Scratches(spacing=12))
mended = model.restore(degraded, sampler="my_film>ClippedSampler", seed=0)
np.testing.assert_array_equal(mended, restored)
print(keras.saving.deserialize_keras_object(config))

"""
## When not to restore

Below an opaque scratch nothing of the picture is left, and the model fills in what is likely.
Wires, masts and rain look like scratches too: compare with the scan before you believe that
something was removed rightly. Keep the scan. In an archive, or as evidence, it is the document,
and the mended picture an illustration.

## Time and result

Measured on two cores of a server CPU, TensorFlow in float32: 376 seconds of processor time. (The
processors were busy with other programs, so that the clock showed 20 minutes; expect three or
four on free ones.) The scratched photograph had 21.4 dB, the restored one 28.3 dB, with grain and
traces of the scratches left: 1600 batches are few.

## What next

- **A sampler with two looks a step, or a memory:** read `samplers/heun_sampler.py` and
  `samplers/multistep_sampler.py`, some fifteen lines each.
- **Times and grids** are parts as well: `TimeDistribution` says at which times a model
  trains, `TimeGrid` at which it restores. Each has one method to write.
- **Test your part.** For a sampler there is a check without any network: give it the
  closed form of *The mathematics in 2-D*, and look where the points end.
"""
