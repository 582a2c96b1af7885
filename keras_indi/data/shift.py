"""How far two images of a pair are apart."""

import numpy as np

from keras_indi.optional_packages import optional_import

# Measured on what lies between these widths (Gaussian sigmas, in pixels): finer is
# noise and what a degradation takes, coarser is shading.
FINEST, COARSEST = 1.5, 8.0
STEPS = 20  # parts of a pixel
LARGEST = 1024  # pixels, height and width of the centre that is looked at
# Of the squared gradients, against those across: less, and a direction says nothing.
LEAST_STRENGTH = 0.1


def measure_shift(degraded: np.ndarray, clean: np.ndarray) -> tuple[float, float]:
    """By how much one image is shifted against another, by correlation.

    The cross-correlation is computed by Fourier transforms of the windowed,
    band-passed images and refined around its peak to a twentieth of a pixel; then
    once more on the overlapping parts, as the window pulls towards
    no shift. Along structure that all runs in one direction a shift cannot be
    seen, and counts as none.

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
    parts = []
    for image, sign in zip(bands, (1, -1)):
        ends = zip(sign * whole, image.shape)
        parts.append(
            image[tuple(slice(max(0, by), size + min(0, by)) for by, size in ends)]
        )
    shift = whole + correlate(*parts)
    # The gradients' principal directions.
    gradients = [gradient.ravel() for gradient in np.gradient(bands[1])]
    strengths, directions = np.linalg.eigh(np.cov(gradients))
    shift = directions.T @ shift
    shift[strengths < LEAST_STRENGTH * strengths.max()] = 0
    return tuple((directions @ shift).tolist())
