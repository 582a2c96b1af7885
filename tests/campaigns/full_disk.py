"""Fills the disk under commands: a clear error, nothing torn, and they go on.

`restore` (with its results on the full disk, and with its temporary files there),
`train`, `evaluate` and `trade-off` write to disks of sizes that a seed chooses, from
none to nearly what they need. Each must end with a line that says why, and with no file
that is torn or left over; what it has written stays, and with room it goes on to what a
run that had room from the beginning leaves.

The disk is a tmpfs in a mount namespace of the process (`unshare -rm`, which needs no
rights of root). Where the system permits none, RLIMIT_FSIZE limits the size of each
file instead, which meets the same places with another error.

Example:

    python tests/campaigns/full_disk.py --backend tensorflow --disks 4
"""

import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import runs

TEMPORARY = "restore-temporary"
NAMES = ("restore", TEMPORARY, "train", "train-every-3", "evaluate", "trade-off")
REASONS = (
    "No space left on device",
    "File too large",
    "No usable temporary directory",  # to import TensorFlow, where no file may be made
)
MOST_LINES = 20  # of an error; a traceback has more


def may_mount():
    """Whether this system lets a user mount a tmpfs in a namespace."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            mount = ["mount", "-t", "tmpfs", "tmpfs", folder]
            tried = subprocess.run(["unshare", "-rm", *mount], capture_output=True)
        except OSError:
            return False
        return tried.returncode == 0


class Mount:
    """A disk of a size: a tmpfs.

    Args:
        folder: `pathlib.Path` to mount it at, which is made.
        size: Int, bytes.
    """

    def __init__(self, folder, size):
        folder.mkdir()
        self.folder = folder
        self.limit = None
        options = ["-o", f"size={max(4096, size)}"]
        subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", folder], check=True)

    def make_room(self):
        """Makes it larger than anything needs."""
        options = ["-o", "remount,size=4g"]
        subprocess.run(["mount", *options, self.folder], check=True)

    def remove(self):
        subprocess.run(["umount", self.folder], check=True)
        self.folder.rmdir()


class Limit:
    """In its place, a largest size of a file, by RLIMIT_FSIZE."""

    def __init__(self, folder, size):
        folder.mkdir()
        self.folder = folder
        self.limit = size

    def make_room(self):
        self.limit = None

    def remove(self):
        shutil.rmtree(self.folder)


def run(arguments, out, environ, limit):
    """Runs a command, with a limit of the size of files or `None`."""

    def preexec():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        runs.command(arguments, out),
        env=environ,
        capture_output=True,
        text=True,
        timeout=900,
        preexec_fn=None if limit is None else preexec,
    )


def told_of(done, what):
    """What is wrong with how a command met a full disk."""
    error = done.stderr
    told = []
    if done.returncode not in (1, 2):
        told.append(f"{what}: ends with {done.returncode}")
    if not any(reason in error for reason in REASONS):
        told.append(f"{what}: says no reason: {error[-300:]!r}")
    if "Traceback" in error or len(error.splitlines()) > MOST_LINES:
        told.append(f"{what}: unclear: {error[-600:]!r}")
    return told


def fill(name, arguments, environ, folder, disk_kind, disks, rng):
    """Fills the disk under one command; a list of problems, and how often it was full.

    Args:
        name: String, one of `NAMES`.
        arguments: List of its arguments.
        environ: Dict, its environment.
        folder: `pathlib.Path`, which is made.
        disk_kind: `Mount` or `Limit`.
        disks: Int, how many sizes to try.
        rng: A `numpy.random.Generator`.
    """
    folder.mkdir()
    reference, told, full = folder / "whole", [], 0
    # At the place of the others, as a training writes it down.
    place = folder / "disk"
    out = folder / "out" if name == TEMPORARY else place / "out"
    done = runs.run(arguments, out, environ)
    assert done.returncode == 0, done.stderr
    out.rename(reference)
    shutil.rmtree(place, ignore_errors=True)
    sizes = [path.stat().st_size for path in reference.rglob("*") if path.is_file()]
    needed = max(sizes) if disk_kind is Limit else sum(sizes)
    for number in range(disks):
        share = 0 if number == 0 else rng.random()
        what = f"{name} with {100 * share:.0f} % of {needed} bytes"
        disk = disk_kind(place, int(share * needed))
        own = {**environ, "TMPDIR": str(place)} if name == TEMPORARY else environ
        earlier = {}
        for attempt in range(2):
            done = run(arguments, out, own, disk.limit)
            if done.returncode == 0:
                break
            full += 1
            told += told_of(done, what)
            if out.exists():
                wrong = runs.problems(out, reference, False)
                wrong += [f"{path}: left over" for path in runs.hidden(out)]
                there = {n: runs.values(p) for n, p in runs.visible(out).items()}
                if name in ("restore", TEMPORARY, "evaluate", "trade-off"):
                    wrong += [f"{n}: lost" for n in earlier if n not in there]
                told += [f"{what}, attempt {attempt + 1}: {text}" for text in wrong]
                earlier = there
        disk.make_room()
        done = run(arguments, out, own, disk.limit)
        if done.returncode:
            told.append(f"{what}: does not go on: {done.stderr[-500:]!r}")
        elif wrong := runs.problems(out, reference, True):
            told += [f"{what}, with room: {text}" for text in wrong]
        disk.remove()
        shutil.rmtree(out, ignore_errors=True)
        print(f"{what}: tried", flush=True)
    shutil.rmtree(folder)
    return told, full


def fill_all(names, disks, backend, disk_kind, seed=0, **sizes):
    """Fills the disk under commands; the problems, and how often it was full.

    Args:
        names: Sequence of names among `NAMES`.
        disks: Int, sizes of disks to try of each.
        backend: String.
        disk_kind: `Mount` or `Limit`.
        seed: Int.
        **sizes: As for `runs.make_inputs`.
    """
    os.environ["KERAS_BACKEND"] = backend
    folder = pathlib.Path(tempfile.mkdtemp(prefix="keras-indi-full-disk-"))
    found, full = [], {}
    try:
        commands = runs.make_inputs(folder / "inputs", **sizes)
        commands[TEMPORARY] = commands["restore"]
        before = runs.digest(folder / "inputs")
        for number, name in enumerate(names):
            rng = np.random.default_rng((seed, number))
            environ = runs.environment(backend)
            told, full[name] = fill(
                name, commands[name], environ, folder / name, disk_kind, disks, rng
            )
            if runs.digest(folder / "inputs") != before:
                told.append(f"{name}: inputs were changed")
            found += told
            for text in told:
                print(json.dumps(text), flush=True)
            print(
                f"{name} on {backend}: {disks} disks, full {full[name]} times, "
                f"{len(told)} problems",
                flush=True,
            )
    finally:
        shutil.rmtree(folder)
    return found, full


def main():
    parser = runs.make_parser(__doc__, NAMES, side=500, pairs=60, batches=300)
    parser.add_argument("--disks", type=int, default=4, help="sizes, of each command")
    parser.add_argument("--by", choices=["mount", "limit"], help="[default: mount]")
    options = parser.parse_args()
    if options.by is None:
        options.by = "mount" if may_mount() else "limit"
        print(f"disks by {options.by}", flush=True)
        if options.by == "mount":
            command = ["unshare", "-rm", sys.executable, *sys.argv, "--by", "mount"]
            os.execvp("unshare", command)
    sizes = {name: getattr(options, name) for name in ("side", "pairs", "batches")}
    disk_kind = {"mount": Mount, "limit": Limit}[options.by]
    found, full = fill_all(
        options.commands,
        options.disks,
        options.backend,
        disk_kind,
        options.seed,
        **sizes,
    )
    return bool(found) or not all(full.values())


if __name__ == "__main__":
    sys.exit(main())
