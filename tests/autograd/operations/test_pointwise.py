"""Arithmetic of integers, booleans and numbers: in which dtype, and what is refused."""

import numpy as np
import pytest

import autograd

INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]


@pytest.mark.parametrize("x", ["float16", "float32", "float64", "int64"])
@pytest.mark.parametrize("other", INTEGERS)
def test_alpha_multiplies_in_the_dtype_of_the_result(x, other):
    """A small integer times alpha may be too large for its own dtype; PyTorch's rule."""
    x, other = autograd.tensor(np.array([1, 2], x)), autograd.tensor(np.array([100, 3], other))
    for alpha in (2, 5, 300, -1):
        for found, sign in ((autograd.add(x, other, alpha=alpha), 1), (autograd.sub(x, other, alpha=alpha), -1),
                            (autograd.rsub(other, x, alpha=alpha), -1), (x.clone().add_(other, alpha=alpha), 1)):
            assert found.dtype == x.dtype
            assert found.tolist() == pytest.approx([1 + sign * alpha * 100, 2 + sign * alpha * 3], rel=1e-3)


def test_alpha_of_what_has_more_digits():
    exact = autograd.add(autograd.tensor(np.ones(2)), autograd.tensor([16777217, 2]), alpha=1.5)
    assert exact.tolist() == [1 + 1.5 * 16777217, 4]
    assert autograd.add(autograd.tensor([1.0, 2.0]), [1, 2], alpha=2).tolist() == [3, 6]


@pytest.mark.parametrize("into", INTEGERS)
@pytest.mark.parametrize("other", INTEGERS)
def test_an_integer_is_changed_in_place_by_any_other(into, other):
    """As in PyTorch: the result wraps around if it does not fit."""
    x = autograd.tensor(np.array([3, 4], into))
    x += autograd.tensor(np.array([1, -2 if other[0] == "i" else 2], other))
    assert (str(x.dtype), x.tolist()) == (into, [4, 2 if other[0] == "i" else 6])
    with pytest.raises(RuntimeError, match="cannot be stored in place"):
        x += 0.5


@pytest.mark.parametrize("divide", [
    lambda x, y: x // y, lambda x, y: x % y, lambda x, y: 7 // (y + 0 * x), lambda x, y: x.clone().floor_divide_(y),
    autograd.fmod, lambda x, y: autograd.div(x, y, rounding_mode="floor"),
    lambda x, y: autograd.div(x, y, rounding_mode="trunc")])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_are_not_divided_by_0(divide, dtype):
    """NumPy makes 0 of it; PyTorch refuses it, too."""
    x = autograd.tensor(np.array([[7, 8], [9, 10]], dtype))
    for y in (0, autograd.tensor(np.array([1, 0], dtype)), autograd.tensor(np.array(0, dtype))):
        with pytest.raises(RuntimeError, match="integers cannot be divided by 0"):
            divide(x, y)
    assert divide(x, autograd.tensor(np.array([1, 2], dtype))).shape == (2, 2)
    assert divide(x[:0], autograd.zeros(0, 2, dtype=x.dtype)).shape == (0, 2)


def test_floats_are_divided_by_0():
    x = autograd.tensor([1.0, 0.0, -1.0])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(x // 0, [np.inf, np.nan, -np.inf])
        np.testing.assert_array_equal(autograd.tensor([1, 0]) % 0.0, [np.nan, np.nan])


def test_powers_of_booleans():
    """NumPy's have 8 bits, PyTorch's those of the exponent."""
    x = autograd.tensor([True, False])
    for exponent, expected in ((2, [1, 0]), (autograd.tensor([2, 0]), [1, 1]), (0.5, [1.0, 0.0]),
                               (True, [True, False]), (False, [True, True]), (x, [True, True])):
        assert (x ** exponent).tolist() == expected
    dtypes = [(x ** exponent).dtype for exponent in (2, 0.5, True, x)]
    assert dtypes == [autograd.int64, autograd.float32, autograd.bool, autograd.bool]


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS])
@pytest.mark.parametrize("value", [True, 2, 1.5, np.float32(1.5), np.int64(2)])
def test_a_number_among_others_is_of_their_dtype(dtype, value):
    x, expected = autograd.tensor(np.array([1, 0, 0]).astype(dtype)), np.array([1, 0, value]).astype(dtype)
    at, mask = autograd.tensor([2]), autograd.tensor([False, False, True])
    for lead in ((), (1,), (1, 1)):
        x, at, mask = (t.reshape(*lead, -1) for t in (x, at, mask))
        for found in (x.masked_fill(mask, value), x.clone().masked_fill_(mask, value),
                      x.index_fill(-1, at.reshape(-1), value), x.scatter(-1, at, value),
                      x.scatter(-1, at, value=value), x.clone().scatter_(-1, at, value),
                      x.scatter(-1, at, value, reduce="add")):
            assert found.dtype == x.dtype and found.flatten().tolist() == expected.tolist()


def test_a_number_that_their_dtype_does_not_have_is_refused():
    x, at = autograd.zeros(2, 3, dtype=autograd.uint8), autograd.tensor([[1]])
    for fill in (lambda n: x.masked_fill(x == 0, n), lambda n: x.scatter(0, at, n),
                 lambda n: x.index_fill(0, at[0], n)):
        for number in (300, np.int64(-1)):
            with pytest.raises(OverflowError, match="out of bounds for uint8"):
                fill(number)
