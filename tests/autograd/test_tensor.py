"""What a Tensor is: shared or a copy, its bare value, its history."""

import numpy as np
import pytest

import autograd
from autograd import Tensor, tensor


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
