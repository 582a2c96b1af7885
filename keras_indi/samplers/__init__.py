"""Samplers: rules that walk from the degraded image to the restored one."""

from keras_indi.configurable import resolve
from keras_indi.samplers.ancestral_sampler import AncestralSampler as AncestralSampler
from keras_indi.samplers.cold_diffusion_sampler import (
    ColdDiffusionSampler as ColdDiffusionSampler,
)
from keras_indi.samplers.ddim_sampler import DDIMSampler as DDIMSampler
from keras_indi.samplers.diffusion_sampler import DiffusionSampler as DiffusionSampler
from keras_indi.samplers.dpm_solver_sampler import DPMSolverSampler as DPMSolverSampler
from keras_indi.samplers.heun_sampler import HeunSampler as HeunSampler
from keras_indi.samplers.indi_sampler import InDISampler as InDISampler
from keras_indi.samplers.multistep_sampler import MultistepSampler as MultistepSampler
from keras_indi.samplers.naive_sampler import NaiveSampler as NaiveSampler
from keras_indi.samplers.sampler import Sampler as Sampler

BUILTIN = {
    "indi": InDISampler,
    "naive": NaiveSampler,
    "cold_diffusion": ColdDiffusionSampler,
    "heun": HeunSampler,
    "multistep": MultistepSampler,
    "dpm_solver": DPMSolverSampler,
}
# Those of denoising diffusion, which walk from pure noise.
DIFFUSION = {"ancestral": AncestralSampler, "ddim": DDIMSampler}


def get_diffusion(identifier):
    """A `DiffusionSampler` from an object, a name or a config."""
    return resolve(identifier, DiffusionSampler, DIFFUSION, "sampler")


def get(identifier):
    """A `Sampler` from an object, a name or a config."""
    return resolve(identifier, Sampler, BUILTIN, "sampler")
