"""Suppression and regions of interest beside torchvision's: milliseconds, and memory in terms of the result.

    python benchmarks/vision_ops.py            # in an environment with torchvision; without it ours alone

5,000 boxes for `nms`, 512 regions of a map of 256 × 50 × 50 for `roi_align` and its gradient, both in float32. The
least of several runs, taken in turn, so that both see the same machine; each has the threads that it takes by itself.
"""

import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd
from nn.vision import ops

try:
    import torch
    import torchvision
except ImportError:
    torch = None


def boxes(count: int, size: float, overlap: bool) -> np.ndarray:
    """Boxes (count, 4) in an image of this size; those that overlap are shifted copies of a few, as detectors find."""
    generator = np.random.default_rng(0)
    corner, sides = generator.random((count, 2)) * size * 0.8, (generator.random((count, 2)) * 0.19 + 0.01) * size
    if overlap:
        few = generator.integers(0, 100, count)
        corner, sides = corner[few] + generator.normal(size=(count, 2)) * 3, sides[few]
    return np.concatenate([corner, corner + sides], 1).astype(np.float32)


def suppression(library: Any, operations: Any, overlap: bool) -> Callable[[], Any]:
    """`nms` of 5,000 boxes in an image of 800 pixels."""
    given = library.tensor(boxes(5000, 800, overlap))
    scores = library.tensor(np.random.default_rng(1).random(5000).astype(np.float32))
    return lambda: operations.nms(given, scores, 0.5)


def regions(library: Any, operations: Any, gradient: bool) -> Callable[[], Any]:
    """`roi_align` of 512 regions, as detectors read them from the map of 1/16 of the size."""
    x = library.tensor(np.random.default_rng(2).normal(size=(1, 256, 50, 50)).astype(np.float32))
    given = [library.tensor(boxes(512, 800, overlap=False))]

    def pooled() -> Any:
        return operations.roi_align(x.requires_grad_(gradient), given, 7, 1 / 16, 2)

    def there_and_back() -> Any:
        grad = autograd.grad if library is autograd else library.autograd.grad
        return grad(pooled().sum(), x)[0]
    return there_and_back if gradient else pooled


WORK = {
    "`nms`, boxes here and there": (suppression, False),
    "`nms`, many to each object": (suppression, True),
    "`roi_align`": (regions, False),
    "`roi_align` and its gradient": (regions, True),
}


def least(ways: list[Callable[[], Any]], seconds: float = 3.0) -> list[float]:
    """The least milliseconds of each."""
    best = [float("inf")] * len(ways)
    end = time.perf_counter() + seconds * len(ways)
    while time.perf_counter() < end:
        for i, way in enumerate(ways):
            start = time.perf_counter()
            way()
            best[i] = min(best[i], (time.perf_counter() - start) * 1e3)
    return best


def peak(way: Callable[[], Any]) -> tuple[float, float]:
    """The most memory that is taken meanwhile, and that of the result, in MB."""
    tracemalloc.start()
    result = way()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1e6, result.detach().numpy().nbytes / 1e6


def main() -> None:
    """Measure and print the table of docs/vision.md."""
    lines = ["| | ours, ms | torchvision, ms | memory, MB | of the result |", "| --- | ---: | ---: | ---: | ---: |"]
    for name, (make, option) in WORK.items():
        ours = make(autograd, ops, option)
        ways = [ours] if torch is None else [ours, make(torch, torchvision.ops, option)]
        times = [*least(ways), float("nan")][:2]
        most, result = peak(ours)
        lines.append(f"| {name} | {times[0]:.1f} | {times[1]:.1f} | {most:.1f} | {result:.2f} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
