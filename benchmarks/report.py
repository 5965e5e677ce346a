"""The measurements as a table, as a picture, and in the documentation."""

import os
import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import data

DOCS = Path(__file__).parent.parent / "docs" / "benchmarks.md"

NAMES = {"gradcircuit": "gradcircuit", "compiled": "compiled", "torch": "PyTorch", "torch_tuned": "PyTorch tuned",
         "jax": "JAX jit", "mygrad": "MyGrad", "hips": "HIPS autograd", "products": "products alone",
         "pass": "one pass"}
OURS = {"gradcircuit": "ratio", "compiled": "ratio compiled"}
PEERS = ("torch_tuned", "jax", "mygrad", "hips")
FLOORS = ("products", "pass")
FOOTPRINTS = ("gradcircuit", "torch", "jax", "mygrad", "hips")  # libraries with an import and a size of their own
TOLERANCE = 1e-4  # of the results of the first steps, relative


@dataclass
class Quantity:
    """What a row of the table shows: a figure of a workload's cells, and its unit."""

    title: str
    unit: str
    workload: str
    figure: str = "median"
    scale: float = 1e3


QUANTITIES = {
    "W1": Quantity("chain of 2,000 operations on 8 x 8", "µs per operation", "W1", scale=1e6 / 2000),
    "W2": Quantity("MLP, training step", "ms", "W2"),
    "W3": Quantity("CNN, training step", "ms", "W3"),
    "W4": Quantity("ResNet-20, training step", "ms", "W4"),
    "W5": Quantity("LSTM, training step", "ms", "W5"),
    "W6": Quantity("GPT, training step", "ms", "W6"),
    "W7": Quantity("68,000 scalar nodes", "s", "W7", scale=1),
    "W8 time": Quantity("import", "ms", "W8", "import"),
    "W8 size": Quantity("installed size", "MB", "W8", "size", scale=1),
    "W9 CNN": Quantity("peak memory of W3", "MiB", "W3", "memory", scale=1),
    "W9 GPT": Quantity("peak memory of W6", "MiB", "W6", "memory", scale=1),
    "W10": Quantity("chain of 1,000,000 nodes", "s", "W10", scale=1),
    "W11": Quantity("Adam on 10,000,000 numbers", "ms", "W11"),
    "W12a": Quantity("convolution 3 x 3, 64 to 64", "ms", "W12a"),
    "W12b": Quantity("convolution 7 x 7 / 2, 3 to 64", "ms", "W12b"),
    "W12c": Quantity("convolution 3 x 3, depthwise 128", "ms", "W12c"),
    "W12d": Quantity("convolution 1 x 1, 256 to 64", "ms", "W12d"),
    "W13": Quantity("Hessian-vector product of W2", "ms", "W13")}

MEASURED = list(dict.fromkeys(quantity.workload for quantity in QUANTITIES.values()))


def deviation(workload: str, results: list[float]) -> float:
    """How far the results are from those of the definition, relative."""
    expected = data.RESULTS.get(workload, [])
    return max((abs(a - b) / abs(b) for a, b in zip(results, expected, strict=False)), default=0.0)


@dataclass
class Row:
    """One quantity in all libraries."""

    name: str
    quantity: Quantity
    cells: dict[str, dict]

    def value(self, library: str) -> float | None:
        """The figure in the row's unit, None where there is none."""
        value = self.cells.get(library, {}).get(self.quantity.figure)
        return None if value is None else value * self.quantity.scale

    def ratio(self, library: str = "gradcircuit") -> float | None:
        """PyTorch's figure over a library's: above 1 the library is better."""
        value, base = self.value(library), self.value("torch")
        return base / value if value and base else None

    def text(self, library: str) -> str:
        """The figure with its spread and, where something was wrong, what."""
        cell, value = self.cells.get(library, {}), self.value(library)
        if "failure" in cell:
            return "failed"
        if value is None:
            return "–"
        words = f"{value:.0f}" if value >= 100 else f"{value:.3g}"
        if self.quantity.figure == "median" and "spread" in cell:
            words += f" ± {cell['spread']:.0%}"
        if cell.get("quiet") == 0:
            words += " (disturbed)"
        if (error := deviation(self.quantity.workload, cell.get("results", []))) > TOLERANCE:
            words += f" (**results differ by {error:.0e}**)"
        return words

    def ratio_text(self, library: str = "gradcircuit") -> str:
        """The ratio, marked where PyTorch is better."""
        ratio = self.ratio(library)
        return "–" if ratio is None else f"{ratio:.2f}" if ratio >= 1 else f"**{ratio:.2f}**"

    def summary(self) -> str:
        """The row in a line of plain text."""
        figures = ", ".join(f"{NAMES[library]} {self.text(library)}" for library in self.cells)
        return f"{self.name:8s}{self.quantity.title}, {self.quantity.unit}: {figures}; ratio {self.ratio_text()}"


def rows(measured: dict, workloads: Iterable[str] = MEASURED) -> list[Row]:
    """The rows that these workloads give."""
    found = []
    for name, quantity in QUANTITIES.items():
        cells = measured["cells"].get(quantity.workload)
        if cells and quantity.workload in workloads:
            found.append(Row(name, quantity, {library: cell for library, cell in cells.items()
                                              if quantity.figure == "median" or library not in FLOORS}))
    return found


