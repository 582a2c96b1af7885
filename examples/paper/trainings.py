"""Trains the variants of an experiment: one folder a model, for all experiments.

A model's folder is named after all that its training depends on, so that what one
experiment has trained another finds.
"""

import dataclasses
import hashlib
import json
import math
import re

import harness
import keras
from posterior_mean import AfterOneStep, PosteriorMean
from student_model import Student

import keras_indi
from keras_indi import data, schedules
from keras_indi.callbacks.epoch_log import read_log
from keras_indi.images.image_files import ImageFiles, match_folders
from keras_indi.images.whole_writes import write_text, write_whole
from keras_indi.models.saving import save_read_back

BACKED_UP = 250  # steps
VALIDATED = 128  # pixels, the side of the crops
OPTIMIZERS = {
    "adam": keras_indi.models.AveragedAdam,
    "muon": keras_indi.models.AveragedMuon,
}


def circumstances(config, variant):
    """Dict of all that the training of a variant depends on, but for the seed."""
    budget = dataclasses.asdict(variant.budget or config.budget)
    del budget["seeds"], budget["measured_at"]
    found = {
        "restorer": variant.restorer,
        "noise_schedule": noise_schedule(variant),
        "condition_on_degraded": variant.condition_on_degraded,
        "loss": variant.loss,
        "degradation": variant.degradation or config.degradation,
        "train": config.train,
        "train_pairs": config.train_pairs,
        "augment": config.augment,
        "budget": budget,
    }
    for role in ("first", "teacher"):
        if (other := getattr(variant, role)) is not None:
            found[role] = circumstances(config, other)
    if variant.restorer == "indi":
        found["noise_unit"] = schedules.noise_schedule.UNIT
        found["time_distribution"] = schedules.time_distribution.get(
            variant.time_distribution
        )
    return harness.plain(found)


def noise_schedule(variant):
    kind = schedules.noise_schedule
    if variant.restorer == "conditional_ddpm":
        kind = schedules.diffusion_schedule
    return kind.get(variant.noise_schedule)


def model_folder(config, variant, seed, models):
    """Path of the folder of a trained model."""
    found = circumstances(config, variant)
    digest = hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()
    parts = [
        "student" if variant.teacher else "",
        type(variant.degradation or config.degradation).__name__,
        *(found[name] for name in ("restorer", "noise_schedule")),
        found.get("time_distribution", ""),
    ]
    readable = re.sub(r"[^\w.=]+", "_", " ".join(parts)).strip("_")[:100]
    return models / f"{readable}-{digest[:8]}" / f"seed{seed}"


def training_pairs(config, root, seed):
    """The batches of a training: for one seed the same, whatever is trained."""
    files = {}
    for name in config.train:
        found = data.find_images(root / name)
        files.update({f"{name}/{inside}": path for inside, path in found.items()})
    for name in config.train_pairs:
        match = match_folders(root / name / "degraded", root / name / "clean")
        files.update({f"{name}/{key}": pair for key, pair in match.pairs.items()})
    return data.make_pairs(
        ImageFiles(files),
        config.degradation,
        crop_size=config.budget.crop_size,
        batch_size=config.budget.batch_size,
        augment=config.augment,
        batches_per_epoch=min(config.budget.steps_per_epoch, config.budget.steps),
        seed=seed,
    )


def validation_pairs(config, root):
    """The batches of `config.validation`, the centres of its photographs."""
    return data.make_pairs(
        ImageFiles(data.find_images(root / config.validation)),
        config.degradation,
        training=False,
        crop_size=min(VALIDATED, 2 * config.budget.crop_size),
        batch_size=4,
    )


def build(config, variant, seed, teacher=None):
    """The compiled model of a variant.

    The loss is that of the image for InDI, and of the noise for the baseline.

    Args:
        config: `Config`.
        variant: `Variant`.
        seed: Int.
        teacher: The trained model of `variant.teacher`.
    """
    keras.utils.set_random_seed(seed)
    budget = variant.budget or config.budget
    options = {
        "condition_on_degraded": variant.condition_on_degraded,
        # On CPUs that have it, bfloat16 on TensorFlow trains half as fast again.
        "dtype": "mixed_bfloat16",
    }
    if isinstance(budget.network, str):
        unet = keras_indi.models.UNetBackbone.from_preset(
            budget.network, load_weights=False, **options
        )
    else:
        unet = keras_indi.models.UNetBackbone(**budget.network, **options)
    noise = noise_schedule(variant)
    if variant.restorer == "conditional_ddpm":
        model = keras_indi.models.ConditionalDDPM(unet, noise, seed=seed)
    elif teacher is not None:
        unet.set_weights(teacher.backbone.get_weights())
        model = Student(unet, teacher.estimate, noise_schedule=noise, seed=seed)
    else:
        model = keras_indi.models.InDI(
            unet, variant.time_distribution, noise, seed=seed
        )
    rate = budget.learning_rate
    if budget.warmup is not None:
        rate = keras.optimizers.schedules.CosineDecay(
            0.0,
            budget.steps - budget.warmup,
            alpha=0.0 if budget.decays else 1.0,
            warmup_target=rate,
            warmup_steps=budget.warmup,
        )
    optimizer = OPTIMIZERS[budget.optimizer](
        rate, global_clipnorm=budget.global_clipnorm
    )
    model.compile(optimizer, variant.loss)
    return model


