"""Independent forwards in plain PyTorch, and random weights for them."""

import re

import numpy as np
import torch
from torch.nn import functional


def as_torch(array):
    return torch.from_numpy(np.asarray(array, "float32"))


class Forward:
    """Convolutions by their names in a dict of arrays, channels first."""

    def __init__(self, arrays):
        self.arrays = {name: as_torch(array) for name, array in arrays.items()}

    def convolve(self, x, name, stride=1, padding=0):
        weight, bias = self.arrays[f"{name}.weight"], self.arrays[f"{name}.bias"]
        return functional.relu(functional.conv2d(x, weight, bias, stride, padding))


def alexnet_taps(net, x):
    x = net.convolve(x, "features.0", 4, 2)
    yield x
    x = net.convolve(functional.max_pool2d(x, 3, 2), "features.3", 1, 2)
    yield x
    x = functional.max_pool2d(x, 3, 2)
    for index in (6, 8, 10):
        x = net.convolve(x, f"features.{index}", 1, 1)
        yield x


def squeezenet_taps(net, x):
    x = net.convolve(x, "features.0", 2)
    yield x
    for index in (3, 4, 6, 7, 9, 10, 11, 12):
        if index in (3, 6, 9):
            x = functional.max_pool2d(x, 3, 2, ceil_mode=True)
        fire = f"features.{index}"
        squeezed = net.convolve(x, f"{fire}.squeeze")
        one = net.convolve(squeezed, f"{fire}.expand1x1")
        three = net.convolve(squeezed, f"{fire}.expand3x3", 1, 1)
        x = torch.cat([one, three], 1)
        if index not in (3, 6):
            yield x


def vgg_taps(net, x):
    for index in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28):
        if index in (5, 10, 17, 24):
            x = functional.max_pool2d(x, 2)
        x = net.convolve(x, f"features.{index}", 1, 1)
        if index in (2, 7, 14, 21, 28):
            yield x


TAPS = {"alex": alexnet_taps, "squeeze": squeezenet_taps, "vgg": vgg_taps}


@torch.no_grad()
def lpips(network, arrays, clean, restored):
    """LPIPS of each pair of images in [0, 255], as its authors define it."""
    net = Forward(arrays)
    shift = torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)
    scale = torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1)

    def taps(images):
        x = as_torch(images).permute(0, 3, 1, 2) / 127.5 - 1
        for features in TAPS[network](net, (x - shift) / scale):
            norm = torch.sqrt(torch.sum(features**2, dim=1, keepdim=True))
            yield features / (norm + 1e-10)

    total = 0
    for index, (x, y) in enumerate(zip(taps(clean), taps(restored))):
        head = net.arrays[f"lin{index}.weight"]
        total = total + functional.conv2d((x - y) ** 2, head).mean(dim=(2, 3))
    return total[:, 0].numpy()


