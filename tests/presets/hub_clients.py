"""Stand-ins for the hubs' clients, which take what the real functions take."""

import inspect
import pathlib
import shutil
import types

import huggingface_hub
import kagglehub

# The real functions, whose arguments the stand-ins must be able to take.
REAL = {
    function.__name__: inspect.signature(function)
    for function in (
        huggingface_hub.snapshot_download,
        huggingface_hub.create_repo,
        huggingface_hub.upload_folder,
        kagglehub.model_download,
        kagglehub.model_upload,
    )
}


class Hub:
    """Folders by name, reached by either client's functions.

    Args:
        folder: Path of an empty folder, where the hub keeps all.
    """

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.calls = []
        self.failure = None

    def clients(self):
        """Dict of module names to stand-in modules."""
        found = {"huggingface_hub": {}, "kagglehub": {}}
        for name in ("snapshot_download", "create_repo", "upload_folder"):
            found["huggingface_hub"][name] = self._function(name)
        for name in ("model_download", "model_upload"):
            found["kagglehub"][name] = self._function(name)
        return {name: types.SimpleNamespace(**f) for name, f in found.items()}

    def _function(self, name):
        def function(*args, **kwargs):
            arguments = REAL[name].bind(*args, **kwargs).arguments
            self.calls.append((name, arguments))
            if self.failure is not None:
                raise self.failure
            return getattr(self, f"_{name}")(**arguments)

        return function

    def _snapshot_download(self, repo_id, allow_patterns, revision=None):
        return str(self._there(repo_id))

    def _create_repo(self, repo_id, exist_ok):
        assert exist_ok
        name = repo_id if "/" in repo_id else f"me/{repo_id}"
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        return types.SimpleNamespace(repo_id=name)

    def _upload_folder(
        self, repo_id, folder_path, allow_patterns, delete_patterns, commit_message
    ):
        for name in allow_patterns:
            if (pathlib.Path(folder_path) / name).is_file():
                shutil.copy(pathlib.Path(folder_path) / name, self.folder / repo_id)
        for name in delete_patterns or []:
            (self.folder / repo_id / name).unlink(missing_ok=True)

    def _model_download(self, handle):
        return str(self._there(handle))

    def _model_upload(self, handle, local_model_dir):
        shutil.copytree(local_model_dir, self.folder / handle, dirs_exist_ok=True)

    def _there(self, name):
        if not (self.folder / name).is_dir():
            raise RuntimeError(f"404: there is no {name}")
        return self.folder / name
