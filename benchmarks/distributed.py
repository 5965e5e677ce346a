"""Processes against threads, what communication costs and how much of it hides behind the backward pass, and a model.

    python benchmarks/distributed.py                    measures 1, 2, 4 processes here, prints, draws
    python benchmarks/distributed.py --processes 1 2 8 --seconds 10

Each number of processes trains the same perceptron, with the same batch shared out. Rounds of all variants take turns;
the fastest step counts, since other work only ever slows one down. More processes than processors share them, and say
nothing about more machines: for those there is the model, which is first held against what was measured.
"""

import argparse
import itertools
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import autograd
import nn
import nn.distributed as dist
import optim
from autograd import Tensor
from nn import functional as F
from nn.parallel import DistributedDataParallel

ROOT = Path(__file__).parents[1]
WIDTHS, BATCH = (784, 1024, 1024, 10), 512
SIZES = [1, 1 << 10, 1 << 14, 1 << 18, 1 << 20, 1 << 22]  # numbers of four bytes
LINKS = {"1 Gb/s": (50e-6, 1.25e8), "10 Gb/s": (20e-6, 1.25e9), "100 Gb/s": (5e-6, 1.25e10)}
"""Seconds for the first byte of a message, and bytes a second after it: orders of magnitude of such networks."""
SIZE, COMPUTING = 25.6e6 * 4, 0.1
"""What the model is asked about: bytes of the gradients of ResNet-50, and seconds of computation in a step."""
BACKWARD = 0.6
"""The part of a step's computation in which gradients become complete."""


# What one of the processes measures

def fastest(function: Callable[[], object], seconds: float) -> float:
    """Seconds of the fastest call, from the moment when all begin until all have ended."""
    times, end = [], autograd.tensor(0.0)
    while not end.item():
        dist.barrier()
        begun = time.perf_counter()
        function()
        dist.barrier()
        times.append(time.perf_counter() - begun)
        end = autograd.tensor(float(sum(times) > seconds and len(times) > 4))
        dist.all_reduce(end, dist.ReduceOp.MAX)
    worst = Tensor(np.array(min(times)))
    dist.all_reduce(worst, dist.ReduceOp.MAX)
    return worst.item()


def work(seconds: float) -> dict:
    """Times of a step, of its computation alone, and of communication alone."""
    autograd.manual_seed(0)
    layers = [layer for a, b in itertools.pairwise(WIDTHS) for layer in (nn.Linear(a, b), nn.ReLU())][:-1]
    model = DistributedDataParallel(nn.Sequential(*layers), gradient_as_bucket_view=True, bucket_cap_mb=4)
    optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    share = BATCH // dist.get_world_size()
    x, y = autograd.randn(share, WIDTHS[0]), autograd.randint(0, 10, (share,))

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()

    def alone() -> None:
        with model.no_sync():
            step()

    def summed(numbers: int, seconds: float) -> float:
        tensor = autograd.zeros(numbers)
        return fastest(lambda: dist.all_reduce(tensor), seconds)
    numbers = sum(p.numel() for p in model.parameters())
    return {"step": fastest(step, seconds), "alone": fastest(alone, seconds), "bytes": 4 * numbers,
            "communication": summed(numbers, seconds / 2), "sizes": {4 * n: summed(n, seconds / 10) for n in SIZES}}


# The model

def time_of_sum(count: float, size: float, latency: float, bandwidth: float) -> float:
    """Seconds that `count` processes take for a sum of `size` bytes: 2 log N messages, each byte there and back."""
    return 2 * math.log2(count) * latency + 2 * (count - 1) / count * size / bandwidth


def time_of_step(count: float, computing: float, size: float, latency: float, bandwidth: float,
                 bucket: float = 25 * (1 << 20)) -> float:
    """Seconds of a step: what of communication doesn't hide behind the backward pass comes on top.

    Buckets leave while the pass goes on, one after the other; the last one has nothing left to hide behind.
    """
    buckets = max(1, math.ceil(size / bucket))
    each = time_of_sum(count, size / buckets, latency, bandwidth)
    return computing + max(each, buckets * each - BACKWARD * computing)


