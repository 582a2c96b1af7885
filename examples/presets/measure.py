"""Measure the shipped presets on held-out photographs, beside classical tools.

    pip install ".[tensorflow,evaluation]" bm3d
    python examples/presets/measure.py --data DATA --out measured \
        --weights alex=lpips_alex_v0.1.npz

Of every preset: PSNR, SSIM and LPIPS at 1, 2, 4, 8 and 16 steps on its grid with its
time shift, of the degraded images, and of what a user would otherwise reach for.
Interrupt it when you like: it goes on where it stopped. The tables are written to
`measured/results.json` and `measured/results.md`.
"""

import argparse
import json
import pathlib

from classical import METHODS
from PIL import Image

import keras_indi
from keras_indi import data, evaluation
from keras_indi.data import degradations
from keras_indi.images.decoding import to_channels
from keras_indi.images.whole_writes import write_whole

NUM_STEPS = (1, 2, 4, 8, 16)

# What is measured: the preset, where its clean photographs are, how they are degraded
# (`None`: the folder holds real pairs), the classical tools, PSNR's and SSIM's channel
# and border.
LUMA = {"channel": "y", "crop_border": 4}
CASES = {
    "jpeg q15, set5 + kodak24": (
        "indi_small_jpeg",
        ["set5", "kodak24"],
        degradations.JPEGCompression(15),
        ["non-local means"],
        {},
    ),
    "noise sigma 25, cbsd68": (
        "indi_small_denoise",
        ["bsds500/eval_cbsd68"],
        degradations.GaussianNoise(25),
        ["non-local means", "bm3d"],
        {},
    ),
    "camera noise, polyu100": (
        "indi_small_denoise",
        ["polyu100/eval"],
        None,
        ["non-local means", "bm3d"],
        {},
    ),
    "bicubic x4, set5": (
        "indi_small_super_resolution_x4",
        ["set5"],
        degradations.Downsample(4),
        ["bicubic", "lanczos"],
        LUMA,
    ),
    "bicubic x4, set14": (
        "indi_small_super_resolution_x4",
        ["set14"],
        degradations.Downsample(4),
        ["bicubic", "lanczos"],
        LUMA,
    ),
    "camera x4, city100": (
        "indi_small_super_resolution_x4",
        ["city100/eval"],
        None,
        [],
        LUMA,
    ),
    "camera shake 5-25, cbsd68": (
        "indi_small_motion_deblur",
        ["bsds500/eval_cbsd68"],
        degradations.MotionBlur((5, 25)),
        ["richardson-lucy", "wiener"],
        {},
    ),
    "defocus radius 1-5, cbsd68": (
        "indi_small_defocus_deblur",
        ["bsds500/eval_cbsd68"],
        degradations.DefocusBlur((1, 5)),
        ["richardson-lucy", "wiener"],
        {},
    ),
}


def save(image, path):
    if not path.exists():
        write_whole(path, Image.fromarray(image).save)


def write_folders(root, sources, degradation, methods, out):
    """Writes what is compared: clean, degraded, and what each tool makes of it.

    The seed of an image's degradation is its number in the order of names.
    """
    names = {}
    for folder in sources:
        clean = root / folder / "clean" if degradation is None else root / folder
        names.update(data.find_images(clean))
    for number, (name, path) in enumerate(sorted(names.items())):
        wanted = [
            out / part / f"{name}.png" for part in ("clean", "degraded", *methods)
        ]
        if all(path.exists() for path in wanted):
            continue
        clean = to_channels(data.read_image(path), 3)  # one of set14 is grey
        if degradation is None:
            (folder,) = sources
            (partner,) = (root / folder / "degraded").glob(f"{name}.*")
            degraded = data.read_image(partner)
        else:
            height, width = (size // 4 * 4 for size in clean.shape[:2])
            clean = clean[:height, :width]
            degraded = degradation(clean, number)
        save(clean, wanted[0])
        save(degraded, wanted[1])
        for method in methods:
            path = out / method / f"{name}.png"
            if not path.exists():
                save(METHODS[method](degraded, clean, degradation, number), path)


def measure(name, options, weights):
    """The rows of one case: name of the system to its figures."""
    preset, sources, degradation, methods, conventions = CASES[name]
    out = options.out / name.replace(",", "").replace(" ", "_")
    write_folders(options.data, sources, degradation, methods, out)
    metrics = ["psnr", "ssim"] + (["lpips_alex"] if weights else [])
    protocol = evaluation.Protocol(metrics, weights=weights, **conventions)
    clean = out / "clean"
    rows = {}
    for system in ("degraded", *methods):
        table = evaluation.evaluate(
            out / system, clean, protocol, out_dir=out / f"scores {system}"
        )
        rows[system] = table.means
    model = keras_indi.models.InDI.from_preset(preset, dtype=options.dtype)
    table = evaluation.trade_off(
        model,
        (out / "degraded", clean),
        NUM_STEPS,
        grids=[model.restore_defaults["time_grid"]],
        time_shifts=[model.restore_defaults["time_shift"]],
        protocol=protocol,
        out_dir=out,
    )
    for row in table:
        steps = row["num_steps"]
        label = "1 step" if steps == 1 else f"{steps} steps"
        rows[label] = {metric: row[metric] for metric in metrics}
    images = len(data.find_images(clean))
    return {
        "preset": preset,
        "images": images,
        "time_grid": repr(model.restore_defaults["time_grid"]),
        "time_shift": model.restore_defaults["time_shift"],
        "rows": rows,
        "degradation": None if degradation is None else repr(degradation),
        "dtype": options.dtype,
        "protocol": protocol.without_folders(),
    }


def as_markdown(results):
    lines = []
    for name, result in results.items():
        metrics = list(next(iter(result["rows"].values())))
        lines += [f"**{name}** ({result['images']} images, `{result['preset']}`)", ""]
        lines += [
            "| | " + " | ".join(metrics) + " |",
            "|---" * (len(metrics) + 1) + "|",
        ]
        for system, figures in result["rows"].items():
            shown = [
                f"{value:.2f}" if key == "psnr" else f"{value:.3f}"
                for key, value in figures.items()
            ]
            lines.append(f"| {system} | " + " | ".join(shown) + " |")
        lines.append("")
    return "\n".join(lines)


def write_text(path, text):
    write_whole(path, lambda partial: pathlib.Path(partial).write_text(text))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="presets; all by default")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--weights", help="alex=PATH, for LPIPS")
    parser.add_argument("--dtype", default="float32")
    options = parser.parse_args()
    weights = dict([options.weights.split("=", 1)]) if options.weights else {}
    path = options.out / "results.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    for name, (preset, *_) in CASES.items():
        if options.names and preset not in options.names:
            continue
        results[name] = measure(name, options, weights)
        print(as_markdown({name: results[name]}), flush=True)
        write_text(path, json.dumps(results, indent=2))
        write_text(options.out / "results.md", as_markdown(results))


if __name__ == "__main__":
    main()
