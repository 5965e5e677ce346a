"""What a Tensor is: its dtype, its text, its bare value."""

import numpy as np
import pytest

import autograd
from autograd import Tensor, tensor


@pytest.fixture
def default_float64():
    autograd.set_default_dtype(np.float64)
    yield
    autograd.set_default_dtype(np.float32)


@pytest.mark.parametrize(("data", "dtype"), [
    (1.5, np.float32), ([1, 2.0], np.float32), (3, np.int64), ([1, 2], np.int64), (True, np.bool_), ([], np.float32),
    (np.arange(3.0), np.float64), (np.float64(1), np.float64), ([np.float64(1)], np.float64),
    (np.zeros(2, np.float16), np.float16), (np.zeros(2, np.int8), np.int8)])
def test_python_numbers_take_default_dtypes_and_arrays_keep_theirs(data, dtype):
    assert tensor(data).dtype == dtype
    assert Tensor(data).dtype == dtype


def test_the_default_dtype_can_be_changed(default_float64):
    assert tensor(1.5).dtype == np.float64
    with pytest.raises(TypeError, match="must be floating"):
        autograd.set_default_dtype(np.int32)


@pytest.mark.parametrize("other", [2, 2.5, True, np.float64(2.5), np.int64(2), tensor([1, 2]),
                                   tensor(1.5, dtype=np.float64)])
@pytest.mark.parametrize("operator", ["__add__", "__mul__", "__truediv__", "__pow__", "__radd__", "__rsub__",
                                      "__rtruediv__"])
def test_float32_never_becomes_float64_by_itself(operator, other):
    x = tensor([1.0, 2.0], requires_grad=True)
    y = getattr(x, operator)(other)
    assert y.dtype == np.float32
    y.sum().backward()
    assert x.grad.dtype == np.float32


def test_integers_become_the_default_dtype_where_mathematics_needs_it():
    n = tensor([1, 2, 3])
    for y in (n / 2, n * 0.5, n.exp(), n / tensor([2, 2, 2]), 1 / n):
        assert y.dtype == np.float32
    assert (n * 2).dtype == np.int64
    assert (n * tensor([0.5, 0.5, 0.5])).dtype == np.float32


def test_a_float64_array_promotes_and_its_gradient_comes_back_in_float32():
    x = tensor([1.0, 2.0], requires_grad=True)
    y = x * np.array([1.0, 2.0])
    assert y.dtype == np.float64
    y.sum().backward()
    assert x.grad.dtype == np.float32


def test_tensor_copies_while_from_numpy_and_the_class_share():
    a = np.zeros(3, np.float32)
    copied, shared, wrapped = tensor(a), Tensor(a), autograd.from_numpy(a)
    a[0] = 1
    assert copied[0].item() == 0
    assert shared[0].item() == wrapped[0].item() == 1


def test_only_floating_tensors_can_require_gradients():
    with pytest.raises(RuntimeError, match=r"int64.*float\(\)"):
        tensor([1, 2], requires_grad=True)
    with pytest.raises(RuntimeError, match="bool"):
        tensor([True]).requires_grad_()


def test_complex_and_text_are_refused():
    with pytest.raises(TypeError, match="complex128"):
        tensor(1j)
    with pytest.raises(TypeError, match="booleans, integers or floats"):
        tensor("abc")


@pytest.mark.parametrize(("value", "text"), [
    (tensor([1.0, 2.5]), "tensor([1.0000, 2.5000])"),
    (tensor([1.0, 2.0], requires_grad=True), "tensor([1., 2.], requires_grad=True)"),
    (tensor(3), "tensor(3)"),
    (tensor([True, False]), "tensor([ True, False])"),
    (tensor([1.0], dtype=np.float64), "tensor([1.], dtype=float64)"),
    (tensor([1.0], requires_grad=True) * 2, "tensor([2.], grad_fn=<mul>)"),
    (tensor([]), "tensor([])"),
    (tensor(np.zeros((2, 0), np.float32)), "tensor([], size=(2, 0))"),
    (tensor([1e-6, 1.0]), "tensor([1.0000e-06, 1.0000e+00])"),
    (tensor([float("nan"), float("inf"), 1.5]), "tensor([   nan,    inf, 1.5000])"),
])
def test_repr_is_in_pytorchs_style(value, text):
    assert repr(value) == text


def test_a_long_tensor_is_summarised():
    assert len(repr(autograd.zeros(10_000))) < 200


def test_the_bare_value():
    t = tensor([[1.0, 2.0]])
    assert t.tolist() == [[1.0, 2.0]]
    assert tensor(2.5).item() == 2.5
    assert float(tensor(2.5)) == 2.5
    assert [10, 20, 30][tensor(1)] == 20
    assert np.shares_memory(t.numpy(), t.array)
    assert bool(tensor(0.0)) is False
    assert len(tensor([1, 2, 3])) == 3
    assert [x.item() for x in tensor([1, 2])] == [1, 2]
    assert f"{tensor(3.14159):.2f}" == "3.14"


@pytest.mark.parametrize(("wrong", "remedy"), [
    (lambda t: t.numpy(), r"t\.detach\(\)\.numpy\(\)"),
    (lambda t: np.asarray(t), r"t\.detach\(\)\.numpy\(\)"),
    (lambda t: t.item(), "exactly one element.*has 2"),
    (lambda t: bool(t), r"ambiguous.*t\.any\(\)"),
    (lambda t: [1, 2][t], r"t\.long\(\)"),
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
