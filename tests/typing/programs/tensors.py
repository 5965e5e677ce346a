"""What expressions of Tensors are to a type checker: `assert_type` says so or is an error."""

from typing import assert_type

import numpy as np

import autograd
from autograd import Tensor, cat, einsum, linalg, no_grad, special, tensor, where
from autograd.typing import ValuesIndices

x = autograd.randn(2, 3, requires_grad=True)
y = autograd.zeros((2, 3), dtype=autograd.float64)

# Operators, with numbers and arrays on either side
assert_type(x + 1, Tensor)
assert_type(1 - x, Tensor)
assert_type(x * y / 2.5, Tensor)
assert_type(2 ** x, Tensor)
assert_type(-x @ y.T, Tensor)
assert_type(x + np.ones((2, 3)), Tensor)
assert_type(x == y, Tensor)
assert_type(x != 0, Tensor)
assert_type((x > 0) & ~(y < 1), Tensor)
assert_type(abs(x), Tensor)

# Indices
assert_type(x[0], Tensor)
assert_type(x[:, None, ..., 1:], Tensor)
assert_type(x[x > 0], Tensor)
assert_type([row.sum() for row in x], list[Tensor])
with no_grad():
    x[0, 1] = 5
    x[1] = y[0]
    x += 1
    x.mul_(2).add_(y, alpha=0.5).clamp_(min=0)
    x.t_()
    x.data = y

# Shapes, as numbers and as a tuple
assert_type(x.view(3, 2), Tensor)
assert_type(x.view((3, 2)), Tensor)
assert_type(x.reshape(-1), Tensor)
assert_type(x.permute(1, 0), Tensor)
assert_type(x.expand(4, -1, -1), Tensor)
assert_type(x.flip(0, 1), Tensor)
assert_type(x.repeat(2, 2), Tensor)
assert_type(x.unsqueeze(0).squeeze(0).transpose(0, 1), Tensor)
assert_type(x.shape, tuple[int, ...])
assert_type(x.size(0), int)
assert_type(x.size(), tuple[int, ...])

# Reductions
assert_type(x.sum(dim=(0, 1)), Tensor)
assert_type(x.mean(0, keepdim=True), Tensor)
assert_type(x.std(dim=1, correction=0), Tensor)
assert_type(x.max(), Tensor)
assert_type(x.max(y), Tensor)
assert_type(x.max(dim=0).values, Tensor)
assert_type(x.max(dim=0), ValuesIndices)
values, indices = x.topk(2, dim=1)
assert_type(indices, Tensor)
assert_type(x.sort(descending=True).indices, Tensor)
assert_type(x.softmax(-1), Tensor)
assert_type(x.argmax(), Tensor)

# Several tensors
assert_type(cat([x, y], dim=0), Tensor)
assert_type(cat((x, y), 1), Tensor)
assert_type(autograd.stack([x, y]), Tensor)
assert_type(einsum("ij,kj->ik", x, y), Tensor)
assert_type(where(x > 0, x, 0.0), Tensor)
assert_type(x.split(1), tuple[Tensor, ...])
assert_type(x.nonzero(), Tensor)
assert_type(x.nonzero(as_tuple=True), tuple[Tensor, ...])
assert_type(linalg.svd(x).S, Tensor)
assert_type(linalg.qr(x)[0], Tensor)
assert_type(special.ndtr(x), Tensor)

# Types, and out of the graph
assert_type(x.float().double().long(), Tensor)
assert_type(x.to(autograd.float64), Tensor)
assert_type(x.to("cpu"), Tensor)
assert_type(x.type(), str)
assert_type(x.detach().numpy(), np.ndarray)
print(f"{x.sum().item():.3f}", float(x.sum()), x.tolist())
total = 0.0
total += x.sum().item()

# Gradients
x.sum().backward()
assert_type(x.grad, Tensor | None)
if x.grad is not None:
    assert_type(x.grad * 2, Tensor)
(gradient,) = autograd.grad(x.sum(), [x], create_graph=True)
assert_type(gradient, Tensor)
assert_type(tensor([1.0, 2.0]).exp().log(), Tensor)
