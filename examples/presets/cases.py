"""What the shipped presets are measured on."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image
from recipes import SMALL_COPIES

from keras_indi import data
from keras_indi.data import degradations


class Unclipped:
    """A degradation whose noise may leave the value range: floats, not 8 bits."""

    def __init__(self, degradation):
        self.degradation = degradation
        self.sigma = degradation.sigma

    def __call__(self, clean, seed):
        return self.degradation(clean.astype("float32"), seed, (0, 255))

    def __repr__(self):
        return f"{self.degradation!r}, not clipped"


class Case(NamedTuple):
    """What is measured.

    Attributes:
        preset: Name of the preset.
        folders: List of the folders of clean photographs, or of one with real pairs.
        degradation: How the photographs are degraded, or `None` for real pairs.
        tools: List of names of classical tools, of `METHODS`.
        conventions: Dict, PSNR's and SSIM's channel and border.
        select: Function of a dict of names to paths that returns those to measure, or
            `None` for all.
    """

    preset: str
    folders: list[str]
    degradation: object = None
    tools: tuple = ()
    conventions: dict = {}
    select: Callable | None = None


def most_saturated(files):
    """The quarter of the photographs whose colours are the most saturated."""

    def saturation(name):
        image = np.asarray(Image.fromarray(data.read_image(files[name])).convert("HSV"))
        return image[..., 1].mean()

    return {
        name: files[name]
        for name in sorted(files, key=saturation)[-(len(files) // 4) :]
    }


LUMA = {"channel": "y", "crop_border": 4}
CBSD68 = ["bsds500/eval_cbsd68"]
DENOISE = "indi_small_denoise"
ENLARGE = "indi_small_super_resolution_x4"
CASES = {
    "jpeg q15, set5 + kodak24": Case(
        "indi_small_jpeg",
        ["set5", "kodak24"],
        degradations.JPEGCompression(15),
        ("non-local means",),
    ),
    "JPEG of quality 15, set5 + kodak24": Case(
        "indi_small_blind", ["set5", "kodak24"], degradations.JPEGCompression(15)
    ),
    "noise sigma 25, cbsd68": Case(
        DENOISE,
        CBSD68,
        degradations.GaussianNoise(25),
        ("non-local means", "bm3d with known sigma"),
    ),
    "noise sigma 25 not clipped, cbsd68": Case(
        DENOISE,
        CBSD68,
        Unclipped(degradations.GaussianNoise(25)),
    ),
    **{
        f"noise sigma {sigma}, saturated": Case(
            DENOISE,
            ["kodak24", "photographs/validation"],
            degradations.GaussianNoise(sigma),
            ("bm3d", "bm3d with known sigma"),
            select=most_saturated,
        )
        for sigma in (25, 50)
    },
    "camera noise, polyu100": Case(
        DENOISE, ["polyu100/eval"], None, ("non-local means", "bm3d")
    ),
    **{
        f"bicubic x4, {name}": Case(
            ENLARGE,
            [name],
            degradations.Downsample(4),
            ("bicubic", "lanczos"),
            LUMA,
        )
        for name in ("set5", "set14")
    },
    "small copies of five kinds, kodak24": Case(
        ENLARGE, ["kodak24"], SMALL_COPIES, conventions=LUMA
    ),
    "camera x4, city100": Case(ENLARGE, ["city100/eval"], conventions=LUMA),
    "defocus radius 1-5, cbsd68": Case(
        "indi_small_defocus_deblur",
        CBSD68,
        degradations.DefocusBlur((1, 5)),
        (
            "unsharp mask",
            "richardson-lucy with known kernel",
            "wiener with known kernel",
        ),
    ),
}
