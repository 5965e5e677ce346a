"""Types, inspection and copies of tensors."""


import numpy as np
import pytest

import autograd
from autograd import tensor

torch = pytest.importorskip("torch")


def test_to_converts_and_returns_the_tensor_itself_where_nothing_changes():
    x = tensor([1.5, -2.5], requires_grad=True)
    assert x.to("cpu") is x.to(autograd.float32) is x.to(device="cpu") is x.cpu() is x
    assert x.to(autograd.float32, copy=True) is not x
    for y in (x.to(autograd.float64), x.to(dtype=autograd.float64), x.to("cpu", autograd.float64), x.double(),
              x.type(autograd.float64), x.to(autograd.zeros(1, dtype=autograd.float64)),
              x.type_as(autograd.zeros(1, dtype=autograd.float64)), x.astype(np.float64), np.astype(x, np.float64)):
        assert y.dtype == np.float64
        x.grad = None
        y.sum().backward()
        assert x.grad.dtype == np.float32
        assert x.grad.tolist() == [1, 1]


@pytest.mark.parametrize("name", ["double", "float", "half", "long", "int", "short", "bool"])
def test_methods_named_after_types(name):
    ours, theirs = getattr(tensor([1.5, 0.0, -2.5]), name)(), getattr(torch.tensor([1.5, 0.0, -2.5]), name)()
    assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
    assert ours.tolist() == theirs.tolist()
