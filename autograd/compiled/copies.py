"""Numbers put where they belong: by lines, or, where rows become columns, by blocks turned in registers.

Threads share what is written as they share other loops: what they take from one to the next stays in their caches.
"""

import functools
import math

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from autograd.compiled.loops import all_float32, loop, numbers_at, parallel
from autograd.runtime.copies import everywhere

AXES = 4
"""How many axes an array may have, when those that lie together have been joined."""
WHOLE = [np.dtype(name) for name in ("f8", "i8", "i4")]
"""What is copied as if it were float32, where it lies in memory in order."""
PIECE = 1 << 12
"""Numbers of a line that belong to one item."""
SIDE = 8
"""Rows and columns of a block; shorter lines are avoided."""
COLUMNS = 2 * SIDE
"""Neighboring columns that are read together: a line of the cache."""


def put_many(out, values):
    if type(values) is not np.ndarray:
        values = np.asarray(values, out.dtype)
    if (out.dtype == values.dtype != np.float32 and out.dtype in WHOLE and out.shape == values.shape
            and out.flags.c_contiguous and values.flags.c_contiguous):
        out, values = (array.reshape(-1).view(np.float32) for array in (out, values))
    if not all_float32(out, values):
        return NotImplemented
    if not values.ndim:
        values = everywhere(values, out.shape)
    elif values.shape != out.shape:
        values = np.broadcast_to(values, out.shape)
    plan = _plan(out.shape, values.strides, out.strides) if out.size else (None, 0, 0, None)
    if plan is None:
        return NotImplemented
    kernel, items, work, steps = plan
    if kernel:
        kernel(items, work, steps, values.ctypes.data, out.ctypes.data)
    return None


@functools.lru_cache(maxsize=1024)
def _plan(shape, given, into):
    """The loop to run, of how many items and how much work, and its axes, the last one along a line: their lengths, and
    how many bytes it is from place to place. None where there are too many axes."""
    axes: list[tuple[int, int, int]] = []
    for axis in sorted(zip(shape, given, into, strict=True), key=lambda axis: -abs(axis[2])):
        if axis[0] > 1 and axes and all(axes[-1][i] == axis[0] * axis[i] for i in (1, 2)):
            axes[-1] = (axes[-1][0] * axis[0], *axis[1:])
        elif axis[0] > 1:
            axes.append(axis)
    if len(axes) > AXES or any(step % 4 for axis in axes for step in axis[1:]):
        return None
    axes = [(1, 0, 0)] * (AXES - len(axes)) + axes
    read = next((i for i in range(AXES - 1) if axes[i][1] == 4 and axes[i][0] >= SIDE), None)
    size, (length, step, line_step) = math.prod(shape), axes[-1]
    if read is not None and length >= SIDE and line_step == 4 and step not in (0, 4):
        axes.insert(AXES - 2, axes.pop(read))
        kernel, items = _turned, size // length // axes[-2][0] * -(-axes[-2][0] // COLUMNS)
    else:
        if length < SIDE:
            axes.append(axes.pop(max(range(AXES), key=lambda i: axes[i][0])))
        kernel, items = _lines, size // axes[-1][0] * -(-axes[-1][0] // PIECE)
    return kernel, items, size if axes[-1][2] == 4 else 2 * size, np.array(axes, np.int64)


