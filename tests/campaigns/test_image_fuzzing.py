"""The campaign's short form."""

import pytest
from campaigns import image_fuzzing

pytestmark = pytest.mark.backend_free


@pytest.mark.parametrize("seed", [1])
def test_damaged_files_are_read_or_refused(seed):
    outcomes, failures = image_fuzzing.run(inputs=200, seed=seed)
    assert failures == []
    assert outcomes["read"] > 20 and outcomes["refused"] > 20
