"""Transposed copies of matrices, by blocks that are turned in the processor's registers."""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from autograd.compiled.loops import parallel

SIDE = 8
"""Rows and columns of a block."""
COLUMNS = 2 * SIDE
"""Neighboring columns that are read together: a line of the cache."""


def transpose(x: np.ndarray, out: np.ndarray) -> None:
    """Write matrices x (N, R, C) of float32, contiguous, to out (N, C, R)."""
    _transpose(len(x) * (-(-x.shape[2] // COLUMNS)), x.size, x, out)


@parallel
def _transpose(first, last, x, out):
    rows, columns = x.shape[1:]
    each = (columns + COLUMNS - 1) // COLUMNS
    for item in range(first, last):
        n, begin = item // each, item % each * COLUMNS
        end = min(begin + COLUMNS, columns)
        whole = end - (end - begin) % SIDE
        for row in range(0, rows - SIDE + 1, SIDE):
            for column in range(begin, whole, SIDE):
                _turn(x.ctypes.data + 4 * ((n * rows + row) * columns + column), columns,
                      out.ctypes.data + 4 * ((n * columns + column) * rows + row), rows)
        for row in range(rows):
            for column in range(whole if row < rows - rows % SIDE else begin, end):
                out[n, column, row] = x[n, row, column]


@intrinsic
def _turn(context, source, row, target, column):
    """Transpose a block, from rows that are `row` numbers apart in memory to columns that are `column` apart."""
    def generate(context, builder, signature, args):
        source, row, target, column = args
        vector = ir.VectorType(ir.FloatType(), SIDE)

        def at(base, step, i):
            place = builder.add(base, builder.mul(step, ir.Constant(ir.IntType(64), 4 * i)))
            return builder.inttoptr(place, vector.as_pointer())

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
