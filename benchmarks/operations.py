"""Single operations, forward and backward, beside PyTorch's: every line of the table is a step of its own.

    python benchmarks/operations.py                              plain and compiled beside PyTorch, everyday sizes
    python benchmarks/operations.py --elements 0 1000 10000000   also with so many numbers, by the size of the batch
    python benchmarks/operations.py softmax pool --rounds 9      the lines that contain one of the words, carefully
    python benchmarks/operations.py --python torch=VENV/bin/python
    python benchmarks/operations.py --before CHECKOUT            another state of this project beside this one

The libraries take turns in processes of their own (`interleaved.py`); nothing else should run meanwhile. A figure is
the best of the rounds' medians. A ratio is PyTorch's time over ours: above 1 we are ahead. Takes about 8 minutes for
each size.
"""

import argparse
import dataclasses
import importlib
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import report
from interleaved import Library, Worker, WorkerError, find, interpreters

ROOT = Path(__file__).parent.parent
LIBRARIES = ["torch", "gradcircuit", "compiled"]
TURN = 0.06  # seconds


class Input(NamedTuple):
    """An argument: its shape, what it holds, and whether its gradient is asked for."""

    shape: tuple[int, ...]
    holds: str | int = "normal"
    tracked: bool = True

    def array(self, draw: np.random.Generator, factor: float, batch: int) -> np.ndarray:
        """The numbers; where the first axis is the batch it is `factor` times as long, and so are positions in it."""
        shape, scaled = self.shape, max(1, round(batch * factor))
        if shape and shape[0] == batch:
            shape = (scaled, *shape[1:])
        if isinstance(self.holds, int):
            limit = scaled if self.holds == batch else self.holds
            return draw.integers(min(1, limit - 1), limit, shape)
        if self.holds == "mask":
            return draw.random(shape) < 0.5
        if self.holds == "sign":
            return np.where(draw.random(shape) < 0.5, -1, 1).astype(np.float32)
        if self.holds == "unit":
            return draw.random(shape, dtype=np.float32) * 0.9 + 0.05
        return draw.standard_normal(shape, dtype=np.float32)


def rows(*shape: int) -> Input:
    """Normally distributed numbers, tracked."""
    return Input(shape)


def unit(*shape: int) -> Input:
    """Numbers between 0 and 1, tracked."""
    return Input(shape, "unit")


def below(limit: int, *shape: int) -> Input:
    """Integers from 1."""
    return Input(shape, limit, tracked=False)


def given(holds: str, *shape: int) -> Input:
    """A target or mask: "normal", "unit", "sign" or "mask"."""
    return Input(shape, holds, tracked=False)


X = rows(512, 1024)
IMAGES = rows(16, 64, 28, 28)
SEQUENCES = rows(32, 64, 128)

