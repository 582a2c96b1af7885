"""Convolutional U-Net backbone with a known receptive field."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import keras
from keras import layers

from keras_indi.annotations import Config, Tensor
from keras_indi.backend.forks import check_not_forked
from keras_indi.backend.supported import check_supported
from keras_indi.layers import (
    DepthToSpace2D,
    DownsampleBlock,
    FastConv2D,
    ResidualBlock,
    SpaceToDepth2D,
    TimeEmbedding,
    UpsampleBlock,
)
from keras_indi.presets import PresetModel
from keras_indi.validation import checked_bool, checked_integer

# Building takes the square of their number.
MAX_BLOCKS = 256


@keras.saving.register_keras_serializable(package="keras_indi")
class UNetBackbone(PresetModel, keras.Model):
    """A residual U-Net conditioned on t: the estimate F(x_t, t) of the clean image.

    The network of SR3 and DvSR (Saharia et al. 2021; Whang et al. 2022) without
    attention and group normalization. It has a stem, `blocks_per_level` residual blocks
    at each resolution on the way down and up, and skips joined by concatenation. It is
    fully convolutional. So it restores images of any size (a multiple of
    `size_multiple`), also tile by tile with the same result.

    The last convolution starts at zero, and its output is added to `images`: the
    network predicts a residual, and an untrained one returns its input. No activation
    precedes it. For a residual much smaller than the images, such as camera noise,
    training would drive that activation to zero, and it would stay there.

    Args:
        image_channels: Int, channels of the images. Defaults to 3.
        base_channels: Int, channels of the first level. Defaults to 64.
        channel_multipliers: Sequence of ints, one per level, the channels of the level
            as multiples of `base_channels`. Each further level halves the resolution.
            Defaults to `(1, 2, 3, 4)`.
        blocks_per_level: Int, number of residual blocks at each level in each
            direction, or a sequence of ints, one per level. `(1, 5)` puts most of the
            network at the second level, where a block costs a quarter. Defaults to 2.
        condition_on_degraded: Bool, whether the degraded image y is a further
            input, concatenated to x_t at the stem. Defaults to `False`, as in the
            paper. With it, train with noise on the path (see `InDI`).
        patch_size: Int, height and width of the pixel patches that are the input of the
            first level. With 2, it has half the resolution and four times the channels
            of the images, at a quarter of the cost. Defaults to 1, single pixels.
        activation: The residual blocks' activation: a name of
            `keras.activations` or a function. Defaults to `"silu"`, as in SR3;
            `"relu"` is faster on a CPU.
        dtype: The compute dtype or policy of the layers. Defaults to Keras's
            global policy. Inputs, t and the output are float32 throughout.
        **kwargs: `name` and so on of `keras.Model`.

    Call arguments:
        inputs: Dict of `"images"`, x_t, float32 of shape `(batch, height,
            width, image_channels)`; `"times"`, t in [0, 1] of shape
            `(batch,)`; and `"degraded"`, y, of the images' shape, where
            `condition_on_degraded`.

    Returns:
        float32 tensor of the images' shape.

    Raises:
        ValueError: If an argument is out of range.

    Example:

    >>> unet = keras_indi.models.UNetBackbone(base_channels=16)
    >>> x = np.zeros((2, 64, 64, 3), "float32")
    >>> tuple(unet({"images": x, "times": np.ones(2)}).shape)
    (2, 64, 64, 3)
    >>> unet.size_multiple
    8
    """

    def __init__(
        self,
        image_channels: int = 3,
        base_channels: int = 64,
        channel_multipliers: Sequence[int] = (1, 2, 3, 4),
        blocks_per_level: int | Sequence[int] = 2,
        condition_on_degraded: bool = False,
        patch_size: int = 1,
        activation: str | Callable[[Tensor], Tensor] = "silu",
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        check_supported()
        check_not_forked()
        condition_on_degraded = checked_bool(
            "condition_on_degraded", condition_on_degraded
        )
        if not isinstance(channel_multipliers, (list, tuple)):
            raise ValueError(
                "`channel_multipliers` must be a sequence of integers, one per level. "
                f"Received: channel_multipliers={channel_multipliers!r}"
            )
        channel_multipliers = tuple(channel_multipliers)
        blocks: Any = blocks_per_level
        if isinstance(blocks, (list, tuple)):
            blocks = blocks_per_level = tuple(blocks)
        else:
            blocks = (blocks,) * len(channel_multipliers)
        for name, value in {
            "image_channels": image_channels,
            "base_channels": base_channels,
            "patch_size": patch_size,
            **_numbered("channel_multipliers", channel_multipliers),
            **(
                _numbered("blocks_per_level", blocks)
                if blocks is blocks_per_level
                else {"blocks_per_level": blocks_per_level}
            ),
        }.items():
            checked_integer(name, value)
        if not channel_multipliers:
            raise ValueError(
                "`channel_multipliers` must name at least one level. Received: "
                f"channel_multipliers={channel_multipliers}"
            )
        if sum(blocks) > MAX_BLOCKS:
            raise ValueError(
                f"The levels have at most {MAX_BLOCKS} blocks together. Received: "
                f"blocks_per_level={blocks_per_level}"
            )
        if len(blocks) != len(channel_multipliers):
            raise ValueError(
                "`blocks_per_level` must be an integer or one integer for each of "
                f"the {len(channel_multipliers)} levels of `channel_multipliers`. "
                f"Received: blocks_per_level={blocks_per_level}, "
                f"channel_multipliers={channel_multipliers}"
            )
        policy = keras.dtype_policies.get(dtype or keras.config.dtype_policy())
        widths = [base_channels * m for m in channel_multipliers]
        levels = range(len(widths))

        # === Layers ===
        embedding = TimeEmbedding(
            4 * base_channels, dtype=policy, name="time_embedding"
        )
        stem = FastConv2D(widths[0], dtype=policy, name="stem")

        def residual_blocks(direction):
            return [
                [
                    ResidualBlock(
                        width,
                        activation,
                        dtype=policy,
                        name=f"{direction}_{level}_block_{block}",
                    )
                    for block in range(number)
                ]
                for level, (width, number) in enumerate(zip(widths, blocks))
            ]

        down_blocks = residual_blocks("down")
        up_blocks = residual_blocks("up")
        downsamplings = [
            DownsampleBlock(w, dtype=policy, name=f"downsampling_{level}")
            for level, w in enumerate(widths[1:])
        ]
        upsamplings = [
            UpsampleBlock(w, dtype=policy, name=f"upsampling_{level}")
            for level, w in enumerate(widths[:-1])
        ]
        residual = FastConv2D(
            patch_size**2 * image_channels,
            kernel_initializer="zeros",
            dtype=policy,
            name="residual",
        )

        # === Functional model ===
        shape = (None, None, image_channels)
        inputs = {
            "images": keras.Input(shape, dtype="float32", name="images"),
            "times": keras.Input((), dtype="float32", name="times"),
        }
        x = inputs["images"]
        if condition_on_degraded:
            inputs["degraded"] = keras.Input(shape, dtype="float32", name="degraded")
            x = layers.Concatenate(dtype="float32", name="conditioning")(
                [x, inputs["degraded"]]
            )
        times = embedding(inputs["times"])
        if patch_size > 1:
            x = SpaceToDepth2D(patch_size, dtype="float32", name="to_patches")(x)
        x = stem(x)
        skips = []
        for level in levels:
            if level > 0:
                skips.append(x)
                x = downsamplings[level - 1](x)
            for block in down_blocks[level]:
                x = block(x, times)
        for level in reversed(levels):
            if level < len(widths) - 1:
                x = upsamplings[level](x)
                x = layers.Concatenate(dtype=policy, name=f"skip_{level}")(
                    [x, skips.pop()]
                )
            for block in up_blocks[level]:
                x = block(x, times)
        x = residual(x)
        if patch_size > 1:
            x = DepthToSpace2D(patch_size, dtype=policy, name="from_patches")(x)
        outputs = layers.Add(dtype="float32", name="estimate")([inputs["images"], x])
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)
        self.dtype_policy = policy  # a functional model takes none when it is made

        # === Config ===
        self.image_channels = image_channels
        self.base_channels = base_channels
        self.channel_multipliers = channel_multipliers
        self.blocks_per_level = blocks_per_level
        self.condition_on_degraded = condition_on_degraded
        self.patch_size = patch_size
        self.activation = keras.activations.get(activation)

    # Only `FastConv2D` mixes pixels, as `layers.on_canvas` requires.
    works_on_canvas = True

    @property
    def bytes_per_pixel(self) -> float:
        """Float: approximate memory of an estimate per pixel of the images.

        It is that of 14 feature maps of the largest level. Measured: 7 on JAX, 8 on
        TensorFlow and 12 to 14 on PyTorch.
        """
        largest = max(
            multiplier * self.base_channels / (self.patch_size * 2**level) ** 2
            for level, multiplier in enumerate(self.channel_multipliers)
        )
        itemsize = 4 if self.dtype_policy.compute_dtype == "float32" else 2
        return 14 * max(largest * itemsize, 4.0 * self.image_channels)

    @property
    def size_multiple(self) -> int:
        """Int: height and width of the input must be multiples of this."""
        return self.patch_size * 2 ** (len(self.channel_multipliers) - 1)

    @property
    def receptive_field(self) -> int:
        """Int, odd: side in pixels of the window that an output depends on.

        The output at a pixel depends on inputs at most
        `(receptive_field - 1) // 2` pixels away, in each direction.
        """
        reach = 0
        size = self.patch_size
        for pixel in range(self.size_multiple):
            low, high = self._window(0, pixel // size, pixel // size)
            reach = max(reach, pixel - size * low, size * (high + 1) - 1 - pixel)
        return 2 * reach + 1

    def _window(self, level, low, high):
        """Return the range of input patches behind a range of a level's output.

        It follows the path through the coarsest level, which reaches furthest; skips
        stay inside its window.
        """
        blocks = self.blocks_per_level
        if isinstance(blocks, tuple):
            blocks = blocks[level]
        blocks *= ResidualBlock.radius
        low, high = low - blocks, high + blocks  # up blocks
        if level == 0:
            low, high = low - 1, high + 1  # last convolution
        if level < len(self.channel_multipliers) - 1:
            # Upsampling: pixel p comes from p // 2; its convolution adds 1.
            low, high = self._window(level + 1, low // 2 - 1, high // 2 + 1)
            # Downsampling: the convolution adds 1; pixel p from 2p and 2p + 1.
            low, high = 2 * (low - 1), 2 * (high + 1) + 1
        low, high = low - blocks, high + blocks  # down blocks
        return (low - 1, high + 1) if level == 0 else (low, high)  # stem

    def get_config(self) -> Config:
        return {
            "image_channels": self.image_channels,
            "base_channels": self.base_channels,
            "channel_multipliers": self.channel_multipliers,
            "blocks_per_level": self.blocks_per_level,
            "condition_on_degraded": self.condition_on_degraded,
            "patch_size": self.patch_size,
            "activation": keras.activations.serialize(self.activation),
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config: Config, custom_objects: Any = None) -> Self:
        config = dict(config)
        if isinstance(config.get("dtype"), dict):
            config["dtype"] = keras.saving.deserialize_keras_object(config["dtype"])
        return cls(**config)


def _numbered(name, values):
    return {f"{name}[{index}]": value for index, value in enumerate(values)}
