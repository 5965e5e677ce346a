"""python -m autograd.testing module:function: check a function from the shell and print a table."""

import argparse
import contextlib
import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

from autograd.testing.diagnosis import GradientError, verdict
from autograd.testing.engines import Engine, Hips, engine_of
from autograd.testing.generate import EXAMPLES, SECONDS, calls, gradient_test, hypothesis

HELP = """Check the derivatives of a function of Tensors, and everything else that must hold for it.

    python -m autograd.testing autograd:softmax
    python -m autograd.testing my_losses:focal --low 0.125 --high 0.875
    python -m autograd.testing my_torch_ops:Square.apply --engine torch --shape 2 3

The function is given arrays for its parameters without default, several of which broadcast; an operation that declares
samples is given those. Exit status: 0 if everything holds, 1 if not, 2 if there is no such function."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser("python -m autograd.testing", description=HELP,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("function", help="module:function")
    parser.add_argument("--engine", default="gradcircuit", help="gradcircuit, torch, jax, hips or numpy (gradcircuit)")
    parser.add_argument("--low", type=float, help="the smallest number to try (none)")
    parser.add_argument("--high", type=float, help="the largest number to try (none)")
    parser.add_argument("--away-from", type=float, nargs="+", help="kinks and poles")
    parser.add_argument("--shape", type=int, nargs="*", action="append",
                        help="the shape of an argument, once for each (any shapes that broadcast); -1 for any length")
    parser.add_argument("--order", type=int, default=2, help="the highest order of derivatives (2)")
    parser.add_argument("--examples", type=int, default=EXAMPLES, help=f"how many examples ({EXAMPLES})")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"for how long ({SECONDS:g})")
    args = parser.parse_args(arguments)
    domain = {name: value for name, value in (("low", args.low), ("high", args.high), ("away_from", args.away_from))
              if value is not None}
    try:
        engine = engine_of(args.engine)
        function = _find(args.function, engine)
    except (ImportError, AttributeError, ValueError) as error:
        print(f"there is no {args.function}: {error}", file=sys.stderr)
        return 2
    from autograd.testing import strategies
    shapes = [strategies.arrays(tuple(None if n == -1 else n for n in shape), **domain) for shape in args.shape or []]
    drawn = calls(function, shapes, domain if not shapes else {}, engine)
    return report(function, args.function, drawn, args.order, args.examples, args.seconds, engine)


def _find(path: str, engine: Engine) -> Callable:
    module, _, name = path.partition(":")
    if not name:
        raise ValueError("write module:function, e.g. autograd:softmax")
    sys.path.insert(0, os.getcwd())
    if isinstance(engine, Hips):
        return engine.load(path)
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def report(function: Callable, name: str, drawn: Any, order: int, examples: int, seconds: float, engine: Engine) -> int:
    """Print what was found: a row for each order with the largest relative error, then all other properties."""
    worst: list[float] = [0.0] * order
    counts = [0] * order
    undecided = [0] * order
    failure: GradientError | None = None

    def look(args: tuple, options: dict, errors: list) -> None:
        for i, error in enumerate(errors):
            if error is None:
                undecided[i] += 1
            else:
                worst[i], counts[i] = max(worst[i], error), counts[i] + 1
    settings = hypothesis.settings(database=None, derandomize=True)
    test = gradient_test(function, drawn, order=order, max_examples=examples, seconds=seconds, settings=settings,
                         engine=engine if isinstance(engine, Hips) else engine.name, watch=look)
    try:
        with contextlib.redirect_stdout(None):
            test()
    except GradientError as error:
        failure = error
    print(f"{name}\n\n order  examples  relative error  verdict")
    for i in range(order):
        found = failure.error if failure and failure.order == i + 1 else worst[i] if counts[i] else None
        if found is not None:
            print(f"{i + 1:6}  {counts[i]:8}  {found:14.1e}  {verdict(found)}")
        else:
            print(f"{i + 1:6}  {0:8}  {'':14}  not compared")
    if any(undecided):
        print("\nCould not be decided, or only in part (a kink, a jump, a singular point, not finite): "
              + ", ".join(f"{n} examples at order {i + 1}" for i, n in enumerate(undecided) if n) + ".")
    if failure is None:
        print("\nEverything else that must hold (see check_function) holds on all examples.")
        return 0
    print(f"\n{type(failure).__name__}: {failure}")
    print(*[note for note in getattr(failure, "__notes__", []) if note.startswith("To see")], sep="\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
