"""Checks of a restorer's arguments."""

import contextlib
import itertools
import types
import warnings

import keras
import numpy as np
from keras import ops

from keras_indi import validation
from keras_indi.backend import keras_private, tensorflow_data
from keras_indi.inference.inputs import check_image
from keras_indi.validation import checked_integer

# eps_t at t = 0.5, below which the degraded image as an input gives x away.
LEAST_NOISE = 0.1


def checked_backbone(backbone):
    """Return the backbone; raise a ValueError if it is no Keras layer."""
    if not isinstance(backbone, keras.layers.Layer):
        raise ValueError(
            "`backbone` must be a Keras model or layer. Received: "
            f"backbone={backbone!r}"
        )
    return backbone


def known_channels(backbone):
    """Return the number of image channels of a built backbone.

    Raises:
        ValueError: If the backbone has no weights yet, or the number is not known.
    """
    if not backbone.built:
        raise ValueError(
            "The backbone has no weights yet: call, fit or load the model first. "
            f"Received: backbone={backbone!r}"
        )
    channels = getattr(backbone, "image_channels", None)
    if channels is None:
        # Keras keeps this for a functional model, and for a built layer.
        inputs = getattr(backbone, "input", None)
        shapes = (backbone.get_build_config() or {}).get("input_shape")
        if isinstance(inputs, dict):
            channels = inputs["images"].shape[-1]
        elif isinstance(shapes, dict):
            channels = shapes["images"][-1]
    if channels is None:
        raise ValueError(
            "The number of channels of the backbone is unknown. Give it an attribute "
            "`image_channels`, or pass `input_signature=[keras.InputSpec('float32', "
            f"(None, None, None, 3))]`. Received: backbone={backbone!r}"
        )
    return channels


def checked_own_states(own_states):
    """Return the share of own states as a float; raise a ValueError if not valid."""
    return validation.checked_number("own_states", own_states, least=0, most=1)


def checked_scale(scale, own):
    """Return the scale of a restoration; raise a ValueError if it is not supported.

    Args:
        scale: Int, or `None` for the model's scale.
        own: Int, the model's scale.
    """
    if scale is None:
        return own
    if scale not in (1, own):
        also = "" if own == 1 else f", or {own}, which the model enlarges by"
        raise ValueError(
            f"`scale` must be 1, the image is not enlarged{also}. Received: "
            f"scale={scale!r}"
        )
    return int(scale)


def checked_time_shift(time_shift):
    """Return the time shift as a float; raise a ValueError if it is not valid."""
    return validation.checked_number("time_shift", time_shift, above=0)


def check_restoration(
    num_samples, batch_size, max_memory, tile_size, tile_overlap, fixed_shapes
):
    """Raise a ValueError unless these are valid arguments of `restore`."""
    checked_integer("num_samples", num_samples, optional=True)
    checked_integer("batch_size", batch_size, optional=True)
    checked_integer("max_memory", max_memory, optional=True)
    check_tiles(tile_size, tile_overlap)
    if fixed_shapes and max_memory is None:
        raise ValueError(
            "`fixed_shapes` requires `max_memory`, as free memory varies. Received: "
            "fixed_shapes=True, max_memory=None"
        )


def draws_differ(model):
    """Return whether draws of a restorer, of any class, can differ."""
    schedule = getattr(model, "noise_schedule", None)  # of `InDI`
    return schedule is None or not schedule.is_zero


def check_draws_differ(model):
    """Raise a ValueError if all draws of a restorer are equal."""
    if not draws_differ(model):
        raise ValueError(
            "Draws differ only for a model with noise. Draw one, or use a model with "
            "noise, such as the preset `jpeg`, or one trained with "
            f"`noise_schedule=0.01`. Received: noise_schedule={model.noise_schedule!r}"
        )


def check_tiles(tile_size, tile_overlap):
    """Raise a ValueError unless tile size and overlap are valid for `restore`."""
    if tile_size != "auto":
        checked_integer("tile_size", tile_size, optional=True)
    checked_integer("tile_overlap", tile_overlap, least=0, optional=True)


