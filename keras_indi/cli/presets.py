"""`keras-indi presets`: what is shipped, and what is known of it."""

import click


@click.command()
@click.argument("name", required=False, metavar="[NAME|PATH]")
def command(name):
    """List the presets, or show the card of one.

    The card tells the task, the training data and their terms, the degradation,
    the recommended settings and the held-out scores.

    \b
    Example: keras-indi presets
             keras-indi presets indi_small_jpeg
    """
    from keras_indi import presets

    if name is not None:
        click.echo(presets.card(name))
        return
    for shipped, metadata in presets.list_presets().items():
        click.echo(click.style(shipped, bold=True))
        for line in presets.summary(metadata):
            click.echo(f"    {line}")
