"""Export of restorers to files that run without Keras."""

import typing

from keras_indi.export.exporting import export_model as export_model
from keras_indi.export.formats import BUILTIN as _FORMATS
from keras_indi.export.noise import sampler_noise as sampler_noise

globals().update(_FORMATS.exports())

if typing.TYPE_CHECKING:  # type checkers do not see what a registry exports

    def __getattr__(name: str) -> typing.Any: ...
