"""Overhead: 2,000 chained operations on 8x8 matrices, forward and backward, beside PyTorch eager.

    python benchmarks/chain.py

`y * 1.0001 + 0.0001`, a thousand times, then `y.sum().backward()`. The two libraries take turns step by step in one
process, so that both see the same machine; the figures are medians.
"""

import statistics
import time

import numpy as np

from autograd import Tensor

STEPS, LINKS = 150, 1000


def step(x):
    """One forward and backward pass; the sum as a Python float."""
    x.grad = None
    y = x
    for _ in range(LINKS):
        y = y * 1.0001 + 0.0001
    total = y.sum()
    total.backward()
    return total.item()


def main():
    """Time both and print microseconds an operation."""
    start = np.random.default_rng(1).standard_normal((8, 8), dtype=np.float32)
    sides = {"gradcircuit": Tensor(start.copy(), requires_grad=True)}
    try:
        import torch
        torch.set_num_threads(2)
        sides["torch"] = torch.tensor(start, requires_grad=True)
    except ModuleNotFoundError:
        print("torch is not installed: timing gradcircuit alone")
    times = {name: [] for name in sides}
    totals = {}
    for i in range(STEPS + 5):
        for name, x in sides.items():
            begin = time.perf_counter()
            totals[name] = step(x)
            if i >= 5:  # the first few warm up
                times[name].append(time.perf_counter() - begin)
    for name, seconds in times.items():
        cut = statistics.quantiles(seconds, n=10)
        scale = 1e6 / (2 * LINKS)
        print(f"{name:12s} {statistics.median(seconds) * scale:5.2f} µs an operation "
              f"(10 % to 90 %: {cut[0] * scale:.2f} to {cut[-1] * scale:.2f}), sum {totals[name]:.4f}")
    if "torch" in times:
        ratio = statistics.median(a / b for a, b in zip(times["gradcircuit"], times["torch"], strict=True))
        print(f"ratio gradcircuit / torch: {ratio:.2f} (median of {STEPS} pairs)")


if __name__ == "__main__":
    main()
