"""Random numbers: how long each draw takes, beside PyTorch's and beside the algorithm "pcg64", in microseconds.

    python benchmarks/random_numbers.py            # 10³ to 10⁷ numbers
    python benchmarks/random_numbers.py 1000       # other counts

The least of several runs, taken in turn, so that all see the same machine.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import autograd
import nn

try:
    import torch
except ImportError:
    torch = None

DRAWS: dict[str, Callable[[Any, Any, int], Any]] = {
    "rand": lambda t, nn, n: t.rand(n),
    "rand float64": lambda t, nn, n: t.rand(n, dtype=t.float64),
    "randn": lambda t, nn, n: t.randn(n),
    "dropout": lambda t, nn, n: nn.functional.dropout(t.ones(n), 0.3),
    "bernoulli_": lambda t, nn, n: t.empty(n).bernoulli_(0.3),
    "exponential_": lambda t, nn, n: t.empty(n).exponential_(),
    "randint": lambda t, nn, n: t.randint(10, (n,)),
    "randperm": lambda t, nn, n: t.randperm(n),
}


def least(draws: list[Callable[[], Any]], seconds: float = 0.5) -> list[float]:
    """The least microseconds of each, over rounds that take them in turn."""
    best = [float("inf")] * len(draws)
    end = time.perf_counter() + seconds * len(draws)
    while time.perf_counter() < end:
        for i, draw in enumerate(draws):
            start = time.perf_counter()
            draw()
            best[i] = min(best[i], (time.perf_counter() - start) * 1e6)
    return best


def named(algorithm: str, draw: Callable, n: int) -> Callable[[], Any]:
    """Our draw by an algorithm."""
    def run() -> None:
        if autograd.default_generator.algorithm != algorithm:
            autograd.default_generator.algorithm = algorithm
        draw(autograd, nn, n)
    return run


def main(counts: list[int]) -> None:
    """Measure and print."""
    sys.stdout.write(f"{'':14}{'numbers':>10}{'PyTorch':>12}{'ours':>12}{'ratio':>8}{'pcg64':>12}\n")
    for name, draw in DRAWS.items():
        for n in counts:
            runs = [named("mt19937", draw, n), *([partial(draw, torch, torch.nn, n)] if torch is not None else [])]
            ours, *theirs = least(runs)
            fast, = least([named("pcg64", draw, n)])
            autograd.default_generator.algorithm = "mt19937"
            beside = f"{theirs[0]:12.1f}{ours:12.1f}{ours / theirs[0]:8.2f}" if theirs else f"{'':12}{ours:12.1f}{'':8}"
            sys.stdout.write(f"{name:14}{n:>10}{beside}{fast:12.1f}\n")


if __name__ == "__main__":
    main([int(n) for n in sys.argv[1:]] or [10 ** 3, 10 ** 4, 10 ** 5, 10 ** 6, 10 ** 7])
