"""Restoration of a fixed set of images during training."""

import contextlib
import inspect
import io
import pathlib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_indi import metrics as image_metrics
from keras_indi.annotations import FilePath
from keras_indi.backend import processes
from keras_indi.backend.keras_private import averages_are_swapped_in
from keras_indi.callbacks.tensorboard_scalars import (
    add_event,
    event_writer,
    require_tensorboard,
)
from keras_indi.data.resize import resize
from keras_indi.evaluation.named_pairs import fit_each_other, must_fit, restore_scale
from keras_indi.evaluation.plots import contact_sheet, require_pillow, viewable
from keras_indi.images.whole_writes import write_encoded
from keras_indi.validation import checked_integer


class RestorationMonitor(keras.callbacks.Callback):
    """Restore a fixed set of images every few epochs, with the averaged weights.

    The training loss says little about the quality of `restore`. This callback always
    restores the same images with the same noise. It uses the weights that training
    would end with: their moving average, if the optimizer keeps one. The means of the
    metrics are added to the logs of the epoch as `restored_psnr_1`, `restored_psnr_4`
    and so on. `ModelCheckpoint` and `EarlyStopping` can monitor them if listed after
    this callback; `History` and `CSVLogger` record them. The training itself does not
    change by a single bit.

    It works with `keras.callbacks.SwapEMAWeights`, in any order. If `every` is more
    than 1, the epochs in between repeat the last scores in their logs, so that other
    callbacks always find them. Before the first scores there are none. When several
    processes train together, all restore and know the scores, and the first writes.

    Args:
        degraded: Array `(batch, height, width, channels)`, or list of images
            `(height, width, channels)` of any sizes, in the model's value range.
        clean: The clean images, of the same sizes, or with height and width times the
            model's `scale`.
        num_steps: Sequence of ints, the numbers of restoration steps.
        every: Int, number of epochs between restorations.
        metrics: List of metrics with a `per_image(clean, restored)` method, such
            as `keras_indi.metrics.LPIPS("alex")`. Defaults to PSNR in the model's
            value range.
        log_dir: Folder for previews such as `epoch_0004.png`, one per restoration. A
            preview has one row per image: degraded, restored at each number of steps,
            and clean, all cropped to the smallest. Defaults to `None`, no previews.
        tensorboard: Bool, whether to write previews and scores to
            `log_dir/tensorboard`. Requires the package tensorboard, but not TensorFlow.
            Defaults to `False`.
        num_previews: Int, number of images in a preview.
        seed: Int, fixes the noise.
        **restore_arguments: Further arguments of `model.restore`: `sampler`,
            `time_grid`, `time_shift`, `tile_size`, `batch_size`.

    Raises:
        ValueError: If an argument is not valid. At the start of `fit`, if the images or
            the settings of the restoration do not match the model.

    Example:

    ```python
    model.fit(
        pairs,
        epochs=100,
        callbacks=[
            RestorationMonitor(degraded, clean, every=5, log_dir="previews"),
            keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
            keras.callbacks.ModelCheckpoint(
                "best.keras", "restored_psnr_4", mode="max", save_best_only=True
            ),
        ],
    )
    ```
    """

    def __init__(
        self,
        degraded: np.ndarray,
        clean: np.ndarray,
        num_steps: Sequence[int] = (1, 4),
        every: int = 1,
        metrics: Sequence[Any] | None = None,
        log_dir: FilePath | None = None,
        tensorboard: bool = False,
        num_previews: int = 4,
        seed: int = 0,
        **restore_arguments: Any,
    ) -> None:
        super().__init__()
        self.degraded = [np.asarray(image) for image in degraded]
        self.clean = [np.asarray(image) for image in clean]
        self._shapes = [[i.shape for i in side] for side in (self.degraded, self.clean)]
        numbers = {len(shapes) for shapes in self._shapes}
        ranks = {len(shape) for shapes in self._shapes for shape in shapes}
        if (
            ranks != {3}
            or len(numbers) != 1
            or not all(
                fit_each_other(first, second, len(second) // len(first))
                for first, second in zip(self.degraded, self.clean)
            )
        ):
            raise ValueError(
                "`degraded` and `clean` must hold the same number of images (height, "
                "width, channels), of equal shapes, or clean ones larger by the "
                f"model's `scale`. {self._received()}"
            )
        self.num_steps = tuple(checked_integer("num_steps", n) for n in num_steps)
        self.every = checked_integer("every", every)
        if tensorboard and log_dir is None:
            raise ValueError(
                "`tensorboard` needs a folder. Received: tensorboard=True, log_dir=None"
            )
        if log_dir is not None:
            require_pillow()
        for metric in metrics or ():
            if not hasattr(metric, "per_image"):
                raise ValueError(
                    "`metrics` must have `per_image`, such as those of "
                    f"`keras_indi.metrics`. Received: metrics={metrics}"
                )
        self.metrics = metrics
        self.log_dir = None if log_dir is None else pathlib.Path(log_dir)
        self.num_previews = checked_integer("num_previews", num_previews)
        self.seed = checked_integer("seed", seed, least=0)
        self.restore_arguments = restore_arguments
        if tensorboard:
            require_tensorboard()
        self.tensorboard = tensorboard
        self._writer: Any = None
        self._beside: Sequence[keras.callbacks.Callback] = ()
        self._scores: dict[str, float] = {}

    def _received(self):
        degraded, clean = self._shapes
        return f"Received: degraded of shapes {degraded}, clean of shapes {clean}"

    def set_callbacks(self, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        """Receive the callbacks of the fit in order; called by `InDI.fit`."""
        self._beside = callbacks

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        scale = self.model.scale
        pairs = list(zip(self.degraded, self.clean))
        scales = [restore_scale(self.model, *pair) for pair in pairs]
        if not all(fit_each_other(*pair, scale) for pair in pairs) or any(
            other != scales[0] for other in scales
        ):
            raise ValueError(
                f"The images of every pair {must_fit(scale)}, all alike. "
                + self._received()
            )
        self._scale_argument = scales[0]
        # Now, not at the end of an epoch. A wrong name is a TypeError.
        arguments = inspect.signature(self.model.restore).bind(
            self.degraded, **self.restore_arguments
        )
        names = ("sampler", "time_grid", "time_shift")
        setting = {n: v for n, v in arguments.arguments.items() if n in names}
        for steps in self.num_steps:
            self.model.evaluations(steps, **setting)
        self._metrics = self.metrics or ()
        if self.metrics is None:
            value_range = self.model.value_range
            if value_range is None:
                raise ValueError(
                    "PSNR needs a value range, and the model's images are unbounded. "
                    "Pass `metrics`. Received: metrics=None, value_range=None"
                )
            self._metrics = [image_metrics.PSNR(value_range)]
        self._scores = {}
        self.on_train_end()  # of a fit that was interrupted
        if self.tensorboard and self.log_dir is not None and processes.is_first():
            self._writer = event_writer(self.log_dir / "tensorboard")

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self._writer is not None:
            self._writer.close()  # with its thread
            self._writer = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if (epoch + 1) % self.every == 0:
            with self._averaged_weights():
                restored = [self._restored(steps) for steps in self.num_steps]
            self._scores = {
                f"restored_{metric.name}_{steps}": self._mean(metric, images)
                for metric in self._metrics
                for steps, images in zip(self.num_steps, restored)
            }
            if self.log_dir is not None and processes.is_first():
                self._write(epoch, restored)
        if logs is not None:
            logs.update(self._scores)

    def _restored(self, num_steps):
        return self.model.restore(
            self.degraded,
            num_steps=num_steps,
            seed=self.seed,
            verbose=0,
            **{**self._scale_argument, **self.restore_arguments},
        )

    def _mean(self, metric, restored):
        scores = [
            metric.per_image(clean[None], image[None])[0]
            for clean, image in zip(self.clean, restored)
        ]
        return float(np.mean(scores))

    @contextlib.contextmanager
    def _averaged_weights(self):
        """A context with the averages in the model; restores the exact weights."""
        if averages_are_swapped_in(self._beside):
            yield
            return
        variables = self.model.trainable_variables
        # Copies, because PyTorch and JAX may share a value with the average.
        values = [ops.copy(variable) for variable in variables]
        try:
            self.model.optimizer.finalize_variable_values(variables)
            yield
        finally:
            for variable, value in zip(variables, values):
                variable.assign(value)

    def _write(self, epoch, restored):
        """Write the preview and the TensorBoard data of an epoch."""
        shown = range(min(self.num_previews, len(self.clean)))
        height, width = np.min([self.clean[i].shape[:2] for i in shown], axis=0)
        degraded = [
            resize(self.degraded[i], *self.clean[i].shape[:2], "bilinear")
            for i in shown
        ]
        columns = [degraded, *restored, self.clean]
        steps = ["1 step" if n == 1 else f"{n} steps" for n in self.num_steps]
        sheet = contact_sheet(
            [
                [
                    viewable(images[i], self.model.value_range)[:height, :width]
                    for images in columns
                ]
                for i in shown
            ],
            ["degraded", *steps, "clean"],
        )
        write_encoded(self.log_dir / f"epoch_{epoch + 1:04d}.png", sheet.save)
        if self._writer is not None:
            _add_event(self._writer, epoch, self._scores, sheet)


def _add_event(writer, epoch, scores, sheet):
    from tensorboard.compat.proto.summary_pb2 import Summary

    encoded = io.BytesIO()
    sheet.save(encoded, "PNG")
    image = Summary.Image(
        height=sheet.height,
        width=sheet.width,
        colorspace=3,
        encoded_image_string=encoded.getvalue(),
    )
    add_event(writer, epoch, scores, restored=image)
