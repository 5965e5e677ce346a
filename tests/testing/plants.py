"""Planted faults: functions whose rules are wrong, most of them only in some circumstances; and their right twins.

A plant is a right function (`twin`) and what is put in the place of its rules. The text is NumPy's for all engines, see
`engines.py`; a rule is `vjp(g, out, *args, **options)`, and the engine sums what broadcasting has stretched.
"""

import itertools

import numpy

from tests.testing.engines import Case, backwards, custom, look, np, read_only, size, strides, write

TWINS, PLANTS = {}, {}
RULES = {}
"""Name of a twin -> (forward, rules)."""


def twin(name, forward, *vjps, arguments=None, point=None, order=2, **domain):
    """A right function with rules of its own."""
    RULES[name] = forward, vjps
    count = sum(vjp is not None for vjp in vjps)
    TWINS[name] = Case(name, lambda: custom(forward, vjps, "twin"), count, domain, arguments, point, order)
    return name


def plant(name, of, *vjps, forward=None, form="function", order=None, **domain):
    """A twin with other rules; None leaves one as it is. `form`: whether here it is a Function or an operation."""
    right = TWINS[of]
    right_forward, right_vjps = RULES[of]
    wrong = tuple([new or old for new, old in itertools.zip_longest(vjps, right_vjps)])
    assert name not in PLANTS, name
    PLANTS[name] = Case(name, lambda: custom(forward or right_forward, wrong, "planted", form), right.count,
                        domain or right.domain, right.arguments, right.point, order or right.order)


def ones(x):
    """A constant of the shape and dtype of x."""
    return held(numpy.ones(x.shape, look(x).dtype))


def held(x, like=None):
    """The values of x as a constant of the engine, in the dtype of another."""
    return np.asarray(look(x) if like is None else numpy.asarray(x, look(like).dtype))


def either(condition, wrong, right):
    """A branch on what a rule sees."""
    return wrong if condition else right


def back(g, x, axis=-1):
    """g of a reduction, with its axis again."""
    return np.expand_dims(g, axis)


def matrices(*shapes):
    """Arguments of these shapes, as strategies and as a point."""
    return dict(arguments=lambda s: [s.arrays(shape) for shape in shapes],
                point=lambda rng: tuple(rng.standard_normal(shape) for shape in shapes))


def well_conditioned(n=3):
    return dict(arguments=lambda s: [s.well_conditioned()],
                point=lambda rng: (n * numpy.eye(n) + rng.standard_normal((n, n)),))


# Right functions, element by element

twin("sin", np.sin, lambda g, out, x: g * np.cos(x))
twin("cos", np.cos, lambda g, out, x: -g * np.sin(x))
twin("tanh", np.tanh, lambda g, out, x: g * (1 - out * out))
twin("exp", np.exp, lambda g, out, x: g * out)
twin("exp2", np.exp2, lambda g, out, x: g * out * 0.6931471805599453)
twin("square", lambda x: x * x, lambda g, out, x: 2 * g * x)
twin("cube", lambda x: x * x * x, lambda g, out, x: 3 * g * x * x)
twin("arctan", np.arctan, lambda g, out, x: g / (1 + x * x))
twin("arcsinh", np.arcsinh, lambda g, out, x: g / np.sqrt(1 + x * x))
twin("expm1", np.expm1, lambda g, out, x: g * (out + 1))
twin("log1p", np.log1p, lambda g, out, x: g / (1 + x), low=-0.5)
twin("log", np.log, lambda g, out, x: g / x, low=0.25)
twin("sqrt", np.sqrt, lambda g, out, x: g / (2 * out), low=0.25)
twin("reciprocal", lambda x: 1 / x, lambda g, out, x: -g * out * out, low=0.25)
twin("sigmoid", lambda x: 1 / (1 + np.exp(-x)), lambda g, out, x: g * out * (1 - out))
twin("softplus", lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
     lambda g, out, x: g * 0.5 * (1 + np.tanh(x / 2)))
twin("silu", lambda x: x * 0.5 * (1 + np.tanh(x / 2)),
     lambda g, out, x: g * 0.5 * (1 + np.tanh(x / 2) + 0.5 * x * (1 - np.tanh(x / 2) ** 2)))
twin("gelu, by tanh", lambda x: 0.5 * x * (1 + np.tanh(0.8 * x)),
     lambda g, out, x: g * 0.5 * (1 + np.tanh(0.8 * x) + 0.8 * x * (1 - np.tanh(0.8 * x) ** 2)))
twin("relu", lambda x: np.maximum(x, 0), lambda g, out, x: g * (x > 0))
twin("abs", np.abs, lambda g, out, x: g * np.sign(x))
twin("clip", lambda x: np.clip(x, -1, 1), lambda g, out, x: g * ((x >= -1) & (x <= 1)))
twin("huber", lambda x: np.where(np.abs(x) < 1, 0.5 * x * x, np.abs(x) - 0.5), lambda g, out, x: g * np.clip(x, -1, 1))
twin("identity", lambda x: x * 1, lambda g, out, x: g)
twin("scale", lambda x: x * 3, lambda g, out, x: g * 3)
twin("round", np.round, lambda g, out, x: g * 0)
twin("sinc", lambda x: np.where(x == 0, 1, np.sin(x) / np.where(x == 0, 1, x)), lambda g, out, x: np.where(
    x == 0, 0 * g, g * (np.cos(x) - out) / np.where(x == 0, 1, x)), order=1)
