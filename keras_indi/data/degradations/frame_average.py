"""Motion blur from a video clip, as the mean of its frames."""

import keras
import numpy as np

from keras_indi.data.degradations.degradation import Degradation
from keras_indi.validation import checked_number


@keras.saving.register_keras_serializable(package="keras_indi")
class FrameAverage(Degradation):
    """Average the frames of a high-speed clip, as in the GoPro data set.

    The input is a clip of shape `(frames, height, width, channels)`. The result is one
    blurred image of shape `(height, width, channels)`, the mean of the frames in linear
    light: `mean(frame ** gamma) ** (1 / gamma)`. The sharp partner is the middle frame
    of the clip: `sharp_frame(clip)`.

    Args:
        gamma: Exponent that converts stored values, where 1 is white, to light.
            GoPro uses 2.2. A value of 1 averages stored values. Values below black
            are treated as black.

    Example:

    >>> blur = keras_indi.data.degradations.FrameAverage()
    >>> degraded, clean = blur(clip, seed=0), blur.sharp_frame(clip)

    Reference:
        S. Nah et al., Deep Multi-scale Convolutional Neural Network for Dynamic
        Scene Deblurring, CVPR 2017, section 2.
    """

    axes = 4

    def __init__(self, gamma: float = 2.2) -> None:
        self.gamma = checked_number("gamma", gamma, above=0)

    def apply(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        light = np.maximum(image, 0.0) ** self.gamma
        return light.mean(axis=0) ** (1 / self.gamma)

    @staticmethod
    def sharp_frame(clip: np.ndarray) -> np.ndarray:
        """Return the middle frame, whose moving objects match the mean in position.

        Args:
            clip: Array of shape `(frames, height, width, channels)`, an odd number
                of frames.

        Returns:
            Array of shape `(height, width, channels)`.

        Raises:
            ValueError: If the number of frames is even.
        """
        if len(clip) % 2 == 0:
            raise ValueError(
                "The clip must have an odd number of frames, so that one is in the "
                f"middle; leave one out. Received: clip of {len(clip)} frames"
            )
        return clip[len(clip) // 2]
