"""How far two images of a pair are apart."""

import numpy as np

from keras_indi.optional_packages import optional_import

# Measured on what lies between these widths (Gaussian sigmas, in pixels): finer is
# noise and what a degradation takes, coarser is shading.
FINEST, COARSEST = 1.5, 8.0
STEPS = 20  # parts of a pixel
LARGEST = 1024  # pixels, height and width of the centre that is looked at
# Of the squared gradients, against those across: less, and what crosses hides what runs
# along, so that this is looked at alone, and believed where the two images are alike.
LEAST_STRENGTH = 0.1
LEAST_CORRELATION = 0.5


def measure_shift(degraded: np.ndarray, clean: np.ndarray) -> tuple[float, float]:
    """By how much one image is shifted against another, by correlation.

    The cross-correlation is computed by Fourier transforms of the windowed,
    band-passed images and refined around its peak to a twentieth of a pixel; then
    once more on the overlapping parts, as the window pulls towards
    no shift. Where nearly all structure runs in one direction, the shift along it is
    that of the images' derivatives in this direction; if these are not alike, the shift
    along it cannot be seen, and counts as none.

    Args:
        degraded: float32 array of shape `(height, width)`.
        clean: float32 array of the same shape.

    Returns:
        Pair of floats, pixels down and to the right; NaN if an image is flat.

    Raises:
        ImportError: If OpenCV or scikit-image is missing.

    Reference:
        Guizar-Sicairos, Thurman & Fienup, "Efficient subpixel image registration
        algorithms", Optics Letters 33, 2008.
    """
    cv2 = optional_import("cv2", extra="data", purpose="Measuring shifts")
    registration = optional_import("skimage.registration", "data", "Measuring shifts")

    def band(image):
        fine = cv2.GaussianBlur(image, (0, 0), FINEST)
        return fine - cv2.GaussianBlur(fine, (0, 0), COARSEST)

    def correlate(degraded, clean):
        window = np.outer(*(np.hanning(size + 2)[1:-1] for size in clean.shape))
        shift, _, _ = registration.phase_cross_correlation(
            window * degraded,
            window * clean,
            upsample_factor=STEPS,
            normalization=None,
        )
        return shift

    centre = tuple(
        slice(max(0, size - LARGEST) // 2, max(0, size - LARGEST) // 2 + LARGEST)
        for size in clean.shape
    )
    bands = band(degraded[centre]), band(clean[centre])
    if min(np.ptp(image) for image in bands) < 1e-6:
        return np.nan, np.nan
    whole = np.rint(correlate(*bands)).astype(int)
    shift = whole + correlate(*_overlapping(bands, whole))
    # The gradients' principal directions, the weaker one first.
    gradients = [gradient.ravel() for gradient in np.gradient(bands[1])]
    strengths, directions = np.linalg.eigh(np.cov(gradients))
    shift = directions.T @ shift
    if strengths[0] < LEAST_STRENGTH * strengths[1]:
        along = directions[:, 0]
        changes = [np.tensordot(along, np.gradient(image), 1) for image in bands]
        found = correlate(*changes)
        parts = _overlapping(changes, np.rint(found).astype(int))
        alike = np.corrcoef([part.ravel() for part in parts])[0, 1]
        shift[0] = along @ found if alike > LEAST_CORRELATION else 0
    return tuple((directions @ shift).tolist())


def _overlapping(images, shift):
    """The parts of two images that show the same, one shifted by whole pixels."""
    return [
        image[
            tuple(
                slice(max(0, by), size + min(0, by))
                for by, size in zip(sign * shift, image.shape)
            )
        ]
        for image, sign in zip(images, (1, -1))
    ]