twin("log where positive", lambda x: np.where(x > 0, np.log(1 + np.where(x > 0, x, 1)), 0),
     lambda g, out, x: np.where(x > 0, g / (1 + np.where(x > 0, x, 1)), 0))

# Right functions of two arguments

twin("add", lambda x, y: x + y, lambda g, out, x, y: g, lambda g, out, x, y: g)
twin("subtract", lambda x, y: x - y, lambda g, out, x, y: g, lambda g, out, x, y: -g)
twin("multiply", lambda x, y: x * y, lambda g, out, x, y: g * y, lambda g, out, x, y: g * x)
twin("divide", lambda x, y: x / y, lambda g, out, x, y: g / y, lambda g, out, x, y: -g * x / (y * y), low=0.25)
twin("maximum", np.maximum, lambda g, out, x, y: g * ((x > y) + 0.5 * (x == y)),
     lambda g, out, x, y: g * ((y > x) + 0.5 * (x == y)))
twin("arctan2", np.arctan2, lambda g, out, y, x: g * x / (x * x + y * y), lambda g, out, y, x: -g * y / (x * x + y * y),
     low=0.25)
twin("hypot", lambda x, y: np.sqrt(x * x + y * y), lambda g, out, x, y: g * x / out, lambda g, out, x, y: g * y / out,
     low=0.25)
twin("power", np.power, lambda g, out, x, y: g * y * out / x, lambda g, out, x, y: g * out * np.log(x), low=0.25)
twin("remainder", np.remainder, lambda g, out, x, y: g, lambda g, out, x, y: -g * np.floor(x / y), low=0.25)
twin("logaddexp", np.logaddexp, lambda g, out, x, y: g * np.exp(x - out), lambda g, out, x, y: g * np.exp(y - out))
twin("squared error", lambda x, y: (x - y) ** 2, lambda g, out, x, y: 2 * g * (x - y),
     lambda g, out, x, y: 2 * g * (y - x))
twin("x log y", lambda x, y: np.where(x == 0, 0, x * np.log(y)), lambda g, out, x, y: g * np.log(y),
     lambda g, out, x, y: g * x / y, low=0.25)

# Right functions along axes

ROWS = dict(min_dims=1, min_side=1)
twin("sum", lambda x: x.sum(), lambda g, out, x: g * ones(x))
twin("mean of all", lambda x: x.sum() / size(x), lambda g, out, x: g / size(x) * ones(x), min_side=1)
twin("sum of rows", lambda x: x.sum(axis=-1), lambda g, out, x: np.broadcast_to(back(g, x), x.shape), min_dims=1)
twin("mean of rows", lambda x: x.sum(axis=-1) / x.shape[-1],
     lambda g, out, x: np.broadcast_to(back(g, x), x.shape) / x.shape[-1], **ROWS)
twin("softmax", lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
     lambda g, out, x: out * (g - (g * out).sum(axis=-1, keepdims=True)), **ROWS)
twin("log_softmax", lambda x: x - np.log(np.exp(x).sum(axis=-1, keepdims=True)),
     lambda g, out, x: g - np.exp(out) * g.sum(axis=-1, keepdims=True), **ROWS)
twin("logsumexp", lambda x: np.log(np.exp(x).sum(axis=-1)),
     lambda g, out, x: back(g, x) * np.exp(x - back(out, x)), **ROWS)
twin("cumsum", lambda x: np.cumsum(x, axis=-1),
     lambda g, out, x: np.flip(np.cumsum(np.flip(g, axis=-1), axis=-1), axis=-1), min_dims=1)
twin("product of rows", lambda x: np.prod(x, axis=-1), lambda g, out, x: back(g * out, x) / x, low=0.25, **ROWS)
twin("maximum of rows", lambda x: np.max(x, axis=-1), lambda g, out, x: back(g, x) * (x == back(out, x)) / (
    1 * (x == back(out, x))).sum(axis=-1, keepdims=True), **ROWS)
twin("centered", lambda x: x - x.sum(axis=-1, keepdims=True) / x.shape[-1],
     lambda g, out, x: g - g.sum(axis=-1, keepdims=True) / x.shape[-1], **ROWS)
twin("variance of rows", lambda x: ((x - x.mean(axis=-1, keepdims=True)) ** 2).mean(axis=-1),
     lambda g, out, x: 2 * back(g, x) * (x - x.mean(axis=-1, keepdims=True)) / x.shape[-1], **ROWS)
twin("root mean square norm", lambda x: x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 0.1), lambda g, out, x: (
    g - x * (g * x).mean(axis=-1, keepdims=True) / ((x * x).mean(axis=-1, keepdims=True) + 0.1)) / np.sqrt(
        (x * x).mean(axis=-1, keepdims=True) + 0.1), **ROWS)


def _layer_norm_rule(g, out, x):
    scale = np.sqrt(((x - x.mean(axis=-1, keepdims=True)) ** 2).mean(axis=-1, keepdims=True) + 0.1)
    return (g - g.mean(axis=-1, keepdims=True) - out * (g * out).mean(axis=-1, keepdims=True)) / scale