class KeepAfter(keras.callbacks.Callback):
    """Save the model after some numbers of steps.

    Args:
        folder: Path of the folder.
        steps: Tuple of ints, multiples of the steps of an epoch.
        steps_per_epoch: Int.
    """

    def __init__(self, folder, steps, steps_per_epoch):
        super().__init__()
        self.folder = folder
        self.steps = steps
        self.steps_per_epoch = steps_per_epoch

    def on_epoch_end(self, epoch, logs=None):
        steps = (epoch + 1) * self.steps_per_epoch
        if steps in self.steps:
            write_whole(model_file(self.folder, steps), self.model.save)


def model_file(folder, steps=None):
    """Path of a trained model, or of what it was after some steps."""
    return folder / ("restorer.keras" if steps is None else f"after_{steps}.keras")


def trained(config, variant, seed, root, models):
    """Train a variant, go on training it, or find it trained.

    Returns:
        Path of its folder; see `model_file`.
    """
    folder = model_folder(config, variant, seed, models)
    budget = variant.budget or config.budget
    wanted = [model_file(folder, steps) for steps in (*budget.measured_at, None)]
    if not all(path.exists() for path in wanted):
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(circumstances(config, variant), indent=2) + "\n"
        write_text(folder / "training.json", text)
        teacher = None
        if variant.teacher is not None:
            trained(config, variant.teacher, seed, root, models)
            teacher = loaded(config, variant.teacher, seed, None, models)
        model = build(config, variant, seed, teacher)
        degradation = variant.degradation or config.degradation
        if variant.first is not None:
            first = trained(config, variant.first, seed, root, models)
            degradation = PosteriorMean(degradation, str(model_file(first)))
        task = dataclasses.replace(config, degradation=degradation, budget=budget)
        pairs = training_pairs(task, root, seed)
        validation = validation_pairs(task, root) if config.validation else None
        epochs = math.ceil(budget.steps / len(pairs))
        backup = keras_indi.callbacks.BackupAndResume(
            folder / "backup.weights.h5", pairs, every=BACKED_UP, keep=True
        )
        callbacks = [
            backup,
            # Validates and saves with the averages.
            keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
            KeepAfter(folder, budget.measured_at, len(pairs)),
            keras_indi.callbacks.EpochLog(folder / "training.csv"),
        ]
        print(f"training {folder}", flush=True)
        model.fit(
            pairs,
            validation_data=validation,
            epochs=epochs,
            callbacks=callbacks,
            verbose=2,
        )
        save_read_back(model, wanted[-1])
        backup.remove()
    return folder


def loaded(config, variant, seed, steps, models):
    """The trained model of a variant, after some steps of training or at the end."""
    folder = model_folder(config, variant, seed, models)
    model = keras.saving.load_model(model_file(folder, steps), compile=False)
    if variant.first is None:
        return model
    return AfterOneStep(loaded(config, variant.first, seed, None, models), model)


def validation_losses(folder, steps_per_epoch):
    """Dict of numbers of steps to the validation loss, of a trained model's folder."""
    return {
        (int(epoch) + 1) * steps_per_epoch: float(row["val_loss"])
        for epoch, row in read_log(folder / "training.csv").items()
        if row.get("val_loss")
    }


def forward_flops(unet, size):
    """Floating-point operations of one estimate of one image, two a multiplication.

    Args:
        unet: A `UNetBackbone`.
        size: Int, the image's height and width.
    """
    layers = [layer for layer in unet.layers if layer.trainable_weights]
    network = keras.Model(unet.input, [layer.output for layer in layers])
    image = (1, size, size, unet.image_channels)
    shapes = {"images": image, "degraded": image, "times": (1,)}
    inputs = {name: keras.KerasTensor(shapes[name], "float32") for name in unet.input}
    total = 0
    for layer, output in zip(layers, network.compute_output_spec(inputs)):
        pixels = math.prod(output.shape[1:-1])
        if isinstance(layer, keras_indi.layers.UpsampleBlock):
            pixels //= 4  # its convolution comes first
        for weight in layer.trainable_weights:
            if len(weight.shape) == 4:
                total += 2 * math.prod(weight.shape) * pixels
            elif len(weight.shape) == 2:
                total += 2 * math.prod(weight.shape)
    return total
