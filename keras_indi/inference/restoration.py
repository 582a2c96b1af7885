"""The walk of a collection of images from degraded to restored."""

from collections import defaultdict

import numpy as np
from keras import ops

from keras_indi import process
from keras_indi.inference import sizes
from keras_indi.inference.progress import Progress

# Without a batch size, images are batched up to about this many pixels.
PIXELS_PER_BATCH = 2**20


class Walk:
    """A sampler on a grid of times: everything but the images.

    Args:
        step: Compiled or plain function of `(images, times, next_times, memory,
            degraded)` that returns the new images and memory.
        last_step: The same for the step that ends at t = 0.
        sampler: The `Sampler` behind the two.
        times: NumPy array of shape `(num_steps + 1,)`, falling from 1 to 0.
        noise_schedule: The `NoiseSchedule`.
        noise_unit: Float, the width of the value range, of which eps is a
            fraction.
    """

    def __init__(self, step, last_step, sampler, times, noise_schedule, noise_unit):
        self.sampler = sampler
        self.num_steps = len(times) - 1
        self.start_scale = noise_unit * float(
            ops.convert_to_numpy(noise_schedule.scale(ops.convert_to_tensor([1.0])))[0]
        )
        self._moves = []
        for time, next_time in zip(times[:-1], times[1:]):
            scale = sampler.noise_scale(noise_schedule, time, next_time)
            move = last_step if next_time == 0 else step
            self._moves.append((move, time, next_time, noise_unit * scale))

    def run(self, degraded, draw_noise, progress, keep_states):
        """Restores one batch.

        Args:
            degraded: float32 array `(batch, height, width, channels)`.
            draw_noise: Function without arguments that returns standard normal
                noise of that shape, new at each call.
            progress: `Progress`, advanced once a step.
            keep_states: Bool, whether to return every state.

        Returns:
            List of float32 NumPy arrays: all states from x_1 to x_0, or x_0.
        """
        degraded = ops.convert_to_tensor(degraded)
        images = self._with_noise(degraded, self.start_scale, draw_noise)
        memory = self.sampler.initial_memory(images)
        states = [images]
        for move, time, next_time, scale in self._moves:
            images, memory = move(
                images,
                ops.convert_to_tensor(time, "float32"),
                ops.convert_to_tensor(next_time, "float32"),
                memory,
                degraded,
            )
            images = self._with_noise(images, scale, draw_noise)
            states = [*states, images] if keep_states else [images]
            progress.advance()
        return [ops.convert_to_numpy(state) for state in states]

    @staticmethod
    def _with_noise(images, scale, draw_noise):
        if scale == 0:
            return images
        return process.perturb(images, draw_noise(), scale)


def restore_images(
    walk, images, multiple, num_samples, seed, batch_size, keep_states, verbose
):
    """Restores images of any sizes, `num_samples` times each.

    Images of one padded size share batches. The noise of a draw depends on the
    seed, the draw and the image's index alone, so that neither the batch size
    nor the backend changes it.

    Args:
        walk: A `Walk`.
        images: List of NumPy arrays of shape `(height, width, channels)`.
        multiple: Int, the network's `size_multiple`.
        num_samples: Int, draws per image.
        seed: Int.
        batch_size: Int, or `None` for batches of about a megapixel.
        keep_states: Bool, whether to keep every state.
        verbose: See `Progress`.

    Returns:
        Nested list `[image][draw]` of float32 arrays of shape
        `(states, height, width, channels)`.
    """
    groups = defaultdict(list)
    for index, image in enumerate(images):
        height, width, _ = image.shape
        padded = (height + -height % multiple, width + -width % multiple)
        groups[padded] += [(index, draw) for draw in range(num_samples)]
    batches = []
    for (height, width), items in groups.items():
        size = batch_size or max(1, PIXELS_PER_BATCH // (height * width))
        size = min(size, len(items))
        batches += [(size, items[i : i + size]) for i in range(0, len(items), size)]

    progress = Progress(len(batches) * walk.num_steps, verbose)
    results = [[None] * num_samples for _ in images]
    for size, items in batches:
        # A short batch is filled up, so that it needs no compilation of its own.
        filled = items + [items[-1]] * (size - len(items))
        degraded = np.stack(
            [
                sizes.pad_to_multiple(images[index].astype("float32"), multiple)
                for index, _ in filled
            ]
        )
        generators = [np.random.default_rng((seed, *item)) for item in items]

        def draw_noise(generators=generators, shape=degraded.shape):
            noise = np.zeros(shape, "float32")
            for row, generator in zip(noise, generators):
                generator.standard_normal(out=row, dtype="float32")
            return noise

        states = walk.run(degraded, draw_noise, progress, keep_states)
        for row, (index, draw) in enumerate(items):
            height, width, _ = images[index].shape
            results[index][draw] = np.stack(
                [state[row, :height, :width] for state in states]
            )
    return results