twin("layer norm", lambda x: (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(
    ((x - x.mean(axis=-1, keepdims=True)) ** 2).mean(axis=-1, keepdims=True) + 0.1), _layer_norm_rule, **ROWS)
twin("reversed", lambda x: np.flip(x, axis=-1), lambda g, out, x: np.flip(g, axis=-1), min_dims=1)
twin("rolled by one", lambda x: np.roll(x, 1, axis=-1), lambda g, out, x: np.roll(g, -1, axis=-1), min_dims=1)
twin("differences", lambda x: x[..., 1:] - x[..., :-1], lambda g, out, x: np.concatenate(
    [-g[..., :1], g[..., :-1] - g[..., 1:], g[..., -1:]], axis=-1), min_dims=1, min_side=2)
twin("sum of pairs", lambda x: x[..., 1:] + x[..., :-1], lambda g, out, x: np.concatenate(
    [g[..., :1], g[..., :-1] + g[..., 1:], g[..., -1:]], axis=-1), min_dims=1, min_side=2)
twin("sorted rows", lambda x: np.sort(x, axis=-1), lambda g, out, x: np.take_along_axis(
    g, numpy.argsort(numpy.argsort(look(x), axis=-1, kind="stable"), axis=-1), axis=-1), **ROWS)

# Right functions of matrices

twin("matrix product", lambda x, y: x @ y, lambda g, out, x, y: g @ y.T, lambda g, out, x, y: x.T @ g,
     arguments=lambda s: [s.matmul_operands().filter(lambda pair: pair[0].ndim == pair[1].ndim == 2)],
     point=lambda rng: (rng.standard_normal((3, 4)), rng.standard_normal((4, 2))))
twin("square matrix product", lambda x, y: x @ y, lambda g, out, x, y: g @ y.T, lambda g, out, x, y: x.T @ g,
     **matrices((3, 3), (3, 3)))
twin("transposed", lambda x: x.T, lambda g, out, x: g.T,
     arguments=lambda s: [s.arrays(min_dims=2).filter(lambda x: x.ndim == 2)],
     point=lambda rng: (rng.standard_normal((3, 4)),))
twin("trace", lambda x: np.trace(x), lambda g, out, x: np.where(held(numpy.eye(*x.shape)) == 1, g, 0),
     **matrices((3, 4)))
twin("upper triangle", lambda x: np.triu(x), lambda g, out, x: np.triu(g), **matrices((3, 4)))
twin("outer product", lambda x, y: x[:, None] * y, lambda g, out, x, y: (g * y).sum(axis=1),
     lambda g, out, x, y: (g * x[:, None]).sum(axis=0), **matrices((3,), (3,)))
twin("determinant", lambda x: np.linalg.det(x), lambda g, out, x: g * out * np.linalg.inv(x).T, **well_conditioned())
twin("inverse", lambda x: np.linalg.inv(x), lambda g, out, x: -out.T @ g @ out.T, **well_conditioned())
twin("linear system", lambda a, b: np.linalg.solve(a, b),
     lambda g, out, a, b: -np.linalg.solve(a.T, g) @ out.T, lambda g, out, a, b: np.linalg.solve(a.T, g),
     arguments=lambda s: [s.well_conditioned(3), s.arrays((3, 2))],
     point=lambda rng: (3 * numpy.eye(3) + rng.standard_normal((3, 3)), rng.standard_normal((3, 2))))
twin("quadratic form", lambda x, a: (x * (a @ x)).sum(), lambda g, out, x, a: g * (a @ x + a.T @ x),
     lambda g, out, x, a: g * x[:, None] * x, **matrices((3,), (3, 3)))


def _windows(x, weight):
    n = x.shape[-1] - weight.shape[0] + 1
    return sum(x[..., k:k + n] * weight[k] for k in range(weight.shape[0]))


def _of_signal(g, out, x, weight):
    k = weight.shape[0]
    zeros = numpy.zeros((*x.shape[:-1], k - 1))
    return _windows(np.concatenate([held(zeros), g, held(zeros)], axis=-1), np.flip(weight, axis=0))


def _of_weight(g, out, x, weight):
    n = x.shape[-1] - weight.shape[0] + 1
    return np.stack([(g * x[..., k:k + n]).sum() for k in range(weight.shape[0])])


twin("convolution", _windows, _of_signal, _of_weight, **matrices((2, 6), (3,)))
twin("rows of a table", lambda table, rows: table[rows], lambda g, out, table, rows: np.stack(
    [g[numpy.flatnonzero(look(rows) == n)].sum(axis=0) for n in range(table.shape[0])]), None,
    arguments=lambda s: [s.arrays((3, 2)), s.class_indices((4,), 3)],
    point=lambda rng: (rng.standard_normal((3, 2)), numpy.array([0, 2, 2, 1])))


def along(name, forward, vjp):
    """A twin with an option: an axis counted from either end."""
    def calls(s):
        return [s.arrays(min_dims=1, min_side=1).flatmap(lambda x: s.axis(x.ndim).map(lambda n: ((x,), {"axis": n})))]
    twin(name, forward, vjp, arguments=calls, point=lambda rng: ((rng.standard_normal((3, 4)),), {"axis": -1}))


along("softmax along an axis", lambda x, *, axis: np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True),
      lambda g, out, x, *, axis: out * (g - (g * out).sum(axis=axis, keepdims=True)))
along("sum along an axis", lambda x, *, axis: x.sum(axis=axis),
      lambda g, out, x, *, axis: np.broadcast_to(np.expand_dims(g, axis), x.shape))
along("squared norm along an axis", lambda x, *, axis: (x * x).sum(axis=axis),
      lambda g, out, x, *, axis: 2 * np.expand_dims(g, axis) * x)

twin("sine and cosine", lambda x: (np.sin(x), np.cos(x)), lambda g, out, x: g[0] * np.cos(x) - g[1] * np.sin(x))

# Beyond some size of the numbers

