"""Train on pairs, restore with the dial, add a sampler of your own.

    pip install ".[tensorflow,quickstart]"
    python examples/train_and_restore.py

The photographs come with scikit-image, the degradation is 4x super-resolution.
With KERAS_INDI_SMOKE=1 it only shows that everything runs, in seconds.
"""

import os

import keras
import numpy as np

import keras_indi
from keras_indi import process
from keras_indi.data import make_pairs
from keras_indi.data.degradations import Downsample
from keras_indi.data.sample_photographs import HELD_OUT, sample_photographs

SMOKE = bool(os.environ.get("KERAS_INDI_SMOKE"))

# 1. Pairs: any Keras data source of (degraded, clean) batches does.
degradation = Downsample(4)
pairs = make_pairs(
    sample_photographs(),
    degradation,
    crop_size=16 if SMOKE else 48,
    batch_size=8,
    batches_per_epoch=2 if SMOKE else 200,
    seed=0,
)

# 2. A backbone and the restorer around it.
unet = keras_indi.models.UNetBackbone(
    base_channels=4 if SMOKE else 32,
    channel_multipliers=(1, 2, 3),
    blocks_per_level=1,
)
model = keras_indi.models.InDI(unet, noise_schedule=0.04, seed=0)
model.compile(keras_indi.models.AveragedAdam(1e-3))
model.fit(pairs, epochs=1 if SMOKE else 10)


# 3. A sampler of your own: how to move from t to s, given F.
@keras.saving.register_keras_serializable(package="example")
class DampedSampler(keras_indi.samplers.Sampler):
    """The InDI step towards the mean of this estimate and the last."""

    def __init__(self, damping=0.2):
        self.damping = damping

    def initial_memory(self, images):
        return images

    def step(self, predict, images, times, next_times, memory):
        estimate = predict(images, times)
        mixed = (1 - self.damping) * estimate + self.damping * memory
        return process.update(images, mixed, times, next_times), estimate


# 4. Restore a photograph that training has not seen.
clean = sample_photographs(HELD_OUT[:1])[0][:288, :448]
degraded = degradation(clean, seed=0)
for sampler, num_steps in [("indi", 1), ("indi", 8), (DampedSampler(0.1), 8)]:
    restored = model.restore(degraded, num_steps=num_steps, sampler=sampler, seed=0)
    error = np.mean(np.abs(restored.astype(float) - clean))
    print(f"{sampler!s:28} {num_steps:2} steps: mean absolute error {error:.2f}")
draws = model.restore(degraded, num_steps=8, num_samples=4, seed=0)
print(f"{len(draws)} draws differ by {draws.std(axis=0).mean():.2f} grey levels")
