"""Tutorials run from top to bottom in their smoke mode, as scripts and as notebooks.

The scripts run in this process, and each notebook in a process of its own.
"""

import ast
import builtins
import math
import pathlib
import re

import keras
import matplotlib.pyplot
import nbformat
import numpy as np
import pytest
from helpers import run_alone, run_here
from PIL import Image, ImageSequence

import keras_indi
from keras_indi.backend.precision import fastest_dtype

# Two tutorials, of restoring and of one's own classes, run on every backend; those that
# train for longer run where the slow tests do.
SHORT = ("restore_a_photograph", "bring_your_own")
SCRIPTS = (pathlib.Path(__file__).parents[2] / "examples" / "tutorials").glob("*.py")


@pytest.mark.parametrize(
    "tutorial",
    [
        pytest.param(path, marks=() if path.stem in SHORT else pytest.mark.slow)
        for path in sorted(SCRIPTS)
    ],
    ids=lambda path: path.stem,
)
def test_runs_in_smoke_mode(tutorial, smoke, tmp_path):
    skip_without_needs(tutorial)
    matplotlib.use("Agg")
    try:
        output = run_here([tutorial], smoke, tmp_path)
    finally:
        matplotlib.pyplot.close("all")
        keras.distribution.set_distribution(None)  # of several devices
    # What it prints is not taken for what it can do.
    assert output.startswith("Smoke run: ")
    # It writes into its own folder alone, no picture of the text is touched.
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    folder = tmp_path / "runs" / tutorial.stem
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [tutorial.stem]
    # Each picture that the script names was made, and shows something.
    source = tutorial.read_text(encoding="utf-8")
    saved = re.findall(r'PICTURES / f?"([^"]+)"', source)
    pictures = sorted((folder / "pictures").iterdir())
    assert len(pictures) >= len(saved) > 0
    for path in pictures:
        picture = Image.open(path)
        frames = [np.array(f.convert("L")) for f in ImageSequence.Iterator(picture)]
        assert min(frame.std() for frame in frames) > 1, path.name
    CHECKS[tutorial.stem](output)


def test_deletes_nothing(tutorial):
    # Who puts in paths of their own loses no file of theirs.
    source = tutorial.read_text(encoding="utf-8")
    assert not re.findall(r"unlink|rmtree|os\.remove|rmdir", source)


def test_pairs_of_ones_own_need_no_cell_that_makes_some(make_notebooks):
    path = make_notebooks.ROOT / "tutorials" / "train_on_your_pairs.py"
    cells = re.split(r'(?m)^"""$', path.read_text(encoding="utf-8"))[2::2]
    makes_pairs = [
        cell for cell in cells if "write_pairs(" in cell or "np.roll" in cell
    ]
    assert len(makes_pairs) == 2
    kept = ast.parse("".join(cell for cell in cells if cell not in makes_pairs))
    known = {*dir(builtins), *_names(kept, ast.Store)}
    assert _names(kept, ast.Load) <= known


