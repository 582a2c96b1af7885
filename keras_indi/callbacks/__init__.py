"""What watches a fit."""

from keras_indi.callbacks.backup_and_resume import BackupAndResume as BackupAndResume
from keras_indi.callbacks.restoration_monitor import (
    RestorationMonitor as RestorationMonitor,
)
