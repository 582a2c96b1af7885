"""What became of a file, and the manifest of all of them."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from keras_indi.beam.storage import publish_lines

RESTORED, SKIPPED, FAILED = "restored", "skipped", "failed"


class Outcome(NamedTuple):
    """What became of one file.

    Attributes:
        path: String, of the degraded image.
        output: String, of the restored image.
        status: String, `RESTORED`, `SKIPPED` or `FAILED`.
        reason: String, why it failed, or `None`.
        note: String, what of the file could not be kept, or `None`.
    """

    path: str
    output: str
    status: str
    reason: str | None = None
    note: str | None = None


def write_manifest(path: str, outcomes: Iterable[Outcome]) -> None:
    """Write a line of JSON a file, once all are done.

    Args:
        path: String, of the manifest.
        outcomes: The `Outcome` of each file.
    """
    publish_lines(
        (json.dumps(outcome._asdict(), ensure_ascii=False) for outcome in outcomes),
        path,
    )
