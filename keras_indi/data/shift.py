"""How far two images of a pair are apart."""

import numpy as np

# Measured on what lies between these widths (Gaussian sigmas, in pixels): finer is
# noise and what a degradation takes, coarser is shading.
FINEST, COARSEST = 1.5, 8.0
STEPS = 20  # parts of a pixel


def measure_shift(degraded, clean):
    """By how much one image is shifted against another, by correlation.

    The cross-correlation is computed by Fourier transforms of the windowed,
    band-passed images and refined around its peak to a twentieth of a pixel.

    Args:
        degraded: float32 array of shape `(height, width)`.
        clean: float32 array of the same shape.

    Returns:
        Pair of floats, pixels down and to the right; NaN if an image is flat.

    Reference:
        Guizar-Sicairos, Thurman & Fienup, "Efficient subpixel image registration
        algorithms", Optics Letters 33, 2008.
    """
    try:
        import cv2
        from skimage.registration import phase_cross_correlation
    except ImportError as error:
        raise ImportError(
            "Checking pairs needs OpenCV and scikit-image. Install them: "
            'pip install "keras-indi[data]"'
        ) from error
    window = np.outer(*(np.hanning(size + 2)[1:-1] for size in clean.shape))
    bands = []
    for image in (degraded, clean):
        fine = cv2.GaussianBlur(image, (0, 0), FINEST)
        band = fine - cv2.GaussianBlur(fine, (0, 0), COARSEST)
        if np.ptp(band) < 1e-6 * max(1.0, np.ptp(image)):
            return np.nan, np.nan
        bands.append(window * band)
    shift, _, _ = phase_cross_correlation(
        *bands, upsample_factor=STEPS, normalization=None
    )
    return tuple(float(size) for size in shift)
