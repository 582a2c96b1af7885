"""`keras-indi export`: export of a restorer for other programs."""

import pathlib

import click

from keras_indi_cli.commands.interruption import interruptible
from keras_indi_cli.commands.names import import_modules, import_option
from keras_indi_cli.commands.restore_options import sampling_options
from keras_indi_cli.package_files import registered_names


@click.command()
@click.argument("preset")
@click.argument("output", type=click.Path(path_type=pathlib.Path))
@click.option(
    "--format",
    "file_format",
    type=click.Choice(registered_names("export_formats")),
    help="File format. [default: by the extension: .onnx, .xml, .tflite; none, a "
    "SavedModel's folder]",
)
@click.option(
    "--form",
    type=click.Choice(["sampler", "denoiser"]),
    default="sampler",
    show_default=True,
    help="The whole restoration as one graph, or the network only.",
)
@sampling_options
@click.option(
    "--uint8",
    is_flag=True,
    help="Inputs and outputs of the sampler are uint8, not float32.",
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16", "float16", "int8"]),
    default="float32",
    show_default=True,
    help="Number format: bfloat16 of the computation (SavedModel, OpenVINO), float16 "
    "or int8 of the stored weights (ONNX, OpenVINO, LiteRT).",
)
@click.option("--overwrite", is_flag=True, help="Overwrite existing outputs.")
@import_option
@click.pass_context
def command(
    context,
    preset,
    output,
    file_format,
    form,
    steps,
    sampler,
    time_grid,
    time_shift,
    scale,
    uint8,
    precision,
    overwrite,
    modules,
):
    """Export PRESET to OUTPUT, a file that runs without Keras.

    PRESET is a name that `keras-indi presets` lists, a preset's folder, hf://,
    kaggle:// or gs://, or a .keras file. Also writes OUTPUT.py, a script that
    restores an image with it, and OUTPUT.json, a description; of a SavedModel
    OUTPUT.saved_model.py and OUTPUT.saved_model.json.

    \b
    Example: keras-indi export jpeg restorer.onnx --steps 4
             keras-indi export denoise restorer.tflite --precision float16 --uint8
    """
    import_modules(modules)
    from keras_indi.export import export_model, formats
    from keras_indi.images.image_files import printable

    with interruptible(context, lambda: "No output is partial. Run it again."):
        try:
            path = export_model(
                preset,
                output,
                format=file_format,
                form=form,
                num_steps=steps,
                sampler=sampler,
                time_grid=time_grid,
                time_shift=time_shift,
                scale=scale,
                uint8=uint8,
                precision=precision,
                overwrite=overwrite,
            )
        except RuntimeError as error:  # of a converter, or the process that converts
            click.echo(f"keras-indi: {error}", err=True)
            context.exit(1)
    name = formats.checked_format(file_format, path)
    script = formats.beside(path, name, ".py")
    click.echo(f"Written: {printable(path)}")
    if script.exists():
        click.echo(
            f"Restore with it: python {printable(script)} photo.jpg restored.png"
        )
