"""Draws that `autograd` has no function for."""

import numpy as np

from autograd import Generator, Tensor
from autograd.random import numpy_generator


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """From Poisson distributions, by their rates."""
    return Tensor(np.asarray(numpy_generator(generator).poisson(np.asarray(input.array)), input.dtype))


def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """From binomial distributions, by how often and with what probability."""
    n, p = np.asarray(count.array, np.int64), np.asarray(prob.array, np.float64)
    return Tensor(np.asarray(numpy_generator(generator).binomial(n, p), prob.dtype))


def standard_gamma(concentration: np.ndarray, generator: Generator | None = None) -> np.ndarray:
    """From gamma distributions of rate 1, by their shapes; at least the smallest positive normal number."""
    dtype = concentration.dtype
    draw = numpy_generator(generator).standard_gamma(np.asarray(concentration, np.float64))
    return np.maximum(np.asarray(draw, dtype), np.finfo(dtype).tiny)


def dirichlet(concentration: np.ndarray, generator: Generator | None = None) -> np.ndarray:
    """From Dirichlet distributions, (..., K)."""
    rng, shape = numpy_generator(generator), np.asarray(concentration, np.float64)
    # Γ(α) = Γ(α + 1)·U^(1/α), by its logarithm: of small α, all K draws could be 0.
    log = np.log(rng.standard_gamma(shape + 1)) - rng.standard_exponential(shape.shape) / shape
    draw = np.exp(log - log.max(-1, keepdims=True))
    draw = (draw / draw.sum(-1, keepdims=True)).astype(concentration.dtype)
    return np.maximum(draw, np.finfo(concentration.dtype).tiny)


def cauchy(shape: tuple[int, ...], dtype: np.dtype, generator: Generator | None = None) -> Tensor:
    """From the Cauchy distribution with median 0 and scale 1."""
    return Tensor(np.asarray(numpy_generator(generator).standard_cauchy(shape), dtype))
