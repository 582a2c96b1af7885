"""Imports from Apache Beam, which is an optional dependency."""

from typing import Any

from keras_indi.optional_packages import optional_import


def imported(module: str) -> Any:
    """Import a module of Apache Beam, or raise an error with install instructions."""
    return optional_import(module, extra="beam", purpose="`keras_indi.beam`")


beam = imported("apache_beam")
pipeline_options = imported("apache_beam.options.pipeline_options")
windowed_value = imported("apache_beam.transforms.window").GlobalWindows.windowed_value
BeamIOError = imported("apache_beam.io.filesystem").BeamIOError
CompressionTypes = imported("apache_beam.io.filesystem").CompressionTypes
FileSystem = imported("apache_beam.io.filesystem").FileSystem
FileSystems = imported("apache_beam.io.filesystems").FileSystems
Metrics = imported("apache_beam.metrics").Metrics
Shared = imported("apache_beam.utils.shared").Shared
