"""Sums of products that stay in the processor's registers until they are complete.

A loop over channels does not say that: for LLVM every array may overlap every other, so it writes a sum to memory
before it reads the next factor.
"""

from collections.abc import Callable

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16, 8, 4, 1
"""How many channels are computed at a time: as many as possible of each."""


def sums(count: int, mixing: bool = False) -> Callable:
    """A function for compiled loops that computes several sums (channels,) at once:

        out[p] = start[p] + Σ_row Σ_column weight[row, column] · x[row, column, p]    for p < count

    where x has a number for each channel. If `mixing`, it has `depth` numbers for all of them:

        out[p] = start[p] + Σ_row Σ_column Σ_d weight[row, column, d] · x[row, column, p, d]

    Its arguments are an address and, behind it, how many numbers apart things are in memory: out and between sums;
    start and between sums; x, between sums, rows, columns; weight, between rows, columns (those of d are neighbors).
    Then how many rows and columns there are, the depth, and how many channels.
    """
    @intrinsic
    def of_taps(context, out, out_sum, start, start_sum, x, x_sum, x_row, x_column, w, w_row, w_column,
                rows, columns, depth, channels):
        def generate(context, builder, signature, args):
            four, zero = ir.Constant(ir.IntType(64), 4), ir.Constant(ir.IntType(64), 0)
            out, out_sum, start, start_sum, x, x_sum, x_row, x_column, w, w_row, w_column = [
                a if i in (0, 2, 4, 8) else builder.mul(a, four) for i, a in enumerate(args[:11])]
            rows, columns, depth, channels = args[11:]
            w_depth, done = builder.mul(channels, four), zero

            def moved(base, step, number):
                return builder.add(base, builder.mul(step, number))

            for lanes in LANES:
                vector = ir.FloatType() if lanes == 1 else ir.VectorType(ir.FloatType(), lanes)
                totals = [cgutils.alloca_once(builder, vector) for _ in range(count)]

                def at(base, step=four, number=zero, kind=vector):
                    return builder.inttoptr(moved(base, step, number), kind.as_pointer())

                def load(*place, kind=vector, at=at):
                    return builder.load(at(*place, kind=kind), align=4)

                def everywhere(number, lanes=lanes, vector=vector):
                    if lanes == 1:
                        return number
                    first = builder.insert_element(ir.Constant(vector, ir.Undefined), number,
                                                   ir.Constant(ir.IntType(32), 0))
                    places = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
                    return builder.shuffle_vector(first, first, places)

                def add_products(of_x, of_w, totals=totals, load=load, everywhere=everywhere):
                    factor = load(of_w)
                    for p, total in enumerate(totals):
                        place = of_x, x_sum, four.type(p)
                        number = everywhere(load(*place, kind=ir.FloatType())) if mixing else load(*place)
                        product = builder.fmul(factor, number, flags=["contract"])
                        builder.store(builder.fadd(builder.load(total), product, flags=["contract"]), total)

                width = ir.Constant(ir.IntType(64), lanes)
                times = builder.sdiv(builder.sub(channels, done), width)
                with cgutils.for_range(builder, times) as over:
                    here = builder.mul(builder.add(done, builder.mul(over.index, width)), four)
                    for p, total in enumerate(totals):
                        builder.store(load(builder.add(start, here), start_sum, four.type(p)), total)
                    with cgutils.for_range(builder, rows) as row:
                        row_of_x = moved(x if mixing else builder.add(x, here), x_row, row.index)
                        row_of_w = moved(builder.add(w, here), w_row, row.index)
                        with cgutils.for_range(builder, columns) as column:
                            of_x, of_w = (moved(base, step, column.index)
                                          for base, step in ((row_of_x, x_column), (row_of_w, w_column)))
                            if mixing:
                                with cgutils.for_range(builder, depth) as d:
                                    add_products(moved(of_x, four, d.index), moved(of_w, w_depth, d.index))
                            else:
                                add_products(of_x, of_w)
                    for p, total in enumerate(totals):
                        builder.store(builder.load(total), at(builder.add(out, here), out_sum, four.type(p)), align=4)
                done = builder.add(done, builder.mul(times, width))
            return context.get_dummy_value()
        return types.void(*[types.int64] * 15), generate
    return of_taps


one, three, four = sums(1), sums(3), sums(4)
one_mixed, four_mixed, eight_mixed = sums(1, True), sums(4, True), sums(8, True)
