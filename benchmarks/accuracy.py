"""How far results and gradients in float32 are from those in float64, ours beside PyTorch's: operations.py's table.

    python benchmarks/accuracy.py                    all lines, everyday numbers, large numbers and long rows
    python benchmarks/accuracy.py softmax pool       the lines that contain one of the words
    python benchmarks/accuracy.py --docs             write the section of docs/benchmarks.md

The truth is PyTorch's own in float64, of the same inputs, parameters and upstream gradients. An error is counted in
units in the last place of the right number; a figure is what 99 of 100 numbers keep below: half a unit is rounding,
and nothing is better. Where numbers of both signs are added up, some results are near 0, and units small: there only
the comparison counts. Needs PyTorch, in the same environment; takes about two minutes.
"""

import argparse
import copy
import importlib.util
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import operations
import report
from operations import Input, Once

LIBRARIES = ("torch", "gradcircuit", "compiled")
FEW = 1000
"""Numbers below which a result is drawn several times."""
LONG = (2, 1 << 18)
UNDETERMINED = ("ropout", "x.scatter(")
"""What is random, and what of several numbers for one place keeps any."""
SHORT = ("y.t()", "x[3:300")
"""What is not for long rows."""
REASONS = (
    "Known reasons: NumPy's cumsum adds in float32 within 16 numbers, the loop in float64, as PyTorch does; addcmul "
    "rounds the product before it adds; attention's gradient takes the sum of weights times their gradients from the "
    "result, which cancels where one weight is nearly 1; an LSTM's gates come from one tanh, so that small ones are "
    "right to 6e-8, but not relatively; the mean that instance normalization subtracts is added up in float32, which "
    "shows near it. The sum of all numbers, and a loss, is a single one: a matter of luck.")
"""Why some errors are larger than PyTorch's."""
CONDITIONS = ("everyday", "30 times as large", "2 rows of 262,144")


class Prepared(Once):
    """Modules with parameters that all libraries share, in one dtype."""

    def __init__(self, nn: Any, shared: dict[tuple, dict[str, np.ndarray]], convert: Any) -> None:
        super().__init__(nn)
        self.shared, self.convert = shared, convert

    def __getattr__(self, name: str) -> Any:
        make = super().__getattr__(name)

        def prepared(*args: Any, **options: Any) -> Any:
            key = (name, args, *options.items())
            known = key in self.made
            module = make(*args, **options)
            if not known:
                if key in self.shared:
                    module.load_state_dict({k: self.convert(v) for k, v in self.shared[key].items()})
                else:
                    self.shared[key] = {k: copy.deepcopy(v.numpy()) for k, v in module.state_dict().items()}
            return module
        return prepared


def arrays(arguments: dict[str, Input], condition: str, seed: int) -> dict[str, np.ndarray]:
    """The inputs of a line."""
    draw, first, found = np.random.default_rng(seed), next(iter(arguments.values())), {}
    for name, argument in arguments.items():
        if condition == CONDITIONS[2]:
            argument = argument._replace(shape=tuple({512: LONG[0], 1024: LONG[1]}.get(n, n) for n in argument.shape))
        found[name] = argument.array(draw, 1, first.shape[0])
        if condition == CONDITIONS[1] and argument.holds == "normal":
            found[name] = found[name] * np.float32(30)
    return found


def results(base: Any, nn: Any, dtype: Any, expression: str, arguments: dict[str, Input],
            given: dict[str, np.ndarray], shared: dict) -> list[np.ndarray]:
    """What an expression gives, and the gradients of all that have one, for an upstream gradient of random numbers."""
    def convert(array: np.ndarray) -> Any:
        return base.tensor(np.asarray(array), dtype=dtype if array.dtype.kind == "f" else None)

    tensors = {name: convert(array) for name, array in given.items()}
    for name, argument in arguments.items():
        tensors[name].requires_grad_(argument.tracked)
    before = base.get_default_dtype()
    base.set_default_dtype(dtype)
    try:
        once = Prepared(nn, shared, convert)
        out = eval(expression, {"torch": base, "nn": once, "F": nn.functional} | tensors)
        while isinstance(out, (tuple, list)):
            out = out[0]
        if out.requires_grad:
            upstream = np.random.default_rng(1).standard_normal(tuple(out.shape)).astype(np.float32)
            out.backward(convert(upstream).to(out.dtype))
    finally:
        base.set_default_dtype(before)
    leaves = [*tensors.values(), *(p for module in once.made.values() for p in module.parameters())]
    return [out.detach().numpy(), *(leaf.grad.numpy() for leaf in leaves if leaf.grad is not None)]


