"""Activations: nonlinear functions, elementwise or along one axis.

At kinks the derivatives are PyTorch's. A piecewise function selects with `where`, in its rule too, so that a branch
that isn't taken adds nothing, whatever arrives there; an infinite input gives the limit, and nan gives nan.
"""

import functools
import inspect
import math

import numpy as np

import autograd
from autograd import Tensor, as_tensor, default_generator, operation, sigmoid, softmax
from autograd.errors import ShapeError
from autograd.inplace import assign
from autograd.operations import single
from autograd.operations.approximation import polynomial
from autograd.operations.joining import equal_parts
from autograd.operations.pointwise import above, below, floating, only, scaled, select
from autograd.operations.reductions import widened
from autograd.runtime.elementwise import as_loop
from autograd.samples import call, nonzero, numbers
from autograd.tensor import Outline
from autograd.typing import DTypeLike, TensorLike
from nn.functional.precision import in_float32
from nn.functional.weighted import weighted


def offers_inplace(function):
    """Gives a function of one tensor the argument `inplace`, its last: the tensor then gets the result's values."""
    signature = inspect.signature(function)
    option = inspect.Parameter("inplace", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=False, annotation=bool)
    first, *others = signature.parameters.values()
    parameters = [p.replace(kind=p.POSITIONAL_OR_KEYWORD) for p in (first.replace(name="input"), *others)]
    count = len(parameters)

    @functools.wraps(function)
    def either(*args, inplace=False, **options):
        if len(args) > count:
            *args, inplace = args
        result = function(*args, **options)
        given = args[0] if args else options["input"]
        return assign(as_tensor(given), result) if inplace and result is not given else result

    either.__signature__ = signature.replace(parameters=[*parameters, option])
    return either


def in_place(function):
    """A function that offers it, always in place."""
    @functools.wraps(function)
    def always(*args, **options):
        return function(*args, **options, inplace=True)

    parameters = list(inspect.signature(function).parameters.values())
    always.__name__ = always.__qualname__ = function.__name__ + "_"
    always.__doc__ = f"`{function.__name__}` in place."
    always.__signature__ = inspect.Signature([parameters[0].replace(annotation=Tensor), *parameters[1:-1]])
    return always


relu = offers_inplace(autograd.relu)
relu.__module__ = __name__  # where a pickle finds it


# Φ(x) = σ(x p(x²)), to 3e-8; the highest power first.
_P = (3.512341846e-09, -2.64526679e-07, 7.92948867e-06, -1.1061238558e-04, -6.518995808e-05, 7.266616916e-02,
      1.595769883)


def normal_cdf(x):
    """Φ(x), the distribution function of the standard normal distribution."""
    if x.dtype != np.float32 or isinstance(x, Tensor):
        return 0.5 * autograd.erf(x * math.sqrt(0.5)) + 0.5
    x = np.clip(x, -8, 8)  # beyond, it is 0 or 1; with the polynomial, several times as fast as erf
    return sigmoid(x * polynomial(x * x, _P))


FAR = 1000.0
"""Here e^-x is 0 in every dtype: beyond, a smooth activation is its limit, and further off inf · 0 would be nan."""


def _gelu_slope(x, out):
    near = np.clip(x, -FAR / 10, FAR / 10)
    density = np.exp(near * near * -0.5) * (1 / math.sqrt(2 * math.pi))
    if isinstance(x, Tensor):
        return normal_cdf(near) + near * density
    least = 4 * float(np.finfo(x.dtype).tiny)  # Φ(x) is out / x, and a half where both are nothing
    return np.clip(np.abs(out), least / 2, FAR / 10) / np.clip(np.abs(near), least, None) + near * density


_gelu = operation(lambda x: above(x := floating(x), -FAR) * normal_cdf(x), names="gelu", methods="",
                  vjps=lambda g, out, x: g * _gelu_slope(x, out), samples=numbers)


