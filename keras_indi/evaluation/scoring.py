"""Scoring of restored images against clean ones."""

import os
import pathlib
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_indi.annotations import FilePath
from keras_indi.evaluation.named_pairs import as_pairs, restore_scale
from keras_indi.evaluation.plots import draw_evaluation, require_matplotlib
from keras_indi.evaluation.protocol import Protocol
from keras_indi.evaluation.resume import (
    FinishedPairs,
    check_results,
    circumstances,
    claim,
)
from keras_indi.evaluation.scorer import Scorer
from keras_indi.evaluation.settings import ARGUMENTS, plain
from keras_indi.evaluation.table import Table
from keras_indi.images.decoding import UnusableImageError
from keras_indi.images.folder_lock import locked_folder
from keras_indi.images.whole_writes import write_encoded
from keras_indi.inference.progress import Progress
from keras_indi.validation import checked_integer

if TYPE_CHECKING:
    from keras_indi.evaluation.named_pairs import NamedPairs
    from keras_indi.models.restorer import Restorer

# Images are restored in batches of up to about this many pixels. It is not an argument
# because the noise of each image depends on it.
PIXELS_PER_CHUNK = 2**20
KINDS = ("json", "csv", "png")
# Arguments that do not change the result, and those that do.
EXACT_ARGUMENTS = {"tile_size", "batch_size", "max_memory"}
RESTORE_ARGUMENTS = {*ARGUMENTS, *EXACT_ARGUMENTS}


def evaluate(
    restored: Any,
    pairs: Any,
    protocol: Protocol | None = None,
    seed: int | None = None,
    output_dir: FilePath | None = None,
    verbose: int | str = "auto",
    warn: bool = True,
    max_pixels: int | None = None,
    **restore_arguments: Any,
) -> Table:
    """Score a model, or images restored by any system.

    Args:
        restored: A `keras_indi.models.InDI`, or another object with its `restore`
            method; or the restored images, as a folder, an array or a list.
        pairs: With a model, (degraded, clean) images as in `as_pairs`: a tuple of two
            folders, arrays or lists, a list of pairs, or a Keras data source. Clean
            images may be larger by the model's `scale`; a degraded image of the same
            size as the clean one counts as already enlarged. With restored images, the
            clean images, as a folder, an array or a list. Files are paired by their
            path inside the folder, without the extension. Grey files are read as three
            equal channels, unless the model has one channel.
        protocol: A `Protocol`. Defaults to PSNR and SSIM.
        seed: Int, fixes the model's noise. Defaults to the protocol's.
        output_dir: Output directory for `evaluation.json`, `evaluation.csv` and
            `evaluation.png` (the scores of each image; requires matplotlib, and a
            metric other than FID and KID). Each measured pair is written at once to
            `measured/`, so an interrupted run continues where it stopped. Defaults to
            `None`, no output.
        verbose: `"auto"` shows a progress bar if the work takes longer than some
            seconds, `1` always, `0` never.
        warn: Bool, whether to warn of images that could not be scored.
        max_pixels: Int, maximum number of pixels of an image in a folder, as for
            `keras_indi.data.read_image`. Larger images cannot be scored. Defaults to
            89 megapixels.
        **restore_arguments: Arguments of `model.restore`: `num_steps`,
            `sampler`, `time_grid`, `time_shift`, `tile_size`, `batch_size`,
            `max_memory`.

    Returns:
        `Table` with one row per image (its name and scores), `means` over all images,
        including FID and KID, and `failures`, the files that could not be read or
        scored. Failures are left out of all scores and named in a warning.

    Raises:
        ValueError: If names do not match, images in memory differ in shape, or nothing
            could be scored (`evaluation.json` lists the failures). Also if `output_dir`
            holds damaged results, or results of other images or another protocol,
            model, setting or version, or if another process uses it.

    Example:

    ```python
    evaluation = evaluate(model, ("degraded", "clean"), num_steps=4)
    print(evaluation.means["psnr"])
    evaluate("restored", "clean", Protocol(("psnr", "fid2048")), output_dir="scores")
    ```
    """
    protocol = Protocol() if protocol is None else protocol
    seed = checked_integer("seed", protocol.seed if seed is None else seed, least=0)
    checked_integer("max_pixels", max_pixels, optional=True)
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
                "Only a model accepts arguments of `restore`. Received: "
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
        pairs = (restored, pairs)
        pairs = as_pairs(pairs, limit=protocol.num_images, max_pixels=max_pixels)
    else:
        if output_dir is not None and not isinstance(model, keras.Model):
            raise ValueError(
                "`output_dir` requires a Keras model, whose weights identify its "
                f"results. Received: restored of type {type(model).__name__}"
            )
        channels = getattr(model, "image_channels", None) or 3
        scale = getattr(model, "scale", 1)
        pairs = as_pairs(pairs, channels, protocol.num_images, scale, max_pixels)
    scorer = Scorer(protocol, len(pairs))
    finished = FinishedPairs()
    with locked_folder(output_dir, "output_dir"):
        if output_dir is not None:
            require_matplotlib()
            output_dir = pathlib.Path(output_dir)
            settings = (
                {} if model is None else {"seed": seed, **_setting(restore_arguments)}
            )
            check_results(output_dir, [f"evaluation.{kind}" for kind in KINDS])
            measured = output_dir / "measured"
            claim(measured, circumstances(pairs, protocol, model, **settings))
            finished = FinishedPairs(measured)
        progress = Progress(len(pairs), verbose, unit="image")
        table = score_pairs(
            pairs, model, scorer, seed, progress, restore_arguments, finished
        )
        if output_dir is not None:
            table.to_json(output_dir / "evaluation.json")
            table.to_csv(output_dir / "evaluation.csv")
            figure = draw_evaluation(table) if table.rows else None
            if figure is not None:
                write_encoded(output_dir / "evaluation.png", figure.savefig)
    table.check_scored()
    if table.failures and warn:
        warnings.warn(table.failure_report(), stacklevel=2)
    return table


