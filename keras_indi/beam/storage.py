"""Files on all that Beam reads and writes: local disks, object stores, HDFS."""

import contextlib
import mimetypes
import os
import pathlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

from keras_indi.annotations import FilePath
from keras_indi.beam.apache import (
    BeamIOError,
    CompressionTypes,
    FileSystem,
    FileSystems,
)
from keras_indi.images.image_files import files_below, printable
from keras_indi.images.output_paths import check_writable, is_too_long
from keras_indi.images.whole_writes import temporary_name
from keras_indi.validation import checked_path

GLOB = re.compile(r"[*?\[]")
NOT_TEXT = "its name is not UTF-8; rename it"


def is_local(path: str) -> bool:
    """Whether a path is one of this machine's."""
    return FileSystems.get_scheme(path) is None


def absolute(path: str) -> str:
    """A path as every process understands it, without a slash at its end."""
    if is_local(path):
        return os.path.abspath(os.path.expanduser(path))
    return path.rstrip("/")


def problem(path: Any) -> str | None:
    """Why nothing can be found at a path or by a pattern, or `None`."""
    try:
        path = absolute(checked_path("inputs", path))
    except ValueError:
        return "an input must be a path or a pattern"
    if not is_text(path):
        return NOT_TEXT
    scheme = FileSystems.get_scheme(path)
    schemes = {system.scheme() for system in FileSystem.get_all_subclasses()} - {None}
    if scheme is not None and scheme not in schemes:
        return (
            f"Beam has no file system for {scheme}:// here, but for "
            f"{', '.join(sorted(schemes))}; those of object stores are installed by "
            'pip install "apache-beam[gcp]", [aws] or [azure]'
        )
    if not os.path.lexists(path):
        try:
            compiled(split_pattern(path)[1])
        except re.error as error:
            return f"the pattern is not valid ({error})"
    return None


def checked_folder(name: str, path: FilePath) -> str:
    """A folder as every process understands it.

    Args:
        name: String, the argument's name.
        path: Path of the folder.

    Raises:
        ValueError: If it is no path, or one of no file system.
    """
    text = checked_path(name, path)
    reason = problem(escaped(text))  # no pattern, whatever brackets it has
    if reason is not None:
        raise ValueError(f"{reason}. Received: {name}={printable(text)!r}")
    return absolute(text)


def output_folder(path: FilePath, name: str) -> str:
    """A folder of results as every process understands it.

    Args:
        path: Path of the folder.
        name: String, of a file that is written in the end.

    Raises:
        ValueError: As for `checked_folder`, or if the folder is one of this machine's
            and cannot be written, or its name is too long.
    """
    path = checked_folder("output", path)
    if is_local(path):
        folder = pathlib.Path(path)
        nearest = next(p for p in (folder, *folder.parents) if os.path.lexists(p))
        # One that is not here yet may lie on a disk that workers alone have.
        if nearest == folder or not nearest.is_dir():
            check_writable(folder / name)
        if os.path.isdir(folder / name):
            raise ValueError(
                f"A folder exists where {name} is to be written. Remove it. "
                f"Received: output={path!r}"
            )
        if is_too_long(folder / name):
            raise ValueError(
                f"The output's name is too long for the disk. Received: output={path!r}"
            )
    return path


def escaped(path: str) -> str:
    """A pattern that one path alone matches."""
    # "[[]" would do, but for a warning of `re`; no path has a backslash there.
    escapes = {"*": "[*]", "?": "[?]", "[": "[\\[]"}
    return GLOB.sub(lambda found: escapes[found.group()], path)


def is_text(name: str) -> bool:
    """Whether a name can be written as UTF-8, which not all of local files can."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def identity(path: str) -> str:
    """What is the same for all paths of one file."""
    return os.path.realpath(path) if is_local(path) else path


def is_there(path: str) -> bool:
    """Whether there is a file, be it a link that leads nowhere."""
    return os.path.lexists(path) if is_local(path) else FileSystems.exists(path)


def is_link(path: str) -> bool:
    """Whether a path is of a link of this machine."""
    return is_local(path) and os.path.islink(path)


def compiled(pattern: str) -> re.Pattern:
    """The regular expression of a pattern, in which `**` spans folders."""
    return re.compile(FileSystem.translate_pattern(pattern))


def split_pattern(path: str) -> tuple[str, str]:
    """Split off the folder that a pattern begins in.

    Args:
        path: String, a path with or without `*`, `?` and `[`.

    Returns:
        Tuple of the folder, which ends in a slash, and the pattern of the whole path.
    """
    glob = GLOB.search(path)
    root = path[: path.rfind("/", 0, glob.start() if glob else None) + 1]
    if is_local(path):
        # Folders that are there are no patterns, whatever brackets their names have.
        folders = [
            f"{str(p).rstrip('/')}/" for p in pathlib.PurePosixPath(path).parents
        ]
        deeper = (folder for folder in folders if len(folder) > len(root))
        root = next(filter(os.path.isdir, deeper), root)
    return root, escaped(root) + path[len(root) :]


def files_in(
    folder: str, pattern: str | None = None, closed: dict[str, str] | None = None
) -> Iterator[str]:
    """Find files to read, in a folder and below.

    On this machine these are the files of `files_below`, with Zarr folders: links to
    folders are followed, once, and those that lead nowhere are among the files.

    Args:
        folder: String, which ends in a slash.
        pattern: String that a file's path must match. Defaults to all files.
        closed: Dict that takes the folders that cannot be read, in which files may
            match, with the reason. Defaults to none.

    Yields:
        Paths.
    """
    if not is_local(folder):
        yield from (file.path for file in listed(pattern or f"{escaped(folder)}**"))
    elif os.path.isdir(folder):
        fits = compiled(pattern or "**").match
        found: dict[pathlib.Path, str] = {}
        yield from filter(fits, map(str, files_below(folder, True, found)))
        for path, reason in found.items():
            if closed is not None and _may_match_in(str(path), pattern):
                closed[str(path)] = reason


def _may_match_in(folder, pattern):
    """Whether a pattern may match files of a folder."""
    if pattern is None:
        return True
    parts, depth = pattern.split("/"), folder.count("/") + 1
    spanning = pattern.find("**")
    if 0 <= spanning and pattern[:spanning].count("/") < depth:
        return compiled(pattern[:spanning] + "**").match(folder) is not None
    return depth < len(parts) and bool(compiled("/".join(parts[:depth])).match(folder))


def listed(pattern: str) -> list[Any]:
    """Beam's `FileMetadata` of all files that match a pattern."""
    (found,) = FileSystems.match([pattern])
    return found.metadata_list


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
