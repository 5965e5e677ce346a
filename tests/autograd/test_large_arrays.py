"""Large arrays go other ways than small ones (no branches, sums as products): the results are the same."""

import itertools

import numpy as np
import pytest

import autograd
from autograd.runtime.sums import added
from nn import functional as F

pytestmark = [pytest.mark.filterwarnings("ignore")]

ODD = [0.0, -0.0, 1.0, -1.0, 3.0, -3.0, 0.5, -0.5, 6.0, 1e-40, -1e-40, 1e30, -1e30, np.inf, -np.inf, np.nan]
FUNCTIONS = {
    "relu": autograd.relu, "abs": autograd.abs, "neg": lambda x: -x, "rsub": lambda x: 1 - x,
    "sigmoid": autograd.sigmoid, "clamp": lambda x: x.clamp(-1, 1), "where": lambda x: autograd.where(x > 0.3, x, 0.0),
    "where two": lambda x: autograd.where(x > 0.3, x, x * 2), "masked_fill": lambda x: x.masked_fill(x > 0.3, 2.5),
    "lerp": lambda x: autograd.lerp(x, x * 2, 0.3),
    "hardshrink": F.hardshrink, "softshrink": F.softshrink, "threshold": lambda x: F.threshold(x, 0.5, 2.0),
    "hardtanh": F.hardtanh, "relu6": F.relu6, "hardsigmoid": F.hardsigmoid, "hardswish": F.hardswish,
    "leaky_relu": F.leaky_relu, "steep": lambda x: F.leaky_relu(x, 1.5), "prelu": lambda x: F.prelu(x, [0.25]),
    "elu": F.elu, "selu": F.selu, "celu": lambda x: F.celu(x, 0.5), "gelu": F.gelu, "silu": F.silu, "mish": F.mish,
    "tanh gelu": lambda x: F.gelu(x, "tanh"), "softplus": F.softplus,
    "huber": lambda x: F.huber_loss(x, 0 * x.detach(), "none", 0.5),
    "smooth_l1": lambda x: F.smooth_l1_loss(x, x.detach() * 0.5, reduction="none"),
    "bce": lambda x: F.binary_cross_entropy_with_logits(x, x.detach() * 0 + 0.25, reduction="none"),
}


def values_and_gradients(function, array, g):
    x = autograd.tensor(array, requires_grad=True)
    y = function(x)
    y.backward(autograd.tensor(g))
    return y.detach().numpy(), x.grad.numpy()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("finite", [True, False])
def test_a_large_array_is_computed_like_its_parts(name, dtype, finite):
    draw = np.random.default_rng(0)
    x = draw.choice([*ODD, *draw.standard_normal(50)], 20_000).astype(dtype)
    if finite:  # as a whole: some ways are taken only then
        x = np.nan_to_num(x, posinf=7, neginf=-7)
    g = draw.choice([1, 2, -0.5] if finite else [1, -0.5, np.inf, np.nan], 20_000).astype(dtype)
    whole = values_and_gradients(FUNCTIONS[name], x, g)
    parts = [values_and_gradients(FUNCTIONS[name], x[i:i + 500], g[i:i + 500]) for i in range(0, 20_000, 500)]
    for large, small in zip(whole, map(np.concatenate, zip(*parts, strict=True)), strict=True):
        np.testing.assert_allclose(large, small, rtol=4 * np.finfo(dtype).eps, atol=np.finfo(dtype).tiny)


@pytest.mark.parametrize("shape", [(40_000,), (4, 10_000), (10_000, 4), (300, 2, 50), (20, 30, 40), (1, 40_000),
                                   (40_000, 1), (7, 5000), (2, 3, 4, 5, 200)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_over_all_axes_are_right(shape, dtype):
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    for count in range(len(shape) + 1):
        for axes in itertools.combinations(range(len(shape)), count):
            for keepdims in (False, True):
                expected = x.astype(np.longdouble).sum(axis=axes, keepdims=keepdims)
                error = np.finfo(dtype).eps * np.abs(x).sum(axis=axes, keepdims=keepdims).max()
                for array in (x, np.asfortranarray(x), np.moveaxis(np.moveaxis(x, 0, -1).copy(), -1, 0),
                              np.repeat(x, 2, -1)[..., ::2]):
                    got = added(array, axes, keepdims)
                    assert got.shape == expected.shape
                    assert got.dtype == dtype
                    np.testing.assert_allclose(got, expected, rtol=np.finfo(dtype).eps, atol=error)
    np.testing.assert_equal(added(x), added(x, tuple(range(x.ndim))))


def test_a_sum_of_what_was_broadcast_is_a_product():
    x = np.broadcast_to(np.linspace(0, 1, 200, dtype=np.float32), (100_000, 200))
    assert (added(x, 0) == x[0] * 100_000).all()
    assert added(np.broadcast_to(np.float32(0.1), (300, 1000))) == np.float32(0.1) * np.float32(300_000)


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_stays_in_its_row(odd):
    x = np.ones((300, 200), np.float32)
    x[7, 3] = odd
    assert np.isnan(added(x, 1)).sum() == np.isnan(odd)
    np.testing.assert_equal(added(x, 1)[7], np.float32(odd))
    np.testing.assert_equal(added(x, 0)[3], np.float32(odd))
    assert (np.delete(added(x, 0), 3) == 300).all()


def test_gradients_of_leaves_share_no_memory():
    """A gradient that is the last view of its memory is not copied, others are."""
    x, y = (autograd.ones(200, 300, requires_grad=True) for _ in range(2))
    both = x + y  # one gradient for the two
    (both.relu().sum() + both.reshape(300, 200).relu().sum() + x.relu().sum() + y.t().sum()).backward()
    assert not np.shares_memory(x.grad.numpy(), y.grad.numpy())
    y.grad.mul_(5)
    assert (x.grad.numpy() == 3).all()
    assert (y.grad.numpy() == 15).all()
