"""`python -m keras_indi.cli`: reads the subcommand and runs it."""

import argparse
import sys

from keras_indi.cli import quickstart
from keras_indi.version import __version__


def main(arguments=None):
    """Runs the command line.

    Args:
        arguments: List of strings. Defaults to the process's.

    Returns:
        Int, the exit status: 0, or 2 for bad input.
    """
    parser = argparse.ArgumentParser(
        prog="keras-indi",
        description="Restore images by Inversion by Direct Iteration.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    subcommands = parser.add_subparsers(dest="command", required=True)
    quickstart.add_parser(subcommands)
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except (ImportError, OSError, ValueError) as error:
        print(f"keras-indi: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("keras-indi: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
