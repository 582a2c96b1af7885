"""`python -m keras_indi_cli`: the `keras-indi` command."""

import difflib
import importlib
import signal
import sys
import warnings

try:
    import click
except ImportError:
    print(
        'The keras-indi command needs click. Install it: pip install "keras-indi[cli]"',
        file=sys.stderr,
    )
    sys.exit(2)

from keras_indi_cli.package_files import version
from keras_indi_cli.tensorflow_log import leave_out_log

# Each command stands in the file of its name, which is read when it is used.
COMMANDS = {
    "restore": "Restore images: files, folders, patterns.",
    "page": "Restore photographs in a browser.",
    "beam": "Restore many images with Apache Beam: on clusters, from object stores.",
    "export": "Export a restorer to ONNX, OpenVINO, LiteRT or a SavedModel.",
    "train": "Train a restorer on your own images.",
    "presets": "List the trained presets, or show the card of one.",
    "info": "Show backends, devices and versions, and which backend is used.",
    "data": "Check pairs of images, and prepare photographs for training.",
    "quickstart": "Train a small model on sample photographs and restore with it.",
    "evaluate": "Score restored images, of any system, against clean ones.",
    "trade-off": "Score a model at several numbers of steps, and draw the curve.",
}


class Commands(click.Group):
    """The subcommands, imported on use."""

    def list_commands(self, context):
        return list(COMMANDS)

    def get_command(self, context, name):
        if name not in COMMANDS:
            near = difflib.get_close_matches(name, COMMANDS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            context.fail(f"No such command {name!r}.{hint}")
        module = importlib.import_module(
            f"keras_indi_cli.commands.{name.replace('-', '_')}"
        )
        return module.command

    def format_commands(self, context, formatter):
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        formatter.write_paragraph()
        formatter.write_text("Help on a command: keras-indi restore --help")

    def invoke(self, context):
        try:
            return super().invoke(context)
        except BrokenPipeError:  # of `keras-indi ... | head`, which click ends quietly
            raise
        except (ImportError, OSError, ValueError) as error:
            click.echo(f"keras-indi: {error}", err=True)
            context.exit(2)
        except KeyboardInterrupt:  # where a command has nothing to continue
            click.echo("\nInterrupted.", err=True)
            context.exit(128 + signal.SIGINT)


def one_line(message, category, filename, lineno, line=None):
    """Format a warning without its location in the source."""
    return f"Warning: {message}\n"


@click.command(cls=Commands)
@click.version_option(version(), prog_name="keras-indi")
def main():
    """Restore images by Inversion by Direct Iteration."""


if __name__ == "__main__":
    leave_out_log()
    warnings.formatwarning = one_line
    main(prog_name="keras-indi")
