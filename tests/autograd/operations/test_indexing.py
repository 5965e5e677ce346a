"""Every kind of index, read and written, as PyTorch understands it; and reading along an axis by positions."""

import numpy as np
import pytest

import autograd
from autograd import Tensor, no_grad, tensor
from autograd.operations.indexing import add_rows, places

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

INDICES = {
    "a number": lambda of: 1,
    "a negative number": lambda of: -1,
    "numbers for all axes": lambda of: (1, 2, -1),
    "a slice": lambda of: slice(1, None),
    "steps": lambda of: (slice(None, None, 2), slice(1, 3)),
    "an ellipsis": lambda of: (..., 0),
    "everything": lambda of: ...,
    "new axes": lambda of: (None, 0, ..., None),
    "None": lambda of: None,
    "an integer tensor": lambda of: of([1, 0, 1]),
    "a tensor without axes": lambda of: of(1),
    "one without axes, a slice, a list": lambda of: (of(0), slice(None), [0, 1]),
    "a tensor, a slice, one without axes": lambda of: (of([1, 0]), slice(None), of(-1)),
    "an array without axes, a slice, a tensor": lambda of: (np.array(1), slice(None), of([[0], [1]])),
    "a slice and one without axes": lambda of: (slice(None), of(1)),
    "a matrix of positions": lambda of: of([[0, 1], [1, 1]]),
    "a list": lambda of: [1, 1],
    "an empty list": lambda of: [],
    "a list in a tuple": lambda of: (slice(None), [2, 0, 2]),
    "a range": lambda of: range(2),
    "two tensors": lambda of: (of([0, 1, 1]), of([2, 0, 0])),
    "two that broadcast": lambda of: (of([[0], [1]]), of([2, 0])),
    "tensors apart": lambda of: (of([0, 1]), slice(None), of([2, 0])),
    "a tensor after a number": lambda of: (0, of([2, 1])),
    "a number, a slice, a tensor": lambda of: (0, slice(None), of([2, 1])),
    "a tensor, a slice, a number": lambda of: (of([1, 1]), slice(1, None), 0),
    "a number, a new axis, a tensor": lambda of: (0, None, of([2, 1])),
    "a number, an ellipsis, a matrix": lambda of: (1, ..., of([[2, 1], [0, 0]])),
    "a mask": lambda of: of([[True, False, True], [False, False, True]]),
    "a mask of all axes": lambda of: of(np.arange(24).reshape(2, 3, 4) % 3 == 0),
    "a mask of the last axis": lambda of: (..., of([True, False, True, True])),
    "a mask and a number": lambda of: (of([False, True]), 2),
    "True": lambda of: True,
    "False": lambda of: False,
    "a NumPy integer": lambda of: np.int64(1),
}

every_index = pytest.mark.parametrize("index", INDICES.values(), ids=INDICES.keys())


def pair(requires_grad=True):
    values = np.random.default_rng(0).standard_normal((2, 3, 4))
    return Tensor(values.copy(), requires_grad), torch.tensor(values.copy(), requires_grad=requires_grad)


def agree(ours, theirs):
    assert ours.shape == tuple(theirs.shape)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy())


@every_index
def test_reading(index):
    x, y = pair()
    ours, theirs = x[index(tensor)], y[index(torch.tensor)]
    agree(ours, theirs)
    weight = np.random.default_rng(1).standard_normal(ours.shape)
    (ours * Tensor(weight)).sum().backward()
    (theirs * torch.tensor(weight)).sum().backward()
    agree(x.grad, y.grad)


@every_index
def test_writing_while_recording(index):
    x, y = pair()
    v, w = tensor(5.0, dtype=np.float64, requires_grad=True), torch.tensor(5.0, dtype=torch.float64)
    ours, theirs = x * 2, y * 2
    ours[index(tensor)], theirs[index(torch.tensor)] = v, w
    agree(ours, theirs)
    weight = np.random.default_rng(2).standard_normal(x.shape)
    (ours * Tensor(weight)).sum().backward()
    (theirs * torch.tensor(weight)).sum().backward()
    agree(x.grad, y.grad)
    # Where positions repeat, PyTorch gives the value a gradient for each time it was written; right is the last alone.
    written = torch.zeros_like(y.detach())
    written[index(torch.tensor)] = 1
    np.testing.assert_allclose(v.grad.item(), (written.numpy() * weight).sum())


