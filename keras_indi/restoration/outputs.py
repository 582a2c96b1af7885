"""Find the files to restore and name their outputs."""

import collections
import glob
import mimetypes
import os
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from keras_indi.annotations import FilePath
from keras_indi.images.encoding import FORMATS
from keras_indi.images.formats import EXTENSIONS
from keras_indi.images.image_files import files_below, other_kind
from keras_indi.images.whole_files import is_whole
from keras_indi.restoration.file_jobs import (
    FileJob,
    check_jobs,
    check_results_writable,
    find_conflicts,
)
from keras_indi.restoration.large_files import ZARR
from keras_indi.restoration.result import LINKED
from keras_indi.validation import checked_choice, checked_integer, checked_path

PICTURES = ("compare", "steps")
OME_ZARR = ".ome.zarr"
EXISTING = ("refuse", "skip", "overwrite")
# Image extensions that cannot be written, and that `mimetypes` may not know.
OTHER_ENDINGS = {*EXTENSIONS, *".jxl .jp2 .dng .cr2 .cr3 .nef .arw .orf .raf".split()}
OTHER_ENDINGS |= {*".rw2 .exr .hdr .psd .pdf .tga .ppm".split()}


class Outputs(NamedTuple):
    """Jobs of a run, and files that are left out.

    Attributes:
        jobs: List of the `FileJob` to run. Jobs that share an output have a
            `conflict`.
        skipped: List of the `FileJob` whose outputs exist.
        left_out: Dict of categories to numbers of files in the input folders that are
            not restored. Categories are the extensions of unsupported files, and
            `LINKED` for links to files that are restored under another name.
        closed: Dict of unreadable folders to the reason.
    """

    jobs: list[FileJob]
    skipped: list[FileJob]
    left_out: dict[str, int]
    closed: dict[pathlib.Path, str]


def find_outputs(
    inputs: FilePath | Iterable[FilePath],
    out: FilePath | None = None,
    num_samples: int | None = None,
    existing: str = "refuse",
    compare: bool = False,
    name: str | None = None,
    shard: tuple[int, int] | None = None,
) -> Outputs:
    """Find the files to restore and name their outputs.

    Args:
        inputs: Path of a file, path of a folder (searched recursively), a pattern such
            as `"holiday/**/*.jpg"`, or a sequence of these.
        out: Path of the output folder. Outputs keep their names, and their sub-folders
            if the input is a folder. For a single file, it can be the path of the
            output, whose extension may select another format. By default, outputs
            are written next to the inputs: `photo-restored.jpg`, `folder-restored`.
        num_samples: Int, number of outputs per file: `photo-1.jpg`, `photo-2.jpg`.
            Defaults to one output with the plain name.
        existing: String, how to handle existing outputs: `"refuse"` raises an error,
            `"skip"` skips their files, and `"overwrite"` overwrites them. An empty or
            truncated output (see `is_whole`) does not count as existing for `"skip"`.
        compare: Bool, whether to add two comparison images per output,
            `photo-compare.png` and `photo-steps.png`.
        name: String that contains `{name}`, template of the output names without
            extension. Defaults to the name of the input, with `-restored` appended
            for outputs next to their inputs.
        shard: Pair of ints, `(index, count)`: every `count`-th file, starting at
            `index`, in the order of names. Defaults to all files.

    Returns:
        `Outputs`.

    Raises:
        ValueError: If an argument is not valid, an input contains no image, an output
            would overwrite an input, or outputs exist.
    """
    checked_choice("existing", existing, EXISTING)
    out = None if out is None else _expanded_user(checked_path("out", out))
    check_name(name)
    if isinstance(inputs, (str, os.PathLike)) or not isinstance(inputs, Iterable):
        inputs = [inputs]
    inputs = [checked_path("inputs", path) for path in inputs]
    sources, left_out, closed = _sources(inputs, out, name)
    one_file = out is not None and _is_file_name(out)
    if one_file and len(sources) > 1:
        raise ValueError(
            "The output of several images must be a folder. Received: "
            f"out={str(out)!r} for {len(sources)} images"
        )
    jobs = []
    for path, (name, output) in sources.items():
        outputs = sample_outputs(out if one_file else _written(output), num_samples)
        shown = outputs if compare else []
        pictures = [
            result.with_name(f"{result.stem}-{name}.png")
            for result in shown
            for name in PICTURES
        ]
        jobs.append(FileJob(path, name, outputs, pictures))
    find_conflicts(jobs)
    own = jobs if shard is None else _shard(jobs, shard)
    check_jobs(jobs, existing, own)
    new: list[FileJob] = []
    there: list[FileJob] = []
    for job in own:
        done = (
            existing == "skip"
            and job.conflict is None
            and all(map(is_whole, job.outputs))
        )
        (there if done else new).append(job)
    check_results_writable(new)
    return Outputs(new, there, left_out, closed)


