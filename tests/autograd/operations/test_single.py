"""Functions of many numbers of float32 that have formulas of their own, beside float64 and NumPy's functions."""

import importlib.util
import itertools

import numpy as np
import pytest

import autograd
from autograd import Tensor, special
from autograd.operation import OF_MANY
from autograd.operations import single
from autograd.table import TABLE

EDGES = np.float32([np.nan, np.inf, -np.inf, 0, -0.0, 1, -1, 0.5, -0.5, 3, -3, 1e-40, -1e-40, 1e-45, 1e38, -3.4e38,
                    3.4028235e38, 88.72, 88.73, 89.41, 89.4159, 89.416, 89.42, -89.415, 1 + 2e-7, 1 - 6e-8, 103.9,
                    -103.9, -149, -149.5, 127.9999, 128, -126])
COUNT = 1 << 16
rng = np.random.default_rng(0)


@pytest.fixture(autouse=True, params=[False, True], ids=["NumPy", "loops"])
def loops(request):
    """Both with NumPy alone and with compiled loops."""
    if request.param and importlib.util.find_spec("numba") is None:
        pytest.skip("numba is not installed")
    autograd.set_compiled(request.param)
    yield request.param
    autograd.set_compiled(False)


def numbers():
    """Any bits, edges, and numbers of ordinary size."""
    bits = rng.integers(0, 1 << 32, COUNT, np.uint32).view(np.float32)
    ordinary = rng.standard_normal(2 * COUNT) * rng.choice([0.01, 0.3, 1, 10, 40], 2 * COUNT)
    return rng.permutation(np.concatenate([bits, np.resize(EDGES, COUNT // 4), ordinary.astype(np.float32)]))


def units(out, expected):
    """How many units in the last place of a float32 lie between the two; the same NaN and infinities."""
    rounded = expected.astype(np.float32)
    np.testing.assert_array_equal(np.isnan(out), np.isnan(expected))
    np.testing.assert_array_equal(np.isinf(out), np.isinf(rounded))
    last = np.spacing(np.maximum(np.abs(rounded), np.finfo(np.float32).tiny)).astype(np.float64)
    return np.max(np.abs(out - expected) / last, initial=0, where=np.isfinite(rounded))


def of_many(function):
    """What an operation computes of many numbers."""
    return next(op for op in TABLE.values() if op.forward is function).forward_of_many


def same_bits(out, expected):
    assert out.dtype == expected.dtype
    np.testing.assert_array_equal(out, expected)
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(out)[number], np.signbit(expected)[number])


@pytest.mark.parametrize("function", [np.fmod, np.remainder, np.floor_divide])
def test_remainders_are_numpys_bit_by_bit(function):
    """Whole multiples, denormals, and quotients of up to 2^277 among them."""
    run = TABLE[function.__name__].forward_of_many
    pairs = np.tile(np.array([*itertools.product(EDGES, EDGES)], np.float32).T, 10)
    x, y = np.concatenate([numbers(), pairs[0]]), np.concatenate([numbers(), pairs[1]])
    with np.errstate(all="ignore"):
        whole = (y * rng.integers(-1000, 1000, y.size)).astype(np.float32)
        close = np.nextafter(whole, np.float32(0))
        large = (y * rng.integers(1 << 20, 1 << 32, y.size)).astype(np.float32)
        for a in (x, whole, close, large):
            same_bits(run(a, y), function(a, y))
        for number in EDGES:
            same_bits(run(x, number), function(x, number))
            same_bits(run(number, y), function(number, y))
        rows, column = x[:COUNT].reshape(-1, 64), y[:64]
        same_bits(run(rows, column), function(rows, column))
        same_bits(run(rows.T, column[:, None]), function(rows.T, column[:, None]))
        same_bits(run(x.astype(np.float64), y.astype(np.float64)),
                  function(x.astype(np.float64), y.astype(np.float64)))
        whole = rng.integers(-99, 99, COUNT)
        same_bits(run(whole, np.abs(whole) + 1), function(whole, np.abs(whole) + 1))


@pytest.mark.parametrize("name", ["fmod", "remainder", "floor_divide", "mul", "pow"])
@pytest.mark.parametrize("number", [0.1, np.float64(0.1), np.float32(0.1), Tensor(0.1)], ids=type)
def test_a_number_has_the_precision_of_the_tensor_beside_it(name, number):
    """As PyTorch's: integers become float32, and the number with them, be they few or many."""
    compute = getattr(autograd, name)
    for x in (np.full(3, 3.0, np.float32), np.full(3, 3), np.full(3, 3, np.uint8)):
        for first, second in ((x, number), (number, x)):
            few = compute(*[Tensor(a) if a is x else a for a in (first, second)])
            many = compute(*[Tensor(np.resize(x, 1 << 18)) if a is x else a for a in (first, second)])
            assert few.dtype == many.dtype == np.float32
            np.testing.assert_allclose(many.array[:3], few.array, rtol=1e-6)


ONE = [function for function in OF_MANY if isinstance(function, np.ufunc) and function.nin == 1]


@pytest.mark.parametrize("function", [*ONE, np.exp2, np.log2, np.log10], ids=lambda function: function.__name__)
def test_elementary_functions(function):
    x = numbers()
    with np.errstate(all="ignore"):
        expected = function(x.astype(np.float64))
        out = of_many(function)(x)
        assert units(out, expected) < 5
        number = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(out)[number], np.signbit(expected)[number])
        if function in OF_MANY:
            assert units(OF_MANY[function](x.reshape(-1, 64).T), expected.reshape(-1, 64).T) < 5
            same_bits(OF_MANY[function](x[:99]), function(x[:99]))
            same_bits(OF_MANY[function](x.astype(np.float64)), expected)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_angle_of_a_point():
    pairs = np.tile(np.array([*itertools.product(EDGES, EDGES)], np.float32).T, 10)
    y, x = np.concatenate([numbers(), pairs[0]]), np.concatenate([numbers(), pairs[1]])
    expected = np.arctan2(y.astype(np.float64), x.astype(np.float64))
    out = of_many(np.arctan2)(y, x)
    assert units(out, expected) < 4
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(out)[number], np.signbit(expected)[number])


SPECIAL = {  # float64 has all digits (test_special.py); where a result is a difference, the error is beside its parts
    "erfc": (special.erfc, 8, 0), "erfinv": (special.erfinv, 5, 0), "ndtri": (special.ndtri, 6, 0),
    "gammaln": (special.gammaln, 6, 6), "digamma": (special.digamma, 6, 12),
    "trigamma": (lambda x: special.polygamma(1, x), 10, 12), "tetragamma": (lambda x: special.polygamma(2, x), 10, 12)}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", SPECIAL)
def test_special_functions(name):
    function, relative, absolute = SPECIAL[name]
    x = np.concatenate([rng.uniform(-1.1, 1.1, COUNT), rng.uniform(-12, 60, COUNT), 10 ** rng.uniform(-44, 1, COUNT),
                        1 - 10 ** rng.uniform(-8, 0, COUNT), np.resize(EDGES, COUNT // 8)]).astype(np.float32)
    if absolute:  # near its poles, a function of -3.0001 says more of the last digit of that than of anything else
        x = x[(x > 0) | (np.abs(x - np.rint(x)) > 0.05) | (x == np.rint(x))]
    expected = function(autograd.tensor(x.astype(np.float64))).numpy()
    out = function(autograd.tensor(x)).numpy()
    assert out.dtype == np.float32
    rounded = expected.astype(np.float32)
    np.testing.assert_array_equal(np.isnan(out), np.isnan(expected))
    np.testing.assert_array_equal(np.isinf(out), np.isinf(rounded))
    error = np.abs(out - expected) - absolute * 2.0 ** -24 * (np.abs(x) < 20)
    size = np.maximum(np.abs(expected), np.finfo(np.float32).tiny)
    assert np.max(error / size, where=np.isfinite(rounded), initial=0) < relative * 2.0 ** -23


DIFFERENTIABLE = {
    **dict.fromkeys(["sinh", "cosh", "tan", "asin", "acos", "atan", "asinh", "atanh", "expm1", "log1p", "erfc",
                     "erfinv", "lgamma", "digamma"], lambda x: x), "acosh": lambda x: x + 1.5,
    "fmod": lambda x: (x, 0.17), "remainder": lambda x: (x, x[::-1] + 1), "atan2": lambda x: (x, x[::-1] + 1)}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_derivatives_of_both_orders(name):
    """Of many numbers of float32 as of float64."""
    def derivatives(dtype):
        given = DIFFERENTIABLE[name](np.linspace(0.2, 0.8, 12_345).astype(np.float32).astype(dtype))
        args = [autograd.tensor(a, requires_grad=True) if isinstance(a, np.ndarray) else a
                for a in (given if isinstance(given, tuple) else (given,))]
        leaves = [a for a in args if isinstance(a, autograd.Tensor)]
        out = getattr(autograd, name)(*args)
        first = autograd.grad((out * out).sum(), leaves, create_graph=True)
        second = autograd.grad(sum((g * g).sum() for g in first), leaves)
        return [t.detach().numpy() for t in (out, *first, *second)]

    for one, other in zip(derivatives(np.float32), derivatives(np.float64), strict=True):
        np.testing.assert_allclose(one, other, rtol=3e-5, atol=3e-6 * np.abs(other).max())


def test_threads_share_the_pieces():
    x, before = numbers(), autograd.get_num_threads()
    x = np.resize(x, 1 << 21)
    out = []
    for threads in (1, 2):
        autograd.set_num_threads(threads)
        with np.errstate(all="ignore"):
            out.append([of_many(np.arctan)(x), TABLE["remainder"].forward_of_many(x, np.float32(0.3))])
    autograd.set_num_threads(before)
    for one, other in zip(*out, strict=True):
        np.testing.assert_array_equal(one, other)


def test_few_numbers_are_numpys():
    """And those of other dtypes, at once: a rule of few numbers does not pay."""
    with np.errstate(all="ignore"):
        same_bits(single.sinh(EDGES), np.sinh(EDGES))
        same_bits(single.floor_divide(EDGES, EDGES[::-1]), np.floor_divide(EDGES, EDGES[::-1]))
