"""Measure the shift between the images of a pair."""

import numpy as np

from keras_indi.optional_packages import optional_import

# Limits of the band-pass filter (Gaussian sigmas in pixels). Finer structure is noise
# or removed by the degradation, and coarser structure is shading.
FINEST, COARSEST = 1.5, 8.0
STEPS = 20  # resolution in parts of a pixel
LARGEST = 1024  # maximum height and width of the centre crop that is used, in pixels
# Minimum strength of squared gradients, relative to the perpendicular direction, for
# which a shift along a direction can be measured.
LEAST_STRENGTH = 0.1


def measure_shift(degraded: np.ndarray, clean: np.ndarray) -> tuple[float, float]:
    """Measure the shift between two images by cross-correlation.

    The cross-correlation is computed by Fourier transforms of the windowed, band-passed
    images, and refined around its peak to a twentieth of a pixel. It is then repeated
    on the overlapping parts, because the window biases the result towards no shift. If
    all structure has the same direction, a shift along it cannot be measured and is set
    to 0.

    Args:
        degraded: float32 array of shape `(height, width)`.
        clean: float32 array of the same shape.

    Returns:
        Pair of floats, shift down and to the right in pixels. NaN if an image is flat.

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
    # Principal directions of the gradients.
    gradients = [gradient.ravel() for gradient in np.gradient(bands[1])]
    strengths, directions = np.linalg.eigh(np.cov(gradients))
    shift = directions.T @ shift
    shift[strengths < LEAST_STRENGTH * strengths.max()] = 0
    return tuple((directions @ shift).tolist())
