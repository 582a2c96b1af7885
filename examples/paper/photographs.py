"""What the experiments on photographs share: train some models, measure each alike.

An experiment says what is compared, as a `Config` for each scale, and what the tables
tell, as a function of the curves that returns claims; `run` does the rest. All models
of a comparison are trained on the same images in the same order, with the same network
and number of steps, once for each seed.
"""

import dataclasses
import functools
import math

import harness
import keras
import numpy as np
from PIL import Image

import keras_indi
from keras_indi import data, evaluation, schedules
from keras_indi.files import write_whole

# Below 1M parameters: what two CPU cores train in hours.
SMALL_NETWORK = {
    "base_channels": 40,
    "channel_multipliers": (1, 2),
    "blocks_per_level": 2,
    "patch_size": 2,
}
SMOKE_NETWORK = {
    "base_channels": 4,
    "channel_multipliers": (1, 2),
    "blocks_per_level": 1,
}
STEPS_PER_EPOCH = 250


@dataclasses.dataclass(kw_only=True)
class Variant:
    """One of the models that are compared; all else is equal.

    Args:
        restorer: `"indi"` or `"conditional_ddpm"`.
        noise_schedule: As the restorer takes it.
        time_distribution: p(t) of InDI.
        samplers: Tuple of samplers to measure.
        grids: Tuple of time grids to measure.
    """

    restorer: str = "indi"
    noise_schedule: object = 0.0
    time_distribution: object = "uniform"
    samplers: tuple = ("indi",)
    grids: tuple = ("uniform",)


@dataclasses.dataclass(kw_only=True)
class Budget:
    """What each model is trained with.

    Args:
        network: Dict of arguments of `UNetBackbone`, or the name of a preset whose
            architecture it is.
        crop_size: Int.
        batch_size: Int.
        steps: Int.
        learning_rate: Float.
        warmup: Int, steps in which the rate rises, before it falls to 0 along a
            cosine; or `None`, a fixed rate.
        global_clipnorm: Float or `None`.
        seeds: Tuple of ints, one training each.
    """

    network: dict | str
    crop_size: int = 64
    batch_size: int = 16
    steps: int = 6000
    learning_rate: float = 5e-4
    warmup: int | None = 300
    global_clipnorm: float | None = 20.0
    seeds: tuple = (0, 1)


# The paper states the loss (L1), Adam at a fixed 1e-4, EMA 0.9999 and 500K steps. The
# networks, crops and batches are those of the architecture presets, ours.
def paper_budget(preset):
    return Budget(
        network=preset,
        crop_size=256,
        batch_size=32,
        steps=500_000,
        learning_rate=1e-4,
        warmup=None,
        global_clipnorm=None,
    )


@dataclasses.dataclass(kw_only=True)
class Config:
    """An experiment at a scale.

    Args:
        variants: Dict of names to `Variant`.
        budget: `Budget`.
        degradation: `Degradation` of clean photographs.
        train: Tuple of folders of clean photographs, in the folder of data.
        train_pairs: Tuple of folders that hold `degraded` and `clean`.
        held_out: Dict of names to folders of clean photographs, which are degraded, or
            to pairs of folders of degraded and clean ones.
        held_out_crop: Int, pixels, of the centre, or `None` for whole photographs.
        num_steps: Tuple of ints.
        noise_seeds: Tuple of ints, of restoration.
        metrics: Tuple of names of `Protocol`.
        conventions: Dict of further arguments of `Protocol`.
    """

    variants: dict
    budget: Budget
    degradation: object
    train: tuple = ("bsds500/train",)
    train_pairs: tuple = ()
    held_out: dict = dataclasses.field(
        default_factory=lambda: {"cbsd68": "bsds500/eval_cbsd68"}
    )
    held_out_crop: int | None = None
    num_steps: tuple = (1, 2, 4, 8, 16, 32)
    noise_seeds: tuple = (0,)
    metrics: tuple = ("psnr", "lpips_alex", "fid768", "kid768")
    conventions: dict = dataclasses.field(default_factory=dict)


def smoke(config):
    """The same comparison in seconds, on pictures made for it."""
    return dataclasses.replace(
        config,
        budget=Budget(
            network=SMOKE_NETWORK, crop_size=32, batch_size=2, steps=2, warmup=1
        ),
        train=("smoke",),
        train_pairs=(),
        held_out={"smoke": "smoke"},
        held_out_crop=32,
        num_steps=(1, 2),
        metrics=("psnr",),
    )


# === Data ===


