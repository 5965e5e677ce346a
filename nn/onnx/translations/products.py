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
    blind = None  # rows that may look at nothing
    if isinstance(mask, np.ndarray):
        hidden = np.isneginf(mask).all(axis=-1, keepdims=True)
        blind = hidden if hidden.any() else None
    elif mask is not None:
        blind = write("IsInf", write("ReduceMax", mask, np.array([-1]), keepdims=1), detect_positive=0)
    zero = np.asarray(0, write.dtype)
    scores = scores if mask is None else write("Add", scores, mask)
    weights = write("Softmax", scores if blind is None else write("Where", blind, zero, scores), axis=-1)
    weights = weights if blind is None else write("Where", blind, zero, weights)
    return (write("MatMul", weights if keep is None else write("Mul", weights, keep), value),)


def masked_scores(write, query, key, *, seen):
    scores = write("MatMul", query, _transposed(write, key))
    return write("Where", seen, scores, np.asarray(0, write.dtype))


def masked_product(write, weights, values, *, seen):
    return write("MatMul", write("Where", seen, weights, np.asarray(0, write.dtype)), values)


def lookup(write, table, *, indices):
    return write("Gather", table, indices, axis=0)


def bags(write, table, *, indices, mode):
    rows = write("Gather", table, indices, axis=0)
    return write({"sum": "ReduceSum", "mean": "ReduceMean", "max": "ReduceMax"}[mode], rows, np.array([1]), keepdims=0)


def weighted_rows(write, x, weight, *, index):
    """Row i: the sum over k of weight[i, k] x[index[i, k]]; the index after the last one is a row of zeros."""
    rows = write("Concat", x, np.zeros((1, x.shape[1]), write.dtype), axis=0)
    chosen = write("Gather", rows, index, axis=0)
    products = write("Mul", chosen, write("Unsqueeze", weight, np.array([2])))
    return write("ReduceSum", products, np.array([1]), keepdims=0)
