"""What `restore` costs beyond its network calls.

    KERAS_BACKEND=jax python benchmarks/restore_overhead.py

Times `model.restore(image, num_steps=N)` against N calls of the compiled network
alone on the same image, alternating, in one process, and prints the ratio of the
medians: 1.00 is no overhead.
"""

import argparse
import statistics
import time

import keras
import numpy as np
from keras import ops

from keras_indi.backend.compiled import compile_function
from keras_indi.models import InDI, UNetBackbone


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--num-steps", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()

    unet = UNetBackbone(
        base_channels=32, channel_multipliers=(1, 2, 3), blocks_per_level=1
    )
    model = InDI(unet, noise_schedule=0.01)
    network = compile_function(
        lambda images, times: unet({"images": images, "times": times}), unet.variables
    )
    print(f"{keras.config.backend()}, {options.num_steps} steps, restore / network")
    for size in options.sizes:
        image = np.random.default_rng(0).uniform(0, 255, (size, size, 3))
        image = image.astype("float32")
        inputs = ops.convert_to_tensor(image[None]), ops.convert_to_tensor([0.5])

        def restore(image=image):
            model.restore(image, num_steps=options.num_steps, seed=0, verbose=0)

        def calls(inputs=inputs):
            for _ in range(options.num_steps):
                outputs = network(*inputs)
            ops.convert_to_numpy(outputs)

        seconds = {restore: [], calls: []}
        for _ in range(options.rounds + 1):
            for function in seconds:
                start = time.perf_counter()
                function()
                seconds[function].append(time.perf_counter() - start)
        # The first round compiled.
        ratio = statistics.median(seconds[restore][1:]) / statistics.median(
            seconds[calls][1:]
        )
        print(f"{size:5}x{size:<5} {ratio:.3f}")


if __name__ == "__main__":
    main()
