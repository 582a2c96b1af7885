"""`keras-indi restore`: restoration of image files."""

import pathlib
import re
import sys

import click

from keras_indi_cli.commands.device import device_option, dtype_option, on_device
from keras_indi_cli.commands.interruption import interruptible
from keras_indi_cli.commands.names import import_modules, import_option
from keras_indi_cli.commands.restore_options import (
    Bytes,
    TileSize,
    file_options,
    sampling_options,
)


class Shard(click.ParamType):
    """A part of the work, `i/n` with i from 1 to n, as a pair of index and count."""

    name = "shard"

    def convert(self, value, parameter, context):
        if not isinstance(value, str):
            return value
        found = re.fullmatch(r"(\d+)/(\d+)", value.strip())
        index, count = map(int, found.groups()) if found else (0, 0)
        if not 1 <= index <= count:
            self.fail(
                f"{value!r} must be I/N with I from 1 to N, such as 1/4.",
                parameter,
                context,
            )
        return index - 1, count


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=pathlib.Path),
    help="Output directory; or, for one image, the output file, in any format. "
    "[default: beside the input, as photo-restored.jpg]",
)
@click.option(
    "--preset",
    metavar="NAME|PATH",
    help="A name that `keras-indi presets` lists, a preset's folder, hf://, "
    "kaggle:// or gs://, or a .keras file. [default: blind]",
)
@sampling_options
@click.option(
    "--num-samples",
    type=click.IntRange(min=1),
    metavar="K",
    help="Number of restorations of each image, named photo-restored-1.jpg, ... "
    "[default: 1]",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of the noise. The same seed repeats the same result.",
)
@click.option(
    "--tile-size",
    type=TileSize(),
    default="auto",
    show_default=True,
    metavar="auto|none|PIXELS",
    help="Tile size in pixels. Does not change the result; auto tiles only when memory "
    "requires it.",
)
@click.option(
    "--tile-overlap",
    type=click.IntRange(min=0),
    metavar="PIXELS",
    help="Pixels that neighbouring tiles share. Less than the default is faster and "
    "changes the result near seams. [default: the receptive field]",
)
@click.option(
    "--max-memory",
    type=Bytes(),
    metavar="SIZE",
    help="Memory that a restoration may take, such as 2GB. [default: half of the free "
    "memory]",
)
@device_option
@dtype_option
@click.option(
    "--engine",
    type=click.Choice(["onnxruntime", "openvino"]),
    help="Runtime that computes the network, on the CPU, to the same result; openvino "
    "is faster than JAX and PyTorch. [default: the backend]",
)
@click.option(
    "--skip-existing",
    is_flag=True,
    help="Skip images whose outputs exist and are complete.",
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="Overwrite existing outputs, including the inputs. Inputs of several pages or "
    "frames are never overwritten.",
)
@click.option(
    "--compare",
    is_flag=True,
    help="Also write two pictures beside each output: -compare.png (degraded and "
    "restored) and -steps.png (degraded, and 1, 2, 4, 8 and 16 steps).",
)
@file_options
@click.option(
    "--shard",
    type=Shard(),
    metavar="I/N",
    help="Restore the I-th of N parts of the images: 1/N on one machine, ... N/N on "
    "another. [default: all]",
)
@import_option
@click.pass_context
def command(
    context,
    inputs,
    output,
    preset,
    steps,
    sampler,
    time_grid,
    time_shift,
    scale,
    num_samples,
    seed,
    tile_size,
    tile_overlap,
    max_memory,
    device,
    dtype,
    engine,
    skip_existing,
    overwrite,
    compare,
    name,
    value_range,
    clip,
    quality,
    max_pixels,
    shard,
    modules,
):
    """Restore images: files, folders and quoted patterns such as "*.jpg".

    Outputs keep names and sub-folders, format, bits, alpha, EXIF with its
    orientation, colour profile, resolution and date. BMP, GIF, AVIF and HEIC become
    PNG. Existing outputs are an error unless --overwrite or --skip-existing is
    given. The exit status is 1 if some images could not be restored; they are named.

    \b
    Example: keras-indi restore photo.jpg
             keras-indi restore holiday "scans/*.tif" -o restored --steps 4
    """
    if skip_existing and overwrite:
        raise click.UsageError("Pass --skip-existing or --overwrite, not both.")
    import_modules(modules)
    from keras_indi.images.image_files import shown
    from keras_indi.restoration import restore_files
    from keras_indi.restoration.result import Result

    done = Result()

    def show(one, left):
        done.add(one)
        # Over the progress bar, which is drawn again below.
        click.echo("\r\033[K" if on_terminal and left else "", nl=False)
        for path, note in one.notes.items():
            click.echo(f"{shown(path)}: {shown(note)}")
        for path in [*one.written, *one.pictures]:
            click.echo(f"Written: {shown(path)}")
        for path, reason in one.failed.items():
            failed = click.style("Failed", fg="red")
            click.echo(f"{failed}: {shown(path)}: {shown(reason)}", err=True)

    def how_to_continue():
        return (
            f"Images written: {len(done.written)}. Run the same command with "
            "--skip-existing to restore the others."
        )

    on_terminal = sys.stdout.isatty()
    existing = "skip" if skip_existing else "overwrite" if overwrite else "refuse"
    with interruptible(context, how_to_continue), on_device(device):
        result = restore_files(
            inputs,
            output,
            preset,
            num_steps=steps,
            sampler=sampler,
            time_grid=time_grid,
            time_shift=time_shift,
            scale=scale,
            num_samples=num_samples,
            seed=seed,
            dtype=dtype,
            engine=engine,
            existing=existing,
            tile_size=tile_size,
            tile_overlap=tile_overlap,
            max_memory=max_memory,
            compare=compare,
            name=name,
            value_range=value_range,
            clip=clip,
            quality=quality,
            max_pixels=max_pixels,
            shard=shard,
            verbose=int(on_terminal),
            on_file=show,
        )
    click.echo(result.report())
    context.exit(bool(result.failed))
