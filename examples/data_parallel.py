"""Handwritten digits, trained by several processes: the batches, and the weights, are those of one process.

Each process takes its share of every batch; gradients are averaged while the backward pass still runs. After each epoch
rank 0 writes a checkpoint, from which any number of processes can go on.

    python examples/data_parallel.py --epochs 10                                      one process
    python -m nn.distributed -n 2 examples/data_parallel.py --epochs 10               two
    python -m nn.distributed -n 4 examples/data_parallel.py --epochs 20 --resume      four, from where those stopped
"""

import argparse
from pathlib import Path

import digits
import numpy as np
from digits_cnn import DigitsCNN, as_images

import autograd
import nn
import nn.distributed as dist
import optim
from nn import functional as F
from nn.data import DataLoader, DistributedSampler, TensorDataset
from nn.parallel import DistributedDataParallel


def right(model: nn.Module, images: np.ndarray, labels: np.ndarray) -> float:
    """The fraction of images that are classified right; each process looks at its share, each image once."""
    share = list(DistributedSampler(labels, shuffle=False, pad=False))
    count = autograd.tensor(digits.accuracy(model, images[share], labels[share]) * len(share))
    dist.all_reduce(count)
    return count.item() / len(labels)


def train(epochs: int, batch_size: int, checkpoint: Path, resume: bool) -> float:
    """Train up to `epochs`, saving each; the accuracy on held-out images."""
    rows, labels, test_rows, test_labels = digits.load()
    data = TensorDataset(as_images(rows), labels)
    model = DistributedDataParallel(nn.SyncBatchNorm.convert_sync_batchnorm(DigitsCNN(16, dropout=0)))
    optimizer = optim.AdamW(model.parameters(), lr=3e-3)
    sampler = DistributedSampler(data, drop_last=True)
    batches = DataLoader(data, batch_size // dist.get_world_size(), sampler=sampler, drop_last=True)
    done = 0
    if resume:
        saved = nn.load(checkpoint)  # all read it
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        done = saved["epochs"]
    for epoch in range(done, epochs):
        sampler.set_epoch(epoch)
        total = autograd.tensor(0.0)
        for x, y in batches:
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach()
        dist.all_reduce(total, dist.ReduceOp.AVG)
        accuracy = right(model, as_images(test_rows), test_labels)
        if dist.get_rank() == 0:
            print(f"epoch {epoch + 1}: loss {total.item() / len(batches):.4f}, held out {accuracy:.2%}", flush=True)
            nn.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epochs": epoch + 1}, checkpoint)
        dist.barrier()  # the file is there for all
    return right(model, as_images(test_rows), test_labels)


def main() -> None:
    """Train, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=64, help="of all processes together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint", type=Path, default=Path("out/data_parallel.safetensors"))
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    options = parser.parse_args()
    dist.init_process_group()
    autograd.manual_seed(options.seed)
    options.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    accuracy = train(options.epochs, options.batch_size, options.checkpoint, options.resume)
    if dist.get_rank() == 0:
        print(f"{dist.get_world_size()} processes, {options.epochs} epochs: {accuracy:.2%} of the held-out digits are "
              "right")


if __name__ == "__main__":
    main()
