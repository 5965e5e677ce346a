"""Faults planted in real operations of the table: this project's alone.

A fault replaces one rule (or the forward function) of an operation by a wrong one; everything else, the examples
included, remains the operation's own, unless the fault shows only where those do not go (`samples`).
"""

import math

import numpy as np

import nn  # noqa: F401 - declares its operations
from autograd.calling import caller
from autograd.operation import Operation
from autograd.operations import indexing, products
from autograd.operations.reductions import spread
from autograd.samples import call
from autograd.table import TABLE
from autograd.tensor import Tensor
from tests.testing.engines import Case

FAULTS = {}
"""Name -> a Case whose function is the operation with the fault in it; it is tried on the operation's own samples."""


def fault(name, operation, rule=None, argument=0, **changes):
    """Put a fault into the catalogue: `rule` in the place of that of `argument`, other parts by name."""
    FAULTS[name] = Case(name, lambda: planted(operation, rule, argument, changes).call, 0)


def planted(operation, rule, argument, changes):
    """The operation with the fault in it."""
    op = TABLE[operation]
    assert rule is None or argument < len(op.vjps), f"{operation} has no rule in whose place this could be put"
    vjps = tuple(rule if i == argument and rule else right for i, right in enumerate(op.vjps))
    parts = dict(forward=op.forward, vjps=vjps, joint_vjp=op.joint_vjp, composition=op.composition,
                 outputs=" ".join(op.outputs._fields) if op.outputs else None, view=op.view, samples=op.samples,
                 name=op.name) | changes
    wrong = Operation(**parts)
    wrong.call = caller(wrong)
    wrong.call.operation = wrong
    return wrong


def bare(x):
    """The value, without its history."""
    return x.detach().numpy() if isinstance(x, Tensor) else x


def first_of(g, shape):
    """What is left of g when a broadcast axis is not summed: its first slice."""
    lead = g.ndim - len(shape)
    return g[(0,) * lead + tuple(slice(0, n) for n in shape)]


def integers(draw):
    """Small integers, so that ties are frequent."""
    return np.asarray(np.round(draw.array(min_side=1)))


# Signs, factors, operands

fault("sign of sin", "sin", lambda g, out, x: -g * np.cos(x))
fault("sign of neg", "neg", lambda g, out, x: g)
fault("sign of the subtrahend", "_sub", lambda g, out, x, y: g, 1)
fault("sign of the divisor", "_div", lambda g, out, x, y: g * out / y, 1)
fault("factor 2 of square", "square", lambda g, out, x: g * x)
fault("factor log 2", "log2", lambda g, out, x: g / x)
fault("a factor of 1.001", "exp", lambda g, out, x: 1.001 * g * out)
fault("a power too few", "_div", lambda g, out, x, y: -g * x / y, 1)
fault("input in the place of output", "exp", lambda g, out, x: g * x)
fault("sigmoid of x, not of out", "sigmoid", lambda g, out, x: g * x * (1 - x))
fault("tanh without the square", "tanh", lambda g, out, x: g * (1 - out))
fault("precedence in log1p", "log1p", lambda g, out, x: g / x + 1)
fault("the same rule for both factors", "mul", lambda g, out, x, y: g * y, 1)
fault("exchanged rules of atan2", "atan2", lambda g, out, x, y: -g * x / (x * x + y * y), 0)
fault("lerp's weight", "lerp", lambda g, out, x, end, weight: g * end, 2)
fault("a forgotten argument", "lerp", lambda g, out, x, end, weight: g * 0, 1)
fault("an additive constant", "cos", lambda g, out, x: -g * np.sin(x) + 1e-4)

# Only in some places

fault("only negative numbers", "abs", lambda g, out, x: g)
fault("relu lets all through", "relu", lambda g, out, x: g)
fault("integer powers: exponent 0", "_power_of_number",
      lambda g, out, x, exponent: g * (exponent * x ** (exponent - 1)) if exponent else g)
fault("integer powers: exponent 3", "_power_of_number",
      lambda g, out, x, exponent: g * exponent * x ** (exponent - (2 if exponent == 3 else 1)))
fault("the dead branch of where", "where", lambda g, out, condition, x, y: g, 1)
fault("beyond one bound of clamp", "clamp", lambda g, out, x, min, max: g if max is None else g * (x <= max))
fault("both sides of a tie", "maximum", lambda g, out, x, y: g * (x >= y), samples=lambda draw: call(
    integers(draw), np.full((), draw.integer(-1, 1), np.float64)))