_SCALE, _CUBE = 2 * math.sqrt(2 / math.pi), 2 * math.sqrt(2 / math.pi) * 0.044715


def _gelu_tanh_value(x):
    near = np.clip(x, -FAR / 10, FAR / 10)
    return above(x, -FAR) * sigmoid(near * (_SCALE + _CUBE * (near * near)))  # (1 + tanh(u)) / 2 = σ(2u)


def _gelu_tanh_slope(x):
    x = np.clip(x, -FAR / 10, FAR / 10)
    square = x * x
    s = sigmoid(x * (_SCALE + _CUBE * square))
    return s + x * (s * (1 - s)) * (_SCALE + 3 * _CUBE * square)  # where s is 0 or 1, the rest is nothing


_gelu_tanh = operation(lambda x: _gelu_tanh_value(floating(x)), names="gelu_tanh", methods="",
                       vjps=lambda g, out, x: g * _gelu_tanh_slope(x), samples=numbers)


def gelu(input: TensorLike, approximate: str = "none") -> Tensor:
    """x Φ(x), Φ being the distribution function of the normal distribution (Hendrycks & Gimpel 2016).

    approximate="tanh" takes 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))) instead.
    """
    x = as_tensor(input)
    if approximate == "none":
        return _gelu(x)
    if approximate != "tanh":
        raise ValueError(f"approximate must be 'none' or 'tanh', not {approximate!r}")
    return _gelu_tanh(x)


def _silu_slope(x):
    x, s = np.clip(x, -FAR, FAR), sigmoid(x)
    return s * (1 + x * (1 - s))


silu = offers_inplace(operation(
    lambda x: above(x, -FAR) * sigmoid(x), vjps=lambda g, out, x: g * _silu_slope(x), names="silu", methods="",
    samples=numbers, doc="x σ(x), also called swish (Elfwing et al. 2017)."))

softplus_anywhere = operation(
    lambda x: above(x, 0) + single.log1p(np.exp(-np.abs(x))), vjps=lambda g, out, x: g * sigmoid(x),
    names="_softplus", samples=numbers, doc="log(1 + exp(x)), without overflow.")


def softplus(input: TensorLike, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta x)) / beta, without overflow; x itself where beta x > threshold."""
    x = as_tensor(input)
    scaled = x * beta if beta != 1 else x
    out = softplus_anywhere(scaled)
    out = out / beta if beta != 1 else out
    linear = scaled.array > threshold
    return autograd.where(linear, x, out) if linear.any() else out


def logsigmoid(input: TensorLike) -> Tensor:
    """log σ(x), without overflow."""
    return -softplus_anywhere(-as_tensor(input))


def _mish_value(x):
    e = np.exp(below(widened(x), 20))  # beyond, the tangent is 1
    n = e * (e + 2)  # tanh(log(1 + e)) = ((1 + e)² - 1) / ((1 + e)² + 1)
    return (above(x, -FAR) * (n / (n + 2))).astype(floating(x).dtype, copy=False)


def _mish_slope(x):
    x = np.clip(widened(x), -FAR, FAR)
    e = np.exp(below(x, 20))
    n = e * (e + 2)
    return (n + 4 * x * e * (1 + e) / (n + 2)) / (n + 2)


mish = offers_inplace(operation(
    _mish_value, vjps=lambda g, out, x: g * _mish_slope(x),
    names="_mish", samples=numbers, doc="x tanh(softplus(x)) (Misra 2019)."))


def _finite(x):
    """x, with infinities as the largest numbers."""
    x = floating(x)
    largest = float(np.finfo(x.dtype).max)
    return np.clip(x, -largest, largest)


softsign = operation(lambda x: (x := _finite(x)) / (1 + np.abs(x)),
                     vjps=lambda g, out, x: g / (1 + np.abs(x)) / (1 + np.abs(x)), names="_softsign", samples=nonzero,
                     doc="x / (1 + |x|).")

tanhshrink = operation(lambda x: x - np.tanh(x), vjps=lambda g, out, x: g * np.tanh(x) * np.tanh(x),
                       names="_tanhshrink", samples=numbers, doc="x - tanh(x).")


# Piecewise linear

def _slopes(x, negative):
    """1 where x > 0, else `negative`; an array of x's dtype, if that is one of fractions."""
    dtype = floating(x).dtype
    return select(x > 0, np.asarray(1, dtype), np.asarray(negative, dtype))


