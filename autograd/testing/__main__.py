"""python -m autograd.testing module:function: check a function from the shell and print a table."""

import argparse
import contextlib
import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

import hypothesis
import numpy as np

from autograd.testing.diagnosis import GradientError, verdict
from autograd.testing.generate import EXAMPLES, calls, gradient_test
from autograd.testing.gradcheck import check_derivatives
from autograd.testing.properties import Example

HELP = """Check the derivatives of a function of Tensors, and everything else that must hold for it.

    python -m autograd.testing autograd:softmax
    python -m autograd.testing my_losses:focal --low 0.125 --high 0.875

The function is given arrays for its parameters without default, several of which broadcast; an operation that declares
samples is given those. Exit status: 0 if everything holds, 1 if not, 2 if there is no such function."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser("python -m autograd.testing", description=HELP,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("function", help="module:function")
    parser.add_argument("--low", type=float, help="the smallest number to try (-2)")
    parser.add_argument("--high", type=float, help="the largest number to try (2)")
    parser.add_argument("--away-from", type=float, nargs="+", help="kinks and poles")
    parser.add_argument("--order", type=int, default=2, help="the highest order of derivatives (2)")
    parser.add_argument("--examples", type=int, default=EXAMPLES, help=f"how many examples ({EXAMPLES})")
    args = parser.parse_args(arguments)
    domain = {name: value for name, value in (("low", args.low), ("high", args.high), ("away_from", args.away_from))
              if value is not None}
    try:
        function = _find(args.function)
    except (ImportError, AttributeError, ValueError) as error:
        print(f"there is no {args.function}: {error}", file=sys.stderr)
        return 2
    return report(function, args.function, args.order, args.examples, domain)


def _find(path: str) -> Callable:
    module, _, name = path.partition(":")
    if not name:
        raise ValueError("write module:function, e.g. autograd:softmax")
    sys.path.insert(0, os.getcwd())
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def report(function: Callable, name: str, order: int, examples: int, domain: dict[str, Any]) -> int:
    """Print what was found: a row for each order with the largest relative error, then all other properties."""
    worst: list[float] = []
    counts = [0] * order
    failure: GradientError | None = None

    def measure(call: tuple[tuple, dict]) -> None:
        example = Example(function, *call, seed=0, as_tensors=not hasattr(function, "operation"))
        for i, error in enumerate(check_derivatives(example.function, example.arrays, order)):
            worst[i:i + 1] = [max([error, *worst[i:i + 1]])]
            counts[i] += 1
    settings = hypothesis.settings(database=None, derandomize=True)
    drawn = calls(function, domain=domain)
    with contextlib.suppress(GradientError):  # it will be found again, and made small, below
        hypothesis.settings(settings, max_examples=examples, deadline=None, phases=[hypothesis.Phase.generate],
                            suppress_health_check=list(hypothesis.HealthCheck))(hypothesis.given(drawn)(measure))()
    try:
        with np.errstate(all="ignore"):
            gradient_test(function, drawn, order=order, max_examples=examples, settings=settings)()
    except GradientError as error:
        failure = error
    print(f"{name}\n\n order  examples  relative error  verdict")
    for i in range(order):
        found = failure.error if failure and failure.order == i + 1 else worst[i] if counts[i] else None
        if found is not None:
            print(f"{i + 1:6}  {counts[i]:8}  {found:14.1e}  {verdict(found)}")
        else:
            print(f"{i + 1:6}  {0:8}  {'':14}  not compared")
    if failure is None:
        print("\nEverything else that must hold (see check_function) holds on all examples.")
        return 0
    print(f"\n{type(failure).__name__}: {failure}")
    print(*[note for note in getattr(failure, "__notes__", []) if note.startswith("To see")], sep="\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
