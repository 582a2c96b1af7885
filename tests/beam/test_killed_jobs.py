"""Jobs of two worker processes, killed and run again."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("apache_beam", reason="needs Apache Beam: the extra `beam`")

from helpers import smooth_images, tiny_unet  # noqa: E402
from PIL import Image  # noqa: E402

import keras_indi  # noqa: E402
from keras_indi.models import InDI  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not pathlib.Path("/proc/self/task").is_dir(), reason="needs Linux's /proc"
    ),
]

ROOT = pathlib.Path(keras_indi.__file__).parents[1]
IMAGES, BROKEN = 60, 2
LIMIT = 180  # seconds that a job may take, on a busy machine too


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a model, and images of which some are broken."""
    folder = tmp_path_factory.mktemp("jobs")
    unet = tiny_unet(gain=0.3)
    InDI(unet, noise_schedule=0.02, seed=0).save(folder / "model.keras")
    (folder / "in/deep").mkdir(parents=True)
    for index in range(IMAGES):
        size = (24 + 8 * (index % 3), 40)
        image = smooth_images(1, *size, seed=index)[0].astype("uint8")
        where = "deep/" if index % 2 else ""
        Image.fromarray(image).save(folder / f"in/{where}{index}.png")
    for index in range(BROKEN):
        (folder / f"in/broken{index}.png").write_bytes(b"no image")
    return folder


class Job:
    """The command in a process group of its own, which is ended with the test."""

    def __init__(self, folder, output, *arguments):
        command = [sys.executable, "-m", "keras_indi_cli", "beam", str(folder / "in")]
        command += ["-o", str(folder / output), "--preset", str(folder / "model.keras")]
        # Enough steps that a job can be killed in the middle.
        command += ["--steps", "40", "--dtype", "float32", *arguments]
        scratch = folder / "scratch"
        scratch.mkdir(exist_ok=True)
        environ = {**os.environ, "TMPDIR": str(scratch), "PYTHONPATH": str(ROOT)}
        self.output = folder / output
        self.log = folder / f"{output}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env=environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=folder,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def until(self, wanted, what):
        """Waits for a condition, or fails with what the job printed."""
        end = time.monotonic() + LIMIT
        while not (found := wanted()):
            printed = self.log.read_text(errors="replace")[-3000:]
            assert time.monotonic() < end, f"{what} took too long:\n{printed}"
            assert self.process.poll() is None, f"ended before {what}:\n{printed}"
            time.sleep(0.02)
        return found

    def until_some_are_restored(self):
        self.until(lambda: len(results(self.output)) >= 6, "6 results")

    def workers(self):
        """The processes' numbers of Beam's workers."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                command = (path / "cmdline").read_bytes()
                group = os.getpgid(int(path.name))
            except (OSError, ValueError):
                continue
            # Not the shells that Beam starts them by.
            started = command.startswith(f"{sys.executable}\0".encode())
            if group == self.process.pid and started and b"sdk_worker" in command:
                found.append(int(path.name))
        return found

    def finish(self):
        status = self.process.wait(LIMIT)
        printed = self.log.read_text(errors="replace")[-3000:]
        assert status == (1 if BROKEN else 0), printed
        return printed


def results(folder):
    """Dict of the names of results to their bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("[!.]*.png")
    }


def check(output, expected):
    """Same bytes, nothing partial, every broken file named once."""
    found = results(output)
    assert len(found) == IMAGES and found == expected
    for path in output.rglob("*.png"):
        assert not path.name.startswith("."), path
        np.asarray(Image.open(path))
    lines = (output / "manifest.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    assert len({entry["path"] for entry in entries}) == len(lines) == IMAGES + BROKEN
    failed = [entry["path"] for entry in entries if entry["status"] == "failed"]
    assert len(failed) == BROKEN and all("broken" in path for path in failed)
    return entries


@pytest.fixture(scope="module")
def expected(folder):
    """What one process alone restores."""
    with Job(folder, "alone") as job:
        job.finish()
    found = results(folder / "alone")
    check(folder / "alone", found)
    return found


TWO = ("--direct_num_workers", "2")


def test_two_processes_restore_the_same(folder, expected):
    with Job(folder, "two", *TWO) as job:
        job.until(lambda: len(job.workers()) == 2, "two workers")
        printed = job.finish()
    check(folder / "two", expected)
    assert f"{IMAGES} restored, 0 skipped, {BROKEN} failed" in printed


def test_killed_and_run_again(folder, expected):
    with Job(folder, "killed", *TWO) as job:
        job.until_some_are_restored()
        os.kill(job.workers()[0], signal.SIGKILL)
        time.sleep(0.5)
    done = len(results(folder / "killed"))
    assert 6 <= done < IMAGES
    with Job(folder, "killed", *TWO) as job:
        job.until(lambda: len(results(job.output)) >= done + 6, "more results")
        job.process.kill()  # the runner; its workers go with the group
        job.process.wait()
    done = len(results(folder / "killed"))
    assert done < IMAGES
    with Job(folder, "killed", *TWO) as job:
        printed = job.finish()
    entries = check(folder / "killed", expected)
    statuses = [entry["status"] for entry in entries]
    assert statuses.count("skipped") == done
    assert f"{IMAGES - done} restored, {done} skipped, {BROKEN} failed" in printed
