"""Right functions that look suspicious: a tester that accuses one of them is switched off.

The first are written in NumPy's names, for all engines; those below in PyTorch's, for this project and PyTorch. The
twins of the plants (right rules of one's own) belong to them.
"""

import math

import numpy

from tests.testing.engines import Case, custom, look, np, pt, size
from tests.testing.plants import ROWS, TWINS, held, matrices, ones, well_conditioned

RIGHT = dict(TWINS)


def right(name, function, count=1, arguments=None, point=None, order=2, **domain):
    """A right function, for the catalogue."""
    assert name not in RIGHT, name
    RIGHT[name] = Case(name, lambda: function, count, domain, arguments, point, order)


def norm(x):
    return np.linalg.norm(x, axis=-1, keepdims=True)


def mean(x, axis=-1):
    return x.mean(axis=axis, keepdims=True)


def deviation(x, axis=-1):
    return np.std(x, axis=axis, keepdims=True)


MATRIX = dict(arguments=lambda s: [s.arrays(min_dims=2, min_side=2).filter(lambda x: x.ndim == 2)],
              point=lambda rng: (rng.standard_normal((5, 4)),))
SQUARE = matrices((3, 3))

# Small numbers beside small numbers: the difference quotient is too coarse there

right("x / (norm + 1e-6)", lambda x: x / (norm(x) + 1e-6), min_dims=1)
right("x / max(norm, 1e-12)", lambda x: x / np.maximum(norm(x), 1e-12), min_dims=1)
right("standardized with deviation + 1e-5", lambda x: (x - mean(x)) / (deviation(x) + 1e-5), **ROWS)
right("standardized with sqrt(variance + 1e-5)",
      lambda x: (x - mean(x)) / np.sqrt(((x - mean(x)) ** 2).mean(axis=-1, keepdims=True) + 1e-5), **ROWS)
right("standardized over the batch", lambda x: (x - mean(x, 0)) / (deviation(x, 0) + 1e-5), **MATRIX)
right("divided by its root mean square", lambda x: x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-8), **ROWS)
right("sqrt(x² + 1e-8)", lambda x: np.sqrt(x * x + 1e-8))
right("sqrt(x² + 1e-12)", lambda x: np.sqrt(x * x + 1e-12))
right("log(|x| + 1e-6)", lambda x: np.log(np.abs(x) + 1e-6))
right("x / (|x| + 1e-4)", lambda x: x / (np.abs(x) + 1e-4))
right("tanh(1e4 x)", lambda x: np.tanh(1e4 * x))
right("sigmoid(1000 x)", lambda x: 0.5 * (1 + np.tanh(500 * x)))
right("sigmoid((x - 1) / 1e-3)", lambda x: 0.5 * (1 + np.tanh((x - 1) / 2e-3)))
right("softplus(100 x) / 100", lambda x: np.logaddexp(100 * x, 0 * x) / 100)
right("a bell of width 1e-3", lambda x: np.exp(-(x / 1e-3) ** 2))
right("1 / (x² + 1e-6)", lambda x: 1 / (x * x + 1e-6))
right("arctan(x / 1e-4)", lambda x: np.arctan(x / 1e-4))
right("cosine similarity with 1e-8", lambda x, y: (x * y).sum() / np.sqrt(
    np.maximum((x * x).sum() * (y * y).sum(), 1e-16)), 2, **matrices((4,), (4,)))
right("softmax at a low temperature", lambda x: np.exp((x - np.max(x, axis=-1, keepdims=True)) / 0.01) / np.exp(
    (x - np.max(x, axis=-1, keepdims=True)) / 0.01).sum(axis=-1, keepdims=True), **ROWS)

# Very steep, very flat, very large, oscillating

