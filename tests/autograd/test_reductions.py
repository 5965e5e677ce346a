"""Where reductions and scans go wrong: ties, kinks, zeros, infinities, nan, narrow dtypes, NumPy's spelling."""

import numpy as np
import pytest

import autograd
from autograd import Tensor

torch = pytest.importorskip("torch")

ZEROS = np.zeros(3)
TIES = np.array([1.0, 2, 2, 0, 0, 2, 1])
INFINITIES = np.array([-np.inf, 0, np.inf, 1])
NAN = np.array([[1.0, np.nan, 2, 0], [3, 3, 1, 2]])


def gradient(function, library, x):
    tensor = torch.tensor(x, requires_grad=True) if library is torch else Tensor(x.copy(), requires_grad=True)
    out = function(tensor, library)
    (out if not isinstance(out, tuple) else out[0]).sum().backward()
    return np.asarray(tensor.grad.detach())


CONVENTIONS = {
    "norm": lambda x, m: m.norm(x),
    "norm 1": lambda x, m: m.norm(x, 1),
    "norm 3": lambda x, m: m.norm(x, 3),
    "norm 1/2": lambda x, m: m.norm(x, 0.5),
    "norm inf": lambda x, m: m.norm(x, float("inf")),
    "dist": lambda x, m: m.dist(x, x.detach()),
    "std": lambda x, m: m.std(x),
    "var": lambda x, m: m.var(x),
    "prod": lambda x, m: m.prod(x),
    "prod of one zero": lambda x, m: m.prod(x[2:4]),
    "cumprod": lambda x, m: m.cumprod(x, 0),
    "cumprod of one zero": lambda x, m: m.cumprod(x[:4], 0),
    "amax": lambda x, m: m.amax(x),
    "amin": lambda x, m: m.amin(x),
    "max": lambda x, m: m.max(x),
    "min": lambda x, m: m.min(x),
    "median": lambda x, m: m.median(x),
    "cummax": lambda x, m: m.cummax(x, 0),
    "cummin": lambda x, m: m.cummin(x, 0),
    "sort": lambda x, m: m.sort(x, stable=True)[0] * m.arange(len(x)),
    "logsumexp": lambda x, m: m.logsumexp(x, 0),
    "logcumsumexp": lambda x, m: m.logcumsumexp(x, 0),
    "maximum": lambda x, m: m.maximum(x, x.detach()),
    "minimum": lambda x, m: m.minimum(x, x.detach()),
    "fmax": lambda x, m: m.fmax(x, x.detach()),
    "fmin": lambda x, m: m.fmin(x, x.detach()),
    "clamp": lambda x, m: m.clamp(x, 0, 2),
    "relu": lambda x, m: m.relu(x),
    "abs": lambda x, m: m.abs(x),
    "x ** 2.0": lambda x, m: x ** 2.0,
    "x ** 0": lambda x, m: x ** 0,
    "x ** x": lambda x, m: x ** x,
    "2 ** x": lambda x, m: 2 ** x,
    "xlogy": lambda x, m: m.xlogy(x, x),
    "sqrt": lambda x, m: m.sqrt(x),
}


@pytest.mark.filterwarnings("ignore:.*encountered")
@pytest.mark.parametrize("name", CONVENTIONS)
@pytest.mark.parametrize("x", [ZEROS, TIES], ids=["zeros", "ties"])
def test_gradients_at_ties_and_kinks_are_torchs(name, x):
    ours, theirs = (gradient(CONVENTIONS[name], library, x) for library in (autograd, torch))
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_max_median_and_running_extremes_route_to_the_index_they_return():
    for function in (Tensor.max, Tensor.min, Tensor.median, Tensor.cummax, Tensor.cummin):
        x = Tensor(TIES.copy(), requires_grad=True)
        values, indices = function(x, dim=0)
        values.sum().backward()
        expected = np.zeros_like(TIES)
        np.add.at(expected, indices.array, 1)
        np.testing.assert_array_equal(x.grad.array, expected)
        np.testing.assert_array_equal(TIES[indices.array], values.array)


@pytest.mark.filterwarnings("ignore:.*encountered")
@pytest.mark.parametrize("name", ["sort", "median", "cummax", "cummin", "max", "min", "argmax", "argmin", "amax",
                                  "amin", "nansum", "nanmean", "sum", "prod", "logsumexp", "logcumsumexp", "softmax",
                                  "log_softmax"])
@pytest.mark.parametrize("x", [NAN, np.tile(INFINITIES, (2, 1)), np.full((2, 2), -np.inf)], ids=["nan", "inf", "-inf"])
def test_nan_and_infinities(name, x):
    ours, theirs = getattr(autograd, name)(Tensor(x), dim=1), getattr(torch, name)(torch.tensor(x), dim=1)
    for a, b in zip(ours, theirs, strict=True) if isinstance(ours, tuple) else [(ours, theirs)]:
        np.testing.assert_array_equal(a.array, b.numpy())


