"""Time of the residual blocks' activation, forward and backward, by dtype.

    pip install ".[tensorflow]"
    python benchmarks/activations.py

On TensorFlow, where the sigmoid of bfloat16 is slow unless it is computed in float32.
The arms take turns in one process. Printed: the least and the median time in
milliseconds, and their ratio to `silu` in float32.
"""

import os
import time

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from keras_indi.backend.activation import activate

SHAPE = (16, 32, 32, 64)
ROUNDS = 100


def compiled(activation, dtype):
    features = tf.cast(tf.random.normal(SHAPE), dtype)

    @tf.function
    def step(features):
        with tf.GradientTape() as tape:
            tape.watch(features)
            outputs = activation(features)
        return outputs, tape.gradient(outputs, features)

    step(features)
    return lambda: step(features)


def main():
    silu, relu = keras.activations.silu, keras.activations.relu
    arms = {
        "silu, float32": compiled(lambda x: activate(silu, x), "float32"),
        "silu, bfloat16": compiled(lambda x: activate(silu, x), "bfloat16"),
        "silu of Keras, bfloat16": compiled(silu, "bfloat16"),
        "relu, float32": compiled(lambda x: activate(relu, x), "float32"),
        "relu, bfloat16": compiled(lambda x: activate(relu, x), "bfloat16"),
    }
    times = {name: [] for name in arms}
    for _ in range(ROUNDS):
        for name, step in arms.items():
            start = time.perf_counter()
            step()
            times[name].append(1000 * (time.perf_counter() - start))
    base = times["silu, float32"]
    for name, taken in times.items():
        least, median = min(taken), np.median(taken)
        print(
            f"{name:24} {least:6.2f} {median:6.2f} ms   "
            f"x {least / min(base):.2f} {median / np.median(base):.2f}"
        )


if __name__ == "__main__":
    main()