def _leaky(x, *, negative_slope):
    x = floating(x)
    return np.maximum(x, negative_slope * x) if 0 < negative_slope <= 1 else x * _slopes(x, negative_slope)


_leaky_relu = operation(
    _leaky, names="_leaky_relu", vjps=lambda g, out, x, negative_slope: (
        g * _slopes(x, negative_slope) if negative_slope else weighted(g, _slopes(x, negative_slope))),
    samples=lambda draw: call(draw.array(away_from=(0,)), negative_slope=draw.choice([0.25, 0.0])))


@offers_inplace
def leaky_relu(input: TensorLike, negative_slope: float = 0.01) -> Tensor:
    """x where x > 0, else negative_slope x (Maas et al. 2013)."""
    return _leaky_relu(as_tensor(input), negative_slope=float(negative_slope))


_prelu = operation(
    lambda x, weight: select(x > 0, x, weight * x), names="_prelu",
    vjps=(lambda g, out, x, weight: select(x > 0, g, g * weight),
          lambda g, out, x, weight: only(g * x, ~(x > 0))),
    samples=lambda draw: call(*draw.broadcastable(2, away_from=(0,))))


def prelu(input: TensorLike, weight: TensorLike) -> Tensor:
    """x where x > 0, else weight x, with one weight or one per channel (He et al. 2015)."""
    x, weight = as_tensor(input), as_tensor(weight)
    channels = x.shape[1] if x.ndim > 1 else 1
    if weight.shape not in ((), (1,), (channels,)):
        raise ShapeError("weight must have shape (1,) or one entry for each of the channels (axis 1) of the "
                         f"input of shape {x.shape}, not {weight.shape}")
    return _prelu(x, weight.reshape((-1, *(1,) * (x.ndim - 2))) if x.ndim > 1 else weight.reshape(()))


