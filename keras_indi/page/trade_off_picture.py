"""Trade-off curve of a preset, next to the steps slider."""

import html
import math

from keras_indi.page.preset_choice import TradeOff

WIDTH, HEIGHT = 360, 200
LEFT, RIGHT, TOP, BOTTOM = 52, 20, 14, 40  # margins of the axes


def trade_off_picture(trade_off: TradeOff, num_steps: int) -> str:
    """Draw PSNR against LPIPS for all numbers of steps, and mark the chosen one.

    Args:
        trade_off: `TradeOff`.
        num_steps: Int, the chosen number. Between measured numbers, the mark lies on
            the line that joins them.

    Returns:
        String, an SVG element in the page's colours, with a text for screen readers.
    """
    places = [(lpips, psnr) for _, psnr, lpips in trade_off.points]
    x_axis, y_axis = (
        _Axis(values, low, high)
        for values, low, high in zip(
            zip(*places), (LEFT, HEIGHT - BOTTOM), (WIDTH - RIGHT, TOP)
        )
    )
    dots = [(x_axis.place(lpips), y_axis.place(psnr)) for lpips, psnr in places]
    steps = [point[0] for point in trade_off.points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
    parts = [
        _line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM),
        _line(LEFT, TOP, LEFT, HEIGHT - BOTTOM),
        *(
            _text(x_axis.place(v), HEIGHT - BOTTOM + 14, f"{v:.3f}")
            for v in x_axis.ticks
        ),
        *(
            _text(LEFT - 6, y_axis.place(v) + 4, f"{v:.1f}", "end")
            for v in y_axis.ticks
        ),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "LPIPS, lower is more natural"),
        f'<g transform="rotate(-90 12 {(TOP + HEIGHT - BOTTOM) / 2})">'
        + _text(12, (TOP + HEIGHT - BOTTOM) / 2, "PSNR in dB, higher is closer")
        + "</g>",
        '<polyline fill="none" stroke="currentColor" stroke-width="1.5" '
        f'stroke-opacity="0.6" points="{line}"/>',
    ]
    for count, (x, y) in zip(steps, dots):
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="currentColor"/>')
        parts.append(_text(x + 6, y - 6, str(count), "start"))
    x, y = _between(steps, dots, num_steps)
    parts.append(
        f'<circle class="chosen" cx="{x:.1f}" cy="{y:.1f}" r="7" fill="none" '
        'stroke="var(--color-accent, #c2410c)" stroke-width="3"/>'
    )
    label = html.escape(_in_words(trade_off, num_steps), quote=True)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}" '
        f'style="width: 100%; max-width: {WIDTH}px; font: 11px system-ui, sans-serif">'
        f"{''.join(parts)}</svg>"
    )


class _Axis:
    """A linear axis between two coordinates, with a margin.

    Args:
        values: Tuple of floats.
        low: Number, the coordinate of the start of the axis.
        high: Number, the coordinate of its end.

    Attributes:
        ticks: Tuple of the smallest and the largest value.
    """

    def __init__(self, values, low, high):
        self.ticks = min(values), max(values)
        margin = 0.08 * ((self.ticks[1] - self.ticks[0]) or 1.0)
        self._begin = self.ticks[0] - margin
        self._scale = (high - low) / (self.ticks[1] + margin - self._begin)
        self._low = low

    def place(self, value):
        """Return the coordinate of a value."""
        return self._low + (value - self._begin) * self._scale


def _between(steps, dots, num_steps):
    """Interpolate a point on the line, linearly in the logarithm of the steps."""
    num_steps = min(max(num_steps, steps[0]), steps[-1])
    above = next(index for index, count in enumerate(steps) if count >= num_steps)
    if steps[above] == num_steps:
        return dots[above]
    low, high = steps[above - 1], steps[above]
    part = math.log(num_steps / low) / math.log(high / low)
    pairs = zip(dots[above - 1], dots[above])
    return tuple((1 - part) * before + part * after for before, after in pairs)


def _in_words(trade_off, num_steps):
    rows = [
        f"{steps} {'step' if steps == 1 else 'steps'}: {psnr:.2f} dB, LPIPS {lpips:.3f}"
        for steps, psnr, lpips in trade_off.points
    ]
    return f"Scores on {trade_off.data}. {'; '.join(rows)}. Chosen: {num_steps}."


def _line(x1, y1, x2, y2):
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="currentColor" '
        'stroke-opacity="0.4"/>'
    )


def _text(x, y, text, anchor="middle"):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor">'
        f"{html.escape(text)}</text>"
    )
