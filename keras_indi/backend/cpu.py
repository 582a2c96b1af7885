"""CPU features. Imports nothing from this package, so that it works without Keras."""

import os
import pathlib
import re

# Instructions for bfloat16; without them it is emulated in float32.
BFLOAT16_FEATURES = ("avx512_bf16", "amx_bf16")


def bfloat16_features(
    path: str | os.PathLike[str] = "/proc/cpuinfo",
) -> list[str] | None:
    """Return the bfloat16 instructions of the CPU.

    Args:
        path: Path of Linux's description of the CPU.

    Returns:
        List of names among `BFLOAT16_FEATURES`; `None` where it is not known.
    """
    if not pathlib.Path(path).exists():
        return None
    text = pathlib.Path(path).read_text(errors="replace")
    flags = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    if flags is None:
        return None
    return [name for name in BFLOAT16_FEATURES if name in flags[1].split()]
