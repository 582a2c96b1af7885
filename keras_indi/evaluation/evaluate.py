"""Scores restored images against clean ones."""

import os
import warnings

import numpy as np

from keras_indi.data.images import UnusableImageError
from keras_indi.evaluation.pairs import as_pairs
from keras_indi.evaluation.protocol import Protocol
from keras_indi.evaluation.scores import Scores
from keras_indi.evaluation.table import Table
from keras_indi.inference.progress import Progress

# Images are restored together up to about this many pixels; the noise of each
# depends on this, so that it is no argument.
PIXELS_PER_CHUNK = 2**20
RESTORE_ARGUMENTS = {"num_steps", "sampler", "time_grid", "tile_size", "batch_size"}


def evaluate(
    restored,
    pairs,
    protocol=None,
    seed=None,
    verbose="auto",
    warn=True,
    **restore_arguments,
):
    """Scores a model, or images that any system restored.

    Args:
        restored: A `keras_indi.models.InDI` (anything with its `restore`); or
            the restored images themselves: a folder, an array or a list.
        pairs: With a model, (degraded, clean) images as in `as_pairs`: a tuple
            of two folders, of two arrays or lists, a list of pairs, or a Keras
            data source. With restored images, the clean ones, as a folder,
            an array or a list. Files pair by their path inside the folder,
            without its ending. Grey files count as colour ones of three equal
            channels, but for a model of one channel.
        protocol: A `Protocol`. Defaults to PSNR and SSIM.
        seed: Int, fixes the model's noise. Defaults to the protocol's.
        verbose: `"auto"`, a progress bar for what takes longer than some
            seconds, `1` at once, `0` never.
        warn: Bool, whether to warn of images that could not be scored.
        **restore_arguments: Arguments of `model.restore`: `num_steps`,
            `sampler`, `time_grid`, `tile_size`, `batch_size`.

    Returns:
        `Table` with a row an image (its name and figures), `means` over all
        images, with FID and KID among them, and `failures`: the files that
        could not be read or scored. They are in no figure, and a warning
        tells of them.

    Raises:
        ValueError: If names do not match, images in memory differ in shape,
            or nothing could be scored.

    Example:

    ```python
    evaluation = evaluate(model, ("degraded", "clean"), num_steps=4)
    print(evaluation.means["psnr"])
    evaluation.to_json("scores.json")
    ```
    """
    protocol = Protocol() if protocol is None else protocol
    unknown = set(restore_arguments) - RESTORE_ARGUMENTS
    if unknown:
        raise ValueError(
            f"An evaluation can only pass {sorted(RESTORE_ARGUMENTS)} on to `restore`. "
            f"Received: {sorted(unknown)}"
        )
    model = restored if hasattr(restored, "restore") else None
    if model is None:
        if restore_arguments:
            raise ValueError(
                "Only a model takes arguments of `restore`. Received: "
                f"{sorted(restore_arguments)} with restored images"
            )
        if isinstance(restored, (str, os.PathLike)) != isinstance(
            pairs, (str, os.PathLike)
        ):
            raise ValueError(
                "Restored and clean images must both be folders, or both arrays or "
                f"lists. Received: restored of type {type(restored).__name__}, pairs "
                f"of type {type(pairs).__name__}"
            )
        pairs = as_pairs((restored, pairs), limit=protocol.num_images)
    else:
        channels = getattr(model, "image_channels", None) or 3
        pairs = as_pairs(pairs, channels, protocol.num_images)
    table = score_pairs(
        pairs,
        model,
        Scores(protocol, len(pairs)),
        protocol.seed if seed is None else seed,
        Progress(len(pairs), verbose, unit="image"),
        restore_arguments,
    )
    if table.failures and warn:
        warnings.warn(table.failure_report(), stacklevel=2)
    return table


def score_pairs(pairs, model, scores, seed, progress, restore_arguments):
    """`evaluate` with all its parts made.

    Args:
        pairs: `Pairs`.
        model: What restores the first image of each, or `None`.
        scores: `Scores`.
        seed: Int, fixes the noise.
        progress: `Progress`, advanced once an image.
        restore_arguments: Dict of arguments of `model.restore`.

    Returns:
        `Table`.
    """
    scores.reset()
    rows, failures = [], []

    def fail(name, error):
        failures.append({"name": name, "reason": str(error)})
        progress.advance()

    for name, restored, clean in _restored(pairs, model, seed, restore_arguments, fail):
        try:
            figures = scores.add(clean, restored)
        except ValueError as error:
            fail(name, error)
            continue
        rows.append({"name": name, **figures})
        progress.advance()
    if not rows:
        raise ValueError(
            "No pair could be scored. Received: "
            + "; ".join(f"{f['name']}: {f['reason']}" for f in failures[:3])
        )
    means = scores.means(rows)
    return Table(rows, scores.protocol, means, failures, scores.versions)


def _restored(pairs, model, seed, restore_arguments, fail):
    """Yields name, restored and clean image of each pair that can be read."""
    chunk, pixels = [], 0
    for index, name in enumerate(pairs.names):
        try:
            first, clean = pairs.read(index)
        except UnusableImageError as error:
            fail(name, error)
            continue
        if model is None:
            yield name, first, clean
            continue
        chunk.append((index, name, first, clean))
        pixels += first.shape[0] * first.shape[1]
        if pixels >= PIXELS_PER_CHUNK:
            yield from _restored_chunk(chunk, model, seed, restore_arguments)
            chunk, pixels = [], 0
    if chunk:
        yield from _restored_chunk(chunk, model, seed, restore_arguments)


def _restored_chunk(chunk, model, seed, restore_arguments):
    indices, names, degraded, clean = zip(*chunk)
    # No two images of a set get the same noise.
    (seed,) = np.random.SeedSequence((seed, indices[0])).generate_state(1)
    restored = model.restore(
        list(degraded), seed=int(seed), verbose=0, **restore_arguments
    )
    yield from zip(names, restored, clean)
