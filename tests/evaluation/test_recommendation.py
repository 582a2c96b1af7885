"""Recommendations from tables written by hand."""

import math

import pytest

from keras_indi.evaluation import Protocol, Table, recommend

pytestmark = pytest.mark.backend_free

PROTOCOL = Protocol(("psnr", "lpips_alex"))


def table(*rows):
    """Rows of (sampler, steps, seed, PSNR, LPIPS)."""
    return Table(
        [
            {
                "sampler": sampler,
                "time_grid": "uniform",
                "num_steps": steps,
                "seed": seed,
                "evaluations": steps * (2 if sampler == "heun" else 1),
                "images": 9,
                "psnr": psnr,
                "lpips_alex": lpips,
            }
            for sampler, steps, seed, psnr, lpips in rows
        ],
        PROTOCOL,
    )


CURVE = table(
    ("indi", 1, 0, 30.0, 0.30),
    ("indi", 2, 0, 29.8, 0.25),
    ("indi", 4, 0, 29.5, 0.20),
    ("indi", 8, 0, 29.0, 0.18),
    ("heun", 2, 0, 29.6, 0.20),
    ("heun", 4, 0, 29.2, 0.15),
)


def named(found):
    return found.settings["sampler"], found.settings["num_steps"]


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ({"within": {"psnr": 0.5}}, ("indi", 4)),  # heun's 2 is a tie: 4 calls each
        ({"within": {"psnr": 0.45}}, ("heun", 2)),
        ({"within": {"psnr": 0.0}}, ("indi", 1)),
        ({}, ("heun", 4)),
        ({"within": {"psnr": 2.0}}, ("heun", 4)),
        ({"reach": {"psnr": 29.4}}, ("indi", 4)),
        ({"best": "evaluations", "reach": {"lpips_alex": 0.2}}, ("indi", 4)),
        ({"best": "evaluations", "reach": {"lpips_alex": 0.27}}, ("indi", 2)),
        ({"best": "psnr", "reach": {"lpips_alex": 0.19}}, ("heun", 4)),
        ({"within": {"psnr": 1.0}, "reach": {"psnr": 29.1}}, ("heun", 4)),
        ({"best": "psnr", "within": {"lpips_alex": -0.06}}, ("heun", 2)),
    ],
)
def test_the_best_within_bounds(arguments, expected):
    found = recommend(CURVE, **arguments)
    assert found and named(found) == expected
    assert f"num_steps={expected[1]}, sampler={expected[0]}" in str(found)


def test_where_none_reaches_the_target_it_says_so():
    found = recommend(CURVE, within={"psnr": 0.5}, reach={"lpips_alex": 0.1})
    assert not found and found.settings is None and found.scores is None
    assert "None of 6 settings" in str(found)
    assert "lpips_alex <= 0.1" in str(found) and "psnr >= 29.5" in str(found)
    assert "lpips_alex 0.15" in str(found)  # the closest


def test_seeds_are_averaged():
    found = recommend(
        table(
            ("indi", 1, 0, 30.0, 0.30),
            ("indi", 1, 1, 31.0, 0.30),
            ("indi", 4, 0, 30.4, 0.20),  # within 0.2 of the mean, the next is not
            ("indi", 4, 1, 29.6, 0.20),
            ("indi", 2, 0, 30.4, 0.25),
            ("indi", 2, 1, 30.3, 0.25),
        ),
        within={"psnr": 0.2},
    )
    assert named(found) == ("indi", 2)
    assert found.scores["psnr"] == pytest.approx(30.35)


def test_the_time_shift_is_recommended():
    rows = table(("indi", 1, 0, 30.0, 0.30), ("indi", 4, 0, 28.0, 0.20)).rows
    rows += [{**row, "time_shift": 1.5, "lpips_alex": 0.1} for row in rows]
    rows[3]["psnr"] = 29.5
    found = recommend(Table(rows, PROTOCOL), within={"psnr": 0.5})
    assert found.settings["time_shift"] == 1.5
    assert "time_shift=1.5: the best lpips_alex" in str(found)
    # Tables of before there was one restored without.
    assert recommend(CURVE).settings["time_shift"] == 1.0


def test_nan_keeps_no_bound():
    rows = table(("indi", 1, 0, 30.0, 0.3), ("indi", 2, 0, math.nan, 0.1))
    assert named(recommend(rows, within={"psnr": 5})) == ("indi", 1)
    rows = table(("indi", 1, 0, 30.0, math.nan))
    assert not recommend(rows)


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"Received: \['fid2048'\]"):
        recommend(CURVE, best="fid2048")
    with pytest.raises(ValueError, match=r"Received: num_steps=\[4\]"):
        recommend(table(("indi", 4, 0, 30.0, 0.3)), within={"psnr": 0.5})
