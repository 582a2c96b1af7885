"""Apache Beam: the same work on a cluster. `pip install ".[beam]"`"""

from keras_indi.beam.evaluate_folders import EvaluatedFolders as EvaluatedFolders
from keras_indi.beam.evaluate_folders import EvaluateFolders as EvaluateFolders
from keras_indi.beam.model_handler import ModelHandler as ModelHandler
from keras_indi.beam.restore_files import RestoredFiles as RestoredFiles
from keras_indi.beam.restore_files import RestoreFiles as RestoreFiles
