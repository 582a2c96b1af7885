"""Restores on a page, again and again: memory stays flat, and no file is left.

`keras-indi page` runs in a process of its own, with its temporary files in a folder of
its own. A client sends photographs of random kinds and of some sizes over HTTP, one
after the other, and every tenth time a file that cannot be read. Each answer must be a
photograph of the right size, or the page's own words. After each the memory of the
process is read. At the end the page is ended by SIGTERM, and its folder must be empty.

Memory is flat if it grows by less than `FLAT` a restoration over the last quarter: what
comes before fills caches and heaps. TensorFlow keeps some memory for each size and
number of draws that it meets, of some hundreds; hence few sizes, as cameras have.

Example:

    python tests/campaigns/page_soak.py --restorations 200 --seed 0
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import numpy as np
import runs

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENDINGS = (".png", ".jpg", ".webp", ".tif")
BROKEN = 10  # every so many-th file cannot be read
FLAT = 0.1  # megabytes, far less than one photograph takes
LIMIT = 300  # seconds, for a start, a restoration or an end
START = "from keras_indi_cli.launcher import main; main()"


class Page:
    """A page in a process of its own.

    Args:
        preset: String, what `--preset` takes.
        backend: String.
        folder: `pathlib.Path`, for its temporary files and its log.

    Attributes:
        address: String.
        temporary: `pathlib.Path` of the folder of its temporary files.
    """

    def __init__(self, preset, backend, folder):
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        port = _free_port()
        self.address = f"http://127.0.0.1:{port}/"
        self._log = folder / "page.log"
        environ = {
            "KERAS_BACKEND": backend,
            "TMPDIR": str(self.temporary),
            "PYTHONPATH": str(ROOT),
        }
        arguments = ["page", "--port", str(port), "--preset", preset]
        arguments += ["--keep-minutes", "1", "--device", "cpu"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", START, *arguments],
                env={**os.environ, **environ},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait_until_it_runs()

    def _wait_until_it_runs(self):
        for _ in range(LIMIT):
            if "The page runs at" in self._log.read_text("utf-8", "replace"):
                return
            if self._process.poll() is not None:
                break
            time.sleep(1)
        self._process.kill()
        raise RuntimeError(f"The page does not start: {self.log[-2000:]}")

    @property
    def log(self):
        """What it has printed."""
        return self._log.read_text("utf-8", "replace")

    @property
    def megabytes(self):
        """The memory that the process holds."""
        status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1000

    @property
    def files(self):
        """How many temporary files there are, some of which it deletes meanwhile."""
        return sum(len(names) for _, _, names in os.walk(self.temporary))

    def end(self):
        """Ends it as a system does; its exit status."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise RuntimeError("The page does not end by SIGTERM.") from None


def soak(
    restorations, seed, preset="jpeg", backend="tensorflow", most_side=384, sizes=8
):
    """Restores on a page, again and again.

    Args:
        restorations: Int, how many.
        seed: Int, chooses the photographs and settings.
        preset: String, what `--preset` takes.
        backend: String.
        most_side: Int, pixels, of the photographs.
        sizes: Int, how many sizes they have.

    Returns:
        Dict of `problems`, a list of sentences; `megabytes`, the memory after each
        restoration; `most_files`, how many temporary files there were at most;
        `left`, the names of the files that are left; `seconds`; and `growth`, in
        megabytes a restoration, over the last quarter.
    """
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory(prefix="page-soak-") as folder:
        folder = pathlib.Path(folder)
        page = Page(preset, backend, folder)
        begun, problems, megabytes, files = time.monotonic(), [], [], []
        try:
            send = _sender(page, folder)
            shapes = rng.integers(16, most_side, (sizes, 2))
            for number in range(1, restorations + 1):
                try:
                    send(number, rng, rng.choice(shapes))
                except AssertionError as error:
                    problems.append(f"restoration {number}: {error}")
                megabytes.append(page.megabytes)
                files.append(page.files)
        finally:
            status = page.end()
        if status:
            problems.append(f"The page ended with status {status}.")
        left = [str(path) for path in page.temporary.rglob("*")]
        last = megabytes[-max(2, restorations // 4) :]
        return {
            "problems": problems,
            "megabytes": megabytes,
            "most_files": max(files),
            "left": left,
            "seconds": time.monotonic() - begun,
            "growth": float(np.polyfit(range(len(last)), last, 1)[0]),
        }


def _sender(page, folder):
    """A function that sends one file, and checks the answer."""
    from gradio_client import Client, handle_file
    from gradio_client.exceptions import AppError
    from PIL import Image

    client = Client(page.address, verbose=False, download_files=str(folder / "got"))
    endpoints = client.view_api(print_info=False, return_format="dict")
    parameters = endpoints["named_endpoints"]["/restore"]["parameters"]
    preset = next(
        parameter["parameter_default"]
        for parameter in parameters
        if parameter["parameter_name"] == "preset"
    )

    def send(number, rng, shape):
        path = folder / f"{number}{rng.choice(ENDINGS)}"
        height, width = map(int, shape)
        pixels = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), "uint8")
        picture = Image.fromarray(pixels).resize((width, height), Image.BICUBIC)
        picture.save(path)
        if number % BROKEN == 0:
            content = path.read_bytes()
            path.write_bytes(content[: len(content) // 3])
        steps, draws = int(rng.integers(1, 5)), int(rng.integers(1, 4))
        seed = int(rng.integers(1000))
        try:
            files, _ = client.predict(
                handle_file(path), preset, steps, draws, True, seed, api_name="/restore"
            )
        except AppError as error:
            assert number % BROKEN == 0, f"{path.name}: {error}"
            assert "cannot be restored" in str(error), error
            assert str(page.temporary) not in str(error), error
            return
        finally:
            path.unlink()
        assert number % BROKEN, f"{path.name} was read, which is damaged"
        assert len(files) == draws, f"{len(files)} files for {draws} draws"
        for file in files:
            with Image.open(file) as image:
                assert image.size == (width, height), (image.size, (width, height))
            os.remove(file)

    return send


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    parser = runs.make_common_parser(__doc__)
    parser.add_argument("--restorations", type=int, default=200)
    parser.add_argument("--preset", default="jpeg")
    parser.add_argument("--most-side", type=int, default=384, help="pixels")
    parser.add_argument("--sizes", type=int, default=8, help="how many")
    arguments = vars(parser.parse_args())
    found = soak(**arguments)
    megabytes = found.pop("megabytes")
    every = max(1, len(megabytes) // 20)
    print(
        f"memory in megabytes, every {every}: {[round(m) for m in megabytes[::every]]}"
    )
    print(json.dumps(found, indent=2))
    flat = found["growth"] <= FLAT
    print("memory is flat" if flat else "MEMORY GROWS")
    return bool(found["problems"] or found["left"] or not flat)


if __name__ == "__main__":
    sys.exit(main())