def random_lpips_weights(network, seed=0):
    """Weights by the names of torchvision and of the heads' files."""
    rng = np.random.default_rng(seed)
    arrays = {}

    def convolution(name, outputs, inputs, size):
        scale = np.sqrt(2 / (inputs * size**2))
        kernel = scale * rng.standard_normal((outputs, inputs, size, size))
        arrays[f"{name}.weight"] = kernel.astype("float32")
        arrays[f"{name}.bias"] = rng.normal(0, 0.1, outputs).astype("float32")

    if network == "alex":
        widths = (64, 192, 384, 256, 256)
        for index, outputs, inputs, size in zip(
            (0, 3, 6, 8, 10), widths, (3, *widths), (11, 5, 3, 3, 3)
        ):
            convolution(f"features.{index}", outputs, inputs, size)
    elif network == "squeeze":
        widths = (64, 128, 256, 384, 384, 512, 512)
        convolution("features.0", 64, 3, 3)
        inputs = 64
        for index, squeezed in zip(
            (3, 4, 6, 7, 9, 10, 11, 12), (16, 16, 32, 32, 48, 48, 64, 64)
        ):
            convolution(f"features.{index}.squeeze", squeezed, inputs, 1)
            inputs = 8 * squeezed
            convolution(f"features.{index}.expand1x1", inputs // 2, squeezed, 1)
            convolution(f"features.{index}.expand3x3", inputs // 2, squeezed, 3)
    else:
        widths = (64, 128, 256, 512, 512)
        indices = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
        outputs = [w for w, n in zip(widths, (2, 2, 3, 3, 3)) for _ in range(n)]
        for index, output, inputs in zip(indices, outputs, (3, *outputs)):
            convolution(f"features.{index}", output, inputs, 3)
    for index, width in enumerate(widths):
        head = rng.uniform(0, 1, (1, width, 1, 1)).astype("float32")
        arrays[f"lin{index}.weight"] = head
    return arrays


class Inception:
    """Inception-v3 as pytorch-fid runs it, with its names and batch norms.

    Called with no arrays it makes random ones as it goes.
    """

    def __init__(self, arrays=None, folded=False):
        self.folded = folded
        self.made = arrays is None
        self.arrays = {} if self.made else {k: as_torch(v) for k, v in arrays.items()}
        self.random = torch.Generator().manual_seed(0)

    def convolve(self, x, name, filters, size, stride=1, padding=0):
        size = (size, size) if isinstance(size, int) else size
        if self.made:
            self._make(name, (filters, x.shape[1], *size))
        if self.folded:
            kernel, bias = self.arrays[f"{name}.weight"], self.arrays[f"{name}.bias"]
            assert kernel.shape == (filters, x.shape[1], *size)
            return functional.relu(functional.conv2d(x, kernel, bias, stride, padding))
        x = functional.conv2d(
            x, self.arrays[f"{name}.conv.weight"], None, stride, padding
        )
        mean, variance, gain, shift = (
            self.arrays[f"{name}.bn.{part}"]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return functional.relu(
            functional.batch_norm(x, mean, variance, gain, shift, eps=0.001)
        )

    def _make(self, name, shape):
        def normal(*size):
            return torch.randn(*size, generator=self.random)

        scale = np.sqrt(2 / np.prod(shape[1:]))
        self.arrays[f"{name}.conv.weight"] = scale * normal(*shape)
        self.arrays[f"{name}.bn.weight"] = 1 + 0.1 * normal(shape[0])
        self.arrays[f"{name}.bn.bias"] = 0.1 * normal(shape[0])
        self.arrays[f"{name}.bn.running_mean"] = 0.1 * normal(shape[0])
        self.arrays[f"{name}.bn.running_var"] = 0.8 + normal(shape[0]).abs()

    @torch.no_grad()
    def __call__(self, images, dimensions):
        """Features of images in [0, 255], `(batch, dimensions)`."""
        x = as_torch(images).permute(0, 3, 1, 2) / 255
        x = functional.interpolate(x, (299, 299), mode="bilinear", align_corners=False)
        x = 2 * x - 1
        x = self.convolve(x, "Conv2d_1a_3x3", 32, 3, 2)
        x = self.convolve(x, "Conv2d_2a_3x3", 32, 3)
        x = self.convolve(x, "Conv2d_2b_3x3", 64, 3, 1, 1)
        x = functional.max_pool2d(x, 3, 2)
        x = self.convolve(x, "Conv2d_3b_1x1", 80, 1)
        x = self.convolve(x, "Conv2d_4a_3x3", 192, 3)
        x = functional.max_pool2d(x, 3, 2)
        for name, pooled in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
            x = self.block_a(x, name, pooled)
        x = self.block_b(x, "Mixed_6a")
        for letter, width in zip("bcde", (128, 160, 160, 192)):
            x = self.block_c(x, f"Mixed_6{letter}", width)
        if dimensions == 2048:
            x = self.block_d(x, "Mixed_7a")
            x = self.block_e(x, "Mixed_7b", self.average)
            x = self.block_e(
                x, "Mixed_7c", lambda x: functional.max_pool2d(x, 3, 1, padding=1)
            )
        return x.mean(dim=(2, 3)).numpy()

    @staticmethod
    def average(x):
        return functional.avg_pool2d(x, 3, 1, padding=1, count_include_pad=False)

    def block_a(self, x, name, pooled):
        one = self.convolve(x, f"{name}.branch1x1", 64, 1)
        five = self.convolve(x, f"{name}.branch5x5_1", 48, 1)
        five = self.convolve(five, f"{name}.branch5x5_2", 64, 5, 1, 2)
        three = self.convolve(x, f"{name}.branch3x3dbl_1", 64, 1)
        three = self.convolve(three, f"{name}.branch3x3dbl_2", 96, 3, 1, 1)
        three = self.convolve(three, f"{name}.branch3x3dbl_3", 96, 3, 1, 1)
        pool = self.convolve(self.average(x), f"{name}.branch_pool", pooled, 1)
        return torch.cat([one, five, three, pool], 1)

    def block_b(self, x, name):
        three = self.convolve(x, f"{name}.branch3x3", 384, 3, 2)
        double = self.convolve(x, f"{name}.branch3x3dbl_1", 64, 1)
        double = self.convolve(double, f"{name}.branch3x3dbl_2", 96, 3, 1, 1)
        double = self.convolve(double, f"{name}.branch3x3dbl_3", 96, 3, 2)
        return torch.cat([three, double, functional.max_pool2d(x, 3, 2)], 1)

    def block_c(self, x, name, width):
        row, column = ((1, 7), 1, (0, 3)), ((7, 1), 1, (3, 0))
        one = self.convolve(x, f"{name}.branch1x1", 192, 1)
        seven = self.convolve(x, f"{name}.branch7x7_1", width, 1)
        seven = self.convolve(seven, f"{name}.branch7x7_2", width, *row)
        seven = self.convolve(seven, f"{name}.branch7x7_3", 192, *column)
        double = self.convolve(x, f"{name}.branch7x7dbl_1", width, 1)
        double = self.convolve(double, f"{name}.branch7x7dbl_2", width, *column)
        double = self.convolve(double, f"{name}.branch7x7dbl_3", width, *row)
        double = self.convolve(double, f"{name}.branch7x7dbl_4", width, *column)
        double = self.convolve(double, f"{name}.branch7x7dbl_5", 192, *row)
        pool = self.convolve(self.average(x), f"{name}.branch_pool", 192, 1)
        return torch.cat([one, seven, double, pool], 1)

    def block_d(self, x, name):
        three = self.convolve(x, f"{name}.branch3x3_1", 192, 1)
        three = self.convolve(three, f"{name}.branch3x3_2", 320, 3, 2)
        seven = self.convolve(x, f"{name}.branch7x7x3_1", 192, 1)
        seven = self.convolve(seven, f"{name}.branch7x7x3_2", 192, (1, 7), 1, (0, 3))
        seven = self.convolve(seven, f"{name}.branch7x7x3_3", 192, (7, 1), 1, (3, 0))
        seven = self.convolve(seven, f"{name}.branch7x7x3_4", 192, 3, 2)
        return torch.cat([three, seven, functional.max_pool2d(x, 3, 2)], 1)

    def block_e(self, x, name, pool):
        row, column = ((1, 3), 1, (0, 1)), ((3, 1), 1, (1, 0))
        one = self.convolve(x, f"{name}.branch1x1", 320, 1)
        three = self.convolve(x, f"{name}.branch3x3_1", 384, 1)
        three_a = self.convolve(three, f"{name}.branch3x3_2a", 384, *row)
        three_b = self.convolve(three, f"{name}.branch3x3_2b", 384, *column)
        double = self.convolve(x, f"{name}.branch3x3dbl_1", 448, 1)
        double = self.convolve(double, f"{name}.branch3x3dbl_2", 384, 3, 1, 1)
        double_a = self.convolve(double, f"{name}.branch3x3dbl_3a", 384, *row)
        double_b = self.convolve(double, f"{name}.branch3x3dbl_3b", 384, *column)
        pooled = self.convolve(pool(x), f"{name}.branch_pool", 192, 1)
        return torch.cat([one, three_a, three_b, double_a, double_b, pooled], 1)


def pytorch_names(graph_arrays):
    """An archive of the graph's names, by PyTorch's: written out, block by block."""
    stem = ("1a_3x3", "2a_3x3", "2b_3x3", "3b_1x1", "4a_3x3")
    pairs = {"conv" + (f"_{i}" if i else ""): f"Conv2d_{n}" for i, n in enumerate(stem)}
    five = {
        "conv": "branch1x1",
        "tower_conv": "branch5x5_1",
        "tower_conv_1": "branch5x5_2",
        "tower_1_conv": "branch3x3dbl_1",
        "tower_1_conv_1": "branch3x3dbl_2",
        "tower_1_conv_2": "branch3x3dbl_3",
        "tower_2_conv": "branch_pool",
    }
    halving = {
        "conv": "branch3x3",
        "tower_conv": "branch3x3dbl_1",
        "tower_conv_1": "branch3x3dbl_2",
        "tower_conv_2": "branch3x3dbl_3",
    }
    seven = {
        "conv": "branch1x1",
        "tower_conv": "branch7x7_1",
        "tower_conv_1": "branch7x7_2",
        "tower_conv_2": "branch7x7_3",
        "tower_1_conv": "branch7x7dbl_1",
        "tower_1_conv_1": "branch7x7dbl_2",
        "tower_1_conv_2": "branch7x7dbl_3",
        "tower_1_conv_3": "branch7x7dbl_4",
        "tower_1_conv_4": "branch7x7dbl_5",
        "tower_2_conv": "branch_pool",
    }
    blocks = ["5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e"]
    for index, block in enumerate(blocks):
        prefix = f"mixed_{index}" if index else "mixed"
        branches = halving if block == "6a" else five if block[0] == "5" else seven
        for graph, name in branches.items():
            pairs[f"{prefix}_{graph}"] = f"Mixed_{block}.{name}"
    return {
        re.sub(r"^[^.]+", lambda match: pairs[match[0]], key): value
        for key, value in graph_arrays.items()
    }
