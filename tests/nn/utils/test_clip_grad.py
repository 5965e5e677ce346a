"""Gradients clipped, weights of at most some length."""

import math

import numpy as np
import pytest

import autograd
import nn
from nn import utils


def with_gradients(make):
    rng = np.random.default_rng(0)
    params = []
    for shape in ((3, 4), (5,)):
        p = make(rng.standard_normal(shape)).requires_grad_()
        (p * make(rng.standard_normal(shape) * 3)).sum().backward()
        params.append(p)
    return params


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.5, math.inf])
@pytest.mark.parametrize("max_norm", [0.5, 1000.0])
def test_clip_grad_norm_is_pytorchs(norm_type, max_norm):
    torch = pytest.importorskip("torch")
    ours, theirs = with_gradients(autograd.tensor), with_gradients(torch.tensor)
    before = utils.clip_grad_norm_(ours, max_norm, norm_type)
    assert math.isclose(before.item(), torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type).item())
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-6)


def test_clip_grad_value():
    params = with_gradients(autograd.tensor)
    expected = [np.clip(p.grad.numpy(), -0.5, 0.5) for p in params]
    utils.clip_grad_value_(params, 0.5)
    for p, g in zip(params, expected, strict=True):
        np.testing.assert_array_equal(p.grad.numpy(), g)


def test_a_norm_that_is_not_finite_is_refused_on_request():
    p = autograd.ones(2, requires_grad=True)
    (p * math.inf).sum().backward()
    with pytest.raises(RuntimeError, match="inf"):
        utils.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)


def test_max_norm_shrinks_rows_that_are_too_long():
    layer = nn.Linear(4, 3)
    layer.weight.array[:] = np.array([[3.0], [0.1], [1.0]])
    utils.max_norm_(layer.parameters(), 2.0)
    np.testing.assert_allclose(np.linalg.norm(layer.weight.array, axis=1), [2, 0.2, 2], rtol=1e-6)


@pytest.mark.parametrize("gradient", [[3.0, -4.0], [0.1, 0.2], [math.nan, 1.0], [math.inf, 1.0]])
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::FutureWarning")
def test_all_names_of_clipping_are_pytorchs(gradient):
    torch = pytest.importorskip("torch")
    results = []
    for package, tensor in ((nn, autograd.tensor), (torch.nn, torch.tensor)):
        for name, args in (("clip_grad_norm_", (2.0,)), ("clip_grad_norm", (2.0, 1.0)),
                           ("clip_grad_norm_", (2.0, math.inf)),
                           ("clip_grads_with_norm_", (2.0, tensor(8.0))), ("clip_grad_value_", (2.5,))):
            p = package.Parameter(tensor([0.0, 0.0]))
            p.grad = tensor(gradient)
            returned = getattr(package.utils, name)([p], *args, foreach=False)
            results.append([p.grad.tolist(), None if returned is None else returned.item()])
    half = len(results) // 2
    for (got, norm), (expected, expected_norm) in zip(results[:half], results[half:], strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6)
        assert norm == expected_norm or norm == pytest.approx(expected_norm, nan_ok=True)
