"""Metrics that compare restored images with clean ones."""

import typing

from keras_indi.metrics.features import InceptionV3Features as InceptionV3Features
from keras_indi.metrics.image_metric import ImageMetric as ImageMetric
from keras_indi.registry import Registry as _Registry

# An entry registers the name of a score and exports its class. The suffix of a name
# is the network whose features are compared.
BUILTIN = _Registry(
    "keras_indi.metrics",
    {
        "psnr": "psnr:PSNR",
        "ssim": "ssim:SSIM",
        "lpips_alex": "lpips:LPIPS",
        "lpips_squeeze": "lpips:LPIPS",
        "lpips_vgg": "lpips:LPIPS",
        "fid2048": "frechet_distance:FrechetDistance",
        "fid768": "frechet_distance:FrechetDistance",
        "fid": "frechet_distance:FrechetDistance",
        "kid2048": "kernel_distance:KernelDistance",
        "kid768": "kernel_distance:KernelDistance",
        "kid": "kernel_distance:KernelDistance",
    },
)
# Keras finds a saved class only once it is imported.
globals().update(BUILTIN.exports())

if typing.TYPE_CHECKING:  # type checkers do not see what a registry exports

    def __getattr__(name: str) -> typing.Any: ...
