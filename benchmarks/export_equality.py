"""Whether exported files restore as `restore` does, and what fewer bits cost.

    python benchmarks/export_equality.py                       # all of it: an hour
    python benchmarks/export_equality.py --presets indi_small_jpeg --backends jax
    python benchmarks/export_equality.py --losses PHOTOGRAPHS --lpips-weights FILE

The first two export each preset with weights in each format and both forms from each
backend, run the files at three sizes, and print the largest difference as a part of
the value range. The third exports each preset in each precision and restores
photographs, degraded as the preset's training data were: it prints the mean PSNR and
LPIPS of each beside those of float32. Ends with status 1 if a difference in float32
exceeds 1e-4.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from exported_files import open_file

FORMATS = {"onnx": ".onnx", "openvino": ".xml", "litert": ".tflite", "saved_model": ""}
FEWER_BITS = {
    "onnx": ("float16", "int8"),
    "openvino": ("bfloat16", "float16", "int8"),
    "litert": ("float16", "int8"),
    "saved_model": ("bfloat16",),
}
SIZES = [(1, 24, 17), (2, 16, 40), (1, 33, 30)]
BOUND = 1e-4


def with_weights(names):
    from keras_indi.presets import list_presets

    listed = list_presets()
    return names or [name for name in listed if listed[name]["weights_sha256"]]


def equality(options):
    """Print a line for each file; on the backend of this process."""
    import keras
    from keras import ops

    import keras_indi
    from keras_indi.export import export_model, sampler_noise

    worst = 0.0
    for preset in with_weights(options.presets):
        model = keras_indi.load_restorer(preset, "float32")
        low, high = model.value_range
        random = np.random.default_rng(0)
        for name in options.formats:
            for form in ("sampler", "denoiser"):
                with tempfile.TemporaryDirectory() as folder:
                    path = pathlib.Path(folder, f"restorer{FORMATS[name]}")
                    run = open_file(export_model(model, path, form=form))
                    difference = 0.0
                    for shape in SIZES:
                        multiple = model.size_multiple
                        if form == "denoiser":
                            sizes = [size + -size % multiple for size in shape[1:]]
                            shape = (shape[0], *sizes)
                        images, degraded = (
                            random.uniform(low, high, (2, *shape, 3))
                        ).astype("float32")
                        if form == "sampler":
                            inputs = {"images": images}
                            count, *sizes = shape
                            noise = sampler_noise(model, *sizes, 0, num_images=count)
                            if len(noise):
                                inputs["noise"] = noise
                            expected = model.restore(images, seed=0, verbose=0)
                        else:
                            times = random.uniform(0, 1, shape[:1]).astype("float32")
                            inputs = {"images": images, "times": times}
                            if model.condition_on_degraded:
                                inputs["degraded"] = degraded
                            expected = ops.convert_to_numpy(model(inputs))
                        found = run(inputs)
                        largest = np.abs(found - expected).max() / (high - low)
                        difference = max(difference, float(largest))
                told = "" if difference <= BOUND else "  TOO LARGE"
                backend = keras.config.backend()
                print(
                    f"{backend:11}{preset:32}{name:12}{form:9}{difference:.1e}{told}",
                    flush=True,
                )
                worst = max(worst, difference)
    return worst <= BOUND


def losses(options):
    """Print the scores of each precision beside those of float32."""
    import keras

    import keras_indi
    from keras_indi.data import find_images, read_image
    from keras_indi.export import export_model, sampler_noise
    from keras_indi.metrics import LPIPS, PSNR

    metrics = [PSNR(), LPIPS("alex", options.lpips_weights)]
    paths = list(find_images(options.losses).values())[: options.photographs]
    photographs = [read_image(path)[:256, :256] for path in paths]
    for preset in with_weights(options.presets):
        model = keras_indi.load_restorer(preset, "float32")
        metadata = keras_indi.presets.read_metadata(preset)
        degrade = keras.saving.deserialize_keras_object(metadata["degradation"])
        degraded = [
            degrade(photograph, seed=number)
            for number, photograph in enumerate(photographs)
        ]
        print(f"\n{preset}: PSNR, LPIPS (alex) of {len(paths)} photographs, change")
        for name in options.formats:
            first = None
            for precision in ("float32", *FEWER_BITS[name]):
                with tempfile.TemporaryDirectory() as folder:
                    path = pathlib.Path(folder, f"restorer{FORMATS[name]}")
                    path = export_model(model, path, scale=1, precision=precision)
                    run = open_file(path, precision == "bfloat16")
                    rows = []
                    for clean, image in zip(photographs, degraded):
                        inputs = {"images": image[None].astype("float32")}
                        noise = sampler_noise(model, *image.shape[:2], 0, scale=1)
                        if len(noise):
                            inputs["noise"] = noise
                        restored = np.rint(run(inputs))
                        rows.append(
                            [
                                float(metric.per_image(clean[None], restored)[0])
                                for metric in metrics
                            ]
                        )
                psnr, lpips = np.mean(rows, axis=0)
                first = first or (psnr, lpips)
                print(
                    f"{name:12}{precision:10}{psnr:7.3f} dB {lpips:.4f}   "
                    f"{psnr - first[0]:+.3f} dB {lpips - first[1]:+.4f}",
                    flush=True,
                )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", nargs="+", help="[default: all with weights]")
    parser.add_argument("--formats", nargs="+", default=list(FORMATS))
    parser.add_argument("--backends", nargs="+", default=["tensorflow", "jax", "torch"])
    parser.add_argument("--losses", metavar="PHOTOGRAPHS", help="folder")
    parser.add_argument("--photographs", type=int, default=8)
    parser.add_argument("--lpips-weights", metavar="FILE")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        sys.exit(0 if equality(options) else 1)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if options.losses:
        os.environ["KERAS_BACKEND"] = "tensorflow"
        return losses(options)
    statuses = [
        subprocess.run(
            [sys.executable, *sys.argv, "--here"],
            env={**os.environ, "KERAS_BACKEND": backend},
        ).returncode
        for backend in options.backends
    ]
    sys.exit(any(statuses))


if __name__ == "__main__":
    main()
