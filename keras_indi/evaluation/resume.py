"""Finished work of an interrupted evaluation, and the conditions for reusing it."""

import hashlib
import json
import pathlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_indi.evaluation.protocol import running_versions
from keras_indi.images.archives import read_archive, read_record
from keras_indi.images.whole_writes import remove_left_overs, write_text, write_whole

if TYPE_CHECKING:
    from keras_indi.evaluation.named_pairs import NamedPairs
    from keras_indi.evaluation.protocol import Protocol
    from keras_indi.evaluation.scorer import Scorer
    from keras_indi.models.restorer import Restorer

CIRCUMSTANCES = "circumstances.json"
AGAIN = "delete it, and its pair is measured again"


def circumstances(
    pairs: "NamedPairs",
    protocol: "Protocol",
    model: "Restorer | None" = None,
    **settings: Any,
) -> dict[str, Any]:
    """Return the conditions that must be equal for finished work to be reused.

    Args:
        pairs: `NamedPairs`.
        protocol: `Protocol`.
        model: The `keras_indi.models.InDI` that restores, or `None`.
        **settings: Further settings of the restoration.

    Returns:
        JSON-compatible dict.
    """
    found = {}
    if model is not None:
        digest = hashlib.sha256()
        for weight in model.get_weights():
            digest.update(str(weight.shape).encode())
            digest.update(weight.tobytes())
        found = {
            "model": digest.hexdigest(),
            "noise_schedule": repr(getattr(model, "noise_schedule", None)),
            "noise_unit": getattr(model, "noise_unit", None),
            "value_range": getattr(model, "value_range", None),
            "scale": getattr(model, "scale", 1),
            # The defaults of arguments that are not given.
            "restore_defaults": getattr(model, "restore_defaults", None),
            "precision": _precision(model),
        }
    return {
        **found,
        **settings,
        "images": pairs.fingerprint(),
        "protocol": protocol.get_config(),
        "weights": protocol.weight_digests(),
        "versions": running_versions(),
    }


def _precision(model):
    """Return the compute dtypes of the network."""
    layers = getattr(getattr(model, "backbone", None), "layers", ())
    return sorted({str(layer.compute_dtype) for layer in layers})


def check_results(folder: pathlib.Path, names: Iterable[str]) -> None:
    """Raise a ValueError if a folder has the name of a result file.

    Args:
        folder: `pathlib.Path` of the results.
        names: Names of the files that will be written there.
    """
    for path in (folder / name for name in names):
        if path.is_dir():
            raise ValueError(
                "A folder has the name of a result. Move it, or choose another "
                f"`output_dir`. Received: {str(path)!r}"
            )


def claim(folder: pathlib.Path, circumstances: dict[str, Any]) -> None:
    """Claim a folder of finished work for this run, or raise if it is another run's.

    Args:
        folder: `pathlib.Path` of the finished work, inside a locked folder. Temporary
            files of killed runs are removed from both.
        circumstances: Dict, written to the folder.

    Raises:
        ValueError: If the folder has files from other conditions, or their conditions
            cannot be read.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(
            "A file has the name of the folder of scores. Move it, or "
            f"choose another `output_dir`. Received: {str(folder)!r}"
        )
    for locked in (folder.parent, folder):
        remove_left_overs(locked)
    path = folder / CIRCUMSTANCES
    # Through JSON, like the value that it is compared with.
    text = json.dumps(circumstances, indent=2, default=repr)
    here = json.loads(text)
    there = {}
    if path.exists():
        there = read_record(
            path,
            "how the finished work was measured",
            "delete its folder, whose work is then done again, or choose another",
        )
    if here == there:
        return
    if not there and any(folder.glob("*")):
        raise ValueError(
            f"The folder holds finished work without {CIRCUMSTANCES}, which describes "
            "how it was measured. Delete it, or choose another `output_dir`. "
            f"Received: {str(folder)!r}"
        )
    if any(file != path for file in folder.glob("*")):
        changed = [key for key in {**here, **there} if here.get(key) != there.get(key)]
        raise ValueError(
            "The folder holds results that were measured with another "
            f"{', '.join(changed)}; use another folder, or delete it. Received: "
            f"output_dir={str(folder.parent)!r}"
        )
    write_text(path, text + "\n")


class FinishedPairs:
    """Pairs that are already measured, with one file per pair.

    A file holds the pair's scores and, for FID and KID, the features of both images
    (32 kB at 2048 dimensions). A finished pair is not read, restored or scored again.

    Args:
        folder: `pathlib.Path`, or `None` to save nothing.
    """

    def __init__(self, folder: pathlib.Path | None = None) -> None:
        self._folder = folder

    def __contains__(self, index):
        return self._folder is not None and self._path(index).exists()

    def save(
        self,
        index: int,
        scores: dict[str, float],
        features: dict[str, np.ndarray],
        name: str = "",
    ) -> None:
        """Save the result of `Scorer.measure` for a pair, with the pair's name."""
        if self._folder is None:
            return

        def save(partial):
            kept = {f"score_{name}": value for name, value in scores.items()}
            kept |= {f"features_{name}": value for name, value in features.items()}
            np.savez(partial, **kept, pair=np.array(name))

        write_whole(self._path(index), save)

    def load(
        self, index: int, scorer: "Scorer | None" = None, name: str = ""
    ) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        """Load what `save` has written.

        Args:
            index: Int.
            scorer: `Scorer` whose scores and features the file must hold.
            name: String, the pair's name.

        Raises:
            ValueError: If the file is damaged, or holds other scores or another pair.
        """
        scores: dict[str, Any] = {}
        features: dict[str, np.ndarray] = {}
        path = self._path(index)
        found = read_archive(path, AGAIN)
        of_pair = str(found.pop("pair", name))  # not saved by version 0.2
        if of_pair != name:
            raise ValueError(
                f"The file is of another pair; {AGAIN}. Received: {str(path)!r} of "
                f"{of_pair!r} for {name!r}"
            )
        for key, value in found.items():
            kind, _, name = key.partition("_")
            if kind in ("score", "figure"):  # "figure" in version 0.1
                scores[name] = float(value) if value.shape == () else value
            else:
                features[name] = value
        if scorer is not None and not scorer.measures(scores, features):
            raise ValueError(
                f"The file holds other scores than these; {AGAIN}. Received: "
                f"{str(path)!r} with {sorted({*scores, *features})}"
            )
        return scores, features

    def _path(self, index):
        return self._folder / f"{index:06d}.npz"
