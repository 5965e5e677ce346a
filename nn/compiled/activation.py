"""gelu: each number through the whole formula at once."""

import math

import numpy as np

from autograd.operations.products import packed
from autograd.runtime.threads import in_parallel
from nn.compiled.loops import HALF, ONE, all_float32, exp, loop

ZERO, TWO, THREE, FAR = np.float32(0), np.float32(2), np.float32(3), np.float32(100)
ROOT_HALF, DENSITY = np.float32(math.sqrt(0.5)), np.float32(1 / math.sqrt(2 * math.pi))
SCALE, CUBE = np.float32(math.sqrt(2 / math.pi)), np.float32(math.sqrt(2 / math.pi) * 0.044715)
# erf(x) = x P(x²) / Q(x²) for |x| <= 4, to 5e-7; the highest power first. In float32 erf is 1 beyond.
_P = np.array([-2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05,
               -7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02], np.float32)
_Q = np.array([-1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03,
               -1.42647390514189e-02], np.float32)
WORK = 4
"""About how many numbers' time one takes."""


def gelu_forward(x):
    return _elementwise(_gelu, x)


def gelu_back(g, x):
    return _elementwise(_gelu_back, g, x)


def gelu_tanh_forward(x):
    return _elementwise(_gelu_tanh, x)


def gelu_tanh_back(g, x):
    return _elementwise(_gelu_tanh_back, g, x)


def _elementwise(kernel, *arrays):
    if not all_float32(*arrays):
        return NotImplemented
    arrays = [packed(a) for a in arrays]
    out = np.empty_like(arrays[0])
    flat = [a.ravel(order="K") for a in (*arrays, out)]
    if any(a.strides != out.strides or a.shape != out.shape for a in arrays) or not np.may_share_memory(out, flat[-1]):
        return NotImplemented  # neighbors in one array are not neighbors in the others
    in_parallel(lambda part: kernel(*[a[part] for a in flat]), out.size, WORK * out.size)
    return out


@loop
def _normal_cdf(x):
    """Φ by erf(x / √2) = x P(x²) / Q(x²)."""
    x = x * ROOT_HALF
    x = np.float32(4) if x > 4 else np.float32(-4) if x < -4 else x
    square = x * x
    p, q = _P[0], _Q[0]
    for k in range(1, len(_P)):
        p = p * square + _P[k]
    for k in range(1, len(_Q)):
        q = q * square + _Q[k]
    return HALF * x * p / q + HALF


@loop
def _not_below(x):
    """x, but no less than -FAR, where gelu is 0: -inf · 0 would be nan."""
    return -FAR if x < -FAR else x


@loop
def _gelu(x, out):
    for i in range(x.size):
        out[i] = _not_below(x[i]) * _normal_cdf(x[i])


@loop
def _gelu_back(g, x, out):
    for i in range(x.size):
        near = FAR if x[i] > FAR else _not_below(x[i])
        out[i] = g[i] * (_normal_cdf(near) + near * DENSITY * exp(near * near * -HALF))


@loop
def _twice(x):
    """2u for u = √(2/π) (x + 0.044715 x³): (1 + tanh(u)) / 2 = 1 / (1 + exp(-2u)), which loses no digits."""
    return TWO * x * (SCALE + CUBE * x * x)


@loop
def _gelu_tanh(x, out):
    for i in range(x.size):
        out[i] = _not_below(x[i]) / (ONE + exp(-_twice(x[i])))


@loop
def _gelu_tanh_back(g, x, out):
    for i in range(x.size):
        near = FAR if x[i] > FAR else _not_below(x[i])
        twice = _twice(near)
        e = exp(-twice)
        s = ONE / (ONE + e)
        slope = s * (ONE + near * (e * s) * TWO * (SCALE + THREE * CUBE * near * near))
        out[i] = g[i] * (ONE if twice > 80 else ZERO if twice < -80 else slope)