fault("a tie among many", "amax", lambda g, out, x, dim, keepdim: spread(g, x.shape, dim) * (
    x == spread(out, x.shape, dim)), samples=lambda draw: call(x := integers(draw), dim=draw.dims(x.ndim)))
fault("division by a zero in prod", "prod", lambda g, out, x, dim, keepdim, dtype: spread(g * out, x.shape, dim) / x)

# Shapes: broadcasting, dim, keepdim, empty

fault("a missing sum over a broadcast axis", "mul", lambda g, out, x, y: first_of(g * x, y.shape), 1)
fault("a mean over a broadcast axis", "_add",
      lambda g, out, x, y: g * (max(math.prod(y.shape), 1) / max(math.prod(g.shape), 1)), 1)
fault("a missing sum in expand", "expand", lambda g, out, x, shape: first_of(g, x.shape))
fault("only with keepdim", "sum",
      lambda g, out, x, dim, keepdim, dtype: spread(g, x.shape, dim) * (2 if keepdim else 1))
fault("only for several axes", "sum", lambda g, out, x, dim, keepdim, dtype: spread(g, x.shape, dim) * (
    len(dim) if isinstance(dim, tuple) else 1))
fault("the mean's divisor", "mean", lambda g, out, x, dim, keepdim, dtype: spread(g, x.shape, dim) / x.size)
fault("only dim=-1", "softmax", lambda g, out, x, dim, dtype: out * (
    g - (g * out).sum(axis=0 if dim == -1 else dim, keepdims=True)))
fault("only negative dims", "_max_along", lambda g, out, x, dim, keepdim: indexing.scatter_along(
    *[a if keepdim else np.expand_dims(a, dim) for a in (g[0], np.asarray(out[1]) * (dim >= 0))], dim, x.shape))
fault("empty input", "sum", lambda g, out, x, dim, keepdim, dtype: spread(g, x.shape, dim) * (x.size / x.size))
fault("empty input of mul", "mul", lambda g, out, x, y: g * y * (np.max(np.abs(y)) >= 0), 0)
fault("numbers without axes", "_add", lambda g, out, x, y: g * (1 if len(x.shape) else 2), 0)

# Where elements go

fault("transposed", "transpose", lambda g, out, x, dim0, dim1: g.reshape(x.shape))
fault("a permutation not inverted", "permute", lambda g, out, x, dims: np.transpose(g, dims).reshape(x.shape))
fault("flip not flipped back", "flip", lambda g, out, x, dims: g)
fault("roll in the same direction", "roll", lambda g, out, x, shifts, dims: np.roll(g, shifts, dims))
fault("the other triangle", "tril", lambda g, out, x, diagonal: np.triu(g, diagonal))
fault("only the first tile", "tile", lambda g, out, x, sizes: first_of(g, x.shape) if x.ndim >= len(sizes) else
      first_of(g, (1,) * (len(sizes) - x.ndim) + x.shape).reshape(x.shape))
fault("cat: every part from the start", "cat", joint_vjp=lambda g, out, *tensors, dim, needs_input_grad: [
    g[(slice(None),) * (dim % g.ndim) + (slice(0, x.shape[dim]),)] for x in tensors],
    samples=lambda draw: call(draw.alike(2), dim=0))
fault("stack along the wrong axis", "stack", joint_vjp=lambda g, out, *tensors, dim, needs_input_grad: [
    g[i].reshape(tensors[0].shape) for i in range(len(tensors))], samples=lambda draw: call(
        [draw.array((2, 2)) for _ in range(2)], dim=draw.choice([0, -1])))
fault("negative strides", "_getitem", lambda g, out, x, index: indexing._scatter(
    g, index=tuple(slice(None) if part == slice(None, None, -1) else part for part in index), shape=x.shape),
    samples=lambda draw: call(draw.array(min_dims=1), index=(slice(None, None, draw.choice([1, -1])),)))
fault("a step of 2", "_getitem", lambda g, out, x, index: indexing._scatter(
    g, index=tuple(slice(0, len(g)) if part.step == 2 else part for part in index), shape=x.shape),
    samples=lambda draw: call(draw.array(min_dims=1), index=(slice(None, None, draw.integer(1, 2)),)))


def _assigned(g, out, x, index):
    z = np.zeros(x.shape)
    z[index] = bare(g)
    return z


