"""
Title: Train at full scale
Author: The keras_indi developers
Date created: 2026/11/25
Last modified: 2026/11/25
Description: 4x super-resolution on DIV2K, in mixed precision, on a TPU, GPUs or a CPU.
Accelerator: GPU
"""

"""
## What we are going to do

*Train on your own pairs* showed all parts on a few photographs. Here they are at full size:
the 800 photographs of DIV2K, two megapixels and more each, and the commonest task of the
field, to make an image four times larger in height and width. One script, which runs as it
is on a free GPU, on a TPU, on several GPUs, and (slowly) on a processor. You will see

- a data set of [TensorFlow Datasets](https://www.tensorflow.org/datasets), on any backend;
- mixed precision, and what it does and does not touch;
- one batch shared by several devices;
- the moving average of the weights, and how to validate and save with it;
- scores by the conventions of super-resolution papers.
"""

import os
import pathlib

import keras
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

import keras_indi

# A smoke run checks this tutorial in seconds, on images that it makes.
SMOKE = os.environ.get("KERAS_INDI_SMOKE") == "1"
RUN = pathlib.Path("runs/train_at_full_scale")
PICTURES = RUN / "pictures" if SMOKE else pathlib.Path("pictures")
for folder in (RUN, PICTURES):
    folder.mkdir(parents=True, exist_ok=True)
if SMOKE:
    print("Smoke run: images made here, hardly any training. The scores mean nothing.")

"""
## One program, any device

Keras places the work on the device that the backend finds; for one device there is nothing
to do. With several, *data parallelism* shares each batch among them: all hold the same
weights, each computes the gradients of its part, and the sum of all updates the weights.
Keras does so on JAX, and one line switches it on. It must come before the model is made. On
TensorFlow and PyTorch the tutorial uses one device.
"""

if keras.config.backend() == "jax":
    devices = keras.distribution.list_devices()
    print(devices)
    if len(devices) > 1:
        keras.distribution.set_distribution(keras.distribution.DataParallel())

"""
## Mixed precision

`mixed_bfloat16` computes in 16 bits, which TPUs, GPUs since NVIDIA's Ampere, and processors
with instructions for it do faster than in 32, and in less memory. "Mixed", as the weights and
their updates stay 32 bits wide. bfloat16 has the range of 32 bits and only less precision, so
gradients neither vanish nor overflow and need no scaling.

What must be exact stays exact: the restorer mixes $x_t$, and takes every step of a walk, in
float32; only the network inside computes in 16 bits.

Elsewhere it is slower than float32: on older GPUs (the T4 of free Colab among them), on older
processors, and on any processor with JAX or PyTorch here. So we ask the device:
"""


def computes_bfloat16_fast():
    """Whether the device computes in bfloat16 faster than in float32."""
    backend = keras.config.backend()
    if backend == "jax":
        import jax

        device = jax.devices()[0]
        if device.platform == "gpu":
            capability = device.compute_capability.partition(".")[0]
            # AMD names its GPUs otherwise, and those that JAX runs on are fast in it.
            return not capability.isdecimal() or int(capability) >= 8
        return device.platform == "tpu"
    if backend == "torch":
        import torch

        return torch.cuda.is_available() and torch.cuda.get_device_capability()[0] >= 8
    import tensorflow as tf

    for device in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(device)
        return details.get("compute_capability", (0, 0))[0] >= 8
    cpu = pathlib.Path("/proc/cpuinfo")  # of Linux; elsewhere float32 is safe
    return cpu.exists() and "bf16" in cpu.read_text()


"""
The policy must be set before the network is made.
"""

if computes_bfloat16_fast():
    keras.config.set_dtype_policy("mixed_bfloat16")
print(keras.config.dtype_policy().name)

"""
## The data

`load_tfds` downloads and prepares the set at its first call (some gigabytes, once; it needs
TensorFlow for that, to read afterwards none of it), and then gives batches of crops, on any
backend. `div2k/bicubic_x4` holds pairs of a photograph and its small version. The small one
is enlarged to the size of the large one first, bilinear: degraded and clean images have
equal sizes throughout the package.

A smoke run must not download, so it makes pairs of its own, in the layout of the builder
`paired_folders`. This is also how you turn *your* pairs into a tfds set.
"""


