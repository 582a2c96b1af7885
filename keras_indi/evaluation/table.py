"""Table of measured scores."""

import csv
import json
import math
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any, Self

from keras_indi.annotations import FilePath
from keras_indi.evaluation.protocol import Protocol, running_versions
from keras_indi.evaluation.settings import short_name
from keras_indi.images.image_files import shown
from keras_indi.images.whole_writes import write_text, write_whole


class Table:
    """Table of scores, with the protocol of their measurement.

    Args:
        rows: List of dicts with the same keys, one per image (from `evaluate`) or one
            per setting (from `trade_off`).
        protocol: The `Protocol` of the scores.
        means: Dict from names to scores over all images, or `None`.
        failures: List of dicts of `"name"` and `"reason"`, the images that could not be
            read or scored.
        versions: Dict of the versions used. Defaults to the running ones.

    Example:

    >>> protocol = keras_indi.evaluation.Protocol(("psnr",))
    >>> table = keras_indi.evaluation.evaluate("restored", "clean", protocol)
    >>> path = table.to_csv("scores.csv")
    """

    def __init__(
        self,
        rows: Sequence[dict[str, Any]],
        protocol: Protocol,
        means: dict[str, float] | None = None,
        failures: Sequence[Any] = (),
        versions: dict[str, Any] | None = None,
    ) -> None:
        self.rows = [dict(row) for row in rows]
        self.protocol = protocol
        self.means = None if means is None else dict(means)
        self.failures = [dict(failure) for failure in failures]
        self.versions = running_versions() if versions is None else dict(versions)

    @property
    def columns(self) -> list[str]:
        """List of the rows' keys."""
        return list(self.rows[0]) if self.rows else []

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __eq__(self, other):
        return type(self) is type(other) and self._content() == other._content()

    def __str__(self):
        """Return the rows, and the means below them, in aligned columns."""
        cells = [[_shown(value) for value in line] for line in self._lines()]
        widths = [max(len(cell) for cell in column) for column in zip(*cells)]
        return "\n".join(
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths))
            for line in cells
        )

    def failure_report(self) -> str:
        """Return a text with the images that have no score, and the reasons."""
        lines = [
            shown(f"{failure['name']}: {failure['reason']}")
            for failure in self.failures
        ]
        return "\n  ".join([f"{len(lines)} images are in no score:", *lines])

    def check_scored(self) -> None:
        """Raise a ValueError with the first failures if there are no rows."""
        if not self.rows:
            first = [f"{f['name']}: {f['reason']}" for f in self.failures[:3]]
            raise ValueError(
                f"No pair could be scored. Received: {'; '.join(first) or 'no images'}"
            )

    def to_json(self, path: FilePath) -> pathlib.Path:
        """Write rows, means, failures, protocol and versions; return the path."""
        text = json.dumps(_encoded(self._content()), indent=2) + "\n"
        return write_text(path, text)

    @classmethod
    def from_json(cls, path: FilePath) -> Self:
        """Read a table written by `to_json`.

        Raises:
            ValueError: If the file does not hold a table.
        """
        with open(path, encoding="utf-8") as file:
            try:
                content = _decoded(json.load(file))
                content["protocol"] = Protocol.from_config(content["protocol"])
                return cls(**content)
            except (
                *(KeyError, TypeError, AttributeError, ValueError),
                RecursionError,
            ) as error:
                raise ValueError(
                    "The file must be one that `Table.to_json` wrote; where it is "
                    "damaged, delete it and measure again. Received: "
                    f"path={str(path)!r} ({error})"
                ) from error

    def to_csv(self, path: FilePath) -> pathlib.Path:
        """Write the rows, and a row of the means; return the path.

        Only the row of the means holds FID and KID.
        """

        def save(partial):
            with open(partial, "w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows(
                    [_plain(value) for value in line] for line in self._lines()
                )

        return write_whole(path, save)

    def _lines(self):
        """Return the table as lists of values: names, rows, means."""
        means = self.means or {}
        columns = [*self.columns, *(n for n in means if n not in self.columns)]
        lines = [columns]
        lines += [[row.get(column, "") for column in columns] for row in self.rows]
        if means:
            lines.append([means.get(column, "mean") for column in columns])
        return lines

    def _content(self):
        return {
            "rows": self.rows,
            "means": self.means,
            "failures": self.failures,
            "protocol": self.protocol.get_config(),
            "versions": self.versions,
        }


def _plain(value):
    """Return the text of a CSV cell; samplers and grids with arguments become JSON."""
    return json.dumps(value) if isinstance(value, (dict, list)) else value


def _shown(value):
    if isinstance(value, dict):
        value = short_name(value)
    return f"{value:.4f}" if isinstance(value, float) else shown(str(value))


def _encoded(value):
    """Encode infinity (the PSNR of equal images), which JSON does not support."""
    if isinstance(value, dict):
        return {key: _encoded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encoded(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"not_finite": str(value)}
    return value


def _decoded(value):
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if isinstance(value, dict):
        if list(value) == ["not_finite"]:
            return float(value["not_finite"])
        return {key: _decoded(item) for key, item in value.items()}
    return value
