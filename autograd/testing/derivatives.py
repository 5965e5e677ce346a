"""Derivatives compared with difference quotients, at any order.

A random direction is enough: if <u, J v> (by central differences of the function) and <J'u, v> (by the rules) agree for
random u and v, J'u is right but for bad luck that does not repeat. The second order is the first order of the gradient
itself, taken as a function of the point and of u.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.graph import grad
from autograd.tensor import Tensor

STEP = 1e-6
"""Of the central difference: the error of truncation, of order STEP², stays below that of rounding, 1e-16/STEP."""
TOLERANCE = 1e-6


class GradientError(AssertionError):
    """A derivative disagrees with its difference quotient."""


def check_derivatives(function: Callable[..., Any], inputs: Sequence[np.ndarray], order: int = 2,
                      seed: int = 0) -> None:
    """Check the derivatives of `function` at `inputs` (float64 arrays) up to `order`.

    Args:
        function: Tensors to a Tensor, or to several of them; outputs that are not floating are left out.
        inputs: where to check.
        order: 1 for the gradient, 2 for the derivative of the gradient as well, …
        seed: of the random directions.

    Raises:
        GradientError: with the order, the input and both numbers.
    """
    _check(function, [np.asarray(x, np.float64) for x in inputs], order, np.random.default_rng(seed), 1)


def _check(function: Callable, inputs: list[np.ndarray], order: int, rng: np.random.Generator, level: int) -> None:
    outputs = _evaluate(function, inputs)
    cotangents = [rng.standard_normal(out.shape) for out in outputs]
    gradients = [g.array for g in gradient_of(function, len(inputs))(*map(_leaf, inputs), *map(Tensor, cotangents))]
    for i, (x, g) in enumerate(zip(inputs, gradients, strict=True)):
        if g.shape != x.shape:
            raise GradientError(f"order {level}: the gradient of input {i} has shape {g.shape}, the input {x.shape}")
        direction = rng.standard_normal(x.shape)
        ahead, behind = ([*inputs[:i], x + step * direction, *inputs[i + 1:]] for step in (STEP, -STEP))
        terms = [np.vdot(u, (a - b) / (2 * STEP)) for u, a, b in
                 zip(cotangents, _evaluate(function, ahead), _evaluate(function, behind), strict=True)]
        numeric, analytic = float(np.sum(terms)), float(np.vdot(g, direction))
        scale = 1 + max(abs(numeric), abs(analytic), *(np.abs(out).max(initial=0) for out in outputs))
        if not abs(numeric - analytic) <= TOLERANCE * scale:
            raise GradientError(
                f"order {level}: the derivative in input {i} (shape {x.shape}) along a random direction is "
                f"{analytic:.9g} by the rules and {numeric:.9g} by central differences, relative error "
                f"{abs(numeric - analytic) / max(abs(numeric), abs(analytic)):.1e}")
    if order > 1:
        _check(gradient_of(function, len(inputs)), [*inputs, *cotangents], order - 1, rng, level + 1)


def gradient_of(function: Callable, count: int) -> Callable[..., tuple[Tensor, ...]]:
    """The function (inputs, cotangents) -> gradients of the `count` inputs, itself differentiable."""
    def gradient(*tensors: Tensor) -> tuple[Tensor, ...]:
        inputs, cotangents = tensors[:count], tensors[count:]
        inputs = [x if x.requires_grad else x.detach().requires_grad_() for x in inputs]
        outputs = [(out, u) for out, u in zip(_floating(function(*inputs)), cotangents, strict=True)
                   if out.requires_grad]
        zeros = tuple(Tensor(np.zeros(x.shape, x.dtype)) for x in inputs)
        if not outputs:
            return zeros
        gradients = grad([out for out, _ in outputs], inputs, [u for _, u in outputs], create_graph=True,
                         allow_unused=True)
        return tuple(zero if g is None else g for g, zero in zip(gradients, zeros, strict=True))
    return gradient


def _evaluate(function: Callable, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [out.array for out in _floating(function(*map(Tensor, inputs)))]


def _floating(result: Any) -> list[Tensor]:
    return [out for out in (result if isinstance(result, (tuple, list)) else (result,)) if out.dtype.kind == "f"]


def _leaf(x: np.ndarray) -> Tensor:
    return Tensor(x, requires_grad=True)
