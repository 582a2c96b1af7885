"""Restores photographs in a browser: what `keras-indi page` runs."""

from keras_indi.page.limits import Limits as Limits
from keras_indi.page.requested import Requested as Requested
from keras_indi.page.restoration_service import RestorationService as RestorationService
from keras_indi.page.serving import serve as serve
