"""Jobs of single files, and checks of all jobs before any file is restored."""

import collections
import dataclasses
import os
import pathlib
from collections.abc import Iterable
from typing import Any

from keras_indi.images.image_files import listed
from keras_indi.images.output_paths import check_writable, is_too_long
from keras_indi.restoration.large_files import TIFF, ZARR


@dataclasses.dataclass
class FileJob:
    """One file to restore.

    Attributes:
        source: Path of the degraded image.
        name: String, path relative to the input folder, with `/`, or the file name.
        outputs: List of paths, one per sample.
        pictures: List of paths of the comparison images.
        conflict: String, the reason if another job has the same output and nothing is
            written, or `None`.
    """

    source: pathlib.Path
    name: str
    outputs: list
    pictures: list
    conflict: str | None = None

    @property
    def results(self) -> list:
        """List of all output paths."""
        return [*self.outputs, *self.pictures]

    @property
    def is_in_place(self) -> bool:
        """Whether an output overwrites the input of this job."""
        there = (path for path in self.results if os.path.exists(path))
        return any(os.path.samefile(self.source, path) for path in there)

    @property
    def problem(self) -> str | None:
        """The reason why the outputs cannot be written, or `None`."""
        if self.conflict is not None:
            return self.conflict
        for path in self.results:
            if os.path.isdir(path):
                return (
                    f"its result is a folder that exists ({path}), which is never "
                    "overwritten; remove it, or choose another output"
                )
            if is_too_long(path):
                return (
                    f"the name of its result is too long for the disk ({path.name}); "
                    "give an output file of a shorter name"
                )
        return None

    def problem_since(self, done: set, new: bool) -> str | None:
        """Return why outputs must not be written that exist by now, or `None`.

        Args:
            done: Set of the `identity` of all files that this run has written.
            new: Bool, whether the outputs must not exist.
        """
        for path in filter(os.path.lexists, self.results):
            if identity(path) in done:
                return (
                    f"its result ({path.name}) would replace that of another file, as "
                    "the disk takes their names for the same; use separate folders"
                )
            if new:
                return f"its result exists by now ({path}); choose another output"
        return None


def identity(path: pathlib.Path) -> Any:
    """Return what all names of an existing file share, or `None` if there is no file.

    On disks that ignore case, or how accents are encoded, a file has several names.
    """
    try:
        status = os.stat(path)
    except OSError:
        return None
    if not status.st_ino:  # a network disk that does not number its files
        return os.path.realpath(path)
    return status.st_dev, status.st_ino


def find_conflicts(jobs: list[FileJob]) -> None:
    """Set the `conflict` of all jobs that share an output with another job."""
    owners = collections.defaultdict(list)
    for job in jobs:
        for path in job.results:
            folder = os.path.realpath(path.parent)
            owners[os.path.normcase(os.path.join(folder, path.name))].append(job)
    for several in owners.values():
        if len(several) > 1:
            conflict = same_output([job.source for job in several])
            for job in several:
                job.conflict = conflict


def same_output(sources: Iterable[Any]) -> str:
    """Return the reason of failure for files that share an output."""
    several = listed(sources, 3)
    return f"one of several with the same output ({several}); use separate folders"


def check_jobs(
    jobs: list[FileJob], existing: str, own: list[FileJob] | None = None
) -> None:
    """Raise a ValueError if an output would overwrite files or has a wrong format.

    No output overwrites the input of another job, whatever `existing` is.

    Args:
        jobs: List of `FileJob`. The outputs of those with a conflict are ignored.
        existing: As for `find_outputs`.
        own: List of the jobs of this process. Defaults to all.
    """
    own = _writing(jobs if own is None else own)
    sources = {identity(job.source) for job in jobs} - {None}
    jobs = _writing(jobs)
    _check_formats(jobs)
    _check_inputs_stay(jobs, sources, existing == "overwrite")
    if existing == "refuse":
        _check_new(own)


def _writing(jobs):
    return [job for job in jobs if job.conflict is None]


def check_results_writable(jobs: list[FileJob]) -> None:
    """Raise a ValueError if an output is not writable.

    Args:
        jobs: List of the `FileJob` to run. Those with a conflict are ignored.
    """
    for path in (path for job in _writing(jobs) for path in job.results):
        check_writable(path)


def _check_formats(jobs: list[FileJob]) -> None:
    """Raise if Zarr is combined with a format other than TIFF and Zarr."""
    for job in jobs:
        endings = {path.suffix.lower() for path in (job.source, job.outputs[0])}
        if ZARR in endings and not endings <= {*TIFF, ZARR}:
            raise ValueError(
                "Zarr output needs TIFF or Zarr input, and the reverse. Received: "
                f"out={str(job.outputs[0])!r} for {str(job.source)!r}"
            )


def _check_new(jobs: list[FileJob]) -> None:
    """Raise if an output already exists."""
    found = [path for job in jobs for path in job.results if os.path.lexists(path)]
    if found:
        raise ValueError(
            "Outputs already exist. Skip them (--skip-existing), overwrite them "
            f"(--overwrite) or choose another output. Received: {listed(found, 3)}"
        )


def _check_inputs_stay(jobs, sources, in_place):
    """Raise if an output would overwrite another input, or its own without consent."""
    for job in jobs:
        for path in job.results:
            there = identity(path)
            if there not in sources:
                continue
            if there != identity(job.source):
                raise ValueError(
                    "The output would overwrite another input. Choose another output, "
                    f"or other names. Received: {str(path)!r} for {str(job.source)!r}"
                )
            if not in_place:
                raise ValueError(
                    "The output would overwrite its own input. Choose another output, "
                    f"or allow it (--overwrite). Received: {str(path)!r}"
                )
