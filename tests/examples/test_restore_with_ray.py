"""The example of Ray on a cluster of two nodes, of which a worker is killed.

Ray is in no extra of the package: `pip install "ray[data]"` runs this test.
"""

import os
import pathlib
import signal
import subprocess
import sys
import time
from unittest import mock

import keras
import pytest

ray = pytest.importorskip("ray", reason='needs Ray: pip install "ray[data]"')

from helpers import smooth_images, tiny_unet  # noqa: E402
from PIL import Image  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402

from keras_indi.models import InDI  # noqa: E402
from keras_indi.restoration import restore_files  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not pathlib.Path("/proc/self/task").is_dir(), reason="needs Linux's /proc"
    ),
]

ROOT = pathlib.Path(__file__).parents[2]
IMAGES, STEPS, SEED = 60, 40, 3
LIMIT = 240  # seconds, on a busy machine too


@pytest.fixture
def cluster():
    """The address of two nodes, whose workers find the package."""
    environment = {
        "PYTHONPATH": str(ROOT),
        "KERAS_BACKEND": keras.config.backend(),
        "RAY_USAGE_STATS_ENABLED": "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    memory = 100 * 2**20
    node = {"num_cpus": 1, "object_store_memory": memory}
    with mock.patch.dict(os.environ, environment):
        found = Cluster(
            initialize_head=True, head_node_args={**node, "include_dashboard": False}
        )
        try:
            found.add_node(**node)
            yield {**os.environ, "RAY_ADDRESS": found.address}
        finally:
            found.shutdown()


@pytest.fixture
def folder(tmp_path):
    """A model, and images of which one is broken."""
    InDI(tiny_unet(gain=0.3), noise_schedule=0.02, seed=0).save(
        tmp_path / "model.keras"
    )
    (tmp_path / "in/deep").mkdir(parents=True)
    for index in range(IMAGES):
        size = (24 + 8 * (index % 3), 40)
        image = smooth_images(1, *size, seed=index)[0].astype("uint8")
        where = "deep/" if index % 2 else ""
        Image.fromarray(image).save(tmp_path / f"in/{where}{index}.png")
    (tmp_path / "in/broken.png").write_bytes(b"no image")
    return tmp_path


def results(folder):
    """Dict of the names of results to their bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*.*")
    }


def start(folder, environment):
    command = [ROOT / "examples/restore_with_ray.py", folder / "in"]
    command += ["-o", folder / "out", "--preset", folder / "model.keras"]
    command += ["--steps", STEPS, "--seed", SEED]
    return subprocess.Popen(
        [sys.executable, *map(str, command)],
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


def test_a_killed_worker_changes_nothing(folder, cluster):
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
    assert f"{IMAGES + 1} files, 1 of them failed; 0 were skipped" in printed
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
    assert f"1 files, 1 of them failed; {IMAGES} were skipped" in printed
