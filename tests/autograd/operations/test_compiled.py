"""Operations that move numbers: their compiled forms give what NumPy gives, forward and back."""

import importlib.util

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd.runtime import threads
from autograd.runtime.sums import added
from autograd.table import TABLE
from autograd.testing import Draw
from nn import functional as F

pytestmark = [pytest.mark.filterwarnings("ignore"),
              pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")]
MODULES = [f"autograd.operations.{name}" for name in (
    "conversion", "indexing", "joining", "ordering", "scans", "scattering", "shaping")]
ODD = np.float32([np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-40, 3e38, 70000, 6e-8])


@pytest.fixture(autouse=True)
def compiled(monkeypatch):
    """However small an array is, there is a loop for it, which two threads share."""
    for limit in ("compiled.LEAST", "copies.MANY"):
        monkeypatch.setattr(f"autograd.runtime.{limit}", 1)
    for limit in ("WORTHWHILE", "SHARED", "WAKING"):
        monkeypatch.setattr(threads, limit, 1)
    before = autograd.get_num_threads()
    autograd.set_num_threads(2)
    yield
    autograd.set_compiled(False)
    autograd.set_num_threads(before)


def laid_out(array, layout):
    """The same numbers, elsewhere in memory."""
    if layout == "transposed":
        return np.asarray(array.T, order="C").T
    if layout == "with gaps" and array.ndim:
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        wide[..., ::2] = array
        return wide[..., ::2]
    return array


def results(function, arrays, of_sum):
    """What a function gives, and the gradients of its sum, or of a weighted sum."""
    tensors = [autograd.tensor(a) if isinstance(a, np.ndarray) else a for a in arrays]
    for tensor, a in zip(tensors, arrays, strict=True):
        if isinstance(a, np.ndarray) and a.dtype == np.float32:
            tensor.array = a
            tensor.requires_grad_(True)
    out = function(*tensors)
    outputs = [o for o in (out if isinstance(out, (tuple, list)) else [out]) if isinstance(o, autograd.Tensor)]
    draw, total = np.random.default_rng(0), autograd.zeros(())
    for o in outputs:
        if o.requires_grad:
            total = total + (o if of_sum else o * draw.standard_normal(o.shape).astype(o.dtype)).sum()
    if total.requires_grad:
        total.backward()
    return [o.detach().numpy() for o in outputs], [t.grad.numpy() for t in tensors
                                                   if isinstance(t, autograd.Tensor) and t.grad is not None]


def agree(function, *arrays, of_sum=False):
    autograd.set_compiled(False)
    plain = results(function, arrays, of_sum)
    autograd.set_compiled(True)
    fast = results(function, arrays, of_sum)
    for plain_ones, fast_ones in zip(plain, fast, strict=True):
        assert len(plain_ones) == len(fast_ones)
        for one, other in zip(plain_ones, fast_ones, strict=True):
            assert (other.dtype, other.shape) == (one.dtype, one.shape)
            assert other.flags.c_contiguous or not one.flags.c_contiguous
            np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-6 * np.abs(one[np.isfinite(one)]).max(initial=0))


@pytest.mark.parametrize("op", [op for op in TABLE.values() if op.samples and op.forward.__module__ in MODULES],
                         ids=lambda op: op.name)
def test_operation(op):
    @settings(derandomize=True, database=None, max_examples=40)
    @given(st.composite(lambda draw: (op.samples(Draw(draw)), draw(st.sampled_from(["", "transposed", "with gaps"])),
                                      draw(st.booleans()), draw(st.booleans())))())
    def property_(case):
        (args, options), layout, of_sum, odd = case
        draw, single = np.random.default_rng(0), list(args)
        for i, a in enumerate(args):
            if isinstance(a, np.ndarray) and a.dtype.kind == "f":
                a = a.astype(np.float32)
                if odd:
                    a[draw.random(a.shape) < 0.3] = draw.choice(ODD)
                single[i] = laid_out(a, layout)
        agree(lambda *tensors: op.call(*tensors, **options), *single, of_sum=of_sum)
    property_()


draw = np.random.default_rng(0)


def numbers(*shape):
    return draw.standard_normal(shape).astype(np.float32)


def below(n, *shape):
    return draw.integers(0, n, shape)


