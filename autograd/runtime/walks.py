"""How arrays that lie differently in memory are walked together: as lines.

Of all arrays, a line is either that many numbers without gaps, or one number that is the same along it; and from one
line to the next it is always as far. So a loop over lines serves rows with gaps, vectors that are added to each row,
one number per row or channel, and images with their channels last.
"""

import math
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
    lines: int
    length: int
    single: tuple[bool, ...]
    """Of each array, whether a line of it is one number."""
    arrays: list[np.ndarray]
    """The arrays; those with one number per line may be copies that have all of them."""
    steps: list[int]
    """Of each array, how many bytes it is from line to line."""


def walked(arrays: list[np.ndarray]) -> Walk | None:
    """How to walk some arrays that are broadcast; None where they have no long lines in common.

    >>> x, y = np.ones((3, 4, 50), "f4"), np.ones((4, 1), "f4")
    >>> walk = walked([x, y])
    >>> walk.lines, walk.length, walk.single, walk.steps
    (12, 50, (False, True), [200, 4])
    """
    try:
        shape = np.broadcast_shapes(*[a.shape for a in arrays])
    except ValueError:  # an error to be raised by who computes
        return None
    whole = next((a for a in arrays if a.shape == shape), None)
    order = tuple(range(len(shape)))
    if whole is not None:  # the result lies as it does
        order = tuple(sorted(order, key=lambda axis: -abs(whole.strides[axis])))
    longer = tuple([slice(None) if shape[axis] > 1 else 0 for axis in order])
    spread = [np.broadcast_to(a, shape).transpose(order)[longer] for a in arrays]
    sizes, length, axis = spread[0].shape, 1, len(spread[0].shape)
    single = tuple([bool(sizes) and not a.strides[-1] for a in spread])
    while axis and all(a.strides[axis - 1] == (0 if alone else length * a.itemsize)
                       for a, alone in zip(spread, single, strict=True)):
        axis -= 1
        length *= sizes[axis]
    if length < SHORTEST:
        return None
    steps = []
    for i, (a, alone) in enumerate(zip(spread, single, strict=True)):
        step = _step(sizes[:axis], a.strides[:axis])
        if step is None and alone:
            first: tuple = (..., *[0] * (len(sizes) - axis))
            spread[i] = np.ascontiguousarray(a[first])
            step = a.itemsize
        if step is None:
            return None
        steps.append(step)
    return Walk(shape, order, math.prod(sizes[:axis]), length, single, spread, steps)


def _step(sizes: tuple[int, ...], strides: tuple[int, ...]) -> int | None:
    """How far it is from each place of some axes to the next, if it is always as far."""
    if not sizes:
        return 0
    places = strides[-1]
    for size, stride in zip(reversed(sizes), reversed(strides), strict=True):
        if stride != places:
            return None
        places *= size
    return strides[-1]
