"""What operations cost, and tables of it: what `autograd.profile` and `nn.summary` share."""

import html
import math
from collections.abc import Sequence
from typing import Any


def flops(operation: Any, shapes: list[tuple[int, ...] | None], out: tuple[int, ...], options: dict) -> int:
    """How many floating-point operations a call of an operation takes, a multiplication and an addition being two.

    What its declaration says; if that says nothing, one for each element of the largest array that takes part.
    """
    if operation.flops is not None:
        return operation.flops(shapes, out, options) if callable(operation.flops) else operation.flops
    if operation.multiply_adds:
        return 2 * operation.multiply_adds(shapes, out, options)
    return 0 if operation.view else max([math.prod(s) for s in (out, *shapes) if s is not None])


def multiply_adds(operation: Any, shapes: list[tuple[int, ...] | None], out: tuple[int, ...], options: dict) -> int:
    """How many multiplications with an addition a call takes as a product; 0 for everything else."""
    return operation.multiply_adds(shapes, out, options) if operation.multiply_adds else 0


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


def html_table(lines: Sequence[Sequence[str]], left: int) -> str:
    """The same for a notebook."""
    def row(line: Sequence[str], kind: str) -> str:
        return "".join([f'<{kind} style="text-align: {"left" if i < left else "right"}; white-space: pre">'
                        f"{html.escape(cell)}</{kind}>" for i, cell in enumerate(line)])
    rows = [row(line, "td" if 0 < i < len(lines) - 1 else "th") for i, line in enumerate(lines)]
    return f"<table><tr>{'</tr><tr>'.join(rows)}</tr></table>"
