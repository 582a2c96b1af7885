"""Training and restoration on a GPU, beside code written by hand: eight minutes.

    python benchmarks/gpu.py            # on a machine with a GPU, JAX and PyTorch
    python benchmarks/gpu.py --smoke    # whether it runs, anywhere, on a tiny network

For JAX and then PyTorch, in a process each: an `InDI` in mixed_bfloat16, under XLA on
JAX, stands beside the same network written by hand (`handwritten_jax.py` under
`jax.jit`, `handwritten_torch.py` under `torch.autocast`), with the same weights; that
they return the same is checked. Both train on the same pairs in main memory, with t
drawn for each image, L1 loss and Adam, and both restore in ten steps. The two take
turns. Prints images a second of each, and their ratio: above 1, ours is faster.
"""

import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

BACKENDS = ("jax", "torch")
TIME_LIMIT = 230  # seconds a backend
FULL = {
    "network": {
        "image_channels": 3,
        "base_channels": 64,
        "channel_multipliers": (1, 2, 3, 4),
        "blocks_per_level": 2,
    },
    "train": {"16x128x128": (16, 128, 128), "64x64x64": (64, 64, 64)},
    "restore": {"1x1024x1024": (1, 1024, 1024), "16x256x256": (16, 256, 256)},
    "steps": 30,  # of training, a turn
    "turns": 3,
}
SMOKE = {
    "network": {**FULL["network"], "base_channels": 8, "channel_multipliers": (1, 2)},
    "train": {"2x16x16": (2, 16, 16)},
    "restore": {"1x32x32": (1, 32, 32)},
    "steps": 2,
    "turns": 1,
}
NUM_STEPS = 10  # of a restoration


class Ours:
    """An `InDI` of keras_indi."""

    def __init__(self, config, backend):
        import keras
        import numpy as np

        import keras_indi

        self.keras = keras
        unet = keras_indi.UNetBackbone(**config["network"], dtype="mixed_bfloat16")
        # Some convolutions start at zero, which would hide the rest.
        random = np.random.default_rng(0)
        for weight in unet.weights:
            scale = 0.3 / max(1, np.prod(weight.shape[:-1])) ** 0.5
            weight.assign(scale * random.standard_normal(weight.shape))
        self.model = keras_indi.InDI(unet, seed=0)
        jit_compile = True if backend == "jax" else "auto"
        self.model.compile(keras.optimizers.Adam(1e-4), jit_compile=jit_compile)

    def weights(self):
        to_numpy = self.keras.ops.convert_to_numpy
        return {w.path: to_numpy(w) for w in self.model.backbone.weights}

    def seconds_of_training(self, degraded, clean, batch):
        class Clock(self.keras.callbacks.Callback):
            def on_train_batch_end(self, index, logs=None):
                if index == 0:
                    float(logs["loss"])
                    self.start = time.perf_counter()

            def on_epoch_end(self, epoch, logs=None):
                self.loss = float(logs["loss"])
                self.seconds = time.perf_counter() - self.start

        clock = Clock()
        options = {"batch_size": batch, "shuffle": False, "verbose": 0}
        self.model.fit(degraded, clean, callbacks=[clock], **options)
        return clock.seconds, clock.loss

    def restore(self, images):
        return self.model.restore(images, NUM_STEPS, tile_size=None, verbose=0)


class ByHandInJax:
    """Weights in float32, cast to bfloat16 for each step, as Keras does."""

    def __init__(self, config, weights):
        import functools

        import jax
        import jax.numpy as jnp
        from handwritten_jax import adam, unet

        self.jax, self.jnp = jax, jnp
        network = functools.partial(
            unet,
            levels=len(config["network"]["channel_multipliers"]),
            blocks=config["network"]["blocks_per_level"],
        )
        tree_map = jax.tree_util.tree_map
        self.weights = {path: jnp.asarray(value) for path, value in weights.items()}
        zeros = [tree_map(jnp.zeros_like, self.weights) for _ in range(2)]
        self.moments = (jnp.zeros(()), *zeros)
        self.key = jax.random.key(0)

        def estimate(weights, images, times):
            weights = tree_map(lambda w: w.astype("bfloat16"), weights)
            unit = (images / 127.5 - 1.0).astype("bfloat16")
            return (network(weights, unit, times).astype("float32") + 1.0) * 127.5

        @functools.partial(jax.jit, donate_argnums=(0, 1))
        def train(weights, moments, key, degraded, clean):
            times = jax.random.uniform(key, (len(clean),))
            part = times[:, None, None, None]
            images = (1 - part) * clean + part * degraded

            def loss_of(weights):
                return jnp.mean(jnp.abs(estimate(weights, images, times) - clean))

            loss, gradients = jax.value_and_grad(loss_of)(weights)
            return loss, *adam(weights, moments, gradients)

        @jax.jit
        def step(weights, images, t, s):
            times = jnp.full(len(images), t)
            return (1 - s / t) * estimate(weights, images, times) + s / t * images

        self._train, self._step = train, step

    def seconds_of_training(self, degraded, clean, batch):
        losses = []
        for start in range(0, len(clean), batch):
            part = slice(start, start + batch)
            self.key, key = self.jax.random.split(self.key)
            loss, self.weights, self.moments = self._train(
                self.weights, self.moments, key, degraded[part], clean[part]
            )
            losses.append(loss)
            if start == 0:
                float(loss)
                begin = time.perf_counter()
        mean = sum(float(loss) for loss in losses) / len(losses)
        return time.perf_counter() - begin, mean

    def restore(self, images):
        import numpy as np

        images = self.jnp.asarray(images)
        for step in range(NUM_STEPS, 0, -1):
            t, s = step / NUM_STEPS, (step - 1) / NUM_STEPS
            images = self._step(self.weights, images, t, s)
        return np.clip(np.asarray(images), 0, 255)


