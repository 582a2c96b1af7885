"""Images a second by workers and image size, and what the time goes into.

    python benchmarks/workers.py --preset indi_small_jpeg --rounds 2

Measures what the model of docs/scale.md needs, in turn: the seconds of reading,
restoring and writing an image in one process, by the clock and of processor time; the
images a second of `keras-indi restore` and of `keras-indi beam` with 1, 2 and 4
workers, at each size; their start, until the first result is there; and the seconds
and memory that go into names alone, where all is done. Prints the table beside what
the model predicts.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).parents[1]
CORES = len(os.sched_getaffinity(0))
COMMANDS = {  # with the number of workers
    "plain": (1, ["restore"]),
    "beam, 1 worker": (1, ["beam"]),
    "beam, 2 workers": (2, ["beam", "--direct_num_workers", "2"]),
    "beam, 4 workers": (4, ["beam", "--direct_num_workers", "4"]),
}
PHASES = ("read", "restore", "write")


def write_images(folder, side, count):
    """JPEG files of one size."""
    rng = np.random.default_rng(side)
    folder.mkdir()
    for index in range(count):
        small = rng.integers(0, 256, (side // 8 + 1, side // 8 + 1, 3), "uint8")
        image = Image.fromarray(small).resize((side, side), Image.BICUBIC)
        image.save(folder / f"{index:05d}.jpg", quality=30)


def measure_phases(model, source, output, steps):
    """Dict of the phases to their seconds an image: by the clock, of processor time."""
    from keras_indi.images import read_photograph
    from keras_indi.images.encoding import write_photograph

    found = {phase: [] for phase in PHASES}

    def timed(phase, function, *args, **options):
        begin = time.perf_counter(), time.process_time()
        result = function(*args, **options)
        now = time.perf_counter(), time.process_time()
        found[phase].append([end - start for end, start in zip(now, begin)])
        return result

    output.mkdir(exist_ok=True)
    for index, path in enumerate(sorted(source.iterdir())):
        photograph = timed("read", read_photograph, path)
        options = {"num_steps": steps, "seed": index, "verbose": 0}
        pixels = timed("restore", model.restore, photograph.pixels, **options)
        restored = photograph.with_pixels(pixels, None)
        timed("write", write_photograph, output / path.name, restored)
    shutil.rmtree(output)
    # The first ones compiled.
    return {phase: np.median(each[2:], axis=0) for phase, each in found.items()}


def run(command, source, output, preset, steps):
    """Run a command as a user does.

    Returns:
        Dict: its `seconds`; the peak `memory` of its first process, bytes; the `start`,
        seconds until the first result is there; and of the middle 80 % of the results
        the images a second (`rate`), and the seconds of processor time that an image
        took (`work`), of all processes.
    """
    name, *more = command
    start = [sys.executable, "-c", "from keras_indi_cli.launcher import main; main()"]
    options = [source, "-o", output, "--preset", preset, "--steps", steps, *more]
    if name == "restore":
        options.append("--skip-existing")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    wanted = sum(1 for _ in source.rglob("*.jpg"))
    marks = [1, wanted // 10 + 1, wanted - wanted // 10]
    marks = [] if output.exists() else marks
    found, memory = [], 0
    with tempfile.TemporaryFile("w+") as log:
        begin = time.perf_counter()
        process = subprocess.Popen(
            [*start, name, *map(str, options)],
            env={**os.environ, "PYTHONPATH": path},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        while process.poll() is None:
            memory = max(memory, peak_memory(process.pid))
            count = sum(1 for _ in output.rglob("[!.]*.jpg")) if marks else 0
            while marks and count >= marks[0]:
                marks.pop(0)
                now = time.perf_counter() - begin
                found.append((count, now, processor_seconds(process.pid)))
            time.sleep(0.02)
        seconds = time.perf_counter() - begin
        if process.returncode:
            log.seek(0)
            raise SystemExit(log.read()[-3000:])
    results = {"seconds": seconds, "memory": memory}
    if len(found) == 3:
        (_, first, _), early, late = found
        count, clock, work = np.subtract(late, early)
        results |= {"start": first, "rate": count / clock, "work": work / count}
    return results


def peak_memory(process):
    """The most bytes of memory that a process has held, 0 if it has ended."""
    status = pathlib.Path(f"/proc/{process}/status").read_text()
    lines = [line.split() for line in status.splitlines() if line.startswith("VmHWM")]
    return 1024 * int(lines[0][1]) if lines else 0


def processor_seconds(group):
    """What all processes of a group have used."""
    ticks = 0
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[2]) == group:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure_names(folder, count, command, preset):
    """Run a command on empty files whose results are there."""
    for side in ("in", "out"):
        for index in range(count):
            path = folder / side / f"{index % 100}" / f"{index:07d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    found = run(command, folder / "in", folder / "out", preset, 1)
    shutil.rmtree(folder)
    return found


def predicted(phases, workers):
    """Images a second: bound by what one worker does, or by all cores."""
    seconds, work = np.sum([phases[phase] for phase in PHASES], axis=0)
    return min(workers / seconds, CORES / work)


def measure(options, folder):
    """The measurements of all rounds: of the phases, the runs and the names."""
    from keras_indi import load_restorer

    model = load_restorer(options.preset)
    phases = {side: [] for side in options.sides}
    runs = {(side, name): [] for side in options.sides for name in COMMANDS}
    names = {
        (count, name): [] for count in options.names for name in list(COMMANDS)[:2]
    }
    counts = {}
    for side in options.sides:
        write_images(folder / f"few{side}", side, options.images)
    for _ in range(options.rounds):
        for side in options.sides:
            few, output = folder / f"few{side}", folder / "out"
            phases[side].append(measure_phases(model, few, output, options.steps))
            print(f"{side}: {phases[side][-1]}", file=sys.stderr, flush=True)
            many = folder / f"many{side}"
            if side not in counts:
                counts[side] = max(
                    10, round(options.seconds * predicted(phases[side][0], 1))
                )
                write_images(many, side, counts[side])
            for name, (_, command) in COMMANDS.items():
                found = run(command, many, output, options.preset, options.steps)
                runs[side, name].append(found)
                shutil.rmtree(output)
                print(f"{side} {name}: {found}", file=sys.stderr, flush=True)
        for count, name in names:
            found = measure_names(
                folder / "names", count, COMMANDS[name][1], options.preset
            )
            names[count, name].append(found)
            print(f"{count} names, {name}: {found}", file=sys.stderr, flush=True)
    return phases, runs, names, counts


def median(found, key):
    return statistics.median(each[key] for each in found)


def report(options, phases, runs, names, counts):
    import keras

    print(
        f"{keras.config.backend()}, {CORES} cores, {options.preset}, {options.steps} "
        f"steps, medians of {options.rounds} rounds\n"
    )
    print("side  | milliseconds an image: clock (processor)")
    means = {}
    for side, found in phases.items():
        means[side] = {
            phase: np.median([each[phase] for each in found], axis=0)
            for phase in PHASES
        }
        parts = [
            f"{phase} {1e3 * clock:.1f} ({1e3 * work:.1f})"
            for phase, (clock, work) in means[side].items()
        ]
        print(f"{side:5} | {', '.join(parts)}")
    print(
        "\nside  | images | command         | start s | images/s | model "
        "| processor ms an image | whole s"
    )
    for (side, name), found in runs.items():
        model = predicted(means[side], COMMANDS[name][0])
        print(
            f"{side:5} | {counts[side]:6} | {name:15} | {median(found, 'start'):7.1f} "
            f"| {median(found, 'rate'):8.2f} | {model:5.2f} "
            f"| {1e3 * median(found, 'work'):21.1f} "
            f"| {median(found, 'seconds'):7.1f}"
        )
    print("\nnames   | command         | seconds | peak MiB of memory, all done before")
    for (count, name), found in names.items():
        print(
            f"{count:7} | {name:15} | {median(found, 'seconds'):7.1f} "
            f"| {median(found, 'memory') / 2**20:.0f}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="indi_small_jpeg")
    parser.add_argument("--sides", type=int, nargs="+", default=[128, 512])
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--images", type=int, default=40, help="for the phases")
    parser.add_argument("--seconds", type=float, default=15, help="of a run, about")
    parser.add_argument("--names", type=int, nargs="+", default=[1000, 20_000])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(options, pathlib.Path(folder))
    report(options, *measured)


if __name__ == "__main__":
    main()