def make_small_set(folder, split, count):
    """Write pairs of smooth colour patterns and their quarter-size versions."""
    shrink = keras_indi.data.degradations.Downsample(4, enlarge=False)
    for name in ("degraded", "clean"):
        (folder / split / name).mkdir(parents=True, exist_ok=True)
    for index in range(count):
        rows, columns = np.mgrid[:64, :64] * (0.1 + 0.05 * index)
        waves = np.stack([np.sin(rows), np.cos(columns), np.sin(rows + columns)], -1)
        clean = (127.5 + 120 * waves).astype("uint8")
        Image.fromarray(clean).save(folder / split / "clean" / f"{index}.png")
        small = Image.fromarray(shrink(clean, seed=0))
        small.save(folder / split / "degraded" / f"{index}.png")


name, options = "div2k/bicubic_x4", {}
if SMOKE:
    make_small_set(RUN / "pairs", "train", 4)
    make_small_set(RUN / "pairs", "validation", 2)
    name = "paired_folders/uint8"
    options = {"manual_dir": RUN / "pairs", "data_dir": RUN / "tfds"}

"""
How large a batch? The paper's is 32. With several devices it must be a multiple of their
number, and so must that of the validation, whose last batch is cut to what is left over: so
we validate on 64 of the 100 photographs that DIV2K has for it. And what is an epoch? Crops
never end, so we choose: 1000 batches, between two looks at the validation.
"""

batch_size = 2 if SMOKE else 32
batches_per_epoch = 4 if SMOKE else 1000
epochs = 2 if SMOKE else 200
crops = {"crop_size": 32 if SMOKE else 128, "batch_size": batch_size, **options}

pairs = keras_indi.data.load_tfds(
    name, "train", batches_per_epoch=batches_per_epoch, seed=0, **crops
)
held_out = keras_indi.data.load_tfds(
    name, "validation" if SMOKE else "validation[:64]", training=False, **crops
)
degraded, clean = held_out[0]
print(degraded.shape, degraded.dtype, len(pairs), "batches an epoch")

"""
The same call gives every other task on the same photographs: with a degradation as its third
argument, `load_tfds("div2k/bicubic_x4", "train", "gaussian_noise")`, the set's clean images
are degraded as they are read. And `reader="tf_data"` hands out a `tf.data.Dataset`.

## The model

The U-Net of the paper's size: 64 channels, four resolutions. It is convolutional throughout,
so that crops are enough to train on, and photographs of any size are restored. The noise of
0.01 lets it invent texture that is not in the small image; without any there is nothing for
it to choose.

`compile()` alone means Adam at $10^{-4}$, the mean absolute error, and an *exponential moving
average* (EMA) of the weights: after each update, the average moves towards the new weights by
a ten-thousandth. Single updates are noisy, and their average is a better network than any of
them. Here we name the optimizer, to show it. `AveragedAdam` is Adam with an average that
forgets its random beginning early.
"""

keras.utils.set_random_seed(0)
unet = keras_indi.models.UNetBackbone(
    base_channels=4 if SMOKE else 64,
    channel_multipliers=(1, 2) if SMOKE else (1, 2, 3, 4),
    blocks_per_level=1 if SMOKE else 2,
)
model = keras_indi.models.InDI(unet, noise_schedule=0.02, seed=0)
model.compile(keras_indi.models.AveragedAdam(1e-4, ema_momentum=0.9999))
print(f"{model.count_params():,} parameters in {unet.dtype_policy.name}")

"""
## Callbacks, in this order

While it trains, the model has the weights of the moment; the average lies in the optimizer,
and `fit` puts it into the model at its end. To validate and save with the average in between,
`SwapEMAWeights(swap_on_epoch=True)` swaps the two at the end of each epoch. What comes after
it in the list saves averaged weights:

- `ModelCheckpoint` keeps the model with the best restorations, as the monitor measured;
- `BackupAndResume` comes with everything that resuming needs: run the script again, and it
  continues at the next batch.
"""

