"""Changing tensors in place: right, or refused. What PyTorch computes, or an error; never another number."""

import copy
import itertools

import numpy as np
import pytest

import autograd
import autograd.testing
from autograd import Graph, no_grad, tensor


def leaf(*values):
    return tensor(np.array(values, np.float32), requires_grad=True)


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


def test_a_gradient_that_more_is_added_to_has_changed_too():
    x, w = leaf(1.0), leaf(2.0)
    (x * 3).backward()
    y = w * x.grad
    (x * 3).backward()
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


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


# Through views: each of these reads the same of a Tensor and of a NumPy array, which share memory alike

VIEWS = {
    "slice": lambda t: t[1:3], "step": lambda t: t[::2, 1:], "row": lambda t: t[1], "column": lambda t: t[:, -1],
    "element": lambda t: t[2:3, 3:4], "transpose": lambda t: t.T, "swapaxes": lambda t: t.swapaxes(0, 1),
    "reshape": lambda t: t.reshape(2, 8), "newaxis": lambda t: t[:, None], "flat": lambda t: t.reshape(-1)[3:9],
    "row of transpose": lambda t: t.T[2], "block": lambda t: t.reshape(2, 2, 4)[1, :, 1:3], "all": lambda t: t[...],
    "diagonal": lambda t: np.diagonal(t)}
CHANGES = {
    "multiplied": lambda v, c: v.__imul__(c), "set": lambda v, c: v.__setitem__(Ellipsis, c),
    "set in part": lambda v, c: v.__setitem__((0, Ellipsis), c), "added": lambda v, c: v.__iadd__(v * c)}


def program(x, c, view, change, sibling):
    """y and others that share its memory, after y was changed through one of them."""
    y = x * 2
    part, other = view(y), sibling(y)
    if isinstance(part, np.ndarray):
        part.flags.writeable = True  # NumPy's diagonal is not by itself
    change(part, c)
    return y, part, other, view(y), y * other.sum()


@pytest.mark.parametrize("sibling", ["row", "transpose", "flat", "all"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("view", VIEWS)
def test_a_change_through_a_view_is_seen_by_all_and_differentiated(view, change, sibling):
    how = VIEWS[view], CHANGES[change], VIEWS[sibling]
    values = np.arange(1.0, 17.0).reshape(4, 4) / 7
    x, c = tensor(values, requires_grad=True), tensor(np.float64(3.0), requires_grad=True)
    for ours, numpys in zip(program(x, c, *how), program(values.copy(), 3.0, *how), strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), numpys)
        assert ours.requires_grad
    autograd.testing.gradcheck(lambda x, c: program(x, c, *how), [x, c])


@pytest.mark.parametrize("view", VIEWS)
def test_whoever_shares_memory_with_a_changed_tensor_shows_the_change(view):
    base = tensor(np.arange(16.0).reshape(4, 4), requires_grad=True) * 2
    part = VIEWS[view](base)
    detached, copied, whole = part.detach(), copy.copy(part), autograd.Tensor(base)
    base += 1
    now = base.detach().numpy()
    for shown in (part, detached, copied):
        np.testing.assert_array_equal(shown.tolist(), VIEWS[view](now))
    np.testing.assert_array_equal(whole.numpy(), now)
    assert part.requires_grad and not detached.requires_grad
    detached.zero_()  # outside the graph: the same memory
    np.testing.assert_array_equal(part.tolist(), np.zeros(part.shape))
    assert (VIEWS[view](base) == 0).all()


def test_a_part_that_was_detached_takes_the_whole_memory_along():
    base = tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True) * 1
    part, beside, empty = base[1:3].detach(), base.detach()[2:], base.detach()[4:]
    part.mul_(leaf(10.0))
    empty[...] = leaf()  # nothing
    assert base.tolist() == [1, 20, 30, 4] and beside.tolist() == [30, 4]
    assert part.requires_grad and not beside.requires_grad
    beside.zero_()
    assert base.tolist() == [1, 20, 0, 0] and part.tolist() == [20, 0]