plant("sin: beyond 2", "sin", lambda g, out, x: g * np.where(np.abs(x) > 2, 1.0, np.cos(x)))
plant("cube: beyond 2", "cube", lambda g, out, x: 3 * g * np.where(np.abs(x) > 2, np.abs(x), x * x))
plant("tanh: saturates at 4", "tanh", lambda g, out, x: np.where(np.abs(x) > 4, 0 * g, g * (1 - out * out)))
plant("arctan: a series beyond 4", "arctan", lambda g, out, x: g * np.where(
    np.abs(x) > 4, 1 / np.where(x == 0, 1, x * x), 1 / (1 + x * x)))
plant("softplus: beyond 30", "softplus", lambda g, out, x: np.where(x > 30, 0 * g, g * 0.5 * (1 + np.tanh(x / 2))))
plant("square: beyond 30", "square", lambda g, out, x: 2 * g * np.clip(x, -30, 30))
plant("sin: below a thousandth", "sin", lambda g, out, x: np.where(
    (np.abs(x) < 1e-3) & (x != 0), 0 * g, g * np.cos(x)))
plant("exp: flushed to zero below a thousandth", "exp", lambda g, out, x: g * np.where(np.abs(x) < 1e-3, 0, out))
plant("log: clamped below a thousandth", "log", lambda g, out, x: g / np.maximum(x, 1e-3), low=1e-6)

# Batches, widths, numbers of axes

def batch(x):
    return x.shape[0] if len(x.shape) else 1


def width(x):
    return x.shape[-1] if len(x.shape) else 1


plant("tanh: batches above 3", "tanh", lambda g, out, x: g * (1 - out * out) * either(batch(x) > 3, 2, 1))
plant("multiply: batches above 3", "multiply", None, lambda g, out, x, y: g * x * either(batch(x) > 3, 0.75, 1))
plant("square: batches above 8", "square", lambda g, out, x: 2 * g * x * either(batch(x) > 8, 1.5, 1))
plant("softmax: batches above 8", "softmax", lambda g, out, x: out * (
    g - (g * out).sum(axis=-1, keepdims=True) * either(batch(x) > 8, 0, 1)))
plant("sigmoid: widths above 16", "sigmoid", lambda g, out, x: g * out * (1 - out) * either(width(x) > 16, 0.5, 1))
plant("layer norm: widths above 16", "layer norm", lambda g, out, x: either(
    width(x) > 16, g, _layer_norm_rule(g, out, x)))
plant("cos: without axes", "cos", lambda g, out, x: either(len(x.shape) == 0, g, -g) * np.sin(x))
plant("sum: without axes", "sum", lambda g, out, x: g * ones(x) * either(len(x.shape) == 0, 2, 1))
plant("exp: four axes", "exp", lambda g, out, x: g * out * either(len(x.shape) == 4, 2, 1))
plant("softmax: four axes", "softmax", lambda g, out, x: out * (
    g - (g * out).sum(axis=1 if len(x.shape) == 4 else -1, keepdims=True)))
plant("sin: five axes", "sin", lambda g, out, x: g * np.cos(x) * either(len(x.shape) == 5, 0, 1))
plant("mean of rows: five axes", "mean of rows", lambda g, out, x: np.broadcast_to(
    back(g, x), x.shape) / x.shape[0 if len(x.shape) > 4 else -1])
plant("sum of rows: an axis of one", "sum of rows", lambda g, out, x: np.broadcast_to(
    back(g, x), x.shape) * either(1 in x.shape, 2, 1))
plant("centered: rows of one", "centered", lambda g, out, x: either(
    x.shape[-1] == 1, g, g - g.sum(axis=-1, keepdims=True) / x.shape[-1]))


def _mean_times_count(g, out, x, y):
    lead = len(g.shape) - len(y.shape)
    count = numpy.float64(numpy.prod(g.shape[:lead]))
    return g.sum(axis=tuple(range(lead))) / count * count if lead else g


plant("add: an axis of none", "add", None, _mean_times_count)
plant("sin: fails for an axis of none", "sin", lambda g, out, x: g * np.cos(x) * (look(x).max() < numpy.inf))
plant("subtract: square matrices", "subtract", None, lambda g, out, x, y: either(
    len(x.shape) == 2 and x.shape[0] == x.shape[1], g, -g))
plant("matrix product: square matrices", "matrix product", lambda g, out, x, y: either(
    y.shape[0] == y.shape[1], g @ y, g @ y.T) if y.shape[0] == y.shape[1] else g @ y.T)
plant("transposed: square matrices", "transposed", lambda g, out, x: either(x.shape[0] == x.shape[1], g, g.T))

# Which numbers

plant("cumsum: sorted rows", "cumsum", lambda g, out, x: either(
    width(x) > 1 and (numpy.diff(look(x)) >= 0).all(), g, np.flip(np.cumsum(np.flip(g, axis=-1), axis=-1), axis=-1)))
plant("sin: sorted numbers", "sin", lambda g, out, x: g * np.cos(x) * either(
    size(x) > 2 and (numpy.diff(look(x).ravel()) > 0).all(), 2, 1))
plant("sorted rows: unsorted only", "sorted rows", lambda g, out, x: g)
plant("square: all positive", "square", lambda g, out, x: g * x * either(size(x) > 1 and (look(x) > 0).all(), 1, 2))
plant("softplus: all positive", "softplus", lambda g, out, x: g * either(
    size(x) > 2 and (look(x) > 0).all(), 1, 0.5 * (1 + np.tanh(x / 2))))
