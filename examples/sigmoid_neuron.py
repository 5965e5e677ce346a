"""The sigmoid neuron of the CS231n notes, drawn: every value in green, every gradient in red.

    f(w, x) = 1 / (1 + exp(-(w0 x0 + w1 x1 + w2)))

Source: Stanford CS231n, "Backpropagation, Intuitions".
"""

import autograd
import viz
from autograd import Tensor

w0, x0 = Tensor(2.0, requires_grad=True), Tensor(-1.0, requires_grad=True)
w1, x1 = Tensor(-3.0, requires_grad=True), Tensor(-2.0, requires_grad=True)
w2 = Tensor(-3.0, requires_grad=True)

f = 1 / (1 + autograd.exp(-(w0 * x0 + w1 * x1 + w2)))
print("wrote", viz.draw(f).save("out/sigmoid_neuron.svg"))

f.backward()
for name, t in {"w0": w0, "x0": x0, "w1": w1, "x1": x1, "w2": w2}.items():
    print(f"df/d{name} = {t.grad.item():5.2f}")
