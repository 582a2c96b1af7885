"""Contact sheets, curves and heat maps."""

import sys

import numpy as np
import pytest

from keras_indi.evaluation import Protocol, Table
from keras_indi.evaluation.plots import (
    LABEL_HEIGHT,
    MARGIN,
    TITLES,
    contact_sheet,
    draw_evaluation,
    draw_trade_off,
    heat_map,
    viewable,
)
from keras_indi.evaluation.protocol import IMAGE_METRICS, SET_METRICS

pytestmark = pytest.mark.backend_free


def test_images_stand_in_their_cells_under_their_labels():
    rows = [
        [np.full((20, 30, 3), 10 * row + column, "uint8") for column in range(3)]
        for row in range(2)
    ]
    sheet = np.asarray(contact_sheet(rows, ["a", "b", "c"]))
    for row in range(2):
        for column in range(3):
            top = LABEL_HEIGHT + row * (20 + MARGIN)
            left = MARGIN + column * (30 + MARGIN)
            cell = sheet[top : top + 20, left : left + 30]
            np.testing.assert_array_equal(cell, rows[row][column])
    assert (sheet[:LABEL_HEIGHT] < 128).any()


def table():
    rows = [
        {
            "sampler": sampler,
            "time_grid": "uniform",
            "num_steps": steps,
            "seed": seed,
            "evaluations": steps,
            "images": 5,
            "psnr": 30.0 - steps + seed + (sampler == "heun"),
            "ssim": 0.9 - 0.01 * steps,
            "lpips_alex": 0.4 - 0.01 * steps,
            "fid768": 50.0 - steps,
        }
        for sampler in ("indi", "heun")
        for steps in (4, 1, 2)
        for seed in (0, 1)
    ]
    return Table(rows, Protocol(("psnr", "ssim", "lpips_alex", "fid768")))


def test_a_time_shift_has_a_curve_of_its_own():
    rows = [row for row in table() if row["sampler"] == "indi"]
    rows += [{**row, "time_shift": 1.5, "psnr": 20.0} for row in rows]
    shown = draw_trade_off(Table(rows, table().protocol))
    first, second = shown["psnr_against_lpips_alex"].axes[0].lines
    assert first.get_label() == "indi, uniform"
    assert second.get_label() == "indi, uniform, time shift 1.5"
    np.testing.assert_array_equal(second.get_ydata(), [20.0] * 3)


def test_curves_go_through_the_means_over_seeds():
    scores = draw_trade_off(table())
    assert list(scores) == [
        "psnr_against_lpips_alex",
        "psnr_against_fid768",
        "ssim_against_lpips_alex",
        "ssim_against_fid768",
        "scores_against_steps",
    ]
    (axes,) = scores["psnr_against_lpips_alex"].axes
    first, second = axes.lines
    assert [first.get_label(), second.get_label()] == ["indi, uniform", "heun, uniform"]
    np.testing.assert_allclose(first.get_xydata().T[0], [0.39, 0.38, 0.36])
    np.testing.assert_allclose(first.get_xydata().T[1], [29.5, 28.5, 26.5])
    np.testing.assert_allclose(second.get_xydata().T[1], [30.5, 29.5, 27.5])
    assert [text.get_text() for text in axes.texts] == ["1", "2", "4"] * 2
    assert "LPIPS" in axes.get_xlabel() and "PSNR (dB)" in axes.get_ylabel()
    panels = scores["scores_against_steps"].axes
    assert len(panels) == 4
    np.testing.assert_allclose(
        panels[3].lines[0].get_xydata().T, [[1, 2, 4], [49, 48, 46]]
    )


def test_the_worst_images_come_first_and_are_named():
    names = ["a", "folder/" + 30 * "x" + "_b", "c", "d", "e"]
    scores = zip(names, [30.0, 20.0, np.inf, 25.0, 28.0], [0.1, 0.2, 0.0, 0.5, 0.4])
    rows = [{"name": n, "psnr": p, "lpips_alex": q} for n, p, q in scores]
    table = Table(rows, Protocol(("lpips_alex", "fid768", "psnr")))
    lpips, psnr = draw_evaluation(table).axes
    np.testing.assert_array_equal(lpips.lines[0].get_ydata(), [0.5, 0.4, 0.2, 0.1, 0])
    np.testing.assert_array_equal(psnr.lines[0].get_ydata(), [20, 25, 28, 30, np.inf])
    np.testing.assert_array_equal(psnr.lines[1].get_ydata(), [20, 25, 28])
    assert lpips.texts[0].get_text().split()[:5] == ["worst", "d", "0.5", "e", "0.4"]
    worst = psnr.texts[0].get_text().splitlines()
    assert worst[1].startswith("…xxx") and worst[1].endswith("x_b  20")
    assert worst[2:] == ["d  25", "e  28"]
    assert "PSNR" in psnr.get_title() and "LPIPS" in lpips.get_title()
    assert lpips.get_legend() is None
    few = Table([{"name": "a"}, {"name": "b"}], Protocol(("fid768",)))
    assert draw_evaluation(few) is None


def test_every_metric_of_a_protocol_has_a_title():
    assert set(TITLES) == {*IMAGE_METRICS, *SET_METRICS}


@pytest.mark.parametrize(
    "channels, shown", [(1, [0, 0, 0]), (2, [0, 0, 0]), (4, [0, 1, 2])]
)
def test_viewable_images_are_rgb_bytes(channels, shown):
    image = np.linspace(-1, 1, 6 * channels).reshape(2, 3, channels)
    found = viewable(image, (-1, 1))
    assert found.dtype == np.uint8 and found.shape == (2, 3, 3)
    expected = np.rint(127.5 * (image[..., shown] + 1))
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(viewable(5 * image, None), expected)
    np.testing.assert_array_equal(viewable(image + 9, (-1, 1)), 255)


def test_heat_maps_are_dark_at_zero_and_bright_at_the_highest():
    found = heat_map(np.array([[0.0, 1.0, 2.0]]), 2.0).astype(int)
    assert found.shape == (1, 3, 3)
    dark, middle, bright = found[0].sum(-1)
    assert dark < 20 < middle < bright
    assert np.all(heat_map(np.zeros((2, 2)), 0.0) == found[0, 0])


@pytest.mark.parametrize("name", ["matplotlib", "PIL"])
def test_what_is_not_installed_is_named(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, f"{name}.Image", None)
    with pytest.raises(ImportError, match=r'pip install "keras-indi\[evaluation\]"'):
        if name == "PIL":
            contact_sheet([[np.zeros((8, 8, 3), "uint8")]], ["a"])
        else:
            draw_trade_off(table())
