"""More elements around the last axes: zeros, or some of what is inside."""

from collections.abc import Sequence

import numpy as np

from autograd import Tensor, as_tensor, operation
from autograd.errors import ShapeError
from autograd.runtime.copies import MANY, put
from autograd.samples import call
from autograd.typing import TensorLike


def _pad_samples(draw):
    x = draw.array(min_dims=1)
    before, after = (tuple([draw.integer(0, 2) for _ in x.shape]) for _ in range(2))
    return call(x, before=before, after=after, value=draw.choice([0.0, 2.5]))


def _constant_pad_forward(x, *, before, after, value):
    shape = [n + b + a for n, b, a in zip(x.shape, before, after, strict=True)]
    if x.size < MANY:
        out = np.full(shape, value, x.dtype)
        out[tuple([slice(b, b + n) for n, b in zip(x.shape, before, strict=True)])] = x
        return out
    out, inside = np.empty(shape, x.dtype), []
    for n, b, a in zip(x.shape, before, after, strict=True):
        if b:
            put(out[(*inside, slice(b))], value)
        if a:
            put(out[(*inside, slice(b + n, None))], value)
        inside.append(slice(b, b + n))
    put(out[tuple(inside)], x)
    return out


_constant_pad = operation(
    _constant_pad_forward, names="_constant_pad", samples=_pad_samples, flops=0,
    vjps=lambda g, out, x, before, after, value: g[tuple([slice(b, b + n) for n, b in zip(
        x.shape, before, strict=True)])])


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
    if mode == "constant":
        cut = tuple([slice(max(-amounts.get(i, (0, 0))[0], 0), n - max(-amounts.get(i, (0, 0))[1], 0))
                     for i, n in enumerate(x.shape)])
        x = x[cut] if min(pad, default=0) < 0 else x
        before, after = ([max(amounts.get(i, (0, 0))[side], 0) for i in range(x.ndim)] for side in (0, 1))
        return _constant_pad(x, before=tuple(before), after=tuple(after), value=float(value or 0))
    for axis, (n, before, after) in sizes.items():
        positions = np.arange(-before, n + after)
        if mode == "reflect":
            if max(before, after) >= n:
                raise ValueError(f"mode 'reflect' can add at most {n - 1} elements to an axis of {n}, not "
                                 f"{(before, after)}")
            positions = n - 1 - np.abs(n - 1 - np.abs(positions))
        elif mode == "replicate":
            positions = np.clip(positions, 0, n - 1)
        elif mode == "circular":
            if max(before, after) > n:
                raise ValueError(f"mode 'circular' can add at most the {n} elements of an axis, not {(before, after)}")
            positions = positions % n if n else positions
        else:
            raise ValueError(f"mode must be 'constant', 'reflect', 'replicate' or 'circular', not {mode!r}")
        x = x[(slice(None),) * axis + (positions,)]
    return x if sizes else x.clone()
