"""Real photographs that scikit-image carries, for a first training anywhere."""

import keras
import numpy as np

# Colour photographs first; grey ones lend their textures.
TRAINING = (
    "astronaut",
    "rocket",
    "motorcycle",
    "immunohistochemistry",
    "camera",
    "brick",
    "grass",
    "gravel",
    "coins",
    "moon",
)
HELD_OUT = ("chelsea", "coffee")


def sample_photographs(names=TRAINING):
    """Loads photographs from the installed scikit-image; nothing is downloaded.

    Args:
        names: Sequence of names among `TRAINING` and `HELD_OUT`.

    Returns:
        List of uint8 arrays of shape `(height, width, 3)`.

    Raises:
        ImportError: If scikit-image is not installed.
    """
    try:
        from skimage import color, data
    except ImportError as error:
        raise ImportError(
            "The sample photographs come with scikit-image. Install it: "
            'pip install "keras-indi[quickstart]"'
        ) from error
    photographs = []
    for name in names:
        if name == "motorcycle":
            image = data.stereo_motorcycle()[0]
        else:
            image = getattr(data, name)()
        photographs.append(image if image.ndim == 3 else color.gray2rgb(image))
    return photographs


def shrink_and_enlarge(image, factor=4):
    """Degrades an image for super-resolution: down bicubic, up bilinear.

    Args:
        image: uint8 array of shape `(height, width, 3)`, both multiples of
            `factor`.
        factor: Int, how many times smaller. Defaults to 4.

    Returns:
        uint8 array of the same shape.
    """
    from PIL import Image

    height, width, _ = image.shape
    small = Image.fromarray(image).resize(
        (width // factor, height // factor), Image.Resampling.BICUBIC
    )
    return np.asarray(small.resize((width, height), Image.Resampling.BILINEAR))


class RandomCrops(keras.utils.PyDataset):
    """Endless random crops of photographs, each degraded as it is drawn.

    Args:
        photographs: List of uint8 arrays of shape `(height, width, 3)`.
        degrade: Function of one such array that returns its degraded form.
        crop_size: Int, height and width of the crops.
        batch_size: Int.
        batches_per_epoch: Int, batches an epoch.
        seed: Int; batch i of epoch e is the same for equal seeds.
        **kwargs: Arguments of `keras.utils.PyDataset`.
    """

    def __init__(
        self,
        photographs,
        degrade,
        crop_size,
        batch_size,
        batches_per_epoch,
        seed,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.photographs = photographs
        self.degrade = degrade
        self.crop_size = crop_size
        self.batch_size = batch_size
        self.batches_per_epoch = batches_per_epoch
        self.seed = seed
        self.epoch = 0

    def __len__(self):
        return self.batches_per_epoch

    def __getitem__(self, index):
        random = np.random.default_rng((self.seed, self.epoch, index))
        pairs = [self._pair(random) for _ in range(self.batch_size)]
        degraded, clean = zip(*pairs)
        return np.stack(degraded), np.stack(clean)

    def on_epoch_end(self):
        self.epoch += 1

    def _pair(self, random):
        photograph = self.photographs[random.integers(len(self.photographs))]
        top = random.integers(photograph.shape[0] - self.crop_size + 1)
        left = random.integers(photograph.shape[1] - self.crop_size + 1)
        clean = photograph[top : top + self.crop_size, left : left + self.crop_size]
        clean = np.rot90(clean, random.integers(4))
        if random.integers(2):
            clean = clean[:, ::-1]
        clean = np.ascontiguousarray(clean)
        return self.degrade(clean), clean
