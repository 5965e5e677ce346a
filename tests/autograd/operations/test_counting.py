"""Which values there are, how often, and where one belongs: beside PyTorch, whose answers they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd

few = st.sampled_from([0.0, 1.0, -2.5, 3.0, np.nan, np.inf, -np.inf])
numbers = hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4), elements=few)
clean = hnp.arrays(np.float32, hnp.array_shapes(min_dims=0, max_dims=2, min_side=1, max_side=5),
                   elements=st.sampled_from([0.0, 1.0, 0.25, -2.5, 3.0]))


def same(call, *arrays):
    """Equal values, dtypes and shapes from both libraries."""
    torch = pytest.importorskip("torch")
    ours, theirs = call(autograd, *map(autograd.tensor, arrays)), call(torch, *map(torch.tensor, arrays))
    ours, theirs = (part if isinstance(part, tuple) else (part,) for part in (ours, theirs))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), strict=True)


@given(numbers, st.booleans(), st.booleans())
def test_unique(x, inverse, counts):
    same(lambda m, x: m.unique(x, return_inverse=inverse, return_counts=counts), x)
    same(lambda m, x: m.unique_consecutive(x, return_inverse=inverse, return_counts=counts), x)
    x = np.nan_to_num(x)
    for dim in range(-x.ndim, x.ndim):
        if x.size:
            same(lambda m, x, d=dim: m.unique(x, return_inverse=inverse, return_counts=counts, dim=d), x)
            same(lambda m, x, d=dim: m.unique_consecutive(x, return_inverse=inverse, return_counts=counts, dim=d), x)


@given(st.lists(st.integers(0, 7), min_size=1, max_size=8), st.integers(0, 10))
def test_bincount(values, minlength):
    x = np.array(values, np.int64)
    same(lambda m, x: m.bincount(x, minlength=minlength), x)
    for dtype in (np.float32, np.float64, np.int64):
        same(lambda m, x, w: m.bincount(x, w, minlength), x, (np.arange(len(x)) * 2).astype(dtype))


@given(clean, st.integers(1, 7), st.sampled_from([(0, 0), (-1, 2), (0, 3), (1, 1)]))
def test_histc(x, bins, ends):
    same(lambda m, x: m.histc(x, bins, *ends), x)


@given(clean, numbers, st.booleans(), st.booleans())
def test_searchsorted_and_bucketize(x, values, right, narrow):
    x = np.sort(x.reshape(-1)).astype(np.float64)
    same(lambda m, x, v: m.searchsorted(x, v, right=right, out_int32=narrow), x, values)
    same(lambda m, x, v: m.bucketize(v, x, right=right, out_int32=narrow), x, values)
    rows = np.stack([x, x * 2])
    same(lambda m, x, v: m.searchsorted(x, v, side="right" if right else "left"), rows, rows[:, ::-1] + 0.5)
    same(lambda m, x, v, s: m.searchsorted(x, v, sorter=s), x[::-1].copy(), values,
         np.arange(len(x))[::-1].copy())


@given(clean, clean, st.booleans())
def test_isin(x, among, invert):
    same(lambda m, x, y: m.isin(x, y, invert=invert), x, among)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: autograd.bincount(autograd.tensor([-1])), "the least of them -1"),
    (lambda: autograd.bincount(autograd.tensor([1.0])), "counts integers"),
    (lambda: autograd.bincount(autograd.tensor([1]), autograd.ones(2)), "they must be equal"),
    (lambda: autograd.histc(autograd.ones(2), 0), "at least one bin"),
    (lambda: autograd.histc(autograd.tensor([np.nan])), "finite ends"),
    (lambda: autograd.searchsorted(autograd.ones(2, 2), autograd.ones(3, 2)), "in all axes but the last"),
    (lambda: autograd.searchsorted(autograd.ones(2), 1.0, side="middle"), "side='middle'")])
def test_what_cannot_be_counted_says_why(call, message):
    with pytest.raises((ValueError, RuntimeError), match=message):
        call()
