"""The one place of the version number; `setup.py` reads it from here."""

__version__ = "0.2.0"
