"""Contact sheets, score plots and heat maps."""

import itertools
import math
import re
from collections import defaultdict
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_indi.annotations import ValueLimits
from keras_indi.evaluation.protocol import higher_is_better
from keras_indi.evaluation.settings import mean_over_seeds, short_name
from keras_indi.optional_packages import optional_import

if TYPE_CHECKING:
    import PIL.Image

    from keras_indi.evaluation.table import Table

MARGIN = 8  # pixels between the images
LABEL_HEIGHT = 28  # pixels above each column
WORST = 3  # images that are named
LINE = {"marker": "o", "markersize": 4, "linewidth": 1.2}
TITLES = {
    "psnr": "PSNR (dB)",
    "ssim": "SSIM",
    "lpips_alex": "LPIPS (AlexNet)",
    "lpips_squeeze": "LPIPS (SqueezeNet)",
    "lpips_vgg": "LPIPS (VGG)",
    "fid2048": "FID (Inception-v3, 2048)",
    "fid768": "FID (Inception-v3, 768)",
    "fid": "FID (own extractor)",
    "kid2048": "KID (Inception-v3, 2048)",
    "kid768": "KID (Inception-v3, 768)",
    "kid": "KID (own extractor)",
}


def contact_sheet(
    rows: Sequence[Sequence[np.ndarray]], labels: Sequence[str]
) -> "PIL.Image.Image":
    """Arrange images in a labelled grid.

    Args:
        rows: List of rows, each a list of uint8 arrays of one shape `(height,
            width, 3)`, the same in all rows.
        labels: List of strings, one per column.

    Returns:
        A `PIL.Image.Image`.
    """
    require_pillow()
    from PIL import Image, ImageDraw, ImageFont

    height, width, _ = np.shape(rows[0][0])
    sheet = Image.new(
        "RGB",
        (
            len(labels) * (width + MARGIN) + MARGIN,
            len(rows) * (height + MARGIN) + LABEL_HEIGHT,
        ),
        "white",
    )
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=16)
    for column, label in enumerate(labels):
        left = MARGIN + column * (width + MARGIN)
        draw.text((left + width / 2, 5), label, "black", font, anchor="ma")
        for row, images in enumerate(rows):
            top = LABEL_HEIGHT + row * (height + MARGIN)
            sheet.paste(Image.fromarray(images[column]), (left, top))
    return sheet


def draw_trade_off(table: "Table") -> dict[str, Any]:
    """Draw the paper's plots of a trade-off.

    One plot per pair of a distortion (PSNR, SSIM) and a perceptual score (LPIPS, FID,
    KID) in the table, and one of all scores against the number of steps. Each sampler,
    time grid and time shift is a curve, with the number of steps next to its points.
    Scores are means over the seeds.

    Args:
        table: `Table` of `trade_off`.

    Returns:
        Dict from names to matplotlib figures: `psnr_against_lpips_alex` and so on, and
        `scores_against_steps`.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    curves = defaultdict(list)
    for setting, scores in mean_over_seeds(table):
        name = f"{short_name(setting['sampler'])}, {short_name(setting['time_grid'])}"
        if setting["time_shift"] != 1:
            name += f", time shift {setting['time_shift']:g}"
        curves[name].append((setting["num_steps"], scores))
    for points in curves.values():
        points.sort(key=lambda point: point[0])
    metrics = table.protocol.metrics
    distortions = [name for name in metrics if higher_is_better(name)]
    perceptions = [name for name in metrics if not higher_is_better(name)]

    drawn = {}
    for distortion, perception in itertools.product(distortions, perceptions):
        figure, (axes,) = _new_figure(1, 5.2, 4.2)
        for name, points in curves.items():
            x = [scores[perception] for _, scores in points]
            y = [scores[distortion] for _, scores in points]
            axes.plot(x, y, label=name, **LINE)
            for (steps, _), *place in zip(points, x, y):
                if all(map(math.isfinite, place)):
                    axes.annotate(
                        str(steps), place, (4, 4), textcoords="offset points", size=8
                    )
        axes.set_xlabel(f"{_title(perception)}, lower is more natural")
        axes.set_ylabel(f"{_title(distortion)}, higher is closer")
        _finish(axes, f"Numbers of steps, {table.rows[0]['images']} images")
        drawn[re.sub(r"[^\w-]", "_", f"{distortion}_against_{perception}")] = figure

    figure, grid = _new_figure(len(metrics), 4.0, 3.6)
    for axes, metric in zip(grid, metrics):
        for name, points in curves.items():
            steps = [steps for steps, _ in points]
            axes.plot(steps, [f[metric] for _, f in points], label=name, **LINE)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("steps")
        direction = "higher" if higher_is_better(metric) else "lower"
        _finish(axes, f"{_title(metric)}, {direction} is better")
    drawn["scores_against_steps"] = figure
    return drawn


def draw_evaluation(table: "Table") -> Any:
    """Draw the scores of each image, to show outliers.

    One panel per metric shows the images from worst to best, the mean as a line, and
    the names of the worst images.

    Args:
        table: `Table` of `evaluate`.

    Returns:
        A matplotlib figure, or `None` if the table has no scores of single images.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    metrics = [name for name in table.protocol.metrics if name in table.columns]
    if not metrics:
        return None
    figure, grid = _new_figure(len(metrics), 4.4, 3.8)
    for axes, metric in zip(grid, metrics):
        higher = higher_is_better(metric)
        rows = sorted(table, key=lambda row: row[metric], reverse=not higher)
        places, values = range(1, len(rows) + 1), [row[metric] for row in rows]
        axes.plot(places, values, ".", markersize=4)
        axes.plot(places[:WORST], values[:WORST], "o", markersize=5, color="tab:red")
        axes.axhline(np.mean(values), color="grey", linewidth=1, linestyle="--")
        worst = [f"{_tail(row['name'])}  {row[metric]:.4g}" for row in rows[:WORST]]
        # From worst to best, this corner stays free.
        axes.text(
            0.97,
            0.05 if higher else 0.95,
            "\n".join(["worst", *worst]),
            transform=axes.transAxes,
            ha="right",
            va="bottom" if higher else "top",
            size=8,
        )
        axes.set_xlabel("images, the worst first; dashed: the mean")
        axes.xaxis.get_major_locator().set_params(integer=True)
        direction = "higher" if higher else "lower"
        _finish(axes, f"{_title(metric)}, {direction} is better")
    return figure