LARGE = {
    "embedding": lambda x: F.embedding(POSITIONS % 300, x),
    "embedding bag": lambda x: F.embedding_bag(POSITIONS[:300] % 300, x, np.arange(0, 300, 7)),
    "rows": lambda x: x[POSITIONS % 300], "columns": lambda x: x[:, POSITIONS % 130],
    "a column of rows": lambda x: x.reshape(300, 13, 10)[:, POSITIONS % 13],
    "elements": lambda x: x[POSITIONS % 300, POSITIONS % 130], "a mask": lambda x: x[MASK],
    "a mask of rows": lambda x: x[MASK[:, 0]],
    "gather along 0": lambda x: x.gather(0, GRID % 300), "gather along 1": lambda x: x.gather(1, GRID[:300] % 130),
    "gather along the middle": lambda x: x.reshape(10, 30, 130).gather(1, GRID[:200].reshape(10, 20, 130) % 30),
    "gather of fewer rows": lambda x: x.gather(1, GRID[:50, :100] % 130),
    "scatter along 0": lambda x: (x * 2).scatter(0, GRID[:300] % 200, x),
    "scatter along 1": lambda x: (x * 2).scatter(1, GRID[:300] % 50, x),
    "scatter a number": lambda x: x.scatter(1, GRID[:300] % 50, 3.0),
    "scatter_add along 0": lambda x: (x * 2).scatter_add(0, GRID[:300] % 200, x),
    "scatter_add along 1": lambda x: (x * 2).scatter_add(1, GRID[:300] % 50, x),
    "scatter_add of whole rows": lambda x: (x * 2).scatter_add(0, POSITIONS[:300, None].repeat(130, 1) % 200, x),
    "scatter_add of an expanded vector": lambda x: (x * 2).scatter_add(
        0, np.broadcast_to(POSITIONS[:300, None] % 200, (300, 130)), x),
    "index_add": lambda x: (x * 2).index_add(0, POSITIONS[:300] % 70, x),
    "index_add along 1": lambda x: (x * 2).index_add(1, POSITIONS[:130] % 70, x),
    "index_copy": lambda x: (x * 2).index_copy(0, POSITIONS[:300] % 70, x),
    "cumsum": lambda x: x.cumsum(1), "cumsum of columns": lambda x: x.cumsum(0),
    "cumsum of the middle": lambda x: x.reshape(10, 30, 130).cumsum(1),
    "cumprod": lambda x: x.cumprod(1), "cumprod of columns": lambda x: x.cumprod(0),
    "cumprod of the middle": lambda x: x.reshape(10, 30, 130).cumprod(1), "logcumsumexp": lambda x: x.logcumsumexp(0),
    "cummax": lambda x: x.cummax(1)[0], "cummin": lambda x: x.cummin(0)[0],
    "cummax of ties": lambda x: x.round().cummax(0)[1], "cummin of ties": lambda x: x.round().cummin(1)[1],
    "index_copy of repeated": lambda x: x.index_copy(1, POSITIONS[:130] % 9 - 9, x * 2),
    "tril": lambda x: x.tril(3), "triu": lambda x: x.triu(-50), "tril of many": lambda x: x.reshape(30, 10, 130).tril(),
    "tril of none": lambda x: x.tril(-300), "triu of all": lambda x: x.triu(-300),
    "tril of a long one": lambda x: x.expand(2, -1, -1).reshape(600, 130).t().reshape(300, 260).tril(-9),
    "flip": lambda x: x.flip(1), "flip of rows": lambda x: x.flip(0), "flip of both": lambda x: x.flip((0, 1)),
    "roll": lambda x: x.roll((3, -7), (0, 1)), "diff": lambda x: x.diff(), "diff of columns": lambda x: x.diff(dim=0),
    "second diff": lambda x: x.diff(n=2), "pad": lambda x: F.pad(x, (3, 4)),
    "pad of rows": lambda x: F.pad(x, (0, 4, 2, 0)),
    "pad of images": lambda x: F.pad(x.reshape(10, 3, 10, 130), (3, 0, 1, 2, 1, 1)),
    "pad of volumes": lambda x: F.pad(x.reshape(5, 2, 3, 10, 130), (1, 1) * 3), "sort": lambda x: x.sort(1).values,
    "pad of many axes": lambda x: F.pad(x.reshape(5, 2, 3, 10, 130), (1, 1) * 5),
    "negative positions": lambda x: x[POSITIONS % 300 - 300],
}
POSITIONS, GRID, MASK = below(1 << 40, 2500), below(1 << 40, 320, 130), draw.random((300, 130)) < 0.4


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("layout", ["", "transposed", "with gaps"])
@pytest.mark.parametrize("of_sum", [False, True])
def test_a_large_array(name, layout, of_sum):
    """Of several blocks."""
    agree(LARGE[name], laid_out(numbers(300, 130), layout), of_sum=of_sum)


@pytest.mark.parametrize("position", [-301, 300, 1 << 40])
def test_positions_outside_are_refused(position):
    autograd.set_compiled(True)
    x, positions = autograd.tensor(numbers(300, 130)), POSITIONS % 300
    positions[-1] = position
    for refused in (lambda: x[positions], lambda: x.index_select(0, positions), lambda: x.index_add(
            0, positions, numbers(2500, 130)), lambda: F.embedding(positions, x), lambda: x.gather(
            0, np.broadcast_to(positions[:, None], (2500, 130)))):
        with pytest.raises(IndexError):
            refused()


