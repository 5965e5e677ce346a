"""Types, inspection and copies of tensors."""

import copy
import pickle

import numpy as np
import pytest

import autograd
from autograd import Tensor, tensor

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


@pytest.mark.parametrize("view", [lambda x: x, lambda x: x[:, 1:], lambda x: x.transpose(0, 2), lambda x: x[0, 0, 0],
                                  lambda x: x.expand(2, 2, 3, 4), lambda x: x[:, :, ::2]])
def test_inspection_as_in_pytorch(view):
    x, y = view(autograd.zeros(2, 3, 4)), view(torch.zeros(2, 3, 4))
    for name in ("numel", "nelement", "element_size", "dim", "ndimension", "stride", "is_contiguous",
                 "is_floating_point"):
        assert getattr(x, name)() == getattr(y, name)()
    for name in ("shape", "ndim", "itemsize", "nbytes", "is_leaf", "requires_grad"):
        assert getattr(x, name) == getattr(y, name)
    assert x.device == str(y.device) == "cpu"
    assert [x.size(d) for d in range(x.ndim)] == [y.size(d) for d in range(y.ndim)]
    assert [x.stride(d) for d in range(x.ndim)] == [y.stride(d) for d in range(y.ndim)]


class Named(Tensor):
    """A subclass with an attribute."""


def test_leaves_are_pickled_and_copied_deeply():
    x = Named([1.0, 2.0], requires_grad=True)
    x.name = "weight"
    x.grad = tensor([3.0, 4.0])
    for twin in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
        assert type(twin) is Named
        assert twin.tolist() == x.tolist()
        assert twin.requires_grad
        assert twin.is_leaf
        assert twin.name == "weight"
        assert not np.shares_memory(twin.array, x.array)
    assert copy.deepcopy(x).grad.tolist() == [3, 4]
    assert copy.deepcopy(x).grad is not x.grad


def test_a_deep_copy_keeps_what_is_shared():
    x = tensor([1.0, 2.0])
    first, second, same_memory = copy.deepcopy([x, x, x.detach()])
    assert first is second
    assert np.shares_memory(first.array, same_memory.array)


def test_results_cannot_be_copied_deeply_but_shallowly():
    x = tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    with pytest.raises(RuntimeError, match=r"`mul`.*clone\(\)"):
        copy.deepcopy(y)
    twin = copy.copy(y)
    assert np.shares_memory(twin.array, y.array)
    twin.sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_computed_numbers_without_axes_behave_as_tensors():
    s = tensor([1.0, 2.0]).sum()
    assert pickle.loads(pickle.dumps(s)).item() == copy.deepcopy(s).item() == 3
    assert s.nbytes == 4
    assert s.stride() == ()
    assert s.is_contiguous()
    s.fill_(5)
    assert s.item() == 5
