"""Train with PyTorch in several processes, one a GPU, on any number of machines.

    pip install ".[torch,data]"
    torchrun --nproc-per-node 2 examples/several_processes_torch.py \
        --degraded train/noisy --clean train/clean --out restorer.keras

Keras's `fit` distributes nothing on PyTorch (JAX and TensorFlow do: see `devices` of
`keras-indi train`). So this is a training loop of one's own: PyTorch's
`DistributedDataParallel` averages the gradients, each process reads its part of every
batch and draws times and noise of its own, and the first one saves.
"""

import argparse
import os
import pathlib

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

import keras_indi
from keras_indi.models.saving import save_read_back


def train(options):
    rank, count = distributed.get_rank(), distributed.get_world_size()
    device = "cpu"
    if torch.cuda.is_available():
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    pairs = keras_indi.data.pairs_from_folders(
        options.clean,
        degraded=options.degraded,
        crop_size=options.crop_size,
        batch_size=options.batch_size,  # of all processes together
        batches_per_epoch=100,
        seed=options.seed,
    )
    keras.utils.set_random_seed(options.seed)  # the network's first weights
    unet = keras_indi.UNetBackbone(base_channels=options.channels)
    model = keras_indi.InDI(unet, seed=options.seed)
    model.compile(keras_indi.models.AveragedAdam(options.learning_rate))
    model.optimizer.build(model.trainable_variables)
    network = DistributedDataParallel(model)  # all begin as the first does
    trained = 0
    while trained < options.batches:
        losses = []
        for batch in pairs:
            degraded, clean = (torch.from_numpy(side).to(device) for side in batch)
            degraded, clean = degraded.float(), clean.float()
            inputs, target = model.training_example(degraded, clean, draw=True)
            loss = (network({**inputs, "degraded": degraded}) - target).abs().mean()
            model.zero_grad()
            loss.backward()
            gradients = [weight.value.grad for weight in model.trainable_weights]
            with torch.no_grad():
                model.optimizer.apply(gradients, model.trainable_weights)
            losses.append(loss.detach())
            trained += 1
            if trained == options.batches:
                break
        mean = torch.stack(losses).mean()
        distributed.all_reduce(mean)
        if rank == 0:
            print(f"batch {trained}: loss {float(mean) / count:.4f}", flush=True)
    model.optimizer.finalize_variable_values(model.trainable_variables)  # the averages
    if rank == 0:
        save_read_back(model, options.out)
    distributed.barrier()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--degraded", "--clean", "--out"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--batches", type=int, default=10_000)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--crop-size", type=int, default=64)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        train(options)
    finally:
        distributed.destroy_process_group()


if __name__ == "__main__":
    main()
