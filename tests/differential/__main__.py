"""python -m tests.differential: any number of random programs beside PyTorch."""

import argparse
import collections
import sys
import time

import torch

import autograd
from autograd.operations import conversion, pointwise, shaping
from autograd.runtime import buffers, compiled, copies, elementwise, piecewise, products, sums, threads
from nn.functional import convolution
from tests.differential import run
from tests.differential.generate import program

LIMITS = [(compiled, "LEAST"), (elementwise, "SIMPLE"), (copies, "MANY"), (piecewise, "MANY"), (buffers, "MANY"),
          (products, "LARGE"), (sums, "WORTHWHILE"), (threads, "WORTHWHILE"), (threads, "SHARED"), (threads, "WAKING"),
          (conversion, "FEW"), (pointwise, "MANY"), (shaping, "FEW"), (convolution, "FEW")]
"""From how many numbers on an operation goes the way of large arrays."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status: 1 if something differs that is not listed."""
    parser = argparse.ArgumentParser("python -m tests.differential", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000, help="how many programs (1000)")
    parser.add_argument("--first", type=int, default=0, help="the number of the first one (0)")
    parser.add_argument("--compiled", action="store_true", help="with compiled kernels")
    parser.add_argument("--large", action="store_true", help="compute every array, however small, like a large one")
    parser.add_argument("--shrink", type=int, default=200, help="how many differing programs to shrink (200)")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    autograd.set_compiled(args.compiled)
    if args.compiled:
        compiled.LEAST = 1  # the programs' arrays are small
    if args.large:
        for module, limit in LIMITS:
            setattr(module, limit, 1)
    tally: dict[str, int] = {}
    raw: collections.Counter = collections.Counter()
    groups: dict[tuple, list] = {}
    differing = statements = shrunk = 0
    start = time.perf_counter()
    for number in range(args.first, args.first + args.count):
        lines = program(f"{args.seed}/{number}")
        statements += len(lines)
        found = run.unlisted(lines, tally)
        if found is None:
            continue
        differing += 1
        key = run.signature(found), found.statement.split("(")[0].split("=")[-1]
        raw[key] += 1
        if raw[key] > 3 or shrunk >= args.shrink:
            continue
        shrunk += 1
        small = run.shrink(found)
        groups.setdefault(run.group(small), []).append((number, small))
    seconds = time.perf_counter() - start
    for cases in sorted(groups.values(), key=len, reverse=True):
        number, small = min(cases, key=lambda case: len(case[1].text()))
        print(f"\n# program {args.seed}/{number}; {len(cases)} such\n{small.text()}")
    print(f"\n{args.count} programs of {statements} statements in {seconds:.0f} s: {differing} differ"
          f"{f', of {len(groups)} kinds ({shrunk} were shrunk)' if differing else ''}")
    for reason, times in sorted(tally.items(), key=lambda item: -item[1]):
        print(f"{times:6} times on purpose: {reason}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
