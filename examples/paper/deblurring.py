"""What the experiments on blur share: one model, without noise on the path."""

import verdicts
from configuration import Config, Variant, paper_budget

VARIANTS = {"InDI": Variant()}


def full(preset, data_set):
    """The paper's scale, on pairs of the data set's own.

    Args:
        preset: Name of the architecture.
        data_set: Name of the folder, with `train` and `test`, each of `degraded` and
            `clean`.
    """
    return Config(
        variants=VARIANTS,
        budget=paper_budget(preset),
        train=(),
        train_pairs=(f"{data_set}/train",),
        held_out={data_set: (f"{data_set}/test/degraded", f"{data_set}/test/clean")},
        crop=None,
        calls=(1, 2, 4, 8, 10, 16, 32, 64),
        metrics=("psnr", "lpips_alex", "fid768", "kid768"),
    )


def claims(config, curves, figure):
    return verdicts.trade_off_claims(config, curves, figure, "InDI")
