"""Restoration and evaluation on clusters with Apache Beam (extra `beam`)."""

from typing import TYPE_CHECKING, Any

from keras_indi.beam.evaluate_folders import EvaluatedFolders as EvaluatedFolders
from keras_indi.beam.evaluate_folders import EvaluateFolders as EvaluateFolders
from keras_indi.beam.restore_files import RestoredFiles as RestoredFiles
from keras_indi.beam.restore_files import RestoreFiles as RestoreFiles

if TYPE_CHECKING:
    from keras_indi.beam.model_handler import ModelHandler as ModelHandler

__all__ = [
    "EvaluateFolders",
    "EvaluatedFolders",
    "ModelHandler",
    "RestoreFiles",
    "RestoredFiles",
]


def __getattr__(name: str) -> Any:
    # Imported lazily, because Beam's RunInference imports PyTorch if it is installed.
    if name == "ModelHandler":
        from keras_indi.beam.model_handler import ModelHandler

        return ModelHandler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
