"""The sigmoid neuron of the notes as a circuit: every value in green, every gradient in red.

f(w, x) = 1 / (1 + exp(-(w0 x0 + w1 x1 + w2))) is a chain of gates, and each knows only its own derivative:
backpropagation multiplies what comes back by it (CS231n, "Backpropagation, Intuitions"). Where two ways meet,
gradients add. Read the picture from right to left. Try w2 = 3: the neuron saturates, and every gradient fades.
"""

import math

import autograd
import viz
from autograd import Tensor

SYSTEMS = ("computational graph", "backpropagation", "sigmoid gate")
CLAIM = ("The gradients are those of the notes, 0.2 times (-1, 2, -2, -3, 1), and with (1 - f) f in place of 0.2 to "
         "1e-6.")


def example(run):
    w0, x0 = Tensor(2.0, requires_grad=True), Tensor(-1.0, requires_grad=True)
    w1, x1 = Tensor(-3.0, requires_grad=True), Tensor(-2.0, requires_grad=True)
    w2 = Tensor(-3.0, requires_grad=True)

    f = 1 / (1 + autograd.exp(-(w0 * x0 + w1 * x1 + w2)))
    run.save(viz.draw(f))

    f.backward()
    sigmoid = 1 / (1 + math.exp(-1.0))
    inputs = {"w0": w0, "x0": x0, "w1": w1, "x1": x1, "w2": w2}
    for (name, t), factor in zip(inputs.items(), (-1, 2, -2, -3, 1), strict=True):
        run.result(f"df/d{name}", t.grad.item())
        run.holds(abs(t.grad.item() - 0.2 * factor) < 0.02)
        run.holds(abs(t.grad.item() - (1 - sigmoid) * sigmoid * factor) < 1e-6)