right("sin(50 x)", lambda x: np.sin(50 * x))
right("sin(1000 x)", lambda x: np.sin(1000 * x))
right("x sin(1 / x)", lambda x: x * np.sin(1 / x), low=0.0625)
right("exp(10 x)", lambda x: np.exp(10 * x))
right("exp(-x²)", lambda x: np.exp(-x * x))
right("x ** 9", lambda x: x ** 9)
right("1e8 x", lambda x: 1e8 * x)
right("1e-8 x", lambda x: 1e-8 * x)
right("1e-30 x²", lambda x: 1e-30 * x * x)
right("a large constant added", lambda x: np.sin(x) + 1e6)
right("a larger constant added", lambda x: np.sin(x) + 1e9)
right("constant", lambda x: 0 * x + 3)
right("exp(exp(x))", lambda x: np.exp(np.exp(x)))
right("cosh", lambda x: np.cosh(5 * x))
right("tan, near a pole too", lambda x: np.tan(x), low=-1.5, high=1.5)
right("1 / x near zero", lambda x: 1 / x, low=0.0625)

# Cancellation

right("(x + 1e6) - 1e6", lambda x: (x + 1e6) - 1e6)
right("(1 - cos x) / x²", lambda x: (1 - np.cos(x)) / (x * x), low=0.0625)
right("exp(x) - 1 - x", lambda x: np.exp(x) - 1 - x)
right("log(1 + exp(x)) naively", lambda x: np.log(1 + np.exp(x)))
right("variance by two sums", lambda x: (x * x).mean(axis=-1) - x.mean(axis=-1) ** 2, **ROWS)
right("variance by two sums, far from zero", lambda x: ((x + 1000) ** 2).mean(axis=-1) - (
    x + 1000).mean(axis=-1) ** 2, **ROWS)
right("a difference of logarithms", lambda x: np.log(x + 1e-3) - np.log(x), low=0.25)
right("a sum of squares less itself", lambda x: (x + 1) ** 2 - x * x - 2 * x)
right("polynomial near its fivefold root", lambda x: x ** 5 - 5 * x ** 4 + 10 * x ** 3 - 10 * x ** 2 + 5 * x - 1)

# Jumps and steps

right("floor", lambda x: np.floor(x) * x)
right("ceil", lambda x: np.ceil(x) + x)
right("round, times x", lambda x: np.round(x) * x)
right("sign(x) x²", lambda x: np.sign(x) * x ** 2)
right("x - floor(x)", lambda x: x - np.floor(x))
right("where with a jump", lambda x: np.where(x > 0, x + 1, x * x))
right("where x > y", lambda x, y: np.where(x > y, x * x, y), 2)
right("where x == y", lambda x, y: np.where(x == y, x, 2 * y), 2, low=0.25)  # at 0 both branches meet: it is 2 y there
right("a mask of values", lambda x: x * (x > 0.5))
right("x mod 1", lambda x: np.remainder(x, 1))
right("x mod y", lambda x, y: np.remainder(x, y), 2, low=0.5)
right("sawtooth of a product", lambda x, y: np.remainder(x * y, 1), 2)
right("quantized in halves", lambda x: np.floor(2 * x) / 2 + 0.1 * x)
right("integer-valued", lambda x: np.sign(x) + 0 * x)
right("hard threshold", lambda x: np.where(np.abs(x) > 1, x, 0 * x))

# Kinks and ties

right("|x|", lambda x: np.abs(x))
right("|x| ** 1.5", lambda x: np.abs(x) ** 1.5, order=1)
right("relu(x)²", lambda x: np.maximum(x, 0) ** 2)
right("max(x, y)", lambda x, y: np.maximum(x, y), 2)
right("min of three", lambda x, y, z: np.minimum(np.minimum(x, y), z), 3)
right("max of rows", lambda x: np.max(x, axis=-1), **ROWS)
right("max of all", lambda x: np.max(x), min_side=1)
right("range of rows", lambda x: np.max(x, axis=-1) - np.min(x, axis=-1), **ROWS)
right("sort", lambda x: np.sort(x, axis=-1), **ROWS)
right("sum of the two largest", lambda x: np.sort(x, axis=-1)[..., -2:].sum(axis=-1), **ROWS)
right("sorted, weighted", lambda x: (np.sort(x, axis=-1) * held(numpy.arange(x.shape[-1]), x)).sum(axis=-1), **ROWS)
right("triangle wave", lambda x: np.abs(x - 2 * np.round(x / 2)))
right("hinge", lambda x, y: np.maximum(0, 1 - x * y).mean(), 2, min_side=1)
right("hard sigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1))
right("clip in both", lambda x: np.clip(x, -1, 1) * x)
right("soft shrinkage", lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0))
right("norm of a vector", lambda x: np.sqrt((x * x).sum()), low=0.25, min_side=1)
right("norm, zero too", lambda x: np.linalg.norm(x), arguments=lambda s: [s.arrays((3,))],
      point=lambda rng: (rng.standard_normal(3),), order=1)
