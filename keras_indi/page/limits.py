"""Limits of a page."""

import dataclasses

from keras_indi.validation import checked_integer


@dataclasses.dataclass(frozen=True)
class Limits:
    """Limits on uploads and requests, and how long files are kept.

    Args:
        max_megapixels: Int, maximum megapixels of the restored image, summed over all
            draws. Defaults to 24, the size of a typical camera's photographs.
        max_megabytes: Int, maximum size of an uploaded file. Defaults to 100.
        max_steps: Int, maximum number of steps. Defaults to 16. Presets that recommend
            more steps allow the recommended number.
        max_samples: Int, maximum number of draws of one photograph. Defaults to 8.
        max_waiting: Int, maximum number of restorations in the queue. Defaults to 8.
        max_kept_megabytes: Int, maximum size of all uploads and results together.
            Defaults to 10,000.
        keep_seconds: Int, how long uploads and results are kept. Defaults to 3600.

    Raises:
        ValueError: If one is not a positive integer.
    """

    max_megapixels: int = 24
    max_megabytes: int = 100
    max_steps: int = 16
    max_samples: int = 8
    max_waiting: int = 8
    max_kept_megabytes: int = 10_000
    keep_seconds: int = 3600

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            checked_integer(field.name, getattr(self, field.name))
