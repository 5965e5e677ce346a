"""Changing tensors in place: right, or refused. What PyTorch computes, or an error; never another number."""

import numpy as np
import pytest

import autograd
from autograd import no_grad, tensor


def leaf(*values):
    return tensor(list(values), requires_grad=True)


def test_an_in_place_method_keeps_what_rules_saved():
    x = leaf(1.0, 2.0)
    y = x * 3
    square = y * y  # saved y
    y += 1
    (square + y).sum().backward()
    assert x.grad.tolist() == [2 * 3 * 3 + 3, 2 * 6 * 3 + 3]


def test_the_tensor_stays_the_same_object():
    y = leaf(1.0, 2.0) * 2
    same = y
    y += 1
    y.mul_(2)
    assert y is same
    assert y.tolist() == [6, 10]


def test_setitem_routes_the_gradient():
    x, v = leaf(1.0, 2.0, 3.0), leaf(10.0)
    y = x * 2
    y[1:2] = v
    (y * tensor([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [2, 0, 200]
    assert v.grad.tolist() == [10]


def test_the_last_of_repeated_writes_gets_the_gradient():
    v = leaf(1.0, 2.0, 3.0)
    y = autograd.zeros(2)
    y[[0, 0, 1]] = v
    assert y.tolist() == [2, 3]
    y.sum().backward()
    assert v.grad.tolist() == [0, 1, 1]


def test_a_buffer_filled_step_by_step():
    x = leaf(2.0)
    out = autograd.zeros(3)
    for i in range(3):
        out[i] = x[0] ** (i + 1)
    out.sum().backward()
    assert x.grad.tolist() == [1 + 4 + 12]


def test_augmented_assignment_to_a_part():
    x = leaf(1.0, 2.0)
    y = x * 1
    y[0] += 5
    y[1] *= y[0]
    y.sum().backward()
    assert x.grad.tolist() == [1 + 2, 6]


@pytest.mark.parametrize("value", [0, 2.5, [1, 2], np.array([[1.0, 2.0]])])
def test_setitem_takes_whatever_broadcasts_and_keeps_the_dtype(value):
    y = autograd.zeros(3, 2)
    y[1] = value
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y[1].numpy(), np.broadcast_to(np.asarray(value, np.float32), (1, 2))[0])


def test_outside_recording_memory_is_written_and_views_see_it():
    x = autograd.zeros(3)
    view, alias = x[1:], x.detach()
    x += 1
    view[0] = 5
    assert x.tolist() == [1, 5, 1]
    assert alias.tolist() == [1, 5, 1]
    w = leaf(1.0, 2.0)
    array = w.array
    with no_grad():
        w -= 1
        w[0].fill_(7) if hasattr(w, "fill_") else w[0].add_(7)
    assert w.array is array
    assert w.array[0] == 7


@pytest.mark.parametrize("change", [
    lambda t: t.mul_(2), lambda t: t.__setitem__(0, 1.0), lambda t: t[0:1].add_(1), lambda t: t.detach().add_(1)])
@pytest.mark.parametrize("kind", ["leaf", "constant", "intermediate"])
def test_a_change_between_forward_and_backward_is_found(kind, change):
    w = leaf(1.0, 2.0)
    changed = {"leaf": w, "constant": tensor([3.0, 4.0]), "intermediate": w * 1}[kind]
    y = (w * changed).sum()
    with no_grad():
        change(changed)
    with pytest.raises(RuntimeError, match=r"`mul` needs for its derivative.*changed in place.*clone\(\)"):
        y.backward()


def test_a_change_before_the_forward_pass_or_of_what_no_rule_reads_is_fine():
    w, c = leaf(1.0, 2.0), tensor([1.0, 1.0])
    with no_grad():
        w *= 2
    y = (w * w + c).sum()
    with no_grad():
        c += 1  # the rule of a sum reads nothing
    y.backward()
    assert w.grad.tolist() == [4, 8]


def test_an_optimizer_that_writes_arrays_says_so():
    w = leaf(1.0)
    y = w * w
    w.array[...] = 5
    autograd.increment_version(w)
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_a_leaf_is_not_changed_while_recording():
    w = leaf(1.0, 2.0)
    for change in (lambda: w.add_(1), lambda: w.__setitem__(0, 1.0), lambda: w[0:1].add_(1),
                   lambda: w.reshape(2, 1).mul_(2)):
        with pytest.raises(RuntimeError, match=r"leaf tensor that requires gradients.*no_grad"):
            change()
    (w * 1).sum().backward()
    assert w.tolist() == [1, 2]


@pytest.mark.parametrize("view", [lambda t: t[0:1], lambda t: t.reshape(2, 1), lambda t: t.detach()])
@pytest.mark.parametrize("through_view", [True, False])
def test_whoever_shares_memory_with_a_changed_tensor_is_refused(view, through_view):
    base = leaf(1.0, 2.0) * 2
    part = view(base)
    if through_view and not part.requires_grad:
        pytest.skip("a detached tensor is changed outside the graph")
    (part if through_view else base).add_(1)
    stale = base if through_view else part
    for use in (lambda: stale * 2, stale.tolist, stale.sum):
        with pytest.raises(RuntimeError, match="shares memory with one that was changed in place"):
            use()


def test_shape_and_kind_cannot_change_in_place():
    with pytest.raises(RuntimeError, match=r"from \(2,\) to \(2, 2\)"):
        tensor([1.0, 2.0]).add_(autograd.ones(2, 2))
    with pytest.raises(RuntimeError, match=r"float32 cannot be stored in place in a tensor of int64"):
        tensor([1, 2]).mul_(1.5)


def test_nothing_is_remembered_about_memory_that_is_gone():
    from autograd import inplace
    before = len(inplace._watched)
    for _ in range(100):
        y = leaf(1.0, 2.0) * 2
        z = y * y
        y += 1
        (y + z).sum().backward()
        del y, z
    assert len(inplace._watched) <= before + 2
    assert len(inplace.superseded) <= 2


def test_a_leaf_without_axes_that_changed_is_found_too():
    w = tensor(2.0, requires_grad=True)
    y = w * w
    with no_grad():
        w += 1
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_a_computed_number_shares_its_memory_when_detached():
    s = (leaf(1.0, 2.0) * 2).sum()
    s.detach().add_(1)
    assert s.item() == 7
    s.data.mul_(2)
    assert s.item() == 14
