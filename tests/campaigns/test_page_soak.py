"""The campaign's short form."""

import importlib.util
import pathlib

import keras
import pytest
from campaigns import page_soak

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("gradio") is None,
        reason="needs Gradio: the extra `page`",
    ),
    pytest.mark.skipif(
        not pathlib.Path("/proc/self/status").exists(), reason="reads memory in /proc"
    ),
]


def test_a_page_restores_again_and_again_and_leaves_no_file():
    found = page_soak.soak(11, 1, backend=keras.config.backend(), most_side=128)
    assert found["problems"] == []
    assert found["left"] == []
    assert len(found["megabytes"]) == 11 and found["most_files"] > 11
