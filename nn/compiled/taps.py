"""Sums of vectors times vectors that stay in the processor's registers until they are complete.

A loop over channels does not say that: for LLVM every array may overlap every other, so it writes a sum to memory
before it reads the next factor.
"""

from collections.abc import Callable

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16, 8, 1
"""How many channels are computed at a time: as many as possible of each."""


def sums(count: int) -> Callable:
    """A function for compiled loops that computes several sums (channels,) at once:

        out[p] = start[p] + Σ_row Σ_column weight[row, column] · x[row, column, p]    for p < count

    Its arguments are an address and, behind it, how many numbers apart things are in memory: out and between sums;
    start and between sums; x, between sums, rows, columns; weight, between rows, columns. Then how many rows, columns
    and channels there are.
    """
    @intrinsic
    def of_taps(context, out, out_sum, start, start_sum, x, x_sum, x_row, x_column, w, w_row, w_column,
                rows, columns, channels):
        def generate(context, builder, signature, args):
            args = [builder.sext(a, ir.IntType(64)) if a.type.width < 64 else a for a in args]
            bases, (rows, columns, channels) = args[:11], args[11:]
            four, zero = ir.Constant(ir.IntType(64), 4), ir.Constant(ir.IntType(64), 0)
            done = zero
            out, start, x, w = [bases[i] for i in (0, 2, 4, 8)]
            out_sum, start_sum, x_sum, x_row, x_column, w_row, w_column = [
                builder.mul(bases[i], four) for i in (1, 3, 5, 6, 7, 9, 10)]

            def moved(base, step, number):
                return builder.add(base, builder.mul(step, number))

            for lanes in LANES:
                vector = ir.FloatType() if lanes == 1 else ir.VectorType(ir.FloatType(), lanes)
                totals = [cgutils.alloca_once(builder, vector) for _ in range(count)]

                def at(base, step=four, number=zero, vector=vector):
                    return builder.inttoptr(moved(base, step, number), vector.as_pointer())

                width = ir.Constant(ir.IntType(64), lanes)
                times = builder.sdiv(builder.sub(channels, done), width)
                with cgutils.for_range(builder, times) as over:
                    here = builder.mul(builder.add(done, builder.mul(over.index, width)), four)
                    for p, total in enumerate(totals):
                        begin = builder.add(start, here)
                        builder.store(builder.load(at(begin, start_sum, four.type(p)), align=4), total)
                    with cgutils.for_range(builder, rows) as row:
                        of_row = [builder.add(here, moved(base, step, row.index))
                                  for base, step in ((x, x_row), (w, w_row))]
                        with cgutils.for_range(builder, columns) as column:
                            numbers, weights = [moved(base, step, column.index)
                                                for base, step in zip(of_row, (x_column, w_column), strict=True)]
                            factor = builder.load(at(weights), align=4)
                            for p, total in enumerate(totals):
                                number = builder.load(at(numbers, x_sum, four.type(p)), align=4)
                                product = builder.fmul(factor, number, flags=["contract"])
                                builder.store(builder.fadd(builder.load(total), product, flags=["contract"]), total)
                    for p, total in enumerate(totals):
                        put = builder.add(out, here)
                        builder.store(builder.load(total), at(put, out_sum, four.type(p)), align=4)
                done = builder.add(done, builder.mul(times, width))
            return context.get_dummy_value()
        return types.void(*[types.int64] * 14), generate
    return of_taps


one, three, four = sums(1), sums(3), sums(4)
