"""`keras-indi trade-off`: the perception-distortion curve of a model."""

import click

from keras_indi_cli.commands.interruption import interruptible
from keras_indi_cli.commands.names import (
    CommaSeparated,
    import_modules,
    import_option,
    names_option,
)
from keras_indi_cli.commands.protocol_options import (
    FOLDER,
    MAX_PIXELS,
    OUTPUT,
    dates_in,
    finish,
    how_to_continue,
    make_protocol,
    protocol_options,
)


@click.command()
@click.argument("model", metavar="NAME|PATH")
@click.option(
    "--degraded", type=FOLDER, required=True, help="Folder of degraded images."
)
@click.option("--clean", type=FOLDER, required=True, help="Folder of clean images.")
@click.option("-o", "--output", type=OUTPUT, required=True, help="Output directory.")
@click.option(
    "--steps",
    type=CommaSeparated(click.IntRange(min=1)),
    default="1,2,4,8,16,32",
    show_default=True,
    metavar="N,...",
    help="Numbers of restoration steps.",
)
@names_option(
    "--samplers",
    registry="samplers",
    default="indi",
    show_default=True,
    help="Update rules: {names}.",
)
@names_option(
    "--time-grids",
    registry="time_grids",
    default="uniform",
    show_default=True,
    help="Times of the steps: {names}.",
)
@click.option(
    "--time-shifts",
    type=CommaSeparated(click.FloatRange(min=0, min_open=True)),
    default="1",
    show_default=True,
    metavar="K,...",
    help="Evaluate the network at time min(1, K t); 1 is no shift.",
)
@click.option(
    "--seeds",
    type=CommaSeparated(click.IntRange(min=0)),
    default="0",
    show_default=True,
    metavar="N,...",
    help="Seeds of the noise; the plots show means.",
)
@click.option(
    "--tile-size",
    type=click.IntRange(min=1),
    metavar="PIXELS",
    help="Tile size. Does not change the result. [default: tile if memory requires it]",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    metavar="N",
    help="Images of one size in a batch. [default: chosen by size]",
)
@click.option(
    "--within",
    type=click.FloatRange(min=0),
    default=0.5,
    show_default=True,
    metavar="DB",
    help="Recommend the best LPIPS, FID or KID whose PSNR is at most this far below "
    "that of one step.",
)
@MAX_PIXELS
@import_option
@protocol_options
@click.pass_context
def command(
    context,
    model,
    degraded,
    clean,
    output,
    steps,
    samplers,
    time_grids,
    time_shifts,
    seeds,
    tile_size,
    batch_size,
    within,
    max_pixels,
    modules,
    **options,
):
    """Score a model at several numbers of steps, and draw the curve.

    The model is a preset (its name, folder or hub handle) or a .keras file, and
    computes in float32. The output directory gets trade_off.csv, trade_off.json, the
    plots, and a table of each setting. An interrupted command continues where it
    stopped. The exit status is 1 if some images could not be scored; they are named,
    and left out of the means.

    \b
    Example: keras-indi trade-off restorer.keras --degraded degraded \\
                 --clean photographs --steps 1,4,16 --metrics psnr,lpips_alex \\
                 --output curve
    """
    import_modules(modules)
    from keras_indi import evaluation
    from keras_indi.models import load_restorer

    protocol = make_protocol(**options)
    before = dates_in(output)
    with interruptible(context, lambda: how_to_continue(output)):
        table = evaluation.trade_off(
            load_restorer(model, dtype="float32"),
            (degraded, clean),
            num_steps=steps,
            samplers=samplers,
            time_grids=time_grids,
            time_shifts=time_shifts,
            seeds=seeds,
            protocol=protocol,
            output_dir=output,
            tile_size=tile_size or "auto",
            batch_size=batch_size,
            warn=False,
            max_pixels=max_pixels,
        )
    click.echo(f"\n{table}\n\nMeasured: {protocol}")
    if 1 in steps and "psnr" in protocol.metrics:
        for name in protocol.metrics:
            if name.startswith(("lpips", "fid", "kid")):
                found = evaluation.recommend(table, name, {"psnr": within})
                click.echo(f"\nRecommended: {found}")
    click.echo()
    finish(context, table, output, before)
