"""The campaign's short form."""

import keras
import pytest
from campaigns import kills

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(kills.os.name != "posix", reason="kills processes"),
]


@pytest.mark.parametrize("name", kills.NAMES)
def test_a_killed_command_loses_nothing(name):
    sizes = {"side": 200, "pairs": 40, "batches": 120}
    (killer,) = kills.kill([name], 2, keras.config.backend(), seed=1, **sizes)
    assert killer.problems == []
    assert killer.kills == 2
