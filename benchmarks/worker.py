"""One library in a process of its own, told by the driver when to run.

    python benchmarks/worker.py jax                       its version, its workloads and its size on disk
    python benchmarks/worker.py jax W2 batch=64           W2 with a batch of 64

The second form prints the results of the first steps and the memory they took, then for every line on standard
input runs steps for that many seconds and prints their times. All answers are lines of JSON.
"""

import importlib
import json
import re
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
LONG = 10.0  # seconds: a first step longer than this is not repeated to warm up
FRESH = 400  # steps on one batch; many more drive the optimizer's state into denormals, which are slow

MODULES = {"gradcircuit": "autograd, nn, optim", "compiled": "numba, autograd, nn, optim", "torch": "torch",
           "torch_tuned": "torch", "jax": "jax, jax.numpy", "mygrad": "mygrad", "hips": "autograd.numpy",
           "products": "numpy", "pass": "numpy"}
"""What a user imports. HIPS autograd has the name of this project's engine; only the former has `autograd.numpy`."""

DISTRIBUTIONS = {"compiled": "numba", "torch": "torch", "torch_tuned": "torch", "jax": "jax", "mygrad": "mygrad",
                 "hips": "autograd", "products": "numpy", "pass": "numpy"}


def workloads(library: str) -> dict[str, Callable]:
    """What a library can express, by name."""
    if library in ("products", "pass"):
        return getattr(importlib.import_module("floor"), library.upper())
    if library in ("gradcircuit", "compiled", "torch", "torch_tuned"):
        text, models = importlib.import_module("workloads"), importlib.import_module("models")
        special = text.VARIANTS.get(library, text.WORKLOADS)
        known = models.WORKLOADS | {name: make for name, make in text.WORKLOADS.items() if name in special}
        return {name: partial(make, text.library(library)) for name, make in known.items()}
    return importlib.import_module(f"peers.{library}").WORKLOADS


def size(distribution: str, seen: set[str]) -> int:
    """Bytes of the installed files of a distribution and of all that it requires, each counted once."""
    seen.add(distribution)
    found = metadata.distribution(distribution)
    total = sum(path.locate().stat().st_size for path in found.files or [] if path.locate().is_file())
    for requirement in found.requires or []:
        name = re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-")
        if "extra ==" not in requirement and name not in seen:
            try:
                total += size(name, seen)
            except metadata.PackageNotFoundError:
                continue  # for another platform
    return total


def describe(library: str) -> dict:
    """Name, version, modules, workloads and size in MB."""
    if library == "gradcircuit":
        packages = [HERE.parent / name for name in ("autograd", "nn", "optim", "viz")]
        own = sum(path.stat().st_size for package in packages for path in package.rglob("*") if path.is_file())
        seen: set[str] = set()
        total, version = own + size("numpy", seen) + size("graphviz", seen), f"on NumPy {metadata.version('numpy')}"
    else:
        distribution = DISTRIBUTIONS[library]
        total, version = size(distribution, set()), metadata.version(distribution)
    return {"version": version, "modules": MODULES[library], "workloads": list(workloads(library)), "size": total / 1e6}


def memory(field: str) -> float:
    """MiB of resident memory: now ("VmRSS") or at most ("VmHWM")."""
    try:
        found = re.search(rf"{field}:\s+(\d+)", Path("/proc/self/status").read_text())
        return int(found[1]) / 1024
    except OSError:  # elsewhere than on Linux only the peak is known
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 ** (2 if sys.platform == "darwin" else 1)


def numbers(result: float | tuple[np.ndarray, ...] | None) -> list[float]:
    """A step's result: its loss, or the norms of the arrays it gave."""
    if isinstance(result, tuple):
        return [float(np.linalg.norm(np.ravel(array))) for array in result]
    return [] if result is None else [float(result)]


def main() -> None:
    """Describe the library, or set up and answer until standard input ends."""
    library = sys.argv[1]
    if len(sys.argv) == 2:
        importlib.import_module(MODULES[library].split(",")[0])
        print(json.dumps(describe(library)))
        return
    sizes = {name: int(value) for name, value in (setting.split("=") for setting in sys.argv[3:])}
    make = partial(workloads(library)[sys.argv[2]], **sizes)
    before = memory("VmRSS")
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    except OSError:
        before = memory("VmHWM")
    step, results, begin, taken = make(), [], time.perf_counter(), 0
    while taken < 5 and (not taken or time.perf_counter() < begin + LONG):
        values = numbers(step())
        results += values if len(values) == 1 or not taken else []
        taken += 1
    print(json.dumps({"results": results, "memory": memory("VmHWM") - before}), flush=True)
    for line in sys.stdin:
        times, end = [], time.perf_counter() + float(line)
        while not times or time.perf_counter() < end:
            if taken >= FRESH:
                step, taken = make(), 0
                step()
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
            taken += 1
        print(json.dumps(times), flush=True)


if __name__ == "__main__":
    main()