TABLE: list[tuple[dict[str, Input], str]] = [
    ({"x": X}, """
        x * 2.5 ; x + 1 ; 1 - x ; x / 3 ; x ** 2 ; x ** 3 ; -x
        torch.exp(x) ; torch.abs(x) ; torch.square(x) ; torch.tanh(x) ; torch.sigmoid(x) ; torch.sin(x) ; torch.cos(x)
        torch.expm1(x) ; torch.erf(x) ; torch.atan(x) ; torch.sinh(x) ; torch.floor(x) ; torch.round(x) ; torch.sign(x)
        torch.cosh(x) ; torch.erfc(x) ; torch.asinh(x) ; torch.fmod(x, 0.3) ; torch.remainder(x, 0.3)
        torch.clamp(x, -1, 1) ; torch.clamp(x, min=0) ; torch.relu(x) ; torch.nan_to_num(x)
        F.relu6(x) ; F.hardtanh(x) ; F.leaky_relu(x) ; F.elu(x) ; F.selu(x) ; F.celu(x) ; F.gelu(x)
        F.gelu(x, approximate='tanh') ; F.silu(x) ; F.mish(x) ; F.softplus(x) ; F.logsigmoid(x) ; F.hardswish(x)
        F.hardsigmoid(x) ; F.softsign(x) ; F.hardshrink(x) ; F.softshrink(x) ; F.tanhshrink(x) ; F.threshold(x, 0, 0)
        F.glu(x) ; F.softmax(x, -1) ; F.softmax(x, 0) ; F.log_softmax(x, -1) ; torch.logsumexp(x, -1)
        F.normalize(x) ; F.dropout(x)
        x.sum() ; x.sum(0) ; x.sum(1) ; x.mean() ; x.mean(1) ; x.var(1) ; x.std(1) ; x.norm() ; x.amax(1)
        x.max(1) ; x.min(1) ; x.prod(1) ; x.argmax(1) ; x.median(1) ; x.sort(1) ; x.topk(5, 1) ; x.cumsum(1)
        x.cumsum(0) ; x.logcumsumexp(1) ; x.t().contiguous() ; x.flip(1) ; x.roll(1, 1) ; torch.tril(x) ; torch.triu(x)
        x.repeat(2, 1) ; x[:, ::2] ; x[3:300, 5:500] ; x.clone() ; torch.diff(x) ; x.half().float()
        x.split(256, 1)[1] ; torch.chunk(x, 2, 1)[0] * 2 ; F.pad(x, (3, 3)) ; x.unfold(1, 16, 8)
        nn.LayerNorm(1024)(x) ; nn.RMSNorm(1024)(x) ; nn.BatchNorm1d(1024)(x) ; nn.PReLU()(x)"""),
    ({"x": unit(512, 1024)}, """
        torch.log(x) ; torch.sqrt(x) ; torch.rsqrt(x) ; torch.reciprocal(x) ; torch.log1p(x) ; torch.log2(x)
        x ** 0.5 ; x ** 1.7 ; x.cumprod(1) ; torch.logit(x) ; torch.erfinv(x) ; torch.lgamma(x) ; torch.digamma(x)"""),
    ({"x": X, "y": rows(512, 1024)}, """
        x + y ; x - y ; x * y ; torch.maximum(x, y) ; torch.minimum(x, y) ; torch.atan2(x, y) ; torch.hypot(x, y)
        torch.logaddexp(x, y) ; torch.lerp(x, y, 0.3) ; torch.addcmul(x, x, y) ; torch.cat([x, y]) ; torch.stack([x, y])
        torch.cat([x, y], 1) ; F.cosine_similarity(x, y) ; F.pairwise_distance(x, y) ; x @ y.t() ; (x > y)"""),
    ({"x": X, "y": unit(512, 1024)}, "x / y ; torch.xlogy(x, y) ; torch.addcdiv(x, x, y)"),
    ({"x": X, "y": rows(1024)}, "x + y ; x * y ; torch.mv(x, y)"),
    ({"x": X, "y": rows(512, 1)}, "x * y ; x - y ; y.expand(-1, 1024) * 2"),
    ({"x": X, "m": given("mask", 512, 1024)}, "torch.where(m, x, 0.0) ; x.masked_fill(m, 0.0) ; x[m]"),
    ({"x": X, "y": given("normal", 512, 1024)}, """
        F.mse_loss(x, y) ; F.l1_loss(x, y) ; F.smooth_l1_loss(x, y) ; F.huber_loss(x, y)
        F.mse_loss(x, y, reduction='none') ; F.gaussian_nll_loss(x, y, 1.0)"""),
    ({"x": X, "y": given("sign", 512, 1024)}, """
        F.soft_margin_loss(x, y) ; F.hinge_embedding_loss(x, y) ; F.margin_ranking_loss(x, y, y)"""),
    ({"x": X, "y": given("unit", 512, 1024)}, """
        F.binary_cross_entropy_with_logits(x, y) ; F.kl_div(x, y) ; F.poisson_nll_loss(x, y)"""),
    ({"x": unit(512, 1024), "y": given("unit", 512, 1024)}, "F.binary_cross_entropy(x, y)"),
    ({"x": X, "i": below(1024, 512)}, """
        F.cross_entropy(x, i) ; F.nll_loss(x, i) ; F.multi_margin_loss(x, i)
        F.cross_entropy(x, i, label_smoothing=0.1)"""),
    ({"x": rows(64, 10), "i": below(10, 64)}, "F.cross_entropy(x, i)"),
    ({"x": rows(8, 21, 32, 32), "i": below(21, 8, 32, 32)}, "F.cross_entropy(x, i) ; F.softmax(x, 1)"),
    ({"x": X, "i": below(1024, 512, 256)}, "x.gather(1, i) ; torch.take_along_dim(x, i, 1)"),
    ({"x": X, "i": below(1024, 512, 256), "y": rows(512, 256)}, "x.scatter_add(1, i, y) ; x.scatter(1, i, y)"),
    ({"x": rows(1024, 512), "i": below(1024, 700)}, "x.index_select(0, i) ; x[i]"),
    ({"x": rows(512, 1024), "i": below(1024, 700)}, "x.index_select(1, i) ; x[:, i]"),
    ({"x": rows(512, 1024), "i": below(512, 700), "y": rows(700, 1024)}, "x.index_add(0, i, y)"),
    ({"i": below(10000, 64, 128), "w": rows(10000, 256)}, "F.embedding(i, w)"),
    ({"i": below(1000, 512, 8), "w": rows(1000, 64)}, "F.embedding_bag(i, w)"),
    ({"x": rows(128, 512)}, "nn.Linear(512, 512)(x) ; nn.Linear(512, 10)(x) ; nn.Bilinear(512, 512, 4, False)(x, x)"),
    ({"x": rows(32, 128, 64), "y": rows(32, 64, 128)}, """
        torch.bmm(x, y) ; torch.einsum('bij,bjk->bik', x, y)
        F.scaled_dot_product_attention(x, x, x) ; torch.cdist(x, x)"""),
    ({"x": rows(256, 100)}, "torch.pdist(x)"),
    ({"x": rows(512), "y": rows(1024)}, "torch.outer(x, y) ; x.unsqueeze(1) + y"),
    ({"x": rows(64, 16, 16)}, """
        torch.linalg.det(x) ; torch.linalg.inv(x) ; torch.linalg.solve(x, x + 1) ; torch.linalg.norm(x, dim=(1, 2))"""),
    ({"x": SEQUENCES}, """
        nn.LSTM(128, 128)(x) ; nn.GRU(128, 128)(x) ; nn.RNN(128, 128)(x) ; nn.MultiheadAttention(128, 4)(x, x, x)
        nn.TransformerEncoderLayer(128, 4, 256)(x) ; x.transpose(1, 2).contiguous() ; x.permute(2, 0, 1) * 2
        x.reshape(32, -1) * 2 ; nn.Conv1d(64, 64, 3)(x) ; F.max_pool1d(x, 2) ; F.local_response_norm(x, 5)"""),
    ({"x": rows(64, 128)}, "nn.LSTMCell(128, 128)(x) ; nn.GRUCell(128, 128)(x)"),
    ({"x": IMAGES}, """
        nn.Conv2d(64, 64, 3, padding=1)(x) ; nn.Conv2d(64, 64, 1)(x) ; nn.Conv2d(64, 128, 3, 2, 1)(x)
        nn.Conv2d(64, 64, 3, padding=1, groups=64)(x) ; nn.Conv2d(64, 64, 3, padding=1, groups=8)(x)
        nn.ConvTranspose2d(64, 32, 2, 2)(x) ; nn.BatchNorm2d(64)(x) ; nn.BatchNorm2d(64).eval()(x)
        nn.GroupNorm(8, 64)(x)
        nn.InstanceNorm2d(64)(x) ; nn.Dropout2d()(x) ; nn.Flatten()(x) ; nn.ZeroPad2d(1)(x) ; nn.ReflectionPad2d(1)(x)
        F.max_pool2d(x, 2) ; F.max_pool2d(x, 3, 2, 1) ; F.avg_pool2d(x, 2) ; F.adaptive_avg_pool2d(x, 1)
        F.adaptive_avg_pool2d(x, 7) ; F.adaptive_max_pool2d(x, 1) ; F.adaptive_max_pool2d(x, 7) ; F.lp_pool2d(x, 2, 2)
        F.unfold(x, 3)
        F.interpolate(x, scale_factor=2) ; F.interpolate(x, scale_factor=2, mode='bilinear')
        F.pixel_shuffle(x, 2) ; x.mean((2, 3)) ; x.permute(0, 2, 3, 1).contiguous()"""),
    ({"x": rows(16, 3, 112, 112)}, "nn.Conv2d(3, 64, 7, 2, 3)(x)"),
    ({"x": rows(16, 256, 14, 14)}, "nn.Conv2d(256, 256, 3, padding=1)(x)"),
    ({"x": rows(16, 576, 676)}, "F.fold(x, (28, 28), 3)"),
    ({"x": IMAGES, "g": unit(16, 28, 28, 2)}, "F.grid_sample(x, g, align_corners=False)"),
    ({"x": rows(4, 16, 8, 28, 28)}, "nn.Conv3d(16, 16, 3, padding=1)(x) ; F.max_pool3d(x, 2)"),
    ({"x": rows(50, 16, 28), "i": below(28, 16, 10)}, """
        F.ctc_loss(F.log_softmax(x, -1), i, torch.full((16,), x.shape[0]), torch.full((16,), 10))"""),
    ({"x": rows(64, 256), "y": rows(64, 256), "z": rows(64, 256)}, "F.triplet_margin_loss(x, y, z)"),
]
"""Expressions in PyTorch's names, after their arguments; a module (nn.…) is made once."""


