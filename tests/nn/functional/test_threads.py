"""Threads share the images of a batch in convolution, or strips of few: that changes no result."""

import importlib
import importlib.util

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd.runtime import threads
from nn import functional as F

convolution = importlib.import_module("nn.functional.convolution")


@st.composite
def convolutions(draw):
    """Images, kernels and options, in one to three dimensions."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    ndim, groups = draw(st.integers(1, 3)), draw(st.sampled_from([1, 1, 2, 6]))
    kernel, stride, dilation = (tuple(draw(st.integers(1, most)) for _ in range(ndim)) for most in (4, 3, 2))
    padding = tuple([draw(st.integers(0, 3)) for _ in range(ndim)])
    size = [d * (k - 1) + 1 + draw(st.integers(0, 12)) for k, d in zip(kernel, dilation, strict=True)]
    x = rng.normal(size=(draw(st.integers(0, 5)), 6, *size))
    if draw(st.booleans()):
        x = np.moveaxis(np.moveaxis(x, 1, -1).copy(), -1, 1)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return ndim, x, rng.normal(size=(6, 6 // groups, *kernel)), options


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.skipif(
    importlib.util.find_spec("numba") is None, reason="needs numba"))])
@settings(max_examples=60)
@given(case=convolutions(), count=st.integers(2, 5))
def test_threads_share_images_and_their_rows(case, count, compiled):
    ndim, *arrays, options = case
    convolve, dtype = getattr(F, f"conv{ndim}d"), np.float32 if compiled else np.float64

    def values():
        x, w = (autograd.tensor(a.astype(dtype), requires_grad=True) for a in arrays)
        y = convolve(x, w, **options)
        (y * y).sum().backward()
        return [t.numpy() for t in (y.detach(), x.grad, w.grad)]

    before, expected = autograd.get_num_threads(), values()
    with pytest.MonkeyPatch.context() as patch:
        for module in (convolution, threads):
            patch.setattr(module, "WORTHWHILE", 1)
        autograd.set_num_threads(count)
        autograd.set_compiled(compiled)
        try:
            found = values()
        finally:
            autograd.set_compiled(False)
            autograd.set_num_threads(before)
    for one, other in zip(expected, found, strict=True):
        tolerance = 1e-4 if compiled else 1e-10
        np.testing.assert_allclose(other, one, rtol=0, atol=tolerance * max(1, np.abs(one).max(initial=0)))
