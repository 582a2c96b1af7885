"""Hubs of presets: Hugging Face, Kaggle and Google Cloud Storage."""

import os
import pathlib
import shutil
import tempfile
from types import ModuleType

from keras_indi.images.whole_writes import move_into_place, temporary_beside
from keras_indi.optional_packages import optional_import
from keras_indi.presets.files import FILES, METADATA_FILE, is_preset, read_json
from keras_indi.presets.weights import check_checksum


def download(handle):
    """Download a preset from a hub, or use the cached copy.

    Args:
        handle: String, `"hf://user/name"` (`"hf://user/name@revision"`),
            `"kaggle://user/model/keras/variant"` (`.../version`) or
            `"gs://bucket/folder"`.

    Returns:
        `pathlib.Path` of the complete local folder.

    Raises:
        ValueError: If the handle does not have the form of its scheme.
        ImportError: If the hub's client is not installed.
        OSError: If the hub refuses, or cannot be reached.
    """
    scheme, _, name = handle.partition("://")
    fetch, _, form, sizes = SCHEMES[scheme]
    name, _, revision = name.partition("@")
    named_well = _parts(name) in sizes and (scheme == "hf" or not revision)
    if not named_well:
        raise ValueError(
            f"A preset of this hub must be '{form}'. Received: preset={handle!r}"
        )
    try:
        return pathlib.Path(fetch(name.rstrip("/"), revision or None))
    except ImportError:
        raise
    # Each client has its own errors for networks, permissions and names.
    except Exception as error:
        raise OSError(
            f"The preset could not be downloaded: {error or type(error).__name__}. "
            f"Received: preset={handle!r}"
        ) from error


def upload_preset(uri, preset_dir):
    """Upload a saved preset to a hub.

    Args:
        uri: String, `"hf://user/name"` or `"hf://name"`, whose repository is created if
            necessary; `"kaggle://user/model/keras/variant"`; or
            `"gs://bucket/folder"`. Uses the log-in of the hub's client.
        preset_dir: Path of a folder written by `save_to_preset`. Only the files of the
            preset are uploaded.

    Raises:
        ValueError: If the URI is not valid, the folder is not a preset, or the weights
            are damaged.
        ImportError: If the hub's client is not installed.
        OSError: If the hub refuses, or cannot be reached.

    Example:

    ```python
    model.save_to_preset("my_preset")
    keras_indi.presets.upload_preset("hf://user/my_preset", "my_preset")
    ```
    """
    scheme, _, name = str(uri).partition("://")
    _, send, form, sizes = SCHEMES.get(scheme, (None, None, None, ()))
    if send is None:
        forms = ", ".join(f"'{form}'" for _, _, form, _ in SCHEMES.values())
        raise ValueError(f"`uri` must be one of {forms}. Received: uri={uri!r}")
    # Hugging Face takes a name without a user for one's own; Kaggle numbers versions.
    allowed = {"hf": (1, 2), "kaggle": (4,)}.get(scheme, sizes)
    if "@" in name or _parts(name) not in allowed:
        raise ValueError(f"`uri` must be '{form}'. Received: uri={uri!r}")
    folder = pathlib.Path(preset_dir)
    if not is_preset(folder):
        raise ValueError(
            "`preset_dir` must be a folder that `save_to_preset` wrote. Received: "
            f"preset_dir={str(preset_dir)!r}"
        )
    check_checksum(
        folder, read_json(folder / METADATA_FILE), f"preset_dir={str(preset_dir)!r}"
    )
    try:
        send(name.rstrip("/"), folder)
    except ImportError:
        raise
    except Exception as error:
        raise OSError(
            f"The preset could not be uploaded: {error or type(error).__name__}. "
            f"Received: uri={uri!r}"
        ) from error


# === Hugging Face ===


def _download_hf(name, revision):
    return _client("huggingface_hub").snapshot_download(
        name, revision=revision, allow_patterns=list(FILES)
    )


def _upload_hf(name, folder):
    client = _client("huggingface_hub")
    repository = client.create_repo(name, exist_ok=True)
    # One commit: the files change together, or not at all. What the folder has no
    # more, goes.
    client.upload_folder(
        repo_id=repository.repo_id,
        folder_path=folder,
        allow_patterns=list(FILES),
        delete_patterns=[f for f in FILES if not (folder / f).is_file()] or None,
        commit_message="Upload preset",
    )


# === Kaggle ===


def _download_kaggle(name, _):
    return _client("kagglehub").model_download(name)


def _upload_kaggle(name, folder):
    client = _client("kagglehub")
    with tempfile.TemporaryDirectory() as only:
        for file_name in FILES:
            if (folder / file_name).is_file():
                shutil.copy(folder / file_name, only)
        client.model_upload(name, only)


# === Google Cloud Storage ===


def _download_gs(name, _):
    files = _storage()
    base = pathlib.Path(os.environ.get("KERAS_HOME", pathlib.Path.home() / ".keras"))
    folder = base / "keras_indi" / "gs" / name
    metadata = files.cat_file(f"{name}/{METADATA_FILE}")
    if is_preset(folder) and (folder / METADATA_FILE).read_bytes() == metadata:
        return folder  # the metadata holds the weights' checksum
    with temporary_beside(folder) as whole:
        whole.mkdir()
        there = {path.rsplit("/", 1)[-1] for path in files.ls(name, detail=False)}
        for file_name in FILES:
            if file_name in there:
                files.get_file(f"{name}/{file_name}", str(whole / file_name))
        shutil.rmtree(folder, ignore_errors=True)
        move_into_place(whole, folder)
    return folder


def _upload_gs(name, folder):
    files = _storage()
    for file_name in FILES:  # the metadata last
        place = f"{name}/{file_name}"
        if (folder / file_name).is_file():
            files.put_file(str(folder / file_name), place)
        elif files.exists(place):
            files.rm_file(place)


def _storage():
    _client("gcsfs")
    return _client("fsspec").filesystem("gs")


def _client(name: str) -> ModuleType:
    return optional_import(name, extra="hub", purpose="This hub")


def _parts(name):
    """Return the number of parts of a path; 0 if a part is empty or leads up."""
    parts = name.rstrip("/").split("/")
    return 0 if {"", ".", ".."} & set(parts) else len(parts)


# By scheme: how to download, how to upload, the form of a handle, and how many parts
# separated by slashes it has.
SCHEMES = {
    "hf": (_download_hf, _upload_hf, "hf://user/name", (2,)),
    "kaggle": (
        _download_kaggle,
        _upload_kaggle,
        "kaggle://user/model/keras/variant",
        (4, 5),
    ),
    "gs": (_download_gs, _upload_gs, "gs://bucket/folder", range(1, 100)),
}
