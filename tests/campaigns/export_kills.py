"""Kills exports at random moments, where an older export lies at the same path.

`keras-indi export` is killed by SIGKILL, again and again. After each kill the next
export finds the older export as it was, byte by byte, or the new one, which restores as
`restore` does, and nothing else: neither beside it nor in the folder for temporary
files. Half of the kills wait until files are being given their names.

Example:

    python tests/campaigns/export_kills.py --formats onnx saved_model --kills 5
"""

import os
import pathlib
import random
import signal
import sys
import tempfile
import time

import numpy as np
import runs
from forked_commands import ForkedCommands

ENDINGS = {"onnx": ".onnx", "openvino": ".xml", "litert": ".tflite", "saved_model": ""}
STEPS = 1, 2  # of the old export and the new one
# TensorFlow deletes them when a process ends, unless it is killed.
OF_TENSORFLOW = "__autograph_generated_file"
LIMIT = 900  # seconds, for one export
BOUND = 1e-4  # of the value range


class ExportKiller:
    """Kills exports to one path.

    Args:
        preset: String, what `keras-indi export` takes.
        name: String, the format.
        commands: `ForkedCommands` that run them.
        folder: `pathlib.Path`, which is made.
        temporary: `pathlib.Path` of their folder for temporary files.
        seed: Int.
    """

    def __init__(self, preset, name, commands, folder, temporary, seed=0):
        self.preset, self.name, self._commands = preset, name, commands
        self.path = folder / f"restorer{ENDINGS[name]}"
        self.temporary = temporary
        folder.mkdir()
        self._random = random.Random(seed)
        self.problems, self.met = [], []
        self._steps, self._next_steps = STEPS
        self._export()
        self._own = set(os.listdir(temporary))  # of what was imported

    def _start(self, steps):
        arguments = ["export", self.preset, runs.OUT, "--steps", str(steps)]
        arguments = runs.with_output([*arguments, "--overwrite"], self.path)
        self._commands.start(arguments)
        return time.monotonic()

    def _export(self):
        """Export to the end, which the next kill must not harm."""
        begun = self._start(self._steps)
        if self._commands.wait(LIMIT):
            raise RuntimeError(f"{self.name} does not end: {self._commands.error}")
        self._seconds = time.monotonic() - begun
        self.old = self._content()

    def kill(self):
        """Kill an export, and look at what is there; whether one was killed."""
        waits = self._random.random() < 0.5
        moment = self._random.random() * self._seconds
        begun = self._start(self._next_steps)
        while self._commands.is_running():
            passed = time.monotonic() - begun
            if self._gives_names() if waits else passed > moment:
                self._commands.kill()
                break
            time.sleep(0.001)
        status = self._commands.returncode
        if status != -signal.SIGKILL:
            self._tell(f"it ends with {status}: {self._commands.error}", status)
            self._export()
            return False
        hidden = runs.hidden(self.path.parent)
        self._look()
        found = self._content()
        self.met.append("new" if found != self.old else "old")
        print(
            f"{self.name}: killed after {time.monotonic() - begun:.1f} s"
            f"{' among names' if waits else ''}, {len(hidden)} hidden files, then the "
            f"{self.met[-1]} export is there",
            flush=True,
        )
        if found != self.old:
            self._check_new(found)
            self.old = found
            self._steps, self._next_steps = self._next_steps, self._steps
        return True

    def _gives_names(self):
        return any(self.path.parent.glob(".keras-indi-*/replaced"))

    def _look(self):
        """Let the next export look; it stops where an export is."""
        from keras_indi.export import export_model

        for _ in range(50):  # the process on TensorFlow ends after that of a backend
            try:
                export_model(self.preset, self.path)
            except FileExistsError as error:
                seen = str(error)
            else:
                self._tell("no export was there")
                return
            left = [*runs.hidden(self.path.parent), *os.listdir(self.temporary)]
            left = [name for name in left if not name.startswith(OF_TENSORFLOW)]
            if self._own >= {*left}:
                return
            time.sleep(0.1)
        self._tell(f"left over: {left}; {seen}")

    def _content(self):
        return {
            name: path.read_bytes()
            for name, path in runs.visible(self.path.parent).items()
        }

    def _check_new(self, found):
        """The new export must have the files of the old one, and restore."""
        sys.path.insert(0, str(runs.ROOT / "benchmarks"))
        from exported_files import open_file

        import keras_indi
        from keras_indi.export import sampler_noise

        self._tell("other files", {*found} != {*self.old})
        model = keras_indi.load_restorer(self.preset, "float32")
        low, high = model.value_range
        images = np.random.default_rng(0).uniform(low, high, (1, 16, 24, 3))
        inputs = {"images": images.astype("float32")}
        steps = self._next_steps
        noise = sampler_noise(model, 16, 24, 0, num_steps=steps)
        if len(noise):
            inputs["noise"] = noise
        wanted = model.restore(inputs["images"], seed=0, num_steps=steps, verbose=0)
        differs = np.abs(open_file(self.path)(inputs) - wanted).max() / (high - low)
        self._tell(f"it differs by {differs:.1e}", differs > BOUND)

    def _tell(self, text, wrong=True):
        if wrong:
            self.problems.append(f"{self.name}: {text}")
            print(self.problems[-1], flush=True)


def kill(preset, names, kills, backend, seed=0):
    """Kill exports.

    Args:
        preset: String, what `keras-indi export` takes.
        names: Sequence of `ENDINGS`' keys.
        kills: Int, kills of each.
        backend: String.
        seed: Int.

    Returns:
        List of `ExportKiller`, with what they met.
    """
    killers = []
    with tempfile.TemporaryDirectory(prefix="keras-indi-export-kills-") as folder:
        temporary = pathlib.Path(folder, "temporary")
        temporary.mkdir()
        environ = runs.environment(backend, TMPDIR=str(temporary))
        with ForkedCommands(environ) as commands:
            for name in names:
                path = pathlib.Path(folder, name)
                killer = ExportKiller(preset, name, commands, path, temporary, seed)
                killers.append(killer)
                for _ in range(3 * kills):
                    if len(killer.met) < kills:
                        killer.kill()
                print(
                    f"{name} from {backend}: {len(killer.met)} kills, the old export "
                    f"after {killer.met.count('old')}, {len(killer.problems)} problems",
                    flush=True,
                )
    return killers


def main():
    parser = runs.make_common_parser(__doc__)
    parser.add_argument("--preset", default="jpeg")
    parser.add_argument("--formats", nargs="+", choices=ENDINGS, default=list(ENDINGS))
    parser.add_argument("--kills", type=int, default=5, help="of each format")
    options = parser.parse_args()
    os.environ["KERAS_BACKEND"] = options.backend
    killers = kill(
        options.preset, options.formats, options.kills, options.backend, options.seed
    )
    return any(killer.problems for killer in killers)


if __name__ == "__main__":
    sys.exit(main())
