"""What this room uses of Apache Beam, which is installed by an extra."""

from keras_indi.optional_packages import optional_import


def _imported(module):
    return optional_import(module, extra="beam", purpose="`keras_indi.beam`")


beam = _imported("apache_beam")
inference = _imported("apache_beam.ml.inference.base")
pipeline_options = _imported("apache_beam.options.pipeline_options")
windowed_value = _imported("apache_beam.transforms.window").GlobalWindows.windowed_value
BeamIOError = _imported("apache_beam.io.filesystem").BeamIOError
CompressionTypes = _imported("apache_beam.io.filesystem").CompressionTypes
FileSystems = _imported("apache_beam.io.filesystems").FileSystems
Metrics = _imported("apache_beam.metrics").Metrics
Shared = _imported("apache_beam.utils.shared").Shared