@pytest.mark.parametrize("memory", [
    lambda x: x.astype(np.float32).view(np.int32).view(np.float32),
    lambda x: np.frombuffer(bytearray(x.astype(np.float32).tobytes()), np.uint8).copy().view(np.float32),
    lambda x: autograd.where(np.arange(len(x)) >= 0, leaf(*x), 0.0).detach().numpy(),  # by its bits
])
def test_memory_that_was_written_as_something_else_is_taken_along_as_what_it_is(memory):
    values = np.arange(10_000) / 2
    base = autograd.Tensor(memory(values))
    part = base.detach()[1:3]
    base.mul_(leaf(3.0))
    assert base.dtype == part.dtype == autograd.float32
    np.testing.assert_array_equal(base.tolist(), 3 * values)
    assert part.tolist() == [1.5, 3]
    part.zero_()
    assert base[:4].tolist() == [0, 0, 0, 4.5]


def test_memory_of_others_is_not_taken_along():
    base = autograd.Tensor(np.frombuffer(bytearray(16), np.float32))
    detached = base.detach()
    with pytest.raises(RuntimeError, match=r"another program.*clone\(\)"):
        base.add_(leaf(1.0))
    assert detached.tolist() == [0, 0, 0, 0]


def test_a_constant_becomes_a_result_and_so_do_its_views():
    x, base = leaf(2.0, 3.0), autograd.zeros(2, 2)
    row, column = base[0], base[:, 0]
    row.copy_(x)
    assert base.tolist() == [[2, 3], [0, 0]] and column.tolist() == [2, 0]
    column.sum().backward()
    assert x.grad.tolist() == [1, 0]


@pytest.mark.parametrize("parts", [lambda t: t.unbind(0), lambda t: t.chunk(2), lambda t: t.split([1, 1]), list])
def test_parts_are_views_too(parts):
    x = tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x * 1
    first, second = parts(y)
    second.mul_(first)
    first.zero_()
    assert y.tolist() == [[0, 0], [3, 8]]
    y.sum().backward()
    assert x.grad.tolist() == [[3, 4], [1, 2]]


@pytest.mark.parametrize("view", [lambda t: t.expand(3, 2), lambda t: t.unfold(0, 2, 1)[:, :1].expand(1, 2), lambda t:
                                  tensor([1.0, 2.0, 3.0]).mul(t.sum()).unfold(0, 2, 1)])
@pytest.mark.parametrize("change", [lambda t: t.add_(1), lambda t: t.zero_(), lambda t: t.__setitem__(0, 1.0)])
def test_elements_that_share_one_place_are_not_written_to(view, change):
    shared = view(leaf(1.0, 2.0) * 2)
    with pytest.raises(RuntimeError, match=r"share one place in memory.*clone\(\)"):
        change(shared)
    with no_grad(), pytest.raises(RuntimeError, match=r"share one place in memory.*clone\(\)"):
        change(autograd.zeros(1, 2).expand(3, 2))


@pytest.mark.parametrize("recording", [True, False])
def test_windows_are_written_to_if_they_do_not_overlap(recording):
    for length, size, step in itertools.product(range(5), range(5), range(1, 4)):
        if size > length:
            continue
        x = autograd.zeros(2, length)
        x = x.requires_grad_() * 1 if recording else x
        windows = x.unfold(1, size, step)
        if windows.shape[1] == 1 or step >= size:
            windows.add_(1)
            assert x.sum().item() == windows.numel()
        else:
            with pytest.raises(RuntimeError, match="share one place in memory"):
                windows.add_(1)


def test_a_view_taken_without_recording_does_not_lose_a_recorded_change():
    w = leaf(2.0)
    base = w * autograd.ones(3)
    with no_grad():
        view = base[1:]
    view.fill_(5)  # as a number is written anyway
    assert base.tolist() == [2, 5, 5]
    with pytest.raises(RuntimeError, match=r"taken under no_grad.*clone\(\)"):
        view.mul_(w)
    base.mul_(w)
    assert view.tolist() == [10, 10] and not view.requires_grad


def test_a_shape_changed_in_place_leaves_views_as_they_are():
    x = tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    y = x * 1
    row, same = y[0], y
    y.squeeze_(0)
    assert y.shape == row.shape == (3,) and autograd.ones(1, 2).squeeze_(0).shape == (2,)
    row[1] = 10
    y[2:].mul_(2)
    assert y is same and y.tolist() == [1, 10, 6] and row.tolist() == [1, 10, 6]
    (y + row).sum().backward()
    assert x.grad.tolist() == [[2, 0, 4]]


def test_a_shape_is_not_changed_in_place_without_its_history():
    y = tensor([[1.0]], requires_grad=True) * 2
    with no_grad(), pytest.raises(RuntimeError, match=r"`mul`.*another shape.*without underscore"):
        y.squeeze_(0)


