"""Checks of arguments: what they return, and what their errors say."""

import keras
import numpy as np
import pytest

from keras_indi.data.degradations import (
    Downsample,
    GaussianBlur,
    GaussianNoise,
    JPEGCompression,
    KerasLayerDegradation,
    PoissonGaussianNoise,
    RandomChoice,
)
from keras_indi.evaluation import Protocol
from keras_indi.schedules import ExplicitGrid, UniformTime
from keras_indi.validation import (
    checked_bool,
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


@pytest.mark.parametrize("value", [0, 1, np.nan, np.inf, True, "0.5", 0.5j, 10**400])
def test_numbers(value):
    with pytest.raises(ValueError) as error:
        checked_number("x", value, above=0, below=1, optional=True)
    assert str(error.value) == (
        "`x` must be a finite number above 0 and below 1, or None. Received: "
        f"x={value!r}"
    )


@pytest.mark.parametrize(
    "value", [(1, 1), (1, 0), (0, np.inf), (0, np.nan), (0,), 5, None, "ab"]
)
def test_value_ranges(value):
    with pytest.raises(ValueError, match="smallest first.* Received: value_range="):
        checked_value_range(value)


@pytest.mark.parametrize(
    "value", [(0, 1e39), (-3e38, 3e38), (1e300, 2e300), (0, 1e-40)]
)
def test_value_ranges_that_float32_has_not(value):
    with pytest.raises(ValueError, match="finite float32.* Received: value_range="):
        checked_value_range(value)
    assert checked_value_range((0, 1e38)) == (0, 1e38)


def test_choices_name_the_nearest():
    with pytest.raises(ValueError) as error:
        checked_choice("method", "bicubik", ("bilinear", "bicubic"))
    assert str(error.value) == (
        "`method` must be one of 'bilinear', 'bicubic'. Did you mean 'bicubic'? "
        "Received: method='bicubik'"
    )
    with pytest.raises(ValueError, match=r"of 1, 3, None\. Received: channels=2"):
        checked_choice("channels", 2, (1, 3, None))
    with pytest.raises(ValueError, match=r"must be one of.*Received: channels=array"):
        checked_choice("channels", np.zeros(3), (1, 3, None))


@pytest.mark.parametrize("value", ["false", 0, 1, None, [], np.zeros(2)])
def test_bools(value):
    assert checked_bool("enlarge", np.True_) is True
    with pytest.raises(ValueError, match="`enlarge` must be True or False. Received"):
        checked_bool("enlarge", value)


LAYER = keras.layers.GaussianNoise(1.0)


@pytest.mark.parametrize(
    "build, argument, wrong",
    [
        *((build, "linear_light", "false") for build in (Downsample, GaussianBlur)),
        (PoissonGaussianNoise, "linear_light", "no"),
        (Downsample, "enlarge", "no"),
        (JPEGCompression, "random_grid", "off"),
        (UniformTime, "stratified", "false"),
        *((ExplicitGrid, "points", wrong) for wrong in ("uniform", {}, object())),
        *(
            (lambda **a: RandomChoice([GaussianNoise()], **a), "probabilities", wrong)
            for wrong in ("equal", {}, object())
        ),
        *(
            (lambda **a: KerasLayerDegradation(LAYER, **a), *wrong)
            for wrong in (("margin", -1), ("margin", 2.5), ("value_range", (255, 0)))
        ),
        *((Protocol, "metrics", wrong) for wrong in (None, 3, [], [3])),
        *((Protocol, "value_range", wrong) for wrong in ((1,), (255, 0), "ab", 5)),
        *((Protocol, "weights", wrong) for wrong in ("alex.npz", 3, {"alex": 3})),
        (Protocol, "extractor", 3),
    ],
)
def test_wrong_arguments_are_named(build, argument, wrong):
    with pytest.raises(
        ValueError, match=f"Received: .*{argument}=|Received: {argument}"
    ):
        build(**{argument: wrong})