def check_inputs(inputs, names):
    """Raise a ValueError unless a dict of inputs has all names."""
    missing = [name for name in names if name not in inputs]
    if missing:
        raise ValueError(
            f"The inputs lack {missing}. Received: inputs with {sorted(inputs)}"
        )


def check_output(shape, images_shape):
    """Raise a ValueError unless a backbone's output has its images' shape."""
    if not compatible(shape, images_shape):
        raise ValueError(
            "The backbone must return a tensor of its images' shape. "
            f"Received: output of shape {tuple(shape)} for images of "
            f"shape {tuple(images_shape)}"
        )


def unpack_pairs(data):
    """Return a batch as `(degraded, clean)` or `(degraded, clean, weight)`."""
    degraded, clean, weight = keras.utils.unpack_x_y_sample_weight(data)
    structures = (dict, list, tuple)
    if (
        clean is None
        or isinstance(degraded, structures)
        or isinstance(clean, structures)
    ):
        raise ValueError(
            "Training requires pairs: each batch must be (degraded, clean) or "
            "(degraded, clean, sample_weight), where both are arrays or tensors. "
            f"Received: data of type {type(data).__name__}, "
            f"degraded={type(degraded).__name__}, clean={type(clean).__name__}"
        )
    return (degraded, clean) if weight is None else (degraded, clean, weight)


def check_same_shape(degraded, clean, scale=1):
    """Raise a ValueError unless the shapes match, as far as they are known.

    Args:
        degraded: Tensor `(batch, height, width, channels)`.
        clean: Tensor `(batch, height, width, channels)`.
        scale: Int, the factor by which the clean image may be larger in height and
            width. Defaults to 1, equal sizes.

    Returns:
        Bool, whether the degraded image must be enlarged by the scale; `None` if the
        shapes do not show it.
    """
    alike = compatible(degraded.shape, clean.shape)
    batch, *size, channels = degraded.shape
    size = [length and scale * length for length in size]
    small = scale > 1 and compatible((batch, *size, channels), clean.shape)
    if alike or small:
        return None if alike and small else small
    also = f", or clean ones be {scale} times larger" if scale > 1 else ""
    raise ValueError(
        f"Degraded and clean images must have the same shape{also}. Received: "
        f"degraded of shape {tuple(degraded.shape)}, clean of shape "
        f"{tuple(clean.shape)}"
    )


def check_pairs(pairs, value_range, channels, scale):
    """Raise a ValueError unless `fit` supports a batch of pairs.

    Args:
        pairs: Tuple of arrays `(degraded, clean)`, or more.
        value_range: Pair of numbers, or `None`.
        channels: Int, the required number of channels, or `None` for any.
        scale: Int, the factor by which clean images may be larger in height and width.

    Returns:
        Shape of the clean images, which the network's inputs have.
    """
    # Keras would copy an array.
    pairs = [
        images if isinstance(images, np.ndarray) else ops.convert_to_numpy(images)
        for images in unpack_pairs(pairs)[:2]
    ]
    for name, images in zip(("degraded", "clean"), pairs):
        if images.ndim == 3:
            raise ValueError(
                "Training requires batches of images. Received: "
                f"{name} of shape {images.shape}"
            )
        noisy = name == "degraded"
        check_image(images, value_range, channels, name, noisy)
    check_same_shape(*pairs, scale)
    return pairs[1].shape


@contextlib.contextmanager
def own_errors(check):
    """Raise the errors of a check in a `tf.data` pipeline, not TensorFlow's of them.

    Args:
        check: Function of a batch, which raises a ValueError.

    Yields:
        The function to check with.
    """
    found = []

    def remembered(pairs):
        try:
            check(pairs)
        except ValueError as error:
            found.append(error)
            raise

    try:
        yield remembered
    except Exception:
        if found:
            raise found[0] from None
        raise


def checked_source(x, y, check):
    """Return degraded images, or the data source of `first_checked`, checked.

    Args:
        x: Degraded images, or a data source.
        y: Clean images, or `None` with a data source.
        check: As for `first_checked`.
    """
    if y is None:
        return first_checked(x, check)
    check((x, y))
    return x


