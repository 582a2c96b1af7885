"""The classical tools that the presets are compared with, too."""

import sys

from harness import HERE

sys.path.append(str(HERE.parent / "presets"))

from classical import METHODS  # noqa: E402, F401
