"""What a page shows of a restoration."""

import dataclasses
import pathlib


@dataclasses.dataclass
class View:
    """What a page shows of a restoration: its files, all in one folder.

    Attributes:
        before: `pathlib.Path` of a picture of the degraded photograph, upright, at
            the size of `after`.
        after: `pathlib.Path` of a picture of the restored one, of the first draw.
        is_whole: Bool, whether they show the whole photograph, not its centre.
        height: Int, pixels of the restored photograph.
        width: Int.
        outputs: List of paths, the restored files, one a draw; empty of a centre.
        draws: List of paths of pictures of all draws, where there are several.
        spread: `pathlib.Path` of the map of their spread, or `None`.
        largest_spread: Float, what its brightest colour stands for, in grey levels of
            255.
        notes: List of sentences: what the files could not keep, and so on.
        seconds: Float.
    """

    before: pathlib.Path
    after: pathlib.Path
    is_whole: bool
    height: int
    width: int
    outputs: list[pathlib.Path] = dataclasses.field(default_factory=list)
    draws: list[pathlib.Path] = dataclasses.field(default_factory=list)
    spread: pathlib.Path | None = None
    largest_spread: float = 0.0
    notes: list[str] = dataclasses.field(default_factory=list)
    seconds: float = 0.0
