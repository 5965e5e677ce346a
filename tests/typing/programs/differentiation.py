"""Derivatives of one's own, hooks, higher orders, watching, the testing kit and pictures."""

from typing import Any

import numpy as np

import autograd
import viz
from autograd import Function, Graph, Tensor, operation, tensor
from autograd.testing import check_function, gradcheck, numeric_gradient


class Cube(Function):
    """x³."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x ** 3

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return 3 * gradient * x ** 2


square = operation(lambda x: x * x, vjps=lambda g, out, x: 2 * g * x, names="my_square")


def doubled(gradient: Tensor) -> Tensor:
    return gradient * 2


def watched(gradient: Tensor) -> None:
    print(gradient.abs().max())


x = tensor([1.0, 2.0], requires_grad=True)
y: Tensor = Cube.apply(x).sum() + square(x).sum()
x.register_hook(doubled)
x.register_hook(watched).remove()
y.backward(retain_graph=True)
(first,) = autograd.grad(y, [x], create_graph=True)
(second,) = autograd.grad(first.sum(), x)
jacobian = autograd.functional.jacobian(lambda t: t ** 2, x)
value, product = autograd.functional.vjp(lambda t: (t ** 2).sum(), x)
with autograd.detect_anomaly(), autograd.profile() as profile:
    autograd.checkpoint(lambda t: t.exp().sum(), x).backward()
print(profile)
graph = Graph(y)
gradcheck(lambda t: (t ** 2).sum(), [tensor([1.0], dtype=autograd.float64, requires_grad=True)])
check_function(lambda t: t.sin(), [np.ones(3)])
array: np.ndarray = numeric_gradient(lambda t: (t ** 2).sum(), np.array([1.0, 2.0]))
drawing = viz.draw(y, names={"x": x})
drawing.save("graph.svg")
