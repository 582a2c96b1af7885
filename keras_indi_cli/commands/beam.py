"""`keras-indi beam`: restoration of many images with Apache Beam."""

import os

import click

from keras_indi_cli.commands.names import import_modules, import_option
from keras_indi_cli.commands.restore_options import (
    Bytes,
    TileSize,
    file_options,
    sampling_options,
)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT... [BEAM OPTIONS]")
@click.option(
    "-o", "--output", required=True, metavar="DIRECTORY", help="Output directory."
)
@click.option(
    "--preset",
    required=True,
    metavar="NAME|PATH",
    help="As for `keras-indi restore`. Workers must be able to read it too.",
)
@sampling_options
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of the noise, which also depends on the name of the file.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    metavar="N",
    help="Images in a batch, on accelerators and JAX. [default: about one "
    "megapixel, at most 16 images]",
)
@click.option(
    "--tile-size",
    type=TileSize(),
    default="auto",
    show_default=True,
    metavar="auto|none|PIXELS",
    help="Tile size in pixels; auto tiles only when --max-memory requires it.",
)
@click.option(
    "--max-memory",
    type=Bytes(),
    default="2GiB",
    show_default=True,
    metavar="SIZE",
    help="Memory that a restoration may take, in each process.",
)
@click.option(
    "--dtype",
    type=click.Choice(["auto", "float32", "bfloat16"]),
    default="auto",
    show_default=True,
    help="Data type that the network computes in. Pass float32 where the workers' "
    "processors differ.",
)
@click.option(
    "--overwrite", is_flag=True, help="Restore again images whose outputs exist."
)
@file_options
@import_option
@click.pass_context
def command(
    context, inputs, output, preset, overwrite, steps, tile_size, modules, **options
):
    """Restore many images with Apache Beam.

    Inputs are files, folders and quoted patterns, on disks and in object stores. In a
    pattern, ** spans folders. Options of Beam, such as --runner, follow the inputs.
    Outputs keep names and sub-folders. Existing outputs are skipped, so an interrupted
    command continues where it stopped. OUTPUT/manifest.jsonl has a line for each file.
    The exit status is 1 if some images could not be restored.

    \b
    Example: keras-indi beam "in/**.jpg" -o out --preset jpeg --direct_num_workers 2
             keras-indi beam gs://in -o gs://out --preset jpeg --runner DataflowRunner
    """
    first = next((i for i, text in enumerate(inputs) if text.startswith("-")), None)
    inputs, arguments = inputs[:first], () if first is None else inputs[first:]
    if not inputs:
        raise click.UsageError("Inputs must precede the options of Beam.")
    import_modules(modules)
    if modules:  # worker processes on this machine find them in the current folder too
        places = [os.getcwd(), *filter(None, [os.environ.get("PYTHONPATH")])]
        os.environ["PYTHONPATH"] = os.pathsep.join(places)
    from keras_indi.beam import RestoreFiles
    from keras_indi.beam.running import run
    from keras_indi.restoration.result import left_out_report

    given = {name: value for name, value in options.items() if value is not None}
    transform = RestoreFiles(
        output,
        preset,
        existing="overwrite" if overwrite else "skip",
        num_steps=steps,
        tile_size=tile_size,
        modules=modules,
        **given,
    )
    try:
        sums, left_out = run(transform, inputs, arguments)
    except RuntimeError as error:  # Beam's, with the workers' lines before the reason
        reason = [line for line in str(error).splitlines() if line.strip()][-1:]
        click.echo(
            f"keras-indi: The job failed: {''.join(reason)}\nWhat it has written is "
            "whole. Run the same command again to continue.",
            err=True,
        )
        context.exit(2)
    done = [f"{sums.get(name, 0)} {name}" for name in ("restored", "skipped", "failed")]
    done += left_out_report(left_out)
    work = f"{sums.get('seconds', 0)} s of work"
    if megapixels := sums.get("megapixels"):
        work = f"{megapixels} megapixels, {work}"
    click.echo(f"{', '.join(done)}; {work}")
    if sums.get("failed"):
        where = f"{output.rstrip('/')}/manifest.jsonl"
        click.echo(f"keras-indi: {where} has the reasons for the failures.", err=True)
    context.exit(bool(sums.get("failed")))
