"""Presets on the page, described for its users."""

import pathlib
import re
from typing import Any, NamedTuple

from keras_indi import presets
from keras_indi.presets import read_metadata
from keras_indi.schedules import ConstantNoise

WITHOUT_NOISE = repr(ConstantNoise(0.0))  # as metadata say it
STEPS = re.compile(r"(\d+) steps?")  # the row names in a card
# Abbreviations in the cards of the shipped presets.
DATA_SETS = {
    "set5": "Set5",
    "set14": "Set14",
    "kodak24": "Kodak",
    "cbsd68": "CBSD68",
    "polyu100": "PolyU",
    "city100": "City100",
    "jpeg q15": "JPEG of quality 15",
    "noise sigma 25": "noise of sigma 25",
    "defocus radius 1-5": "defocus with a radius of 1 to 5 pixels",
    "bicubic x4": "reduced to a quarter of the width and height",
}


class TradeOff(NamedTuple):
    """Scores of a preset at several numbers of steps.

    Attributes:
        data: String, name of the evaluation images.
        points: List of triples of steps, PSNR in dB and LPIPS, by steps.
        degraded: Pair of PSNR and LPIPS of the degraded images, or `None`.
    """

    data: str
    points: list[tuple[int, float, float]]
    degraded: tuple[float, float] | None


class PresetChoice:
    """A preset that a page offers.

    Args:
        name: String, what users see; no path of the machine.
        metadata: Dict, as returned by `read_metadata`; empty for a `.keras` file.
        handle: String, the handle for `load_restorer`. Defaults to the name.

    Attributes:
        name: String.
        handle: String.
        label: String, the task, for the list of presets.
        description: String, one sentence.
        licence: String, of the weights.
        training_terms: List of strings, each a training data set and its terms.
        scale: Int, the factor by which height and width grow.
        draws_differ: Bool, `False` if the path has no noise.
        num_steps: Int, the recommended number of steps.
        trade_off: `TradeOff`, the first one in its card, or `None`.
    """

    def __init__(
        self, name: str, metadata: dict[str, Any], handle: str | None = None
    ) -> None:
        self.name = name
        self.handle = name if handle is None else handle
        task = metadata.get("task")
        self.label = f"{task[0].upper()}{task[1:]}" if task else name
        self.description = metadata.get("description") or "No description."
        self.licence = metadata.get("license") or "not stated"
        self.training_terms = [
            f"{data['name']}: {data['terms']}"
            for data in metadata.get("training_data") or []
        ]
        self.scale = metadata.get("scale") or 1
        self.draws_differ = metadata.get("noise_schedule") != WITHOUT_NOISE
        recommended = metadata.get("recommended") or {}
        self.num_steps = recommended.get("num_steps") or 1
        self.trade_off = _trade_off(metadata.get("held_out_scores") or {})


def shipped_choices() -> dict[str, PresetChoice]:
    """Return a dict from names to the shipped presets that have weights."""
    return {
        name: PresetChoice(name, metadata)
        for name, metadata in presets.list_presets().items()
        if metadata.get("weights_sha256") is not None
    }


def choice_of(handle: str) -> PresetChoice:
    """Return the `PresetChoice` of a preset or a `.keras` file.

    Args:
        handle: String, the handle for `load_restorer`.

    Raises:
        ValueError: If there is no such preset.
    """
    name = handle if "://" in handle else pathlib.Path(handle).resolve().name
    metadata = {} if name.endswith(".keras") else read_metadata(handle)
    return PresetChoice(name, metadata, handle)


def _trade_off(held_out_scores: dict[str, Any]) -> TradeOff | None:
    """Return the scores of the first data set scored at several numbers of steps."""
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for row in held_out_scores.get("scores") or []:
        if {"data", "system", "psnr", "lpips_alex"} <= row.keys():
            scores = found.setdefault(row["data"], {})
            scores[row["system"]] = (row["psnr"], row["lpips_alex"])
    for data, scores in found.items():
        matches = ((STEPS.fullmatch(name), pair) for name, pair in scores.items())
        points = sorted((int(match[1]), *pair) for match, pair in matches if match)
        if len(points) > 1:
            return TradeOff(_in_words(data), points, scores.get("degraded"))
    return None


def _in_words(data: str) -> str:
    """Return a readable name for a data set in a card."""
    names = "|".join(DATA_SETS)
    words = re.sub(rf"\b({names})\b", lambda found: DATA_SETS[found[0]], data)
    return words.replace(" + ", " and ")
