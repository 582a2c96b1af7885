"""Train on two folders of pairs, then measure on two folders held out.

    pip install ".[tensorflow,data,evaluation]"
    python examples/train_on_folders.py --degraded train/noisy --clean train/clean \
        --held-out held_out/noisy held_out/clean --out runs/noise

Interrupt it, run the same command, and it goes on at the next batch. At the end the
folder `--out` holds the model (`restorer.keras`), a table of the held-out figures at
1, 4 and 16 steps beside the degraded input (`table.csv`, `table.json`) and a picture
(`restored.png`). LPIPS is measured where `--lpips-weights` names AlexNet's weights.
"""

import argparse
import csv
import json
import pathlib

import keras

import keras_indi
from keras_indi import data, evaluation
from keras_indi.evaluation.plots import contact_sheet
from keras_indi.images.whole_writes import write_text, write_whole
from keras_indi.models.saving import save_read_back

EPOCH = 200  # batches
NUM_STEPS = (1, 4, 16)
VIEW = 192  # pixels, height and width at most of what the picture shows


def build_model(batches, noise):
    """A restorer of 0.8 million parameters and a rate that falls to zero."""
    unet = keras_indi.models.UNetBackbone(
        base_channels=32,
        channel_multipliers=(1, 2, 3),
        blocks_per_level=1,
        # On CPUs that have it, bfloat16 on TensorFlow trains half as fast again.
        dtype="mixed_bfloat16",
    )
    model = keras_indi.models.InDI(unet, noise_schedule=noise, seed=0)
    rate = keras.optimizers.schedules.CosineDecay(1e-3, batches)
    model.compile(keras_indi.models.AveragedAdam(rate))
    return model


def label(num_steps):
    return "1 step" if num_steps == 1 else f"{num_steps} steps"


def train(options):
    """Train, or go on training, and save the model."""
    path = options.out / "restorer.keras"
    if path.exists():
        return keras.saving.load_model(path)
    keras.utils.set_random_seed(0)
    pairs = data.pairs_from_folders(
        options.clean,
        degraded=options.degraded,
        crop_size=64,
        batch_size=16,
        batches_per_epoch=min(EPOCH, options.batches),
    )
    model = build_model(options.batches, options.noise)
    backup = keras_indi.callbacks.BackupAndResume(
        options.out / "backup.weights.h5", pairs, every=EPOCH, keep=True
    )
    log = keras_indi.callbacks.EpochLog(options.out / "training.csv")
    epochs = max(1, options.batches // EPOCH)
    model.fit(pairs, epochs=epochs, callbacks=[backup, log], verbose=2)
    save_read_back(model, path)
    backup.remove()
    return model


def measure(model, options):
    """Score the degraded and the restored held-out images."""
    metrics, weights = ["psnr", "ssim"], {}
    if options.lpips_weights:
        metrics.append("lpips_alex")
        weights["alex"] = options.lpips_weights
    protocol = evaluation.Protocol(metrics, weights=weights)
    degraded, clean = options.held_out
    tables = {"degraded": evaluation.evaluate(degraded, clean, protocol)}
    for num_steps in NUM_STEPS:
        tables[label(num_steps)] = evaluation.evaluate(
            model, tuple(options.held_out), protocol, num_steps=num_steps
        )
    for name, table in tables.items():
        figures = "  ".join(f"{k} {v:8.4f}" for k, v in table.means.items())
        print(f"{name:10} {figures}")

    def save_csv(partial):
        with open(partial, "w", newline="") as file:
            writer = csv.DictWriter(file, ["name", *metrics])
            writer.writeheader()
            for name, table in tables.items():
                writer.writerow({"name": name, **table.means})

    write_whole(options.out / "table.csv", save_csv)
    result = {
        "means": {name: table.means for name, table in tables.items()},
        "images": len(tables["degraded"]),
        "protocol": protocol.get_config(),
        "batches": options.batches,
        "noise": options.noise,
    }
    write_text(options.out / "table.json", json.dumps(result, indent=2))


def view(image):
    """The middle of an image."""
    top, left = (max(0, size - VIEW) // 2 for size in image.shape[:2])
    return image[top : top + VIEW, left : left + VIEW]


def draw(model, options, count=4):
    """Write a picture of the first held-out images."""
    degraded, clean = (data.find_images(folder) for folder in options.held_out)
    rows = []
    for name in sorted(degraded.keys() & clean.keys())[:count]:
        image, target = (view(data.read_image(f[name])) for f in (degraded, clean))
        restored = [model.restore(image, n, seed=0, verbose=0) for n in NUM_STEPS]
        rows.append([image, *restored, target])
    labels = ["degraded", *(label(n) for n in NUM_STEPS), "clean"]
    write_whole(options.out / "restored.png", contact_sheet(rows, labels).save)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    folder = {"type": pathlib.Path, "required": True}
    parser.add_argument("--degraded", **folder)
    parser.add_argument("--clean", **folder)
    parser.add_argument("--held-out", nargs=2, **folder, metavar="DIR")
    parser.add_argument("--out", **folder)
    parser.add_argument("--batches", type=int, default=10_000)
    parser.add_argument(
        "--noise", type=float, default=0.04, help="eps, for images in [-1, 1]"
    )
    parser.add_argument("--lpips-weights", help="lpips_alex_v0.1.npz, or PyTorch's")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    model = train(options)
    measure(model, options)
    draw(model, options)


if __name__ == "__main__":
    main()
