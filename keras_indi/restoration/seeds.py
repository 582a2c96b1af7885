"""The seed of one file among many."""

import hashlib
import unicodedata


def file_seed(seed: int, name: str) -> int:
    """The seed with which `restore_files` restores a file.

    It depends on the file's own name alone, so that a result does not depend on what
    is restored beside it, nor on the machine that does it.

    Args:
        seed: Int >= 0, of the whole run.
        name: The file's path within the folder that was given, with `/` between its
            parts; of a file that was given itself, its name.

    Returns:
        Int from 0 to 2**32 - 1.

    Example:

    >>> keras_indi.restoration.file_seed(0, "summer/beach.jpg")
    961882849
    """
    # One name has two spellings in Unicode, and file systems differ in theirs.
    spelled = unicodedata.normalize("NFC", name)
    spelled = f"{seed}/{spelled}".encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.sha256(spelled).digest()[:4], "little")