def test_a_reshape_that_has_to_copy_is_no_view():
    y = tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True) * 1
    flat = y.T.reshape(-1)
    flat.zero_()
    assert y.tolist() == [[1, 2], [3, 4]] and flat.tolist() == [0, 0, 0, 0]
    (y + flat.sum()).sum().backward()


def test_a_computed_number_can_be_written_to():
    x = leaf(1.0, 2.0)
    for change in (lambda s: s.zero_(), lambda s: s.fill_(0), lambda s: s.mul_(0), lambda s: s.view(1).zero_(),
                   lambda s: s.__setitem__(..., 0), lambda s: s.detach().zero_(), lambda s: s.detach().view(1).zero_()):
        for total in (x.sum(), x.detach().sum(), (x * x)[1]):
            change(total)
            assert total.item() == 0


def test_a_value_with_leading_axes_of_one_fits_where_numpy_ignores_them():
    out, v = autograd.zeros(3), leaf(4.0)
    out[1] = v
    out[2] = v.reshape(1, 1) * 2
    assert out.tolist() == [0, 4, 8]
    out.sum().backward()
    assert v.grad.tolist() == [3]


def test_what_retain_grad_keeps_is_the_gradient_of_the_newest_value():
    x = leaf(1.0, 2.0)
    y = x * 1
    y.retain_grad()
    view = y[0]
    view.retain_grad()
    y.mul_(3)
    y.register_hook(lambda g: g * 10)
    (y * y).sum().backward(retain_graph=True)
    assert y.grad.tolist() == [2 * 3 * 10, 2 * 6 * 10]
    assert x.grad.tolist() == [2 * 3 * 30, 2 * 6 * 30]
    (view * 7).backward()
    assert view.grad.item() == 7
    z = x * 1
    view = z[0]
    view.retain_grad()
    z.mul_(3)
    z.sum().backward()
    assert view.grad is None  # its newest value was not used


def test_many_views_cost_what_each_costs_alone():
    y = leaf(*map(float, range(200))) * 1
    parts = [y[i] for i in range(200)]
    before = next(autograd.clock.clock)
    for part in parts:
        part.mul_(2)
    assert y.tolist() == [2 * i for i in range(200)]
    assert next(autograd.clock.clock) - before < 200 * 10  # nodes: a view that nobody looks at is not taken again


# Other values for a tensor: `.data =`

@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("shape", [(), (2,)])
def test_other_data_between_forward_and_backward_leave_the_derivative_as_it_was(create_graph, shape):
    w = autograd.full(shape, 3.0, requires_grad=True)
    y = (w ** 3).sum()
    w.data = autograd.full(shape, 100.0)
    g, = autograd.grad(y, w, create_graph=create_graph)
    assert g.tolist() == np.full(shape, 27.0).tolist()
    if create_graph:
        assert autograd.grad(g.sum(), w)[0].tolist() == np.full(shape, 18.0).tolist()


def test_data_shares_the_memory_of_what_it_was_given():
    w, values = leaf(1.0, 2.0), tensor([3.0, 4.0])
    view = w.detach()
    w.data = values
    values.add_(1)
    assert w.tolist() == [4, 5] and view.tolist() == [1, 2]
    with pytest.raises(RuntimeError, match=r"int64.*\.float\(\)"):
        w.data = tensor([1, 2])
    w.detach().mul_(leaf(10.0))
    assert values.tolist() == [40, 50]


def test_other_data_leave_the_old_memory_to_those_who_share_it():
    w = tensor([1.0, 2.0])
    first, second, view = w.detach(), w.detach(), w[:1]
    w.data = tensor([5.0, 6.0])
    first.mul_(leaf(10.0))
    assert w.tolist() == [5, 6] and first.tolist() == second.tolist() == [10, 20] and view.tolist() == [10]
    w.mul_(leaf(2.0))
    view.add_(1)
    assert w.tolist() == [10, 12] and first.tolist() == second.tolist() == [11, 20]


def test_shape_and_kind_cannot_change_in_place():
    with pytest.raises(RuntimeError, match=r"from \(2,\) to \(2, 2\)"):
        tensor([1.0, 2.0]).add_(autograd.ones(2, 2))
    with pytest.raises(RuntimeError, match=r"from \(3, 1\) to \(3, 4\)"):
        autograd.ones(3, 1).add_(autograd.ones(1, 4))
    with pytest.raises(RuntimeError, match=r"float32 cannot be stored in place in a tensor of int64"):
        tensor([1, 2]).mul_(1.5)
    x = tensor([1.0])
    assert x.add_(autograd.tensor([2.0], dtype=np.float64)) is x and x.dtype == np.float32 and x.item() == 3


