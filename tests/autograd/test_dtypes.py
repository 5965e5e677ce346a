"""Dtypes: Python numbers take the default, arrays keep theirs, and what meets is promoted."""

import numpy as np
import pytest

import autograd
from autograd import Tensor, tensor
from autograd.table import TABLE


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


def test_what_meets_under_one_rule_is_promoted_but_for_indices():
    x, y = tensor([1.0], requires_grad=True), tensor([2.0], dtype=np.float64, requires_grad=True)
    joined = autograd.cat([x, y, tensor([3])])
    joined.sum().backward()
    assert joined.dtype == y.grad.dtype == np.float64 and x.grad.dtype == np.float32


def test_functions_of_small_integers_have_the_digits_of_the_default_dtype():
    np.testing.assert_allclose(tensor([1, 2], dtype=np.int8).exp().numpy(), np.exp([1.0, 2.0]), rtol=1e-6)


WITH_DTYPE = [name for name, op in TABLE.items() if "dtype" in op.signature.parameters and name[0] != "_"]


@pytest.mark.parametrize("asked", [np.bool_, np.uint8, np.int16, np.int32, np.int64, np.float16, np.float32,
                                   np.float64])
@pytest.mark.parametrize("name", WITH_DTYPE)
def test_a_dtype_that_is_asked_for_is_that_of_the_result(name, asked):
    """And the numbers are those of the tensor in that dtype, few or many."""
    compute, whole = getattr(autograd, name), np.dtype(asked).kind != "f"
    if whole and name not in ("sum", "prod", "cumsum", "cumprod", "nansum"):
        pytest.skip("it is of fractions")
    dim = 0 if "cum" in name or "softmax" in name else None
    for shape in ((3, 2), (200, 100)):
        values = np.random.default_rng(0).integers(1, 4, shape)
        for dtype in (np.uint8, np.int32, np.int64, np.float32, np.float64):
            x = Tensor(values.astype(dtype))
            out = compute(x, dim=dim, dtype=asked)
            assert out.dtype == asked, (shape, dtype)
            if whole:  # as NumPy's, which go round
                expected = getattr(np, name)(values.astype(asked), axis=dim, dtype=asked)
                np.testing.assert_array_equal(out.array, expected)
            elif asked != np.float16 and dim is not None:
                np.testing.assert_array_equal(out.array, compute(Tensor(values.astype(asked)), dim=dim).array)


@pytest.mark.parametrize("name", ["mean", "nanmean", "amax", "amin", "max", "min", "var", "std"])
def test_more_numbers_than_float16_has(name):
    """Which is counted in another dtype, in gradients, too."""
    values = np.tile(np.float16([1, 2, 3, 3, 1]), 14_000)
    slopes = []
    for dtype in (np.float16, np.float64):
        x = Tensor(values.astype(dtype), requires_grad=True)
        y = getattr(autograd, name)(x)
        y.backward()
        slopes.append([y.item(), *x.grad.numpy()[:5].astype(float)])
    np.testing.assert_allclose(*slopes, rtol=2e-3, atol=6e-8)
