"""Maxima of windows in up to three dimensions, and numbers put where each maximum stood.

An image has three axes here, of length 1 those that it lacks, and its channels side by side; windows are, along each
axis, where they begin and how many elements they have.
"""

import math

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from autograd.compiled.loops import all_float32, parallel
from autograd.operations.shaping import in_order
from nn.compiled.taps import LANES
from nn.functional.geometry import channels_first, channels_last, contiguous_channels_last, output_size
from nn.functional.pooling import is_rows, lies_last, place_dtype, reach, regions

ONE = np.array([[0, 1]])
"""The window of an axis that there isn't."""


def max_pool_forward(x, *, kernel, stride, padding, dilation):
    if is_rows(x, kernel, stride, padding, dilation):
        return NotImplemented
    out = output_size(x.shape[2:], kernel, stride, padding, dilation)
    before = [of_axis[0] for of_axis in padding]
    axes = zip(x.shape[2:], out, kernel, stride, before, dilation, strict=True)
    return _maxima(x, [reach(*along) for along in axes], dilation)


def adaptive_max_pool_forward(x, *, counts):
    return _maxima(x, [regions(*along) for along in zip(x.shape[2:], counts, strict=True)])


def _maxima(x, windows, dilation=()):
    """Of windows (count, 2) along each axis."""
    size, out, last = x.shape[2:], [len(along) for along in windows], lies_last(x)
    missing, work = 3 - len(size), x.shape[1] * math.prod([int(along[:, 1].max(initial=0)) for along in windows])
    if not all_float32(x) or not (x.flags.c_contiguous or last) or place_dtype(size) != np.int32:
        return NotImplemented
    shape = len(x), *out, x.shape[1]
    values, places = np.empty(shape, x.dtype), np.empty(shape, np.int32)
    given = [a.reshape(len(a), *[1] * missing, *a.shape[1:]) for a in (contiguous_channels_last(x), values, places)]
    rows = math.prod(given[1].shape[:3])
    _pool(rows, rows * given[1].shape[3] * work, *given, *[ONE] * missing, *windows,
          np.array([*[1] * (3 - len(dilation)), *dilation]))
    if last:
        return channels_first(values), channels_first(places)
    return in_order(channels_first(values)), in_order(channels_first(places.view(np.float32))).view(np.int32)


@parallel
def _pool(first, last, x, values, places, deep, high, wide, steps):
    height, width, channels = x.shape[2:]
    for item in range(first, last):
        above, j = item // values.shape[2], item % values.shape[2]
        n, i = above // values.shape[1], above % values.shape[1]
        (front, sheets), (top, rows) = deep[i], high[j]
        for k in range(values.shape[3]):
            left, columns = wide[k]
            place = (front * height + top) * width + left
            source = x.ctypes.data + 4 * channels * (n * x.shape[1] * height * width + place)
            target = 4 * channels * (item * values.shape[3] + k)
            _largest(values.ctypes.data + target, places.ctypes.data + target, source, channels,
                     place if sheets * rows * columns else -1, steps[0] * height * width, steps[1] * width, steps[2],
                     sheets, rows, columns)


@intrinsic
def _largest(context, out, places, x, channels, place, deeper, lower, beside, deep, rows, columns):
    """At the addresses `out` and `places` the largest numbers (channels,) of a window, and where each stands.

    Of equal ones the first, of several NaN the last. As in `taps`, they stay in registers until the end. The window
    begins at the address x, and at a place, and has so many elements along each axis, so many places apart.
    """
    def generate(context, builder, signature, args):
        out, places, x, channels, place, *steps = args
        steps, counts = steps[:3], steps[3:]
        short, long = ir.IntType(32), ir.IntType(64)
        four, done = ir.Constant(long, 4), ir.Constant(long, 0)
        for lanes in LANES:
            floats, wholes = (kind if lanes == 1 else ir.VectorType(kind, lanes) for kind in (ir.FloatType(), short))
            best, where = cgutils.alloca_once(builder, floats), cgutils.alloca_once(builder, wholes)
            lowest = ir.Constant(floats, -math.inf if lanes == 1 else [-math.inf] * lanes)

            def everywhere(number, lanes=lanes, wholes=wholes):
                number = builder.trunc(number, short)
                if lanes == 1:
                    return number
                first = builder.insert_element(ir.Constant(wholes, ir.Undefined), number, ir.Constant(short, 0))
                return builder.shuffle_vector(first, first, ir.Constant(wholes, [0] * lanes))

            width = ir.Constant(long, lanes)
            times = builder.sdiv(builder.sub(channels, done), width)
            with cgutils.for_range(builder, times) as over:
                here = builder.mul(builder.add(done, builder.mul(over.index, width)), four)
                builder.store(lowest, best)
                builder.store(everywhere(place), where)
                with (cgutils.for_range(builder, counts[0]) as z, cgutils.for_range(builder, counts[1]) as y,
                      cgutils.for_range(builder, counts[2]) as c):
                    further = ir.Constant(long, 0)
                    for step, along in zip(steps, (z, y, c), strict=True):
                        further = builder.add(further, builder.mul(step, along.index))
                    address = builder.add(builder.add(x, here), builder.mul(builder.mul(further, channels), four))
                    value = builder.load(builder.inttoptr(address, floats.as_pointer()), align=4)
                    larger = builder.or_(builder.fcmp_ordered(">", value, builder.load(best)),
                                         builder.fcmp_unordered("uno", value, value))
                    builder.store(builder.select(larger, value, builder.load(best)), best)
                    its = everywhere(builder.add(place, further))
                    builder.store(builder.select(larger, its, builder.load(where)), where)
                for to, of, kind in ((out, best, floats), (places, where, wholes)):
                    builder.store(builder.load(of), builder.inttoptr(builder.add(to, here), kind.as_pointer()), align=4)
            done = builder.add(done, builder.mul(times, width))
        return context.get_dummy_value()
    return types.void(*[types.int64] * 11), generate


def put_forward(y, *, at, size):
    last = lies_last(at)
    if not all_float32(y) or at.dtype != np.int32 or not (at.flags.c_contiguous or last):
        return NotImplemented
    count, channels, pixels, each = len(at), at.shape[1], math.prod(size), math.prod(at.shape[2:])
    if last:
        out, shape = np.zeros((count, *size, channels), y.dtype), (count, each, channels)
        y, at, flat = contiguous_channels_last(y), channels_last(at), out.reshape(count, pixels * channels)
    else:
        out, shape = np.zeros((count, channels, *size), y.dtype), (count * channels, 1, each)
        y, flat = y if y.flags.c_contiguous else in_order(y), out.reshape(count * channels, pixels)
    _put(len(flat), 2 * y.size, y.reshape(shape), at.reshape(shape), flat, channels if last else 1, int(last))
    return channels_first(out) if last else out


@parallel
def _put(first, last, y, at, out, step, beside):
    """Add to out (images, numbers) at the places' addresses: `step` numbers a place, `beside` from one to the next."""
    for n in range(first, last):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                if at[n, i, j] >= 0:
                    out[n, at[n, i, j] * step + j * beside] += y[n, i, j]
