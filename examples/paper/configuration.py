"""What an experiment on photographs is made of: variants, their budget, the data."""

import dataclasses

# Below 1M parameters: what two CPU cores train in minutes.
SMALL_NETWORK = {
    "base_channels": 32,
    "channel_multipliers": (1, 2),
    "blocks_per_level": 2,
    "patch_size": 2,
}
# What won the presets' comparison at equal time, with Muon (examples/presets).
MEDIUM_NETWORK = {
    "base_channels": 64,
    "channel_multipliers": (1, 2, 2),
    "blocks_per_level": (1, 2, 2),
    "patch_size": 2,
    "activation": "relu",
}
SMOKE_NETWORK = {
    "base_channels": 4,
    "channel_multipliers": (1, 2),
    "blocks_per_level": 1,
}
SMOKE_CALLS = (1, 3)


@dataclasses.dataclass(kw_only=True)
class Method:
    """A way to restore with a trained model.

    Args:
        sampler: As `restore` takes it.
        grid: Time grid, as `restore` takes it.
        time_shift: Float, as `restore` takes it.
        calls: Tuple of ints, how often the network is called, or `None` for those of
            the experiment. A sampler for which no number of steps makes so many is
            not measured there.
        name: What figures and claims call it; `""` where there is one alone.
    """

    sampler: object = "indi"
    grid: object = "uniform"
    time_shift: float = 1.0
    calls: tuple | None = None
    name: str = ""

    def arguments(self):
        """Dict of arguments of `restore`."""
        found = {"sampler": self.sampler, "time_grid": self.grid}
        if self.time_shift != 1:  # not for the conditional DDPM
            found["time_shift"] = self.time_shift
        return found


@dataclasses.dataclass(kw_only=True)
class Variant:
    """One of the models that are compared; all else is equal.

    Args:
        restorer: `"indi"` or `"conditional_ddpm"`.
        noise_schedule: As the restorer takes it: eps of InDI for images in [-1, 1].
        time_distribution: p(t) of InDI.
        condition_on_degraded: Bool, whether the network also sees y. The paper's sees
            x_t and t alone. (With y, and without noise on the path, x is
            `(x_t - t y) / (1 - t)`: there would be nothing to learn below t = 1, and
            steps after the first would do nothing.) The conditional DDPM always sees
            it.
        loss: Loss of the training, as `compile` takes it. The paper's is L1.
        degradation: `Degradation` that it is trained on, or `None` for that of the
            experiment.
        first: `Variant` whose one step, the posterior mean, takes the place of the
            degraded image, or `None`.
        teacher: `Variant` that it starts from and is taught by, or `None`; see
            `student_model.Student`.
        budget: `Budget`, or `None` for that of the experiment. If some variants have
            their own, nothing can be measured before the end of training.
        methods: Tuple of `Method`, how to restore.
    """

    restorer: str = "indi"
    noise_schedule: object = 0.0
    time_distribution: object = "uniform"
    condition_on_degraded: bool = False
    loss: str = "mean_absolute_error"
    degradation: object = None
    first: object = None
    teacher: object = None
    budget: object = None
    methods: tuple = (Method(),)

    def __post_init__(self):
        if self.restorer == "conditional_ddpm":
            self.condition_on_degraded = True


@dataclasses.dataclass(kw_only=True)
class Budget:
    """What each model is trained with.

    Args:
        network: Dict of arguments of `UNetBackbone`, or the name of a preset whose
            architecture it is.
        crop_size: Int.
        batch_size: Int.
        steps: Int.
        optimizer: `"adam"` or `"muon"`.
        learning_rate: Float.
        warmup: Int, steps in which the rate rises; or `None`, a fixed rate.
        decays: Bool, whether the rate falls to 0 along a cosine after the warmup. If
            it stays, the averaged weights after some steps are near to those of a
            training of so many steps.
        global_clipnorm: Float or `None`.
        steps_per_epoch: Int.
        measured_at: Tuple of ints, multiples of `steps_per_epoch`: steps before the
            last after which the averaged weights are measured, too.
        seeds: Tuple of ints, one training each.
    """

    network: dict | str = dataclasses.field(default_factory=SMALL_NETWORK.copy)
    crop_size: int = 64
    batch_size: int = 16
    steps: int = 2000
    optimizer: str = "adam"
    learning_rate: float = 5e-4
    warmup: int | None = 300
    decays: bool = True
    global_clipnorm: float | None = 20.0
    steps_per_epoch: int = 250
    measured_at: tuple = ()
    seeds: tuple = (0, 1)


def medium_budget():
    """Ten times the steps of the small scale, each of twice the operations.

    One seed: a training takes an hour on two CPU cores.
    """
    return Budget(
        network=MEDIUM_NETWORK,
        batch_size=8,
        steps=20_000,
        optimizer="muon",
        learning_rate=1e-3,
        decays=False,
        steps_per_epoch=1000,
        measured_at=(2000, 5000, 10_000),
        seeds=(0,),
    )


