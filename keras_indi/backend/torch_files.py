"""PyTorch's files, read by PyTorch whatever the backend."""

import numpy as np

from keras_indi.annotations import FilePath


def read_state_dict(path: FilePath) -> dict[str, np.ndarray]:
    """The arrays of a PyTorch state dict.

    Args:
        path: Path of the file.

    Returns:
        Dict of names to NumPy arrays.

    Raises:
        ImportError: If PyTorch is missing.
    """
    import torch

    state = torch.load(path, map_location="cpu", weights_only=True)
    return {key: value.numpy() for key, value in state.items()}
