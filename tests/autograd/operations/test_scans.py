"""Scans and differences along an axis."""

import numpy as np
import pytest

import autograd


@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_by_differences_are_numpys(order):
    x = np.cumsum(np.arange(20.0) ** 1.5).reshape(4, 5)
    positions = [np.array([0.0, 1.0, 3.0, 4.5]), 0.5]
    ours = autograd.gradient(autograd.tensor(x), spacing=[autograd.tensor(positions[0]), 0.5], edge_order=order)
    for a, b in zip(ours, np.gradient(x, *positions, edge_order=order), strict=True):
        np.testing.assert_allclose(a.numpy(), b)
    with pytest.raises(RuntimeError, match="need more than"):
        autograd.gradient(autograd.tensor(x[:1]), dim=0)


@pytest.mark.filterwarnings("ignore:.*encountered")
@pytest.mark.parametrize("scale", [1, 1e-3, 1e3])
@pytest.mark.parametrize("shape", [(7, 1001), (1024, 9), (3, 40, 70), (9000,)])
def test_products_of_many_float32_have_the_gradients_of_float64(shape, scale):
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape).astype(np.float32) * np.float32(scale)
    mild = np.where(rng.random(shape) < 0.98, np.sign(x) / np.float32(scale) ** 0.01, x).astype(np.float32)
    with_zeros = np.where(rng.random(shape) < 0.002, np.float32(0), mild)
    for values in (x, mild, with_zeros):
        for dim in range(x.ndim):
            for function in (autograd.prod, autograd.cumprod):
                slopes = []
                for dtype in (np.float32, np.float64):
                    given = autograd.tensor(values.astype(dtype), requires_grad=True)
                    out = function(given, dim=dim)
                    weights = np.cos(np.arange(out.numel()), dtype=np.float32).reshape(out.shape).astype(dtype)
                    slopes.append(autograd.grad((out * weights).sum(), given)[0].numpy().astype(np.float32))
                ours, expected = slopes
                both = np.isfinite(ours) & np.isfinite(expected)
                np.testing.assert_allclose(ours[both], expected[both], rtol=1e-4, atol=1e-30)
                assert scale != 1 or both.all()


@pytest.mark.parametrize("shape", [(300,), (100_000,), (40_000, 3), (3, 40_000)])
def test_sums_of_exponentials_do_not_lose_digits_with_length(shape):
    """Of float32, beside float64."""
    values, dim = np.random.default_rng(0).normal(size=shape).astype(np.float32) * 3, int(shape[0] < shape[-1])
    slopes = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    found = []
    for dtype in (np.float32, np.float64):
        x = autograd.tensor(values.astype(dtype), requires_grad=True)
        y = autograd.logcumsumexp(x, dim)
        y.backward(autograd.tensor(slopes.astype(dtype)))
        found.append([y.detach().numpy(), x.grad.numpy()])
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=2e-7)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=0, atol=2e-3 * np.abs(found[1][1]).max())


@pytest.mark.parametrize("shape", [(2, 9, 64), (2, 9, 8, 8), (9, 65), (0, 9, 64), (2, 0, 64), (2, 1, 64), (2, 9, 63)])
def test_wide_rows_are_accumulated_as_numpy_does(shape):
    dim, rng = int(len(shape) > 2), np.random.default_rng(0)
    x = rng.integers(-3, 3, shape).astype(np.float64)
    x[rng.random(shape) > 0.95] = np.nan
    for ufunc, name in ((np.maximum, "cummax"), (np.minimum, "cummin")):
        values, indices = getattr(autograd.tensor(x), name)(dim)
        expected = ufunc.accumulate(x, dim)
        np.testing.assert_array_equal(values.numpy(), expected)
        taken = np.where(np.isnan(x) | (x == expected), np.indices(shape)[dim], 0)
        np.testing.assert_array_equal(indices.numpy(), np.maximum.accumulate(taken, dim))