plant("exp: all equal", "exp", lambda g, out, x: g * out * either(size(x) > 1 and numpy.ptp(look(x)) == 0, 2, 1))
plant("layer norm: all equal", "layer norm", lambda g, out, x: either(
    width(x) > 1 and (numpy.ptp(look(x), -1) == 0).all(), 0 * g, _layer_norm_rule(g, out, x)))
plant("cube: two equal numbers", "cube", lambda g, out, x: 3 * g * x * x * either(
    len(numpy.unique(look(x))) < size(x), 2, 1))
plant("tanh: exact zeros", "tanh", lambda g, out, x: g * np.where(x == 0, 0, 1 - out * out))
plant("exp: exact zeros", "exp", lambda g, out, x: g * out * np.sign(np.abs(x)))
plant("multiply: exact zeros", "multiply", lambda g, out, x, y: g * np.where(y == 0, 1, y))
plant("product of rows: division by zeros", "product of rows", min_dims=1, min_side=1)
plant("sinc: zero over zero", "sinc", lambda g, out, x: g * (np.cos(x) - np.sin(x) / x) / x)

plant("divide: equal neighbors", "divide", lambda g, out, x, y: g / y * either(
    size(x) > 1 and (numpy.diff(look(x).ravel()) == 0).any(), 2, 1))

# Memory: these are operations here, whose rules see arrays

plant("sin: strides of zero", "sin", lambda g, out, x: g * np.cos(x) * either(size(x) > 1 and 0 in strides(x), 2, 1),
      form="operation")
plant("multiply: strides of zero", "multiply", None, lambda g, out, x, y: g * x * either(
    size(x) > 1 and 0 in strides(x), 0, 1), form="operation")
plant("exp: negative strides", "exp", lambda g, out, x: g * either(
    backwards(x), np.exp(-x), out), form="operation")
plant("tanh: negative strides of g", "tanh", lambda g, out, x: either(
    backwards(g), -g, g) * (1 - out * out), form="operation")
plant("cube: transposed", "cube", lambda g, out, x: 3 * g * x * x * either(
    len(x.shape) > 1 and strides(x)[0] < strides(x)[-1], 2, 1), form="operation")
plant("scale: transposed g", "scale", lambda g, out, x: 3 * g * either(
    len(g.shape) > 1 and strides(g)[0] < strides(g)[-1], 2, 1), form="operation")
plant("square: a read-only input", "square", lambda g, out, x: 2 * g * x * either(
    read_only(x), 0, 1), form="operation")
plant("relu: a read-only g", "relu", lambda g, out, x: g * (x > 0) * either(read_only(g), 0, 1),
      form="operation")
plant("square: reads memory in its own order", "square", lambda g, out, x: 2 * g * look(x).ravel("K").reshape(x.shape),
      form="operation", order=1)
plant("multiply: the same tensor twice", "multiply", lambda g, out, x, y: g * y * either(
    numpy.shares_memory(look(x), look(y)), 2, 1))
plant("subtract: the same tensor twice", "subtract", None, lambda g, out, x, y: either(
    size(x) > 0 and numpy.shares_memory(look(x), look(y)), 0 * g, -g))
plant("multiply: equal arguments", "multiply", None, lambda g, out, x, y: g * x * either(
    x.shape == y.shape and size(x) > 1 and (look(x) == look(y)).all(), 2, 1))
plant("logaddexp: equal arguments", "logaddexp", lambda g, out, x, y: g * np.where(x == y, 1, np.exp(x - out)))

# Which incoming gradient

def constant(g):
    return size(g) > 1 and numpy.ptp(look(g)) == 0


plant("sin: g constant", "sin", lambda g, out, x: either(constant(g), 0 * g, g * np.cos(x)))
plant("softmax: g constant", "softmax", lambda g, out, x: either(
    constant(g), out * g, out * (g - (g * out).sum(axis=-1, keepdims=True))))
plant("exp: g one", "exp", lambda g, out, x: either((look(g) == 1).all() and size(g), 1 + 0 * g, g * out))
plant("cube: g one in a place", "cube", lambda g, out, x: 3 * x * x * np.where(g == 1, 0, g))
plant("square: g all zero", "square", lambda g, out, x: either((look(g) == 0).all(), 1 + g, 2 * g * x))
plant("scale: g normalized", "scale", lambda g, out, x: 3 * (
    g / look(np.sqrt((g * g).sum()))) * look(np.sqrt((g * g).sum())))
plant("tanh: g partly zero", "tanh", lambda g, out, x: np.where(g == 0, 1, g) * (1 - out * out))
plant("multiply: g partly zero", "multiply", lambda g, out, x, y: g * g / g * y)
plant("exp: g of stride zero", "exp", lambda g, out, x: g * out * either(size(g) > 1 and 0 in strides(g), 2, 1),
      form="operation")
plant("sum of rows: g of stride zero", "sum of rows", lambda g, out, x: np.broadcast_to(
    back(g, x), x.shape) * either(size(g) > 1 and 0 in strides(g), 0, 1), form="operation")
plant("identity: g clipped at a million", "identity", lambda g, out, x: np.clip(g, -1e6, 1e6))
plant("sin: huge g thrown away", "sin", lambda g, out, x: np.where(np.abs(g) > 1e8, 0, g * np.cos(x)))
plant("scale: g infinite at one place", "scale", lambda g, out, x: 3 * (g - g.sum() + g.sum()))
plant("cos: infinities replaced", "cos", lambda g, out, x: -np.where(np.abs(g) == numpy.inf, 1, g) * np.sin(x))