@offers_inplace
def rrelu(input: TensorLike, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    """Leaky ReLU with random slopes in training, the mean slope otherwise (Xu et al. 2015)."""
    x = floating(as_tensor(input))
    if not training:
        return leaky_relu(x, (lower + upper) / 2)
    slopes, negative = np.ones(x.shape, x.dtype), x.array <= 0
    slopes[negative] = default_generator.uniforms(np.count_nonzero(negative)) * (upper - lower) + lower
    return _prelu(x, slopes)


_hardtanh = operation(
    lambda x, *, low, high: np.clip(x, low, high), names="_hardtanh",
    vjps=lambda g, out, x, low, high: only(g, (out != low) & (out != high)),
    samples=lambda draw: call(draw.array(away_from=(-0.75, 0.5)), low=-0.75, high=0.5))


@offers_inplace
def hardtanh(input: TensorLike, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """x, but at least min_val and at most max_val."""
    if min_val > max_val:
        raise ValueError(f"min_val={min_val} must not be larger than max_val={max_val}")
    return _hardtanh(as_tensor(input), low=min_val, high=max_val)


@offers_inplace
def relu6(input: TensorLike) -> Tensor:
    """min(max(x, 0), 6)."""
    return _hardtanh(as_tensor(input), low=0.0, high=6.0)


hardsigmoid = offers_inplace(operation(
    lambda x: np.clip(floating(x) + 3, 0, 6) / 6, names="_hardsigmoid",
    vjps=lambda g, out, x: only(scaled(g, 1 / 6), (out != 0) & (out != 1)),
    samples=lambda draw: call(draw.array(low=-5, high=5, away_from=(-3, 3))),
    doc="relu6(x + 3) / 6."))


def _hardswish_slope(x):
    x = _hardtanh(x, low=-3.0, high=3.0) / 3
    return x + (0.5 - np.trunc(x) * 0.5)  # which is 0 at -1, and 1 at 1


hardswish = offers_inplace(operation(
    lambda x: (x := above(x, -3)) * below(x * (1 / 6) + 0.5, 1), names="_hardswish",
    vjps=lambda g, out, x: weighted(g, _hardswish_slope(x)),
    samples=lambda draw: call(draw.array(low=-5, high=5, away_from=(-3, 3))),
    doc="x relu6(x + 3) / 6 (Howard et al. 2019)."))

_hardshrink = operation(
    lambda x, *, lambd: only(x, ~(np.abs(x) <= lambd)), names="_hardshrink",
    vjps=lambda g, out, x, lambd: only(g, out != 0) if lambd >= 0 else g,
    samples=lambda draw: call(draw.array(away_from=(-0.5, 0.5)), lambd=0.5))


def hardshrink(input: TensorLike, lambd: float = 0.5) -> Tensor:
    """x where |x| > lambd, else 0."""
    return _hardshrink(as_tensor(input), lambd=float(lambd))


_softshrink = operation(
    lambda x, *, lambd: x - np.clip(x, -lambd, lambd), names="_softshrink",
    vjps=lambda g, out, x, lambd: only(g, out != 0),
    samples=lambda draw: call(draw.array(away_from=(-0.5, 0.5)), lambd=0.5))


def softshrink(input: TensorLike, lambd: float = 0.5) -> Tensor:
    """x brought towards 0 by lambd."""
    if lambd < 0:
        raise ValueError(f"lambd must not be negative, it is {lambd}")
    return _softshrink(floating(as_tensor(input)), lambd=float(lambd))


_threshold = operation(
    lambda x, *, threshold, value: select(x <= threshold, value, x) if value else only(x, ~(x <= threshold)),
    names="_threshold",
    vjps=lambda g, out, x, threshold, value: only(g, ~(x <= threshold)),
    samples=lambda draw: call(draw.array(away_from=(0.5,)), threshold=0.5, value=-1.0))


@offers_inplace
def threshold(input: TensorLike, threshold: float, value: float) -> Tensor:
    """x where x > threshold, else `value`."""
    return _threshold(as_tensor(input), threshold=threshold, value=value)


# Exponential on the negative side

def _elu_forward(x, *, alpha, scale, inner):
    negative = single.expm1(below(x, 0) * inner if inner != 1 else below(x, 0))
    return (above(x, 0) * scale if scale != 1 else above(x, 0)) + negative * (alpha * scale)


def _elu_slope(x, alpha, scale, inner):
    at_zero = alpha * scale * inner
    slope = np.exp(-autograd.relu(-x) * inner) * at_zero
    return slope if scale == at_zero else slope + (x > 0).astype(x.dtype) * (scale - at_zero)


_elu = operation(
    _elu_forward, vjps=lambda g, out, x, alpha, scale, inner: g * _elu_slope(x, alpha, scale, inner),
    names="_elu", samples=lambda draw: call(draw.array(away_from=(0,)), alpha=draw.choice([1.0, 0.5]),
                                            scale=draw.choice([1.0, 1.5]), inner=draw.choice([1.0, 2.0])))


@offers_inplace
def elu(input: TensorLike, alpha: float = 1.0) -> Tensor:
    """x where x > 0, else alpha (exp(x) - 1) (Clevert et al. 2015)."""
    return _elu(as_tensor(input), alpha=float(alpha), scale=1.0, inner=1.0)


@offers_inplace
def celu(input: TensorLike, alpha: float = 1.0) -> Tensor:
    """x where x > 0, else alpha (exp(x / alpha) - 1) (Barron 2017)."""
    if not alpha:
        raise ValueError("alpha must not be 0, x is divided by it")
    return _elu(as_tensor(input), alpha=float(alpha), scale=1.0, inner=1 / alpha)


@offers_inplace
def selu(input: TensorLike) -> Tensor:
    """λ elu(x, α) with the λ and α that keep mean 0 and variance 1 (Klambauer et al. 2017)."""
    return _elu(as_tensor(input), alpha=1.6732632423543772, scale=1.0507009873554805, inner=1.0)


relu_, leaky_relu_, rrelu_, hardtanh_, threshold_, elu_, celu_, selu_ = map(
    in_place, (relu, leaky_relu, rrelu, hardtanh, threshold, elu, celu, selu))


# Along an axis

def softmin(input: TensorLike, dim: int, dtype: DTypeLike | None = None) -> Tensor:
    """softmax(-x) along `dim`; x becomes `dtype` first."""
    x = as_tensor(input)
    return softmax(-(x if dtype is None else x.to(dtype)), dim)


# Gates. What opened one is kept, and the input is not: a σ(b) (1 - σ(b)) is out (1 - σ(b)).

@as_loop
def _through_gate(a, b):
    gate = sigmoid(b)
    return a * gate, gate


@as_loop
def _through_gate_vjp(g, out, gate):
    return g * gate, g * out * (1 - gate)


def _glu_forward(x, *, dim):
    return _through_gate(*equal_parts(x, 2, dim))


def _glu_vjp(g, out, x: Outline, *, dim, needs_input_grad):
    gradient = np.empty(x.shape, x.dtype)
    _through_gate_vjp(*g, *out, out=equal_parts(gradient, 2, dim))
    return [gradient]


def _glu_composition(x, *, dim):
    a, b = autograd.tensor_split(x, 2, dim)
    return (a * sigmoid(b),)


_gated = operation(_glu_forward, joint_vjp=_glu_vjp, composition=_glu_composition, outputs="output", names="_gated",
                   samples=lambda draw: call(draw.array((2, 4)), dim=draw.choice([0, 1, -1])))


@in_float32
def glu(input: TensorLike, dim: int = -1) -> Tensor:
    """a σ(b), a and b being the halves of x along `dim` (Dauphin et al. 2016)."""
    x = as_tensor(input)
    if x.shape[dim] % 2:
        raise ShapeError(f"axis {dim} of the input (shape {x.shape}) must be divisible by 2")
    return _gated(x, dim=dim)[0]


def maxout(input: TensorLike, pieces: int, dim: int = 1) -> Tensor:
    """The largest of `pieces` consecutive features along `dim` (Goodfellow et al. 2013)."""
    x = as_tensor(input)
    dim %= x.ndim
    if x.shape[dim] % pieces:
        raise ShapeError(f"axis {dim} of the input (shape {x.shape}) must be divisible by pieces={pieces}")
    return x.reshape((*x.shape[:dim], x.shape[dim] // pieces, pieces, *x.shape[dim + 1:])).max(dim + 1).values


def gumbel_softmax(logits: TensorLike, tau: float = 1.0, hard: bool = False, eps: float = 1e-10,
                   dim: int = -1) -> Tensor:
    """A sample from the Gumbel-softmax distribution (Jang et al. 2016); with `hard`, one-hot with the soft gradient.

    `eps` stands where PyTorch has it, and is not needed.
    """
    x = as_tensor(logits)
    noise = -np.log(default_generator.exponentials(x.numel()).astype(x.dtype)).reshape(x.shape)
    soft = softmax((x + noise) / tau, dim)
    if not hard:
        return soft
    best = np.zeros_like(soft.array)
    np.put_along_axis(best, np.expand_dims(soft.array.argmax(dim), dim), 1, dim)
    return soft + (best - soft.array)
