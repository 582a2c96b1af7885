"""Reads thousands of damaged image files: none may end the process or take its memory.

Each input is a sound file of some kind, damaged by its number: bytes changed, cut,
repeated, numbers set to extremes, and checksums of PNG mended so that the damage gets
further. It is read as training reads it and as restoring reads it, and what could be
read is written again, in the formats that hold its sides. Only `UnusableImageError`
may be raised on the way, and what is read must be writable.

Example:

    python tests/campaigns/image_fuzzing.py --inputs 5000
"""

import argparse
import collections
import io
import json
import pathlib
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import warnings
import zlib

import numpy as np

BATCH = 250  # inputs a process
MOST_BYTES = 2**30  # of memory, beyond what the imports take
MOST_SECONDS = 20  # of the processor, for one input
EXTREMES = (0, 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1)
SUFFIXES = {
    "png": ".png",
    "jpeg": ".jpg",
    "webp": ".webp",
    "tiff": ".tif",
    "bmp": ".bmp",
    "gif": ".gif",
    "avif": ".avif",
}


def sound_files():
    """Dict of the name of a kind, format first, to a file's content."""
    import cv2
    import tifffile
    from PIL import Image, ImageCms, PngImagePlugin

    rows, columns = np.mgrid[:40, :56]
    waves = np.stack([np.sin(rows / 5 + c) * np.cos(columns / 7) for c in range(4)], -1)
    bytes_ = ((0.5 + 0.45 * waves) * 255).astype("uint8")
    words = ((0.5 + 0.45 * waves) * 65535).astype("uint16")
    colours = Image.fromarray(bytes_[..., :3])
    exif = Image.Exif()
    exif.update({0x010F: "Maker", 0x0112: 6})
    exif[0x8769] = {0x829A: 0.01}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    beside = {"exif": exif.tobytes(), "icc_profile": profile, "dpi": (240, 240)}
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "waves", zip=True)
    found = {}

    def add(name, image, format, **options):
        file = io.BytesIO()
        image.save(file, format, **options)
        found[name] = file.getvalue()

    add("png rgb", colours, "PNG", pnginfo=text, **beside)
    add("png palette", colours.quantize(16), "PNG", transparency=3)
    add("png grey alpha", colours.convert("LA"), "PNG")
    add("png bits", colours.convert("1"), "PNG")
    frames = [Image.fromarray(np.roll(bytes_[..., :3], n, 0)) for n in range(3)]
    add("png animated", frames[0], "PNG", save_all=True, append_images=frames[1:])
    for channels in (1, 3, 4):
        content = cv2.imencode(".png", words[..., :channels])[1].tobytes()
        found[f"png 16 bits {channels}"] = content
    add("jpeg", colours, "JPEG", quality=90, comment=b"waves", **beside)
    add("jpeg progressive", colours, "JPEG", progressive=True)
    add("jpeg cmyk", colours.convert("CMYK"), "JPEG", icc_profile=profile)
    add("jpeg grey", colours.convert("L"), "JPEG")
    add("webp", colours, "WEBP", **{k: v for k, v in beside.items() if k != "dpi"})
    add("webp lossless", Image.fromarray(bytes_), "WEBP", lossless=True)
    add("webp animated", frames[0], "WEBP", save_all=True, append_images=frames[1:])
    add("bmp", colours, "BMP")
    add("bmp palette", colours.quantize(16), "BMP")
    add("gif", colours.quantize(32), "GIF", transparency=1, comment=b"waves")
    add("gif animated", frames[0], "GIF", save_all=True, append_images=frames[1:])
    add("avif", colours, "AVIF")
    for mode in ("1", "L", "P", "CMYK", "YCbCr", "LAB", "RGBA", "LA"):
        image = colours.convert(mode) if mode != "LAB" else Image.new("LAB", (40, 30))
        add(f"tiff {mode}", image, "TIFF")
    add("tiff exif", colours, "TIFF", **beside)
    for compression in ("tiff_lzw", "tiff_deflate", "jpeg", "packbits"):
        add(f"tiff {compression}", colours, "TIFF", compression=compression)
    for compression in ("group3", "group4"):
        fax = colours.convert("1")
        add(f"tiff {compression}", fax, "TIFF", compression=compression)
    for name, pixels, options in (
        ("16 bits", words[..., :3], {"compression": "zlib", "predictor": True}),
        ("16 bits alpha", words, {"extrasamples": ["assocalpha"]}),
        ("zstd", bytes_[..., :3], {"compression": "zstd"}),
        ("tiles", bytes_[..., :3], {"compression": "lzw", "tile": (16, 16)}),
        ("float", words[..., 0].astype("float32") / 65535, {}),
        ("half", (words[..., 0] / 65535).astype("float16"), {"compression": "zlib"}),
        ("white is 0", words[..., 0], {"photometric": "miniswhite"}),
        ("planes", np.moveaxis(words[..., :3], -1, 0), {"planarconfig": "separate"}),
        ("jpeg2000", bytes_[..., :3], {"compression": "jpeg2000", "tile": (16, 16)}),
        ("webp", bytes_[..., :3], {"compression": "webp", "tile": (16, 16)}),
        ("big", bytes_[..., :3], {"bigtiff": True}),
    ):
        file = io.BytesIO()
        if pixels.ndim == 3 and "photometric" not in options:
            options["photometric"] = "rgb"
        tifffile.imwrite(file, pixels, **options)
        found[f"tiff {name}"] = file.getvalue()
    return found


