"""Arrays as lines of numbers, for loops that take one line after the other."""

import math
from collections.abc import Sequence

import numpy as np

from autograd.compiled.loops import loop
from autograd.operations.shaping import axes, axis
from autograd.runtime.copies import put

PART = 1 << 12
"""So many numbers are added up in float32, their sums in float64."""

LEAST = 16
"""Columns that are worth going along at once."""
COPIED = 64
"""Numbers of a line from which on copying it pays."""
WIDTH = 128
"""Columns that are gone along at once; so many rows of that length stay in the cache as an axis usually has."""


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
        self.shape = (x.size // self.length if self.length else 0), self.length

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


class Columns:
    """How an array consists of lines along an axis that is not the last one in memory: as (outer, length, inner), of
    which several lines that lie beside each other are gone along at once. It has the methods of `Lines`."""

    def __init__(self, x: np.ndarray, dim: int) -> None:
        self.outline, self.dim = x.shape, dim
        self.order = sorted(range(x.ndim), key=lambda i: -abs(x.strides[i]))
        place, sizes = self.order.index(dim), [x.shape[i] for i in self.order]
        self.length = sizes[place]
        self.shape = math.prod(sizes[:place]), self.length, math.prod(sizes[place + 1:])

    def of(self, a: np.ndarray) -> np.ndarray:
        """An array of that outline as columns."""
        return _packed(a.transpose(self.order)).reshape(self.shape)

    def back(self, columns: np.ndarray) -> np.ndarray:
        """Columns in the outline, and the memory order, of the array."""
        return columns.reshape([self.outline[i] for i in self.order]).transpose(np.argsort(self.order))

    def ends(self, a: np.ndarray) -> np.ndarray:
        """What there is one of for each line, as (outer, inner)."""
        beside = a.reshape([1 if i == self.dim else n for i, n in enumerate(self.outline)])
        return np.ascontiguousarray(beside.transpose(self.order)).reshape(self.shape[0], self.shape[2])

    def back_from_ends(self, each: np.ndarray, keepdim: bool) -> np.ndarray:
        """(outer, inner) in the outline of what is reduced over the lines."""
        beside = each.reshape([1 if i == self.dim else self.outline[i] for i in self.order])
        beside = beside.transpose(np.argsort(self.order))
        return beside if keepdim else beside.squeeze(self.dim)


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


def lines_or_columns(x: np.ndarray, dim: int | Sequence[int] | None) -> Lines | Columns | None:
    """How an array is gone along `dim`; None if too little would lie side by side."""
    lines = Lines(x, dim)
    if lines.order is lines.lying:
        return lines if lines.length else None
    along = [dim] if isinstance(dim, int) else axes(dim, x.ndim)
    if len(along) == 1 and x.size:
        columns = Columns(x, axis(along[0], x.ndim))
        if columns.shape[2] >= LEAST:
            return columns
    return lines if lines.length else None


def pieces(x: np.ndarray) -> int:
    """Of how many pieces columns (outer, length, inner) consist."""
    return len(x) * -(-x.shape[2] // WIDTH)


@loop
def piece_of(item, x):
    """Which of the outer, and which columns."""
    each = -(-x.shape[2] // WIDTH)
    begin = item % each * WIDTH
    return item // each, slice(begin, min(begin + WIDTH, x.shape[2]))
