"""Where pretrained weights come from, and what is said when they do not come."""

import hashlib
import importlib.util

import keras
import numpy as np
import pytest

from keras_indi.metrics import LPIPS, InceptionV3Features, network_weights
from keras_indi.metrics.network_weights import OFFICIAL, pretrained_weights

# Nothing here depends on the backend.
pytestmark = pytest.mark.slow


@pytest.fixture
def squeezenet():
    pytest.importorskip("torch")
    from metrics.torch_networks import random_lpips_weights

    return random_lpips_weights("squeeze")


def save_as_pytorch(path, arrays):
    import torch

    torch.save({key: torch.from_numpy(value) for key, value in arrays.items()}, path)
    return path


def split(arrays):
    """Arrays as torchvision and as the heads' official files name them."""
    trunk = {key: value for key, value in arrays.items() if key.startswith("features")}
    trunk["classifier.1.weight"] = np.zeros((2, 2, 1, 1), "float32")
    heads = {
        key.replace(".weight", ".model.1.weight"): value
        for key, value in arrays.items()
        if key.startswith("lin")
    }
    return trunk, heads


def score(path):
    clean = np.random.default_rng(0).uniform(0, 255, (1, 20, 20, 3))
    return LPIPS("squeeze", path).per_image(clean, 255 - clean)[0]


def test_pytorch_files_and_archives_give_one_metric(squeezenet, tmp_path):
    np.savez(tmp_path / "all.npz", **squeezenet)
    expected = score(tmp_path / "all.npz")
    assert expected > 0.01
    everything = save_as_pytorch(tmp_path / "all.pth", squeezenet)
    assert score(str(everything)) == expected
    trunk, heads = split(squeezenet)
    files = [
        save_as_pytorch(tmp_path / "trunk.pth", trunk),
        save_as_pytorch(tmp_path / "heads.pth", heads),
    ]
    assert score(files) == expected
    # As the lpips package saves its module: slices that keep torchvision's indices.
    module = {f"net.slice1.{k.removeprefix('features.')}": v for k, v in trunk.items()}
    module.pop("net.slice1.classifier.1.weight")
    path = save_as_pytorch(tmp_path / "module.pth", {**module, **heads})
    assert score(path) == expected


def test_official_files_are_downloaded_and_verified(squeezenet, tmp_path, monkeypatch):
    # The same road, from addresses on this disk.
    served, cache = tmp_path / "served", tmp_path / "cache"
    served.mkdir()
    cache.mkdir()
    addresses = {}
    for name, arrays in zip(("trunk.pth", "heads.pth"), split(squeezenet)):
        path = save_as_pytorch(served / name, arrays)
        addresses[path.as_uri()] = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setitem(OFFICIAL, "lpips_squeeze", addresses)
    original = keras.utils.get_file

    def get_file(*args, **kwargs):
        return original(*args, cache_dir=cache, **kwargs)

    monkeypatch.setattr(keras.utils, "get_file", get_file)
    np.savez(tmp_path / "all.npz", **squeezenet)
    assert score(None) == score(tmp_path / "all.npz")
    assert (cache / "keras_indi" / "trunk.pth").is_file()

    # A file that is not what the checksum says is refused.
    (cache / "keras_indi" / "heads.pth").unlink()
    save_as_pytorch(served / "heads.pth", {})
    with pytest.raises(OSError, match="(?s)heads.pth.*=path.*Received: weights=N"):
        score(None)


def test_without_a_network_the_error_names_both_ways(monkeypatch):
    pytest.importorskip("torch")

    def no_network(*args, **kwargs):
        raise Exception("URL fetch failure: name resolution")

    monkeypatch.setattr(keras.utils, "get_file", no_network)
    for build, name in ((LPIPS, "alexnet"), (InceptionV3Features, "pt_inception")):
        with pytest.raises(OSError, match="name resolution") as error:
            build()
        for words in (f"{name}-", "weights=None", "weights=path", ".npz", "state dict"):
            assert words in str(error.value)


def test_without_pytorch_archives_still_load(squeezenet, tmp_path, monkeypatch):
    np.savez(tmp_path / "all.npz", **squeezenet)
    file = save_as_pytorch(tmp_path / "all.pth", squeezenet)
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        network_weights.importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "torch" else find_spec(name, *rest),
    )
    assert score(tmp_path / "all.npz") > 0
    for source in (file, None):
        with pytest.raises(ImportError, match=r"\.npz.*pip install torch$"):
            LPIPS("squeeze", source)


def test_every_official_file_has_a_checksum_that_fits_its_name():
    for files in OFFICIAL.values():
        for address, checksum in files.items():
            assert address.startswith("https://") and len(checksum) == 64
            stem = address.rsplit("/", 1)[-1].removesuffix(".pth")
            if "-" in stem:  # PyTorch's own check: the first digits are in the name
                assert checksum.startswith(stem.rsplit("-", 1)[-1])


def test_wrong_files_are_refused(squeezenet, tmp_path):
    with pytest.raises(
        FileNotFoundError, match="not found: .*absent.npz.*Rec.*absent.npz"
    ):
        pretrained_weights("lpips_alex", tmp_path / "absent.npz")
    np.savez(tmp_path / "squeeze.npz", **squeezenet)
    with pytest.raises(ValueError, match="not the weights of lpips_vgg.*Received: "):
        LPIPS("vgg", tmp_path / "squeeze.npz")
    with pytest.raises(ValueError, match="not the weights of inception_v3.*Rec"):
        InceptionV3Features(768, tmp_path / "squeeze.npz")
    shape = {**squeezenet, "features.0.weight": np.zeros((64, 3, 5, 5))}
    np.savez(tmp_path / "shape.npz", **shape)
    with pytest.raises(ValueError, match="`features.0` needs shapes.*5, 5, 3, 64"):
        LPIPS("squeeze", tmp_path / "shape.npz")
    np.savez(
        tmp_path / "head.npz", **{**squeezenet, "lin3.weight": np.ones((1, 9, 1, 1))}
    )
    with pytest.raises(ValueError, match="`lin3.weight` needs 384.*9 values"):
        LPIPS("squeeze", tmp_path / "head.npz")