def units(result: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Errors in units in the last place; at most 2²⁴, which is no digit right."""
    with np.errstate(all="ignore"):
        rounded, result = truth.astype(np.float32), np.asarray(result)
        error = np.abs(result - truth) / np.spacing(np.maximum(np.abs(rounded), np.finfo(np.float32).tiny))
        same = (rounded == result) & ~np.isfinite(result) | np.isnan(rounded) & np.isnan(result)
        return np.where(same, 0, np.fmin(error, 1 << 24))


def errors(expression: str, arguments: dict[str, Input], condition: str) -> dict[str, tuple[float, float]] | None:
    """(Of the result, of the gradients) for each library; None where the result holds no fractions."""
    import torch

    import autograd
    import nn
    if condition == CONDITIONS[2]:
        expression = expression.replace("1024", str(LONG[1]))
    found: dict[str, list[list[np.ndarray]]] = {name: [[], []] for name in LIBRARIES}
    count, seed = 0, 0
    while count < FEW and seed < 20:
        given, shared = arrays(arguments, condition, seed), {}
        measured = {}
        for name in LIBRARIES:
            base, layers = (torch, torch.nn) if name == "torch" else (autograd, nn)
            if name == "torch":
                torch.manual_seed(seed)
            else:
                autograd.set_compiled(name == "compiled")
            measured[name] = results(base, layers, base.float32, expression, arguments, given, shared)
        truth = results(torch, torch.nn, torch.float64, expression, arguments, given, shared)
        if truth[0].dtype.kind != "f":
            return None
        for name, (out, *gradients) in measured.items():
            found[name][0].append(units(out, truth[0]).ravel())
            found[name][1] += [units(g, t).ravel() for g, t in zip(gradients, truth[1:], strict=True)]
        count, seed = count + truth[0].size, seed + 1
    return {name: tuple(float(np.quantile(np.concatenate(errors), 0.99, method="lower")) if errors else np.nan
                        for errors in both) for name, both in found.items()}


def lines(condition: str) -> Iterator[tuple[str, str, dict[str, Input]]]:
    """The lines of the table that make sense under a condition: for long rows, those of matrices of 512 by 1,024."""
    for title, expression, arguments in operations.lines():
        shapes = [argument.shape for argument in arguments.values()]
        matrices = all(shape in ((512, 1024), (1024,), (512, 1)) for shape in shapes)
        if not any(word in expression for word in UNDETERMINED) and (condition != CONDITIONS[2] or (
                shapes[0] == (512, 1024) and matrices and not any(word in expression for word in SHORT))):
            yield title, expression, arguments


def larger(cell: dict[str, tuple[float, float]]) -> float:
    """How many times PyTorch's error ours is, at worst; errors below two units are as good as none."""
    return max((max(own, 2) / max(other, 2) for name in LIBRARIES[1:]
                for own, other in zip(cell[name], cell["torch"], strict=True) if not np.isnan(own)), default=1)


def page(cells: dict[str, dict[str, dict[str, tuple[float, float]]]]) -> str:
    """The section of the documentation: all of the everyday numbers, and of the rest where the two differ."""
    heads = [*(f"result: {report.NAMES[name]}" for name in LIBRARIES),
             *(f"gradients: {report.NAMES[name]}" for name in LIBRARIES)]

    def row(title: str, cell: dict[str, tuple[float, float]]) -> list[str]:
        values = [cell[name][i] for i in (0, 1) for name in LIBRARIES]
        return [f"`{title.replace('|', chr(92) + '|')}`", *("–" if np.isnan(v) else f"{v:.3g}" for v in values)]

    text = ["Errors in float32, beside float64, in units in the last place (`python benchmarks/accuracy.py --docs`): "
            "what 99 of 100 numbers keep below. Half a unit is rounding. The lines are those of the table above, "
            "with random upstream gradients. Where numbers of both signs are added up some results are near 0, and "
            "units small: there only the comparison with PyTorch counts. 1.68e+07 units: no digit is right.", REASONS]
    for condition, found in cells.items():
        worse = sum(larger(cell) > 2 for cell in found.values())
        better = sum(larger({"torch": cell[name], **dict.fromkeys(LIBRARIES[1:], cell["torch"])}) > 2
                     for cell in found.values() for name in ("gradcircuit",))
        shown = {title: cell for title, cell in found.items() if condition == CONDITIONS[0] or larger(cell) > 2}
        text.append(f"{condition.capitalize()}: {len(found)} lines; in {worse} an error of ours is more than twice "
                    f"PyTorch's (and than two units), in {better} PyTorch's is more than twice ours"
                    + (", see below." if shown and condition != CONDITIONS[0] else "."))
        if shown:
            text.append(report.table([condition, *heads], [row(*item) for item in sorted(
                shown.items(), key=lambda item: -larger(item[1]))]))
    return "\n\n".join(text)


def main() -> None:
    """Measure line by line, print what is larger than PyTorch's, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="lines that contain one of these; all without one")
    parser.add_argument("--docs", action="store_true", help="write the section of docs/benchmarks.md")
    options = parser.parse_args()
    if importlib.util.find_spec("torch") is None:
        sys.exit("accuracy is that of PyTorch in float64: pip install torch")
    warnings.simplefilter("ignore")  # large numbers overflow, as they should
    cells: dict[str, dict[str, dict[str, tuple[float, float]]]] = {}
    for condition in CONDITIONS:
        cells[condition] = {}
        for title, expression, arguments in lines(condition):
            if options.words and not any(word in title for word in options.words):
                continue
            try:
                cell = errors(expression, arguments, condition)
            except Exception as error:
                print(f"{title}, {condition}: {type(error).__name__}: {error}", file=sys.stderr)
                continue
            if cell is not None:
                cells[condition][title] = cell
                if options.words or larger(cell) > 2:
                    print(f"{title:60} {condition:18}", *(f"{name} {out:.3g} {gradient:.3g}  "
                                                          for name, (out, gradient) in cell.items()), flush=True)
    if options.docs:
        report.publish("Accuracy", page(cells))


if __name__ == "__main__":
    main()
