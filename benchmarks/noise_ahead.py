"""Whether a network waits for the noise that the host draws.

    KERAS_BACKEND=torch python benchmarks/noise_ahead.py

An accelerator leaves the host free while it computes; here a network that sleeps
stands for it, on the backend that runs eagerly. Prints the seconds a step of
`model.restore` without noise on the way, of one draw alone, and of a restoration with
it (`BrownianNoise`, and `ancestral` of a `ConditionalDDPM`). What it takes longer than
without noise, less the time in which noise at hand is added to the image (an
accelerator does that itself), over the draw's own time, is the share of a draw for
which the network waits.
"""

import argparse
import time

import keras
import numpy as np

from keras_indi import process
from keras_indi.models import ConditionalDDPM, InDI
from keras_indi.schedules import BrownianNoise


class Elsewhere(keras.layers.Layer):
    """Take its time without the host's processors."""

    condition_on_degraded = True

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds

    def call(self, inputs):
        if not isinstance(inputs["images"], keras.KerasTensor):
            time.sleep(self.seconds)
        return 0.5 * inputs["images"]


def seconds_a_step(model, image, num_steps, rounds, **options):
    def restore():
        start = time.perf_counter()
        model.restore(image, num_steps=num_steps, seed=0, verbose=0, **options)
        return (time.perf_counter() - start) / num_steps

    restore()
    return min(restore() for _ in range(rounds))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--num-steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if keras.config.backend() != "torch":
        raise SystemExit("Set KERAS_BACKEND=torch: the others compile the sleep away.")

    shape = (options.size, options.size, 3)
    image = np.full(shape, 100.0, "float32")
    generator = np.random.default_rng(0)
    images = keras.ops.convert_to_tensor(image[None])
    draws, additions = [], []
    for _ in range(4 * options.rounds):
        start = time.perf_counter()
        noise = generator.standard_normal((1, *shape), dtype="float32")
        drawn = time.perf_counter()
        process.perturb(images, noise, 0.1)
        draws.append(drawn - start)
        additions.append(time.perf_counter() - drawn)
    draw, addition = min(draws), min(additions)
    network = Elsewhere(2 * draw)
    count = options.num_steps, options.rounds
    ddpm = ConditionalDDPM(network)
    cases = {
        "Brownian": [
            (InDI(network, noise_schedule=0.0), {}),
            (InDI(network, noise_schedule=BrownianNoise(0.1)), {}),
        ],
        "ancestral": [(ddpm, {"sampler": "ddim"}), (ddpm, {"sampler": "ancestral"})],
    }
    size = f"{options.size}x{options.size}"
    print(f"{size}: a draw {1e3 * draw:.1f} ms, to add it {1e3 * addition:.1f} ms")
    for name, pair in cases.items():
        without, with_noise = (
            seconds_a_step(model, image, *count, **given) for model, given in pair
        )
        waits = (with_noise - without - addition) / draw
        print(
            f"{name:<10} a step {1e3 * without:6.1f} ms without noise, "
            f"{1e3 * with_noise:6.1f} ms with it: waits for {waits:.0%} of a draw"
        )


if __name__ == "__main__":
    main()
