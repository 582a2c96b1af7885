"""Options that choose classes by name, and the option that imports user modules."""

import difflib
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from keras_indi_cli.package_files import registered_names

import_option = click.option(
    "--import",
    "modules",
    multiple=True,
    metavar="MODULE",
    help="Python module that registers classes of your own with Keras, which options "
    "then accept by their registered names, such as 'mine>MySampler'. Repeatable.",
)


def import_modules(modules: Sequence[str]) -> None:
    """Import modules, from the current directory too, as `python` does.

    Raises:
        ImportError: If there is none of a name.
    """
    if modules and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    for module in modules:
        importlib.import_module(module)


class RegisteredName(click.Choice):
    """A name in a registry, or the registered name of a class of the user's own.

    Args:
        registry: String, a key of `package_files.REGISTRIES`.
    """

    def __init__(self, registry: str) -> None:
        super().__init__(registered_names(registry))

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        # With a package before it, only Keras can look it up.
        if value not in self.choices and ">" not in value:
            near = difflib.get_close_matches(value, self.choices, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            self.fail(
                f"{value!r} is not one of {', '.join(self.choices)}.{hint}", param, ctx
            )
        return value


class CommaSeparated(click.ParamType):
    """Comma-separated values of one type.

    Args:
        item: A click type.
    """

    name = "list"

    def __init__(self, item: click.ParamType = click.STRING) -> None:
        self.item = item

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[Any, ...]:
        if isinstance(value, tuple):
            return value
        return tuple(
            self.item.convert(text.strip(), param, ctx) for text in value.split(",")
        )


def names_option(
    *flags: str, registry: str, help: str, **attributes: Any
) -> Callable[[Any], Any]:
    """An option of comma-separated names, which its help lists at `{names}`."""
    names = [name for name in registered_names(registry) if name not in NEED_MORE]
    return click.option(
        *flags,
        type=CommaSeparated(RegisteredName(registry)),
        metavar="NAME,...",
        help=help.format(names=", ".join(names)),
        **attributes,
    )


# Metrics that need an extractor, which only Python can give.
NEED_MORE = ("fid", "kid")


def with_options(options, command):
    """A command's function with click's options, in their order."""
    for option in reversed(options):
        command = option(command)
    return command
