"""Presets on hubs, by stand-ins for the clients' own functions."""

import builtins
import os
import shutil
import sys
import types

import numpy as np
import pytest
from helpers import tiny_unet
from presets.hub_clients import Hub

import keras_indi
from keras_indi.models import UNetBackbone
from keras_indi.presets import upload_preset

pytestmark = pytest.mark.backend_free

NAMES = {
    "hf": "hf://user/denoise",
    "kaggle": "kaggle://user/denoise/keras/small",
    "gs": "gs://bucket/models/denoise",
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("presets") / "denoise"
    model = keras_indi.models.InDI(tiny_unet())
    model.save_to_preset(folder, {"task": "noise"})
    (folder / "secrets.txt").write_text("not to be uploaded")
    return folder


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub behind all three clients."""
    found = Hub(tmp_path / "hub")
    for name, client in found.clients().items():
        monkeypatch.setitem(sys.modules, name, client)
    fsspec = pytest.importorskip("fsspec")
    from fsspec.implementations.dirfs import DirFileSystem
    from fsspec.implementations.local import LocalFileSystem

    # Google's file system is one of fsspec's, as the local one is.
    (tmp_path / "hub").mkdir()
    local = LocalFileSystem(auto_mkdir=True)
    storage = DirFileSystem(str(tmp_path / "hub"), fs=local)

    def filesystem(protocol):
        assert protocol == "gs"
        if found.failure is not None:
            raise found.failure
        return storage

    monkeypatch.setattr(fsspec, "filesystem", filesystem)
    monkeypatch.setitem(sys.modules, "gcsfs", types.ModuleType("gcsfs"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return found


@pytest.mark.parametrize("scheme", NAMES)
def test_what_is_uploaded_is_loaded_again(hub, saved, scheme):
    keras_indi.models.InDI.upload_preset(NAMES[scheme], saved)
    uploaded = [name for _, _, names in os.walk(hub.folder) for name in names]
    assert sorted(uploaded) == sorted(set(os.listdir(saved)) - {"secrets.txt"})

    found = UNetBackbone.from_preset(NAMES[scheme])
    for weight, other in zip(found.get_weights(), tiny_unet().get_weights()):
        np.testing.assert_array_equal(weight, other)
    assert keras_indi.presets.read_metadata(NAMES[scheme])["task"] == "noise"
    assert keras_indi.presets.card(NAMES[scheme]).count("# denoise") == 1


@pytest.mark.parametrize("scheme", ["hf", "kaggle"])
def test_a_slash_at_the_end_is_no_part_of_a_name(hub, saved, scheme):
    upload_preset(NAMES[scheme] + "/", saved)
    UNetBackbone.from_preset(NAMES[scheme] + "/")
    for _, arguments in hub.calls:
        assert NAMES[scheme].split("://")[1] in arguments.values()


def test_hugging_face_gets_the_revision_and_loses_old_files(hub, saved, tmp_path):
    upload_preset("hf://denoise", saved)  # of one's own account
    assert os.listdir(hub.folder / "me/denoise")
    UNetBackbone.from_preset("hf://me/denoise@v1.2")
    name, arguments = hub.calls[-1]
    assert name == "snapshot_download" and arguments["revision"] == "v1.2"

    tiny_unet().save_to_preset(tmp_path / "backbone")
    upload_preset("hf://me/denoise", tmp_path / "backbone")
    assert "task.json" not in os.listdir(hub.folder / "me/denoise")


def test_storage_is_read_again_only_after_a_change(hub, saved, tmp_path):
    upload_preset(NAMES["gs"], saved)
    first = UNetBackbone.from_preset(NAMES["gs"])
    cached = tmp_path / "home/keras_indi/gs/bucket/models/denoise"
    weights = cached / "model.weights.h5"
    before = weights.stat().st_mtime_ns
    UNetBackbone.from_preset(NAMES["gs"])
    assert weights.stat().st_mtime_ns == before

    tiny_unet(seed=5).save_to_preset(tmp_path / "other")
    upload_preset(NAMES["gs"], tmp_path / "other")
    second = UNetBackbone.from_preset(NAMES["gs"])
    assert np.abs(second.get_weights()[0] - first.get_weights()[0]).max() > 0.1
    assert not (cached / "task.json").exists()
    assert not (hub.folder / "bucket/models/denoise/task.json").exists()
    assert os.listdir(cached.parent) == ["denoise"]


def test_a_download_that_breaks_off_leaves_what_was_there(hub, saved, monkeypatch):
    upload_preset(NAMES["gs"], saved)
    UNetBackbone.from_preset(NAMES["gs"])
    (hub.folder / "bucket/models/denoise/metadata.json").write_text("{}")
    from fsspec.implementations.dirfs import DirFileSystem

    complete = DirFileSystem.get_file

    def breaks_off(self, source, target, **kwargs):
        complete(self, source, target, **kwargs)
        if source.endswith("task.json"):
            raise ConnectionResetError("reset by peer")

    monkeypatch.setattr(DirFileSystem, "get_file", breaks_off)
    with pytest.raises(OSError, match="reset by peer.*Received: preset='gs://"):
        UNetBackbone.from_preset(NAMES["gs"])
    shutil.copy(
        saved / "metadata.json", hub.folder / "bucket/models/denoise/metadata.json"
    )
    UNetBackbone.from_preset(NAMES["gs"])  # from the cache: nothing is fetched


@pytest.mark.parametrize("scheme", NAMES)
def test_a_hub_that_fails_is_told(hub, saved, scheme):
    with pytest.raises(OSError, match="could not be downloaded"):
        UNetBackbone.from_preset(NAMES[scheme])  # not there
    hub.failure = PermissionError("401: log in")
    with pytest.raises(OSError, match="could not be downloaded: 401: log in"):
        UNetBackbone.from_preset(NAMES[scheme])
    with pytest.raises(OSError, match="could not be uploaded: 401: log in"):
        upload_preset(NAMES[scheme], saved)


@pytest.mark.parametrize("scheme", NAMES)
def test_what_is_there_must_be_a_preset(hub, scheme):
    folder = hub.folder / NAMES[scheme].split("://")[1]
    folder.mkdir(parents=True)
    (folder / "metadata.json").write_text("{}")
    with pytest.raises(ValueError, match="lacks config.json.*Received: preset="):
        UNetBackbone.from_preset(NAMES[scheme])


@pytest.mark.parametrize(
    "handle",
    [
        "hf://name",
        "hf://user/name/file",
        "hf://",
        "kaggle://user/model",
        "kaggle://user/model/keras/small@1",
        "gs://",
        "gs://bucket/../other",
    ],
)
def test_handles_of_another_form(hub, handle):
    with pytest.raises(
        ValueError, match=f"of this hub must be '{handle.split(':')[0]}://"
    ):
        UNetBackbone.from_preset(handle)
    assert not hub.calls


def test_uploads_of_another_form(hub, saved, tmp_path):
    for uri in ("denoise", "s3://bucket/denoise", "", 5):
        with pytest.raises(ValueError, match="one of 'hf://.*Received: uri="):
            upload_preset(uri, saved)
    for uri in ("hf://a/b/c", "kaggle://a/b", "kaggle://a/b/keras/c/1", "hf://a/b@c"):
        with pytest.raises(ValueError, match="must be '.*Received: uri="):
            upload_preset(uri, saved)
    with pytest.raises(ValueError, match="`save_to_preset` wrote"):
        upload_preset("hf://user/name", tmp_path)
    damaged = shutil.copytree(saved, tmp_path / "damaged")
    (damaged / "model.weights.h5").write_bytes(b"")
    with pytest.raises(ValueError, match="damaged.*Received: preset_dir="):
        upload_preset("hf://user/name", damaged)
    assert not hub.calls


@pytest.mark.parametrize("scheme", NAMES)
def test_a_missing_client_is_told_with_what_mends_it(monkeypatch, saved, scheme):
    for name in ("huggingface_hub", "kagglehub", "gcsfs"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    plain = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] in ("huggingface_hub", "kagglehub", "gcsfs"):
            raise ImportError(f"No module named {name}")
        return plain(name, *args, **kwargs)

    monkeypatch.setattr("importlib.import_module", without)
    with pytest.raises(ImportError, match=r'pip install "keras-indi\[hub\]"$'):
        UNetBackbone.from_preset(NAMES[scheme])
    with pytest.raises(ImportError, match=r'pip install "keras-indi\[hub\]"$'):
        upload_preset(NAMES[scheme], saved)
