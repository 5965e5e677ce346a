"""Draws, from one place."""

import numpy as np

import autograd
from autograd import Tensor
from autograd.random import binomial, dirichlet, poisson, standard_gamma

__all__ = ["binomial", "cauchy", "dirichlet", "poisson", "standard_gamma"]


def cauchy(shape: tuple[int, ...], dtype: np.dtype) -> Tensor:
    """From the Cauchy distribution with median 0 and scale 1."""
    return autograd.empty(shape, dtype=dtype).cauchy_()
