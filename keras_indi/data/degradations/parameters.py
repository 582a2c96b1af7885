"""Arguments that are a number or a range from which each call draws."""

from typing import Any

import numpy as np

from keras_indi.annotations import NumberOrRange
from keras_indi.validation import is_number


def number_or_range(
    value: NumberOrRange, name: str, least: float = 0.0, most: float = np.inf
) -> NumberOrRange:
    """Check an argument that is a number or a range.

    Args:
        value: A number, or a pair `(low, high)` of numbers.
        name: Name of the argument, for the error message.
        least: The smallest number allowed.
        most: The largest number allowed.

    Returns:
        A float, or a pair of floats.

    Raises:
        ValueError: If `value` is neither, or outside `[least, most]`.
    """
    numbers: list[Any] = [value]
    if isinstance(value, (list, tuple)) and len(value) == 2:
        numbers = list(value)
    valid = all(is_number(number) and least <= number <= most for number in numbers)
    if not valid or numbers != sorted(numbers):
        bound = f"at least {least:g}" if most == np.inf else f"{least:g} to {most:g}"
        raise ValueError(
            f"`{name}` must be a number ({bound}) or a pair (low, high) of such. "
            f"Received: {name}={value!r}"
        )
    if len(numbers) == 2:
        return float(numbers[0]), float(numbers[1])
    return float(numbers[0])


def draw(value: NumberOrRange, generator: np.random.Generator) -> float:
    """Return the number itself, or one drawn uniformly from the range.

    Args:
        value: Result of `number_or_range`.
        generator: A `numpy.random.Generator`.

    Returns:
        A float.
    """
    if isinstance(value, tuple):
        return float(generator.uniform(*value))
    return value


def largest(value: NumberOrRange) -> float:
    """Return the largest number that `draw` can return."""
    return value[1] if isinstance(value, tuple) else value
