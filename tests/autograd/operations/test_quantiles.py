"""Quantiles, most frequent values and covariances beside PyTorch, at ties and NaN, too."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd

elements = st.sampled_from([0.0, 1.0, -2.5, 3.0, 0.25, np.nan])
arrays = hnp.arrays(st.sampled_from([np.float64, np.float32]), hnp.array_shapes(min_dims=0, max_dims=3, max_side=4),
                    elements=elements)


def both(call, *values):
    """Results and gradients of both libraries."""
    torch = pytest.importorskip("torch")
    found = []
    for m in (autograd, torch):
        leaves = [m.tensor(v, requires_grad=v.dtype.kind == "f") for v in values]
        out = call(m, *leaves)
        outs = [out] if not isinstance(out, tuple) else list(out)
        if outs[0].requires_grad:
            (outs[0] * m.tensor(np.arange(1, outs[0].numel() + 1).reshape(tuple(outs[0].shape)))).sum().backward()
        found.append(([o.detach().numpy() for o in outs],
                      [None if leaf.grad is None else leaf.grad.numpy() for leaf in leaves]))
    return found


def same(call, *values, rtol=1e-6, gradients=True):
    (outs, grads), (their_outs, their_grads) = both(call, *values)
    for a, b in zip(outs, their_outs, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-7)
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
    for a, b in zip(grads, their_grads, strict=True):
        if b is not None and gradients:
            np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-7)


@given(arrays, st.floats(0, 1, width=16), st.sampled_from(["linear", "lower", "higher", "midpoint", "nearest"]),
       st.booleans(), st.sampled_from(["quantile", "nanquantile"]), st.data())
def test_quantiles(x, q, interpolation, keepdim, name, data):
    dim = data.draw(st.sampled_from([None, *range(-x.ndim, x.ndim)]))
    for qs in (q, np.array([q, 0.5, 1.0], x.dtype)):
        torch = pytest.importorskip("torch")
        x = x + np.arange(x.size).reshape(x.shape).astype(x.dtype) * x.dtype.type(1 / 64)  # no ties
        args = {autograd: autograd.tensor(qs) if isinstance(qs, np.ndarray) else qs,
                torch: torch.tensor(qs) if isinstance(qs, np.ndarray) else qs}
        same(lambda m, x, args=args: getattr(m, name)(x, args[m], dim, keepdim, interpolation=interpolation), x,
             rtol=1e-5, gradients=not np.isnan(x).any())  # which NaN is taken is free


@given(arrays, st.booleans(), st.data())
def test_nanmedian_and_mode(x, keepdim, data):
    dim = data.draw(st.sampled_from([*range(-x.ndim, x.ndim)] or [0]))
    ours, theirs = both(lambda m, x: m.nanmedian(x, dim, keepdim), x)
    np.testing.assert_array_equal(ours[0][0], theirs[0][0])
    row = x if x.ndim else x.reshape(1)
    place = ours[0][1] if keepdim or not x.ndim else np.expand_dims(ours[0][1], dim)
    np.testing.assert_array_equal(np.take_along_axis(row, place.reshape(1) if not x.ndim else place, dim).ravel(),
                                  ours[0][0].ravel())
    if not np.isnan(x).all():
        same(lambda m, x: m.nanmedian(x), x)
    x = np.nan_to_num(x)
    same(lambda m, x: m.mode(x, dim, keepdim).values, x)
    values, indices = autograd.mode(autograd.tensor(x), dim, True)
    np.testing.assert_array_equal(np.take_along_axis(x if x.ndim else x.reshape(1),
                                                     indices.numpy().reshape(1) if not x.ndim else indices.numpy(),
                                                     dim).ravel(), values.numpy().ravel())


@pytest.mark.parametrize("shape", [(3, 5), (5,), (1, 4)])
@pytest.mark.parametrize("correction", [0, 1])
def test_covariances(shape, correction):
    pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape)
    same(lambda m, x: m.cov(x, correction=correction), x)
    same(lambda m, x: m.corrcoef(x), x)
    often, amount = rng.integers(1, 4, shape[-1]), rng.uniform(0.5, 2, shape[-1])
    for weights in ({"fweights": often}, {"aweights": amount}, {"fweights": often, "aweights": amount}):
        same(lambda m, x, weights=weights: m.cov(x, correction=correction, **{
            name: m.tensor(values) for name, values in weights.items()}), x)
    np.testing.assert_allclose(np.cov(autograd.tensor(x)).numpy(), np.cov(x))


@pytest.mark.parametrize(("call", "message"), [
    (lambda: autograd.ones(2).quantile(1.5), "between 0 and 1"),
    (lambda: autograd.zeros(0).quantile(0.5), "no element"),
    (lambda: autograd.ones(2).quantile(0.5, interpolation="cubic"), "none of linear"),
    (lambda: autograd.ones(2, 0).mode(1), "no element to take"),
    (lambda: autograd.cov(autograd.ones(1, 1, 1)), "matrix")])
def test_what_has_no_quantile_says_why(call, message):
    with pytest.raises((ValueError, RuntimeError, IndexError), match=message):
        call()
