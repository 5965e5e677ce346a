"""How cost grows: time and memory against batch, width, depth, sequence length and number of nodes.

    python benchmarks/growth.py [--seconds 1] [--python torch=VENV/bin/python]

Prints the numbers, this project's and PyTorch's where it is installed, and draws docs/images/growth.svg. The dotted
lines grow in proportion to the size; a cost that is linear runs beside them. Needs matplotlib; takes about five
minutes.
"""

import argparse
from pathlib import Path

import matplotlib as mpl
from interleaved import find, interpreters, measure
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

AXES = {  # title: workload, the size that grows, its values, the sizes that stay
    "CNN: images in a batch": ("W3", "batch", (4, 8, 16, 32, 64, 128), {}),
    "MLP: units in a layer": ("W2", "width", (64, 128, 256, 512, 1024, 2048), {}),
    "GPT: layers": ("W6", "layers", (1, 2, 4, 8, 16), {}),
    "LSTM: steps in a sequence": ("W5", "length", (8, 16, 32, 64, 128, 256), {}),
    "GPT: steps in a sequence": ("W6", "length", (32, 64, 128, 256, 512), {"batch": 2}),
    "chain: nodes": ("W10", "nodes", (1_000, 10_000, 100_000, 1_000_000), {})}

QUANTITIES = {"time of a step, ms": ("median", 1e3), "peak memory, MiB": ("memory", 1)}
STYLES = {"gradcircuit": ("gradcircuit", "#2a6f97", "o"), "torch": ("PyTorch", "#c8553d", "s")}


def picture(points: dict[str, list[tuple[int, dict]]], path: Path) -> None:
    """A column for each size that grows; time above, memory below."""
    mpl.rcParams["svg.hashsalt"] = "gradcircuit"
    figure = Figure(figsize=(2.4 * len(AXES), 5), layout="constrained")
    grid = figure.subplots(len(QUANTITIES), len(AXES), sharex="col", squeeze=False)
    for column, (title, measured) in enumerate(points.items()):
        values = [value for value, _ in measured]
        for axes, (label, (figure_name, scale)) in zip(grid[:, column], QUANTITIES.items(), strict=True):
            for library, (name, color, marker) in STYLES.items():
                line = [(value, cells[library][figure_name] * scale) for value, cells in measured
                        if figure_name in cells.get(library, {})]
                if line:
                    axes.plot(*zip(*line, strict=True), marker=marker, color=color, markersize=4, label=name)
            largest = measured[-1][1]["gradcircuit"].get(figure_name, 1) * scale
            axes.plot(values, [largest * value / values[-1] for value in values], ":", color="0.5", linewidth=1,
                      label="in proportion")
            axes.set_xscale("log", base=10 if values[1] == 10 * values[0] else 2)
            axes.set_yscale("log")
            low, high = axes.get_ylim()
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
            axes.yaxis.set_major_formatter("{x:,g}")
            axes.yaxis.set_minor_formatter(NullFormatter())
            axes.grid(color="0.92")
            axes.tick_params(labelsize=8)
            axes.spines[["top", "right"]].set_visible(False)
            if not column:
                axes.set_ylabel(label, fontsize=9)
        if values[1] != 10 * values[0]:
            axes.set_xticks(values, [str(value) for value in values])
        axes.set_xlabel(title, fontsize=9)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False, fontsize=9)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH", help="the interpreter of a peer")
    parser.add_argument("--seconds", type=float, default=1, help="undisturbed, for each library and size")
    parser.add_argument("--picture", type=Path, default=Path(__file__).parent.parent / "docs" / "images" / "growth.svg")
    options = parser.parse_args()
    libraries, missing = find(["gradcircuit", "torch"], interpreters(options.python))
    for name, reason in missing.items():
        print(f"{name} is left out: {reason}")

    points = {}
    for title, (workload, size, values, fixed) in AXES.items():
        heads = [f"{STYLES[library.name][0]}, {unit}" for library in libraries for unit in ("ms", "MiB")]
        print(f"\n| {title} | {' | '.join(heads)} |\n|---:|{'---:|' * len(heads)}")
        points[title] = []
        for value in values:
            cells = measure(libraries, workload, options.seconds, **fixed, **{size: value})
            points[title].append((value, cells))
            figures = (f"{cells[library.name][name] * scale:.3g}" if name in cells[library.name] else "failed"
                       for library in libraries for name, scale in QUANTITIES.values())
            print(f"| {value:,} | {' | '.join(figures)} |", flush=True)
    picture(points, options.picture)


if __name__ == "__main__":
    main()