@pytest.mark.parametrize("compiled", [False, True])
def test_conversions_of_float16_are_numpys(compiled):
    """Of all float16, and of float32 of all sizes, between float16 and halfway between them; bit by bit. But
    processors, and PyTorch, make every NaN a quiet one."""
    autograd.set_compiled(compiled)
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    assert_same_bits(autograd.tensor(halves).float(), halves.astype(np.float32))
    ordinary = halves[np.isfinite(halves)].astype(np.float32)
    between = np.nextafter(ordinary, np.float32([[np.inf], [-np.inf]])), ordinary * np.float32(1 + 2 ** -11)
    bits = draw.integers(0, 1 << 32, 100_000, np.uint32).view(np.float32)
    halfway = (ordinary + np.roll(ordinary, 1)) / 2
    for singles in (ordinary, *between, bits, halfway, np.nextafter(halfway, np.float32(0)), np.tile(ODD, (5, 1))):
        repeated = np.broadcast_to(np.resize(singles, 2000), (5, 2000))
        for x in (singles, singles[::-1], singles.T[1:], repeated, repeated.T, repeated.reshape(5, 1, 40, 50).T):
            assert_same_bits(autograd.tensor(np.zeros(x.shape, np.float32)).copy_(x).half(), x.astype(np.float16))
            assert_same_bits(autograd.from_numpy(x).half(), x.astype(np.float16))


def assert_same_bits(tensor, array):
    found = tensor.numpy()
    assert found.dtype == array.dtype
    if autograd.is_compiled():
        np.testing.assert_array_equal(np.signbit(found), np.signbit(array))
        found, array = [np.where(np.isnan(x), x.dtype.type(np.nan), x) for x in (found, array)]
    np.testing.assert_array_equal(found.view(f"u{found.itemsize}"), array.view(f"u{array.itemsize}"))


@pytest.mark.parametrize("shape", [(1, 10_000), (3, 5000), (200, 100), (100, 200), (5000, 3), (64, 128), (129, 4100)])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray, lambda x: x[:, ::-1]])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_sums_do_not_depend_on_the_number_of_threads(shape, layout, axis):
    x, results = layout(np.random.default_rng(0).standard_normal(shape, np.float32)), []
    autograd.set_compiled(True)
    before = autograd.get_num_threads()
    for count in (1, 3):
        autograd.set_num_threads(count)
        results.append(added(x, axis))
    autograd.set_num_threads(before)
    np.testing.assert_array_equal(*results)
    np.testing.assert_allclose(results[0], x.sum(axis, dtype=np.float64), rtol=1e-6, atol=1e-4)


def test_a_gradient_that_is_the_same_everywhere_becomes_an_array_of_its_own():
    autograd.set_compiled(True)
    x = autograd.zeros(100, 200, requires_grad=True)
    (x + 1).sum().backward()
    assert x.grad.numpy().strides == (800, 4)
    assert (x.grad == 1).all()


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
@pytest.mark.parametrize(("shape", "dim", "order"), [
    ((3, 7, 900), 1, (0, 1, 2)), ((40, 300), 0, (0, 1)), ((2, 5, 41, 16), 1, (0, 1, 2, 3)), ((300, 40), 1, (1, 0)),
    ((2, 6, 30, 31), 2, (0, 2, 3, 1)), ((4, 2100, 3), 1, (0, 1, 2)), ((1, 1, 9000), 1, (0, 1, 2))])
def test_lines_that_lie_beside_each_other(name, shape, dim, order):
    """With odd numbers, too; and the gradient may be the same everywhere."""
    x = np.where(draw.random(shape) < 0.02, draw.choice(ODD.ravel(), shape), draw.standard_normal(shape, np.float32))
    x = x.transpose(order).copy().transpose(np.argsort(order))
    for slope in (1.0, draw.standard_normal(shape, np.float32)):
        results = []
        for mode in (False, True):
            autograd.set_compiled(mode)
            given = autograd.from_numpy(x).requires_grad_()
            with np.errstate(all="ignore"):
                out = getattr(autograd, name)(given, dim)
                (out * (slope if name != "logsumexp" else 1)).sum().backward()
            results.append((out.detach().numpy(), given.grad.numpy()))
        for fast, plain in zip(*results, strict=True):
            np.testing.assert_allclose(fast, plain, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "cumsum", "cumprod", "sum", "mean"])
@pytest.mark.parametrize("asked", [np.float16, np.float32, np.float64])
def test_a_dtype_that_is_asked_for_is_that_of_the_result(name, asked):
    x = autograd.tensor(np.random.default_rng(0).random((90, 100)).astype(np.float32))
    compute = getattr(autograd, name)
    plain = compute(x, dim=1, dtype=asked)
    autograd.set_compiled(True)
    out = compute(x, dim=1, dtype=asked)
    assert out.dtype == plain.dtype == asked
    np.testing.assert_allclose(out.array, plain.array, rtol=1e-3 if asked is np.float16 else 2e-5)
