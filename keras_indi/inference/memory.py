"""Available memory, and memory use of images."""

import pathlib

from keras_indi.backend import compiled

# Assumed free memory if the system does not report it.
UNKNOWN = 2 * 2**30
# Default fraction of the free memory that a restoration uses.
SHARE = 0.5
# Fraction for evaluations of the network. The rest is for the states.
NETWORK_SHARE = 0.75
# Number of images in a step: the state, its estimates and the sampler's memory.
STATES = 6


class Budget:
    """Memory budget of a restoration, in addition to the images themselves.

    Args:
        max_memory: Int, limit in bytes, for main memory and accelerator memory each.
            Defaults to half of the free memory of each.
        bytes_per_pixel: Float, bytes per pixel of an evaluation of the network.
        channels: Int, number of channels of the images.
        num_devices: Int, number of devices that compute in parallel. CPU devices
            share the main memory. Defaults to 1.
    """

    def __init__(self, max_memory, bytes_per_pixel, channels, num_devices=1):
        main = max_memory or int(SHARE * available_memory())
        device = compiled.free_device_memory()
        evaluation = main // num_devices
        if device is not None:
            evaluation = max_memory or int(SHARE * device)
        self._states = (1 - NETWORK_SHARE) * main
        self._state_bytes = 4 * channels * STATES
        self.total = evaluation
        self.bytes_per_pixel = bytes_per_pixel
        # Maximum pixels of an evaluation, and of an image that is restored whole.
        self.evaluated_pixels = int(NETWORK_SHARE * evaluation / bytes_per_pixel)
        self.whole_pixels = int(evaluation / (bytes_per_pixel + self._state_bytes))

    def least_memory(self, pixels):
        """Return the `max_memory` that evaluations of this many pixels require."""
        return -int(-pixels * self.bytes_per_pixel // NETWORK_SHARE)

    def needs_disk(self, pixels):
        """Return whether the states of an image are kept on disk."""
        return pixels * self._state_bytes > self._states


def available_memory():
    """Return the bytes of main memory available to this process.

    On Linux, memory that is free or can be freed at once, within the limits of the
    control group. On other systems, `UNKNOWN`.
    """
    found = []
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemAvailable:"):
            found.append(1024 * int(line.split()[1]))
    for folder, limit, used, file_cache in (
        ("/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
        (
            "/sys/fs/cgroup/memory",
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            "total_inactive_file",
        ),
    ):
        numbers = [_lines(f"{folder}/{name}") for name in (limit, used)]
        if all(lines and lines[0].isdigit() for lines in numbers):
            free = int(numbers[0][0]) - int(numbers[1][0])
            for line in _lines(f"{folder}/memory.stat"):
                if line.startswith(f"{file_cache} "):
                    free += int(line.split()[1])
            found.append(max(free, 0))
    return min(found, default=UNKNOWN)


def bytes_per_pixel(backbone):
    """Return the bytes per pixel of an evaluation of a network.

    Returns:
        Float, the `bytes_per_pixel` of the backbone. Without one, the estimate for a
        network with 64 channels at full resolution.
    """
    return float(getattr(backbone, "bytes_per_pixel", 14 * 64 * 4))


def _lines(path):
    try:
        return pathlib.Path(path).read_text().splitlines()
    except OSError:
        return []
