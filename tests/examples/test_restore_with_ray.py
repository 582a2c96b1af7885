"""The example of Ray, without Ray, and on two nodes of which a worker is killed.

Ray is in no extra of the package: `pip install "ray[data]"` runs the second test.
"""

import os
import pathlib
import runpy
import signal
import subprocess
import sys
import time
import types
from unittest import mock

import keras
import pytest
from helpers import shut, smooth_images, tiny_unet
from PIL import Image

from keras_indi.models import InDI
from keras_indi.restoration import restore_files

ROOT = pathlib.Path(__file__).parents[2]
IMAGES, STEPS, SEED = 60, 40, 3
LIMIT = 240  # seconds, on a busy machine too


@pytest.fixture
def cluster():
    """The address of two nodes, whose workers find the package."""
    reason = 'needs Ray: pip install "ray[data]"'
    cluster_utils = pytest.importorskip("ray.cluster_utils", reason=reason)
    environment = {
        "PYTHONPATH": str(ROOT),
        "KERAS_BACKEND": keras.config.backend(),
        "RAY_USAGE_STATS_ENABLED": "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    memory = 100 * 2**20
    node = {"num_cpus": 1, "object_store_memory": memory}
    with mock.patch.dict(os.environ, environment):
        found = cluster_utils.Cluster(
            initialize_head=True, head_node_args={**node, "include_dashboard": False}
        )
        try:
            found.add_node(**node)
            yield {**os.environ, "RAY_ADDRESS": found.address}
        finally:
            found.shutdown()


def make_files(folder, count):
    """A model, and images of which one is broken."""
    InDI(tiny_unet(gain=0.3), noise_schedule=0.02, seed=0).save(folder / "model.keras")
    (folder / "in/deep").mkdir(parents=True)
    for index in range(count):
        size = (24 + 8 * (index % 3), 40)
        image = smooth_images(1, *size, seed=index)[0].astype("uint8")
        where = "deep/" if index % 2 else ""
        Image.fromarray(image).save(folder / f"in/{where}{index}.png")
    (folder / "in/broken.png").write_bytes(b"no image")


def results(folder):
    """Dict of the names of results to their bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*.*")
    }


def command(folder):
    command = [ROOT / "examples/restore_with_ray.py", folder / "in"]
    command += ["-o", folder / "out", "--preset", folder / "model.keras"]
    return [str(part) for part in [*command, "--steps", STEPS, "--seed", SEED]]


def start(folder, environment):
    return subprocess.Popen(
        [sys.executable, *command(folder)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def workers():
    """The processes that hold a model, of this user's clusters."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes()
        except OSError:
            continue
        if command.startswith(b"ray::") and b"RestoreOne" in command:
            found.append(int(path.name))
    return found


class Rows:
    """Stands in for `ray.data`, in this process."""

    ActorPoolStrategy = staticmethod(lambda size: size)

    def from_items(self, items, override_num_blocks):
        self._rows = [{"item": item} for item in items]
        return self

    def map(self, kind, fn_constructor_args, compute, num_cpus):
        self._rows = map(kind(*fn_constructor_args), self._rows)
        return self

    def iter_rows(self):
        return self._rows


def test_its_own_part(tmp_path, monkeypatch, capsys):
    make_files(tmp_path, 4)
    (tmp_path / "in/shut").mkdir()
    shut(tmp_path / "in/shut", monkeypatch)
    monkeypatch.setitem(sys.modules, "ray", types.SimpleNamespace(data=Rows()))
    monkeypatch.setattr(sys, "argv", command(tmp_path))
    printed = []
    for _ in range(2):
        with pytest.raises(SystemExit, match="True"):
            runpy.run_path(sys.argv[0], run_name="__main__")
        printed.append(capsys.readouterr().out)
    for text, (new, done) in zip(printed, ((5, 0), (1, 4))):
        assert f"{new} files to restore, 2 failed; {done} were skipped" in text
        assert "in/broken.png: " in text and "in/shut: unreadable folder" in text
    assert len(results(tmp_path / "out")) == 4


@pytest.mark.slow
@pytest.mark.skipif(
    not pathlib.Path("/proc/self/task").is_dir(), reason="needs Linux's /proc"
)
def test_a_killed_worker_changes_nothing(tmp_path, cluster):
    folder = tmp_path
    make_files(folder, IMAGES)
    process = start(folder, cluster)
    try:
        end = time.monotonic() + LIMIT
        while len(results(folder / "out")) < 6:
            assert time.monotonic() < end, "6 results took too long"
            assert process.poll() is None, process.stdout.read()
            time.sleep(0.02)
        os.kill(workers()[0], signal.SIGKILL)
        assert len(results(folder / "out")) < IMAGES
        printed = process.communicate(timeout=LIMIT)[0]
    finally:
        process.kill()
    assert process.returncode == 1, printed
    assert f"{IMAGES + 1} files to restore, 1 failed; 0 were skipped" in printed
    failures = [line for line in printed.splitlines() if line.startswith("Failed: ")]
    assert len(failures) == 1 and "in/broken.png: " in failures[0]
    expected = folder / "expected"
    restore_files(
        folder / "in", expected, folder / "model.keras", num_steps=STEPS, seed=SEED
    )
    assert len(results(expected)) == IMAGES
    assert results(folder / "out") == results(expected)  # no temporary files either
    again = start(folder, cluster)
    printed = again.communicate(timeout=LIMIT)[0]
    assert again.returncode == 1, printed
    assert f"1 files to restore, 1 failed; {IMAGES} were skipped" in printed