def damaged(content, rng, is_png):
    """The content with some damage, which a number chooses."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 6)):
        # Headers are short, and what they say matters most.
        most = len(data) if rng.random() < 0.5 else min(len(data), 400)
        place = int(rng.integers(max(1, most)))
        kind = rng.integers(6)
        if kind == 0 and data:
            data[place] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            data[place : place + 1] = rng.bytes(int(rng.integers(1, 5)))
        elif kind == 2:
            order = "<" if rng.random() < 0.5 else ">"
            size = "H" if rng.random() < 0.5 else "I"
            number = int(rng.choice(EXTREMES)) % 2 ** (16 if size == "H" else 32)
            data[place : place + struct.calcsize(size)] = struct.pack(
                order + size, number
            )
        elif kind == 3:
            del data[place : place + int(rng.integers(1, 64))]
        elif kind == 4:
            part = data[place : place + int(rng.integers(1, 64))]
            data[place:place] = part * int(rng.integers(1, 4))
        elif rng.random() < 0.3:
            del data[place:]
    return mended(bytes(data)) if is_png and rng.random() < 0.7 else bytes(data)


def mended(content):
    """A PNG whose chunks have the right checksums, as far as they can be found."""
    data, place = bytearray(content), 8
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        end = place + 8 + length
        if end + 4 > len(data):
            break
        data[end : end + 4] = struct.pack(">I", zlib.crc32(data[place + 4 : end]))
        place = end + 4
    return bytes(data)


def damaged_input(number, seed, files):
    """The name of a kind, and the content of the input of a number."""
    rng = np.random.default_rng((seed, number))
    name = list(files)[number % len(files)]
    return name, damaged(files[name], rng, name.startswith("png"))


def check_file(path, out):
    """Reads a file in every way, and writes what could be read; a word on each."""
    from keras_indi.images import (
        chunked_files,
        inspect_image,
        read_image,
        read_photograph,
        write_photograph,
    )
    from keras_indi.images.encoding import FORMATS, MOST_SIDE
    from keras_indi.images.unusable import UnusableImageError

    outcomes = []
    for read in (inspect_image, read_image, read_photograph):
        try:
            found = read(path)
            outcomes.append("read")
        except UnusableImageError:
            outcomes.append("refused")
    if outcomes[1:] == ["read", "refused"] or outcomes == ["refused", "read", "read"]:
        raise AssertionError(f"One reader takes what another refuses: {outcomes}")
    if outcomes[-1] == "read":
        for suffix in (".png", ".jpg", ".tif", ".webp"):
            most = MOST_SIDE.get(FORMATS[suffix])
            if most is not None and max(found.pixels.shape[:2]) > most:
                continue
            write_photograph(out / f"written{suffix}", found)
    if path.suffix == ".tif":
        try:
            with chunked_files.opened(path) as view:
                view[:16]
        except ValueError:
            pass
    return outcomes[-1]


def work(first, last, seed, folder):
    """Checks the inputs of a range of numbers; prints one line of JSON for each."""
    folder = pathlib.Path(folder)
    warnings.simplefilter("ignore")
    files = sound_files()
    for name, content in files.items():  # imports, and what must be readable
        path = folder / f"sound{SUFFIXES[name.split()[0]]}"
        path.write_bytes(content)
        assert check_file(path, folder) == "read", name
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(first, last):
        name, content = damaged_input(number, seed, files)
        path = folder / f"input{SUFFIXES[name.split()[0]]}"
        path.write_bytes(content)
        print(json.dumps({"started": number}), flush=True)
        line = {"number": number, "kind": name}
        begin = time.process_time()
        try:
            line["outcome"] = check_file(path, folder)
        except Exception as error:
            line["outcome"] = "unclear"
            line["error"] = f"{type(error).__name__}: {str(error)[:300]}"
        if (seconds := time.process_time() - begin) > MOST_SECONDS:
            line["outcome"], line["error"] = "slow", f"{seconds:.0f} s"
        used = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        if used > MOST_BYTES:
            line["outcome"] = "memory"
            line["error"] = f"{used / 2**20:.0f} MiB"
            before += used // 1024
        print(json.dumps(line), flush=True)


def run(inputs, seed=0):
    """Checks inputs, by processes of which one may be lost.

    Returns:
        Tuple of a `Counter` of outcomes and a list of dicts, the failures.
    """
    outcomes, failures = collections.Counter(), []
    first = 0
    while first < inputs:
        last = min(first + BATCH, inputs)
        folder = tempfile.mkdtemp()
        command = [sys.executable, __file__, "--work", str(first), str(last)]
        done = subprocess.run(
            [*command, "--seed", str(seed), "--folder", folder],
            capture_output=True,
            text=True,
        )
        shutil.rmtree(folder)
        lines = [
            json.loads(line) for line in done.stdout.splitlines() if line[0] == "{"
        ]
        ended = [line for line in lines if "number" in line]
        outcomes.update(line["outcome"] for line in ended)
        failures += [line for line in ended if "error" in line]
        first = last
        if done.returncode:
            started = [line["started"] for line in lines if "started" in line]
            if not started:
                raise RuntimeError(done.stderr)
            error = f"status {done.returncode}: {done.stderr[-300:]}"
            failures.append({"number": started[-1], "error": error})
            outcomes["crashed"] += 1
            first = started[-1] + 1
    return outcomes, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=int, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        return work(*options.work, options.seed, options.folder)
    outcomes, failures = run(options.inputs, options.seed)
    for failure in failures:
        print(json.dumps(failure))
    print(f"{options.inputs} inputs: {dict(outcomes)}")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
