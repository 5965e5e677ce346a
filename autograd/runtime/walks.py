"""How arrays that lie differently in memory are walked together: as lines.

Of all arrays, a line is either that many numbers without gaps, or one number that is the same along it; and from one
line to the next it is always as far. So a loop over lines serves rows with gaps, vectors that are added to each row,
one number per row or channel, and images with their channels last.
"""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

SHORTEST = 16
"""Numbers of a line: with fewer, going from line to line takes longer than the numbers do."""


class Walk(NamedTuple):
    """A walk through several arrays at once."""

    shape: tuple[int, ...]
    """Of the result."""
    order: tuple[int, ...]
    """Its axes as they lie in memory."""
    back: tuple[int, ...]
    """The axes of what lies so, in the order of the result."""
    lines: int
    length: int
    single: tuple[bool, ...]
    """Of each array, whether a line of it is one number."""
    steps: tuple[int, ...]
    """Of each array, how many bytes it is from line to line."""
    gathered: tuple[tuple | None, ...]
    """Of each array whose lines are one number, but not always as far apart: where these stand in the array as it is
    broadcast, its axes in order. A copy of them is walked instead."""


def walked(arrays: Sequence[np.ndarray]) -> tuple[Walk, Sequence[np.ndarray]] | None:
    """How to walk some arrays that are broadcast, and these arrays, or copies; None if they have no long lines in
    common.

    >>> x, y = np.ones((3, 4, 50), "f4"), np.ones((4, 1), "f4")
    >>> walk, _ = walked([x, y])
    >>> walk.lines, walk.length, walk.single, walk.steps
    (12, 50, (False, True), (200, 4))
    """
    walk = _walk(tuple([(a.shape, a.strides, a.itemsize) for a in arrays]))
    if walk is None or not any(walk.gathered):
        return walk and (walk, arrays)
    return walk, [a if of is None else np.ascontiguousarray(np.broadcast_to(a, walk.shape).transpose(walk.order)[of])
                  for a, of in zip(arrays, walk.gathered, strict=True)]


@functools.lru_cache(maxsize=1024)
def _walk(layouts: tuple[tuple[tuple[int, ...], tuple[int, ...], int], ...]) -> Walk | None:
    """Likewise, of shapes, strides and sizes of numbers."""
    try:
        shape = np.broadcast_shapes(*[of for of, _, _ in layouts])
    except ValueError:  # an error to be raised by who computes
        return None
    order = tuple(range(len(shape)))
    for of, strides, _ in layouts:
        repeated = any(n > 1 and not step for n, step in zip(of, strides, strict=True))
        if of == shape and not repeated:  # the result lies as it does
            order = tuple(sorted(order, key=lambda axis: -abs(strides[axis])))
            break
    longer = [axis for axis in order if shape[axis] > 1]
    sizes = [shape[axis] for axis in longer]
    spread = [[0 if axis < before or of[axis - before] == 1 else strides[axis - before] for axis in longer]
              for of, strides, _ in layouts for before in (len(shape) - len(of),)]
    single = tuple([bool(sizes) and not strides[-1] for strides in spread])
    length, axis = 1, len(sizes)
    while axis and all(strides[axis - 1] == (0 if alone else length * itemsize)
                       for strides, alone, (_, _, itemsize) in zip(spread, single, layouts, strict=True)):
        axis -= 1
        length *= sizes[axis]
    if length < SHORTEST:
        return None
    steps, gathered = [], []
    for strides, alone, (_, _, itemsize) in zip(spread, single, layouts, strict=True):
        step, lines = _step(sizes[:axis], strides[:axis]), None
        if step is None and alone:
            step, lines = itemsize, tuple([slice(None) if i in longer[:axis] else 0 for i in order])
        if step is None:
            return None
        steps.append(step)
        gathered.append(lines)
    back = tuple(sorted(order, key=order.__getitem__))
    return Walk(shape, order, back, math.prod(sizes[:axis]), length, single, tuple(steps), tuple(gathered))


def _step(sizes: list[int], strides: list[int]) -> int | None:
    """How far it is from each place of some axes to the next, if it is always as far."""
    if not sizes:
        return 0
    places = strides[-1]
    for size, stride in zip(reversed(sizes), reversed(strides), strict=True):
        if stride != places:
            return None
        places *= size
    return strides[-1]
