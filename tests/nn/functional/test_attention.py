"""Attention: options, masks, many keys."""

import math

import numpy as np
import pytest

import autograd
from nn import functional as F
from nn.functional import attention
from tests.nn.layers import tensors

rng = np.random.default_rng(0)


def tensor(*shape, requires_grad=False):
    return autograd.tensor(rng.standard_normal(shape), requires_grad=requires_grad)


@pytest.mark.parametrize("options", [
    {}, {"is_causal": True}, {"scale": 0.3}, {"attn_mask": np.tril(np.ones((4, 5), bool))},
    {"attn_mask": rng.standard_normal((2, 1, 4, 5))}, {"enable_gqa": True}], ids=lambda o: ",".join(o) or "plain")
def test_attention_is_pytorchs(options, as_pytorch):
    heads, rng = 2 if options.get("enable_gqa") else 4, np.random.default_rng(1)
    arrays = [rng.standard_normal(shape) for shape in ((2, 4, 4, 6), (2, heads, 5, 6), (2, heads, 5, 7))]

    def program(library, layers):
        inputs = [library.tensor(x).requires_grad_() for x in arrays]
        out = layers.functional.scaled_dot_product_attention(*inputs, **tensors(options, library))
        (out * out).sum().backward()
        return [out, *[x.grad for x in inputs]]
    as_pytorch(program)


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


@pytest.mark.parametrize("options", [
    {}, {"training": False, "need_weights": False}, {"attn_mask": np.triu(np.ones((4, 5), bool), 2)},
    {"key_padding_mask": np.array([[False] * 4 + [True]] * 2), "average_attn_weights": False},
    {"use_separate_proj_weight": True}, {"static_k": rng.standard_normal((6, 7, 2))},
    {"static_k": rng.standard_normal((6, 5, 2)), "static_v": rng.standard_normal((6, 5, 2))}],
    ids=lambda o: ",".join(o) or "plain")
def test_attention_of_several_heads_is_pytorchs(options, as_pytorch):
    rng = np.random.default_rng(1)
    arrays = {name: rng.standard_normal(shape) for name, shape in {
        "query": (4, 2, 6), "key": (5, 2, 6), "value": (5, 2, 6), "in_proj_weight": (18, 6), "in_proj_bias": (18,),
        "bias_k": (1, 1, 6), "bias_v": (1, 1, 6), "out_proj_weight": (6, 6), "out_proj_bias": (6,)}.items()}
    if "use_separate_proj_weight" in options:
        arrays |= dict(zip(("q_proj_weight", "k_proj_weight", "v_proj_weight"), np.split(arrays["in_proj_weight"], 3),
                           strict=True))
        del arrays["in_proj_weight"]
        options = {"in_proj_weight": None, **options}
    if "static_k" in options:
        arrays |= {"bias_k": None, "bias_v": None}
        if options["static_k"].shape[1] == 7:
            arrays |= {name: rng.standard_normal((7, 2, 6)) for name in ("key", "value")}
    arrays |= {name: value for name, value in options.items() if name.startswith("static")}

    def program(library, layers):
        given = {name: None if x is None else library.tensor(x).requires_grad_() for name, x in arrays.items()}
        others = {k: v for k, v in tensors(options, library).items() if k not in given}
        out, weights = layers.functional.multi_head_attention_forward(
            **given, **others, embed_dim_to_check=6, num_heads=3, add_zero_attn=True, dropout_p=0.0)
        loss = (out * out).sum() + (0 if weights is None else (weights ** 3).sum())
        loss.backward()
        return [out, weights, *[x.grad for x in given.values() if x is not None and x.grad is not None]]
    as_pytorch(program)


def test_attention_of_several_heads_says_what_is_missing():
    x, w = tensor(2, 1, 4), tensor(12, 4)
    given = {"bias_k": None, "bias_v": None, "add_zero_attn": False, "dropout_p": 0.0, "in_proj_bias": None,
             "out_proj_weight": tensor(4, 4), "out_proj_bias": None}
    with pytest.raises(ValueError, match="in_proj_weight"):
        F.multi_head_attention_forward(x, x, x, 4, 2, None, **given)
    with pytest.raises(ValueError, match="q_proj_weight"):
        F.multi_head_attention_forward(x, x, x, 4, 2, w, use_separate_proj_weight=True, **given)
    for width, heads in ((5, 2), (4, 3)):
        with pytest.raises(ValueError, match="embed_dim_to_check"):
            F.multi_head_attention_forward(x, x, x, width, heads, w, **given)
