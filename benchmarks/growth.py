"""How cost grows: time and memory against batch, width, depth, sequence length and number of nodes.

    python benchmarks/growth.py [--seconds 1] [--python torch=VENV/bin/python]
    python benchmarks/growth.py --exponents [--compiled]     of more operations and models, in a minute

Prints the numbers, this project's and PyTorch's where it is installed, and draws docs/images/growth.svg. The dotted
lines grow in proportion to the size; a cost that is linear runs beside them. Needs matplotlib; takes about five
minutes.

An exponent of 1 says that a step takes twice as long when a size is doubled, of 2 four times. Where calls cost more
than numbers it is smaller. What is marked grows faster than the mathematics does.
"""

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import report
from interleaved import find, interpreters, measure
from operations import Once

AXES = {  # title: workload, the size that grows, its values, the sizes that stay
    "CNN: images in a batch": ("W3", "batch", (4, 8, 16, 32, 64, 128), {}),
    "MLP: units in a layer": ("W2", "width", (64, 128, 256, 512, 1024, 2048), {}),
    "GPT: layers": ("W6", "layers", (1, 2, 4, 8, 16), {}),
    "LSTM: steps in a sequence": ("W5", "length", (8, 16, 32, 64, 128, 256), {}),
    "GPT: steps in a sequence": ("W6", "length", (32, 64, 128, 256, 512), {"batch": 2}),
    "chain: nodes": ("W10", "nodes", (1_000, 10_000, 100_000, 1_000_000), {})}

SIZES = {"batch": 8, "length": 32, "width": 64, "depth": 2}
TOLERATED = 0.6
"""How much an exponent may be above its own: what does not fit a cache takes longer."""
OPERATIONS = {  # with x of (batch, length, width), and the exponents of what is not linear
    "F.gelu(x)": {}, "F.softmax(x, -1)": {}, "F.softmax(x, 1)": {}, "x.sum(1)": {}, "x.var((0, 1))": {},
    "x.cumsum(1)": {}, "x.logcumsumexp(1)": {}, "x.cumprod(1)": {}, "x.sort(1)": {}, "x.topk(5, 1)": {},
    "x.median(1)": {}, "x[:, i]": {}, "x[:, i[0]:]": {}, "x.index_add(1, i, x)": {}, "x.scatter_add(1, t, x)": {},
    "F.embedding(i, x[0])": {"batch": 0}, "nn.LayerNorm(width)(x)": {}, "nn.Linear(width, width)(x)": {"width": 2},
    "nn.Conv1d(length, length, 3, padding=1)(x)": {"length": 2}, "F.max_pool1d(x, 3, 1)": {},
    "torch.cat([x, x], 1)": {},
    "F.scaled_dot_product_attention(x, x, x)": {"length": 2}, "torch.cdist(x, x)": {"length": 2},
    "F.cross_entropy(x.flatten(0, 1), i.repeat(batch) % width)": {},
    "torch.stack([x[:, k] * 2 for k in range(length)])": {}, "sum(row.sum() for row in x.unbind(1))": {},
    "torch.cat([part * 2 for part in x.split(4, 1)], 1)": {}}
MODELS: dict[str, tuple[Callable, str, dict[str, int]]] = {  # of one width; the shape of the input; exponents
    "MLP": (lambda nn, width, depth: nn.Sequential(*[
        layer for _ in range(depth) for layer in (nn.Linear(width, width), nn.ReLU())]), "batch width", {"width": 2}),
    "CNN": (lambda nn, width, depth: nn.Sequential(*[
        layer for _ in range(depth)
        for layer in (nn.Conv1d(width, width, 3, padding=1), nn.BatchNorm1d(width), nn.ReLU())]),
        "batch width length", {"width": 2}),
    "LSTM": (lambda nn, width, depth: nn.LSTM(width, width, depth, batch_first=True), "batch length width",
             {"width": 2}),
    "transformer": (lambda nn, width, depth: nn.TransformerEncoder(
        nn.TransformerEncoderLayer(width, 4, 2 * width, 0, batch_first=True), depth), "batch length width",
        {"width": 2, "length": 2})}

