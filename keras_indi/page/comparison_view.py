"""A before and after view with a divider for mouse, touch and keyboard."""

import html
import pathlib
import urllib.parse

from keras_indi.page.texts import spread_text
from keras_indi.page.view import View

MOVE = "this.closest('.compare').style.setProperty('--divider', this.value + '%')"
CHOOSE = "this.closest('.compare').querySelector('.after').src = this.value"
# Shows the middle of what is larger than its frame, where the divider is.
ZOOM = (
    "const c = this.closest('.compare'), f = c.querySelector('.frame'); "
    "c.classList.toggle('actual', this.checked); "
    "f.scrollLeft = (f.scrollWidth - f.clientWidth) / 2; "
    "f.scrollTop = (f.scrollHeight - f.clientHeight) / 2"
)

STYLE = """
.compare { --divider: 50%; display: grid; grid-template-columns: minmax(0, 1fr); }
.compare .frame { overflow: auto; max-width: 100%; text-align: center; }
.compare .stack { position: relative; display: inline-block; max-width: 100%;
  line-height: 0; }
.compare .stack img { max-width: 100%; max-height: 75vh; margin: 0; }
.compare .before { position: absolute; inset: 0; width: 100%; height: 100%;
  clip-path: inset(0 calc(100% - var(--divider)) 0 0); }
.compare .divider { position: absolute; top: 0; bottom: 0; left: var(--divider);
  width: 3px; margin-left: -1px; background: white; box-shadow: 0 0 3px black;
  pointer-events: none; }
.compare .divider::after { content: "\\2194"; position: absolute; top: 50%;
  left: 50%; transform: translate(-50%, -50%); width: 2rem; line-height: 2rem;
  border-radius: 50%; text-align: center; color: black; background: white;
  box-shadow: 0 0 3px black; }
.compare input[type=range] { position: absolute; inset: 0; width: 100%; height: 100%;
  margin: 0; opacity: 0; cursor: ew-resize; touch-action: pan-y; appearance: none; }
.compare input[type=range]::-webkit-slider-thumb { width: 1px; appearance: none; }
.compare input[type=range]::-moz-range-thumb { width: 1px; border: 0; }
.compare input[type=range]:focus-visible + .divider { outline: 3px solid #c2410c; }
.compare.actual .frame { max-height: 80vh; text-align: left; }
.compare.actual .stack, .compare.actual .stack img { max-width: none;
  max-height: none; }
.compare .tools { display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem;
  align-items: center; padding: 0.5rem 0; }
.compare .side { position: absolute; top: 0.5rem; padding: 0.2rem 0.5rem; color: white;
  background: rgb(0 0 0 / 60%); line-height: 1.2; pointer-events: none;
  font-size: 0.85rem; box-sizing: border-box; max-width: 50%; overflow: hidden; }
.compare figure { margin: 1rem 0; text-align: center; }
.compare figure img { max-width: 100%; max-height: 60vh; margin: 0 auto; }
"""


def comparison_view(view: View) -> str:
    """Return the pictures of a `View` as HTML, laid out by `STYLE`.

    Args:
        view: `View`, whose pictures the page may serve.
    """
    before, after = _address(view.before), _address(view.after)
    shown = "the photograph" if view.is_whole else "the centre"
    parts = [
        '<div class="compare"><div class="frame" tabindex="0" role="group" '
        f'aria-label="Before and after, {shown}"><div class="stack">',
        f'<img class="after" src="{after}" alt="After: {shown}, restored">',
        f'<img class="before" src="{before}" alt="Before: {shown}, as uploaded">',
        '<input type="range" min="0" max="100" value="50" step="1" '
        f'aria-label="Divider: percent that shows before" oninput="{MOVE}">',
        '<div class="divider"></div>',
        '<span class="side" style="left: 0.5rem">before</span>',
        '<span class="side" style="right: 0.5rem">after</span>',
        '</div></div><div class="tools">',
        f'<label><input type="checkbox" onchange="{ZOOM}"> Actual pixels</label>',
    ]
    if view.draws:
        options = "".join(
            f'<option value="{_address(path)}">draw {number}</option>'
            for number, path in enumerate(view.draws, 1)
        )
        select = f'<select onchange="{CHOOSE}">{options}</select>'
        parts.append(f"<label>After: {select}</label>")
    parts.append("</div>")
    if view.spread is not None:
        caption = html.escape(spread_text(view))
        parts.append(
            f'<figure><img class="spread" src="{_address(view.spread)}" '
            f'alt="Map of the spread of the draws"><figcaption>{caption}</figcaption>'
            "</figure>"
        )
    return "".join([*parts, "</div>"])


def _address(path: pathlib.Path) -> str:
    """Return the URL at which Gradio serves a file, relative to the page."""
    return f"gradio_api/file={html.escape(urllib.parse.quote(path.as_posix()))}"