def _setting(restore_arguments):
    """Return the arguments that change the images, as a JSON-compatible dict."""
    return {
        name: plain(value) if name in ("sampler", "time_grid") else value
        for name, value in restore_arguments.items()
        if name not in EXACT_ARGUMENTS
    }


def score_pairs(
    pairs: "NamedPairs",
    model: "Restorer | None",
    scorer: Scorer,
    seed: int,
    progress: Progress,
    restore_arguments: Mapping[str, Any],
    finished: FinishedPairs,
) -> Table:
    """Score pairs: the core of `evaluate`.

    Args:
        pairs: `NamedPairs`.
        model: The restorer of the first image of each pair, or `None`.
        scorer: `Scorer`.
        seed: Int, fixes the noise.
        progress: `Progress`, advanced once per image.
        restore_arguments: Dict of arguments of `model.restore`.
        finished: `FinishedPairs`, which are not measured again. New pairs are added.

    Returns:
        `Table`, without means if nothing could be scored.
    """
    scorer.reset()
    rows, failures = [], []

    def fail(index, error):
        failures.append({"name": pairs.names[index], "reason": str(error)})
        progress.advance()

    restored_pairs = _restored(pairs, model, seed, restore_arguments, finished, fail)
    for index, restored, clean in restored_pairs:
        if index in finished:
            scores, features = finished.load(index, scorer, pairs.names[index])
        else:
            try:
                scores, features = scorer.measure(clean, restored)
            except ValueError as error:
                fail(index, error)
                continue
            finished.save(index, scores, features, pairs.names[index])
        scorer.count_in(features)
        rows.append({"name": pairs.names[index], **scores})
        progress.advance()
    means = scorer.means(rows) if rows else None
    return Table(rows, scorer.protocol, means, failures, scorer.versions)


def _restored(pairs, model, seed, restore_arguments, finished, fail):
    """Yield index, restored and clean image of each pair that can be read.

    The images of finished pairs may be `None`.
    """
    chunk, pixels = [], 0
    for index in range(len(pairs)):
        if model is None and index in finished:
            yield index, None, None
            continue
        try:
            first, clean = pairs.read(index)
        except UnusableImageError as error:
            fail(index, error)
            continue
        if model is None:
            yield index, first, clean
            continue
        if chunk and restore_scale(model, first, clean) != restore_scale(
            model, *chunk[0][1:]
        ):
            yield from _restored_chunk(chunk, model, seed, restore_arguments, finished)
            chunk, pixels = [], 0
        chunk.append((index, first, clean))
        pixels += clean.shape[0] * clean.shape[1]
        if pixels >= PIXELS_PER_CHUNK:
            yield from _restored_chunk(chunk, model, seed, restore_arguments, finished)
            chunk, pixels = [], 0
    if chunk:
        yield from _restored_chunk(chunk, model, seed, restore_arguments, finished)


def _restored_chunk(chunk, model, seed, restore_arguments, finished):
    """Yield index, restored and clean image of pairs of one scale."""
    indices, degraded, clean = zip(*chunk)
    if all(index in finished for index in indices):
        yield from zip(indices, degraded, clean)
        return
    # Every image of a set gets its own noise, independent of its batch.
    seeds = [
        int(np.random.SeedSequence((seed, index)).generate_state(1)[0])
        for index in indices
    ]
    restored = model.restore(
        list(degraded),
        seed=seeds,
        verbose=0,
        **restore_scale(model, degraded[0], clean[0]),
        **restore_arguments,
    )
    yield from zip(indices, restored, clean)
