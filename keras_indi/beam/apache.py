"""What this room uses of Apache Beam, which is installed by an extra."""

from typing import Any

from keras_indi.optional_packages import optional_import


def imported(module: str) -> Any:
    """A module of Apache Beam, or the error that says how to install it."""
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
