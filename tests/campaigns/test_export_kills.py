"""The campaign's short form."""

import os

import pytest
from campaigns import export_kills

pytestmark = [
    pytest.mark.slow,
    pytest.mark.backend_free,
    pytest.mark.skipif(os.name != "posix", reason="kills processes"),
]


def test_a_killed_export_leaves_the_old_one_or_the_new_one():
    pytest.importorskip("tensorflow", reason="exports by TensorFlow")
    (killer,) = export_kills.kill("jpeg", ["saved_model"], 2, "tensorflow", seed=1)
    assert killer.problems == []
    assert len(killer.met) == 2
