"""Checks of arguments: what they return, and what their errors say."""

import numpy as np
import pytest

from keras_indi.validation import (
    checked_choice,
    checked_integer,
    checked_number,
    checked_value_range,
)

pytestmark = pytest.mark.backend_free


def test_what_is_allowed_is_returned_as_pythons_own():
    assert type(checked_integer("n", np.int64(3))) is int
    assert type(checked_number("x", np.float32(0.5))) is float
    assert checked_number("x", 1, least=1, most=1) == 1.0
    assert checked_integer("n", None, optional=True) is None
    assert checked_number("x", None, optional=True) is None
    assert checked_value_range(["0", np.uint8(255)]) == (0.0, 255.0)
    assert checked_choice("side", None, ("a", None)) is None


@pytest.mark.parametrize("value", [0, 9, 2.0, True, "2", None, np.array([2])])
def test_integers(value):
    with pytest.raises(ValueError) as error:
        checked_integer("n", value, least=1, most=8)
    assert str(error.value) == (
        f"`n` must be an integer of at least 1 and at most 8. Received: n={value!r}"
    )


@pytest.mark.parametrize("value", [0, 1, np.nan, np.inf, True, "0.5", 0.5j])
def test_numbers(value):
    with pytest.raises(ValueError) as error:
        checked_number("x", value, above=0, below=1, optional=True)
    assert str(error.value) == (
        "`x` must be a finite number above 0 and below 1, or None. Received: "
        f"x={value!r}"
    )


@pytest.mark.parametrize("value", [(1, 1), (1, 0), (0, np.inf), (0,), 5, None, "ab"])
def test_value_ranges(value):
    with pytest.raises(ValueError, match="smallest first.* Received: value_range="):
        checked_value_range(value)


def test_choices_name_the_nearest():
    with pytest.raises(ValueError) as error:
        checked_choice("method", "bicubik", ("bilinear", "bicubic"))
    assert str(error.value) == (
        "`method` must be one of 'bilinear', 'bicubic'. Did you mean 'bicubic'? "
        "Received: method='bicubik'"
    )
    with pytest.raises(ValueError, match=r"of 1, 3, None\. Received: channels=2"):
        checked_choice("channels", 2, (1, 3, None))
