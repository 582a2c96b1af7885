"""`keras-indi presets`: list of presets, and their cards."""

import re

import click


@click.command()
@click.argument("name", required=False, metavar="[NAME|PATH]")
def command(name):
    """List the presets, those with weights first, or show the card of one.

    The card shows the task, the training data and their terms, the degradation,
    the recommended settings and the held-out scores. Presets without weights are
    networks to train.

    \b
    Example: keras-indi presets
             keras-indi presets jpeg
    """
    from keras_indi import presets
    from keras_indi.presets.model_card import MARK

    if name is not None:
        # Without the header and the mark, which are for programs.
        card = re.sub(r"\A---\n.*?\n---\n+", "", presets.card(name), flags=re.S)
        click.echo(card.removesuffix(f"{MARK}\n").rstrip())
        return
    listed = presets.list_presets().items()
    for shipped, metadata in sorted(listed, key=lambda item: not _has_weights(item[1])):
        click.echo(click.style(shipped, bold=True))
        for line in _lines(shipped, metadata):
            click.echo(f"    {line}")


def _lines(name, metadata):
    """Return the lines of a preset in the list."""
    from keras_indi.presets.handles import PREFIX
    from keras_indi.restoration.chosen_model import DEFAULT_PRESET

    yield metadata.get("description") or metadata.get("task") or "no description"
    if _has_weights(metadata):
        default = " (the default)" if name == DEFAULT_PRESET else ""
        yield f"keras-indi restore --preset {name.removeprefix(PREFIX)}{default}"
    parameters = f"{metadata['parameter_count'] / 1e6:.1f}M parameters"
    if not _has_weights(metadata):
        yield f"{parameters}; an architecture without weights"
    else:
        yield f"{parameters}, {metadata['weights_bytes'] / 1e6:.1f} MB"
    settings = metadata.get("recommended") or {}
    if settings:
        shown = ", ".join(f"{name} {value}" for name, value in settings.items())
        yield f"recommended: {shown}"
    if metadata.get("license"):
        yield f"licence: {metadata['license']}"
    for data in metadata.get("training_data") or []:
        yield f"trained on {data['name']}: {data['terms']}"


def _has_weights(metadata):
    return metadata.get("weights_sha256") is not None
