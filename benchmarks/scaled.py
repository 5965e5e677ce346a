"""Nothing is tuned to the workloads' sizes: PyTorch's time over this project's, each size halved and doubled.

    python benchmarks/scaled.py [W2 W6 ...] [--library compiled] [--seconds 2] [--python torch=VENV/bin/python]

Batch, width (channels, hidden units) and length (of the image's side, of the sequence) of W2 to W6, one at a time,
beside the workload's own size. Ratios that are more than 20 % below that one are marked. Writes
out/benchmarks/scaled.md; takes about four minutes.
"""

import argparse
import inspect
from collections.abc import Callable
from pathlib import Path

import data
from interleaved import find, interpreters, measure

WORKLOADS = {"W2": data.mlp, "W3": data.cnn, "W4": data.resnet, "W5": data.lstm, "W6": data.gpt}
SCALES = {"halved": 0.5, "doubled": 2}
LOSS = 0.2  # of the ratio, allowed


def sizes(make: Callable) -> dict[str, int]:
    """The sizes that a workload has, and its own."""
    return {name: parameter.default for name, parameter in inspect.signature(make).parameters.items()
            if name in ("batch", "width", "length")}


def main() -> None:
    """Print the table row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", default=list(WORKLOADS))
    parser.add_argument("--library", default="gradcircuit", choices=["gradcircuit", "compiled"], help="which form")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH", help="the interpreter of a peer")
    parser.add_argument("--seconds", type=float, default=2, help="undisturbed, for each library and size")
    parser.add_argument("--rounds", type=int, default=1, help="processes for each, of which the best is kept")
    options = parser.parse_args()
    libraries, missing = find([options.library, "torch"], interpreters(options.python))
    if missing:
        parser.exit(1, "".join(f"{name}: {reason}\n" for name, reason in missing.items()))

    def ratio(workload: str, **size: int) -> float:
        cells = measure(libraries, workload, options.seconds, options.rounds, **size)
        return cells["torch"].get("median", float("nan")) / cells[options.library].get("median", float("nan"))
    lines = [f"| | size | own | ratio | {' | '.join(SCALES)} |", "|---|---|---:|---:|---:|---:|"]
    print("\n".join(lines))
    for workload in options.workloads or WORKLOADS:
        own = ratio(workload)
        for name, size in sizes(WORKLOADS[workload]).items():
            scaled = [ratio(workload, **{name: int(size * scale)}) for scale in SCALES.values()]
            marks = (f"{value:.2f}" if value >= (1 - LOSS) * own else f"**{value:.2f}**" for value in scaled)
            lines.append(f"| {workload} | {name} | {size} | {own:.2f} | {' | '.join(marks)} |")
            print(lines[-1], flush=True)
    path = Path(__file__).parent.parent / "out" / "benchmarks" / "scaled.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
