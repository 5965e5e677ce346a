"""More elements around the last axes: zeros, or some of what is inside."""

import math
from collections.abc import Sequence

import numpy as np

from autograd import Tensor, as_tensor, operation
from autograd.errors import ShapeError
from autograd.runtime.copies import MANY, filled, put
from autograd.runtime.sums import added
from autograd.samples import call
from autograd.sharing import copied
from autograd.typing import TensorLike

LONG = 256
"""Numbers of a row from which on its borders, filled one by one, take less time than all of it."""


def _pad_samples(draw):
    x = draw.array(min_dims=1)
    before, after = (tuple([draw.integer(0, 2) for _ in x.shape]) for _ in range(2))
    return call(x, before=before, after=after, value=draw.choice([0.0, 2.5]))


def _constant_pad_forward(x, *, before, after, value):
    shape = [n + b + a for n, b, a in zip(x.shape, before, after, strict=True)]
    inside = [slice(b, b + n) for n, b in zip(x.shape, before, strict=True)]
    if x.size < MANY or x.shape[-1] < LONG:
        out = filled(shape, value, x.dtype)
    else:
        out = np.empty(shape, x.dtype)
        for i, (n, b) in enumerate(zip(x.shape, before, strict=True)):
            for border in (slice(b), slice(b + n, None)):
                put(out[(*inside[:i], border)], value)
    put(out[tuple(inside)], x)
    return out


_constant_pad = operation(
    _constant_pad_forward, names="_constant_pad", samples=_pad_samples, flops=0,
    vjps=lambda g, out, x, before, after, value: g[tuple([slice(b, b + n) for n, b in zip(
        x.shape, before, strict=True)])])


# From what is inside: a frame, axis by axis, so that corners come from edges.

def _inside(shape, amounts):
    found = [slice(None)] * len(shape)
    for axis, before, after in amounts:
        found[axis] = slice(before, shape[axis] - after)
    return tuple(found)


def _borders(length, axis, before, after, mode):
    """What was added at both ends of an axis, now of this length, and where inside it was taken from."""
    last = length - after
    sources = {"reflect": (slice(2 * before, before, -1), slice(-after - 2, -2 * after - 2, -1)),
               "replicate": (slice(before, before + 1), slice(last - 1, last)),
               "circular": (slice(last - before, last), slice(before, before + after))}[mode]
    lead = (slice(None),) * axis
    for border, source, count in zip((slice(before), slice(last, None)), sources, (before, after), strict=True):
        if count:
            yield (*lead, border), (*lead, source)


def _framed_forward(x, *, amounts, mode):
    shape = list(x.shape)
    for axis, before, after in amounts:
        shape[axis] += before + after
    out = np.empty(shape, x.dtype)
    put(out[_inside(shape, amounts)], x)
    for amount in amounts:
        for border, source in _borders(shape[amount[0]], *amount, mode):
            out[border] = out[source]
    return out


def _folded_forward(y, *, amounts, mode):
    out = copied(y, y)
    for amount in reversed(amounts):
        for border, source in _borders(y.shape[amount[0]], *amount, mode):
            out[source] += added(out[border], amount[0], True) if mode == "replicate" else out[border]
    return out[_inside(y.shape, amounts)]


def _frames(framed):
    def samples(draw):
        x, mode = draw.array(min_dims=1, min_side=2), draw.choice(["reflect", "replicate", "circular"])
        amounts = tuple([(axis, draw.integer(0, 1), draw.integer(0, 1)) for axis in range(x.ndim)])
        return call(_framed_forward(x, amounts=amounts, mode=mode) if framed else x, amounts=amounts, mode=mode)
    return samples


_framed = operation(_framed_forward, names="_framed", samples=_frames(False), flops=0,
                    vjps=lambda g, out, x, **frame: _folded(g, **frame))
_folded = operation(_folded_forward, names="_folded", samples=_frames(True),
                    vjps=lambda g, out, y, **frame: _framed(g, **frame))


def pad(input: TensorLike, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """More elements around the last axes.

    Args:
        input: of any shape.
        pad: (before, after) of the last axis, then of the one before it, and so on; negative numbers cut off.
        mode: "constant"; or, from what is inside, "reflect" (without the border), "replicate", "circular".
        value: of the constant; default 0.
    """
    x = as_tensor(input)
    pad = (pad,) if isinstance(pad, int) else tuple(pad)
    if len(pad) % 2 or len(pad) > 2 * x.ndim:
        raise ShapeError(f"`pad` must have two numbers for each of at most {x.ndim} axes, from the last one on, "
                         f"not {pad}")
    amounts = {x.ndim - 1 - i: pad[2 * i:2 * i + 2] for i in range(len(pad) // 2)}
    sizes = {axis: (x.shape[axis], *amount) for axis, amount in amounts.items()}
    for axis, (n, before, after) in sizes.items():
        if min(before, after, before + after) < -n:
            raise ShapeError(f"{(before, after)} cuts off more than there is in axis {axis} of shape {x.shape}")
        if mode != "constant" and not n and before + after > 0:
            raise ShapeError(f"axis {axis} of shape {x.shape} has no elements for mode {mode!r} to take")

    def cut(x):
        ends = [[max(-amount, 0) for amount in amounts.get(i, (0, 0))] for i in range(x.ndim)]
        return x[tuple([slice(first, n - last) for n, (first, last) in zip(x.shape, ends, strict=True)])]

    if mode == "constant":
        x = cut(x) if min(pad, default=0) < 0 else x
        before, after = ([max(amounts.get(i, (0, 0))[side], 0) for i in range(x.ndim)] for side in (0, 1))
        return _constant_pad(x, before=tuple(before), after=tuple(after), value=float(value or 0))
    limits = {"reflect": 1, "circular": 0, "replicate": -math.inf}
    if mode not in limits:
        raise ValueError(f"mode must be 'constant', 'reflect', 'replicate' or 'circular', not {mode!r}")
    for n, before, after in sizes.values():
        if max(before, after) > max(n - limits[mode], 0):
            most = f"{n - 1} elements to an axis of {n}" if mode == "reflect" else f"the {n} elements of an axis"
            raise ValueError(f"mode {mode!r} can add at most {most}, not {(before, after)}")
    if not sizes:
        return x.clone()
    frame = tuple([(axis, max(before, 0), max(after, 0)) for axis, (_, before, after) in sizes.items()])
    out = _framed(x, amounts=frame, mode=mode)
    return cut(out) if min(pad) < 0 else out
