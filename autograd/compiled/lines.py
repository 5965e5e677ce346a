"""Arrays as lines of numbers, for loops that take one line after the other."""

import math
from collections.abc import Sequence

import numpy as np

from autograd.compiled.loops import loop
from autograd.operations.shaping import axes
from autograd.runtime.copies import put

PART = 1 << 12
"""So many numbers are added up in float32, their sums in float64."""

COPIED = 64
"""Numbers of a line from which on copying it pays."""


class Lines:
    """How an array consists of lines along some of its axes (all, for None or none).

    Lines whose numbers don't lie side by side are copied, if they are long.

    Attributes:
        length: how many numbers a line has; 0 if there are none, or too few to be copied.
    """

    def __init__(self, x: np.ndarray, dim: int | Sequence[int] | None) -> None:
        self.outline, order = x.shape, [*range(x.ndim)]
        if not x.flags.c_contiguous:  # such as channels last
            order.sort(key=lambda i: -abs(x.strides[i]))
        along = {*order} if dim is None else {*axes(dim, x.ndim)} or {*order}
        self.order, self.outside = order, x.ndim - len(along)
        self.length, self.lying = math.prod([x.shape[i] for i in along]) if x.size and x.ndim else 0, order
        if {*order[self.outside:]} != along:
            self.order = [i for i in order if i not in along] + [i for i in order if i in along]
            self.length = self.length if self.length >= COPIED else 0

    def of(self, a: np.ndarray) -> np.ndarray:
        """An array of that outline as a matrix whose rows are the lines; of one row if it is the same everywhere."""
        if not any(a.strides):
            return np.full((1, self.length), a[(0,) * a.ndim], a.dtype)
        return _packed(a.transpose(self.order)).reshape(-1, self.length)

    def back(self, rows: np.ndarray) -> np.ndarray:
        """A matrix whose rows are the lines in the outline, and the memory order, of the array."""
        out = rows.reshape([self.outline[i] for i in self.order]).transpose(np.argsort(self.order))
        return out if self.order == self.lying else _packed(out.transpose(self.lying)).transpose(np.argsort(self.lying))

    def ends(self, a: np.ndarray) -> np.ndarray:
        """What there is one of for each line, such as a sum over it, as (lines,)."""
        beside = a.reshape([1 if i in self.order[self.outside:] else n for i, n in enumerate(self.outline)])
        return np.ascontiguousarray(beside.transpose(self.order)).reshape(-1)

    def back_from_ends(self, each: np.ndarray, keepdim: bool) -> np.ndarray:
        """(lines,) in the outline of what is reduced over the lines."""
        kept, gone = self.order[:self.outside], tuple(self.order[self.outside:])
        beside = each.reshape([self.outline[i] for i in kept] + [1] * len(gone)).transpose(np.argsort(self.order))
        return beside if keepdim else beside.squeeze(gone)


def _packed(a: np.ndarray) -> np.ndarray:
    if a.flags.c_contiguous:
        return a
    out = np.empty(a.shape, a.dtype)
    put(out, a)
    return out


@loop
def added(numbers):
    """The sum, in float64."""
    total = 0.0
    for start in range(0, numbers.size, PART):
        part, partial = numbers[start:start + PART], np.float32(0)
        for j in range(part.size):
            partial += part[j]
        total += partial
    return total
