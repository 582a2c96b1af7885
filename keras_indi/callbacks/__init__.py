"""Training callbacks."""

from keras_indi.callbacks.backup_and_resume import BackupAndResume as BackupAndResume
from keras_indi.callbacks.epoch_log import EpochLog as EpochLog
from keras_indi.callbacks.restoration_monitor import (
    RestorationMonitor as RestorationMonitor,
)
from keras_indi.callbacks.tensorboard_scalars import (
    TensorBoardScalars as TensorBoardScalars,
)
