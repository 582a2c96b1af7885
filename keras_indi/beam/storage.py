"""Files on all file systems of Beam: local disks, object stores and HDFS."""

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
    """Return whether a path is local."""
    return FileSystems.get_scheme(path) is None


def absolute(path: str) -> str:
    """Return the absolute form of a path, without a trailing slash."""
    if is_local(path):
        return os.path.abspath(os.path.expanduser(path))
    return path.rstrip("/")


def problem(path: Any) -> str | None:
    """Return the reason why a path or pattern is not valid, or `None`."""
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
    """Return the absolute path of a folder, after checking it.

    Args:
        name: String, name of the argument.
        path: Path of the folder.

    Raises:
        ValueError: If it is not a path, or its file system is not supported.
    """
    text = checked_path(name, path)
    reason = problem(escaped(text))  # no pattern, whatever brackets it has
    if reason is not None:
        raise ValueError(f"{reason}. Received: {name}={printable(text)!r}")
    return absolute(text)


def output_folder(path: FilePath, name: str) -> str:
    """Return the absolute path of an output directory, after checking it.

    Args:
        path: Path of the folder.
        name: String, name of a file that is written at the end.

    Raises:
        ValueError: As for `checked_folder`, or if a local folder is not writable or
            its name is too long.
    """
    path = checked_folder("output", path)
    if is_local(path):
        folder = pathlib.Path(path)
        nearest = next(p for p in (folder, *folder.parents) if os.path.lexists(p))
        # A folder that does not exist here may be on a disk that only workers have.
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
    """Escape a path, so that as a pattern it matches only itself."""
    # "[[]" would also work, but `re` warns of it. No path has a backslash there.
    escapes = {"*": "[*]", "?": "[?]", "[": "[\\[]"}
    return GLOB.sub(lambda found: escapes[found.group()], path)


def is_text(name: str) -> bool:
    """Return whether a name is valid UTF-8. Names of local files may not be."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def identity(path: str) -> str:
    """Return the identity of a file, which is the same for all of its paths."""
    return os.path.realpath(path) if is_local(path) else path


def is_there(path: str) -> bool:
    """Return whether a file exists. Broken links count as existing."""
    return os.path.lexists(path) if is_local(path) else FileSystems.exists(path)


def is_link(path: str) -> bool:
    """Return whether a path is a local link."""
    return is_local(path) and os.path.islink(path)


def compiled(pattern: str) -> re.Pattern:
    """Return the regular expression of a pattern. `**` matches across folders."""
    return re.compile(FileSystem.translate_pattern(pattern))


def split_pattern(path: str) -> tuple[str, str]:
    """Split a pattern into its root folder and the whole pattern.

    Args:
        path: String, a path with or without `*`, `?` and `[`.

    Returns:
        Tuple of the folder, with a trailing slash, and the pattern of the whole path.
    """
    glob = GLOB.search(path)
    root = path[: path.rfind("/", 0, glob.start() if glob else None) + 1]
    if is_local(path):
        # Names of existing folders are not patterns, even if they contain brackets.
        folders = [
            f"{str(p).rstrip('/')}/" for p in pathlib.PurePosixPath(path).parents
        ]
        deeper = (folder for folder in folders if len(folder) > len(root))
        root = next(filter(os.path.isdir, deeper), root)
    return root, escaped(root) + path[len(root) :]


def files_in(
    folder: str, pattern: str | None = None, closed: dict[str, str] | None = None
) -> Iterator[str]:
    """Find files in a folder and below.

    For local folders, these are the files of `files_below`, including Zarr folders.
    Links to folders are followed once, and broken links are included.

    Args:
        folder: String, with a trailing slash.
        pattern: String that a file's path must match. Defaults to all files.
        closed: Dict to which unreadable folders are added with the reason, if files in
            them may match. Defaults to `None`.

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
    """Return whether a pattern may match files in a folder."""
    if pattern is None:
        return True
    parts, depth = pattern.split("/"), folder.count("/") + 1
    spanning = pattern.find("**")
    if 0 <= spanning and pattern[:spanning].count("/") < depth:
        return compiled(pattern[:spanning] + "**").match(folder) is not None
    return depth < len(parts) and bool(compiled("/".join(parts[:depth])).match(folder))


def listed(pattern: str) -> list[Any]:
    """Return Beam's `FileMetadata` of all files that match a pattern."""
    (found,) = FileSystems.match([pattern])
    return found.metadata_list


@contextlib.contextmanager
def scratch() -> Iterator[pathlib.Path]:
    """Yield a new local folder, which is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="keras_indi-") as folder:
        yield pathlib.Path(folder)


def local_file(path: str, folder: pathlib.Path) -> pathlib.Path:
    """Return a local path of a file, after copying it if it is remote.

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
    """Copy a file to its final path atomically.

    It is copied under a unique hidden name and then renamed. Concurrent attempts do not
    interfere, and a repeated attempt replaces the file with an identical one.

    Args:
        source: `pathlib.Path` of a local file.
        path: String.
    """
    with _renamed(path) as temporary:
        with source.open("rb") as file, created(temporary) as target:
            shutil.copyfileobj(file, target)
        if is_local(path):
            status = source.stat()
            os.utime(temporary, ns=(status.st_atime_ns, status.st_mtime_ns))


def publish_lines(lines: Iterator[str], path: str) -> None:
    """Write lines of text atomically, like `publish`."""
    with _renamed(path) as temporary, created(temporary) as target:
        for line in lines:
            target.write(f"{line}\n".encode())


def created(path):
    """Open a new file for writing bytes."""
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return FileSystems.create(path, kind, CompressionTypes.UNCOMPRESSED)


@contextlib.contextmanager
def _renamed(path):
    """Yield a temporary path that is renamed, or removed if writing fails."""
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
    """Rename a file, and replace an existing one."""
    if is_local(path):
        # Beam would also replace a folder, and delete all files in it.
        os.replace(temporary, path)
        return
    try:
        FileSystems.rename([temporary], [path])
    except BeamIOError:
        if not FileSystems.exists(path):
            raise
        remove(path)  # HDFS does not replace files
        FileSystems.rename([temporary], [path])


def remove(path: str) -> None:
    """Remove a file if it exists."""
    if FileSystems.exists(path):
        FileSystems.delete([escaped(path)])
