"""Restores thousands of small files, one in a hundred broken: only these fail.

Files of all kinds that are read lie in folders within folders; some are truncated,
empty, of something else, pipes, or links to themselves. The command must name each
broken one once, restore all others to images of their own size, and end with status 1.

Example:

    python tests/campaigns/broken_files.py --backend tensorflow --files 2000
"""

import collections
import json
import os
import pathlib
import shutil
import sys
import tempfile

import image_fuzzing
import numpy as np
import runs

BREAKAGES = (
    "half",
    "beginning",
    "empty",
    "text",
    "zeros",
    "pipe",
    "link",
    "folderless",
)


def break_file(path, breakage):
    """Replaces a file by something broken, of its name."""
    content = path.read_bytes()
    path.unlink()
    if breakage == "pipe":
        os.mkfifo(path)
    elif breakage == "link":
        path.symlink_to(path.name)
    elif breakage == "folderless":
        path.symlink_to(path.parent / "missing" / path.name)
    else:
        broken = {
            "half": content[: len(content) // 2],
            "beginning": content[:12],
            "empty": b"",
            "text": b"This is no image.\n",
            "zeros": content[:16] + bytes(len(content) - 16),
        }
        path.write_bytes(broken[breakage])


def make_files(folder, count, share, seed):
    """Writes files of all kinds, a share of them broken; dict of names to breakage."""
    from keras_indi.images import UnusableImageError, read_photograph

    rng = np.random.default_rng(seed)
    sound = list(image_fuzzing.sound_files().items())
    chosen = set(rng.choice(count, max(1, round(share * count)), replace=False))
    broken = {}
    for number in range(count):
        kind, content = sound[number % len(sound)]
        suffix = image_fuzzing.SUFFIXES[kind.split()[0]]
        path = folder / f"{number % 7}" / f"{number:05}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        while number in chosen:
            breakage = BREAKAGES[rng.integers(len(BREAKAGES))]
            break_file(path, breakage)
            try:
                read_photograph(path)
            except UnusableImageError:
                broken[path.relative_to(folder).as_posix()] = breakage
                break
            path.write_bytes(content)  # half of some kinds is a whole image
    return broken


def check(files, out, broken, done):
    """What is wrong with a restoration of these files; a list of strings."""
    from keras_indi.images import inspect_image

    told = []
    if done.returncode != 1:
        told.append(f"ends with {done.returncode}: {done.stderr[-500:]}")
    names = collections.Counter(
        line.removeprefix("Failed: ").split(": ")[0]
        for line in done.stderr.splitlines()
        if line.startswith("Failed: ")
    )
    for name, breakage in broken.items():
        if names.pop(str(files / name), 0) != 1:
            told.append(f"{name} ({breakage}): not named once")
    told += [f"{name}: failed, and is not broken" for name in names]
    sound = [path for path in files.rglob("*.*") if path.is_file()]
    sound = [path for path in sound if str(path.relative_to(files)) not in broken]
    for path in sound:
        result = out / path.relative_to(files)
        if path.suffix not in (".png", ".jpg", ".webp", ".tif"):
            result = result.with_suffix(".png")
        if not result.is_file():
            told.append(f"{path.name}: not restored")
            continue
        sizes = [
            (info.height, info.width) for info in map(inspect_image, (path, result))
        ]
        if sizes[0] != sizes[1]:
            told.append(f"{path.name}: restored to another size")
    others = len(runs.visible(out)) - len(sound)
    if others or runs.hidden(out):
        told.append(f"{others} files too many, {len(runs.hidden(out))} left over")
    return told


def restore(count, backend, share=0.01, seed=0):
    """Makes files, restores them, and looks at the results.

    Args:
        count: Int, files.
        backend: String.
        share: Float, of broken ones.
        seed: Int.

    Returns:
        Tuple of the dict of broken files and a list of problems.
    """
    os.environ["KERAS_BACKEND"] = backend
    from keras_indi.models import InDI, UNetBackbone

    folder = pathlib.Path(tempfile.mkdtemp(prefix="keras-indi-broken-files-"))
    try:
        files, out, model = folder / "files", folder / "out", folder / "model.keras"
        InDI(UNetBackbone(3, 4, (1, 2), 1), seed=0).save(model)
        broken = make_files(files, count, share, seed)
        arguments = ["restore", str(files), "-o", runs.OUT, "--preset", str(model)]
        arguments += ["--steps", "1", "--dtype", "float32"]
        done = runs.run(arguments, out, runs.environment(backend), limit=1500)
        return broken, check(files, out, broken, done)
    finally:
        shutil.rmtree(folder)


def main():
    parser = runs.make_common_parser(__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--share", type=float, default=0.01, help="of broken files")
    options = parser.parse_args()
    broken, told = restore(options.files, options.backend, options.share, options.seed)
    for text in told:
        print(json.dumps(text))
    kinds = dict(collections.Counter(broken.values()))
    print(
        f"{options.files} files on {options.backend}, {len(broken)} broken ({kinds}): "
        f"{len(told)} problems"
    )
    return bool(told)


if __name__ == "__main__":
    sys.exit(main())
