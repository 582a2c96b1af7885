"""A web page that restores photographs, as run by `keras-indi page`.

`import keras_indi` does not import this subpackage. Import `keras_indi.page` itself.
"""

from keras_indi.page.limits import Limits as Limits
from keras_indi.page.requested import Requested as Requested
from keras_indi.page.restoration_service import RestorationService as RestorationService
from keras_indi.page.serving import serve as serve
