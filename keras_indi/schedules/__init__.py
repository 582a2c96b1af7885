"""Functions of t: training times p(t), noise eps_t, and time grids of samplers."""

import typing

from keras_indi.schedules import diffusion_schedule as _diffusion_schedule
from keras_indi.schedules import noise_schedule as _noise_schedule
from keras_indi.schedules import time_distribution as _time_distribution
from keras_indi.schedules import time_grid as _time_grid
from keras_indi.schedules.diffusion_schedule import (
    DiffusionSchedule as DiffusionSchedule,
)
from keras_indi.schedules.noise_schedule import NoiseSchedule as NoiseSchedule
from keras_indi.schedules.noise_schedule import ScaledNoise as ScaledNoise
from keras_indi.schedules.time_distribution import (
    TimeDistribution as TimeDistribution,
)
from keras_indi.schedules.time_grid import ExplicitGrid as ExplicitGrid
from keras_indi.schedules.time_grid import TimeGrid as TimeGrid

for _module in (_diffusion_schedule, _noise_schedule, _time_distribution, _time_grid):
    globals().update(_module.BUILTIN.exports())

if typing.TYPE_CHECKING:  # type checkers do not see what a registry exports

    def __getattr__(name: str) -> typing.Any: ...
