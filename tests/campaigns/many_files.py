"""Restores thousands of small files in several ways, and kills jobs: the same bytes.

Files of mixed formats and sizes, one in a hundred broken, are restored by `keras-indi
restore`, and by `keras-indi beam` in one and in two worker processes. Another job has
first a worker and then its runner killed by SIGKILL, and is run again until it ends.
All must write the same bytes and name each broken file once, and nothing may be left
half-written. Moments come of a seed; what they meet depends on the machine.

Example:

    python tests/campaigns/many_files.py --backend tensorflow --files 2000
"""

import collections
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import broken_files
import numpy as np
import runs
from beam_jobs import Job, contents, entries
from PIL import Image

SIDES = range(32, 97, 8)  # pixels; more shapes would only take long to compile
LOSSY = (".jpg", ".webp")
ENDINGS = (".png", *LOSSY, ".tif")
BREAKAGES = ("half", "beginning", "empty", "text", "zeros")
TWO = ("--direct_num_workers", "2")
PATIENCE = 2  # seconds, for a job to end by itself once a worker is gone


def problems(found, expected, failed, broken):
    """What is wrong with results.

    Args:
        found: Dict of names to bytes.
        expected: Dict of names to bytes.
        failed: List of the names of the files that were told to have failed.
        broken: List of the names of the broken files.

    Returns:
        List of strings.
    """
    told = [f"{name}: missing" for name in expected.keys() - found.keys()]
    told += [f"{name}: too many" for name in found.keys() - expected.keys()]
    both = found.keys() & expected.keys()
    told += [f"{name}: differs" for name in both if found[name] != expected[name]]
    named = collections.Counter(failed)
    told += [f"{name}: not named once" for name in broken if named.pop(name, 0) != 1]
    return told + [f"{name}: failed, and is not broken" for name in named]


def make_files(folder, count, share, seed, sides):
    """Writes files of mixed formats and sizes; the names of those that are broken."""
    from keras_indi.images import UnusableImageError, read_photograph

    rng = np.random.default_rng(seed)
    chosen = {*rng.choice(count, max(1, round(share * count)), replace=False)}
    broken = []
    for number in range(count):
        name = f"{number % 7}/{number:05}{ENDINGS[number % len(ENDINGS)]}"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        height, width = rng.choice(sides, 2)
        pixels = (255 * runs.waves(height, width, 3, number)).astype("uint8")
        Image.fromarray(pixels).save(path)
        content = path.read_bytes()
        while number in chosen:
            broken_files.break_file(path, rng.choice(BREAKAGES))
            try:
                read_photograph(path)
            except UnusableImageError:
                broken.append(name)
                break
            path.write_bytes(content)  # half of some kinds is a whole image
    return broken


