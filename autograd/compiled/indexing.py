"""Rows and elements read, added and written by their positions.

An array is seen as (lead, n, rest), with positions along the middle axis. What is written is shared out by where it
goes: no two threads write to one place, and those that meet in one place come in order.
"""

import math

import numpy as np

from autograd.compiled.loops import all_float32, loop, parallel
from autograd.operations.indexing import axis_of, in_range
from autograd.runtime.copies import contiguous

COLUMNS = 64
"""How many numbers of a row belong to one item."""
POSITIONS = 1024
"""How many positions do."""


def picked(x, index):
    where = _places(x.shape, index) if all_float32(x) and x.flags.c_contiguous else None
    if where is None:
        return NotImplemented
    shape, (lead, n, rest), positions = where
    out, x = np.empty(shape, x.dtype), x.reshape(lead, n, rest)
    rows, work = out.reshape(lead, positions.shape[1], rest), 2 * out.size
    if rest == 1:
        _read_elements(lead * _blocks(positions.shape[1], POSITIONS), work, x[..., 0], positions[..., 0], rows[..., 0])
    elif positions.shape[2] == 1:
        _read_rows(lead * positions.shape[1], work, x, positions[0, :, 0], rows)
    else:
        _read_along(lead * positions.shape[1], work, x, positions, rows)
    return out


def add_rows(out, index, rows, fresh=False):
    return _write(out, (index,), rows, True)


def add_by_arrays(out, index, values):
    return _write(out, index, values, True)


def put_by_arrays(out, index, values):
    return _write(out, index, values, False)


def is_last(x, index):
    where = _places(x.shape, index)
    if where is None or where[1][2] > 1 or len(where[2]) < where[1][0]:
        return NotImplemented
    shape, (lead, n, _), positions = where
    out = np.empty(shape, bool)
    _find_last(lead, 2 * out.size, positions[..., 0], n, out.reshape(lead, -1))
    return out


def _write(out, index, values, adds):
    values = values if isinstance(values, np.ndarray) else np.asarray(values, out.dtype)
    where = _places(out.shape, index) if all_float32(out, values) and out.flags.c_contiguous else None
    if where is None:
        return NotImplemented
    shape, (lead, n, rest), positions = where
    rows, count, step = out.reshape(lead, n, rest), positions.shape[1], int(any(values.strides))
    if step:
        values = contiguous(np.broadcast_to(values, shape)).reshape(lead, count, rest)
    else:  # one number everywhere, as the gradient of a sum
        values = np.full((1, 1, rest), values[(0,) * values.ndim])
    work = 2 * lead * count * rest
    if rest == 1:
        _write_elements(lead, work, rows[..., 0], positions[..., 0], values[..., 0], step, adds)
    elif positions.shape[2] == 1:
        _write_rows(lead * _blocks(rest, COLUMNS), work, rows, positions[0, :, 0], values, step, adds)
    else:
        _write_along(lead * _blocks(rest, COLUMNS), work, rows, positions, values, step, adds)
    return out


def _places(shape, index):
    """The shape that an index names, that of the array seen as (lead, n, rest), and the positions, (lead or 1, count,
    rest or 1): one for each element, or the same everywhere. None where they are no positions along one axis from 0 on.
    """
    dim, everywhere = axis_of(index), True
    if dim is None:
        dim, everywhere = _axis_of_grid(index, shape), False
    if dim is None or dim >= len(shape) or not index[dim].size or not in_range(index[dim], shape[dim]):
        return None
    positions, before, after = index[dim], shape[:dim], shape[dim + 1:]
    seen = math.prod(before), shape[dim], math.prod(after)
    if not everywhere and positions.shape == (*before, positions.shape[dim], *after) and not any(
            stride for i, stride in enumerate(positions.strides) if i != dim):  # one vector, expanded
        positions, everywhere = positions[tuple([slice(None) if i == dim else 0 for i in range(len(shape))])], True
    if everywhere:
        return (*before, *positions.shape, *after), seen, _in_order(positions, (1, -1, 1))
    if positions.shape[:dim] != before or positions.shape[dim + 1:] != after:
        return None
    return positions.shape, seen, _in_order(positions, (seen[0], -1, seen[2]))