right("pooled maxima", lambda x: np.max(x.reshape(2, 3, 2), axis=-1), **matrices((2, 6)))

right("softmax, the maximum held", lambda x: np.exp(x - held(numpy.max(look(x), axis=-1, keepdims=True))) / np.exp(
    x - held(numpy.max(look(x), axis=-1, keepdims=True))).sum(axis=-1, keepdims=True), **ROWS)

# Of two arguments

right("(|x| + .5) ** y", lambda x, y: (np.abs(x) + 0.5) ** y, 2)
right("atan2", lambda y, x: np.arctan2(y, x), 2)
right("x ** y", lambda x, y: x ** y, 2, low=0.25)
right("x / y, of either sign", lambda x, y: x / y, 2, away_from=(0,))
right("log of a quotient", lambda x, y: np.log(x / y), 2, low=0.25)
right("log of a sum of exponentials", lambda x, y: np.logaddexp(x, y), 2)
right("hypot with an epsilon", lambda x, y: np.sqrt(x * x + y * y + 1e-6), 2)
right("one of two does not matter", lambda x, y: x * x + 0 * y, 2)
right("cross entropy of a sigmoid", lambda x, y: (np.maximum(x, 0) - x * y + np.log1p(np.exp(-np.abs(x)))).mean(), 2,
      min_side=1)
right("Kullback and Leibler", lambda p, q: (p * (np.log(p) - np.log(q))).sum(), 2, low=0.25)

# Linear algebra

right("determinant, singular too", lambda x: np.linalg.det(x), **SQUARE, order=1)
right("log of the absolute determinant", lambda x: np.log(np.abs(np.linalg.det(x))), **well_conditioned())
right("inverse of a small matrix", lambda x: np.linalg.inv(1e-3 * x), **well_conditioned())
right("solve, nearly singular", lambda x: np.linalg.solve(
    x.T @ x + 1e-3 * held(numpy.eye(3), x), held(numpy.ones((3, 1)), x)), **SQUARE)
right("Gram matrix", lambda x: x @ x.T, **MATRIX)
right("trace of a power", lambda x: np.trace(x @ x @ x), **SQUARE)
right("largest singular value squared, by iteration", lambda x: (
    (x.T @ x) @ (x.T @ x) @ held(numpy.ones(4), x)).sum(), **matrices((5, 4)))
right("rows multiplied by all rows", lambda x: np.einsum("ij,kj->ik", x, x), **MATRIX)
right("Cholesky's factor", lambda x: np.linalg.cholesky(x @ x.T + held(numpy.eye(3), x)), **SQUARE)

# Cumulative

right("cumulative sum", lambda x: np.cumsum(x, axis=-1), min_dims=1)
right("exponential moving average", lambda x: np.stack(
    [x[..., 0], 0.9 * x[..., 0] + 0.1 * x[..., 1]], axis=-1), min_dims=1, min_side=2)
right("product of rows, zeros too", lambda x: np.prod(x, axis=-1), **ROWS)
right("several outputs", lambda x: (np.sin(x), x * x))
right("several outputs, one constant", lambda x: (x * x, 0 * x + 1))

# In PyTorch's names: this project and PyTorch

