"""How much memory there is, and what an image needs of it."""

import pathlib

from keras_indi.backend import compiled

# Where the system reports nothing.
UNKNOWN = 2 * 2**30
# Of the memory that is free, what a restoration takes by default.
SHARE = 0.5
# Of its memory, what goes to the network's evaluations; the states have the rest.
NETWORK_SHARE = 0.75
# The state, its estimates and a rule's memory, while a sampler moves.
STATES = 6


class Budget:
    """What a restoration may take of the memory, beside the images themselves.

    Args:
        max_memory: Int, bytes, of the main memory and of the accelerator's each.
            Defaults to half of what is free of either.
        bytes_per_pixel: Float, what an evaluation of the network takes a pixel.
        channels: Int, the images' channels.
        num_devices: Int, how many devices compute at a time. Those of a CPU share its
            memory. Defaults to 1.
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
        # How many pixels an evaluation may have, and how many a whole image.
        self.evaluated_pixels = int(NETWORK_SHARE * evaluation / bytes_per_pixel)
        self.whole_pixels = int(evaluation / (bytes_per_pixel + self._state_bytes))

    def least_memory(self, pixels):
        """Int, the `max_memory` for evaluations of so many pixels."""
        return -int(-pixels * self.bytes_per_pixel // NETWORK_SHARE)

    def needs_disk(self, pixels):
        """Bool: whether the states of an image of so many pixels lie on disk."""
        return pixels * self._state_bytes > self._states


def available_memory():
    """Bytes of main memory that this process may still take.

    What Linux has free or can free at once, within the process's control group;
    `UNKNOWN` on other systems.
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
    """What an evaluation takes a pixel, of a network that states it or is guessed.

    Returns:
        Float, the backbone's own `bytes_per_pixel`; without one, what a network
        of 64 channels at full resolution takes.
    """
    return float(getattr(backbone, "bytes_per_pixel", 14 * 64 * 4))


def _lines(path):
    try:
        return pathlib.Path(path).read_text().splitlines()
    except OSError:
        return []
