"""Restores photographs in a browser: what `keras-indi page` runs.

The package itself never imports this room: `import keras_indi.page`.
"""

from keras_indi.page.limits import Limits as Limits
from keras_indi.page.requested import Requested as Requested
from keras_indi.page.restoration_service import RestorationService as RestorationService
from keras_indi.page.serving import serve as serve
