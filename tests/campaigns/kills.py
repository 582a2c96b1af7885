"""Kills commands at random moments: nothing may be lost, and they go on.

`restore`, `train` (at its own interval of backups, and with one at every third batch),
`evaluate` and `trade-off` are killed by SIGKILL, again and again, and run again until
they end. After each kill no file under its real name may differ from that of a run that
was not killed; at the end all are the same (of a training, weights and losses), and
nothing is left over. `restore --overwrite` in place must leave each file as it was or
restored. Inputs are never touched. Moments come of a seed, and half of them wait for
the next file that is being written; what they meet depends on the machine.

Example:

    python tests/campaigns/kills.py --backend jax --kills 20
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import runs
from forked_commands import ForkedCommands

IN_PLACE = "restore-in-place"
NAMES = ("restore", IN_PLACE, "train", "train-every-3", "evaluate", "trade-off")
LIMIT = 900  # seconds, for one process


class Killer:
    """Kills one command.

    Args:
        name: String, one of `NAMES`.
        arguments: List of its arguments, with `runs.OUT` among them.
        commands: `ForkedCommands` that run it.
        inputs: `pathlib.Path` of the folder of `runs.make_inputs`.
        folder: `pathlib.Path` for its outputs, which is made.
        rng: A `numpy.random.Generator`.
    """

    def __init__(self, name, arguments, commands, inputs, folder, rng):
        self.name = name
        self.arguments = arguments
        self._commands = commands
        self.rng = rng
        self.large = inputs / "large"
        self.out, self.reference = folder / "killed", folder / "whole"
        self.kills = self.met = self.rounds = 0
        self.problems = []
        folder.mkdir()
        self._seconds = self._whole()

    def _whole(self):
        """Runs it to its end, and returns the seconds from its first file on."""
        self._prepare()
        self._start()
        begun = time.monotonic()
        if self._commands.wait(LIMIT):
            raise RuntimeError(f"{self.name} does not end: {self._commands.error}")
        self.out.rename(self.reference)
        return time.monotonic() - begun

    def _start(self):
        """Starts it, and waits until something changes in its output directory."""
        before, start = self._state(), time.monotonic()
        self._commands.start(runs.with_output(self.arguments, self.out))
        while self._commands.is_running() and self._state() == before:
            if time.monotonic() - start > LIMIT:
                self._commands.kill()
            time.sleep(0.005)

    def _prepare(self):
        if self.name == IN_PLACE:
            # A Zarr folder is never overwritten.
            ignored = shutil.ignore_patterns("*.zarr")
            shutil.copytree(self.large, self.out, ignore=ignored)

    def _state(self):
        if not self.out.exists():
            return []
        return sorted((e.name, _modified(e)) for e in os.scandir(self.out))

    def round(self, kills):
        """Kills it up to a number of times, until it is done, and looks at all."""
        shutil.rmtree(self.out, ignore_errors=True)
        self._prepare()
        self.rounds += 1
        while kills and self._killed():
            kills -= 1
            self.kills += 1
            if self.name == IN_PLACE:  # run again it would restore what it restored
                return
        if self.name == IN_PLACE:
            return
        self._start()
        if self._commands.wait(LIMIT):
            self._tell([f"it does not go on: {self._commands.error[-500:]}"])
        told = runs.problems(
            self.out, self.reference, True, dates=self.name == "restore"
        )
        self._tell(told)

    def _killed(self):
        """Whether it was killed; it may have been faster."""
        left = 1 if self.name == IN_PLACE else max(0.05, 1 - self._progress())
        moment = self.rng.random() * left * self._seconds
        before = set(runs.hidden(self.out)) if self.out.exists() else set()
        self._start()
        try:
            status = self._commands.wait(moment)
        except subprocess.TimeoutExpired:
            if self.rng.random() < 0.5:
                self._await_a_file(before)
            self._commands.kill()
            status = self._commands.returncode
        else:
            self._seconds = moment / left  # it takes less than its first run took
        if status != -signal.SIGKILL:
            if status:
                self._tell([f"it ends with {status}: {self._commands.error[-500:]}"])
            return False
        # Of a temporary folder, such as a Zarr's, the folder alone counts.
        new = [name for name in runs.hidden(self.out) if name not in before]
        met = any("partial" in name for name in new)
        self.met += met
        told = self._in_place() if self.name == IN_PLACE else self._left()
        self._tell(told)
        print(
            f"{self.name}: killed {moment:.1f} s or more after its first file, "
            f"{100 * self._progress():.0f} % "
            f"done{', in the middle of a file' if met else ''}",
            flush=True,
        )
        return True

    def _await_a_file(self, before):
        """Waits until a file is being written, or it ends."""
        while self._commands.is_running() and before >= {*runs.hidden(self.out)}:
            time.sleep(0.002)

    def _progress(self):
        return runs.progress(self.out, self.reference) if self.out.exists() else 0

    def _left(self):
        return runs.problems(
            self.out, self.reference, False, dates=self.name == "restore"
        )

    def _in_place(self):
        """Each file must be as it was, or restored."""
        restored = runs.visible(self.reference)
        original = runs.visible(self.large)
        original = {name: original[name] for name in restored}
        found = runs.visible(self.out)
        told = [f"{name}: lost" for name in original if name not in found]
        for name, path in found.items():
            sides = [side.get(name) for side in (original, restored)]
            content = path.read_bytes()
            if content not in [side.read_bytes() for side in sides if side]:
                told.append(f"{name}: torn")
        return told

    def _tell(self, told):
        for text in told:
            self.problems.append(f"{self.name}: {text}")
            print(json.dumps(self.problems[-1]), flush=True)


def _modified(entry):
    try:
        return entry.stat(follow_symlinks=False).st_mtime_ns
    except FileNotFoundError:  # a temporary file has its name
        return None


def kill(names, kills, backend, seed=0, **sizes):
    """Kills commands.

    Args:
        names: Sequence of names among `NAMES`.
        kills: Int, kills of each.
        backend: String.
        seed: Int.
        **sizes: As for `runs.make_inputs`.

    Returns:
        List of `Killer`, with what they met.
    """
    os.environ["KERAS_BACKEND"] = backend
    folder = pathlib.Path(tempfile.mkdtemp(prefix="keras-indi-kills-"))
    killers = []
    try:
        commands = runs.make_inputs(folder / "inputs", **sizes)
        commands[IN_PLACE] = [
            part for part in commands["restore"] if not part.endswith("slide.zarr")
        ]
        commands[IN_PLACE][1] = runs.OUT
        commands[IN_PLACE][-1] = "--overwrite"
        before = runs.digest(folder / "inputs")
        with ForkedCommands(runs.environment(backend)) as forked:
            for number, name in enumerate(names):
                rng = np.random.default_rng((seed, number))
                killer = Killer(
                    name,
                    commands[name],
                    forked,
                    folder / "inputs",
                    folder / name,
                    rng,
                )
                while killer.kills < kills and killer.rounds < 20 * kills:
                    killer.round(kills - killer.kills)
                shutil.rmtree(folder / name)
                if runs.digest(folder / "inputs") != before:
                    killer.problems.append(f"{name}: inputs were changed")
                print(
                    f"{name} on {backend}: {killer.kills} kills in "
                    f"{killer.rounds} rounds, {killer.met} in the middle of a file, "
                    f"{len(killer.problems)} problems",
                    flush=True,
                )
                killers.append(killer)
    finally:
        shutil.rmtree(folder)
    return killers


def main():
    parser = runs.make_parser(__doc__, NAMES, side=1500, pairs=200, batches=600)
    parser.add_argument("--kills", type=int, default=20, help="of each command")
    options = parser.parse_args()
    sizes = {name: getattr(options, name) for name in ("side", "pairs", "batches")}
    killers = kill(
        options.commands, options.kills, options.backend, options.seed, **sizes
    )
    return any(killer.problems for killer in killers)


if __name__ == "__main__":
    sys.exit(main())
