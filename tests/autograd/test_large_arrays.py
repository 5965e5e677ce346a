"""Large arrays go other ways than small ones (no branches, sums as products): the results are the same."""

import itertools
import warnings

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
    "hypot": lambda x: autograd.hypot(x, x.detach() * 0.5 + 1),
    "hypot of x": lambda x: autograd.hypot(x.detach() + 2, x),
    "logaddexp": lambda x: autograd.logaddexp(x, x.detach() * 0.5), "square": autograd.square,
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
        np.testing.assert_allclose(large, small, rtol=4 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)


ROWS = {
    "prod": lambda x: x.prod(-1, keepdim=True), "cumprod": lambda x: x.cumprod(-1),
    "cumprod of columns": lambda x: x.T.cumprod(0).T, "logcumsumexp": lambda x: x.logcumsumexp(-1),
    "atan2": lambda x: autograd.atan2(x, 1 + x.detach() ** 2), "atan2 of x": lambda x: autograd.atan2(2 + 0 * x, x),
    "reflected": lambda x: F.pad(x[None], (3, 4), "reflect")[0],
    "around": lambda x: F.pad(x[None], (5, 2), "circular")[0],
    "runs": lambda x: x[:, [*range(100, 500), *range(3, 200), 7, 7]],
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ROWS)
def test_many_rows_are_computed_like_each_alone(name, dtype):
    draw = np.random.default_rng(0)
    x = draw.standard_normal((600, 500)).astype(dtype)
    x[5:300:7, 123], x[8:600:11, [3, 401]] = 0, 0
    shape = ROWS[name](autograd.tensor(x[:1])).shape[1]
    g = draw.standard_normal((600, shape)).astype(dtype)
    values, gradients = values_and_gradients(ROWS[name], x, g)
    for i in range(0, 600, 13):
        value, gradient = values_and_gradients(ROWS[name], x[i:i + 1], g[i:i + 1])
        np.testing.assert_allclose(values[i:i + 1], value, rtol=4 * np.finfo(dtype).eps)
        np.testing.assert_allclose(gradients[i:i + 1], gradient, rtol=1e-5 if dtype is np.float32 else 1e-12,
                                   atol=np.abs(gradient).max() * np.finfo(dtype).eps * 8)


def test_a_running_product_that_leaves_the_range_on_the_way_has_its_gradient():
    x = autograd.tensor(np.array([1e-200, 1e200, 1e200, 1e-200, 3.0]), requires_grad=True)
    x.cumprod(0)[-1].backward()
    np.testing.assert_allclose(x.grad.numpy(), [3e200, 3e-200, 3e-200, 3e200, 1], rtol=1e-12)


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


@pytest.mark.parametrize("length", [700, 784, 1000, 1021, 1024, 8192])
def test_sums_are_about_as_accurate_as_pairwise_ones(length):
    x = np.random.default_rng(0).standard_normal((200, length), np.float32)
    truth = x.sum(1, dtype=np.float64)
    assert np.std(added(x, 1) - truth) < 1.7 * np.std(x.sum(1) - truth)
    assert np.std(added(np.ascontiguousarray(x.T), 0) - truth) < 1.7 * np.std(x.sum(1) - truth)


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


def test_every_kind_of_position_is_read_written_and_added_to_as_by_numpy():
    draw = np.random.default_rng(0)
    for trial in range(1000):
        shape = tuple(draw.integers(1, 6 if trial % 2 else 40, draw.integers(1, 4)))
        along, lowest = draw.integers(0, len(shape)), -(draw.random() < 0.2)
        some = tuple(draw.integers(1, 9, draw.integers(1, 3)))
        index = [
            (slice(None),) * along + (draw.integers(lowest * shape[along], shape[along], some),),
            tuple(draw.integers(lowest * n, n, some) for n in shape),
            tuple(draw.integers(0, n, (1, 5) if i % 2 else (4, 1)) for i, n in enumerate(shape)),
            (draw.random(shape) < 0.5,),
        ][draw.integers(4)]
        x, values = draw.standard_normal(shape), draw.standard_normal(np.empty(shape)[index].shape)
        added_up, written = x.copy(), x.copy()
        np.add.at(added_up, index, values)
        written[index] = values
        given = autograd.tensor(x, requires_grad=True)
        np.testing.assert_array_equal(given[index].numpy(force=True), x[index])
        np.testing.assert_allclose(given.index_put(index, values, accumulate=True).numpy(force=True), added_up)
        result = given.index_put(index, autograd.tensor(values, requires_grad=True))
        np.testing.assert_array_equal(result.numpy(force=True), written)
        given[index].backward(autograd.tensor(values))
        np.testing.assert_allclose(given.grad.numpy(), added_up - x, atol=1e-12)


def test_values_that_are_broadcast_are_added_at_repeated_positions():
    """`np.add.at` reads beyond the end of them."""
    x = autograd.zeros(1).index_put((np.zeros((6, 4), int),), [0.0, 1.0, 2.0, 3.0], accumulate=True)
    assert x.item() == 36


@pytest.mark.parametrize("count", [1, 3, 5000])
def test_rows_that_meet_are_added_up(count):
    draw = np.random.default_rng(0)
    index, rows = draw.integers(0, count, 3000), draw.standard_normal((3000, 20)).astype(np.float32)
    table = autograd.zeros(count, 20, requires_grad=True)
    F.embedding(index, table).backward(autograd.tensor(rows))
    expected = np.zeros((count, 20))
    np.add.at(expected, index, rows.astype(np.float64))
    np.testing.assert_allclose(table.grad.numpy(), expected, atol=1e-4)


