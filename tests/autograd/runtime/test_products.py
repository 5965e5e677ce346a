"""A product in pieces is the product, however it falls into pieces."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.runtime import products

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
