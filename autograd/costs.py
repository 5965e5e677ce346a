"""What operations cost, and tables of it: the knowledge that `autograd.profile` and `nn.summary` share."""

import math
from collections.abc import Callable, Sequence
from typing import Any

Shape = tuple[int, ...]


def _matmul(shapes: list, out: Shape, options: dict) -> int:
    return 2 * math.prod(out) * shapes[0][-1]


def _einsum(shapes: list, out: Shape, options: dict) -> int:
    terms = options["equation"].replace(" ", "").partition("->")[0].split(",")
    if len(terms) != 2 or "..." in options["equation"]:
        return max(math.prod(shape) for shape in (*shapes, out))
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, n in zip(term, shape, strict=True):
            sizes[letter] = max(n, sizes.get(letter, 1))
    return 2 * math.prod(sizes.values())


def no_flops(shapes: list, out: Shape, options: dict) -> int:
    """The cost of an operation that only moves elements."""
    return 0


FLOPS: dict[str, Callable[[list, Shape, dict], int]] = {
    "matmul": _matmul, "einsum": _einsum,
    **dict.fromkeys(["cat", "clone", "flatten", "flip", "gather", "getitem", "output", "permute", "reshape", "roll",
                     "split", "stack", "tile", "transpose", "unbind"], no_flops)}
"""Name of an operation -> its floating-point operations, as a function of the shapes of the arguments (None for one
that has none), the shape of the (first) output, and the options. Other packages add their operations."""


def flops(operation: Any, shapes: list[Shape | None], out: Shape, options: dict) -> int:
    """How many floating-point operations a call of an operation takes, a multiplication and an addition being two.

    Exact for what stands in `FLOPS` (products above all); otherwise one for each element of the largest array that
    takes part, and none for views.
    """
    count = FLOPS.get(operation.name)
    if count is not None:
        return count(shapes, out, options)
    return 0 if operation.view else max([math.prod(s) for s in (out, *shapes) if s is not None])


def memory(count: float) -> str:
    """Bytes in readable units of 1024."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def table(lines: Sequence[Sequence[str]], left: int) -> str:
    """Cells as text: the first line is the head, the last the total; the first `left` columns are aligned left."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join([*(cell.ljust(n) for cell, n in zip(line[:left], widths, strict=False)),
                       *(cell.rjust(n) for cell, n in zip(line[left:], widths[left:], strict=True))]) for line in lines]
    rule = "─" * len(text[0])
    return "\n".join([text[0], rule, *text[1:-1], rule, text[-1]])
