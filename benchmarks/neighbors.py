"""What a second thread gains, on a quiet machine and beside other processes that compute all the time.

    python benchmarks/neighbors.py
    python benchmarks/neighbors.py --busy 2

For each size the time of one function, forward, in microseconds: ours compiled and with NumPy alone, and PyTorch's
where it is installed, each with one thread and two. Means over a second: beside others now and then a call waits a
whole time slice for a thread, which a median would hide. Takes a minute.
"""

import argparse
import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

SIZES = (1 << 16, 1 << 19, 1 << 22)
SECONDS = 1.0


def mean(function: Callable[[], object]) -> float:
    """In microseconds."""
    for _ in range(5):
        function()
    calls, begin = 0, time.perf_counter()
    while time.perf_counter() < begin + SECONDS:
        function()
        calls += 1
    return (time.perf_counter() - begin) / calls * 1e6


def ways(array: np.ndarray) -> dict[str, Callable[[int], Callable[[], object]]]:
    """For each library, what makes it use so many threads and gives the function to call."""
    import autograd
    import nn.functional as F
    autograd.ones(1, requires_grad=True).sum().backward()  # makes the settings of the process

    def ours(compiled: bool) -> Callable[[int], Callable[[], object]]:
        def prepared(threads: int) -> Callable[[], object]:
            autograd.set_compiled(compiled)
            autograd.set_num_threads(threads)
            x = autograd.from_numpy(array)
            return lambda: F.silu(x)
        return prepared

    found = {"compiled": ours(True), "NumPy alone": ours(False)}
    if importlib.util.find_spec("torch"):
        import torch

        def theirs(threads: int) -> Callable[[], object]:
            torch.set_num_threads(threads)
            x = torch.from_numpy(array)
            return lambda: torch.nn.functional.silu(x)
        found["PyTorch"] = theirs
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--busy", type=int, default=1, help="how many other processes compute in the second half")
    busy = parser.parse_args().busy
    rows: dict[tuple[str, int, int], list[str]] = {}
    for neighbors in (0, busy):
        others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(neighbors)]
        try:
            for size in SIZES:
                array = np.random.default_rng(0).standard_normal(size, np.float32)
                for name, prepared in ways(array).items():
                    for threads in (1, 2):
                        rows.setdefault((name, size, threads), []).append(f"{mean(prepared(threads)):,.0f}")
        finally:
            for other in others:
                other.kill()
                other.wait()
    print("| silu | numbers | threads | quiet | beside a busy process |\n|---|---:|---:|---:|---:|")
    for (name, size, threads), cells in rows.items():
        print(f"| {name} | {size:,} | {threads} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
