"""Changes values of a preset's configs at random, and loads what comes of it.

    KERAS_BACKEND=tensorflow python tests/campaigns/preset_fuzzing.py --count 500

Whatever stands in a config, the answer must be a model or a ValueError that says what
was received. Prints each error's first words, and how many there were; the exit status
is 1 where another exception was raised.
"""

import argparse
import collections
import json
import pathlib
import sys
import tempfile

import numpy as np

VALUES = [None, True, -1, 0, 10**12, 1e308, -0.5, "", "x", [], {}, [[]], {"a": 1}]


def fuzz(folder, load, count, seed=0):
    """Loads a preset's changed copies, and puts it back as it was.

    Args:
        folder: `pathlib.Path` of a sound preset.
        load: Function of the folder.
        count: Int, how many changes to try.
        seed: Int.

    Returns:
        Pair of lists: the errors that are clear, and pairs of what was changed and an
        exception that is not.
    """
    generator = np.random.default_rng(seed)
    texts = {name: (folder / name).read_text() for name in ("task.json", "config.json")}
    clear, unclear = [], []
    for _ in range(count):
        task = json.loads(texts["task.json"])
        part, key = _place(task["config"], generator)
        value = VALUES[generator.integers(len(VALUES))]
        part[key] = value
        # Both files describe one network, or that alone would be refused.
        backbone = task["config"].get("backbone")
        (folder / "task.json").write_text(json.dumps(task))
        if isinstance(backbone, dict):
            (folder / "config.json").write_text(json.dumps(backbone))
        try:
            load(folder)
        except ValueError as error:
            told = str(error)
            (clear if "Received: " in told else unclear).append(told)
        except Exception as error:  # which is what is looked for
            unclear.append(f"{key} = {value!r}: {error!r}")
        for name, text in texts.items():
            (folder / name).write_text(text)
    return clear, unclear


def _place(content, generator):
    """A random place in nested dicts and lists: the container and its key."""
    places, pending = [], [content]
    while pending:
        part = pending.pop()
        for key in part if isinstance(part, dict) else range(len(part)):
            places.append((part, key))
            if isinstance(part[key], (dict, list)):
                pending.append(part[key])
    return places[generator.integers(len(places))]


def main():
    from keras_indi.models import InDI, UNetBackbone

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        network = UNetBackbone(3, 4, (1, 2), 1)
        preset = InDI(network).save_to_preset(pathlib.Path(folder, "preset"))
        clear, unclear = fuzz(preset, InDI.from_preset, options.count, options.seed)
    for told, times in collections.Counter(text[:60] for text in clear).most_common():
        print(f"{times:5} {told}")
    print(f"{options.count} changes, {len(clear)} refused, {len(unclear)} unclear")
    for told in unclear:
        print(told, file=sys.stderr)
    sys.exit(bool(unclear))


if __name__ == "__main__":
    main()