def one_output(source: FilePath, output: FilePath, overwrite: bool) -> FileJob:
    """Create the job of one file with a given output path.

    Args:
        source: Path of the degraded image.
        output: Path of the output.
        overwrite: Bool, whether an existing file may be overwritten, including the
            input.

    Returns:
        A `FileJob`.

    Raises:
        ValueError: If the input does not exist, or the output has an unsupported format
            or exists.
    """
    source = pathlib.Path(checked_path("input_path", source))
    output = pathlib.Path(checked_path("output_path", output))
    if not (
        os.path.isfile(source)
        or (os.path.exists(source) and source.suffix.lower() == ZARR)
    ):
        raise ValueError(f"File not found. Received: {str(source)!r}")
    if output.suffix.lower() not in (*FORMATS, ZARR):
        raise _no_format(output)
    jobs = [FileJob(source, source.name, [output], [])]
    check_jobs(jobs, "overwrite" if overwrite else "refuse")
    check_results_writable(jobs)
    if jobs[0].problem is not None:
        raise ValueError(f"{jobs[0].problem}. Received: {str(source)!r}")
    return jobs[0]


def result_name(name: str, template: str | None = None) -> str:
    """Return the path of an output relative to the output folder.

    Args:
        name: String, path of the file relative to the input folder, with `/`.
        template: String that contains `{name}`, as `name` of `find_outputs`.

    Raises:
        ValueError: If the extension is not supported, or the template is not valid.
    """
    check_name(template)
    path = pathlib.PurePosixPath(name)
    return _written(_named(path, template or "{name}")).as_posix()


def _shard(jobs, shard):
    """Return every `count`-th job, in an order that is the same on all machines."""
    if not isinstance(shard, Sequence) or len(shard) != 2:
        raise ValueError(f"`shard` must be (index, count). Received: shard={shard!r}")
    index, count = shard
    count = checked_integer("shard[1]", count)
    index = checked_integer("shard[0]", index, least=0, most=count - 1)
    return sorted(jobs, key=lambda job: (job.name, str(job.source)))[index::count]


def _sources(inputs, out, template):
    """Find all images of the inputs.

    Returns a dict of image paths to names and output paths, and the dicts `left_out`
    and `closed` of `Outputs`.
    """
    sources, seen, others, closed = {}, set(), {}, {}

    def add(path, name, output):
        # `resolve` would raise on a circular link. Reading the file reports it.
        resolved = os.path.realpath(path)
        if resolved not in seen:
            seen.add(resolved)
            sources[path] = name, output
        elif os.path.islink(path) and path not in sources:
            others[path] = LINKED

    for text in inputs:
        for path in _expanded(text):
            if not path.is_dir() or path.suffix.lower() == ZARR:
                beside = "{name}-restored" if out is None else "{name}"
                output = _named(path, template or beside)
                add(path, path.name, output if out is None else out / output.name)
                continue
            folder = path.resolve()
            if out is None:
                folder_out = folder.with_name(f"{folder.name}-restored")
            else:
                folder_out = out
            # Outputs of an earlier run are not inputs.
            within = folder in folder_out.resolve().parents
            files = []
            for file in sorted(files_below(path, True, closed)):
                if within and _is_within(file, folder_out):
                    continue
                kind = other_kind(file, True)
                if kind is None:
                    files.append(file)
                else:
                    others[file] = kind
            if not files and path in closed:
                raise ValueError(f"{closed[path]}. Received: {str(path)!r}")
            if not files:
                raise ValueError(
                    f"The folder must hold images ({', '.join(EXTENSIONS)}). "
                    f"Received: {str(path)!r}"
                )
            # Links come last, so that a file keeps its own name.
            for file in sorted(files, key=os.path.islink):
                name = file.relative_to(path)
                output = _named(folder_out / name, template or "{name}")
                add(file, name.as_posix(), output)
    if not sources:
        raise ValueError(
            f"There must be an image to restore. Received: inputs={inputs}"
        )
    return sources, dict(collections.Counter(others.values()).most_common()), closed