def paper_budget(preset, crop_size=256):
    """The paper's budget, for the architecture of a preset.

    The paper states the loss (L1), Adam at a fixed 1e-4, EMA 0.9999 and 500K steps. The
    networks, crops and batches are those of the architecture presets, ours.
    """
    return Budget(
        network=preset,
        crop_size=crop_size,
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
        validation: Folder of clean photographs, whose loss is written down after each
            epoch, or `None`.
        augment: Bool, whether to flip and rotate the crops.
        held_out: Dict of names to folders of clean photographs, which are degraded; to
            pairs of folders of degraded and clean ones; to pairs of a folder of clean
            ones and another `Degradation`; or to functions of the folder of data that
            return a dict of names to pairs of paths. All are measured.
        shown: Like `held_out`, but in the pictures alone.
        crop: Int, pixels, of the centre of held-out photographs; or `None` for whole
            ones.
        tiles: Bool, whether to take every whole crop of a photograph, not only that
            of its centre: for FID and KID, which need many.
        tools: Dict of names of classical tools to functions of the degraded and the
            clean photograph, the degradation and its seed, as `examples/presets` has
            them. They are measured alike.
        calls: Tuple of ints, how often the network is called.
        earlier_calls: Those of them after `budget.measured_at` steps of training.
        controlled: Tuple of names of lines, each of which is measured beside its one
            step with as much noise or sharpening as further steps add.
        pictured: Int, of these, those of the pictures. Defaults to the last.
        noise_seeds: Tuple of ints, of restoration.
        metrics: Tuple of names of `Protocol`.
        conventions: Dict of further arguments of `Protocol`.
    """

    variants: dict
    budget: Budget = dataclasses.field(default_factory=Budget)
    degradation: object = None
    train: tuple = ("bsds500/train",)
    train_pairs: tuple = ()
    validation: str | None = None
    augment: bool = True
    held_out: dict = dataclasses.field(
        default_factory=lambda: {"cbsd68": "bsds500/eval_cbsd68"}
    )
    shown: dict = dataclasses.field(default_factory=dict)
    crop: int | None = 128
    tiles: bool = False
    tools: dict = dataclasses.field(default_factory=dict)
    calls: tuple = (1, 2, 4, 8, 16, 32)
    earlier_calls: tuple = (1, 2, 4, 8)
    controlled: tuple = ()
    pictured: int | None = None
    noise_seeds: tuple = (0,)
    metrics: tuple = ("psnr", "lpips_alex")
    conventions: dict = dataclasses.field(default_factory=dict)

    def lines(self):
        """Yield `(name, variant name, method)` of each curve."""
        for variant_name, variant in self.variants.items():
            for method in variant.methods:
                name = ", ".join(filter(None, (variant_name, method.name)))
                yield name, variant_name, method


# At the medium scale, of what calls the network hundreds of times: no FID or KID, which
# need the whole photographs.
CENTRES = {"tiles": False, "metrics": ("psnr", "lpips_alex", "lpips_squeeze")}


def medium(config, **changes):
    """An experiment at the medium scale.

    It trains on the photographs with free licences.

    Args:
        config: `Config` of the small scale.
        **changes: What else of `Config` differs.
    """
    medium = dataclasses.replace(
        config,
        budget=medium_budget(),
        train=("photographs/train", "city100/train/clean"),
        train_pairs=(),
        validation="photographs/validation",
        held_out={"cbsd68": "bsds500/eval_cbsd68"},
        tiles=True,
        metrics=("psnr", "lpips_alex", "lpips_squeeze", "fid768", "kid768"),
    )
    return dataclasses.replace(medium, **changes)


def smoke(config, names=None):
    """The same comparison in seconds, on pictures made for it.

    Args:
        config: `Config`.
        names: Names of some variants. Defaults to all.
    """
    variants = {
        name: dataclasses.replace(
            variant,
            methods=tuple(
                dataclasses.replace(
                    method, calls=method.calls and SMOKE_CALLS[: len(method.calls)]
                )
                for method in variant.methods
            ),
            budget=variant.budget and smoke_budget(),
        )
        for name, variant in config.variants.items()
        if names is None or name in names
    }
    of_one = not any(variant.budget for variant in variants.values())
    found = dataclasses.replace(
        config,
        variants=variants,
        budget=smoke_budget(measured_at=(1,) if of_one else ()),
        train=("smoke",),
        train_pairs=(),
        validation="smoke",
        held_out={"smoke": "smoke"},
        shown={},
        crop=32,
        tiles=False,
        calls=SMOKE_CALLS,
        earlier_calls=SMOKE_CALLS,
        pictured=None,
        # KID over an extractor that is made for it.
        metrics=("psnr", "kid") if "psnr" in config.metrics else ("kid",),
        conventions={},
    )
    if "psnr" not in found.metrics:
        return found
    lines = [
        line
        for line, _, method in found.lines()
        if len(method.calls or SMOKE_CALLS) > 1
    ]
    return dataclasses.replace(found, controlled=tuple(lines[-1:]))


def smoke_budget(**changes):
    return Budget(
        network=SMOKE_NETWORK,
        crop_size=32,
        batch_size=2,
        steps=2,
        warmup=1,
        steps_per_epoch=1,
        seeds=(0,),
        **changes,
    )
