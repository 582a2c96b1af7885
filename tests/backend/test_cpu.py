"""What is read of the CPU."""

import pytest

from keras_indi.backend.cpu import bfloat16_features as told

pytestmark = pytest.mark.backend_free


def test_bfloat16_instructions_are_read_from_the_cpus_flags(tmp_path):
    path = tmp_path / "cpuinfo"
    assert told(path) is None
    path.write_text("processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16x\n")
    assert told(path) == []
    path.write_text("flags\t\t: fpu amx_bf16 avx512_bf16 sse\nflags\t\t: fpu\n")
    assert told(path) == ["avx512_bf16", "amx_bf16"]
    path.write_text("Features\t: asimd bf16\n")  # of another processor
    assert told(path) is None
