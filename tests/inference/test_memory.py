import pathlib

import numpy as np
import pytest
from helpers import tiny_unet

from keras_indi.inference import memory
from keras_indi.models import UNetBackbone


def test_available_memory_is_what_the_system_has_free():
    found = memory.available_memory()
    status = pathlib.Path("/proc/meminfo")
    if not status.exists():
        pytest.skip("needs /proc/meminfo")
    total = 1024 * int(status.read_text().split()[1])
    assert 2**24 < found < total


def test_a_control_group_limits_what_is_free(monkeypatch):
    files = {
        "/proc/meminfo": ["MemTotal: 900 kB", "MemAvailable:   800 kB"],
        "/sys/fs/cgroup/memory.max": ["500000"],
        "/sys/fs/cgroup/memory.current": ["300000"],
        "/sys/fs/cgroup/memory.stat": ["anon 1", "inactive_file 100000"],
    }
    monkeypatch.setattr(memory, "_lines", lambda path: files.get(str(path), []))
    assert memory.available_memory() == 300_000  # the files' cache can be freed
    files["/sys/fs/cgroup/memory.max"] = ["max"]
    assert memory.available_memory() == 800 * 1024
    files.clear()
    assert memory.available_memory() == memory.UNKNOWN


def test_a_budget_shares_its_bytes():
    budget = memory.Budget(2**30, bytes_per_pixel=1000.0, channels=3)
    assert budget.evaluated_pixels * 1000 <= memory.NETWORK_SHARE * 2**30
    assert budget.whole_pixels * 1000 < 2**30
    assert budget.whole_pixels > budget.evaluated_pixels
    least = budget.least_memory(budget.evaluated_pixels)
    assert 0.999 * 2**30 < least <= 2**30
    assert not budget.needs_disk(10**6)
    assert budget.needs_disk(10**7)
    small = memory.Budget(None, 1000.0, 3)
    assert 0 < small.total <= memory.available_memory()


def test_a_networks_need_follows_its_largest_level():
    def need(**arguments):
        return memory.bytes_per_pixel(UNetBackbone(blocks_per_level=1, **arguments))

    one = need(base_channels=8, channel_multipliers=(1, 2))
    assert need(base_channels=16, channel_multipliers=(1, 2)) == 2 * one
    assert need(base_channels=32, channel_multipliers=(1,), patch_size=2) == one
    assert need(base_channels=8, channel_multipliers=(1, 8)) == 2 * one
    half = need(base_channels=8, channel_multipliers=(1, 2), dtype="mixed_bfloat16")
    assert half == one / 2
    assert memory.bytes_per_pixel(object()) >= memory.bytes_per_pixel(tiny_unet())
    assert np.isfinite(one)
