"""Loops over lines give what NumPy gives, however arrays lie in memory and whatever is in them."""

import importlib.util

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn.functional as F

pytestmark = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")


def cross_entropy(weighted=False, **options):
    """Of the lines, a third of which is ignored; a third of the classes weighs nothing."""
    def losses(x, dim):
        scores = x.movedim(dim, -1).reshape(-1, x.shape[dim])
        labels, classes = np.arange(len(scores)) % x.shape[dim], np.arange(x.shape[dim], dtype=np.float32)
        labels[1::3] = -100
        weight = {"weight": classes % 3} if weighted else {}
        return F.cross_entropy(scores, labels, reduction="none", **weight, **options)
    return losses


FUNCTIONS = {
    "softmax": F.softmax,
    "log_softmax": F.log_softmax,
    "logsumexp": autograd.logsumexp,
    "logsumexp, with its axis": lambda x, dim: autograd.logsumexp(x, dim, keepdim=True),
    "cross_entropy": cross_entropy(),
    "cross_entropy with weights": cross_entropy(weighted=True),
    "cross_entropy of smooth labels": cross_entropy(label_smoothing=0.2),
    "cross_entropy of smooth labels with weights": cross_entropy(weighted=True, label_smoothing=0.2),
}


@st.composite
def arrays(draw, odd=True):
    """An array of float32 of some shape, in some order in memory, perhaps with gaps or the same along an axis, and an
    axis of it; with numbers that are none, or rows of -inf."""
    shape = draw(st.lists(st.integers(1, 5) | st.sampled_from([33, 300]), min_size=1, max_size=4).filter(
        lambda sides: np.prod(sides) < 20_000))
    order = draw(st.permutations(range(len(shape))))
    lie = draw(st.sampled_from(["packed", "packed", "gaps", "reversed", "repeated"]))
    dim = draw(st.integers(-len(shape), len(shape) - 1))
    base = np.random.default_rng(draw(st.integers(0, 99))).standard_normal([shape[i] for i in order], np.float32)
    base *= draw(st.sampled_from([1, 1, 30]))
    if odd:
        for value in draw(st.lists(st.sampled_from([np.nan, np.inf, -np.inf, -0.0, 1e38, -3e38]), max_size=2)):
            base[tuple(draw(st.integers(0, n - 1)) for n in base.shape)] = value
        if draw(st.booleans()):
            base[draw(st.integers(0, len(base) - 1))] = -np.inf
    if lie == "gaps":
        base = base.repeat(2, -1)[..., ::2]
    elif lie == "reversed":
        base = base[::-1]
    elif lie == "repeated":
        base = np.broadcast_to(base[:1], base.shape)
    return base.transpose(np.argsort(order)), dim


def value_and_gradient(function, array, dim, uniform, compiled):
    autograd.set_compiled(compiled)
    x = autograd.from_numpy(array).requires_grad_()
    with np.errstate(all="ignore"):
        out = function(x, dim)
        g = np.random.default_rng(0).standard_normal(out.shape).astype(np.float32)
        out.backward(autograd.tensor(2.0).expand(out.shape) if uniform else autograd.tensor(g))
    return out.detach().numpy(), x.grad.numpy()


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch):
    monkeypatch.setattr("autograd.runtime.compiled.LEAST", 1)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_numbers_shapes_and_gradients(name):
    before = autograd.is_compiled()

    @settings(max_examples=60, derandomize=True, database=None)
    @given(arrays(), st.booleans())
    def agree(drawn, uniform):
        plain, fast = (value_and_gradient(FUNCTIONS[name], *drawn, uniform, compiled) for compiled in (False, True))
        for one, other in zip(plain, fast, strict=True):
            assert other.dtype == np.float32
            assert other.shape == one.shape
            np.testing.assert_allclose(other, one, rtol=2e-5, atol=2e-6)

    try:
        agree()
    finally:
        autograd.set_compiled(before)
