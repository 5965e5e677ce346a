"""The windows of an image as columns, and columns added up where windows lie."""

import math

import numpy as np

from autograd import Tensor, as_tensor, operation
from autograd.errors import ShapeError
from autograd.samples import call
from autograd.typing import Shape, TensorLike
from nn.functional.geometry import (
    arranged,
    check_geometry,
    inside,
    padded,
    shifted,
    tuple_of,
    widened,
    window_samples,
)
from nn.functional.geometry import output_size as places_of


def _columns_forward(x, *, kernel, stride, padding, dilation):
    parts = shifted(padded(x, padding, 0), kernel, stride, padding, dilation, x.shape[2:])
    out = np.empty((*x.shape[:2], len(parts), *parts[0].shape[2:]), x.dtype)
    for k, part in enumerate(parts):
        out[:, :, k] = part
    return out


@widened
def _from_columns_forward(y, *, size, kernel, stride, padding, dilation):
    total = np.zeros((*y.shape[:2], *[n + sum(p) for n, p in zip(size, padding, strict=True)]), y.dtype)
    for k, part in enumerate(shifted(total, kernel, stride, padding, dilation, size)):
        part += y[:, :, k]
    return total[(slice(None), slice(None), *inside(size, padding))]


def _columns_samples(draw):
    size, geometry = window_samples(draw)
    return call(draw.array(shape=(draw.integer(0, 2), 2, *size)), **geometry)


def _from_columns_samples(draw):
    size, geometry = window_samples(draw)
    shape = (draw.integer(0, 2), 2, math.prod(geometry["kernel"]), *places_of(size, *geometry.values()))
    return call(draw.array(shape=shape), size=size, **geometry)


_columns = operation(
    _columns_forward, names="_columns", samples=_columns_samples, flops=0,
    vjps=lambda g, out, x, **geometry: _from_columns(g, size=x.shape[2:], **geometry))

_from_columns = operation(
    _from_columns_forward, names="_from_columns", samples=_from_columns_samples,
    vjps=lambda g, out, y, size, **geometry: _columns(g, **geometry))


def _geometry(size, kernel, dilation, padding, stride):
    """The options of the operations, and how many places there are."""
    kernel, stride, dilation = tuple_of(kernel, 2, "kernel_size"), tuple_of(stride, 2, "stride"), tuple_of(
        dilation, 2, "dilation")
    padding = tuple([(p, p) for p in tuple_of(padding, 2, "padding")])
    check_geometry(kernel, stride, padding, dilation)
    places = places_of(size, kernel, stride, padding, dilation)
    if min(places) < 1:
        raise ShapeError(f"windows of {kernel} (dilation {dilation}) do not fit an image of size {tuple(size)} "
                         f"with padding {tuple([before for before, _ in padding])}")
    return {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}, places


def unfold(input: TensorLike, kernel_size: Shape, dilation: Shape = 1, padding: Shape = 0, stride: Shape = 1) -> Tensor:
    """The windows of (N, C, H, W), or (C, H, W), as columns: (N, C · kH · kW, places)."""
    x, single = arranged(as_tensor(input), 2)
    geometry, places = _geometry(x.shape[2:], kernel_size, dilation, padding, stride)
    out = _columns(x, **geometry)
    out = out.reshape((x.shape[0], x.shape[1] * out.shape[2], math.prod(places)))
    return out.squeeze(0) if single else out


def fold(input: TensorLike, output_size: Shape, kernel_size: Shape, dilation: Shape = 1, padding: Shape = 0,
         stride: Shape = 1) -> Tensor:
    """Columns (N, C · kH · kW, places) added up where windows lie on an image (N, C, H, W): the adjoint of `unfold`."""
    x, size = as_tensor(input), tuple_of(output_size, 2, "output_size")
    if x.ndim == 2:
        return fold(x.unsqueeze(0), size, kernel_size, dilation, padding, stride).squeeze(0)
    geometry, places = _geometry(size, kernel_size, dilation, padding, stride)
    each, count = math.prod(geometry["kernel"]), math.prod(places)
    if x.ndim != 3 or x.shape[1] % each or x.shape[2] != count:
        raise ShapeError(f"an image of size {size} has {count} windows of {geometry['kernel']}, so the input "
                         f"must have shape (N, C · {each}, {count}), or without N, not {x.shape}")
    return _from_columns(x.reshape((x.shape[0], x.shape[1] // each, each, *places)), size=size, **geometry)
