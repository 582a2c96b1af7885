"""CSV log of a fit, with each epoch once."""

import csv
import io
import pathlib
from typing import Any

import keras

from keras_indi.annotations import FilePath
from keras_indi.backend import processes
from keras_indi.images.whole_writes import write_text


class EpochLog(keras.callbacks.Callback):
    """Write the logs of each epoch to a CSV file, also after resuming.

    `keras.callbacks.CSVLogger` with `append` writes an epoch twice when a resumed fit
    repeats it, and appends to a line that a crash has cut off. This callback rewrites
    the whole file at the end of each epoch, with each epoch once. A repeated epoch, as
    in a second `fit`, replaces its line and all later ones. When several processes
    train together, only the first one writes.

    Args:
        path: Path of the file.

    Raises:
        ValueError: At the start of `fit`, if the existing file is not such a log.

    Example:

    ```python
    backup = keras_indi.callbacks.BackupAndResume("backup.weights.h5", pairs)
    log = keras_indi.callbacks.EpochLog("training.csv")
    model.fit(pairs, epochs=100, callbacks=[backup, log])
    ```
    """

    def __init__(self, path: FilePath) -> None:
        super().__init__()
        self.path = pathlib.Path(path)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._rows = read_log(self.path)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not processes.is_first():
            return
        self._rows = {n: row for n, row in self._rows.items() if n < epoch}
        self._rows[epoch] = {k: str(float(v)) for k, v in (logs or {}).items()}
        names = sorted({name for row in self._rows.values() for name in row})
        text = io.StringIO()
        writer = csv.DictWriter(text, ["epoch", *names], "nan", lineterminator="\n")
        writer.writeheader()
        for number, row in self._rows.items():
            writer.writerow({"epoch": number, **row})
        write_text(self.path, text.getvalue())


def read_log(path: pathlib.Path) -> dict[int, dict[str, str]]:
    """Read the complete lines of a log, with the last line of each epoch.

    Args:
        path: `pathlib.Path` of the file, which need not exist.

    Returns:
        Dict from epoch numbers to dicts from names to values as text.

    Raises:
        ValueError: If the file is not such a log.
    """
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(True)
    if lines and not lines[-1].endswith("\n"):
        torn = lines.pop()
        if not lines and "epoch".startswith(torn[:5]):
            return {}
        lines = lines or [torn]
    try:
        rows = list(csv.reader(lines or ["epoch"]))
    except csv.Error:
        rows = [[]]
    header = rows[0]
    if header[:1] != ["epoch"]:
        raise ValueError(
            "The file must be a log of epochs, whose first column is `epoch`, or not "
            f"exist. Received: path={str(path)!r}"
        )
    found: dict[int, dict[str, str]] = {}
    for row in rows[1:]:
        if len(row) == len(header) and row[0].isdecimal():
            found[int(row[0])] = dict(zip(header[1:], row[1:]))
    return dict(sorted(found.items()))