F = pt.F if hasattr(pt, "F") else None
right("topk at ties", lambda x: pt.topk(x, 1)[0], **ROWS)
right("median", lambda x: pt.median(x, -1)[0], **ROWS)
right("median of all", lambda x: pt.median(x), min_side=1)
right("kthvalue", lambda x: pt.kthvalue(x, 1)[0], **ROWS)
right("amax", lambda x: pt.amax(x, -1), **ROWS)
right("largest with its place", lambda x: pt.max(x, -1)[0], **ROWS)
right("cumulative maximum", lambda x: pt.cummax(x, -1)[0], **ROWS)
right("cumulative product", lambda x: pt.cumprod(x, -1), **ROWS)
right("logcumsumexp", lambda x: pt.logcumsumexp(x, -1), **ROWS)
right("fmod", lambda x, y: pt.fmod(x, y), 2, low=0.5)
right("erf, steep", lambda x: pt.erf(100 * x))
right("erfinv", lambda x: pt.erfinv(x), low=-0.875, high=0.875)
right("lgamma", lambda x: pt.lgamma(x), low=0.25)
right("digamma", lambda x: pt.digamma(x), low=0.25)
right("xlogy, zero too", lambda x, y: pt.xlogy(pt.abs(x), y), 2, low=0.25)
right("sinc, zero too", lambda x: pt.sinc(x))
right("log_softmax of the table", lambda x: pt.log_softmax(x, -1), **ROWS)
right("norm over the last axis", lambda x: x / (pt.norm(x, dim=-1, keepdim=True) + 1e-6), min_dims=1)
right("standardized with std + 1e-5", lambda x: (x - x.mean(0)) / (x.std(0) + 1e-5), **MATRIX)
right("normalize", lambda x: F.normalize(x, dim=-1), min_dims=1)
right("gelu", lambda x: F.gelu(x))
right("elu", lambda x: F.elu(x))
right("hardswish", lambda x: F.hardswish(x))
right("leaky relu", lambda x: F.leaky_relu(x, 0.01))
right("smooth L1", lambda x, y: F.smooth_l1_loss(x, y, beta=0.01), 2, **matrices((3,), (3,)))
right("max pooling with ties", lambda x: F.max_pool2d(x, 2), **matrices((1, 1, 4, 4)))
right("layer_norm", lambda x: F.layer_norm(x, (4,)), **matrices((3, 4)))
right("cross entropy of classes", lambda x: F.cross_entropy(x, pt.tensor([0, 2, 1])), **matrices((3, 3)))
right("logdet", lambda x: pt.logdet(x @ x.T + pt.eye(3).to(x.dtype)), **SQUARE)
right("eigenvalues, distinct", lambda x: pt.linalg.eigvalsh(
    x + x.T + pt.diag(pt.tensor([0.0, 20.0, 40.0])).to(x.dtype)), **SQUARE)
right("pinv", lambda x: pt.linalg.pinv(x), **well_conditioned())
right("renormalized", lambda x: x / pt.clamp(pt.norm(x), min=1.0), arguments=lambda s: [s.arrays((4,))],
      point=lambda rng: (rng.standard_normal(4),))


# Rules of one's own that are unusual, and right

class Noise:
    """Dropout whose mask is drawn in forward, from the values, and kept for backward."""

    @staticmethod
    def mask(x):
        return numpy.random.default_rng(size(x)).random(x.shape) < 0.5


def own(name, forward, *vjps, order=2, **domain):
    RIGHT[name] = Case(name, lambda: custom(forward, vjps, "own"), len(vjps), domain, order=order)


own("dropout with a kept mask", lambda x: x * held(2 * Noise.mask(x), x),
    lambda g, out, x: g * held(2 * Noise.mask(x), x))
own("computed in blocks of eight", lambda x: x * x, lambda g, out, x: 2 * g * x if size(x) < 8 else g * x + g * x)
own("rule in another order of operations", lambda x, y: x * y, lambda g, out, x, y: (g * 3 * y) / 3,
    lambda g, out, x, y: (x / 7) * g * 7)
own("a rule for the whole of a constant", lambda x: 0 * x + math.pi, lambda g, out, x: 0 * g)
own("the gradient broadcast in a view", lambda x: x.sum(), lambda g, out, x: np.broadcast_to(g, x.shape) * ones(x))
own("sqrt of a small number", lambda x: np.sqrt(x + 1e-4), lambda g, out, x: g / (2 * out), low=0)
own("log1p for small numbers", lambda x: np.log1p(1e-6 * x), lambda g, out, x: 1e-6 * g / (1 + 1e-6 * x))