@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "norm", "nansum", "cumsum", "logsumexp", "logcumsumexp",
                                  "softmax", "log_softmax"])
def test_half_precision_neither_overflows_nor_stagnates(name):
    """float16 counts to 2048 and ends at 65504."""
    x = np.full((5000, 2), 11, np.float16)
    x[::2] = 8
    ours, theirs = getattr(autograd, name)(Tensor(x), dim=0), getattr(torch, name)(torch.tensor(x), dim=0)
    assert ours.dtype == np.float16
    np.testing.assert_allclose(ours.array, theirs.numpy(), rtol=2e-3)
    assert autograd.mean(Tensor(np.full(70000, 8, np.float16))).item() == 8


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int32, np.int64])
@pytest.mark.parametrize("name", ["sum", "prod", "cumsum", "cumprod", "nansum", "amax", "count_nonzero",
                                  "exp", "sqrt", "sin", "log1p", "erf", "lgamma", "digamma"])
def test_integers_and_booleans_become_what_they_become_in_torch(name, dtype):
    x = np.array([[1, 0, 1], [1, 1, 0]], dtype)
    options = {"dim": 1} if name.startswith("cum") else {}
    ours, theirs = getattr(autograd, name)(Tensor(x), **options), getattr(torch, name)(torch.tensor(x), **options)
    assert str(ours.dtype) == str(theirs.dtype).split(".")[1]
    np.testing.assert_allclose(ours.array, theirs.numpy(), rtol=1e-6)


@pytest.mark.parametrize("options", [{}, {"dim": 0}, {"dim": (0, 2)}, {"dim": [1]}, {"dim": -1, "keepdim": True},
                                     {"dim": ()}])
@pytest.mark.parametrize("name", ["sum", "mean", "amax", "var", "std", "nansum", "norm", "all", "any"])
def test_axes(name, options):
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    ours, theirs = getattr(autograd, name)(Tensor(x), **options), getattr(torch, name)(torch.tensor(x), **options)
    np.testing.assert_allclose(ours.array, theirs.numpy())


@pytest.mark.parametrize("arguments", [(0,), (0, False), (False,), (0, True, True)])
def test_variance_with_and_without_bessels_correction(arguments):
    x = np.random.default_rng(0).standard_normal((4, 3))
    np.testing.assert_allclose(Tensor(x).var(*arguments).array, torch.tensor(x).var(*arguments).numpy())


@pytest.mark.parametrize("call", [
    lambda x: np.sum(x, axis=1, keepdims=True), lambda x: np.mean(x, 0), lambda x: np.var(x),
    lambda x: np.std(x, axis=0), lambda x: np.var(x, axis=1, ddof=1), lambda x: np.cumsum(x),
    lambda x: np.cumsum(x, axis=1), lambda x: np.cumprod(x), lambda x: np.sort(x), lambda x: np.sort(x, axis=None),
    lambda x: np.argsort(x, axis=0), lambda x: np.max(x, axis=0), lambda x: np.diff(x, n=2),
    lambda x: np.trapezoid(x, dx=0.5), lambda x: np.clip(x, -0.5, 0.5), lambda x: np.clip(x, None, 0),
    lambda x: np.nan_to_num(x), lambda x: np.round(x, 1), lambda x: np.where(x > 0, x, 0),
    lambda x: np.prod(x, axis=0), lambda x: np.nansum(x), lambda x: np.nanmean(x, axis=0),
    lambda x: np.count_nonzero(x > 0), lambda x: np.argmax(x), lambda x: np.isclose(x, x),
    lambda x: np.hypot(x, 2 * x), lambda x: np.floor_divide(x, 0.3)])
def test_numpys_functions_keep_numpys_meaning(call):
    x = np.random.default_rng(0).standard_normal((3, 4))
    np.testing.assert_allclose(call(Tensor(x)).array, call(x))


def test_options_of_arithmetic():
    x, y = Tensor([5.0, -5.0]), Tensor([2.0, 2.0])
    assert autograd.add(x, y, alpha=10).tolist() == [25, 15]
    assert autograd.sub(x, y, alpha=10).tolist() == [-15, -25]
    assert x.clone().add_(y, alpha=-1).tolist() == [3, -7]
    assert autograd.div(x, y, rounding_mode="floor").tolist() == [2, -3]
    assert autograd.div(x, y, rounding_mode="trunc").tolist() == [2, -2]
    assert autograd.div(x.long(), y.long(), rounding_mode="trunc").dtype == np.int64
    with pytest.raises(ValueError, match="'ceil'"):
        autograd.div(x, y, rounding_mode="ceil")


def test_equal_compares_whole_tensors_and_eq_elements():
    x = Tensor([1.0, 2.0])
    assert autograd.equal(x, x.clone()) is True
    assert autograd.equal(x, Tensor([[1.0, 2.0]])) is False
    assert autograd.eq(x, 2).tolist() == [False, True]
    assert autograd.allclose(x, x + 1e-9) is True
