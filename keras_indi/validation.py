"""Validation of arguments. Each check returns the value to store, or raises."""

import difflib
import math
import numbers
import os
from collections.abc import Iterable
from typing import Any

import numpy as np


def checked_integer(
    name: str,
    value: Any,
    least: int = 1,
    most: int | None = None,
    optional: bool = False,
) -> Any:
    """Return the integer as an `int`, or `None` where that is allowed.

    Args:
        name: The argument's name, for the error.
        value: What was given.
        least: The smallest integer allowed.
        most: The largest integer allowed, or `None` for any.
        optional: Bool, whether `None` is allowed.

    Raises:
        ValueError: If it is not such an integer.
    """
    if value is None and optional:
        return None
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not (whole and least <= value and (most is None or value <= most)):
        wanted = f"an integer{_bounds(least=least, most=most)}"
        raise ValueError(_message(name, wanted, value, optional))
    return int(value)


def checked_number(
    name: str,
    value: Any,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
    optional: bool = False,
) -> Any:
    """Return the finite number as a `float`, or `None` where that is allowed.

    Args:
        name: The argument's name, for the error.
        value: What was given.
        least: The smallest number allowed.
        above: A number that it must be greater than.
        most: The largest number allowed.
        below: A number that it must be less than.
        optional: Bool, whether `None` is allowed.

    Raises:
        ValueError: If it is not such a number.
    """
    if value is None and optional:
        return None
    if not (
        is_number(value)
        and (least is None or least <= value)
        and (above is None or above < value)
        and (most is None or value <= most)
        and (below is None or value < below)
    ):
        wanted = f"a finite number{_bounds(least, above, most, below)}"
        raise ValueError(_message(name, wanted, value, optional))
    return float(value)


def checked_bool(name: str, value: Any) -> bool:
    """Return the `bool`; the text "false", which is true in Python, is an error.

    Args:
        name: The argument's name, for the error.
        value: What was given.

    Raises:
        ValueError: If it is neither true nor false.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(_message(name, "True or False", value, optional=False))
    return bool(value)


def checked_numbers(name: str, values: Any) -> np.ndarray:
    """Return numbers as a float64 array, of whatever shape.

    Args:
        name: The argument's name, for the error.
        values: What was given.

    Raises:
        ValueError: If they are not all numbers.
    """
    try:
        return np.asarray(values, "float64")
    except (TypeError, ValueError) as error:
        raise ValueError(_message(name, "numbers", values, optional=False)) from error


def checked_value_range(value_range: Any, optional: bool = False) -> Any:
    """Return the pair of a smallest and a largest value as floats.

    Args:
        value_range: What was given.
        optional: Bool, whether `None` is allowed.

    Raises:
        ValueError: If it is not a pair of finite numbers, the smallest first.
    """
    if value_range is None and optional:
        return None
    try:
        low, high = (float(value) for value in value_range)
    except (TypeError, ValueError):
        low = high = math.nan
    limits, width = np.finfo("float32"), high - low
    if not (limits.tiny <= width <= limits.max >= max(-low, high)):
        raise ValueError(
            "`value_range` must be a pair of finite float32 numbers, the smallest "
            f"first, such as (0, 255){', or None' if optional else ''}. Received: "
            f"value_range={value_range!r}"
        )
    return low, high


def checked_choice(
    name: str, value: Any, choices: Iterable[Any], case: str = ""
) -> Any:
    """Return the value, which must be among the choices.

    Args:
        name: The argument's name, for the error.
        value: What was given.
        choices: All values allowed.
        case: When these are allowed, for the error: "for the format 'onnx'".

    Raises:
        ValueError: If it is not among them; the nearest one is named.
    """
    choices = list(choices)
    # (An array compares with each choice, element by element.)
    if isinstance(value, np.ndarray) or value not in choices:
        raise ValueError(
            f"`{name}` must be one of {', '.join(map(repr, choices))}"
            f"{case and ' '}{case}."
            f"{did_you_mean(value, choices)} Received: {name}={value!r}"
        )
    return value


def checked_path(name: str, value: Any) -> str:
    """Return the path as a string.

    Args:
        name: The argument's name, for the error.
        value: What was given.

    Raises:
        ValueError: If it is no string or path, or none of any file.
    """
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str) or not text or "\0" in text:
        raise ValueError(_message(name, "a path", value, optional=False))
    return text


def did_you_mean(value: Any, choices: Iterable[Any]) -> str:
    """Return a sentence with the nearest choice, or an empty string."""
    names = [choice for choice in choices if isinstance(choice, str)]
    near = difflib.get_close_matches(str(value), names, 1)
    return f" Did you mean {near[0]!r}?" if near else ""


def is_number(value: Any) -> bool:
    """Return whether a value is a finite real number, and not a bool."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer that no float can hold
        return False


def _bounds(
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
) -> str:
    words = (("of at least", least), ("above", above), ("at most", most))
    found = [f"{word} {n:g}" for word, n in (*words, ("below", below)) if n is not None]
    return f" {' and '.join(found)}" if found else ""


def _message(name: str, wanted: str, value: Any, optional: bool) -> str:
    wanted += ", or None" if optional else ""
    return f"`{name}` must be {wanted}. Received: {name}={value!r}"
