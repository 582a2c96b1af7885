"""Type aliases of public functions and methods."""

import os
from collections.abc import Callable
from typing import Any

# A tensor of any backend, or what `keras.ops` accepts as one: the three backends'
# tensors, and Keras's variables and symbolic tensors, have no common class.
Tensor = Any
# Sizes of a tensor: ints, or `None` for what is not known yet.
Shape = tuple[Any, ...]
FilePath = str | os.PathLike[str]
# The values of black and white.
ValueLimits = tuple[float, float]
# A number, or the ends of a range to draw from.
NumberOrRange = float | tuple[float, float]
# The constructor arguments of an object, as JSON holds them.
Config = dict[str, Any]
# What a sampler knows of the network: `(x_t, t)` to F(x_t, t).
Predict = Callable[[Tensor, Tensor], Tensor]
