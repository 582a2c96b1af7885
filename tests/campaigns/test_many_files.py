"""The campaign's short form."""

import pathlib

import keras
import pytest

pytest.importorskip("apache_beam", reason="needs Apache Beam: the extra `beam`")

from campaigns import many_files  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not pathlib.Path("/proc/self/task").is_dir(), reason="needs Linux's /proc"
    ),
]


def test_killed_jobs_are_brought_to_the_same_end():
    sizes = {"sides": (24, 40), "steps": 40}
    backend = keras.config.backend()
    campaign = many_files.restore(62, backend, share=0.03, seed=1, **sizes)
    assert campaign.problems == []
    assert len(campaign.broken) == 2
