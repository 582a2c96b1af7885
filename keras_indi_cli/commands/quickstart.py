"""`keras-indi quickstart`: train, restore, look, in a few minutes."""

import pathlib
import sys
import time

import click

# 4x super-resolution of photographs, a task whose result one sees.
FACTOR = 4
CROP_SIZE = 48
BATCH_SIZE = 8
EPOCHS = 10
NUM_STEPS = (1, 4, 16)
VIEW_SIZE = 192  # pixels, height and width of the held-out crops
HELD_OUT_CROPS = {  # top left corners that show an eye, a spoon and a rim
    "chelsea": [(52, 104), (64, 196)],
    "coffee": [(32, 304), (160, 128)],
}


@click.command()
@click.option(
    "--smoke",
    is_flag=True,
    help="Train for under a minute, to check the installation only.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=pathlib.Path),
    default="quickstart",
    show_default=True,
    help="Output directory, for the picture and the model.",
)
@click.option(
    "--batches",
    type=click.IntRange(min=EPOCHS),
    help="Batches to train on. [default: 2400; smoke: 60]",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of weights, crops and noise.",
)
def command(smoke, output, batches, seed):
    """Train a small model on sample photographs and restore with it.

    The task is 4x super-resolution of photographs that scikit-image carries: some
    minutes on two CPU cores. Restores held-out crops at 1, 4 and 16 steps, and
    writes a picture and the model.

    Example: keras-indi quickstart --output first
    """
    batches = batches or (60 if smoke else 2400)
    output.mkdir(parents=True, exist_ok=True)

    import keras

    from keras_indi.data.degradations import Downsample
    from keras_indi.data.sample_photographs import HELD_OUT, sample_photographs
    from keras_indi.images.whole_writes import write_whole

    photographs = sample_photographs()
    held_out = dict(zip(HELD_OUT, sample_photographs(HELD_OUT)))
    print(
        f"Training on {len(photographs)} photographs with Keras {keras.__version__} "
        f"on {keras.config.backend()}: {batches} batches of {BATCH_SIZE} crops of "
        f"{CROP_SIZE}x{CROP_SIZE}, 4x super-resolution."
    )
    model = _train(photographs, batches, width=16 if smoke else 32, seed=seed)
    clean = [
        held_out[name][top : top + VIEW_SIZE, left : left + VIEW_SIZE]
        for name, corners in HELD_OUT_CROPS.items()
        for top, left in corners
    ]
    degraded = [Downsample(FACTOR)(image, seed) for image in clean]
    rows = _restore_and_score(model, degraded, clean)
    picture = _write_picture(rows, clean, output / "restored.png")
    model_path = write_whole(output / "restorer.keras", model.save)
    folders = _write_pairs(held_out, output / "held_out")
    print(
        f"\nPicture: {picture}\nModel:   {model_path}\n\nRestore with it:\n\n"
        f"    keras-indi restore photo.png --preset {model_path}\n\n"
        "or in Python:\n\n"
        "    import keras_indi\n"
        f"    model = keras_indi.load_restorer({str(model_path)!r})\n"
        "    restored = model.restore(image, num_steps=4)  # uint8 (height, width, 3)"
        "\n\nScore it on the held-out photographs:\n\n"
        f"    keras-indi trade-off {model_path} --degraded {folders[0]} "
        f"--clean {folders[1]} --output {output / 'curve'}"
    )


def _train(photographs, batches, width, seed):
    import keras

    from keras_indi.data import make_pairs
    from keras_indi.data.degradations import Downsample
    from keras_indi.models import AveragedAdam, InDI, UNetBackbone
    from keras_indi.schedules import UniformTime

    keras.utils.set_random_seed(seed)
    model = InDI(
        UNetBackbone(
            base_channels=width,
            channel_multipliers=(1, 2, 3),
            blocks_per_level=1,
        ),
        time_distribution=UniformTime(stratified=True),
        seed=seed,
    )
    rate = keras.optimizers.schedules.CosineDecay(1e-3, batches, alpha=0.02)
    model.compile(AveragedAdam(rate))
    pairs = make_pairs(
        photographs,
        Downsample(FACTOR),
        crop_size=CROP_SIZE,
        batch_size=BATCH_SIZE,
        batches_per_epoch=batches // EPOCHS,
        seed=seed,
    )
    # A line an epoch in a file, where a bar would be thousands.
    model.fit(pairs, epochs=EPOCHS, verbose=1 if sys.stdout.isatty() else 2)
    return model


def _restore_and_score(model, degraded, clean):
    """Restore at each number of steps and print the table.

    Returns:
        List of `(label, images)`, the degraded ones first.
    """
    import numpy as np
    from skimage.metrics import peak_signal_noise_ratio

    def sharpness(images):
        return np.mean([np.abs(np.gradient(i / 255.0, axis=(0, 1))) for i in images])

    rows = [("degraded", degraded, None)]
    for num_steps in NUM_STEPS:
        model.restore(degraded[0], num_steps=num_steps, verbose=0)  # compiles
        start = time.perf_counter()
        restored = [
            model.restore(image, num_steps=num_steps, seed=0, verbose=0)
            for image in degraded
        ]
        seconds = (time.perf_counter() - start) / len(degraded)
        label = "1 step" if num_steps == 1 else f"{num_steps} steps"
        rows.append((label, restored, seconds))

    print(
        f"\n{len(clean)} held-out crops of {VIEW_SIZE}x{VIEW_SIZE} "
        "(sharpness: mean gradient, clean = 100 %)"
    )
    print(f"{'':10}{'PSNR (dB)':>11}{'sharpness (%)':>15}{'seconds/image':>15}")
    for label, images, seconds in rows:
        psnr = np.mean([peak_signal_noise_ratio(c, i) for c, i in zip(clean, images)])
        sharp = 100 * sharpness(images) / sharpness(clean)
        seconds = "" if seconds is None else f"{seconds:.2f}"
        print(f"{label:10}{psnr:11.2f}{sharp:15.0f}{seconds:>15}")
    return [(label, images) for label, images, _ in rows]


def _write_picture(rows, clean, path):
    from keras_indi.evaluation.plots import contact_sheet
    from keras_indi.images.whole_writes import write_encoded

    columns = [*rows, ("clean", clean)]
    sheet = contact_sheet(
        [list(images) for images in zip(*(images for _, images in columns))],
        [label for label, _ in columns],
    )
    return write_encoded(path, sheet.save)


def _write_pairs(photographs, folder):
    """Write whole photographs and their degraded forms; return the two folders."""
    from PIL import Image

    from keras_indi.data.degradations import Downsample
    from keras_indi.images.whole_writes import write_encoded

    folders = folder / "degraded", folder / "clean"
    for name, photograph in photographs.items():
        height, width = (size - size % FACTOR for size in photograph.shape[:2])
        clean = photograph[:height, :width]
        for folder, image in zip(folders, (Downsample(FACTOR)(clean, 0), clean)):
            write_encoded(folder / f"{name}.png", Image.fromarray(image).save)
    return folders