def _tail(name, length=28):
    """Return the end of a name, the part that distinguishes files."""
    return name if len(name) <= length else f"…{name[1 - length :]}"


def require_matplotlib() -> ModuleType:
    """Return the module, or raise an ImportError that says how to install it."""
    return optional_import("matplotlib", extra="evaluation", purpose="Plotting")


def require_pillow() -> ModuleType:
    """Return `PIL.Image`, or raise an ImportError that says how to install it."""
    return optional_import("PIL.Image", extra="evaluation", purpose="Drawing")


def _title(metric):
    return TITLES.get(metric, metric)  # for a user's own metric, its name


def _new_figure(columns, width, height):
    """Return a figure and its axes, each `width` by `height` inches."""
    require_matplotlib()
    # Not pyplot, which would keep the figure alive and look for a display.
    from matplotlib.figure import Figure

    figure = Figure((width * columns, height), dpi=150, layout="constrained")
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def _finish(axes, title):
    axes.set_title(title, size=10)
    axes.grid(alpha=0.3)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.margins(0.08)
    if axes.get_legend_handles_labels()[0][1:]:
        axes.legend(fontsize=8)


def viewable(image: np.ndarray, value_range: ValueLimits | None) -> np.ndarray:
    """Convert an image to uint8 RGB for display.

    Args:
        image: Array of shape `(height, width, channels)` of any dtype.
        value_range: Pair of numbers, the values of black and white, or `None` for the
            minimum and maximum of the image.

    Returns:
        uint8 array of shape `(height, width, 3)`. An image of one or two channels shows
        the first as grey; other images show the first three.
    """
    image = np.asarray(image, "float64")
    low, high = (image.min(), image.max()) if value_range is None else value_range
    unit = np.clip((image - low) / (high - low or 1.0), 0.0, 1.0)
    channels = unit[..., :3] if unit.shape[-1] >= 3 else np.repeat(unit[..., :1], 3, -1)
    return np.rint(255.0 * channels).astype("uint8")


def heat_map(values: np.ndarray, highest: float) -> np.ndarray:
    """Map values to colours, from black at 0 through red to pale yellow.

    Args:
        values: Array of shape `(height, width)`, not negative.
        highest: Float, the value of the brightest colour.

    Returns:
        uint8 array of shape `(height, width, 3)`.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    colours = require_matplotlib().colormaps["inferno"](values / (highest or 1.0))
    return np.rint(255.0 * colours[..., :3]).astype("uint8")
