"""A product in pieces is the product, however it falls into pieces."""

import importlib.util

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd.runtime import products, threads

sizes = st.integers(1, 40)
rng = np.random.default_rng(0)


@pytest.fixture(autouse=True, scope="module")
def smaller_pieces():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "SMALL", 2000)
        patch.setattr(products, "COLUMNS", 4)
        yield


def strided(*shape):
    """An array with gaps in memory, as parts of results are."""
    return np.zeros((*shape[:-1], shape[-1] + 3))[..., :shape[-1]]


@given(lead=st.sampled_from([(), (2,), (2, 3)]), count=st.integers(0, 200), depth=st.integers(0, 40), width=sizes,
       shared=st.booleans())
def test_product(lead, count, depth, width, shared):
    rows, matrix = rng.normal(size=(*lead, count, depth)), rng.normal(size=(*(() if shared else lead), depth, width))
    out = strided(*lead, count, width)
    assert products.product(rows, products.in_columns(matrix, count), out=out) is out
    np.testing.assert_allclose(out, rows @ matrix, rtol=1e-12, atol=1e-12)


@given(lead=st.sampled_from([(), (2,), (2, 3)]), count=st.integers(0, 700), depth=sizes, width=sizes)
def test_transposed_product(lead, count, depth, width):
    left, right = rng.normal(size=(*lead, count, depth)), strided(*lead, count, width)
    right[...] = rng.normal(size=right.shape)
    np.testing.assert_allclose(products.transposed_product(left, right), left.swapaxes(-1, -2) @ right,
                               rtol=1e-10, atol=1e-10)


def test_blocks_of_columns_are_contiguous():
    blocks = products.in_columns(np.arange(6 * 8).reshape(6, 8), 2)
    assert blocks.shape == (2, 6, 4)
    assert blocks.flags.c_contiguous
    np.testing.assert_array_equal(blocks[1, :, 0], np.arange(4, 48, 8))


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.skipif(
    importlib.util.find_spec("numba") is None, reason="needs numba"))], scope="module")
def three_threads(request):
    """NumPy's or compiled, which share the smallest product."""
    before = autograd.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((products, "LARGE"), (products, "WORTHWHILE"), (threads, "WORTHWHILE"),
                             (threads, "SHARED"), (threads, "WAKING")):
            patch.setattr(module, name, 1)
        autograd.set_compiled(request.param)
        autograd.set_num_threads(3)
        yield
        autograd.set_compiled(False)
        autograd.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
@given(stacks=st.sampled_from([((), ()), ((3,), ()), ((), (2, 3)), ((2, 3), (3,)), ((1, 4), (2, 1))]),
       sizes=st.tuples(*[st.integers(0, 40)] * 3), dtype=st.sampled_from([np.float32, np.float64]), data=st.data())
def test_threads_share_a_product(stacks, sizes, dtype, data):
    """However the factors lie in memory."""
    rows, depth, columns = sizes
    layouts = {"C": lambda x: x.copy(), "F": lambda x: x.swapaxes(-1, -2).copy().swapaxes(-1, -2),
               "inside": lambda x: np.pad(x, [(1, 2)] * x.ndim)[tuple([slice(1, n + 1) for n in x.shape])],
               "apart": lambda x: np.repeat(x, 2, -1)[..., ::2], "reversed": lambda x: x[..., ::-1],
               "broadcast": lambda x: np.broadcast_to(x[..., :1], x.shape)}
    a, b = (layouts[data.draw(st.sampled_from(sorted(layouts)))](rng.normal(size=(*stack, *shape)).astype(dtype))
            for stack, shape in zip(stacks, ((rows, depth), (depth, columns)), strict=True))
    out = products.matmul(a, b)
    expected = a.astype(np.float64) @ b.astype(np.float64)
    assert out.dtype == dtype
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-5 if dtype == np.float32 else 1e-12)
