"""Outcomes of files, and the manifest of a run."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from keras_indi.beam.storage import publish_lines

RESTORED, SKIPPED, FAILED = "restored", "skipped", "failed"


class Outcome(NamedTuple):
    """Outcome of one file.

    Attributes:
        path: String, path of the degraded image.
        output: String, path of the restored image.
        status: String, `RESTORED`, `SKIPPED` or `FAILED`.
        reason: String, reason of a failure, or `None`.
        note: String, what could not be kept, or `None`.
    """

    path: str
    output: str
    status: str
    reason: str | None = None
    note: str | None = None


def write_manifest(path: str, outcomes: Iterable[Outcome]) -> None:
    """Write the manifest, with one line of JSON per file.

    Args:
        path: String, path of the manifest.
        outcomes: The `Outcome` of each file.
    """
    publish_lines(
        (json.dumps(outcome._asdict(), ensure_ascii=False) for outcome in outcomes),
        path,
    )
