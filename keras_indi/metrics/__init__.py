"""Metrics: how far restored images are from clean ones."""

from keras_indi.metrics.features import InceptionV3Features as InceptionV3Features
from keras_indi.metrics.frechet_distance import FrechetDistance as FrechetDistance
from keras_indi.metrics.image_metric import ImageMetric as ImageMetric
from keras_indi.metrics.kernel_distance import KernelDistance as KernelDistance
from keras_indi.metrics.lpips import LPIPS as LPIPS
from keras_indi.metrics.psnr import PSNR as PSNR
from keras_indi.metrics.ssim import SSIM as SSIM
