"""Runs exported files by their runtimes, for the benchmarks; it imports no Keras.

As a program it is the worker of `runtimes.py`: it loads one file and an archive of
inputs, and for each line that it reads runs once and prints the seconds.
"""

import pathlib
import sys
import time

import numpy as np


def open_onnx(path, bfloat16):
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    return lambda inputs: session.run(None, inputs)[0]


def open_openvino(path, bfloat16):
    import openvino

    hint = {"INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32"}
    network = openvino.compile_model(path, "CPU", hint)
    return lambda inputs: network(inputs)[0].copy()


def open_litert(path, bfloat16):
    import os

    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=os.cpu_count())
    run = interpreter.get_signature_runner()
    return lambda inputs: next(iter(run(**inputs).values()))


def open_saved_model(path, bfloat16):
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    signature = loaded.signatures["serving_default"]

    def run(inputs, kept=loaded):  # without it, its variables would go
        tensors = {name: tf.constant(array) for name, array in inputs.items()}
        return next(iter(signature(**tensors).values())).numpy()

    return run


OPEN = {
    ".onnx": open_onnx,
    ".xml": open_openvino,
    ".tflite": open_litert,
    "": open_saved_model,
}


def open_file(path, bfloat16=False):
    """A function of a dict of arrays that runs an exported file.

    Args:
        path: Path of the file, or of a SavedModel.
        bfloat16: Bool, whether OpenVINO computes in bfloat16.
    """
    path = pathlib.Path(path)
    return OPEN[path.suffix](path, bfloat16)


def open_keras(preset, dtype, num_steps, engine=None):
    """`restore` itself, on the backend of KERAS_BACKEND, or by an engine."""
    import keras_indi

    model = keras_indi.load_restorer(preset, dtype)
    arguments = {"num_steps": num_steps, "seed": 0, "tile_size": None, "verbose": 0}
    return lambda inputs: model.restore(inputs["images"], engine=engine, **arguments)


def work(kind, name, precision, num_steps, inputs, output):
    """The worker: prints "ready", and the seconds of one run a line that it reads."""
    with np.load(inputs) as archive:
        arrays = dict(archive)
    if kind == "file":
        run = open_file(name, precision == "bfloat16")
    else:
        engine = None if kind == "restore" else kind
        run = open_keras(name, precision, int(num_steps), engine)
    np.save(output, run(arrays))
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        run(arrays)
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    work(*sys.argv[1:])
