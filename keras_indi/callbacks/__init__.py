"""What watches a fit."""

from keras_indi.callbacks.restoration_monitor import (
    RestorationMonitor as RestorationMonitor,
)
