"""Result of a restoration, for display."""

import dataclasses
import pathlib


@dataclasses.dataclass
class View:
    """Files and facts of a restoration that the page displays, all in one folder.

    Attributes:
        before: `pathlib.Path` of a picture of the degraded photograph, upright, at
            the size of `after`.
        after: `pathlib.Path` of a picture of the first draw.
        is_whole: Bool, whether they show the whole photograph, not just its centre.
        height: Int, height of the restored photograph in pixels.
        width: Int, its width.
        outputs: List of paths, the restored files, one per draw; empty for a centre.
        draws: List of paths of pictures of all draws, if there are several.
        spread: `pathlib.Path` of the map of their spread, or `None`.
        largest_spread: Float, the spread of the map's brightest colour, in grey levels
            of 255.
        notes: List of sentences, such as on metadata that the files could not keep.
        seconds: Float, duration of the restoration.
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
