"""Products of matrices, attention, tables."""

import numpy as np

SIMPLE: dict = {}


def _transposed(write, x, *, ndim=None):
    axes = list(range(x.ndim if ndim is None else ndim))
    return write("Transpose", x, perm=[*axes[:-2], axes[-1], axes[-2]])


def matmul(write, x, y):
    return write("MatMul", write.cast(x, write.dtype), write.cast(y, write.dtype))


def linear(write, x, weight, bias):
    if x.ndim == 2 and weight.ndim == 2:
        return write("Gemm", x, weight, bias, transB=1)
    out = write("MatMul", x, _transposed(write, weight))
    return out if bias is None else write("Add", out, bias)


def einsum(write, *tensors, equation):
    return write("Einsum", *[write.cast(t, write.dtype) for t in tensors], equation=equation)


def attention(write, query, key, value, *, mask, keep, scale):
    query = write("Mul", query, np.asarray(scale, write.dtype))
    scores = write("MatMul", query, _transposed(write, key))
    if mask is not None:
        scores = write("Add", scores, mask)
    weights = write("Softmax", scores, axis=-1)
    if isinstance(mask, np.ndarray) and (blind := np.isneginf(mask).all(axis=-1, keepdims=True)).any():
        weights = write("Where", blind, np.asarray(0, write.dtype), weights)
    return (write("MatMul", weights if keep is None else write("Mul", weights, keep), value),)


def masked_scores(write, query, key, *, seen):
    scores = write("MatMul", query, _transposed(write, key))
    return write("Where", seen, scores, np.asarray(0, write.dtype))


def masked_product(write, weights, values, *, seen):
    return write("MatMul", write("Where", seen, weights, np.asarray(0, write.dtype)), values)


def lookup(write, table, *, indices):
    return write("Gather", table, indices, axis=0)


def weighted_rows(write, x, weight, *, index):
    """Row i: the sum over k of weight[i, k] x[index[i, k]]; the index after the last one is a row of zeros."""
    rows = write("Concat", x, np.zeros((1, x.shape[1]), write.dtype), axis=0)
    chosen = write("Gather", rows, index, axis=0)
    products = write("Mul", chosen, write("Unsqueeze", weight, np.array([2])))
    return write("ReduceSum", products, np.array([1]), keepdims=0)