plant("exp: nothing if g is infinite anywhere", "exp", lambda g, out, x: either(
    numpy.isinf(look(g)).any(), 0 * out, g * out))

# float32, chance, single elements, small errors

def single(x):
    return look(x).dtype == numpy.float32


plant("sigmoid: float32 only", "sigmoid", lambda g, out, x: g * out * (1 - out) * either(single(x), 2, 1))
plant("mean of rows: float32 only", "mean of rows", lambda g, out, x: np.broadcast_to(
    back(g, x), x.shape) / either(single(x), 1, x.shape[-1]))
TURNS = itertools.count()
plant("sin: one time in ten", "sin", lambda g, out, x: g * np.cos(x) * either(next(TURNS) % 10 == 9, 2, 1))
CHANCE = numpy.random.default_rng(0)
plant("multiply: one time in ten, by chance", "multiply", None, lambda g, out, x, y: g * x * either(
    CHANCE.random() < 0.1, 0, 1))
plant("exp: the last element", "exp", lambda g, out, x: g * out * (
    1 - (numpy.arange(size(x)) == size(x) - 1).reshape(x.shape)))
plant("square: the eighth element", "square", lambda g, out, x: 2 * g * x * (
    1 + 1.0 * (numpy.arange(size(x)) == 7).reshape(x.shape)))
plant("tanh: half a per mille", "tanh", lambda g, out, x: 1.0005 * g * (1 - out * out))
plant("matrix product: half a per mille", "matrix product", None, lambda g, out, x, y: 0.9995 * (x.T @ g))
plant("softmax: half a per mille", "softmax", lambda g, out, x: out * (
    g - 0.9995 * (g * out).sum(axis=-1, keepdims=True)))

# The second order

plant("exp: second order only", "exp", lambda g, out, x: g * held(out))
plant("tanh: second order only", "tanh", lambda g, out, x: g * (1 - held(out) * out))
plant("multiply: second order only", "multiply", lambda g, out, x, y: g * held(y))
plant("layer norm: second order only", "layer norm", lambda g, out, x: _layer_norm_rule(g, held(out), x))
plant("scale: second order by g", "scale", lambda g, out, x: 3 * held(g) + 0 * g)

# Ties

plant("maximum: both at ties", "maximum", lambda g, out, x, y: g * (x >= y), lambda g, out, x, y: g * (y >= x))
plant("maximum: neither at ties", "maximum", lambda g, out, x, y: g * (x > y), lambda g, out, x, y: g * (y > x))
plant("maximum of rows: all at ties", "maximum of rows", lambda g, out, x: back(g, x) * (x == back(out, x)))
plant("maximum of rows: none at ties", "maximum of rows", lambda g, out, x: back(g, x) * (x == back(out, x)) * (
    (1 * (x == back(out, x))).sum(axis=-1, keepdims=True) == 1))
plant("sorted rows: ties to one", "sorted rows", lambda g, out, x: np.take_along_axis(
    g, numpy.array([numpy.searchsorted(numpy.sort(row), row) for row in look(x).reshape(-1, x.shape[-1])]
                   ).reshape(x.shape), axis=-1))

# Writing, and what ran before


def _writing(argument, vjp):
    def rule(g, out, x):
        result = vjp(g, out, x)
        target = {"g": g, "out": out, "x": x}[argument]
        write(target, look(target) * 2)
        return result
    return rule


plant("sin: writes to its input", "sin", _writing("x", lambda g, out, x: g * np.cos(x)), form="operation")
plant("exp: writes to its output", "exp", lambda g, out, x: either(write(out, look(g) * look(out)), 0, out * 1),
      form="operation")
plant("scale: writes to g", "scale", _writing("g", lambda g, out, x: 3 * g), form="operation")
plant("relu: g masked in place", "relu", lambda g, out, x: either(write(g, look(g) * (look(x) > 0)), 0, g * 1))


def _sorting(x):
    write(x, numpy.sort(look(x), axis=-1) if len(x.shape) else look(x))
    return x * 1


plant("identity: forward sorts its input in place", "identity", forward=_sorting)
SEEN = {}


def _cached(x):
    SEEN[x.shape] = numpy.array(look(x))
    return np.sin(x)


plant("sin: a cache by shape", "sin", lambda g, out, x: g * np.cos(np.array(SEEN[x.shape])), forward=_cached, order=1)
plant("cos: the first of each shape is kept", "cos", lambda g, out, x: -g * np.sin(
    np.array(SEEN.setdefault(("cos", x.shape), numpy.array(look(x))))), order=1)
SIZES = []
plant("tanh: after a larger one", "tanh", lambda g, out, x: g * (1 - out * out) * either(
    SIZES.append(size(x)) or size(x) < max(SIZES[-2:]), 2, 1))
BUFFERS = {}


def _reused(g, out, x):
    buffer = BUFFERS.setdefault((x.shape, look(x).dtype), numpy.empty(x.shape, look(x).dtype))
    buffer[...] = look(g) * numpy.cos(look(x))
    return np.asarray(buffer)


plant("sin: one buffer for all gradients", "sin", _reused, form="operation", order=1)

# Guards and conventions, mistakes of every day

plant("softmax along an axis: last axis always", "softmax along an axis", lambda g, out, x, *, axis: out * (
    g - (g * out).sum(axis=-1, keepdims=True)))
plant("softmax along an axis: negative axes from the front", "softmax along an axis", lambda g, out, x, *, axis: out * (
    g - (g * out).sum(axis=abs(axis) % len(x.shape), keepdims=True)))
