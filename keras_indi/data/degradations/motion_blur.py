"""Motion blur by camera shake or linear motion."""

import keras
import numpy as np

from keras_indi.annotations import NumberOrRange
from keras_indi.data.degradations import kernels, parameters
from keras_indi.data.degradations.blur import Blur

STEPS = 64  # steps of the camera path during one exposure
INERTIA = 0.9  # fraction of the deviation from the drift that remains after a step
PUSH = 0.8  # maximum standard deviation of the push in each step
JERKS = 3.0  # maximum average number of sudden changes of direction per exposure


@keras.saving.register_keras_serializable(package="keras_indi")
class MotionBlur(Blur):
    """Blur along a path: random camera shake, or a straight line.

    Shake is a random walk with inertia. The camera drifts, is pushed a little in each
    step, and sometimes jerks into another direction. The strength of both is drawn for
    each kernel, so some paths are nearly straight and others curl. The centroid of the
    kernel is in its middle, so the image does not shift. Paths are drawn with sub-pixel
    accuracy.

    Args:
        length: Size of the blur in pixels, a number or a pair `(low, high)` from
            which each call draws. It is twice the maximum distance of the path from
            its centroid. For a straight line, this is its length.
        angle: `None` for shake. For a straight line, its direction in degrees, a
            number or a pair: 0 is horizontal, 90 vertical, 45 rises to the right.
        linear_light: See `Blur`.

    Example:

    >>> shaken = keras_indi.data.degradations.MotionBlur((5, 25))(image, seed=0)
    >>> panned = keras_indi.data.degradations.MotionBlur(15, angle=0)(image, seed=0)

    Reference:
        G. Boracchi and A. Foi, Modeling the Performance of Image Restoration from
        Motion Blur, IEEE Transactions on Image Processing, 2012 (the idea of such
        paths).
    """

    def __init__(
        self,
        length: NumberOrRange = (5.0, 25.0),
        angle: NumberOrRange | None = None,
        linear_light: bool = False,
    ) -> None:
        super().__init__(linear_light)
        self.length = parameters.number_or_range(length, "length")
        if angle is not None:
            angle = parameters.number_or_range(angle, "angle", least=-360.0, most=360.0)
        self.angle = angle

    @property
    def margin(self) -> int:
        """Half the largest length, rounded up."""
        return int(np.ceil(parameters.largest(self.length) / 2))

    def kernel(self, generator: np.random.Generator) -> np.ndarray:
        length = parameters.draw(self.length, generator)
        if self.angle is None:
            shape = _shake(generator)
        else:
            angle = np.deg2rad(parameters.draw(self.angle, generator))
            shape = np.outer([-0.5, 0.5], [-np.sin(angle), np.cos(angle)])
        return kernels.path(length * shape)


def _shake(generator):
    """Return a random path of length 1, as defined in `MotionBlur`.

    Returns:
        Array of shape `(STEPS + 1, 2)`.
    """
    push, jerk = generator.random(2) * (PUSH, JERKS / STEPS)
    pushes = push * (generator.standard_normal((STEPS, 2)) @ (1, 1j))
    jerked = generator.random(STEPS) < jerk
    angles = 2 * np.pi * generator.random(STEPS + 1)
    turns = np.exp(1j * np.where(jerked, angles[1:], 0))
    velocity = drift = np.exp(1j * angles[0])
    velocities = []
    for pushed, turn in zip(pushes, turns):
        drift = turn * drift
        velocity = INERTIA * turn * velocity + (1 - INERTIA) * drift + pushed
        velocities.append(velocity)
    positions = np.concatenate([[0], np.cumsum(velocities)])
    # The speed is constant within a step, so the mean is that of the midpoints.
    positions -= np.mean((positions[1:] + positions[:-1]) / 2)
    positions /= 2 * np.abs(positions).max()
    return np.stack([positions.imag, positions.real], axis=1)
