"""Results of a run over files."""

import dataclasses

# Category of links to images that are restored under another name.
LINKED = "duplicate link"


@dataclasses.dataclass
class Result:
    """Outcomes of the files of a run.

    Attributes:
        written: List of paths, the restored files.
        pictures: List of paths, the comparison images.
        skipped: List of paths of inputs whose outputs existed.
        failed: Dict of input paths to the reason.
        notes: Dict of input paths to a note on what the output could not keep.
        left_out: Dict of extensions to numbers of files that are not supported.
            `"duplicate link"` is the number of links to other inputs.
        models: Dict of the presets or model files used, as strings, to their number of
            steps.
        seconds: Float, duration of the run.
    """

    written: list = dataclasses.field(default_factory=list)
    pictures: list = dataclasses.field(default_factory=list)
    skipped: list = dataclasses.field(default_factory=list)
    failed: dict = dataclasses.field(default_factory=dict)
    notes: dict = dataclasses.field(default_factory=dict)
    left_out: dict = dataclasses.field(default_factory=dict)
    models: dict = dataclasses.field(default_factory=dict)
    seconds: float = 0.0

    def add(self, other: "Result") -> None:
        """Add the results of further files."""
        self.written += other.written
        self.pictures += other.pictures
        self.skipped += other.skipped
        self.failed |= other.failed
        self.notes |= other.notes

    def report(self):
        """Return a sentence with the numbers of restored, skipped and failed files."""
        parts = [f"{len(self.written)} written"]
        if self.pictures:
            parts.append(f"{len(self.pictures)} pictures")
        if self.skipped:
            parts.append(f"{len(self.skipped)} skipped (outputs exist)")
        if self.failed:
            parts.append(f"{len(self.failed)} failed")
        parts += left_out_report(self.left_out)
        used = [
            f"{name} ({steps} step{'s' * (steps > 1)})"
            for name, steps in self.models.items()
        ]
        using = f", using {' and '.join(used)}" if used else ""
        return f"{', '.join(parts)}, in {self.seconds:.1f} s{using}"


def left_out_report(left_out: dict[str, int]) -> list[str]:
    """Return a list with a note on ignored files. Empty if there are none."""
    kinds = [
        f"{count} {kind}{'s' * (kind == LINKED and count > 1)}"
        for kind, count in left_out.items()
    ]
    return [f"ignored: {', '.join(kinds)}"] if kinds else []