def table(heads: list[str], lines: Iterable[list[str]], words: int = 1) -> str:
    """A table in Markdown; all columns but the first ones, which hold words, are of numbers."""
    rules = ["---"] * words + ["---:"] * (len(heads) - words)
    written = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([f"| {' | '.join(heads)} |", f"|{'|'.join(rules)}|", *written])


def markdown(measured: dict) -> str:
    """The table, with the machine above and what the columns mean below."""
    peers = [library for library in PEERS if library in measured["versions"]]
    floors = [library for library in FLOORS if library in measured["versions"]]
    ours = [library for library in OURS if library in measured["versions"]]
    heads = ["", "", "unit", *(NAMES[library] for library in ours), "PyTorch", *(OURS[library] for library in ours),
             *(NAMES[p] for p in (*peers, *floors))]
    lines = [[row.name, row.quantity.title, row.quantity.unit, *(row.text(library) for library in ours),
              row.text("torch"), *(row.ratio_text(library) for library in ours),
              *(row.text(p) for p in (*peers, *floors))] for row in rows(measured)]
    versions = ", ".join(f"{NAMES[name]} {version}" for name, version in measured["versions"].items()
                         if name in FOOTPRINTS)
    largest = max((deviation(workload, cells.get(library, {}).get("results", []))
                   for workload, cells in measured["cells"].items() for library in ours), default=0)
    missing = [NAMES[name] for name in NAMES if name not in measured["versions"]]
    return "\n".join([
        f"Measured on {measured['machine']}, two threads. {versions}.", "", table(heads, lines, 3), "",
        "Medians of interleaved, undisturbed steps ± half the distance of the quartiles; lower is better. Ratio: "
        "PyTorch's figure over gradcircuit's, bold where PyTorch is better. Compiled: with the loops that numba "
        "compiles (`autograd.set_compiled(True)`), where there are any; its memory includes numba. PyTorch tuned: "
        "fused optimizers, channels-last images. MyGrad: with its memory guard off. Products alone: `np.matmul` on the "
        "step's own shapes. One pass: parameters, gradients and state (of a convolution: all its arrays) read and "
        "written once. –: the library cannot express it. Largest relative deviation of gradcircuit's results: "
        f"{largest:.0e} "
        f"(allowed: {TOLERANCE:.0e})."
        + (f" Not installed: {', '.join(missing)}." if missing else ""), ""])


def machine(threads: int | None = None) -> str:
    """Processor, cores, Python and, if given, how many threads were used, in words."""
    try:
        model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        model = None
    processor = model[1].strip() if model else platform.processor() or platform.machine()
    used = f", {threads} thread{'s' * (threads > 1)}" if threads else ""
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}{used}"


def publish(title: str, text: str) -> None:
    """Write a section of docs/benchmarks.md, in place of the one with this title."""
    sections = re.split(r"^## ", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    kept = [section for section in sections if section.partition("\n")[0] != title]
    kept = [section.rstrip() + "\n\n" for section in kept]
    DOCS.write_text("## ".join([*kept, f"{title}\n\n{text.rstrip()}\n"]), encoding="utf-8")


def picture(measured: dict, path: Path) -> None:
    """Speed (and thrift) relative to PyTorch, a row a quantity, on a logarithmic axis."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        print(f"{path.name} is not drawn: pip install matplotlib")
        return
    shown = [row for row in rows(measured) if row.ratio() is not None][::-1]
    if not shown:
        print(f"{path.name} is not drawn: it shows ratios to PyTorch, which was not measured")
        return
    mpl.rcParams["svg.hashsalt"] = "gradcircuit"
    figure = Figure(figsize=(8, 1.1 + 0.28 * len(shown)), layout="constrained")
    axes = figure.subplots()
    axes.barh(range(len(shown)), [row.ratio() - 1 for row in shown], left=1, height=0.6, label="gradcircuit",
              color=["#8fbcd4" if row.ratio() >= 1 else "#e5a99a" for row in shown])
    for i, row in enumerate(shown):
        axes.annotate(f"{row.ratio():.2f}", (1, i), (4, 0), xycoords=axes.get_yaxis_transform(),
                      textcoords="offset points", va="center", fontsize=8)
    compiled = [(i, row.ratio("compiled")) for i, row in enumerate(shown) if row.ratio("compiled") is not None]
    if compiled:
        axes.barh([i for i, _ in compiled], [ratio - 1 for _, ratio in compiled], left=1, height=0.6, label="compiled",
                  facecolor="none", edgecolor="#1d5c83", linewidth=1.2)
    for library, marker, color in zip(PEERS, "D^os", ("#b23a48", "#3a7d44", "#7a5195", "0.35"), strict=True):
        points = [(row.ratio(library), i) for i, row in enumerate(shown) if row.ratio(library) is not None]
        if points:
            axes.scatter(*zip(*points, strict=True), marker=marker, s=20, color=color, edgecolor="white", linewidth=0.5,
                         zorder=3, label=NAMES[library])
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    ticks = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16]
    low, high = axes.get_xlim()
    axes.set_xticks(ticks, ["1/16", "1/8", "1/4", "1/2", "1", "2", "4", "8", "16"])
    axes.set_xticks([], minor=True)
    axes.set_xlim(max(low, 1 / 20), min(high * 1.1, 20))
    axes.set_yticks(range(len(shown)), [f"{row.name}  {row.quantity.title}" for row in shown], fontsize=8)
    axes.set_xlabel("relative to PyTorch on the same machine (right of the line: faster, smaller)", fontsize=9)
    figure.legend(fontsize=8, loc="outside upper center", ncols=5, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
