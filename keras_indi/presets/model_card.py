"""Model cards of presets."""

import json

from keras_indi.presets.files import CARD_FILE, METADATA_FILE, read_json, read_text
from keras_indi.presets.handles import locate

# The last line of a generated card, which may be generated again.
MARK = "<!-- Made from metadata.json. Without this line, it is kept as it is. -->"


def card(preset):
    """Return the model card of a preset.

    Args:
        preset: As for `InDI.from_preset`.

    Returns:
        String, Markdown: its README.md, or a card generated from its metadata.

    Raises:
        ValueError: If it is not a preset.

    Example:

    >>> text = keras_indi.presets.card("indi_jpeg_q15")  # Markdown
    """
    folder = locate(preset)
    path = folder / CARD_FILE
    if path.is_file():
        return read_text(path)
    metadata = read_json(folder / METADATA_FILE)
    try:
        return make_card(folder.name, metadata)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(
            f"{METADATA_FILE} must be what `save_to_preset` writes: {error}. Received: "
            f"preset={str(preset)!r}"
        ) from error


def is_handwritten(path):
    """Return whether there is a card that was written or edited by hand."""
    if not path.is_file():
        return False
    return not path.read_text("utf-8", errors="replace").rstrip().endswith(MARK)


def make_card(name, metadata):
    """Generate a card in Markdown, with the header for Hugging Face.

    Args:
        name: The preset's name.
        metadata: Dict, the content of its `metadata.json`.
    """
    blocks = [_header(metadata), f"# {name}", metadata.get("description", "")]
    blocks += metadata.get("notes", [])
    blocks.append(_use(name, metadata))
    blocks.append(_table(("", ""), _facts(metadata)))
    for entry in metadata.get("training_data", []):
        rest = [f"{k}: {v}" for k, v in entry.items() if k not in ("name", "terms")]
        terms = "; ".join([f"terms: {entry['terms']}", *rest])
        blocks.append(f"* Trained on **{entry['name']}** ({terms}).")
    for key in ("training", "degradation"):
        if metadata.get(key):
            blocks += [f"## {key.capitalize()}", _plain(metadata[key])]
    scores = metadata.get("held_out_scores")
    if scores:
        columns = list(dict.fromkeys(key for row in scores["scores"] for key in row))
        rows = [[row.get(column, "") for column in columns] for row in scores["scores"]]
        blocks += ["## Held-out scores", _plain(scores["protocol"])]
        blocks.append(_table(columns, rows))
    return "\n\n".join([*(block for block in blocks if block), MARK]) + "\n"


def _header(metadata):
    lines = ["library_name: keras", "pipeline_tag: image-to-image"]
    lines.append("tags: [keras_indi, image-restoration]")
    if metadata.get("license"):
        lines.append(f"license: {json.dumps(metadata['license'])}")
    return "\n".join(["---", *lines, "---"])


def _use(name, metadata):
    model = metadata.get("model", "InDI")
    if "recommended" not in metadata:
        call = f"unet = keras_indi.models.UNetBackbone.from_preset({json.dumps(name)})"
    elif metadata.get("weights_sha256") is None:
        call = (
            f"model = keras_indi.models.{model}.from_preset("
            f"{json.dumps(name)}, load_weights=False)\n"
            "model.compile()\nmodel.fit(pairs)"
        )
    else:
        call = (
            f"model = keras_indi.models.{model}.from_preset({json.dumps(name)})\n"
            "restored = model.restore(photograph)"
        )
    return f"```python\nimport keras_indi\n\n{call}\n```"


def _facts(metadata):
    recommended = metadata.get("recommended", {})
    weights = "none (an architecture to train)"
    if metadata.get("weights_sha256"):
        size = metadata.get("weights_bytes", 0) / 1e6
        weights = f"{metadata.get('weights_dtype')}, {size:.1f} MB"
    value_range = metadata.get("value_range")
    scale, qualities = metadata.get("scale", 1), metadata.get("jpeg_quality")
    facts = {
        "task": metadata.get("task"),
        "enlarges": f"{scale} times; `scale=1` for images that are already enlarged"
        if scale > 1
        else None,
        "JPEG quality": "{} to {}".format(*qualities) if qualities else None,
        "parameters": f"{metadata.get('parameter_count', 0):,}",
        "weights": weights,
        "licence of the weights": metadata.get("license"),
        "value range": "{:g} to {:g}".format(*value_range) if value_range else None,
        "p(t)": metadata.get("time_distribution"),
        "noise": _noise(metadata),
        "recommended": ", ".join(f"{k}={v}" for k, v in recommended.items()),
        "saved": f"{metadata.get('date_saved')} with keras_indi "
        f"{metadata.get('keras_indi_version')}, Keras {metadata.get('keras_version')}",
    }
    return [(key, value) for key, value in facts.items() if value]


def _noise(metadata):
    """Return the noise schedule, with the unit of its eps."""
    schedule = metadata.get("noise_schedule")
    if "time_distribution" not in metadata or metadata.get("value_range") is None:
        return schedule
    if "noise_unit" in metadata:
        return f"{schedule}, for images in [-1, 1]"
    return f"{schedule}, a fraction of the value range"


def _plain(value):
    """Return text as it is, a dict of plain values as a list, the rest as Python."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and "class_name" not in value:
        return "\n".join(f"* {key}: {_short(value[key])}" for key in value)
    return f"```python\n{_expression(value)}\n```"


def _short(value):
    """Return a plain value in one line, without unset entries."""
    if isinstance(value, dict):
        set_ = {key: _short(entry) for key, entry in value.items() if entry is not None}
        return "; ".join(f"{key} {entry}" for key, entry in set_.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_short, value))
    return value if isinstance(value, str) else json.dumps(value)


def _expression(value, indent=0, name=""):
    """Return a serialized object as its constructor call, formatted like ruff."""
    inner = indent + 4
    if isinstance(value, dict) and "class_name" in value:
        arguments = value.get("config") or {}
        parts = [_expression(arguments[key], inner, f"{key}=") for key in arguments]
        start, end = f"{value['class_name']}(", ")"
    elif isinstance(value, (list, tuple)):
        parts = [_expression(entry, inner) for entry in value]
        start, end = "[", "]"
    else:
        return name + (json.dumps(value) if isinstance(value, str) else repr(value))
    start = name + start
    line = f"{start}{', '.join(parts)}{end}"
    if "\n" not in line and indent + len(line) < 88:
        return line
    lines = "".join(f"{' ' * inner}{part},\n" for part in parts)
    return f"{start}\n{lines}{' ' * indent}{end}"


def _table(columns, rows):
    def line(cells):
        shown = (f"{c:.4g}" if isinstance(c, float) else str(c) for c in cells)
        return "| " + " | ".join(c.replace("|", "\\|") for c in shown) + " |"

    return "\n".join([line(columns), line("---" for _ in columns), *map(line, rows)])