QUANTITIES = {"time of a step, ms": ("median", 1e3), "peak memory, MiB": ("memory", 1)}
STYLES = {"gradcircuit": ("gradcircuit", "#2a6f97", "o"), "torch": ("PyTorch", "#c8553d", "s")}


def step_of(name: str, sizes: dict[str, int]) -> Callable[[], None]:
    """One forward and backward pass of an operation or a model."""
    import autograd
    import nn
    draw = np.random.default_rng(0)

    def numbers(*shape: int) -> autograd.Tensor:
        return autograd.tensor(draw.standard_normal(shape, dtype=np.float32), requires_grad=True)
    if name in MODELS:
        make, shape, _ = MODELS[name]
        model, x = make(nn, sizes["width"], sizes["depth"]), numbers(*[sizes[size] for size in shape.split()])
        leaves = [x, *model.parameters()]
        compute = lambda: model(x)  # noqa: E731
    else:
        x = numbers(sizes["batch"], sizes["length"], sizes["width"])
        once, leaves = Once(nn), [x]
        names = {**sizes, "x": x, "torch": autograd, "nn": once, "F": nn.functional,
                 "i": autograd.tensor(draw.integers(0, sizes["length"], sizes["length"])),
                 "t": autograd.tensor(draw.integers(0, sizes["length"], x.shape))}
        code = compile(name, name, "eval")
        compute = lambda: eval(code, names)  # noqa: E731

    def step() -> None:
        out = compute()
        out = out[0] if isinstance(out, tuple) else out
        for leaf in leaves:
            leaf.grad = None
        (out * out).sum().backward()
    return step


def seconds_of(step: Callable[[], None], least: float = 0.05) -> float:
    """The shortest of several times."""
    step()
    times: list[float] = []
    while len(times) < 3 or sum(times) < least:
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    return min(times)


def exponent(name: str, size: str) -> float:
    """The slope of the time against a size, both in logarithms, between two that are far apart."""
    few, many = (2, 8) if name in MODELS else (8, 64)
    short, long = (seconds_of(step_of(name, {**SIZES, size: SIZES[size] * factor})) for factor in (few, many))
    return math.log(long / short) / math.log(many / few)


def exponents(docs: bool) -> None:
    """Print a table of exponents, and write it to the documentation."""
    lines, slow = [], 0
    for name, expected in {**OPERATIONS, **{name: own for name, (*_, own) in MODELS.items()}}.items():
        cells = []
        for size in SIZES:
            applies = size in ([*MODELS[name][1].split(), "depth"] if name in MODELS else ["batch", "length", "width"])
            found = exponent(name, size) if applies else math.nan
            too_fast = found > expected.get(size, 1) + TOLERATED
            slow += too_fast
            cells.append("–" if math.isnan(found) else f"**{found:.1f}**" if too_fast else f"{found:.1f}")
        lines.append([f"`{name}`", *cells])
        print(" | ".join(lines[-1]), flush=True)
    text = report.table(["", *SIZES], lines)
    print(f"\n{text}\n\n{slow} grow faster than they need")
    if docs:
        sizes = ", ".join(f"{size} {count}" for size, count in SIZES.items())
        report.publish("Growth", "The exponents with which the time of a step grows (`python benchmarks/growth.py "
                       f"--exponents --docs`), from 8 to 64 times ({sizes}), of models from 2 to 8 times; x has shape "
                       f"(batch, length, width). {slow} grow faster than the mathematics does.\n\n{text}")


def picture(points: dict[str, list[tuple[int, dict]]], path: Path) -> None:
    """A column for each size that grows; time above, memory below."""
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter
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
    parser.add_argument("--exponents", action="store_true", help="print how costs grow, of many operations and models")
    parser.add_argument("--docs", action="store_true", help="write the exponents to docs/benchmarks.md")
    parser.add_argument("--compiled", action="store_true", help="with compiled loops")
    options = parser.parse_args()
    if options.exponents:
        import autograd
        autograd.set_compiled(options.compiled)
        exponents(options.docs)
        return
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