class ByHandInTorch:
    """Channels-last memory under autocast; Adam in one kernel where it is there."""

    def __init__(self, config, weights):
        import torch
        from handwritten_torch import Side

        self.torch = torch
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        threads = torch.get_num_threads()
        side = Side({**config["network"], "threads": threads}, weights)
        self.network = side.network.to(self.device)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=1e-4, fused=True
        )

    def _estimate(self, images, times):
        with self.torch.autocast(self.device, self.torch.bfloat16):
            outputs = self.network(images / 127.5 - 1.0, times)
        return (outputs.float() + 1.0) * 127.5

    def _tensor(self, images):
        images = self.torch.from_numpy(images).to(self.device)
        return images.permute(0, 3, 1, 2)

    def seconds_of_training(self, degraded, clean, batch):
        losses = []
        for start in range(0, len(clean), batch):
            part = slice(start, start + batch)
            target, other = self._tensor(clean[part]), self._tensor(degraded[part])
            times = self.torch.rand(batch, device=self.device)
            weights = times[:, None, None, None]
            images = (1 - weights) * target + weights * other
            loss = (self._estimate(images, times) - target).abs().mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            losses.append(loss.detach())
            if start == 0:
                float(losses[0])
                begin = time.perf_counter()
        mean = float(self.torch.stack(losses).mean())
        return time.perf_counter() - begin, mean

    def restore(self, images):
        with self.torch.inference_mode():
            images = self._tensor(images)
            for step in range(NUM_STEPS, 0, -1):
                t, s = step / NUM_STEPS, (step - 1) / NUM_STEPS
                times = self.torch.full((len(images),), t, device=self.device)
                estimate = self._estimate(images, times)
                images = (1 - s / t) * estimate + s / t * images
            return images.clamp(0, 255).permute(0, 2, 3, 1).cpu().numpy()


def make_pairs(count, height, width):
    import numpy as np

    random = np.random.default_rng(1)
    shape = (count, height, width, 3)
    clean = 255 * random.random(shape, "float32")
    noise = 20 * random.standard_normal(shape, "float32")
    return np.clip(clean + noise, 0, 255), clean


def check_same(ours, by_hand, network):
    """Raise an AssertionError unless both restore alike, and not nothing."""
    import numpy as np

    images = make_pairs(2, 32, 64)[0]
    found, expected = ours.restore(images), by_hand.restore(images)
    apart = np.abs(found - expected).mean()
    moved = np.abs(expected - images).mean()
    assert apart < 0.05 * moved + 0.5 and moved > 2, f"not alike: {apart}, {moved}"


def work(backend, config):
    """All measurements of one backend; prints JSON lines."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import numpy as np

    ours = Ours(config, backend)
    make = ByHandInJax if backend == "jax" else ByHandInTorch
    sides = {"ours": ours, "by hand": make(config, ours.weights())}
    check_same(*sides.values(), config["network"])
    if backend == "jax":
        import jax

        device = jax.local_devices()[0].device_kind
    else:
        import torch

        device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    print(json.dumps({"device": device}), file=answers, flush=True)

    def report(case, rates):
        best = {name: max(found) for name, found in rates.items()}
        print(json.dumps({"case": case, **best}), file=answers, flush=True)

    for name, (batch, *size) in config["train"].items():
        pairs = make_pairs((config["steps"] + 1) * batch, *size)
        rates = {side: [] for side in sides}
        for turn in range(config["turns"] + 1):  # the first one compiles
            for side, trained in sides.items():
                seconds, loss = trained.seconds_of_training(*pairs, batch)
                assert np.isfinite(loss), (side, loss)
                if turn > 0:
                    rates[side].append(config["steps"] * batch / seconds)
        report(f"train {name}", rates)
    for name, shape in config["restore"].items():
        images = make_pairs(*shape)[0]
        rates = {side: [] for side in sides}
        for turn in range(config["turns"] + 1):
            for side, restoring in sides.items():
                start = time.perf_counter()
                restored = restoring.restore(images)
                seconds = time.perf_counter() - start
                assert np.all(np.isfinite(restored)), side
                if turn > 0:
                    rates[side].append(len(images) / seconds)
        report(f"restore {name}, {NUM_STEPS} steps", rates)


def run(backend, smoke):
    """Print rows of the table as they come from a backend's process."""
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }
    command = [sys.executable, __file__, "--worker", backend]
    command += ["--smoke"] if smoke else []
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True
    )
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(None if smoke else TIME_LIMIT)
    if process.poll() is None:
        process.kill()
    lines = process.stdout.read().splitlines()
    for row in map(json.loads, lines):
        if "device" in row:
            device = row["device"]
            continue
        mine, theirs = row["ours"], row["by hand"]
        print(
            f"| {backend} | {device} | {row['case']} | {mine:.2f} | {theirs:.2f} "
            f"| {mine / theirs:.2f} |",
            flush=True,
        )
    if process.wait() != 0:
        print(f"| {backend} | | ended early ({process.returncode}) | | | |", flush=True)
    return process.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", nargs="+", choices=BACKENDS, default=BACKENDS)
    parser.add_argument("--smoke", action="store_true", help="a tiny network, any CPU")
    parser.add_argument("--worker", choices=BACKENDS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return work(options.worker, SMOKE if options.smoke else FULL)
    print("| backend | device | case | ours, images/s | by hand, images/s | ratio |")
    print("|---|---|---|---|---|---|", flush=True)
    return max(abs(run(backend, options.smoke)) for backend in options.backend)


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    sys.exit(main())
