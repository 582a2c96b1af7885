"""What varies with t: p(t), eps_t and the grid of times that a sampler walks."""

from keras_indi.schedules.diffusion_schedule import (
    ContinuousDiffusion as ContinuousDiffusion,
)
from keras_indi.schedules.diffusion_schedule import CosineDiffusion as CosineDiffusion
from keras_indi.schedules.diffusion_schedule import (
    DiffusionSchedule as DiffusionSchedule,
)
from keras_indi.schedules.diffusion_schedule import LinearDiffusion as LinearDiffusion
from keras_indi.schedules.noise_schedule import BrownianNoise as BrownianNoise
from keras_indi.schedules.noise_schedule import ConstantNoise as ConstantNoise
from keras_indi.schedules.noise_schedule import NoiseSchedule as NoiseSchedule
from keras_indi.schedules.time_distribution import (
    LinearMixtureTime as LinearMixtureTime,
)
from keras_indi.schedules.time_distribution import PowerTime as PowerTime
from keras_indi.schedules.time_distribution import (
    TimeDistribution as TimeDistribution,
)
from keras_indi.schedules.time_distribution import UniformTime as UniformTime
from keras_indi.schedules.time_grid import CosineGrid as CosineGrid
from keras_indi.schedules.time_grid import ExplicitGrid as ExplicitGrid
from keras_indi.schedules.time_grid import PowerGrid as PowerGrid
from keras_indi.schedules.time_grid import TimeGrid as TimeGrid
from keras_indi.schedules.time_grid import UniformGrid as UniformGrid