def fitted(sizes: dict[str, float], count: int) -> tuple[float, float]:
    """The latency and the bandwidth with which the model fits measured times best, in ratios."""
    measured = [(float(size), seconds) for size, seconds in sizes.items()]
    candidates = [(latency, bandwidth) for latency in np.geomspace(1e-6, 1e-2, 60)
                  for bandwidth in np.geomspace(1e7, 1e11, 80)]
    return min(candidates, key=lambda link: sum(
        math.log(time_of_sum(count, size, *link) / seconds) ** 2 for size, seconds in measured))


# Everything

def measured(processes: list[int], seconds: float, rounds: int) -> dict[str, dict]:
    """What each variant has measured, in the best of its rounds."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    variants = {f"{n} process{'es' if n > 1 else ''} of 1 thread": (n, 1) for n in processes}
    variants |= {f"1 process of {cores} threads": (1, cores)} if cores > 1 else {}
    found: dict[str, dict] = {}
    for _ in range(rounds):
        for name, (count, threads) in variants.items():
            command = [sys.executable, "-m", "nn.distributed", "-n", str(count), __file__, "--work", str(seconds)]
            result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env={
                **os.environ, "OPENBLAS_NUM_THREADS": str(threads), "PYTHONPATH": str(ROOT)})
            new = {"processes": count, **json.loads(result.stdout.splitlines()[-1])}
            if name not in found:
                found[name] = new
            for key in ("step", "alone", "communication"):
                found[name][key] = min(found[name][key], new[key])
            for size, value in new["sizes"].items():
                found[name]["sizes"][size] = min(found[name]["sizes"][size], value)
    return found


def draw(path: Path) -> None:
    """What the model says of many machines: the efficiency by their number, and the step by the size of the buckets."""
    from matplotlib import pyplot as plt
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    counts = np.unique(np.geomspace(2, 1024, 40).round())
    buckets = np.geomspace(0.1, 100, 60)  # MiB
    for (name, link), style in zip(LINKS.items(), ("-", "--", ":"), strict=True):
        left.semilogx(counts, [COMPUTING / time_of_step(n, COMPUTING, SIZE, *link) for n in counts], style, base=2)
        right.loglog(buckets, [time_of_step(64, COMPUTING, SIZE, *link, bucket=b * (1 << 20)) for b in buckets], style,
                     label=name)
    left.set(xlabel="workers", ylabel="efficiency", ylim=(0, 1.05), title="25.6M parameters, 0.1 s of computation")
    right.set(xlabel="MiB of a bucket", ylabel="seconds of a step", title="The same, 64 workers")
    right.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def main() -> None:
    """Measure, print and draw; or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--seconds", type=float, default=5, help="for each kind of time")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "distributed.svg")
    parser.add_argument("--work", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        dist.init_process_group()
        result = work(options.work)
        if dist.get_rank() == 0:
            print(json.dumps(result))
        return
    found = measured(options.processes, options.seconds, options.rounds)
    print(f"{'':28} step ms  alone ms  sum ms  hidden  examples/s   latency  bandwidth  model ms")
    for name, one in found.items():
        line = f"{name:28} {1e3 * one['step']:7.1f}  {1e3 * one['alone']:8.1f}"
        if one["processes"] > 1:
            hidden = 1 - (one["step"] - one["alone"]) / one["communication"]
            link = fitted(one["sizes"], one["processes"])
            model = time_of_step(one["processes"], one["alone"], one["bytes"], *link, bucket=4 << 20)
            line += (f"  {1e3 * one['communication']:6.1f}  {min(max(hidden, 0), 1):6.0%}  {BATCH / one['step']:10.0f}"
                     f"  {1e6 * link[0]:5.0f} µs  {link[1] / 1e9:4.2f} GB/s  {1e3 * model:8.1f}")
        else:
            line += f"  {'':6}  {'':6}  {BATCH / one['step']:10.0f}"
        print(line)
    print("\nmodel, as many parameters as ResNet-50 has, 0.1 s of computation a step: seconds of a step")
    for name, link in LINKS.items():
        print(f"{name:>9}: " + ", ".join(f"{n} workers {time_of_step(n, COMPUTING, SIZE, *link):.3f}"
                                         for n in (2, 8, 64, 1024)))
    draw(options.out)


if __name__ == "__main__":
    main()
