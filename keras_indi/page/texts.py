"""Texts of the page about presets, files and results."""

import html
from typing import Any

from keras_indi.images.decoding import ImageInfo
from keras_indi.page.preset_choice import PresetChoice
from keras_indi.page.trade_off_picture import trade_off_picture
from keras_indi.page.view import View

_WELCOME = """# Restore a photograph

Upload a photograph, choose what to remove, and set the number of steps. The restored
file keeps the photograph's metadata, bits and colour profile. Nothing is sent
elsewhere, and uploads are deleted after {keep}."""


REFUSAL = 'class="refusal"'
WAITING = "<p>The restored photograph appears here.</p>"
WORKING = "<p>Restoring. Large photographs show their centre first.</p>"


def welcome(keep_seconds: int) -> str:
    """Return the introduction, as Markdown."""
    hours, minutes = divmod(round(keep_seconds / 60), 60)
    parts = [(hours, "hour"), (minutes, "minute")]
    kept = " and ".join(_count(n, noun) for n, noun in parts if n)
    return _WELCOME.format(keep=kept or _count(keep_seconds, "second"))


def preset_text(choice: PresetChoice) -> str:
    """Return the purpose and licence of a preset, as HTML."""
    lines = [html.escape(choice.description)]
    if choice.scale > 1:
        lines.append(
            f"Restored photographs are {choice.scale} times as high and as wide."
        )
    lines.append(
        f"Preset <code>{html.escape(choice.name)}</code>. Licence of its weights: "
        f"<b>{html.escape(choice.licence)}</b>."
    )
    text = "".join(f"<p>{line}</p>" for line in lines)
    if choice.training_terms:
        terms = "".join(
            f"<li>{html.escape(data)}</li>" for data in choice.training_terms
        )
        text += f"<details><summary>Trained on</summary><ul>{terms}</ul></details>"
    return text


def dial_picture(choice: PresetChoice, num_steps: int) -> str:
    """Return the trade-off curve of a preset at a number of steps, as HTML."""
    if choice.trade_off is None:
        return "<p>This preset's card has no scores at several numbers of steps.</p>"
    data = html.escape(choice.trade_off.data)
    return (
        f"<figure style='margin: 0'>{trade_off_picture(choice.trade_off, num_steps)}"
        "<figcaption>Scores by the number of steps, from this preset's card. "
        f"Measured on test photographs: {data}. "
        f"Recommended: {_count(choice.num_steps, 'step')}.</figcaption></figure>"
    )


def draws_setting(choice: PresetChoice) -> dict[str, Any]:
    """Return the arguments of the slider for the number of draws."""
    if choice.draws_differ:
        info = "Several restorations of one photograph, and a map of where they differ."
    else:
        info = "This preset adds no noise: all its draws would be equal."
    return {"value": 1, "interactive": choice.draws_differ, "info": info}


def file_text(info: ImageInfo) -> str:
    """Return a description of an uploaded file."""
    colours = "colour" if info.channels == 3 else "grey"
    alpha = ", alpha" if info.has_alpha else ""
    return (
        f"{info.format}, {info.width} x {info.height} pixels, {colours}, "
        f"{info.bits} bits{alpha}"
    )


def result_text(view: View, preset: str, num_steps: int) -> str:
    """Return a summary as HTML; screen readers announce it when it changes."""
    size = f"{view.width} x {view.height} pixels"
    if view.is_whole:
        texts = [
            f"<b>Restored in {view.seconds:.1f} s</b> by "
            f"<code>{html.escape(preset)}</code>, {_count(num_steps, 'step')}: {size}, "
            f"{_count(len(view.outputs), 'file')}. Move the divider to compare; with "
            "the keyboard, use the arrow keys.",
            *(f"Note: {html.escape(note)}." for note in view.notes),
        ]
    else:
        texts = [f"<b>The centre, {size}.</b> The whole photograph follows."]
    return f'<div role="status">{"".join(f"<p>{text}</p>" for text in texts)}</div>'


def spread_text(view: View) -> str:
    """Return the legend of the spread map."""
    return (
        "Spread of the draws: black where they agree, bright where they differ, by "
        f"up to {view.largest_spread:.1f} of 255 grey levels (standard deviation)"
    )


def is_refusal(text: str | None) -> bool:
    """Return whether a text comes from `refusal`."""
    return text is not None and REFUSAL in text


def refusal(message: str) -> str:
    """Return the reason of a refusal as HTML; screen readers announce it at once."""
    return f'<div role="alert" {REFUSAL}>{html.escape(message)}</div>'


def _count(number, noun):
    return f"{number} {noun}{'' if number == 1 else 's'}"
