"""Fastest precision for restoration."""

import keras

from keras_indi.backend.compiled import devices
from keras_indi.backend.cpu import bfloat16_features
from keras_indi.backend.runtimes import RUNTIMES


def fastest_dtype(runtime: str | None = None) -> str:
    """Return `"bfloat16"` where it is known to be faster, else `"float32"`.

    It is faster with TensorFlow and PyTorch on a CPU with bfloat16 instructions; other
    CPUs emulate it in float32. There a small preset took 0.3 to 0.6 of the time. PSNR
    agreed within 0.01 dB, and pixels within 3 of 255. JAX is slower in bfloat16.

    Args:
        runtime: String, a name in `runtimes.RUNTIMES` that computes instead of the
            backend. Defaults to `None`, the backend.
    """
    if runtime is not None:
        fast = "bfloat16" in RUNTIMES[runtime] and bfloat16_features()
        return "bfloat16" if fast else "float32"
    on_cpu = all(device.startswith("cpu") for device in devices())
    known = keras.config.backend() in ("tensorflow", "torch")
    fast = known and on_cpu and bfloat16_features()
    return "bfloat16" if fast else "float32"
