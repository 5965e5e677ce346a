"""float16, which processors seldom compute with, made of float32 and back: by its bits."""

import numpy as np

from autograd.compiled.loops import all_float32, loop, parallel
from autograd.runtime.copies import in_memory_order


def to_half(x):
    return _converted(_to_halves, x, np.uint16).view(np.float16) if all_float32(x) else NotImplemented


def from_half(x):
    return _converted(_from_halves, x.view(np.uint16), np.float32)


def _converted(convert, x, dtype):
    out, converted, given = in_memory_order(x, dtype)
    convert(x.size, 8 * x.size, given, converted)
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


@loop
def _half(number):
    """The bits of a float16, rounded to the nearest, and halves to even."""
    bits = np.float32(number).view(np.uint32)
    size, sign = np.uint32(bits & np.uint32(0x7FFFFFFF)), np.uint32(bits >> np.uint32(16)) & np.uint32(0x8000)
    # Less than half a last bit is added, or half a one to an odd number; and the exponent counts from -15, not -127.
    odd = np.uint32(np.uint32(size >> np.uint32(13)) & np.uint32(1))
    half = np.uint32(np.uint32(size + odd + np.uint32(0xFFF) - np.uint32(112 << 23)) >> np.uint32(13))
    if size < np.uint32(113 << 23):  # the last bit of a sum with 1/2 is that of the smallest numbers
        half = np.uint32(np.float32(size.view(np.float32) + np.float32(0.5)).view(np.uint32) - np.uint32(126 << 23))
    if size >= np.uint32(0x477FF000):  # from 65520 on
        half = np.uint32(0x7C00)
    if size > np.uint32(0x7F800000):  # NaN
        rest = np.uint32(np.uint32(size >> np.uint32(13)) & np.uint32(0x3FF))
        half = np.uint32(np.uint32(0x7C00) | (rest if rest else np.uint32(1)))
    return np.uint16(half | sign)


@loop
def _whole(half):
    """The float32 that a float16 is, given its bits."""
    bits = np.uint32(half)
    sign = np.uint32(bits & np.uint32(0x8000)) << np.uint32(16)
    size = np.uint32(np.uint32(bits & np.uint32(0x7FFF)) << np.uint32(13))
    bits = np.float32(size.view(np.float32) * np.float32(2.0 ** 112)).view(np.uint32)
    if size >= np.uint32(31 << 23):  # infinity, or NaN
        bits |= np.uint32(0x7F800000)
    return np.uint32(bits | sign).view(np.float32)
