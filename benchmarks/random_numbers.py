"""Random numbers: how long each draw takes, in microseconds, and how many times as long as PyTorch's.

Ours are drawn by NumPy alone, by compiled loops (`autograd.set_compiled(True)`) and by the algorithm "pcg64".

    python benchmarks/random_numbers.py            # 10³ to 10⁷ numbers
    python benchmarks/random_numbers.py 1000       # other counts

The least of several runs, taken in turn, so that all see the same machine.
"""

import importlib.util
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


def least(ways: list[tuple[Callable[[], Any], Callable[[], Any]]], seconds: float = 0.5) -> list[float]:
    """The least microseconds of each way (what makes it ready, the draw), over rounds that take them in turn."""
    best = [float("inf")] * len(ways)
    end = time.perf_counter() + seconds * len(ways)
    while time.perf_counter() < end:
        for i, (make_ready, draw) in enumerate(ways):
            make_ready()
            for _ in range(3):
                start = time.perf_counter()
                draw()
                best[i] = min(best[i], (time.perf_counter() - start) * 1e6)
    return best


def by(algorithm: str, compiled: bool = False) -> None:
    """Let ours be drawn this way."""
    autograd.default_generator.algorithm = algorithm
    autograd.set_compiled(compiled)


def main(counts: list[int]) -> None:
    """Measure and print."""
    ways: dict[str, tuple[Callable[[], Any], Any, Any]] = {"NumPy": (partial(by, "mt19937"), autograd, nn)}
    if importlib.util.find_spec("numba"):
        ways["compiled"] = (partial(by, "mt19937", True), autograd, nn)
    ways["pcg64"] = (partial(by, "pcg64"), autograd, nn)
    if torch is not None:
        ways["PyTorch"] = (int, torch, torch.nn)
    sys.stdout.write(f"{'':14}{'numbers':>10}{''.join(f'{way:>18}' for way in ways)}\n")
    for name, draw in DRAWS.items():
        for n in counts:
            times = least([(ready, partial(draw, t, layers, n)) for ready, t, layers in ways.values()])
            figures = [f"{each:11.1f}" + (f" ({each / times[-1]:4.2f})" if torch is not None else " " * 7)
                       for each in times]
            sys.stdout.write(f"{name:14}{n:>10}{''.join(figures)}\n")
    by("mt19937")


if __name__ == "__main__":
    main([int(n) for n in sys.argv[1:]] or [10 ** 3, 10 ** 4, 10 ** 5, 10 ** 6, 10 ** 7])
