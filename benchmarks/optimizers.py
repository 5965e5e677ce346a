"""One update by Adam, beside PyTorch's default form and its fused one: medians of interleaved runs, in milliseconds.

    OMP_NUM_THREADS=2 python benchmarks/optimizers.py
"""

import statistics
import time

import numpy as np
import torch

import optim
from autograd import Tensor


def gpt(vocabulary=65, context=128, width=128, layers=4):
    """The shapes of the parameters of a small GPT (0.8 million numbers in 52 arrays)."""
    block = [(width,), (width,), (3 * width, width), (3 * width,), (width, width), (width,),
             (width,), (width,), (4 * width, width), (4 * width,), (width, 4 * width), (width,)]
    return [(vocabulary, width), (context, width), *block * layers, (width,), (width,)]


WORKLOADS = {
    "one parameter of 10,000,000": [(10_000_000,)],
    "1,000 parameters of 1,000": [(1_000,)] * 1_000,
    "a small GPT": gpt(),
    "an MLP of 6 parameters": [(512, 784), (512,), (256, 512), (256,), (10, 256), (10,)],
}


def contestants(shapes):
    """A function that makes one update, for each library."""
    rng = np.random.default_rng(0)
    values = [(rng.standard_normal(shape, np.float32), rng.standard_normal(shape, np.float32)) for shape in shapes]
    ours = [Tensor(start.copy(), requires_grad=True) for start, _ in values]
    for p, (_, gradient) in zip(ours, values, strict=True):
        p.grad = Tensor(gradient)

    def theirs(**form):
        params = [torch.tensor(start, requires_grad=True) for start, _ in values]
        for p, (_, gradient) in zip(params, values, strict=True):
            p.grad = torch.tensor(gradient)
        return torch.optim.Adam(params, **form).step
    return {"gradcircuit": optim.Adam(ours).step, "PyTorch": theirs(), "PyTorch fused": theirs(fused=True)}


def medians(functions, seconds=4.0):
    """The median time of each function in ms; they take turns, so that disturbances hit all alike."""
    times = {name: [] for name in functions}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(next(iter(times.values()))) < 7:
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(values[2:]) for name, values in times.items()}


def main():
    """Print the table."""
    for number, (workload, shapes) in enumerate(WORKLOADS.items()):
        result = medians(contestants(shapes))
        if not number:
            print(f"{'one Adam step, ms':<30}" + "".join(f"{name:>16}" for name in result) + f"{'ours/PyTorch':>16}")
        print(f"{workload:<30}" + "".join(f"{value:16.2f}" for value in result.values())
              + f"{result['gradcircuit'] / result['PyTorch']:16.2f}")


if __name__ == "__main__":
    main()
