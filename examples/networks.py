"""Networks that several chapters look into, and how they are trained."""

from collections.abc import Callable

import autograd
import nn
import optim
from autograd import Tensor
from nn import functional as F


def digit_network(channels: int = 16) -> nn.Sequential:
    """Two convolutions and two linear layers, for images (N, 1, 8, 8)."""
    return nn.Sequential(nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(),
                         nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(channels * 16, 64), nn.ReLU(), nn.Linear(64, 10))


def fit(run, model: nn.Module, images, labels, steps: int = 300, lr: float = 3e-3, label: str = "",
        prepare: Callable[[Tensor, Tensor], Tensor] = lambda x, y: x) -> nn.Module:
    """Train a classifier with Adam on random batches, each after `prepare(x, y)`, and return it for evaluation."""
    x, y = autograd.tensor(images), autograd.tensor(labels)
    optimizer = optim.Adam(model.parameters(), lr)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, run.pick(steps, 2))
    for _ in run.progress(steps, quick=2, label=label):
        batch = run.rng.integers(0, len(x), 64)
        loss = F.cross_entropy(model(prepare(x[batch], y[batch])), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


def accuracy(model: nn.Module, images, labels) -> float:
    """The share of images that are given their label."""
    with autograd.no_grad():
        return float((model(autograd.as_tensor(images)).argmax(1) == autograd.as_tensor(labels)).float().mean())
