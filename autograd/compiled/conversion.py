"""float16, made of float32 and back by the processor's own instructions; where it has none, NumPy does it."""

import platform

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from autograd.compiled.loops import all_float32, parallel
from autograd.runtime.copies import in_memory_order

HAS_INSTRUCTIONS = (platform.machine() in ("aarch64", "arm64")
                    or "+f16c" in cpu_target.target_context.codegen().magic_tuple()[2])


def to_half(x):
    if not HAS_INSTRUCTIONS or not all_float32(x):
        return NotImplemented
    return _converted(_to_halves, x, np.uint16).view(np.float16)


def from_half(x):
    return _converted(_from_halves, x.view(np.uint16), np.float32) if HAS_INSTRUCTIONS else NotImplemented


def _converted(convert, x, dtype):
    out, converted, given = in_memory_order(x, dtype)
    convert(x.size, x.size, given, converted)
    return out


@parallel
def _to_halves(first, last, x, out):
    x, out = x[first:last], out[first:last]
    for i in range(x.size):
        out[i] = _half(x[i])


@parallel
def _from_halves(first, last, x, out):
    x, out = x[first:last], out[first:last]
    for i in range(x.size):
        out[i] = _whole(x[i])


@intrinsic
def _half(typing_context, number):
    """The bits of a float16, rounded to the nearest, and halves to even."""
    def write(context, builder, signature, arguments):
        return builder.bitcast(builder.fptrunc(arguments[0], ir.HalfType()), ir.IntType(16))
    return types.uint16(types.float32), write


@intrinsic
def _whole(typing_context, bits):
    """The float32 that a float16 is, given its bits."""
    def write(context, builder, signature, arguments):
        return builder.fpext(builder.bitcast(arguments[0], ir.HalfType()), ir.FloatType())
    return types.float32(types.uint16), write