@pytest.mark.parametrize("dim", [0, 1, 2])
@pytest.mark.parametrize("odd", [None, np.inf, np.nan])
def test_running_sums_of_many_are_those_of_float64(dim, odd):
    x = np.random.default_rng(0).standard_normal((9, 70, 33)).astype(np.float32)
    if odd is not None:
        x[3, 40, 20] = odd
    given = autograd.tensor(x, requires_grad=True)
    out = given.cumsum(dim)
    np.testing.assert_allclose(out.numpy(force=True), np.cumsum(x, dim, dtype=np.float64), atol=4e-6)
    out.backward(autograd.tensor(x))
    backward = np.flip(np.cumsum(np.flip(x, dim), dim, dtype=np.float64), dim)
    np.testing.assert_allclose(given.grad.numpy(), backward, atol=4e-6)


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("values", ["distinct", "ties", "nan", "inf", "few finite"])
@pytest.mark.parametrize("dim", [0, 1])
def test_a_few_extremes_of_many_are_the_first_of_all_in_order(values, largest, dim):
    draw = np.random.default_rng(0)
    x = {"distinct": draw.standard_normal((300, 400)), "ties": draw.integers(0, 3, (300, 400)) / 1,
         "nan": draw.choice([0.5, 1, 2, np.nan], (300, 400)), "inf": draw.choice([-np.inf, 0, 1, np.inf], (300, 400)),
         "few finite": np.where(draw.random((300, 400)) < 0.01, 1.0, -np.inf)}[values]
    order = autograd.tensor(x).sort(dim, descending=largest)
    found = autograd.tensor(x).topk(7, dim, largest)
    np.testing.assert_array_equal(found.values.numpy(), order.values.narrow(dim, 0, 7).numpy())
    np.testing.assert_array_equal(np.take_along_axis(x, found.indices.numpy(), dim), found.values.numpy())


@pytest.mark.parametrize("shape", [(200, 1024), (3, 40, 1024), (64, 4096)])
def test_a_transposed_copy_is_in_order(shape):
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    copy = autograd.tensor(x).transpose(-1, -2).contiguous()
    assert copy.is_contiguous()
    np.testing.assert_array_equal(copy.numpy(), x.swapaxes(-1, -2))


@pytest.mark.parametrize("count", [3, 10_000])
@pytest.mark.parametrize("size", [1e30, 1e-30])
def test_squares_that_leave_the_range_are_not_heard_of(size, count):
    x = autograd.tensor(np.full(count, size, np.float32), requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        autograd.atan2(x, x.detach()).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 0.5 / size, rtol=1e-6)


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("descending", [False, True])
def test_order_of_many_numbers(dim, descending):
    """Among equal ones, signed zeros and NaN of both signs: as NumPy's stable sort."""
    x = np.random.default_rng(0).choice(np.float32([*ODD, -np.nan, 1e-45, 3e38, 2.5]), (150, 130))
    expected = np.argsort(x, dim, kind="stable")
    if descending:
        expected = np.flip(x.shape[dim] - 1 - np.argsort(np.flip(x, dim), dim, kind="stable"), dim)
    values, positions = autograd.tensor(x).sort(dim, descending)
    np.testing.assert_array_equal(positions.numpy(), expected)
    np.testing.assert_array_equal(values.numpy(), np.take_along_axis(x, expected, dim))
    np.testing.assert_array_equal(autograd.tensor(x).argsort(dim, descending).numpy(), expected)


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("missing", [0, 0.01])
def test_median_of_many_numbers(dim, missing):
    draw = np.random.default_rng(0)
    x = draw.choice(np.float32([*ODD[:-1], 2.5, 1.5]), (150, 130))
    x[draw.random(x.shape) < missing] = np.nan
    values, positions = autograd.tensor(x).median(dim)
    middle = np.take(np.sort(x, dim), (x.shape[dim] - 1) // 2, dim)
    np.testing.assert_array_equal(values.numpy(), np.where(np.isnan(x).any(dim), np.nan, middle))
    taken = np.take_along_axis(x, np.expand_dims(positions.numpy(), dim), dim).squeeze(dim)
    np.testing.assert_array_equal(taken, values.numpy())


@pytest.mark.parametrize("masked_axes", [1, 2, 3])
def test_a_large_mask(masked_axes):
    """Read, written and added to, in one tensor that lies in order and in one that does not."""
    draw = np.random.default_rng(0)
    for array in (draw.standard_normal((30, 40, 20)), draw.standard_normal((40, 30, 20)).transpose(1, 0, 2)):
        mask = draw.random(array.shape[:masked_axes]) < 0.5
        mask = np.repeat(mask, 5, 0)[:len(array)] if masked_axes == 1 else mask
        x = autograd.tensor(array, requires_grad=True)
        x[mask].backward(autograd.tensor(array[mask]))
        np.testing.assert_array_equal(x.detach()[mask].numpy(), array[mask])
        np.testing.assert_array_equal(x.grad.numpy(), np.where(mask.reshape(*mask.shape, *[1] * (3 - masked_axes)),
                                                               array, 0))
        written, expected = x.detach().clone(), array.copy()
        written[mask] = 2.0
        expected[mask] = 2.0
        np.testing.assert_array_equal(written.numpy(), expected)
