"""Settings that a user of a page requests."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Requested:
    """Settings for the restoration of a photograph.

    Args:
        preset: String, the name of a preset that the page offers.
        num_steps: Int, or `None` for the preset's recommended number.
        num_samples: Int, number of draws. Defaults to 1.
        enlarge: Bool, whether a super-resolution preset enlarges the photograph.
            Defaults to `True`.
        seed: Int >= 0, fixes the noise, as in `keras-indi restore`. Defaults to 0.
    """

    preset: str
    num_steps: int | None = None
    num_samples: int = 1
    enlarge: bool = True
    seed: int = 0
