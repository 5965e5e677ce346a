"""Random numbers that are drawn again until they are accepted, so that each takes as many words as it happens to need.

The numbers are PyTorch's: same methods, same order of drawing. Hence one is drawn after the other, in Python, at some
microseconds each. (A generator of algorithm "pcg64" draws them by NumPy's functions, fifty times faster.)
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd.generator import Generator

AT_A_TIME = 1024
THIRD = float(np.float32(1 / 3))
"""As PyTorch subtracts it."""


class _Doubles:
    """Uniform and normal numbers one at a time; `close()` gives back the words that were drawn ahead."""

    def __init__(self, generator: Generator, expected: int) -> None:
        self.generator, self.start, self.taken = generator, generator.numpy.bit_generator.state, 0
        self.numbers = self._numbers(min(expected, AT_A_TIME))
        self.sine = generator.sine

    def _numbers(self, at_a_time: int) -> Iterator[float]:
        while True:
            numbers: Any = self.generator.uniforms(at_a_time).tolist()
            for number in numbers:
                self.taken += 1
                yield number

    def uniform(self) -> float:
        return next(self.numbers)

    def normal(self) -> float:
        if self.sine is not None:
            value, self.sine = self.sine, None
            return value
        angle = 2 * math.pi * next(self.numbers)
        radius = math.sqrt(-2 * math.log1p(-next(self.numbers)))
        self.sine = radius * math.sin(angle)
        return radius * math.cos(angle)

    def close(self) -> None:
        bits = self.generator.numpy.bit_generator
        bits.state = self.start
        bits.random_raw(2 * self.taken, output=False)
        self.generator.sine = self.sine


def _each(draw: Callable[..., float], generator: Generator, *parameters: Any) -> np.ndarray:
    """`draw(numbers, *parameters)` for each element of float64 arrays of one shape."""
    numbers = _Doubles(generator, 4 * parameters[0].size)
    values = [draw(numbers, *given) for given in zip(*[p.ravel().tolist() for p in parameters], strict=True)]
    numbers.close()
    return np.array(values, np.float64).reshape(parameters[0].shape)


def gamma(concentration: np.ndarray, generator: Generator) -> np.ndarray:
    """From gamma distributions of rate 1 (Marsaglia & Tsang, "Generating gamma variables", 2000)."""
    if generator.algorithm == "pcg64":
        return generator.numpy.standard_gamma(concentration)
    return _each(_gamma, generator, concentration)


def _gamma(numbers: _Doubles, shape: float) -> float:
    if math.isnan(shape):
        return shape
    scale = 1.0
    if shape < 1:
        if shape == 0:
            return 0.0
        scale = (1 - numbers.uniform()) ** (1 / shape)
        shape += 1
    d = shape - THIRD
    c = 1 / math.sqrt(9 * d)
    while True:
        y = 0.0
        while y <= 0:
            x = numbers.normal()
            y = 1 + c * x
        v, u = y * y * y, 1 - numbers.uniform()
        if u < 1 - 0.0331 * x ** 4 or math.log(u) < 0.5 * x * x + d * (1 - v + math.log(v)):
            return scale * d * v


def poisson(rate: np.ndarray, generator: Generator) -> np.ndarray:
    """From Poisson distributions: by products of uniform numbers, from rate 10 on by Hörmann's transformed rejection.

    W. Hörmann, "The transformed rejection method for generating Poisson random variables" (1993), algorithm PTRS.
    """
    if generator.algorithm == "pcg64":
        return generator.numpy.poisson(rate)
    return _each(_poisson, generator, rate)


def _poisson(numbers: _Doubles, rate: float) -> float:
    if not rate < 10:
        return _poisson_of_many(numbers, rate)
    if rate == 0:
        return 0.0
    product, least, count = numbers.uniform(), math.exp(-rate), 0
    while product > least:
        product *= numbers.uniform()
        count += 1
    return float(count)


def _poisson_of_many(numbers: _Doubles, rate: float) -> float:
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse, bound = 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = numbers.uniform() - 0.5, numbers.uniform()
        away = 0.5 - abs(u)
        count = math.floor((2 * a / away + b) * u + rate + 0.43) if away else -1
        if away >= 0.07 and v <= bound:
            return float(count)
        if count < 0 or (away < 0.013 and v > away):
            continue
        level = math.log(v) + math.log(inverse) - math.log(a / (away * away) + b) if v else -math.inf
        if level <= count * math.log(rate) - rate - math.lgamma(count + 1):
            return float(count)


def binomial(count: np.ndarray, probability: np.ndarray, generator: Generator) -> np.ndarray:
    """From binomial distributions: by waiting times, or by Hörmann's transformed rejection if the mean is at least 10.

    W. Hörmann, "The generation of binomial random variates" (1993), algorithm BTRS.
    """
    if generator.algorithm == "pcg64":
        return generator.numpy.binomial(count.astype(np.int64), probability)
    return _each(_binomial, generator, count, probability)


def _binomial(numbers: _Doubles, count: float, p: float) -> float:
    if math.isnan(count) or math.isnan(p):
        return math.nan
    if count <= 0 or p <= 0:
        return 0.0
    if p >= 1:
        return count
    if p > 0.5:
        return count - _binomial(numbers, count, 1 - p)
    return _binomial_of_many(numbers, count, p) if count * p >= 10 else _binomial_of_few(numbers, count, p)


def _binomial_of_few(numbers: _Doubles, count: float, p: float) -> float:
    tried, found, log_failure = 0.0, 0.0, math.log1p(-p)
    while True:
        u = numbers.uniform()
        tried += math.ceil(math.log(u) / log_failure) if u else math.inf
        if tried > count:
            return found
        found += 1


def _binomial_of_many(numbers: _Doubles, n: float, p: float) -> float:
    deviation, odds = math.sqrt(n * p * (1 - p)), p / (1 - p)
    b = 1.15 + 2.53 * deviation
    a, c, bound, alpha = -0.0873 + 0.0248 * b + 0.01 * p, n * p + 0.5, 0.92 - 4.2 / b, (2.83 + 5.1 / b) * deviation
    m = math.floor((n + 1) * p)
    while True:
        u, v = numbers.uniform() - 0.5, numbers.uniform()
        away = 0.5 - abs(u)
        k = math.floor((2 * a / away + b) * u + c) if away else -1
        if k < 0 or k > n:
            continue
        if away >= 0.07 and v <= bound:
            return float(k)
        level = math.log(v * alpha / (a / (away * away) + b)) if v else -math.inf
        if level <= ((m + 0.5) * math.log((m + 1) / (odds * (n - m + 1)))
                     + (n + 1) * math.log((n - m + 1) / (n - k + 1))
                     + (k + 0.5) * math.log(odds * (n - k + 1) / (k + 1))
                     + _stirling(m) + _stirling(n - m) - _stirling(k) - _stirling(n - k)):
            return float(k)


def _stirling(k: float) -> float:
    """How far Stirling's formula for log k! is off."""
    if k <= 9:
        return math.lgamma(k + 1) - ((k + 0.5) * math.log(k + 1) - (k + 1) + 0.5 * math.log(2 * math.pi))
    square = (k + 1) ** 2
    return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)
