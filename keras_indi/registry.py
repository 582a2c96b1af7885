"""Registries of classes by name."""

import importlib
from collections.abc import Iterator, Mapping


class Registry(Mapping[str, type]):
    """Map names to classes, and read the names without importing a class.

    Write the entries as a literal dict: the `keras-indi` command reads them from the
    file, without importing the package (`keras_indi_cli/package_files.py`).

    Args:
        package: String, the name of the package that the modules lie in.
        entries: Dict of names to `"module:Class"`.

    Example:

    >>> samplers = Registry("keras_indi.samplers", {"heun": "heun_sampler:HeunSampler"})
    >>> list(samplers)
    ['heun']
    >>> samplers["heun"]()
    HeunSampler()
    """

    def __init__(self, package: str, entries: dict[str, str]) -> None:
        self.package = package
        self.entries = entries

    def __getitem__(self, name: str) -> type:
        module, _, class_name = self.entries[name].partition(":")
        found = importlib.import_module(f"{self.package}.{module}")
        return getattr(found, class_name)

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def exports(self) -> dict[str, type]:
        """Import the classes.

        Returns:
            Dict of the classes' own names to the classes, for the `globals()` of the
            package that exports them.
        """
        return {found.__name__: found for found in self.values()}