def test_a_comparison_in_place_has_a_history_without_slope():
    x = leaf(1.0, 3.0)
    y = x * 1
    y.ge_(2.0)
    assert Graph(y).forward()[y.node].tolist() == y.tolist() == [0, 1]
    y.sum().backward()
    assert x.grad.tolist() == [0, 0]


def test_what_was_filled_while_recording_can_be_written_to_afterwards():
    y = leaf(1.0, 2.0) * 1
    y.fill_(5)
    with no_grad():
        y.add_(10)
    assert y.tolist() == [15, 15]


def test_nothing_can_be_changed_in_what_has_no_elements():
    base = leaf() * 1
    twin = base.detach()
    base.add_(1)
    assert base.shape == twin.shape == (0,)


def test_nothing_is_remembered_about_memory_that_is_gone():
    from autograd import sharing
    before = len(sharing._watched), len(sharing._written)
    for _ in range(100):
        y = leaf(1.0, 2.0) * 2
        z = y * y
        y += 1
        (y + z).sum().backward()
        with no_grad():
            y += 1
            y += 1
        del y, z
    assert len(sharing._watched) <= before[0] and len(sharing._written) <= before[1]


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


def test_views_of_computed_numbers_share_their_memory():
    s = tensor([1.0, 2.0]).sum()
    view = s.reshape(1)
    s.fill_(5)
    assert view.tolist() == [5]
    total = leaf(1.0, 2.0).sum()
    view = total.reshape(1)
    total.mul_(2)
    assert view.tolist() == [6]  # taken again, of a number computed anew
    with no_grad():
        total.fill_(7)
    assert view.tolist() == [7]


@pytest.mark.parametrize("recording", [True, False])
def test_a_tensor_is_written_to_its_own_elements_in_another_order(recording):
    x = tensor([1.0, 2.0, 3.0], requires_grad=recording)
    y = x * 1 if recording else x
    y[[2, 0, 1]] = y
    assert y.tolist() == [2, 3, 1]
    with pytest.raises(RuntimeError, match="cannot be written"):
        y[1:1] = y
    if recording:
        (y * tensor([1.0, 2.0, 3.0])).sum().backward()
        assert x.grad.tolist() == [3, 1, 2]


def test_a_view_of_a_detached_tensor_stays_the_leaf_that_it_was_made():
    torch = pytest.importorskip("torch")
    for m in (autograd, torch):
        x = m.tensor([1.0, 2.0], requires_grad=True)
        base = x * 1
        detached = base.detach()
        leaf = detached[1:]
        leaf.requires_grad_()
        base += x
        assert (leaf.requires_grad, leaf.tolist(), detached.tolist()) == (True, [4], [2, 4])
        (leaf * 3).sum().backward()
        assert leaf.grad.tolist() == [3]


# Writes beside what was saved

def test_what_is_written_beside_what_was_saved_changes_nothing():
    """A buffer is filled column by column, while the columns before are in use."""
    x = tensor([1.0, 2.0], requires_grad=True)
    columns = autograd.zeros(2, 3)
    total = 0
    for i in range(3):
        columns.data[:, i] = float(i + 1)
        total = total + (columns[:, :i + 1] * x[:, None]).sum()
    total.backward()
    assert x.grad.tolist() == [10, 10]


@pytest.mark.parametrize("write", [
    lambda t: t.data.__setitem__((slice(None), 0), 5.0), lambda t: t.data.zero_(), lambda t: t[1].data.zero_(),
    lambda t: t.data.__setitem__(np.array([False, True]), 5.0)])
def test_what_is_written_where_something_was_saved_is_refused(write):
    x, columns = tensor([1.0, 2.0], requires_grad=True), autograd.zeros(2, 3)
    y = (columns[:, :2] * x[:, None]).sum()
    write(columns)
    with pytest.raises(RuntimeError, match="changed in place after the forward pass"):
        y.backward()


def test_after_many_writes_it_counts_as_all():
    x, rows = tensor([1.0], requires_grad=True), autograd.zeros(2000, 1)
    y = (rows[:1] * x).sum()
    for i in range(1, 2000):
        rows.data[i] = 1.0
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()
