"""What a user of a page asks for."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Requested:
    """How a photograph is to be restored.

    Args:
        preset: String, the name of a preset that the page offers.
        num_steps: Int, or `None` for what the preset recommends.
        num_samples: Int, how many draws. Defaults to 1.
        enlarge: Bool, whether a preset that enlarges does. Defaults to `True`.
        seed: Int >= 0, fixes the noise, as of `keras-indi restore`. Defaults to 0.
    """

    preset: str
    num_steps: int | None = None
    num_samples: int = 1
    enlarge: bool = True
    seed: int = 0
