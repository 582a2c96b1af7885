"""What a page accepts."""

import dataclasses

from keras_indi.validation import checked_integer


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a page accepts of one user, and for how long it keeps it.

    Args:
        max_megapixels: Int, megapixels of the restored image; of all draws together.
            Defaults to 24, a photograph of most cameras.
        max_megabytes: Int, of an uploaded file. Defaults to 100.
        max_steps: Int, the most steps. Defaults to 16; presets that recommend more
            allow what they recommend.
        max_samples: Int, the most draws of one photograph. Defaults to 8.
        max_waiting: Int, how many restorations may wait. Defaults to 8.
        max_kept_megabytes: Int, of all uploads and results that are kept. Defaults to
            10,000.
        keep_seconds: Int, how long uploads and results are kept. Defaults to an hour.

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
