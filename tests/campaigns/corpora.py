"""Reads folders of public test images: no crash, and what is read is as Pillow has it.

Corpora such as PngSuite, the images of a library's own tests, or those that a fuzzer
has found are not ours to ship: give their folders. Each file must be read, or refused
by an `UnusableImageError`; a decoder that ends the process ends the campaign behind the
name of the file. Where Pillow reads a file too, the pixels must be the same: of 16-bit
colours, which it cuts, the upper 8 bits; of what is lossy or transparent within one
grey level, or on the average within half of one, as decoders enlarge colours in ways of
their own.

Example:

    python tests/campaigns/corpora.py PngSuite pillow/Tests/images
"""

import argparse
import collections
import faulthandler
import json
import pathlib
import sys
import warnings

import numpy as np

LOSSY = (".tif", ".tiff", ".avif", ".heic", ".heif", ".jpg", ".jpeg", ".jpe", ".jfif")


def by_pillow(path):
    """The pixels of a file as Pillow has them, over black; `None` of other kinds."""
    from PIL import Image, ImageOps

    with Image.open(path) as image:
        bits = getattr(image, "tag_v2", {}).get(258, (16,))[0]
        for name in ("xmp", "XML:com.adobe.xmp"):  # only EXIF turns an image
            image.info.pop(name, None)
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I;16") and "transparency" not in image.info:
            values = np.asarray(image) * (65535 / (2**bits - 1))  # of fewer bits
            return np.rint(values).astype("uint16")[..., None]
        if image.mode.startswith("I;16") or image.mode in (
            "I",
            "F",
            "LAB",
            "HSV",
            "YCbCr",
        ):
            return None
        grey = image.mode in ("1", "L", "LA", "La")
        if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or (
            "transparency" in image.info
        ):
            black = Image.new("RGBA", image.size, (0, 0, 0, 255))
            image = Image.alpha_composite(black, image.convert("RGBA")).convert("RGB")
        pixels = np.asarray(image.convert("RGB"))
        return pixels[..., :1] if grey else pixels


def check_file(path):
    """What became of a file: `"read"`, `"refused"`, or what is wrong."""
    from keras_indi.images import UnusableImageError, inspect_image, read_image

    try:
        found = read_image(path)
        info = inspect_image(path)
    except UnusableImageError as error:
        return f"refused: {error}"
    except Exception as error:  # which is what is looked for
        return f"UNCLEAR: {type(error).__name__}: {error}"
    try:
        expected = by_pillow(path)
    except Exception:
        return "read, not by Pillow"
    if expected is None or info.is_float:
        return "read, of a kind that is not compared"
    if expected.shape != found.shape:
        return f"DIFFERS: shape {found.shape}, by Pillow {expected.shape}"
    if found.dtype == "uint16" and expected.dtype == "uint8":
        found = found >> 8
    apart = np.abs(found.astype(int) - expected)
    close = path.suffix.lower() in LOSSY or info.has_alpha
    if apart.max(initial=0) > close and not (close and apart.mean() < 0.5):
        return f"DIFFERS: by up to {apart.max()} of {np.iinfo(found.dtype).max}"
    return "read, as by Pillow"


def check_folders(folders, show=False):
    """Checks all image files of folders; a `Counter` of outcomes and the failures."""
    from keras_indi.images.image_files import image_files

    outcomes, failures = collections.Counter(), []
    for folder in folders:
        for path in image_files(folder):
            print(f"\r{path.name:70.70}", end="", file=sys.stderr, flush=True)
            outcome = check_file(path)
            outcomes[outcome.partition(":")[0]] += 1
            if outcome[0].isupper():
                failures.append({"file": str(path), "outcome": outcome})
            if show:
                print(f"{path.name}: {outcome}")
    print(file=sys.stderr)
    return outcomes, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--show", action="store_true", help="each file's outcome")
    options = parser.parse_args()
    faulthandler.enable()
    warnings.simplefilter("ignore")
    outcomes, failures = check_folders(options.folders, options.show)
    for failure in failures:
        print(json.dumps(failure))
    print(f"{sum(outcomes.values())} files: {dict(outcomes)}")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