callbacks = [
    keras_indi.callbacks.BackupAndResume(
        RUN / "backup.weights.h5", pairs, every=2 if SMOKE else 250, keep=True
    ),
    keras_indi.callbacks.RestorationMonitor(
        degraded[:8],
        clean[:8],
        num_steps=(1, 4),
        every=1 if SMOKE else 5,
        log_dir=RUN / "previews",
    ),
    keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
    keras.callbacks.ModelCheckpoint(
        RUN / "best.keras", "restored_psnr_4", mode="max", save_best_only=True
    ),
    keras_indi.callbacks.EpochLog(RUN / "training.csv"),
]

"""
## Fit

200 epochs of 1000 batches are a long training, which Colab may interrupt many times: run the
notebook again each time. You need not wait for its end to look: the folder `previews` has a
picture of every fifth epoch, and `best.keras` is there from the first of them on. The backup
goes when the model is saved.
"""

model.fit(
    pairs, validation_data=held_out, epochs=epochs, callbacks=callbacks, verbose=2
)
model.save(RUN / "restorer.keras")
callbacks[0].remove()

"""
## Restore and score

Papers on super-resolution measure PSNR on the brightness alone (Y of YCbCr), without a border
as wide as the factor. The metric does both, and knows nothing of a batch: a figure an image.
"""

metric = keras_indi.metrics.PSNR(value_range=(0, 255), crop_border=4, channel="y")
degraded, clean = (images[:8] for images in held_out[0])

print(f"enlarged: {metric.per_image(clean, degraded).mean():.2f} dB")
for steps in (1, 4, 16):
    restored = model.restore(degraded, num_steps=steps, seed=0)
    print(f"steps {steps:2d}: {metric.per_image(clean, restored).mean():.2f} dB")

"""
The crops themselves, at each number of steps:
"""

views = {"enlarged": degraded[0]}
for steps in (1, 4, 16):
    views[f"steps: {steps}"] = model.restore(degraded[0], num_steps=steps, seed=0)
views["clean"] = clean[0]

figure, axes = plt.subplots(1, len(views), figsize=(12, 2.8), layout="constrained")
for axis, (title, image) in zip(axes, views.items()):
    axis.imshow(image)
    axis.set_title(title, fontsize=9)
    axis.axis("off")
figure.savefig(PICTURES / "full_scale_crops.png", dpi=100)
plt.show()

"""
## Share

A preset with weights in 16 bits is half as large, and restores the same photographs to within
rounding. It loads on every backend, on every device, in the precision that you ask for there.
"""

folder = model.save_to_preset(
    RUN / "preset",
    metadata={
        "task": "super-resolution, 4 times in height and width",
        "training_data": [{"name": name, "terms": "academic research only"}],
    },
    weights_dtype="float16",
)
again = keras_indi.models.InDI.from_preset(str(folder), dtype="float32")
restored = again.restore(degraded[0], num_steps=4, seed=0)
print(restored.shape, restored.dtype)

"""
## When not to restore

The model invents texture like that of the photographs of DIV2K. Do not enlarge text, faces
that somebody is to recognise, scans of patients or views from satellites with it, nor anything
that serves as evidence. The terms of the data set allow academic research only, and hold for
the weights too.

## Time and result

This tutorial was not run in full for this version: 200,000 batches need a GPU or a TPU for a
day or more. Only its smoke run was, on two cores of a server CPU. So there is no score here
to compare yours with.

## Publish it

`InDI.upload_preset("hf://you/name", folder)` puts it on Hugging Face, and
`InDI.from_preset("hf://you/name")` gets it from there. How the whole compares with others, at
every number of steps, with LPIPS and FID beside PSNR, is one command:

```shell
keras-indi trade-off runs/train_at_full_scale/preset --degraded small --clean large --output curve
```
"""