def _names(tree, context):
    """The names that code stores, or loads."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, context):
            found.add(node.id)
        elif context is ast.Store:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                found.add(node.name)
            elif isinstance(node, ast.alias):
                found.add((node.asname or node.name).split(".")[0])
            elif isinstance(node, ast.arg):
                found.add(node.arg)
    return found


def figures(pattern, output):
    """The numbers of all matches of a pattern, one tuple a match."""
    matches = re.finditer(pattern, output)
    found = [tuple(map(float, match.groups())) for match in matches]
    assert found, output[-4000:]
    return found


def check_restoration(output):
    # An untrained network returns the state that it sees, in any number of steps: the
    # degraded image with noise of eps = 0.1, and so with a PSNR a little below 20 dB.
    (degraded,) = re.findall(r"degraded: +([\d.]+) dB", output)
    restored = re.findall(r"steps +\d+: +([\d.]+) dB", output)
    expected = -10 * math.log10(10 ** (-float(degraded) / 10) + 0.1**2)
    assert len(restored) == 5 and len(set(restored)) == 1
    assert abs(float(restored[0]) - expected) < 0.5  # what is clipped lies closer
    assert "rank correlation" in output


def check_pairs(output):
    assert "left out: rocket\n2 pairs to train on" in output
    assert output.index("The connection is lost.") < output.index("README.md")
    # The second session goes on with the epoch in which the first ended.
    assert re.findall(r"Epoch (\d)/2", output) == ["1", "2", "2"]


def check_full_scale(output):
    # Where the device computes in it fast, and only there.
    policy = "mixed_bfloat16" if fastest_dtype() == "bfloat16" else "float32"
    assert f"parameters in {policy}\n" in output
    assert "restored_psnr_4" in output


def check_plane(output):
    exact = figures(r"steps +(\d+): distance ([\d.]+), real +(\d+) %", output)[:6]
    steps, distances, real = zip(*exact)
    assert steps == (1, 2, 4, 8, 16, 64)
    # The trade-off: more real, and farther from the true point.
    assert distances[0] < 0.8 * distances[-1]
    assert real[0] < 10 and real[-1] > 95
    # By Heun's method, as many calls lead closer to the flow; and ever closer.
    errors = figures(r"calls: ([\d.]+) \(indi\), ([\d.]+) \(heun\)", output)
    assert all(heun < indi for indi, heun in errors[1:])
    assert errors[-1][0] < errors[0][0] / 3 and errors[-1][1] < errors[0][1] / 3
    draws = figures(r"up in (\d+) % of the draws, Bayes (\d+) %", output)
    # The standard error of 100 draws is 5 %.
    assert abs(draws[0][0] - 50) < 20
    assert [up for up, _ in draws] == sorted(up for up, _ in draws)


def check_own(output):
    (difference,) = figures(r"tiles differ by (\d)", output)[0]
    assert difference <= 1
    assert "BridgeNoise(eps=0.2) ClippedSampler(low=0.0, high=255.0)" in output
    assert "Scratches(spacing=12, brightness=0.6)" in output


def check_enlargement(output):
    assert "(16, 16, 3) to (64, 64, 3)" in output
    assert "(16, 16, 3) to (32, 32, 3)" in output
    assert "(64, 64, 3) to (64, 64, 3)" in output
    # An untrained network adds noise alone, in any number of steps, of which shrinking
    # averages the most away.
    restored = figures(r"steps +\d+: +([\d.]+) dB, sharpness", output)
    again = figures(r"steps +\d+: shrunk again ([\d.]+) dB", output)
    assert len(restored) == len(again) == 5 and len(set(restored + again)) == 2
    assert again[0][0] > restored[0][0] + 6
    assert figures(r"tiles differ by (\d+)", output)[0][0] <= 1


def check_few_pairs(output):
    for part, number in (("train", 20), ("validation", 4), ("held_out", 4)):
        assert re.search(rf"^{part}: {number} pairs", output, re.M)
    # Twice, on twenty pairs and on three.
    assert re.findall(r"Epoch (\d)/2", output) == ["1", "2", "1", "2"]
    losses = figures(r" loss: ([\d.]+)", output)
    assert len(losses) == 4 and losses[:2] != losses[2:]
    assert len(figures(r"1 step: [\d.]+ dB, 4 steps: ([\d.]+) dB", output)) == 4
    shipped = keras_indi.presets.list_presets()["indi_small_denoise"]
    assert "model.weights.h5" in output
    assert f"licence: {shipped['license']}\n" in output


def check_microscopy(output):
    restored = figures(r"steps \d: [\d.]+ dB, uint16, (\d+) values", output)
    assert min(restored)[0] > 256
    for name in ("100.tif", "restored.tif"):
        assert f"{name} uint16 0.065 um filaments, 20 ms\n" in output
    assert "(4, 48, 48) uint16 to (4, 48, 48) uint16" in output
    # The mean of exposures is as much better as their number's root.
    ((single, average),) = figures(
        r"exposed: error (\d+), of the mean of 4 (\d+)", output
    )
    assert abs(average / single - 0.5) < 0.1


def check_export(output):
    assert figures(r"largest difference: (\d+) of 255", output)[0][0] <= 1
    assert re.search(r"status 200, .*\n0 of 255\n.* status 400\n", output)
    assert "import onnxruntime" in output and "import keras" not in output


CHECKS = {
    "restore_a_photograph": check_restoration,
    "enlarge_an_image": check_enlargement,
    "train_on_your_pairs": check_pairs,
    "fine_tune_on_few_pairs": check_few_pairs,
    "sixteen_bit_microscopy": check_microscopy,
    "train_at_full_scale": check_full_scale,
    "mathematics_in_2d": check_plane,
    "bring_your_own": check_own,
    "export_and_serve": check_export,
}
# What a tutorial needs beside what all do.
NEEDS = {"export_and_serve": ("tensorflow", "tf2onnx", "onnx", "onnxruntime")}


def skip_without_needs(tutorial):
    for module in NEEDS.get(tutorial.stem, ()):
        pytest.importorskip(module, reason="needs the extra onnx and onnxruntime")


@pytest.mark.skipif(keras.config.backend() != "jax", reason="JAX shares batches")
def test_full_scale_on_two_devices(make_notebooks, smoke, tmp_path):
    path = make_notebooks.ROOT / "tutorials" / "train_at_full_scale.py"
    flags = "--xla_force_host_platform_device_count=2"
    environment = {**smoke, "MPLBACKEND": "Agg", "XLA_FLAGS": flags}
    output = run_alone([path], environment, tmp_path)
    assert "'cpu:1'" in output
    check_full_scale(output)


@pytest.mark.slow
def test_notebook_runs(tutorial, make_notebooks, smoke, tmp_path):
    skip_without_needs(tutorial)
    from nbclient import NotebookClient

    path = make_notebooks.ROOT / "notebooks" / f"{tutorial.stem}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources=resources
    )
    client.execute(env=smoke)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output for cell in code for output in cell.outputs]
    kinds = {kind for output in outputs for kind in output.get("data", ())}
    assert "image/png" in kinds  # it shows what it draws
    # The setup found the package, and installed nothing.
    assert "%pip" in code[0].source and not code[0].outputs