class Campaign:
    """Restores one folder in all ways.

    Args:
        folder: `pathlib.Path` of a folder for everything.
        count: Int, files.
        share: Float, of broken ones.
        backend: String.
        seed: Int.
        sides: Sequence of ints, pixels, the images' heights and widths.
        steps: Int, of the restorations; many leave time for kills among few files.

    Attributes:
        broken: List of the names of the broken files.
        problems: List of strings.
    """

    def __init__(self, folder, count, share, backend, seed, sides, steps):
        from keras_indi.models import InDI, UNetBackbone

        self._folder, self._source = folder, folder / "files"
        self._count, self._backend = count, backend
        self._rng = np.random.default_rng((seed, 1))
        self.problems = []
        model = folder / "model.keras"
        InDI(UNetBackbone(3, 4, (1, 2), 1), noise_schedule=0.05, seed=0).save(model)
        self.broken = make_files(self._source, count, share, seed, sides)
        options = [str(self._source), "-o", runs.OUT, "--preset", str(model)]
        self._options = [*options, "--steps", str(steps), "--dtype", "float32"]
        (folder / "scratch").mkdir()
        self._environ = runs.environment(backend, TMPDIR=str(folder / "scratch"))
        self._expected = None

    def run(self):
        plain = self._whole("plain", ["restore"])
        alone = self._whole("one-process", ["beam"])
        self._expected = contents(alone)
        wanted = self._count - len(self.broken)
        if len(self._expected) != wanted:
            self.problems.append(f"{len(self._expected)} results, not {wanted}")
        self._check_beam(alone)
        self._check_plain(plain)
        self._check_beam(self._whole("two-processes", ["beam"], TWO))
        self._kill()

    def _job(self, command, output, more=()):
        arguments = [*command, *self._options, *more]
        return Job(arguments, self._folder / output, self._environ)

    def _whole(self, name, command, more=()):
        """Runs a command to its end; its output directory."""
        begin = time.monotonic()
        with self._job(command, name, more) as job:
            if more == TWO:
                job.until(lambda: len(job.workers()) == 2, "two workers")
            job.finish()
        print(f"{name}: {time.monotonic() - begin:.0f} s", flush=True)
        return job.output

    def _kill(self):
        """Kills a worker, then the runner, and lets a third run end."""
        before = 0
        for victim, share in zip(("worker", "runner"), self._rng.uniform(0.1, 0.4, 2)):
            with self._job(["beam"], "killed", TWO) as job:
                job.until_restored(before + share * (len(self._expected) - before))
                if victim == "worker":
                    os.kill(job.workers()[0], signal.SIGKILL)
                    ended = "ended by itself"
                    try:
                        job.process.wait(PATIENCE)
                    except subprocess.TimeoutExpired:
                        ended = "was ended"
                    print(f"without a worker the job {ended}", flush=True)
                else:
                    job.process.kill()  # its workers go with the group
            found = contents(job.output)
            wrong = [name for name in found if found[name] != self._expected[name]]
            self.problems += [f"{victim} killed: {name} is torn" for name in wrong]
            before = len(found)
            print(f"{victim} killed: {before} results are there", flush=True)
        assert before < len(self._expected), "the kills came too late"
        self._check_beam(self._whole("killed", ["beam"], TWO), before)

    def _check_plain(self, output):
        """Looks at what the plain command wrote and told."""
        log = output.with_name(f"{output.name}.log").read_text(encoding="utf-8")
        lines = [line for line in log.splitlines() if line.startswith("Failed: ")]
        failed = [line.removeprefix("Failed: ").split(": ")[0] for line in lines]
        found = {
            # Where batches are filled up, kernels round in another way.
            name: self._expected[name] if self._is_same(name, content) else content
            for name, content in contents(output).items()
        }
        self._check(output, failed, found)

    def _is_same(self, name, content):
        """Whether a result is Beam's: on JAX to a grey level, before it is encoded."""
        other = self._expected.get(name)
        if content == other or other is None or self._backend != "jax":
            return content == other
        images = [Image.open(io.BytesIO(data)) for data in (content, other)]
        levels = np.abs(np.subtract(*(np.asarray(image, int) for image in images)))
        return levels.mean() < 0.5 if name.endswith(LOSSY) else levels.max() <= 1

    def _check_beam(self, output, skipped=0):
        """Looks at the results, the manifest and the counters."""
        lines = entries(output)
        failed = [e["path"] for e in lines if e["status"] == "failed"]
        self._check(output, failed)
        counts = collections.Counter(entry["status"] for entry in lines)
        restored = self._count - skipped - len(self.broken)
        wanted = {"restored": restored, "skipped": skipped, "failed": len(self.broken)}
        told = ", ".join(f"{count} {name}" for name, count in wanted.items())
        if (
            counts != collections.Counter(wanted)
            or len({e["path"] for e in lines}) != self._count
        ):
            self.problems.append(f"{output.name}: {dict(counts)} in the manifest")
        if told not in output.with_name(f"{output.name}.log").read_text():
            self.problems.append(f"{output.name}: it does not say {told}")

    def _check(self, output, failed, found=None):
        names = [os.path.relpath(path, self._source) for path in failed]
        found = contents(output) if found is None else found
        told = problems(found, self._expected, names, self.broken)
        told += [f"{name}: left over" for name in runs.hidden(output)]
        self.problems += [f"{output.name}: {text}" for text in told]


def restore(count, backend, share=0.01, seed=0, sides=SIDES, steps=1):
    """Makes files, restores them in all ways, and looks at the results.

    Args:
        count: Int, files.
        backend: String.
        share: Float, of broken ones.
        seed: Int.
        sides: As for `Campaign`; so is `steps`.
        steps: Int.

    Returns:
        The `Campaign`, with its `broken` and its `problems`.
    """
    os.environ["KERAS_BACKEND"] = backend
    folder = pathlib.Path(tempfile.mkdtemp(prefix="keras-indi-many-files-"))
    try:
        campaign = Campaign(folder, count, share, backend, seed, sides, steps)
        campaign.run()
        return campaign
    finally:
        shutil.rmtree(folder)


def main():
    parser = runs.make_common_parser(__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--share", type=float, default=0.01, help="of broken files")
    options = parser.parse_args()
    found = restore(options.files, options.backend, options.share, options.seed)
    for text in found.problems:
        print(json.dumps(text))
    print(
        f"{options.files} files on {options.backend}, {len(found.broken)} broken: "
        f"{len(found.problems)} problems"
    )
    return bool(found.problems)


if __name__ == "__main__":
    sys.exit(main())
