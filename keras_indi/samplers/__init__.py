"""Samplers: update rules that lead from the degraded to the restored image."""

import typing

from keras_indi.configurable import resolve as _resolve
from keras_indi.registry import Registry as _Registry
from keras_indi.samplers.diffusion_sampler import DiffusionSampler as DiffusionSampler
from keras_indi.samplers.sampler import Sampler as Sampler

# Each entry registers a class by name, and exports it.
BUILTIN = _Registry(
    "keras_indi.samplers",
    {
        "indi": "indi_sampler:InDISampler",
        "naive": "naive_sampler:NaiveSampler",
        "cold_diffusion": "cold_diffusion_sampler:ColdDiffusionSampler",
        "heun": "heun_sampler:HeunSampler",
        "multistep": "multistep_sampler:MultistepSampler",
        "dpm_solver": "dpm_solver_sampler:DPMSolverSampler",
    },
)
# Samplers of denoising diffusion, which start from pure noise.
DIFFUSION = _Registry(
    "keras_indi.samplers",
    {
        "ancestral": "ancestral_sampler:AncestralSampler",
        "ddim": "ddim_sampler:DDIMSampler",
    },
)
# Keras finds a saved class only once it is imported.
globals().update(BUILTIN.exports() | DIFFUSION.exports())

if typing.TYPE_CHECKING:  # type checkers do not see what a registry exports

    def __getattr__(name: str) -> typing.Any: ...


def get_diffusion(identifier: object) -> DiffusionSampler:
    """Return a `DiffusionSampler` from an object, a name or a config."""
    return _resolve(identifier, DiffusionSampler, DIFFUSION, "sampler")


def get(identifier: object) -> Sampler:
    """Return a `Sampler` from an object, a name or a config."""
    return _resolve(identifier, Sampler, BUILTIN, "sampler")