def _assigned_along(g, out, x, dim, index):
    z = np.zeros(x.shape)
    np.put_along_axis(z, index, bare(g), dim)
    return z


fault("repeated indices of getitem", "_getitem", _assigned)
fault("repeated indices of gather", "gather", _assigned_along)
fault("repeated indices of setitem", "_setitem", lambda g, out, x, value, index: indexing._getitem(g, index=index), 1)
fault("what setitem has overwritten", "_setitem", lambda g, out, x, value, index: g, 0)
fault("what masked_fill has overwritten", "_masked_fill", lambda g, out, x, mask, value: g, 0)
fault("sorted, not sorted back", "sort", lambda g, out, x, dim, **options: indexing.gather(
    g[0], dim=dim, index=np.asarray(out[1])))
fault("cumsum from the front", "cumsum", lambda g, out, x, dim, dtype: np.cumsum(g, dim))

# Products and reductions

fault("a product not transposed", "matmul", lambda g, out, x, y: g @ y if x.ndim == y.ndim == 2 and y.shape[0]
      == y.shape[1] else products._matmul_vjp_x(g, out, x, y))
fault("matmul: vectors on the left", "matmul", lambda g, out, x, y: products._matmul_vjp_x(g, out, x, y) * (
    2 if x.ndim == 1 else 1))
fault("einsum: a diagonal counted twice", "_einsum", joint_vjp=lambda g, out, *tensors, **options: [
    part if part is None or not any(2 * letter in options["equation"] for letter in "ijk") else part + part
    for part in products._einsum_vjp(g, out, *tensors, **options)])
fault("softmax without the mean", "softmax", lambda g, out, x, dim, dtype: g * out)
fault("log_softmax of x", "log_softmax", lambda g, out, x, dim, dtype: g - np.exp(x) * g.sum(axis=dim, keepdims=True))
fault("logsumexp without the sum", "logsumexp", lambda g, out, x, dim, keepdim: spread(g, x.shape, dim) * np.exp(x))

# Fused operations

fault("linear's bias by mean", "linear", lambda g, out, x, weight, bias: g.mean(tuple(range(g.ndim - 1))), 2)
fault("convolution's bias twice", "convolution", lambda g, out, x, weight, bias, **geometry: 2 * g.sum(
    (0, *range(2, g.ndim))), 2)


# Second order, state, memory

fault("detached second order of sqrt", "sqrt", lambda g, out, x: g / (2 * bare(out)))
fault("detached second order of exp", "exp", lambda g, out, x: g * bare(out))
fault("detached cotangent", "sin", lambda g, out, x: bare(g) * np.cos(x))
fault("wrong only at order two", "tanh", lambda g, out, x: g * (1 - out * bare(out)))
fault("gradient clipped", "sin", lambda g, out, x: np.minimum(g, 1) * np.cos(x))
fault("writes to its input", "cos", forward=lambda x: np.cos(x, out=x) if isinstance(x, np.ndarray) else np.cos(x))
fault("writes to its saved output", "exp", lambda g, out, x: np.multiply(
    out, g, out=out) if isinstance(out, np.ndarray) and isinstance(g, np.ndarray) else g * out)
fault("writes to the cotangent", "relu", lambda g, out, x: np.multiply(
    g, out > 0, out=g) if isinstance(g, np.ndarray) else g * (out > 0))
fault("the order of memory", "square", forward=lambda x: (x * x).ravel(order="K").reshape(x.shape),
      samples=lambda draw: call(draw.array(min_dims=2, min_side=2, distinct=True)))
fault("the order of the cotangent's memory", "exp", lambda g, out, x: (
    g.ravel(order="K").reshape(g.shape) if isinstance(g, np.ndarray) else g) * out,
    samples=lambda draw: call(draw.array(min_dims=2, min_side=2)))

LAST = []


def _remembering(x):
    LAST[:] = [x]
    return np.sin(x)


fault("a stale saved array", "sin", lambda g, out, x: g * np.cos(LAST[0]) if isinstance(g, np.ndarray) else
      g * np.cos(x), forward=_remembering)
NOISE = np.random.default_rng(0)
fault("noise in the function", "sin", forward=lambda x: np.sin(x) + 1e-9 * NOISE.standard_normal())
fault("noise in the rule", "sin", lambda g, out, x: g * np.cos(x) * (1 + 1e-5 * NOISE.standard_normal()))
fault("single precision within", "exp", forward=lambda x: np.exp(x.astype(np.float32)).astype(x.dtype))