def make_smoke_data(folder):
    """Two pictures of waves, in place of photographs."""
    for index in range(2):
        rows, columns = np.mgrid[:64, :64] / (3.0 + index)
        channels = [np.sin(rows + k) * np.cos(columns - k) for k in range(3)]
        picture = (127.5 + 120 * np.stack(channels, axis=-1)).astype("uint8")
        (folder / "smoke").mkdir(parents=True, exist_ok=True)
        save_image(folder / "smoke" / f"{index}.png", picture)


def save_image(path, image):
    write_whole(path, Image.fromarray(image).save)


def training_pairs(config, root, seed):
    """The batches of a training: for one seed the same, whatever is trained."""
    files = {}
    for name in config.train:
        found = data.find_images(root / name)
        files.update({f"{name}/{inside}": path for inside, path in found.items()})
    for name in config.train_pairs:
        match = data.files.match_folders(
            root / name / "degraded", root / name / "clean"
        )
        files.update({f"{name}/{key}": pair for key, pair in match.pairs.items()})
    return data.make_pairs(
        data.files.ImageFiles(files),
        config.degradation,
        crop_size=config.budget.crop_size,
        batch_size=config.budget.batch_size,
        batches_per_epoch=min(STEPS_PER_EPOCH, config.budget.steps),
        seed=seed,
    )


