"""Attention: options, masks, many keys."""

import math

import numpy as np
import pytest

import autograd
from nn import functional as F
from nn.functional import attention

rng = np.random.default_rng(0)


def tensor(*shape, requires_grad=False):
    return autograd.tensor(rng.standard_normal(shape), requires_grad=requires_grad)


@pytest.mark.parametrize("options", [
    {}, {"is_causal": True}, {"scale": 0.3}, {"attn_mask": np.tril(np.ones((4, 5), bool))},
    {"attn_mask": rng.standard_normal((2, 1, 4, 5))}, {"enable_gqa": True}], ids=lambda o: ",".join(o) or "plain")
def test_attention_is_pytorchs(options):
    torch = pytest.importorskip("torch")
    heads = 2 if options.get("enable_gqa") else 4
    arrays = [rng.standard_normal(shape) for shape in ((2, 4, 4, 6), (2, heads, 5, 6), (2, heads, 5, 7))]
    results = []
    for function, make in ((F.scaled_dot_product_attention, autograd.tensor),
                           (torch.nn.functional.scaled_dot_product_attention, torch.tensor)):
        inputs = [make(x).requires_grad_() for x in arrays]
        given = {k: make(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
        out = function(*inputs, **given)
        (out * out).sum().backward()
        results.append([out.detach().numpy(), *[x.grad.numpy() for x in inputs]])
    for got, expected in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


def test_a_query_that_may_look_at_nothing_gives_zero():
    mask = np.array([[True, False], [False, False]])
    q, k, v = (tensor(2, 3, requires_grad=True) for _ in range(3))
    q, k, v = (x.detach().requires_grad_() for x in (q, k[:2], v[:2]))
    out = F.scaled_dot_product_attention(q, k, v, autograd.tensor(mask))
    assert (out.array[1] == 0).all()
    out.sum().backward()
    assert np.isfinite(q.grad.array).all()


def test_a_learned_mask_gets_its_gradient():
    q, k, v, mask = tensor(4, 6), tensor(5, 6), tensor(5, 2), tensor(4, 5, requires_grad=True)
    F.scaled_dot_product_attention(q, k, v, mask).sum().backward()
    weights = F.softmax((q @ k.transpose(0, 1)) / math.sqrt(6) + mask.detach(), -1)
    g = v.sum(1).numpy()
    expected = weights.numpy() * (g - weights.numpy() @ g[:, None])
    np.testing.assert_allclose(mask.grad.numpy(), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("window", ["causal", "sliding", "nothing for some", "everything"])
@pytest.mark.parametrize("dropped", [False, True])
def test_attention_in_blocks_is_attention(window, dropped, monkeypatch):
    monkeypatch.setattr("nn.functional.attention.QUERIES", 3)
    queries, keys = 10, 8
    i, j = np.arange(queries)[:, None], np.arange(keys)
    seen = {"causal": j <= i, "sliding": abs(i - j) < 2, "nothing for some": (j <= i) & (i > 4),
            "everything": np.ones((queries, keys), bool)}[window]
    mask = np.where(seen, 0.0, -np.inf)
    keep = (rng.random((2, queries, keys)) > 0.3) / 0.7 if dropped else None
    inputs = [rng.standard_normal((2, n, 4)) for n in (queries, keys, keys)]
    results = []
    for blocks in (mask, mask[None]):  # with a leading axis the mask may differ from item to item
        tensors = [autograd.tensor(a, requires_grad=True) for a in inputs]
        out = attention._attention(*tensors, mask=blocks, keep=keep, scale=0.5)[0]
        (out * out).sum().backward()
        results.append([out.detach().numpy(), *[t.grad.numpy() for t in tensors]])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
    assert len(attention.blocks_seen(mask, queries, keys, 3)) == (1 if window == "everything" else 4)
    assert not np.any(results[0][0][:, ~seen.any(axis=1)])
