"""What a Tensor is: what it says of itself, its bare value, its copies, its gradient."""

import copy
import pickle

import numpy as np
import pytest

import autograd
from autograd import Tensor, tensor
from autograd.tensor import Outline

torch = pytest.importorskip("torch")


def test_tensor_copies_while_from_numpy_and_the_class_share():
    a = np.zeros(3, np.float32)
    copied, shared, wrapped = tensor(a), Tensor(a), autograd.from_numpy(a)
    a[0] = 1
    assert copied[0].item() == 0
    assert shared[0].item() == wrapped[0].item() == 1


def test_the_bare_value():
    t = tensor([[1.0, 2.0]])
    assert t.tolist() == [[1.0, 2.0]]
    assert tensor(2.5).item() == 2.5
    assert float(tensor(2.5)) == 2.5
    assert [10, 20, 30][tensor(1)] == 20
    assert np.shares_memory(t.numpy(), t.array)
    assert bool(tensor(0.0)) is False
    assert len(tensor([1, 2, 3])) == 3 and len(t) == 1
    assert [x.item() for x in tensor([1, 2])] == [1, 2]
    assert 2 in tensor([1, 2]) and 3 not in tensor([1, 2])
    assert f"{tensor(3.14159):.2f}" == "3.14" and f"{tensor(2.5)}, {tensor([2])}" == "2.5, tensor([2])"
    assert f"{t:>22}" == "    tensor([[1., 2.]])"
    assert np.asarray(t, np.float64).dtype == np.float64
    assert np.array(t) is not t.array and np.asarray(t) is t.array


@pytest.mark.parametrize(("wrong", "remedy"), [
    (lambda t: t.numpy(), r"t\.detach\(\)\.numpy\(\)"),
    (lambda t: np.asarray(t), r"t\.detach\(\)\.numpy\(\)"),
    (lambda t: t.item(), "exactly one element.*has 2"),
    (lambda t: bool(t), r"ambiguous.*t\.any\(\)"),
    (lambda t: [1, 2][t], r"t\.long\(\)"),
    (lambda t: [1, 2][tensor(True)], r"t\.long\(\)"),
    (lambda t: len(t.sum()), r"t\.numel\(\)"),
    (lambda t: list(t.sum()), r"t\.item\(\)"),
])
def test_what_cannot_be_converted_says_what_to_write_instead(wrong, remedy):
    with pytest.raises((RuntimeError, TypeError), match=remedy):
        wrong(tensor([1.0, 2.0], requires_grad=True))


def test_detach_shares_memory_and_loses_history():
    x = tensor([1.0, 2.0], requires_grad=True)
    d = (x * 2).detach()
    assert not d.requires_grad
    assert d.is_leaf
    assert np.shares_memory(x.detach().array, x.array)


def test_tensors_are_hashable_by_identity_and_compare_elementwise():
    a, b = tensor([1.0]), tensor([1.0])
    assert len({a, b}) == 2
    assert (a == b).tolist() == [True]
    assert (a == None) is False  # noqa: E711 - as a user might
    assert (a != None) is True  # noqa: E711


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
    twin, array = copy.copy(s), s.numpy()
    s.fill_(5)
    assert s.item() == twin.item() == array == 5
    s = tensor([1.0, 2.0]).sum()
    np.copyto(s, 6.0)
    assert s.item() == 6


def test_a_result_requires_gradients_as_long_as_it_has_a_history():
    x = tensor([1.0], requires_grad=True)
    y = x * 2
    y.requires_grad = True
    with pytest.raises(RuntimeError, match=r"`mul` cannot be switched off.*t\.detach\(\)"):
        y.requires_grad = False
    assert not Tensor(y).requires_grad and tensor([1.0]).requires_grad_().requires_grad


@pytest.mark.parametrize("shape", [(), (0, 2), (3, 4)])
def test_an_outline_is_an_array_without_its_elements(shape):
    a = np.zeros(shape, np.float32)
    outline = Outline(a)
    assert all(getattr(outline, name) == getattr(a, name) for name in ("shape", "dtype", "ndim", "size"))


def test_what_a_tensor_says_of_its_origin():
    x = tensor([1.0], requires_grad=True)
    y = x * 2
    assert x.is_leaf and x.grad_fn is None and x.requires_grad and x.cpu() is x and x.is_complex() is False
    assert not y.is_leaf and y.grad_fn is y.node and y.requires_grad and repr(y.grad_fn) == "<mul>"
    assert y.detach_() is y and y.is_leaf and y.grad_fn is None and not y.requires_grad and (y * 2).is_leaf
    assert x.requires_grad_(False) is x and not x.requires_grad and (x * 2).is_leaf
    assert x.requires_grad_() is x and x.requires_grad


def test_retain_grad_is_for_results_and_once_is_enough():
    x = tensor([1.0], requires_grad=True)
    y = x * 2
    assert not y.retains_grad
    for t in (x, y, y):
        t.retain_grad()
    assert y.retains_grad and not x.retains_grad
    y.backward(retain_graph=True)
    y.backward()
    assert y.grad.tolist() == [2] and x.grad.tolist() == [4]
    del x.grad
    assert x.grad is None