def _axis_of_grid(index, shape):
    """The axis along which an index by arrays for all axes picks, as that of `gather`: along the others it counts."""
    if len(index) != len(shape) or any(type(part) is not np.ndarray or part.ndim != len(shape) or
                                       part.dtype.kind not in "iu" for part in index):
        return None
    others = [i for i, (part, n) in enumerate(zip(index, shape, strict=True)) if part.size != n or part.shape[i] != n
              or (part.reshape(-1) != np.arange(n)).any()]
    return (others or [0])[0] if len(others) < 2 else None


def _in_order(positions, shape):
    return np.ascontiguousarray(positions, np.int64).reshape(shape)


def _blocks(count, size):
    return -(-count // size)


@parallel
def _read_elements(first, last, x, positions, out):
    """Items are blocks of positions."""
    blocks = -(-out.shape[1] // POSITIONS)
    for item in range(first, last):
        i, start = item // blocks, item % blocks * POSITIONS
        source, target = x[i], out[i, start:start + POSITIONS]
        places = positions[i if len(positions) > 1 else 0, start:start + POSITIONS]
        for j in range(target.size):
            target[j] = source[np.uint64(places[j])]


@parallel
def _read_rows(first, last, x, positions, out):
    for item in range(first, last):
        i, j = item // positions.size, item % positions.size
        source, target = x[i, positions[j]], out[i, j]
        for k in range(target.size):
            target[k] = source[k]


@parallel
def _read_along(first, last, x, positions, out):
    count, rest = out.shape[1], np.uint64(out.shape[2])
    for item in range(first, last):
        i, j = item // count, item % count
        source, target, places = x[i].reshape(-1), out[i, j], positions[i, j]
        for k in range(target.size):
            target[k] = source[np.uint64(places[k]) * rest + np.uint64(k)]


@parallel
def _write_elements(first, last, out, positions, values, step, adds):
    for i in range(first, last):
        target, source = out[i], values[i * step]
        places = positions[i if len(positions) > 1 else 0]
        if adds:
            for j in range(places.size):
                target[np.uint64(places[j])] += source[np.uint64(j * step)]
        else:
            for j in range(places.size):
                target[np.uint64(places[j])] = source[np.uint64(j * step)]


@loop
def _columns(item, last, width):
    """Of which matrix an item is a block of columns, where they begin, and where those of the items after it end."""
    blocks = -(-width // COLUMNS)
    i = item // blocks
    return i, (item - i * blocks) * COLUMNS, min((last - i * blocks) * COLUMNS, width), min(last, (i + 1) * blocks)


@parallel
def _write_rows(first, last, out, positions, values, step, adds):
    while first < last:
        i, start, end, first = _columns(first, last, out.shape[2])
        for j in range(positions.size):
            target, source = out[i, positions[j], start:end], values[i * step, j * step, start:end]
            if adds:
                for k in range(target.size):
                    target[k] += source[k]
            else:
                for k in range(target.size):
                    target[k] = source[k]


@parallel
def _write_along(first, last, out, positions, values, step, adds):
    rest = np.uint64(out.shape[2])
    while first < last:
        i, start, end, first = _columns(first, last, out.shape[2])
        target = out[i].reshape(-1)[start:]
        for j in range(positions.shape[1]):
            places, source = positions[i, j, start:end], values[i * step, j * step, start:end]
            if adds:
                for k in range(places.size):
                    target[np.uint64(places[k]) * rest + np.uint64(k)] += source[k]
            else:
                for k in range(places.size):
                    target[np.uint64(places[k]) * rest + np.uint64(k)] = source[k]


@parallel
def _find_last(first, last, positions, n, out):
    writer = np.empty(n, np.int64)  # of what isn't written to, nothing is read
    for i in range(first, last):
        places, is_last = positions[i], out[i]
        for j in range(places.size):
            writer[np.uint64(places[j])] = j
        for j in range(places.size):
            is_last[j] = writer[np.uint64(places[j])] == j