@every_index
def test_writing_into_memory(index):
    x, y = pair(requires_grad=False)
    memory = x.array
    part = np.random.default_rng(1).standard_normal(tuple(y[index(torch.tensor)].shape))
    part[...] = part.reshape(-1)[:1] if part.size else part  # equal values: repeated positions have one result
    x[index(tensor)], y[index(torch.tensor)] = Tensor(part), torch.tensor(part)
    agree(x, y)
    assert x.array is memory


def test_numbers_and_slices_give_views_and_tensors_give_copies():
    x = autograd.zeros(3, 4)
    for view in (x[1], x[1, 2], x[:, 1:3], x[None], x[..., 0]):
        assert np.shares_memory(view.array, x.array)
    assert not np.shares_memory(x[tensor([0, 1])].array, x.array)


def test_writing_one_element_writes_one_element():
    x = autograd.zeros(1000)
    before = x.array
    for i in range(3):
        x[i] = i
    assert x.array is before
    assert x[:4].tolist() == [0, 1, 2, 0]


def test_values_are_converted_to_the_tensors_dtype():
    x = autograd.zeros(3)
    x[0], x[1] = np.float64(1.5), tensor(2)
    assert x.dtype == np.float32
    n = tensor([1, 2, 3])
    n[0] = 2.7
    assert n.tolist() == [2, 2, 3]


def test_a_gradient_of_repeated_rows_adds_up_exactly():
    rng = np.random.default_rng(0)
    table, rows = rng.standard_normal((7, 50)), rng.integers(-7, 7, (40, 3))
    x = Tensor(table, requires_grad=True)
    g = rng.standard_normal((40, 3, 50))
    x[rows].backward(Tensor(g))
    expected = np.zeros_like(table)
    np.add.at(expected, rows, g)
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize(("wrong", "says"), [
    (lambda x: x[3], r"shape \(3, 4\).*out of bounds"),
    (lambda x: x[0, 0, 0], "too many indices"),
    (lambda x: x[tensor([0.5])], "integer"),
    (lambda x: x.__setitem__(0, autograd.zeros(3)), r"value of shape \(3,\).*shape \(3, 4\)"),
    (lambda x: x.__setitem__(5, 0.0), r"shape \(3, 4\).*out of bounds"),
    (lambda x: x.select(2, 0), "dim=2.*2 axes"),
    (lambda x: x.narrow(0, 2, 2), r"^narrow\(.*, 0, 2, 2\): start=2 and length=2 reach beyond the shape \(3, 4\)"),
    (lambda x: x.gather(0, tensor([0])), "index has 1 axes and the tensor 2"),
])
def test_what_does_not_fit_is_named(wrong, says):
    for x in (autograd.zeros(3, 4), autograd.zeros(3, 4, requires_grad=True) * 1):
        with pytest.raises((IndexError, RuntimeError), match=says):
            wrong(x)


def test_scatter_gives_a_gradient_only_to_the_value_that_stays():
    x, src = autograd.zeros(3, requires_grad=True), tensor([1.0, 2.0], requires_grad=True)
    y = x.scatter(0, tensor([1, 1]), src)
    assert y.tolist() == [0, 2, 0]
    y.backward(tensor([5.0, 6.0, 7.0]))
    assert x.grad.tolist() == [5, 0, 7]
    assert src.grad.tolist() == [0, 6]