def check_no_class_weight(arguments):
    """Raise a ValueError if the arguments of `fit` weigh classes."""
    class_weight = arguments.get("class_weight")
    if class_weight is not None:
        raise ValueError(
            "Images have no classes to weigh: pass `sample_weight` instead of "
            f"`class_weight`. Received: class_weight={class_weight!r}"
        )


def first_checked(source, check):
    """Check the first batch of a data source of `fit`, once and without losing it.

    Args:
        source: Any data source of Keras.
        check: Function of a batch, which raises a ValueError or warns.

    Returns:
        The source to train on. In place of a generator, whose first batch has been
        read, it is one that begins with it; in place of a shuffled `tf.data.Dataset`,
        whose buffer is filled only once, one that checks its first batch when it is
        read. A distributed dataset is not checked.
    """
    if isinstance(source, keras.utils.PyDataset):
        check(source[0])
    elif tensorflow_data.is_distributed(source):
        pass
    elif tensorflow_data.is_shuffled(source):
        return tensorflow_data.with_first_checked(source, check)
    elif isinstance(source, types.GeneratorType):
        for first in source:
            check(first)
            # Unlike `yield from`, this leaves the user's generator open.
            return (batch for batch in itertools.chain([first], source))
    elif not hasattr(source, "__iter__"):
        unpack_pairs(source)
    elif iter(source) is not source:
        for first in source:
            check(first)
            break
    return source


def warn_of_raw_weights(callbacks):
    """Warn of callbacks that would save raw weights instead of their averages.

    Args:
        callbacks: List of the callbacks of a fit, in their order.
    """
    raw = []
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.SwapEMAWeights):
            if callback.swap_on_epoch:
                break
        elif isinstance(callback, keras.callbacks.ModelCheckpoint):
            raw.append("ModelCheckpoint")
        elif getattr(callback, "restore_best_weights", False):
            raw.append("EarlyStopping(restore_best_weights=True)")
    if raw:
        warnings.warn(
            f"{' and '.join(raw)} would keep the raw weights of an epoch, not their "
            "average, which restores better. Put "
            "`keras.callbacks.SwapEMAWeights(swap_on_epoch=True)` before it.",
            stacklevel=4,
        )


def warn_of_known_target(noise_schedule):
    """Warn that a network that sees x_t and y can compute x from the two.

    Without noise, x = (x_t - t y) / (1 - t): nothing is left to learn for t < 1. With
    noise, x is known up to noise of t eps_t / (1 - t), which at t = 0.5 is eps_t.

    Args:
        noise_schedule: `NoiseSchedule` of a model with a value range.
    """
    level = float(
        ops.convert_to_numpy(noise_schedule.level(ops.convert_to_tensor(0.5)))
    )
    if level < LEAST_NOISE:
        warnings.warn(
            "The network sees the degraded image beside x_t. With little noise on the "
            "path, the two give the clean image away for every t < 1, and training is "
            "wasted on computing it. Train a backbone without `condition_on_degraded`, "
            f"as in the paper, or with `noise_schedule` of {LEAST_NOISE} or more. "
            f"Received: noise_schedule={noise_schedule!r}",
            stacklevel=4,
        )


def check_averaged(optimizers, variables):
    """Raise a ValueError if an optimizer averages weights that are not trained.

    Keras would find out at the end of the fit, when it writes the averages.

    Args:
        optimizers: List of optimizers with an average.
        variables: List of the model's trainable `keras.Variable`.
    """
    trained = set(map(id, variables))
    for optimizer in optimizers:
        known = keras_private.variables_of(optimizer)
        frozen = [variable.path for variable in known if id(variable) not in trained]
        if frozen:
            raise ValueError(
                "The optimizer averages weights that are no longer trained. After a "
                "change of `trainable`, call `compile` with a new optimizer. Received: "
                f"{len(frozen)} such weights, the first {frozen[0]!r}"
            )


def compatible(shape, other):
    """Return whether two shapes are equal where both are known."""
    return len(shape) == len(other) and all(
        a is None or b is None or a == b for a, b in zip(shape, other)
    )
