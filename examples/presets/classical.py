"""What a user without a trained network would reach for, as a comparison.

Each method takes a degraded uint8 image. Methods "with known sigma" or "with known
kernel" receive the true parameter of the degradation, which a user would have to guess.
The others estimate what they need.
"""

import numpy as np


def non_local_means(degraded, clean, degradation, seed):
    import cv2

    # Strength near to the noise's, as OpenCV's documentation advises.
    strength = float(np.clip(_noise_sigma(degraded), 3, 30))
    return cv2.fastNlMeansDenoisingColored(degraded, None, strength, strength)


def bm3d(degraded, clean, degradation, seed):
    return _bm3d(degraded, _noise_sigma(degraded))


def bm3d_with_known_sigma(degraded, clean, degradation, seed):
    return _bm3d(degraded, degradation.sigma)


def unsharp_mask(degraded, clean, degradation, seed):
    from PIL import Image, ImageFilter

    return np.asarray(Image.fromarray(degraded).filter(ImageFilter.UnsharpMask(2, 100)))


def bicubic(degraded, clean, degradation, seed):
    return _enlarged(clean, degradation, "BICUBIC")


def lanczos(degraded, clean, degradation, seed):
    return _enlarged(clean, degradation, "LANCZOS")


def richardson_lucy(degraded, clean, degradation, seed):
    from skimage import restoration

    kernel = _true_kernel(degradation, seed)
    return _deconvolved(
        degraded, kernel, lambda c: restoration.richardson_lucy(c, kernel, 30)
    )


def wiener(degraded, clean, degradation, seed):
    from skimage import restoration

    kernel = _true_kernel(degradation, seed)
    return _deconvolved(degraded, kernel, lambda c: restoration.wiener(c, kernel, 0.01))


METHODS = {
    "non-local means": non_local_means,
    "bm3d": bm3d,
    "bm3d with known sigma": bm3d_with_known_sigma,
    "unsharp mask": unsharp_mask,
    "bicubic": bicubic,
    "lanczos": lanczos,
    "richardson-lucy with known kernel": richardson_lucy,
    "wiener with known kernel": wiener,
}


def _bm3d(image, sigma):
    import bm3d

    return _as_bytes(bm3d.bm3d_rgb(image / 255.0, max(sigma, 1.0) / 255.0))


def _noise_sigma(image):
    from skimage.restoration import estimate_sigma

    return 255 * np.mean(estimate_sigma(image / 255.0, channel_axis=-1))


def _enlarged(clean, degradation, method):
    from PIL import Image

    from keras_indi.data.degradations import Downsample

    small = Downsample(degradation.factor, enlarge=False)(clean, 0)
    size = clean.shape[1], clean.shape[0]
    return np.asarray(Image.fromarray(small).resize(size, Image.Resampling[method]))


def _true_kernel(degradation, seed):
    return degradation.kernel(np.random.default_rng(seed)).astype("float64")


def _deconvolved(image, kernel, deconvolve):
    # Beyond the border the image is mirrored, as the degradation took it.
    border = kernel.shape[0]
    padding = ((border, border), (border, border), (0, 0))
    padded = np.pad(image / 255.0, padding, mode="reflect")
    channels = [deconvolve(padded[..., channel]) for channel in range(3)]
    whole = np.stack(channels, axis=-1)
    return _as_bytes(whole[border:-border, border:-border])


def _as_bytes(image):
    return np.rint(np.clip(image, 0, 1) * 255).astype("uint8")
