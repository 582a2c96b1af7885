"""The backbone of `keras_indi`, written by hand in plain PyTorch.

What a PyTorch user would write: `nn.Conv2d` and friends on channels-last
tensors. Modules are named as the Keras layers, so that weights copy over by
name. `network_speed.py` compares the two.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F


class TimeEmbedding(nn.Module):
    """Sinusoidal features of t, then a two-layer perceptron."""

    def __init__(self, units):
        super().__init__()
        self.half = units // 2
        self.hidden = nn.Linear(units, units)
        self.outputs = nn.Linear(units, units)

    def forward(self, times):
        exponents = torch.arange(self.half, device=times.device) / (self.half - 1)
        frequencies = 1000.0 * torch.exp(-math.log(10000.0) * exponents)
        angles = times[:, None] * frequencies
        features = torch.cat([torch.cos(angles), torch.sin(angles)], dim=-1)
        return F.silu(self.outputs(F.silu(self.hidden(features))))


class ResidualBlock(nn.Module):
    """`x + conv(silu(conv(silu(x)) + dense(embedding)))`."""

    def __init__(self, inputs, filters, units):
        super().__init__()
        self.first = nn.Conv2d(inputs, filters, 3, padding=1)
        self.embedding = nn.Linear(units, filters)
        self.second = nn.Conv2d(filters, filters, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, filters, 1) if inputs != filters else None

    def forward(self, x, embedding):
        hidden = self.first(F.silu(x)) + self.embedding(embedding)[:, :, None, None]
        hidden = self.second(F.silu(hidden))
        return hidden + (x if self.shortcut is None else self.shortcut(x))


class UNet(nn.Module):
    """The U-Net: input and output are channels-first views of NHWC memory."""

    def __init__(self, channels, base, multipliers, blocks):
        super().__init__()
        widths = [base * m for m in multipliers]
        units = 4 * base
        self.levels, self.blocks = len(widths), blocks
        self.time_embedding = TimeEmbedding(units)
        self.stem = nn.Conv2d(channels, widths[0], 3, padding=1)
        self.residual = nn.Conv2d(widths[0], channels, 3, padding=1)
        for level, width in enumerate(widths):
            last = level == len(widths) - 1
            for way in ("down", "up"):
                for block in range(blocks):
                    joined = way == "up" and block == 0 and not last
                    inputs = 2 * width if joined else width
                    name = f"{way}_{level}_block_{block}"
                    self.add_module(name, ResidualBlock(inputs, width, units))
            if not last:
                below = widths[level + 1]
                down = nn.Conv2d(width, below, 3, padding=1)
                up = nn.Conv2d(below, width, 3, padding=1)
                self.add_module(f"downsampling_{level}_convolution", down)
                self.add_module(f"upsampling_{level}_convolution", up)
        self.to(memory_format=torch.channels_last)

    def forward(self, images, times):
        embedding = self.time_embedding(times)
        x = self.stem(images)
        skips = []
        for level in range(self.levels):
            if level > 0:
                skips.append(x)
                x = F.avg_pool2d(x, 2)
                x = self.get_submodule(f"downsampling_{level - 1}_convolution")(x)
            for block in range(self.blocks):
                x = self.get_submodule(f"down_{level}_block_{block}")(x, embedding)
        for level in reversed(range(self.levels)):
            if level < self.levels - 1:
                x = self.get_submodule(f"upsampling_{level}_convolution")(x)
                x = F.interpolate(x, scale_factor=2, mode="nearest")
                x = torch.cat([x, skips.pop()], dim=1)
            for block in range(self.blocks):
                x = self.get_submodule(f"up_{level}_block_{block}")(x, embedding)
        return images + self.residual(x)


class Side:
    """The hand-written side of the benchmark."""

    def __init__(self, config, weights):
        torch.set_num_threads(config["threads"])
        self.network = UNet(
            config["image_channels"],
            config["base_channels"],
            config["channel_multipliers"],
            config["blocks_per_level"],
        )
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=1e-4, fused=True
        )
        parameters = dict(self.network.named_parameters())
        for path, value in weights.items():
            *layer, kind = path.split("/")
            # The resampling layers are a function and a convolution here.
            name = ".".join(layer).replace(".convolution", "_convolution")
            name += ".bias" if kind == "bias" else ".weight"
            value = torch.from_numpy(value)
            axes = {1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}[value.ndim]
            with torch.no_grad():
                parameters.pop(name).copy_(value.permute(axes))
        if parameters:
            raise AssertionError(f"Weights without a value: {sorted(parameters)}")

    def count(self):
        return sum(p.numel() for p in self.network.parameters())

    def forward(self, images, times):
        with torch.no_grad():
            inputs = torch.from_numpy(images).permute(0, 3, 1, 2)
            outputs = self.network(inputs, torch.from_numpy(times))
        return outputs.permute(0, 2, 3, 1).numpy()

    def train(self, images, times, targets):
        """One step. Returns what `finish` waits for."""
        images, targets = (
            torch.from_numpy(a).permute(0, 3, 1, 2) for a in (images, targets)
        )
        outputs = self.network(images, torch.from_numpy(times))
        loss = F.l1_loss(outputs, targets)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def finish(self, loss):
        return float(loss)