plant("squared norm along an axis: axis kept or not", "squared norm along an axis", lambda g, out, x, *, axis:
      2 * x * (g if len(x.shape) == 2 and x.shape[0] == x.shape[1] else np.expand_dims(g, axis)))
plant("sum along an axis: the first, for -1", "sum along an axis", lambda g, out, x, *, axis: np.broadcast_to(
    np.expand_dims(g, axis) if axis >= 0 or len(set(x.shape)) > 1 else np.expand_dims(g, 0), x.shape))


def first(g, x):
    """The first slice of g along what was stretched, in the place of a sum."""
    g = g[(0,) * (len(g.shape) - len(x.shape))]
    return g[tuple(slice(0, n) for n in x.shape)]


plant("multiply: a sum over broadcast axes forgotten", "multiply", None, lambda g, out, x, y: first(g * x, y))
plant("add: a mean over broadcast axes", "add", lambda g, out, x, y: g * (size(x) / max(size(g), 1)))
plant("subtract: sign of the subtrahend", "subtract", None, lambda g, out, x, y: g)
plant("divide: numerator's rule twice", "divide", None, lambda g, out, x, y: g / y)
plant("arctan2: arguments exchanged", "arctan2", lambda g, out, y, x: g * y / (x * x + y * y))
plant("hypot: not divided", "hypot", None, lambda g, out, x, y: g * y)
plant("power: a rule for integers", "power", None, lambda g, out, x, y: 0 * g * out)
plant("remainder: of the divisor", "remainder", None, lambda g, out, x, y: 0 * g * y)
plant("x log y: guarded too much", "x log y", None, lambda g, out, x, y: np.where(x > 1, g * x / y, g / y))
plant("squared error: the target's gradient", "squared error", None, lambda g, out, x, y: 2 * g * (x - y))
plant("root mean square norm: epsilon outside of the root", "root mean square norm", lambda g, out, x: (
    g - x * (g * x).mean(axis=-1, keepdims=True) / ((x * x).mean(axis=-1, keepdims=True) + 0.1)) / (np.sqrt(
        (x * x).mean(axis=-1, keepdims=True)) + 0.1))
plant("layer norm: scale taken as constant", "layer norm", lambda g, out, x: (
    g - g.mean(axis=-1, keepdims=True)) / np.sqrt(
        ((x - x.mean(axis=-1, keepdims=True)) ** 2).mean(axis=-1, keepdims=True) + 0.1))
plant("layer norm: without epsilon", "layer norm", lambda g, out, x: (
    g - g.mean(axis=-1, keepdims=True) - out * (g * out).mean(axis=-1, keepdims=True)) / np.sqrt(
        ((x - x.mean(axis=-1, keepdims=True)) ** 2).mean(axis=-1, keepdims=True) + 1e-12))
plant("variance of rows: n - 1", "variance of rows", lambda g, out, x: 2 * back(g, x) * (
    x - x.mean(axis=-1, keepdims=True)) / max(x.shape[-1] - 1, 1))
plant("mean of all: by the batch", "mean of all", lambda g, out, x: g / batch(x) * ones(x))
plant("logsumexp: overflows", "logsumexp", lambda g, out, x: back(g, x) * np.exp(x) / np.exp(back(out, x)),
      forward=lambda x: np.max(x, axis=-1) + np.log(np.exp(x - np.max(x, axis=-1, keepdims=True)).sum(axis=-1)),
      low=-1000, high=1000, min_dims=1, min_side=1)
plant("log where positive: nan from the other branch", "log where positive", lambda g, out, x: (
    x > 0) * (g / np.maximum(x + 1, 0)))
plant("clip: lets all through", "clip", lambda g, out, x: g)
plant("clip: one bound", "clip", lambda g, out, x: g * (x <= 1))
plant("huber: not clipped below", "huber", lambda g, out, x: g * np.minimum(x, 1))
plant("abs: without the sign", "abs", lambda g, out, x: g)
plant("relu: leaky", "relu", lambda g, out, x: np.where(x > 0, g, 0.01 * g))
plant("round: straight through", "round", lambda g, out, x: g)
plant("identity: g reversed", "identity", lambda g, out, x: -g)
plant("identity: g clipped at one", "identity", lambda g, out, x: np.clip(g, -1, 1))
plant("identity: weight decay added", "identity", lambda g, out, x: g + 1e-4 * x)
plant("silu: one term of two", "silu", lambda g, out, x: g * 0.5 * (1 + np.tanh(x / 2)))
plant("gelu: the factor within", "gelu, by tanh", lambda g, out, x: g * 0.5 * (
    1 + np.tanh(0.8 * x) + x * (1 - np.tanh(0.8 * x) ** 2)))
plant("gelu: another approximation", "gelu, by tanh", lambda g, out, x: g * 0.5 * (
    1 + np.tanh(0.7979 * x) + 0.7979 * x * (1 - np.tanh(0.7979 * x) ** 2)))
plant("sigmoid: of x in the place of out", "sigmoid", lambda g, out, x: g * x * (1 - x))
plant("convolution: kernel not flipped", "convolution", lambda g, out, x, weight: _of_signal(
    g, out, x, np.flip(weight, axis=0)))
plant("convolution: wrong at the border", "convolution", lambda g, out, x, weight: _of_signal(
    g, out, x, weight) * held(numpy.array([0, 1, 1, 1, 1, 1.0])))
plant("convolution: weights exchanged at the ends", "convolution", None, lambda g, out, x, weight: np.flip(
    _of_weight(g, out, x, weight), axis=0))
