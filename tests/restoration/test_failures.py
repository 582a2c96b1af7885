"""The line of an error that says why."""

import pytest

from keras_indi.restoration.failures import reason_of

pytestmark = pytest.mark.backend_free

KERAS = (
    "Exception encountered when calling Functional.call().\n\n"
    "\x1b[1mExpected axis 3 of the input to be 4.\x1b[0m\n\n"
    "Arguments received by Functional.call():\n  • inputs=..."
)


@pytest.mark.parametrize(
    "message, reason",
    [
        (KERAS, "Expected axis 3 of the input to be 4."),
        (
            f'in user code:\n\n    File "a.py", line 1, in f\n        g()\n{KERAS}',
            "Expected axis 3 of the input to be 4.",
        ),
        (
            'in user code:\n\n    File "a.py", line 1, in f  *\n        g()\n\n'
            "    ValueError: Shapes do not fit.\n",
            "Shapes do not fit.",
        ),
        ("No space left on device\nmore", "No space left on device"),
        ("", ""),
    ],
)
def test_what_stands_around_the_reason_is_left_out(message, reason):
    assert reason_of(ValueError(message)) == f"ValueError: {reason}"