@pytest.mark.parametrize("recording", [True, False])
@pytest.mark.parametrize("change", [
    lambda x, of: x.scatter_(1, of([[0, 2], [1, 0]]), of([[1.0, 2.0], [3.0, 4.0]])),
    lambda x, of: x.scatter_(1, of([[0], [1]]), 5.0),
    lambda x, of: x.scatter_(1, of([[0], [1]]), value=5.0),
    lambda x, of: x.scatter_add_(1, of([[0, 0], [1, 0]]), of([[1.0, 2.0], [3.0, 4.0]])),
    lambda x, of: x.index_add_(0, of([1, 1]), of([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), alpha=2),
    lambda x, of: x.index_copy_(0, of([1]), of([[1.0, 2.0, 3.0]])),
    lambda x, of: x.index_fill_(1, of([0, 2]), -1.0),
    lambda x, of: x.masked_fill_(of([[True, False, True], [False, False, True]]), 9.0),
    lambda x, of: x.masked_fill_(of([True, False, True]), float("-inf")),
    lambda x, of: x.fill_(3),
    lambda x, of: x.zero_(),
    lambda x, of: x.copy_(of([1, 2, 3])),
    lambda x, of: x.tril_(),
    lambda x, of: x.triu_(1),
])
def test_in_place_as_pytorch(change, recording):
    values = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    x, y = Tensor(values.copy(), requires_grad=recording), torch.tensor(values.copy(), requires_grad=recording)
    ours, theirs = (x * x, y * y) if recording else (x, y)
    memory = ours.array
    assert change(ours, tensor) is ours
    change(theirs, torch.tensor)
    agree(ours, theirs)
    assert (ours.array is memory) is not recording
    if recording:
        weight = np.arange(6.0, dtype=np.float32).reshape(2, 3) + 1
        ours.backward(Tensor(weight))
        theirs.backward(torch.tensor(weight))
        agree(x.grad, y.grad)


def test_a_leaf_is_changed_in_place_only_under_no_grad():
    for change in (lambda x: x.zero_(), lambda x: x.fill_(1), lambda x: x.copy_(tensor([1.0, 2.0])),
                   lambda x: x.normal_(), lambda x: x.unsqueeze_(0)):
        x = tensor([1.0, 2.0], requires_grad=True)
        with pytest.raises(RuntimeError, match="no_grad"):
            change(x)
        with no_grad():
            change(x)
        assert x.is_leaf
        assert x.requires_grad


@pytest.mark.parametrize("zero", [tensor(0), np.array(0), np.int64(0)], ids=["tensor", "array", "scalar"])
def test_a_position_without_axes_is_a_number(zero):
    x = tensor(np.arange(24.0).reshape(2, 3, 4), requires_grad=True)
    assert x[zero, :, [0, 1]].shape == x[0, :, [0, 1]].shape == (3, 2)
    with autograd.no_grad():
        x[zero][1] = 7  # a view
    assert (x[0, 1] == 7).all()


@pytest.mark.parametrize("dtype", [np.float32, np.int8])
@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("count", [5, 300])
@pytest.mark.parametrize("row", [np.arange(20), np.broadcast_to(3, 20)])
def test_rows_that_are_all_one_are_added_as_often(dtype, fresh, count, row):
    index = np.random.default_rng(0).integers(0, count, 1000)
    rows = np.broadcast_to(row.astype(dtype), (1000, 20))
    start = np.full((count, 20), not fresh, dtype)
    ours, one_by_one = start.copy(), start.copy()
    add_rows(ours, index, rows, fresh)
    np.add.at(one_by_one, index, rows)
    np.testing.assert_array_equal(ours, one_by_one)


ROWS, COLUMNS = np.array([5, 0, -1, 5]), np.array([6, 1, -7, 6])


@pytest.mark.parametrize("index", [
    (slice(1, 4), ROWS), (slice(1, 4), ROWS, COLUMNS), (slice(1, 4), slice(None, None, -2), COLUMNS),
    (ROWS % 5, slice(1, 6, 2)), (slice(1, 4), ROWS, slice(0, 7, 3)), (slice(0, 0), ROWS), (slice(1, 4), None, ROWS),
    (ROWS % 5, slice(None), COLUMNS), (slice(1, 4), 2, COLUMNS), (2, slice(1, 4), COLUMNS), (..., COLUMNS), 2,
    (slice(1, 4),), slice(1, 3), ROWS % 5, (slice(1, 3), np.arange(42).reshape(6, 7) % 3 == 0),
    (slice(None), ROWS[:, None], COLUMNS)],
    ids=repr)
def test_places_are_what_the_index_reads_of_all_places(index):
    shape = (5, 6, 7)
    np.testing.assert_array_equal(places(index, shape), np.arange(210).reshape(shape)[index], strict=True)
