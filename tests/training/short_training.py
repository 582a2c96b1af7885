"""A training of seconds, for the tests of what trainings leave and how they end."""

from helpers import smooth_images
from PIL import Image

TINY = {
    "base_channels": 4,
    "channel_multipliers": [1, 2],
    "blocks_per_level": 1,
    "activation": "silu",
}


def short_training(folder):
    """Settings of a training whose degraded images, in the folder, are darker.

    It has a backup after the fourth of its five batches.
    """
    for side in ("clean", "degraded"):
        (folder / side).mkdir()
    for number, image in enumerate(smooth_images(3, 32, 36)):
        for side, shown in (("clean", image), ("degraded", 0.6 * image)):
            path = folder / side / f"{number}.png"
            Image.fromarray(shown.astype("uint8")).save(path)
    return {
        "output": folder / "run",
        "clean": folder / "clean",
        "degraded": folder / "degraded",
        "network": TINY,
        "batches": 5,
        "batches_per_epoch": 2,
        "batch_size": 2,
        "crop_size": 16,
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "dtype": "float32",
    }
