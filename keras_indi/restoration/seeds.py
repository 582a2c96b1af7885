"""Seeds of single files."""

import hashlib
import unicodedata


def file_seed(seed: int, name: str) -> int:
    """Return the seed with which `restore_files` restores a file.

    It depends only on `seed` and the name of the file. A result therefore does not
    depend on the other files, or on the machine.

    Args:
        seed: Int >= 0, seed of the whole run.
        name: String, path of the file relative to the input folder, with `/`. For an
            input that is a file, its name.

    Returns:
        Int from 0 to 2**32 - 1.

    Example:

    >>> keras_indi.restoration.file_seed(0, "summer/beach.jpg")
    961882849
    """
    # Unicode has several forms of the same name, and file systems use different ones.
    spelled = unicodedata.normalize("NFC", name)
    spelled = f"{seed}/{spelled}".encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.sha256(spelled).digest()[:4], "little")