def lines() -> Iterator[tuple[str, str, dict[str, Input]]]:
    """(title, expression, arguments) of every line; a title is an expression with the shapes it is given."""
    for arguments, text in TABLE:
        for expression in (part.strip() for line in text.splitlines() for part in line.split(" ; ")):
            if expression:
                shapes = ", ".join("×".join(map(str, a.shape)) for a in arguments.values())
                yield f"{expression}  [{shapes}]", expression, arguments


# Worker: one library, told by the driver what to run

def modules(library: str) -> tuple[Any, Any]:
    """What PyTorch calls torch and torch.nn."""
    if library == "torch":
        torch = importlib.import_module("torch")
        return torch, torch.nn
    import autograd
    import nn
    autograd.set_compiled(library == "compiled")
    return autograd, nn


class Once:
    """Modules that are made when an expression is first evaluated."""

    def __init__(self, nn: Any) -> None:
        self.nn, self.made = nn, {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def make(*args: Any, **options: Any) -> Any:
            key = (name, args, *options.items())
            if key not in self.made:
                self.made[key] = getattr(self.nn, name)(*args, **options)
            return self.made[key]
        return make


def step(base: Any, nn: Any, expression: str, arguments: dict[str, Input], elements: int) -> Callable[[], None]:
    """One forward and backward pass, from the sum of what the expression gives, where that has a gradient.

    The larger of the first argument and the result is to have so many elements; 0: everyday sizes.
    """
    first = next(iter(arguments.values()))
    code, once = compile(expression, expression, "eval"), Once(nn)
    names = {"torch": base, "nn": once, "F": nn.functional}

    def result() -> Any:
        out = eval(code, names)
        while isinstance(out, (tuple, list)):
            out = out[0]
        return out

    def draw_arguments(factor: float) -> None:
        draw = np.random.default_rng(0)
        for name, argument in arguments.items():
            array = argument.array(draw, factor, first.shape[0])
            names[name] = base.tensor(array, requires_grad=argument.tracked)
    draw_arguments(1)
    out = result()
    if elements:
        draw_arguments(elements / max(math.prod(first.shape), out.numel()))
    leaves = [*(names[name] for name in arguments),
              *(p for module in once.made.values() for p in module.parameters())]

    def forward_and_backward() -> None:
        out = result()
        for leaf in leaves:
            leaf.grad = None
        if out.requires_grad:
            (out if out.ndim == 0 else out.sum()).backward()
    return forward_and_backward


def work(library: str) -> None:
    """Answer lines of "seconds, elements, title" with the times of steps, until standard input ends."""
    base, nn = modules(library)
    table, steps = {title: rest for title, *rest in lines()}, {}
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        seconds, elements, title = line.rstrip("\n").split("\t")
        times, failure = [], ""
        try:
            if (title, elements) not in steps:
                steps.clear()  # the arrays of one at a time
                once = steps[title, elements] = step(base, nn, *table[title], int(elements))
                begin = time.perf_counter()
                once()
                while time.perf_counter() < begin + float(seconds):
                    once()
            once, end = steps[title, elements], time.perf_counter() + float(seconds)
            while len(times) < 3 or time.perf_counter() < end:
                begin = time.perf_counter()
                once()
                times.append(time.perf_counter() - begin)
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"
        print(json.dumps({"times": times, "failure": failure}), flush=True)


# Driver

def measure(workers: dict[str, Worker], title: str, elements: int, rounds: int) -> dict[str, float]:
    """The best median of each library, in seconds; nan where it failed."""
    best = dict.fromkeys(workers, math.inf)
    for _ in range(rounds):
        for name, worker in workers.items():
            if not math.isnan(best[name]):
                answer = worker.ask(f"{TURN}\t{elements}\t{title}")
                if answer["failure"]:
                    print(f"{title} in {name}: {answer['failure'][:200]}", file=sys.stderr)
                best[name] = min(best[name], statistics.median(answer["times"])) if not answer["failure"] else math.nan
    return best


class Sweep(NamedTuple):
    """What was measured at one size: title -> library -> seconds, and our libraries -> title -> PyTorch's over ours."""

    times: dict[str, dict[str, float]]
    ratios: dict[str, dict[str, float]]


def summary(ratios: dict[str, float]) -> str:
    """Geometric mean, how many are slow, and the slowest ten."""
    known = {title: ratio for title, ratio in ratios.items() if not math.isnan(ratio)}
    if not known:
        return "nothing measured"
    mean = math.exp(statistics.mean(map(math.log, known.values())))
    slowest = ", ".join(f"{title.split('  [')[0]} {known[title]:.2f}" for title in sorted(known, key=known.get)[:10])
    return (f"{len(known)} operations, geometric mean {mean:.2f}; {sum(r < 0.5 for r in known.values())} below .5, "
            f"{sum(r > 1 for r in known.values())} ahead; the slowest: {slowest}")


def page(sweeps: dict[int, Sweep], threads: int) -> str:
    """For the documentation: a table of the everyday sizes, the slowest first, and a summary of the others."""
    text = (f"Forward and backward (`python benchmarks/operations.py --docs --threads {threads} --elements "
            f"{' '.join(map(str, sweeps))}`), on {report.machine(threads)}.\n\n")
    for elements, (_, ratios) in sweeps.items():
        size = f"About {elements:,} numbers in the first argument or the result" if elements else "Those of the table"
        text += f"* {size}\n" + "".join(f"    * {report.NAMES.get(name, name)}: {summary(of)}\n"
                                        for name, of in ratios.items())
    times, ratios = next(iter(sweeps.values()))
    names = [name for name in LIBRARIES if name in next(iter(times.values()))]
    columns = [of for name, of in ratios.items() if name in names]
    heads = ["operation and shapes", *[f"{report.NAMES[name]}, µs" for name in names],
             *[report.OURS[name] for name in ratios if name in names]]
    rows = [[f"`{title.replace('|', chr(92) + '|')}`", *[f"{times[title][name] * 1e6:.0f}" for name in names],
             *[f"{of[title]:.2f}" for of in columns]]
            for title in sorted(times, key=lambda title: min(of[title] for of in columns))]
    return f"{text}\nThe slowest first:\n\n{report.table(heads, rows)}"


def main() -> None:
    """Measure line by line, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="lines that contain one of these; all without one")
    parser.add_argument("--elements", type=int, nargs="+", default=[0],
                        help="numbers in the first argument or the result, about; 0: everyday sizes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--plain", action="store_true", help="without the compiled form")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH", help="the interpreter of a peer")
    parser.add_argument("--docs", action="store_true", help="write the section of docs/benchmarks.md")
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="another checkout of this project")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "benchmarks" / "operations.json")
    options = parser.parse_args()
    if options.worker:
        work(options.worker)
        return
    libraries, missing = find([n for n in LIBRARIES if not (options.plain and n == "compiled")],
                              interpreters(options.python))
    for name, reason in missing.items():
        print(f"{name} is left out: {reason}")
    libraries = [Library(library.name, library.python, threads=options.threads) for library in libraries]
    if options.before:
        libraries += [dataclasses.replace(library, name=f"before {library.name}", checkout=options.before.resolve())
                      for library in libraries if library.name != "torch"]
    workers = {library.name: Worker(library, program="operations.py") for library in libraries}
    sweeps = {elements: Sweep({}, {name: {} for name in workers if name != "torch"}) for elements in options.elements}
    for elements, (times, ratios) in sweeps.items():
        for title, *_ in lines():
            if options.words and not any(word in title for word in options.words):
                continue
            try:
                cell = times[title] = measure(workers, title, elements, options.rounds)
            except WorkerError as error:
                sys.exit(f"{title}: {error}")
            for name, of in ratios.items():
                of[title] = cell.get("torch", math.nan) / cell[name]
            key = f"{title} at {elements:,}" if elements else title
            print(f"{key:90}" + "".join(f"{name} {t * 1e6:11.1f} µs  " for name, t in cell.items())
                  + "  ".join(f"{of[title]:.2f}" for of in ratios.values()), flush=True)
    for worker in workers.values():
        worker.close()
    for elements, (_, ratios) in sweeps.items():
        for name, of in ratios.items():
            print(f"\n{name}{f' at {elements:,}' if elements else ''}: {summary(of)}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({elements: sweep.times for elements, sweep in sweeps.items()}, indent=1) + "\n")
    if options.docs:
        report.publish("Operations", page(sweeps, options.threads))


if __name__ == "__main__":
    main()
