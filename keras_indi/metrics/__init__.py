"""Metrics: how far restored images are from clean ones."""

from keras_indi.metrics.image_metric import ImageMetric as ImageMetric
from keras_indi.metrics.lpips import LPIPS as LPIPS
from keras_indi.metrics.psnr import PSNR as PSNR
from keras_indi.metrics.ssim import SSIM as SSIM
