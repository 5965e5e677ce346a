"""Published architectures at published sizes: a training step and inference, time and peak memory, beside PyTorch's.

    python benchmarks/models.py                                plain and compiled beside PyTorch with torchvision
    python benchmarks/models.py mobilenet resnet --seconds 5   the models that contain one of the words
    python benchmarks/models.py --python torch=VENV/bin/python --threads 1

The text is the same for all: models by torchvision's names, which `nn.vision.models` has as well. The libraries take
turns in processes of their own (`interleaved.py`); nothing else should run meanwhile. Ratios above 1: we are faster, or
need less.
"""

import argparse
import importlib
import math
import statistics
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import report
from interleaved import Library, find, interpreters, measure

LIBRARIES = ["torch", "gradcircuit", "compiled"]
MODELS = {
    "alexnet": (4, 3, 224, 224), "vgg11": (1, 3, 224, 224), "squeezenet1_1": (4, 3, 224, 224),
    "resnet18": (4, 3, 224, 224), "resnet50": (2, 3, 224, 224), "mobilenet_v2": (4, 3, 224, 224),
    "mobilenet_v3_small": (4, 3, 224, 224), "shufflenet_v2_x1_0": (4, 3, 224, 224), "mnasnet1_0": (4, 3, 224, 224),
    "efficientnet_b0": (2, 3, 224, 224), "regnet_y_400mf": (4, 3, 224, 224), "densenet121": (2, 3, 224, 224),
    "convnext_tiny": (2, 3, 224, 224), "vit_b_32": (2, 3, 224, 224), "swin_t": (1, 3, 224, 224),
    "video.r3d_18": (1, 3, 8, 112, 112),
}
"""Names and the shapes of their input, (batch, channels, *size)."""


def _made(lib: SimpleNamespace, name: str) -> Any:
    lib.base.manual_seed(0)
    library = "torchvision.models" if lib.base.__name__ == "torch" else "nn.vision.models"
    module, _, name = f"{library}.{name}".rpartition(".")
    return getattr(importlib.import_module(module), name)(weights=None)


def training(lib: SimpleNamespace, name: str) -> Callable[[], float]:
    """A step of training: forward, loss, backward, SGD with momentum."""
    model, draw = _made(lib, name), np.random.default_rng(0)
    x = lib.base.tensor(draw.standard_normal(MODELS[name], dtype=np.float32))
    target = lib.base.tensor(draw.integers(0, 400, len(x)))
    optimizer = lib.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)

    def step() -> float:
        optimizer.zero_grad()
        loss = lib.F.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss.item()
    return step


def inference(lib: SimpleNamespace, name: str) -> Callable[[], None]:
    """The output for one batch, without a graph."""
    model = _made(lib, name).eval()
    x = lib.base.tensor(np.random.default_rng(0).standard_normal(MODELS[name], dtype=np.float32))

    def step() -> None:
        with lib.base.no_grad():
            model(x)
    return step


WORKLOADS = {f"{name} {kind.__name__}": partial(kind, name=name) for name in MODELS for kind in (training, inference)}


def geometric_mean(ratios: list[float]) -> float:
    """Of those that are numbers."""
    return math.exp(statistics.mean([math.log(r) for r in ratios if not math.isnan(r)] or [math.nan]))


def page(table: dict[str, dict[str, dict]], means: list[str], threads: int) -> str:
    """The table for the documentation."""
    names = [name for name in LIBRARIES if name in next(iter(table.values()))]
    heads = ["model", *[f"{report.NAMES[name]}, {unit}" for unit in ("ms", "MiB") for name in names]]
    lines = [[workload, *[f"{cells[name].get(key, math.nan) * scale:.{digits}f}"
                          for key, scale, digits in (("median", 1e3, 1), ("memory", 1, 0)) for name in names]]
             for workload, cells in table.items()]
    return ("Medians of steps, and the memory they take at most beyond the imported library's "
            f"(`python benchmarks/models.py --docs --threads {threads}`), on {report.machine(threads)}. Ratios:\n\n"
            + "".join([f"* {line}\n" for line in means]) + f"\n{report.table(heads, lines)}")


def main() -> None:
    """Measure model by model, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="models that contain one of these; all without one")
    parser.add_argument("--seconds", type=float, default=3, help="undisturbed, for each library and model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--docs", action="store_true", help="write the section of docs/benchmarks.md")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH", help="the interpreter of a peer")
    options = parser.parse_args()
    libraries, missing = find(LIBRARIES, interpreters(options.python))
    for name, reason in missing.items():
        print(f"{name} is left out: {reason}")
    libraries = [Library(library.name, library.python, threads=options.threads) for library in libraries]
    ratios: dict[str, list[float]] = {}
    table: dict[str, dict[str, dict]] = {}
    for workload in WORKLOADS:
        if options.words and not any(word in workload for word in options.words):
            continue
        cells = table[workload] = measure(libraries, workload, options.seconds)
        line = f"{workload:32}"
        for name, cell in cells.items():
            if "failure" in cell:
                line += f"{name} failed: {cell['failure'][:80]}  "
                continue
            line += f"{name} {cell['median'] * 1e3:8.1f} ms {cell['memory']:6.0f} MiB  "
            if name != "torch" and "median" in cells.get("torch", ()):
                for key in ("median", "memory"):
                    ratio = cells["torch"][key] / max(cell[key], 1e-9)
                    ratios.setdefault(f"{name}, {workload.split()[1]}, {key}", []).append(ratio)
                    line += f"{ratio:.2f} "
                line += " "
        print(line, flush=True)
    means = [f"{kind}: geometric mean {geometric_mean(all_of_kind):.2f}, least {min(all_of_kind):.2f}"
             for kind, all_of_kind in ratios.items()]
    print("\n".join(means))
    if options.docs:
        report.publish("Models", page(table, means, options.threads))


if __name__ == "__main__":
    main()