@parallel
def _lines(first, last, axes, given, into):
    """Items are pieces of lines."""
    length, step, into_step = axes[3]
    pieces = (length + PIECE - 1) // PIECE
    line, piece = first // pieces, first % pieces
    i, j, k = line // axes[2, 0] // axes[1, 0], line // axes[2, 0] % axes[1, 0], line % axes[2, 0]
    for _ in range(first, last):
        start = piece * PIECE
        source = given + i * axes[0, 1] + j * axes[1, 1] + k * axes[2, 1] + start * step
        target = into + i * axes[0, 2] + j * axes[1, 2] + k * axes[2, 2] + start * into_step
        _move(min(PIECE, length - start), source, step // 4, target, into_step // 4)
        piece += 1
        if piece == pieces:
            piece, k = 0, k + 1
        if k == axes[2, 0]:
            k, j = 0, j + 1
        if j == axes[1, 0]:
            j, i = 0, i + 1


@loop
def _move(count, source, step, target, into_step):
    x, out = numbers_at(source), numbers_at(target)
    if into_step == 1 and step == 1 and count >= SIDE:  # lines are often short: nothing is left over for single numbers
        for i in range(0, count - SIDE + 1, SIDE):
            _carry(source + 4 * i, target + 4 * i)
        _carry(source + 4 * (count - SIDE), target + 4 * (count - SIDE))
    elif into_step == 1 and step == 0:
        value = x[0]
        for i in range(count):
            out[i] = value
    elif into_step == 1 and step == -1:
        x = numbers_at(source - 4 * (count - 1))
        for i in range(count):
            out[i] = x[count - 1 - i]
    else:
        for i in range(count):
            out[i * into_step] = x[i * step]


@parallel
def _turned(first, last, axes, given, into):
    """Items are neighboring columns of a matrix, whose rows are read along and written across."""
    columns, _, into_step = axes[2]
    rows, step, _ = axes[3]
    each = (columns + COLUMNS - 1) // COLUMNS
    for item in range(first, last):
        n, begin = item // each, item % each * COLUMNS
        i, j = n // axes[1, 0], n % axes[1, 0]
        source, target = given + i * axes[0, 1] + j * axes[1, 1], into + i * axes[0, 2] + j * axes[1, 2]
        end = min(begin + COLUMNS, columns)
        whole = end - (end - begin) % SIDE
        for row in range(0, rows - SIDE + 1, SIDE):
            for column in range(begin, whole, SIDE):
                turn(source + row * step + 4 * column, step, target + column * into_step + 4 * row, into_step)
        for row in range(rows):
            x = numbers_at(source + row * step)
            for column in range(whole if row < rows - rows % SIDE else begin, end):
                numbers_at(target + column * into_step)[row] = x[column]


_VECTOR = ir.VectorType(ir.FloatType(), SIDE)


@intrinsic
def _carry(context, source, target):
    """Copy SIDE numbers."""
    def generate(context, builder, signature, args):
        given, into = [builder.inttoptr(place, _VECTOR.as_pointer()) for place in args]
        builder.store(builder.load(given, align=4), into, align=4)
        return context.get_dummy_value()
    return types.void(types.int64, types.int64), generate


@intrinsic
def turn(context, source, row, target, column):
    """Transpose a block, from rows that are `row` bytes apart in memory to columns that are `column` apart."""
    def generate(context, builder, signature, args):
        source, row, target, column = args

        def at(base, step, i):
            place = builder.add(base, builder.mul(step, ir.Constant(ir.IntType(64), i)))
            return builder.inttoptr(place, _VECTOR.as_pointer())

        def mixed(a, b, places):  # numbers of a, and behind them those of b
            return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), SIDE), places))

        rows = [builder.load(at(source, row, i), align=4) for i in range(SIDE)]
        step = 1
        while step < SIDE:  # squares of 1, 2, 4 beside the diagonal change places
            for i in [i for i in range(SIDE) if i // step % 2 == 0]:
                a, b = rows[i], rows[i + step]
                rows[i] = mixed(a, b, [k if k // step % 2 == 0 else SIDE + k - step for k in range(SIDE)])
                rows[i + step] = mixed(a, b, [k + step if k // step % 2 == 0 else SIDE + k for k in range(SIDE)])
            step *= 2
        for i in range(SIDE):
            builder.store(rows[i], at(target, column, i), align=4)
        return context.get_dummy_value()
    return types.void(*[types.int64] * 4), generate
