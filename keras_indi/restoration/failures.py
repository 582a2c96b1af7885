"""One-line reasons of exceptions."""

import re

from keras_indi.images.unusable import UnusableImageError

# Text that Keras and TensorFlow add around the reason.
AROUND = re.compile(r"Exception encountered when calling [^\n]*\n|in user code:\s*\n")
NO_REASON = re.compile(r'\s*(File "|Arguments received|Call arguments|•|\*|$)')
# Packages that only some kinds of files need: HEIC; Zarr and very large TIFF files.
OF_SOME_KINDS = ("pillow_heif", "zarr")
STYLES = re.compile(r"\x1b\[[0-9;]*m")


def reason_of(error: BaseException) -> str:
    """Return the reason of an exception in one line, with the exception's name.

    Args:
        error: The exception. Messages of Keras and its backends may begin with the
            layers around the one that failed. The messages of an `UnusableImageError`
            and of a missing package are returned unchanged.
    """
    if isinstance(error, (UnusableImageError, ImportError)):
        return str(error)
    text = STYLES.sub("", str(error))
    inner = [match.end() for match in AROUND.finditer(text)]
    if inner and "in user code:" in text:
        errors = re.findall(r"^\s*\w+(?:Error|Exception): (.+)$", text, re.M)
        encountered = text.rfind("Exception encountered when calling")
        if encountered < 0 and errors:
            return f"{type(error).__name__}: {errors[-1].strip()}"
    lines = text[inner[-1] if inner else 0 :].splitlines()
    reason = next((line.strip() for line in lines if not NO_REASON.match(line)), "")
    return f"{type(error).__name__}: {reason}"


def is_missing_for_all(error: Exception) -> bool:
    """Return whether a package is missing that files of every kind need."""
    return isinstance(error, ImportError) and error.name not in OF_SOME_KINDS
