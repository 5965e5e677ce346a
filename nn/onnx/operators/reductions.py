"""Sums, means, extremes and norms over axes; positions of extremes; running sums."""

from typing import Any

import numpy as np

import autograd
from autograd import Tensor
from nn.onnx.operators.values import axis_of, number, whole


def _reduction(function: Any) -> Any:
    def reduce(x, axes=None, *, keepdims=1, noop_with_empty_axes=0):
        dims = tuple(axis_of(axis, x.ndim) for axis in whole(axes))
        if not dims and noop_with_empty_axes:
            return function(x.unsqueeze(-1), (x.ndim,), False)
        return function(x, dims or tuple(range(x.ndim)), bool(keepdims))
    return reduce


ReduceSum = _reduction(lambda x, dims, keep: x.sum(dims, keep).to(x.dtype) if dims else x)
ReduceMean = _reduction(lambda x, dims, keep: x.mean(dims, keep) if dims else x)
ReduceL1 = _reduction(lambda x, dims, keep: x.abs().sum(dims, keep).to(x.dtype) if dims else x.abs())
ReduceL2 = _reduction(lambda x, dims, keep: ((x * x).sum(dims, keep) if dims else x * x).sqrt().to(x.dtype))
ReduceSumSquare = _reduction(lambda x, dims, keep: ((x * x).sum(dims, keep) if dims else x * x).to(x.dtype))
ReduceLogSum = _reduction(lambda x, dims, keep: (x.sum(dims, keep) if dims else x).log())
ReduceLogSumExp = _reduction(lambda x, dims, keep: x.logsumexp(dims, keep) if dims else x)


def _one_by_one(function: Any, empty: Any) -> Any:
    def over(x, dims, keep):
        if not dims:
            return x
        shape = [1 if i in dims else n for i, n in enumerate(x.shape)]
        if not x.numel():
            out = autograd.full(shape, empty(x.dtype), dtype=x.dtype)
        else:
            rows = x.permute(*[i for i in range(x.ndim) if i not in dims], *dims)
            out = function(rows.reshape([n for i, n in enumerate(x.shape) if i not in dims] + [-1]), -1)
        return out.reshape(shape if keep else [n for i, n in enumerate(x.shape) if i not in dims]).to(x.dtype)
    return _reduction(over)


def _least(dtype: np.dtype) -> Any:
    return -np.inf if dtype.kind == "f" else False if dtype.kind == "b" else np.iinfo(dtype).min


def _most(dtype: np.dtype) -> Any:
    return np.inf if dtype.kind == "f" else True if dtype.kind == "b" else np.iinfo(dtype).max


ReduceProd = _one_by_one(lambda rows, dim: rows.prod(dim), lambda dtype: 1)
ReduceMax = _one_by_one(lambda rows, dim: rows.amax(dim), _least)
ReduceMin = _one_by_one(lambda rows, dim: rows.amin(dim), _most)


def ArgMax(x, *, axis=0, keepdims=1, select_last_index=0):
    return _position(x, axis, keepdims, select_last_index, np.argmax)


def ArgMin(x, *, axis=0, keepdims=1, select_last_index=0):
    return _position(x, axis, keepdims, select_last_index, np.argmin)


def _position(x, axis, keepdims, select_last_index, function):
    array = x.detach().numpy()
    found = function(np.flip(array, axis) if select_last_index else array, axis, keepdims=bool(keepdims))
    return Tensor((array.shape[axis] - 1 - found if select_last_index else found).astype(np.int64))


def CumSum(x, axis, *, exclusive=0, reverse=0):
    return _running(autograd.cumsum, 0, x, number(axis), exclusive, reverse)


def CumProd(x, axis, *, exclusive=0, reverse=0):
    return _running(autograd.cumprod, 1, x, number(axis), exclusive, reverse)


def _running(function, first, x, axis, exclusive, reverse):
    axis = axis_of(axis, x.ndim)
    if reverse:
        return _running(function, first, x.flip(axis), axis, exclusive, 0).flip(axis)
    if exclusive:
        start = autograd.full([1 if i == axis else n for i, n in enumerate(x.shape)], first, dtype=x.dtype)
        x = autograd.cat([start, x.narrow(axis, 0, x.shape[axis] - 1)], axis)
    return function(x, dim=axis).to(x.dtype)


def TopK(x, k=None, *, axis=-1, largest=1, sorted=1, **attributes):
    count = whole(attributes.get("k") if k is None else k)[0]
    array = x.detach().numpy()
    key = array if not largest else -array if array.dtype.kind == "f" else array.max(initial=0) - array.astype(np.int64)
    places = Tensor(np.argsort(key, axis=axis, kind="stable").take(range(count), axis))
    return x.take_along_dim(places, axis_of(axis, x.ndim)), places


def Unique(x, *, axis=None, sorted=1):
    array = x.detach().numpy()
    values, first, inverse, counts = np.unique(array, True, True, True, axis)
    inverse = inverse.reshape(-1)
    if not sorted:
        order = np.argsort(first)
        values = np.take(values, order, 0 if axis is None else axis)
        first, counts, inverse = first[order], counts[order], np.argsort(order)[inverse]
    return tuple(Tensor(part) for part in (values, first, inverse, counts))


def Det(x):
    return autograd.linalg.det(x)


def Einsum(*inputs, equation):
    return autograd.einsum(equation.replace(" ", ""), *inputs)


def MatMul(a, b):
    return (a @ b).to(a.dtype)


def Gemm(a, b, c=None, *, alpha=1.0, beta=1.0, transA=0, transB=0):  # noqa: N803
    product = (a.T if transA else a) @ (b.T if transB else b)
    product = product if alpha == 1 else alpha * product
    return (product if c is None else product + (c if beta == 1 else beta * c)).to(a.dtype)