def held_out_folders(config, root, runs):
    """Writes the held-out pairs; returns a dict of names to pairs of folders.

    A photograph is degraded with the seed of its number in the order of names.
    """
    found = {}
    for name, source in config.held_out.items():
        pair = isinstance(source, (tuple, list))
        out = runs / "held_out" / name
        folders = tuple(out / side for side in ("degraded", "clean"))
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        if pair:
            files = data.files.match_folders(*(root / side for side in source)).pairs
        else:
            files = data.find_images(root / source)
        for number, (inside, entry) in enumerate(sorted(files.items())):
            paths = [folder / f"{inside.replace('/', '_')}.png" for folder in folders]
            if all(path.exists() for path in paths):
                continue
            if pair:
                images = [data.read_image(path) for path in entry]
            else:
                clean = data.read_image(entry)
                height, width = (size // 4 * 4 for size in clean.shape[:2])
                clean = clean[:height, :width]
                images = [config.degradation(clean, number), clean]
            for path, image in zip(paths, images):
                save_image(path, centre(image, config.held_out_crop))
        found[name] = folders
    return found


def centre(image, size):
    if size is None:
        return image
    top, left = (max(0, (length - size) // 2) for length in image.shape[:2])
    return image[top : top + size, left : left + size]


# === Models ===


def build(config, variant, seed):
    """The compiled model of a variant, and its network."""
    keras.utils.set_random_seed(seed)
    budget, options = config.budget, {"condition_on_degraded": True}
    # On CPUs that have it, bfloat16 on TensorFlow trains half as fast again.
    options["dtype"] = "mixed_bfloat16"
    if isinstance(budget.network, str):
        unet = keras_indi.models.UNetBackbone.from_preset(
            budget.network, load_weights=False, **options
        )
    else:
        unet = keras_indi.models.UNetBackbone(**budget.network, **options)
    if variant.restorer == "conditional_ddpm":
        model = keras_indi.models.ConditionalDDPM(
            unet, variant.noise_schedule, seed=seed
        )
    else:
        model = keras_indi.models.InDI(
            unet, variant.time_distribution, variant.noise_schedule, seed=seed
        )
    rate = budget.learning_rate
    if budget.warmup is not None:
        rate = keras.optimizers.schedules.CosineDecay(
            0.0,
            budget.steps - budget.warmup,
            warmup_target=rate,
            warmup_steps=budget.warmup,
        )
    optimizer = keras_indi.models.AveragedAdam(
        rate, global_clipnorm=budget.global_clipnorm
    )
    model.compile(optimizer, "mean_absolute_error")
    return model


def trained(name, config, seed, root, runs):
    """Trains a variant, or goes on training it; returns the model.

    The loss is L1 for all, of the image for InDI and of the noise for the baseline.
    """
    run = runs / f"{name.replace(' ', '_')}_seed{seed}"
    path = run / "restorer.keras"
    if not path.exists():
        run.mkdir(parents=True, exist_ok=True)
        model = build(config, config.variants[name], seed)
        pairs = training_pairs(config, root, seed)
        epochs = math.ceil(config.budget.steps / len(pairs))
        callbacks = [
            keras_indi.callbacks.BackupAndResume(
                run / "backup.weights.h5", pairs, every=STEPS_PER_EPOCH
            ),
            keras.callbacks.CSVLogger(str(run / "training.csv"), append=True),
        ]
        model.fit(pairs, epochs=epochs, callbacks=callbacks, verbose=2)
        write_whole(path, model.save)
    return keras.saving.load_model(path, compile=False)


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
        if isinstance(layer, keras_indi.layers.Upsampling2D):
            pixels //= 4  # its convolution comes first
        for weight in layer.trainable_weights:
            if len(weight.shape) == 4:
                total += 2 * math.prod(weight.shape) * pixels
            elif len(weight.shape) == 2:
                total += 2 * math.prod(weight.shape)
    return total


# === The experiment ===


@dataclasses.dataclass
class Curves:
    """The tables of an experiment.

    Args:
        rows: List of dicts: `variant`, `held_out`, `training_seed`, and the columns of
            `evaluation.trade_off`.
    """

    rows: list

    def values(self, metric, variant, steps, sampler=None, held_out=None):
        """A figure by training seed: a NumPy array, the mean over noise seeds."""
        chosen = [
            row
            for row in self.rows
            if row["variant"] == variant
            and row["num_steps"] == steps
            and sampler in (None, row["sampler"])
            and held_out in (None, row["held_out"])
        ]
        seeds = sorted({row["training_seed"] for row in chosen})
        return np.array(
            [
                np.mean([row[metric] for row in chosen if row["training_seed"] == seed])
                for seed in seeds
            ]
        )


def run(config, folder, options, claims):
    """Trains, measures, draws. See `harness.main`.

    Args:
        config: `Config`.
        folder: Path of the results.
        options: What the command line gave.
        claims: Function of `(config, curves, figure)` that returns the claims.
    """
    root = options.data
    if options.scale == "smoke":
        root = options.runs / "data"
        make_smoke_data(root)
    if root is None:
        raise SystemExit("--data FOLDER, the folder of photographs, is needed")
    held_out = held_out_folders(config, root, options.runs)
    protocol = evaluation.Protocol(
        config.metrics, weights=options.weights, **config.conventions
    )
    rows, flops, sample = [], {}, {}
    for variant_name, variant in config.variants.items():
        for seed in config.budget.seeds:
            model = trained(variant_name, config, seed, root, options.runs)
            flops[variant_name] = forward_flops(model.backbone, config.budget.crop_size)
            parameters = model.backbone.count_params()
            for set_name, pair in held_out.items():
                out = f"{variant_name.replace(' ', '_')}_seed{seed}/{set_name}"
                table = evaluation.trade_off(
                    model,
                    pair,
                    config.num_steps,
                    samplers=variant.samplers,
                    grids=variant.grids,
                    seeds=config.noise_seeds,
                    protocol=protocol,
                    out_dir=options.runs / out,
                )
                extra = {
                    "variant": variant_name,
                    "held_out": set_name,
                    "training_seed": seed,
                }
                rows += [{**extra, **row} for row in table]
            if seed == config.budget.seeds[0]:
                sample[variant_name] = model
    curves = Curves(rows)
    figure = draw_curves(config, curves, folder / "curves.png")
    draw_pictures(config, sample, held_out, folder / "pictures.png")
    images = config.budget.steps * config.budget.batch_size
    (forward,) = set(flops.values())
    facts = {
        "metrics": protocol.get_config(),
        "training_seeds": config.budget.seeds,
        "noise_seeds": config.noise_seeds,
        "parameters": parameters,
        "training_images": images,
        # A step backward costs two forward.
        "training_flops": 3 * forward * images,
        "degradation": repr(config.degradation),
        "loss": "mean_absolute_error",
        "ema_momentum": 0.9999,
    }
    return harness.Findings(facts, {"rows": rows}, claims(config, curves, figure))


def draw_curves(config, curves, path):
    """Each metric against the steps, and PSNR against the first perceptual metric."""
    metrics = list(config.metrics)
    perceptual = [name for name in metrics if name not in ("psnr", "ssim")][:1]
    figure, (axes,) = harness.new_figure(1, len(metrics) + len(perceptual), 3.4, 3.2)
    for variant_name, variant in config.variants.items():
        for sampler in variant.samplers:
            take = functools.partial(
                curves.values, variant=variant_name, sampler=sampler
            )
            label = variant_name
            if len(variant.samplers) > 1:
                label = f"{variant_name}, {sampler}"
            means = {}
            for axis, metric in zip(axes, metrics):
                found = [take(metric, steps=steps) for steps in config.num_steps]
                means[metric] = [values.mean() for values in found]
                spread = [np.ptp(values) / 2 for values in found]
                axis.errorbar(
                    config.num_steps,
                    means[metric],
                    spread,
                    marker="o",
                    markersize=3,
                    label=label,
                )
                axis.set_xscale("log", base=2)
                axis.set(xlabel="steps", title=metric)
            for metric in perceptual:
                axes[-1].plot(means[metric], means["psnr"], "o-", markersize=3)
                axes[-1].set(xlabel=metric, ylabel="psnr", title="trade-off")
    axes[0].legend(fontsize=7)
    return harness.save_figure(figure, path)


def draw_pictures(config, models, held_out, path):
    """Of one held-out photograph of each set: degraded, restored, clean."""
    most = config.num_steps[-1]
    columns = ["degraded"]
    for name in models:
        columns += [f"{name}, {steps}" for steps in (1, most)]
    figure, axes = harness.new_figure(len(held_out), len(columns) + 1, 2.2, 2.4)
    for row, (degraded, clean) in zip(axes, held_out.values()):
        file_name = sorted(path.name for path in clean.iterdir())[0]
        first, last = (
            centre(data.read_image(side / file_name), 128) for side in (degraded, clean)
        )
        shown = [first]
        for model in models.values():
            shown += [model.restore(first, n, seed=0, verbose=0) for n in (1, most)]
        for axis, image, title in zip(row, [*shown, last], [*columns, "clean"]):
            axis.imshow(image)
            axis.set_title(title, fontsize=7)
            axis.set_axis_off()
    return harness.save_figure(figure, path)


# === What several experiments claim ===


def best_steps(config, curves, metric, variant, sampler=None):
    """The number of steps whose mean figure is best."""
    sign = -1 if metric in ("psnr", "ssim") else 1
    return min(
        config.num_steps,
        key=lambda steps: sign * curves.values(metric, variant, steps, sampler).mean(),
    )


def difference(metric, first, second):
    """By how much the first is better, and its spread over the training seeds."""
    sign = -1 if metric in ("psnr", "ssim") else 1
    gaps = sign * (second - first)
    return float(gaps.mean()), float(np.std(gaps, ddof=1)) if len(gaps) > 1 else 0.0


def trade_off_claims(config, curves, figure, variant):
    """One step has the best PSNR; more steps are more natural, up to a point."""
    claims = []
    perceptual = [name for name in config.metrics if name not in ("psnr", "ssim")]
    others = [steps for steps in config.num_steps if steps > 1]
    one = curves.values("psnr", variant, 1)
    rivals = [
        difference("psnr", one, curves.values("psnr", variant, n)) for n in others
    ]
    gap, spread = min(rivals)
    claims.append(
        harness.Claim(
            f"One step has the best PSNR ({variant}).",
            harness.judged(gap > 0, gap, spread),
            f"{one.mean():.2f} dB, {gap:.3f} dB above the next best number of steps "
            f"(deviation over training seeds {spread:.3f}).",
            figure,
        )
    )
    for metric in perceptual:
        best = best_steps(config, curves, metric, variant)
        values = curves.values(metric, variant, best)
        first = curves.values(metric, variant, 1)
        gap, spread = difference(metric, values, first)
        claims.append(
            harness.Claim(
                f"More steps are better in {metric}, up to a point ({variant}).",
                harness.judged(best > 1, gap if best > 1 else None, spread),
                f"Best at {best} steps, {values.mean():.4g} against "
                f"{first.mean():.4g} in one (deviation of the difference over "
                f"training seeds {spread:.2g}).",
                figure,
            )
        )
    return claims


def comparison_claim(config, curves, figure, text, better, worse, metric):
    """At each one's best number of steps, one variant is better than another."""
    at = {name: best_steps(config, curves, metric, name) for name in (better, worse)}
    first, second = (curves.values(metric, name, at[name]) for name in (better, worse))
    gap, spread = difference(metric, first, second)
    return harness.Claim(
        text,
        harness.judged(gap > 0, gap, spread),
        f"{metric}: {better} {first.mean():.4g} in {at[better]} steps, {worse} "
        f"{second.mean():.4g} in {at[worse]} (deviation of the difference over "
        f"training seeds {spread:.2g}).",
        figure,
    )


def main(name, configs, claims):
    """Runs an experiment on photographs from the command line."""
    runner = functools.partial(run, claims=claims)
    harness.main(name, runner, configs)


def constant(eps):
    return schedules.ConstantNoise(eps)


def brownian(eps):
    return schedules.BrownianNoise(eps)
