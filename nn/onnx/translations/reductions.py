"""Over whole axes: sums, extremes, positions, cumulative ones."""

import numpy as np

from nn.onnx.writing import code

SIMPLE: dict = {}


def _axes(dim):
    """ONNX's axes, None for all."""
    return None if dim is None else np.array(dim if isinstance(dim, (tuple, list)) else [dim], np.int64)


def _reduced(operator):
    def translation(write, x, *, dim=None, keepdim=False, **_):
        x = write.cast(x, write.dtype)
        axes = _axes(dim)
        if axes is not None and not axes.size:
            return write("Identity", x)
        return write(operator, x, axes, keepdims=int(keepdim))
    return translation


SIMPLE |= {name: _reduced(operator) for name, operator in {
    "sum": "ReduceSum", "mean": "ReduceMean", "amax": "ReduceMax", "amin": "ReduceMin", "prod": "ReduceProd"}.items()}


def logsumexp(write, x, *, dim, keepdim):
    axes = _axes(dim)
    highest = write("ReduceMax", x, axes, keepdims=1)
    total = write("ReduceSum", write("Exp", write("Sub", x, highest)), axes, keepdims=1)
    out = write("Add", write("Log", total), highest)
    return out if keepdim else write("Squeeze", out, axes)


def all_(write, x, *, dim, keepdim):
    least = write("ReduceMin", write.cast(write.cast(x, bool), np.int32), _axes(dim), keepdims=int(keepdim))
    return write("Cast", least, to=code(bool))


def any_(write, x, *, dim, keepdim):
    most = write("ReduceMax", write.cast(write.cast(x, bool), np.int32), _axes(dim), keepdims=int(keepdim))
    return write("Cast", most, to=code(bool))


def var(write, x, *, dim, correction, keepdim):
    axes = _axes(dim)
    deviation = write("Sub", x, write("ReduceMean", x, axes, keepdims=1))
    squares = write("Mul", deviation, deviation)
    if not correction:
        return write("ReduceMean", squares, axes, keepdims=int(keepdim))
    total = write("ReduceSum", squares, axes, keepdims=int(keepdim))
    count = write("Gather", write("Shape", x), np.arange(x.ndim) if axes is None else axes % x.ndim)
    count = write.cast(write("ReduceProd", count, None, keepdims=0), write.dtype)
    return write("Div", total, write("Sub", count, np.asarray(correction, write.dtype)))


def std(write, x, **options):
    return write("Sqrt", var(write, x, **options))


def vector_norm(write, x, *, ord, dim, keepdim):
    axes, keepdims = _axes(dim), int(keepdim)
    if ord in (1, 2):
        return write(f"ReduceL{ord:.0f}", x, axes, keepdims=keepdims)
    size = write("Abs", x)
    if not ord:  # how many are not zero
        return write("ReduceSum", write("Sign", size), axes, keepdims=keepdims)
    if ord in (np.inf, -np.inf):
        return write("ReduceMax" if ord > 0 else "ReduceMin", size, axes, keepdims=keepdims)
    power = np.asarray(ord, write.dtype)
    total = write("ReduceSum", write("Pow", size, power), axes, keepdims=keepdims)
    return write("Pow", total, np.asarray(1 / ord, write.dtype))


def cumsum(write, x, *, dim, dtype=None):
    return write("CumSum", write.cast(x, write.dtype), np.asarray(dim, np.int64))


def _position(operator):
    def translation(write, x, *, dim, keepdim):
        if dim is None:
            x, dim = write("Reshape", x, np.array([-1])), 0
        return write(operator, x, axis=dim, keepdims=int(keepdim))
    return translation


SIMPLE |= {"argmax": _position("ArgMax"), "argmin": _position("ArgMin")}


def _along(value, position):
    def translation(write, x, *, dim, keepdim):
        return (write(value, x, _axes(dim), keepdims=int(keepdim)),
                write(position, x, axis=dim, keepdims=int(keepdim)))
    return translation


SIMPLE |= {"max_along": _along("ReduceMax", "ArgMax"), "min_along": _along("ReduceMin", "ArgMin")}


def topk(write, x, *, k, dim, largest, sorted):
    return tuple(write("TopK", x, write.shape([k]), outputs=2, axis=dim, largest=int(largest), sorted=int(sorted)))


def softmax(write, x, *, dim, dtype=None):
    return write("Softmax", write.cast(x, write.dtype), axis=dim)


def log_softmax(write, x, *, dim, dtype=None):
    return write("LogSoftmax", write.cast(x, write.dtype), axis=dim)