def _expanded(text):
    """Return the paths of an input: the path itself, or the matches of the pattern."""
    path = _expanded_user(text)
    if os.path.exists(path):
        return [path]
    try:
        os.stat(path)
    except PermissionError as error:
        raise ValueError(
            f"File or folder not readable ({error.strerror}). Received: {str(text)!r}"
        ) from error
    except (OSError, ValueError):  # it does not exist, or is not a valid path
        pass
    # Names of existing folders are not patterns, even if they contain brackets.
    root = next(f for f in path.parents if os.path.isdir(f) or not f.name)
    pattern = str(path.relative_to(root))
    found = sorted(glob.glob(pattern, root_dir=root, recursive=True))
    files = [
        file
        for file in (root / name for name in found)
        if (file.suffix.lower() in EXTENSIONS and not file.is_dir())
        or file.suffix.lower() == ZARR
    ]
    if not files:
        problem = "File or folder not found"
        if glob.has_magic(pattern):
            problem = "No image matches this pattern"
        raise ValueError(f"{problem}. Received: {str(text)!r}")
    return files


def _expanded_user(text):
    """Expand `~` and `~user`. Other names that begin with a tilde are unchanged."""
    return pathlib.Path(os.path.expanduser(text))  # pathlib raises for those


def _is_file_name(out):
    suffix = out.suffix.lower()
    kind = mimetypes.guess_type(out.name)[0] or ""
    of_images = kind.startswith("image/") or suffix in OTHER_ENDINGS or out.name == "-"
    if of_images and suffix not in FORMATS and not out.is_dir():
        raise _no_format(out)
    return suffix == ZARR or (suffix in FORMATS and not out.is_dir())


def _no_format(out: pathlib.PurePath) -> ValueError:
    return ValueError(
        f"Images are written as {', '.join(FORMATS)} and {ZARR}. Received: "
        f"out={str(out)!r}"
    )


def _written(output):
    """Keep the extension of an output path, or use PNG if it cannot be written."""
    suffix = output.suffix.lower()
    if suffix in FORMATS or suffix == ZARR:
        return output
    if suffix in EXTENSIONS:
        return output.with_suffix(".png")
    raise ValueError(
        f"Images that are read end in {', '.join(EXTENSIONS)} or {ZARR}. Received: "
        f"a file that ends in {output.suffix!r}, for the output {str(output)!r}"
    )


def _named(path, template):
    ending = OME_ZARR if path.name.lower().endswith(OME_ZARR) else path.suffix
    ending = path.name[len(path.name) - len(ending) :]
    name = path.name.removesuffix(ending)
    return path.with_name(template.replace("{name}", name) + ending)


def check_name(name: str | None) -> None:
    """Raise a ValueError unless a template of output names is valid."""
    if name is None:
        return
    if (
        not isinstance(name, str)
        or "{name}" not in name
        or any(letter in name for letter in ("/", os.sep, "\0"))
    ):
        raise ValueError(
            "The results' names must hold {name}, such as '{name}_x4', and no folder. "
            f"Received: name={name!r}"
        )


def _is_within(file, folder):
    return (
        pathlib.Path(os.path.realpath(folder))
        in pathlib.Path(os.path.realpath(file)).parents
    )


def sample_outputs(output: Any, num_samples: int | None) -> list[pathlib.Path]:
    """Return the output paths of all samples: photo-1.jpg and so on, or one path."""
    if num_samples is None:
        return [output]
    return [
        output.with_name(f"{output.stem}-{number}{output.suffix}")
        for number in range(1, num_samples + 1)
    ]
