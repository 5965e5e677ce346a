"""What `viz.watch` costs: the time of a training step with it, at its default, divided by the time without.

    python benchmarks/watching.py

The two runs alternate, a hundred steps each, so that what else the machine does meets both; medians of the pairs.
"""

import statistics
import time
from collections.abc import Callable

import autograd
import nn
import optim
import viz

PAIRS, STEPS = 15, 100


class Perceptron(nn.Module):
    """Three layers."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10))

    def forward(self, x: autograd.Tensor) -> autograd.Tensor:
        """(batch, 64) -> (batch, 10)."""
        return self.layers(x)


def perceptron() -> tuple[nn.Module, autograd.Tensor]:
    """A step of half a millisecond."""
    return Perceptron(), autograd.randn(64, 64)


def convolutional() -> tuple[nn.Module, autograd.Tensor]:
    """Two convolutions with batch normalization on images of digits."""
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1),
        nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 16, 10))
    return model, autograd.randn(64, 1, 8, 8)


def transformer() -> tuple[nn.Module, autograd.Tensor]:
    """Four layers of attention, many small parameters."""
    layer = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True)
    model = nn.Sequential(nn.TransformerEncoder(layer, 4), nn.Flatten(), nn.Linear(64 * 16, 10))
    return model, autograd.randn(16, 16, 64)


def seconds(model: nn.Module, x: autograd.Tensor, watched: bool) -> Callable[[], float]:
    """A function that trains and returns the time of a step."""
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    labels = autograd.randint(0, 10, (len(x),))
    record = viz.watch(model, show=False)

    def train() -> None:
        for _ in range(STEPS):
            loss = nn.functional.cross_entropy(model(x), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def timed() -> float:
        begin = time.perf_counter()
        if watched:
            with record:
                train()
        else:
            train()
        return (time.perf_counter() - begin) / STEPS
    return timed


def main() -> None:
    """Print the time of a step and what watching adds to it."""
    for name, make in (("perceptron", perceptron), ("convolutional", convolutional), ("transformer", transformer)):
        autograd.manual_seed(0)
        without, watched = (seconds(*make(), watched) for watched in (False, True))
        without(), watched()
        pairs = [(without(), watched()) for _ in range(PAIRS)]
        step = statistics.median(a for a, _ in pairs)
        ratio = statistics.median(b / a for a, b in pairs)
        print(f"{name:14s} {1e3 * step:7.2f} ms a step, watched {100 * (ratio - 1):+5.1f} %")


if __name__ == "__main__":
    main()
