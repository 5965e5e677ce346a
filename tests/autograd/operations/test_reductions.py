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
    lambda x: np.argsort(x, axis=None), lambda x: np.take(x, [1, 0, 1], axis=-1), lambda x: np.argsort(x, axis=0),
    lambda x: np.max(x, axis=0), lambda x: np.diff(x, n=2),
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


SCALED = {
    "std": lambda x: x.std(-1), "std of all": lambda x: x.std(), "mean": lambda x: x.mean(-1),
    "norm": lambda x: x.norm(dim=-1), "dist": lambda x: autograd.dist(x, x * 0.5), "sum": lambda x: x.sum(-1),
    **{f"norm {p}": lambda x, p=p: autograd.linalg.vector_norm(x, p, dim=-1)
       for p in (0.5, 1, 1.5, 2, 3, 10, -1, -2.5, np.inf, -np.inf)},
    "norm of all": lambda x: autograd.linalg.vector_norm(x), "frobenius": lambda x: autograd.linalg.matrix_norm(x),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", SCALED)
def test_what_scales_with_its_argument_does_so_for_tiny_and_huge_rows(name, dtype, recwarn):
    """f(s x) = s f(x) and f'(s x) = f'(x), exactly for a power of two, row by row."""
    limits, rows = np.finfo(dtype), np.array([[3.0, 1, -2, 5], [1, 1, 7, -4], [2, -6, 1, 3]])
    for power in (0, limits.maxexp - 6, limits.minexp + 6):
        x, scaled = (Tensor(rows.astype(dtype) * dtype(2.0 ** p), requires_grad=True) for p in (0, power))
        one, other = SCALED[name](x), SCALED[name](scaled)
        np.testing.assert_allclose(other.detach().numpy() / dtype(2.0 ** power), one.detach().numpy(), rtol=1e-6)
        one.backward(autograd.ones_like(one))
        other.backward(autograd.ones_like(other))
        np.testing.assert_allclose(scaled.grad.numpy(), x.grad.numpy(), rtol=1e-5)
        mixed = rows.astype(dtype) * np.array([[1.0], [2.0 ** power], [0]], dtype)
        if one.ndim:  # a row beside others is what it is alone
            together = SCALED[name](Tensor(mixed)).numpy()
            np.testing.assert_array_equal(together, [SCALED[name](Tensor(row[None])).numpy()[0] for row in mixed])
    assert not recwarn.list


def test_variance_overflows_only_if_its_value_does():
    x = np.tile(np.array([1e19, -1e19], np.float32), 100)
    np.testing.assert_allclose(autograd.var(Tensor(x)).item(), np.var(x.astype(np.float64), ddof=1), rtol=1e-6)
    assert autograd.mean(Tensor(np.full(4, 3e38, np.float32))).item() == np.float32(3e38)
    assert autograd.mean(Tensor(np.full(4, 1.7e308))).item() == 1.7e308
    assert autograd.sum(Tensor(np.array([3e38, 3e38, -3e38], np.float32))).item() == np.float32(3e38)


def test_float16_deviations_are_taken_in_float32():
    x = Tensor(np.array([300, -300] * 50, np.float16), requires_grad=True)
    for function, slope in ((autograd.std, 1 / 99 / np.sqrt(100 / 99)), (autograd.var, 600 / 99)):
        (g,) = autograd.grad(function(x, correction=1) if function is autograd.std else function(x * 0.5), x)
        expected = slope * (1 if function is autograd.std else 0.25)
        np.testing.assert_allclose(g.numpy(), np.array([expected, -expected] * 50), rtol=2e-3)


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "sum"])
def test_a_running_sum_of_many_float32_goes_on_growing(name):
    x = np.full(2 ** 24 + 10, 1, np.float32) if name == "cumsum" else np.full(2 ** 12, 1 + 2.0 ** -20, np.float32)
    if name == "sum":
        x = np.full(2 ** 24 + 10, 1, np.float32)
        assert autograd.sum(Tensor(x)).item() == len(x)
        return
    found = getattr(autograd, name)(Tensor(x), 0)[-1].item()
    np.testing.assert_allclose(found, getattr(np, name[3:])(x.astype(np.float64)), rtol=1e-7)


@pytest.mark.filterwarnings("ignore:.*encountered")
def test_products_are_not_divided_by_what_left_the_range():
    for values in ([1e200, 1e200, 1e-200], [1e-200, 1e-200, 1e200], [2.0, np.inf, 3.0], [0.0, 0.0, 5.0]):
        x = Tensor(np.array(values), requires_grad=True)
        (g,) = autograd.grad(autograd.prod(x), x)
        expected = [values[1] * values[2], values[0] * values[2], values[0] * values[1]]
        np.testing.assert_allclose(g.numpy(), expected)
        (g,) = autograd.grad(autograd.cumprod(x, 0)[2], x)
        np.testing.assert_allclose(g.numpy(), expected)


@pytest.mark.filterwarnings("ignore:.*encountered")
@pytest.mark.parametrize(("function", "values", "slopes"), [
    (lambda x: autograd.logsumexp(x, 0), [np.inf, 1.0], [1, 0]),
    (lambda x: autograd.logsumexp(x, 0), [np.inf, np.inf, 0], [0.5, 0.5, 0]),
    (lambda x: autograd.logsumexp(x, 0), [-np.inf, -np.inf], [0, 0]),
    (lambda x: autograd.logsumexp(x, 0), [-np.inf, 2.0], [0, 1]),
    (lambda x: autograd.logcumsumexp(x, 0)[2], [1.0, np.inf, 2],
     [0, 1, 0]),
    (lambda x: autograd.logcumsumexp(x, 0)[0], [1.0, np.inf, 2], [1, 0, 0]),
    (lambda x: autograd.logaddexp(x[0], x[1]), [np.inf, 1], [1, 0]),
    (lambda x: autograd.logaddexp(x[0], x[1]), [np.inf, np.inf], [0.5, 0.5]),
    (lambda x: autograd.logaddexp2(x[0], x[1]), [-np.inf, -np.inf], [0, 0]),
    (lambda x: autograd.hypot(x[0], x[1]), [-np.inf, 1], [-1, 0]),
    (lambda x: autograd.atan2(x[0], x[1]), [np.inf, 1], [0, 0]),
    (lambda x: x[0] ** x[1], [0.5, np.inf], [0, 0]),
    (lambda x: x[0] ** x[1], [np.inf, -2], [0, 0]),
    (lambda x: autograd.logit(x).sum(), [0.0, 1.0], [np.inf, np.inf]),
    (lambda x: autograd.special.erfcx(x).sum(), [np.inf], [0]),
])
def test_slopes_at_infinities_are_limits_where_there_are_any(function, values, slopes):
    x = Tensor(np.array(values), requires_grad=True)
    (g,) = autograd.grad(function(x), x)
    np.testing.assert_allclose(g.numpy(), slopes)


def test_correction_none_is_one():
    x = Tensor([1.0, 2.0, 4.0])
    for function in (autograd.var, autograd.std):
        assert function(x, correction=None).item() == function(x).item()


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_product_of_nothing_is_1_and_its_gradient_is_nothing(shape, dtype):
    x = Tensor(np.zeros(shape, dtype), requires_grad=True)
    out = x.prod(-1)
    out.sum().backward()
    np.testing.assert_array_equal(out.detach(), np.ones(shape[:-1]))
    assert x.grad.shape == shape and x.grad.dtype == dtype
