"""The campaign's short form."""

import os

import keras
import pytest
from campaigns import broken_files

pytestmark = pytest.mark.skipif(os.name != "posix", reason="makes pipes and links")


@pytest.mark.slow
def test_broken_files_are_named_and_the_others_restored():
    broken, told = broken_files.restore(80, keras.config.backend(), share=0.1, seed=1)
    assert told == []
    assert len(broken) == 8
