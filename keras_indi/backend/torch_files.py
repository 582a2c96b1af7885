"""Reading of PyTorch files on any backend."""

import numpy as np

from keras_indi.annotations import FilePath


def read_state_dict(path: FilePath) -> dict[str, np.ndarray]:
    """Read the arrays of a PyTorch state dict.

    Args:
        path: Path of the file.

    Returns:
        Dict from names to NumPy arrays.

    Raises:
        ImportError: If PyTorch is not installed.
    """
    import torch

    state = torch.load(path, map_location="cpu", weights_only=True)
    return {key: value.numpy() for key, value in state.items()}
