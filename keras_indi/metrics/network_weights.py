"""Download or read the weights of pretrained networks."""

import importlib.util
import os
import pathlib
from collections.abc import Sequence

import keras
import numpy as np

from keras_indi.annotations import FilePath
from keras_indi.backend.torch_files import read_state_dict

# Official URLs of the files, with their SHA-256.
TORCHVISION = "https://download.pytorch.org/models/"
LPIPS_HEADS = (
    "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/"
    "lpips/weights/v0.1/"
)
PYTORCH_FID = "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
OFFICIAL = {
    "lpips_alex": {
        TORCHVISION + "alexnet-owt-7be5be79.pth": (
            "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02"
        ),
        LPIPS_HEADS + "alex.pth": (
            "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0"
        ),
    },
    "lpips_squeeze": {
        TORCHVISION + "squeezenet1_1-b8a52dc0.pth": (
            "b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b"
        ),
        LPIPS_HEADS + "squeeze.pth": (
            "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76"
        ),
    },
    "lpips_vgg": {
        TORCHVISION + "vgg16-397923af.pth": (
            "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0"
        ),
        LPIPS_HEADS + "vgg.pth": (
            "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868"
        ),
    },
    "inception_v3": {
        PYTORCH_FID + "pt_inception-2015-12-05-6726825d.pth": (
            "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
        ),
    },
}


def pretrained_weights(
    name: str, weights: FilePath | Sequence[FilePath] | None = None
) -> dict[str, np.ndarray]:
    """Return the arrays of a pretrained network, by their PyTorch names.

    Args:
        name: Key of `OFFICIAL`.
        weights: `None` to download the official files once, to the cache folder of
            Keras. Or a path of a PyTorch state dict or an `.npz` archive with the
            same names, or a list of paths whose arrays are combined.

    Returns:
        Dict of names to NumPy arrays.

    Raises:
        FileNotFoundError: If a file does not exist.
        ImportError: If PyTorch is missing and required to read a file.
        OSError: If a file cannot be downloaded or has a wrong checksum.
    """
    if weights is None:
        paths = _download(name)
    elif isinstance(weights, (str, os.PathLike)):
        paths = [pathlib.Path(weights)]
    else:
        paths = [pathlib.Path(path) for path in weights]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise FileNotFoundError(
            f"File not found: {', '.join(missing)}. {both_ways(name)} Received: "
            f"weights={missing}"
        )
    return {key: value for path in paths for key, value in _read(path, name).items()}


def serializable(
    weights: FilePath | Sequence[FilePath] | None,
) -> str | list[str] | None:
    """Convert the argument `weights` for a config: paths become strings."""
    if weights is None:
        return None
    if isinstance(weights, (str, os.PathLike)):
        return os.fspath(weights)
    return [os.fspath(path) for path in weights]


def _download(name):
    _require_torch(name)
    paths = []
    for address, checksum in OFFICIAL[name].items():
        file_name = address.rsplit("/", 1)[-1]
        if address.startswith(LPIPS_HEADS):
            file_name = f"lpips_v0.1_{file_name}"
        try:
            path = keras.utils.get_file(
                file_name, address, file_hash=checksum, cache_subdir="keras_indi"
            )
        # Keras raises a bare Exception without a network.
        except Exception as error:
            raise OSError(
                f"Could not download {address}: {error}. {both_ways(name)} "
                "Received: weights=None"
            ) from error
        paths.append(pathlib.Path(path))
    return paths


def _read(path, name):
    if path.suffix == ".npz":
        with np.load(path) as archive:
            return dict(archive)
    _require_torch(name)
    return read_state_dict(path)


def _require_torch(name):
    if importlib.util.find_spec("torch") is None:
        raise ImportError(
            f"PyTorch is needed to read PyTorch files of the weights of {name}. "
            f"{both_ways(name)} Install PyTorch: pip install torch"
        )


def both_ways(name: str) -> str:
    return (
        f"`weights=None` downloads {' and '.join(OFFICIAL[name])}; `weights=path` "
        "reads a PyTorch state dict, a list of them, or an .npz archive of the same "
        "arrays, which needs no PyTorch."
    )
