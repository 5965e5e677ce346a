"""Questions about tensors and dtypes, and what PyTorch answers."""

import itertools

import pytest

import autograd

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


def name(dtype):
    return str(dtype).removeprefix("torch.")


@pytest.mark.parametrize(("a", "b"), itertools.product(DTYPES, DTYPES))
def test_dtypes_that_meet(a, b):
    torch = pytest.importorskip("torch")
    ours, theirs = ([getattr(m, dtype) for dtype in (a, b)] for m in (autograd, torch))
    assert name(autograd.promote_types(*ours)) == name(torch.promote_types(*theirs))
    assert autograd.can_cast(*ours) == torch.can_cast(*theirs)
    for shapes in itertools.product([(), (2,)], repeat=2):
        x, y = ([m.ones(shape, dtype=dtype) for shape, dtype in zip(shapes, dtypes, strict=True)]
                for m, dtypes in ((autograd, ours), (torch, theirs)))
        assert name(autograd.result_type(*x)) == name(torch.result_type(*y))


def test_what_a_tensor_is():
    x = autograd.ones(2, 3)
    assert autograd.is_tensor(x)
    assert not autograd.is_tensor(x.numpy())
    assert autograd.numel(x) == 6
    assert autograd.is_floating_point(x)
    assert not autograd.is_floating_point(x.long())
    assert not autograd.is_complex(x)
    assert autograd.is_signed(x.long()) and not x.byte().is_signed()
    assert autograd.is_nonzero(autograd.tensor([2.0])) and not autograd.tensor(0).is_nonzero()
    assert x.is_same_size(x + 1) and not autograd.is_same_size(x, x[0])
    assert autograd.broadcast_shapes((2, 1), (3,), 1) == (2, 3)
    assert autograd.result_type(autograd.tensor([1]), 1.5) == autograd.float32
    with pytest.raises(RuntimeError, match="exactly one element"):
        autograd.is_nonzero(x)


def test_numbers_of_elements_become_indices():
    rows, columns = autograd.unravel_index(autograd.tensor([1, 5]), (2, 3))
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [1, 2])
    with pytest.raises(ValueError, match="out of bounds"):
        autograd.unravel_index(autograd.tensor([6]), (2, 3))