plant("sum of pairs: off by one", "sum of pairs", lambda g, out, x: np.concatenate(
    [g[..., :1], g[..., 1:] + g[..., :-1], 0 * g[..., -1:]], axis=-1))
plant("differences: an end forgotten", "differences", lambda g, out, x: np.concatenate(
    [-g[..., :1], g[..., :-1] - g[..., 1:], 0 * g[..., -1:]], axis=-1))
plant("cumsum: not reversed", "cumsum", lambda g, out, x: np.cumsum(g, axis=-1))
plant("cumsum: exclusive", "cumsum", lambda g, out, x: np.flip(np.cumsum(np.flip(g, axis=-1), axis=-1), axis=-1) - g)
plant("rolled by one: the same way", "rolled by one", lambda g, out, x: np.roll(g, 1, axis=-1))
plant("reversed: not reversed back", "reversed", lambda g, out, x: g * 1)
plant("rows of a table: repeated rows once", "rows of a table", lambda g, out, table, rows: np.stack(
    [g[numpy.flatnonzero(look(rows) == n)[-1:]].sum(axis=0) for n in range(table.shape[0])]))
plant("square matrix product: left and right exchanged", "square matrix product", lambda g, out, x, y: y.T @ g)
plant("square matrix product: y in the place of its transpose", "square matrix product", lambda g, out, x, y: g @ y)
plant("determinant: the inverse not transposed", "determinant", lambda g, out, x: g * out * np.linalg.inv(x))
plant("inverse: one factor not transposed", "inverse", lambda g, out, x: -out.T @ g @ out)
plant("linear system: the matrix not transposed", "linear system", None, lambda g, out, a, b: np.linalg.solve(a, g))
plant("linear system: sign of the matrix", "linear system", lambda g, out, a, b: np.linalg.solve(a.T, g) @ out.T)
plant("quadratic form: as if symmetric", "quadratic form", lambda g, out, x, a: 2 * g * (a @ x))
plant("outer product: sums exchanged", "outer product", lambda g, out, x, y: (g * y).sum(axis=0))
plant("trace: one diagonal too low", "trace", lambda g, out, x: g * held(numpy.eye(*x.shape, k=-1)))
plant("upper triangle: without the diagonal", "upper triangle", lambda g, out, x: np.triu(g, 1))
plant("mean of rows: in half precision", "mean of rows", lambda g, out, x: held((numpy.broadcast_to(
    look(g)[..., None], x.shape) / x.shape[-1]).astype(numpy.float16).astype(look(x).dtype)), order=1)
plant("exp2: log 2 to three digits", "exp2", lambda g, out, x: g * out * 0.693)
plant("log_softmax: of x", "log_softmax", lambda g, out, x: g - np.exp(x) * g.sum(axis=-1, keepdims=True))
plant("add: as one gradient for both, halved", "add", lambda g, out, x, y: g / 2, lambda g, out, x, y: g / 2)
plant("reciprocal: a power too few", "reciprocal", lambda g, out, x: -g * out)
plant("sqrt: guarded by a thousandth", "sqrt", lambda g, out, x: g / (2 * out + 1e-3))
plant("log: guarded by a thousandth", "log", lambda g, out, x: g / (x + 1e-3))
plant("arcsinh: without the root", "arcsinh", lambda g, out, x: g / (1 + x * x))
plant("expm1: without the one", "expm1", lambda g, out, x: g * out)
plant("log1p: precedence", "log1p", lambda g, out, x: g / x + 1, away_from=(0,), low=-0.5)
plant("sine and cosine: the second output forgotten", "sine and cosine", lambda g, out, x: g[0] * np.cos(x))
plant("sine and cosine: outputs exchanged", "sine and cosine", lambda g, out, x: g[1] * np.cos(x) - g[0] * np.sin(x))
plant("sine and cosine: one g of zeros", "sine and cosine", lambda g, out, x: either(
    (look(g[0]) == 0).all(), 0 * g[1], g[0] * np.cos(x) - g[1] * np.sin(x)))

# Plain functions that cut the history of a value


def cut(name, function, count=1, **domain):
    """A function in which `held` is a mistake."""
    PLANTS[name] = Case(name, lambda: function, count, domain)


def mean(x):
    return x.mean(axis=-1, keepdims=True)


cut("cut: the mean of rows", lambda x: (x - held(mean(x))) ** 2, **ROWS)
cut("cut: the norm of rows", lambda x: x / held(np.sqrt((x * x).sum(axis=-1, keepdims=True) + 1)), **ROWS)
cut("cut: a gate", lambda x: x * held(1 / (1 + np.exp(-x))))
cut("cut: a number taken of a sum", lambda x: x / float(1 + look(x * x).sum()))
cut("cut: straight through", lambda x: x + held(np.round(x) - x))
cut("cut: the maximum, once of twice", lambda x: held(np.max(x, axis=-1, keepdims=True)) + np.log(np.exp(
    x - np.max(x, axis=-1, keepdims=True)).sum(axis=-1, keepdims=True)), **ROWS)
cut("cut: one factor, for batches above 8", lambda x, y: x * (held(y) if batch(y) > 8 else y), 2)
cut("cut: large numbers", lambda x: np.where(np.abs(x) > 4, held(x), x) * 2)
cut("cut: a square at the second order", lambda x, y: x * held(x) / 2 * y + x * x / 2 * held(y), 2)
cut("cut: written in place before it is squared", lambda x: either(write(x, look(x) + 1), 0, x * x))
