"""Controls that show whether a lower LPIPS comes from detail or from grain.

More steps change an image by some energy. Grain or plain sharpening of the same energy
can lower a perceptual score too. So an improvement counts only if it beats both.
"""

import numpy as np

from keras_indi.images.value_ranges import as_integers

# Above this fraction of the highest frequency, photographs have almost no power, while
# grain has as much as at any other frequency.
FINEST_BAND = 0.75
BISECTIONS = 40


def finest_band_power(image: np.ndarray) -> float:
    """Return the mean power of an image's finest frequencies.

    Compare it with that of the clean image: smooth restorations have less, grainy ones
    more.

    Args:
        image: Array `(height, width, channels)`.

    Returns:
        Float, the mean squared magnitude of the orthonormal Fourier transform, in
        squared units of the values. The mean is over channels and over frequencies of
        at least 0.75 of the highest, in height or in width. For white noise this is
        its variance.

    Example:

    >>> from keras_indi.evaluation import grain
    >>> noise = np.random.default_rng(0).normal(0, 5, (256, 256, 1))
    >>> round(grain.finest_band_power(noise))
    25
    """
    values = np.asarray(image, "float64")
    power = np.abs(np.fft.fft2(values, axes=(0, 1), norm="ortho")) ** 2
    rows, columns = (
        np.abs(np.fft.fftfreq(size)) >= FINEST_BAND / 2 for size in values.shape[:2]
    )
    return float(np.mean(power[rows[:, None] | columns]))


def added_energy(clean: np.ndarray, one: np.ndarray, more: np.ndarray) -> float:
    """Return what more steps add to the squared error of one step.

    It is the energy of the controls `with_noise` and `sharpened`.

    Args:
        clean: Array `(height, width, channels)`.
        one: Array of the same shape, restored in one step.
        more: Array of the same shape, restored in more steps.

    Returns:
        Float, the difference of the mean squared errors, at least 0.

    Example:

    >>> from keras_indi.evaluation import grain
    >>> white = np.ones((4, 4, 1))
    >>> grain.added_energy(0 * white, one=white, more=2 * white)
    3.0
    """
    of_one, of_more = (
        np.mean(np.square(np.asarray(image, "float64") - clean))
        for image in (one, more)
    )
    return max(0.0, float(of_more - of_one))


def with_noise(image: np.ndarray, energy: float, seed: int) -> np.ndarray:
    """Add white noise of a given energy, as a control for fine grain.

    Args:
        image: Array `(height, width, channels)`, in the value range (0, 255).
        energy: The noise's mean square.
        seed: Fixes the noise.

    Returns:
        uint8 array of the same shape.
    """
    # The last word makes the noise differ from that of `default_rng(seed)`, which may
    # have degraded the image.
    noise = np.random.default_rng((seed, 0, 0, 2)).standard_normal(image.shape)
    noisy = np.asarray(image, "float64") + np.sqrt(energy) * noise
    return as_integers(noisy, "uint8", (0, 255))


def sharpened(image: np.ndarray, energy: float, radius: float = 1.0) -> np.ndarray:
    """Sharpen by an unsharp mask until the change has a given energy.

    Args:
        image: Array `(height, width, channels)`, in the value range (0, 255).
        energy: The mean square of the change. If clipping to the value range keeps the
            change below this at any strength, the largest possible change is used.
        radius: Standard deviation of the mask's Gaussian blur, in pixels.

    Returns:
        uint8 array of the same shape.
    """
    from scipy.ndimage import gaussian_filter

    values = np.asarray(image, "float64")
    mask = values - gaussian_filter(values, (radius, radius, 0), mode="nearest")

    def of_strength(strength):
        return np.clip(values + strength * mask, 0, 255)

    low, high = 0.0, 100.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        change = np.mean(np.square(of_strength(middle) - values))
        low, high = (middle, high) if change < energy else (low, middle)
    return as_integers(of_strength(low), "uint8", (0, 255))
