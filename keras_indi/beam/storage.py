"""Files on all that Beam reads and writes: local disks, object stores, HDFS."""

import contextlib
import mimetypes
import os
import pathlib
import re
import shutil
import tempfile
from collections.abc import Iterator

from keras_indi.beam.apache import BeamIOError, CompressionTypes, FileSystems
from keras_indi.images.output_paths import check_writable
from keras_indi.images.whole_writes import temporary_name

GLOB = re.compile(r"[*?\[]")


def is_local(path: str) -> bool:
    """Whether a path is one of this machine's."""
    return FileSystems.get_scheme(path) is None


def absolute(path: str) -> str:
    """A path as every process understands it, without a slash at its end."""
    if is_local(path):
        return os.path.abspath(os.path.expanduser(path))
    return path.rstrip("/")


def output_folder(path: str, name: str) -> str:
    """A folder of results as every process understands it.

    Args:
        path: String.
        name: String, of a file that is written in the end.

    Raises:
        ValueError: If the folder is one of this machine's and cannot be written.
    """
    path = absolute(path)
    if is_local(path):
        folder = pathlib.Path(path)
        nearest = next(p for p in (folder, *folder.parents) if os.path.lexists(p))
        # One that is not here yet may lie on a disk that workers alone have.
        if nearest == folder or not nearest.is_dir():
            check_writable(folder / name)
    return path


def are_same(path: str, other: str) -> bool:
    """Whether two paths are of one file, as by way of a link to its folder."""
    if is_local(path) and is_local(other):
        return os.path.realpath(path) == os.path.realpath(other)
    return path == other


def escaped(path: str) -> str:
    """A pattern that one path alone matches."""
    # "[[]" would do, but for a warning of `re`; no path has a backslash there.
    escapes = {"*": "[*]", "?": "[?]", "[": "[\\[]"}
    return GLOB.sub(lambda found: escapes[found.group()], path)


def find(pattern: str) -> list[str]:
    """The paths of all files that match a pattern, in which `**` spans folders."""
    (found,) = FileSystems.match([pattern])
    return [file.path for file in found.metadata_list]


@contextlib.contextmanager
def scratch() -> Iterator[pathlib.Path]:
    """A new folder of this machine, which is removed in the end."""
    with tempfile.TemporaryDirectory(prefix="keras_indi-") as folder:
        yield pathlib.Path(folder)


def local_file(path: str, folder: pathlib.Path) -> pathlib.Path:
    """A file of this machine: itself, or a copy of what lies elsewhere.

    Args:
        path: String.
        folder: `pathlib.Path` of the folder for a copy.
    """
    if is_local(path):
        return pathlib.Path(path)
    copy = folder / f"copy{pathlib.PurePosixPath(path).suffix}"
    with (
        FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file,
        copy.open("wb") as target,
    ):
        shutil.copyfileobj(file, target)
    return copy


def publish(source: pathlib.Path, path: str) -> None:
    """Copy a file to its place, where it appears whole or not at all.

    It is copied under a name of its own, hidden, and renamed. So attempts that run at
    the same time do not meet, and one that is repeated replaces the file by the same.

    Args:
        source: `pathlib.Path` of a file of this machine.
        path: String.
    """
    with _renamed(path) as temporary:
        with source.open("rb") as file, created(temporary) as target:
            shutil.copyfileobj(file, target)
        if is_local(path):
            status = source.stat()
            os.utime(temporary, ns=(status.st_atime_ns, status.st_mtime_ns))


def publish_lines(lines: Iterator[str], path: str) -> None:
    """Write lines of text as `publish` copies a file."""
    with _renamed(path) as temporary, created(temporary) as target:
        for line in lines:
            target.write(f"{line}\n".encode())


def created(path):
    """A new file, opened for writing bytes."""
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return FileSystems.create(path, kind, CompressionTypes.UNCOMPRESSED)


@contextlib.contextmanager
def _renamed(path):
    """Yield the path of a file that is renamed, or removed where writing it fails."""
    folder, name = FileSystems.split(path)
    temporary = FileSystems.join(folder, temporary_name(pathlib.PurePosixPath(name)))
    try:
        yield temporary
        _move(temporary, path)
    except BaseException:
        with contextlib.suppress(BeamIOError, OSError):
            remove(temporary)
        raise


def _move(temporary, path):
    """Give a file its name, replacing the file that has it."""
    if is_local(path):
        # Never a folder, which Beam would delete with all that is in it.
        os.replace(temporary, path)
        return
    try:
        FileSystems.rename([temporary], [path])
    except BeamIOError:
        if not FileSystems.exists(path):
            raise
        remove(path)  # what HDFS does not replace
        FileSystems.rename([temporary], [path])


def remove(path: str) -> None:
    """Remove a file that may be gone already."""
    if FileSystems.exists(path):
        FileSystems.delete([escaped(path)])
