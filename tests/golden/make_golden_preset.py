"""Writes a preset and what it restores: `python make_golden_preset.py`.

Every backend must load the one and reproduce the other. Run it after a deliberate
change of the network's or a sampler's numbers, or of the format, and say so in the
change. `tests/presets/test_preset_model.py` compares.
"""

import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from helpers import smooth_images, tiny_unet  # noqa: E402

from keras_indi.models import InDI  # noqa: E402

FOLDER = pathlib.Path(__file__).with_name("preset")
RESTORED = FOLDER.with_name("preset_restored.npz")


def example():
    """A uint8 image of odd size."""
    return smooth_images(1, 13, 11, seed=31)[0].astype("uint8")


def main():
    unet = tiny_unet(seed=30, gain=0.8, condition_on_degraded=True, patch_size=2)
    model = InDI(
        unet,
        noise_schedule=0.04,
        restore_defaults={"num_steps": 3, "sampler": "multistep", "time_grid": "power"},
    )
    metadata = {"description": "Random weights, of the tests.", "task": "none"}
    model.save_to_preset(FOLDER, metadata, weights_dtype="float16")
    loaded = InDI.from_preset(FOLDER)  # with the weights as they were rounded
    image = example()
    restored = loaded.restore(image.astype("float32"), seed=0)
    np.savez_compressed(RESTORED, image=image, restored=restored)


if __name__ == "__main__":
    main()
