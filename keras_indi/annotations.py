"""Type aliases of public functions and methods."""

import os
from collections.abc import Callable
from typing import Any

# A tensor of any backend, or what `keras.ops` accepts as one: the three backends'
# tensors, and Keras's variables and symbolic tensors, have no common class.
Tensor = Any
# Sizes of a tensor: ints, or `None` if unknown.
Shape = tuple[Any, ...]
FilePath = str | os.PathLike[str]
# The values of black and white.
ValueLimits = tuple[float, float]
# A number, or the ends of a range to draw from.
NumberOrRange = float | tuple[float, float]
# The constructor arguments of an object, JSON-compatible.
Config = dict[str, Any]
# The network as seen by a sampler: from `(x_t, t)` to F(x_t, t).
Predict = Callable[[Tensor, Tensor], Tensor]
