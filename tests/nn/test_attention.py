"""Attention by a network, and positions: what PyTorch has no layers for."""

import math

import numpy as np
import pytest

import autograd
import nn

rng = np.random.default_rng(0)


def tensor(*shape, requires_grad=False):
    return autograd.tensor(rng.standard_normal(shape), requires_grad=requires_grad)


def test_additive_attention_is_the_papers_formula():
    layer = nn.AdditiveAttention(3, 4, 5).double()
    query, key, value = tensor(2, 3, 3), tensor(2, 6, 4), tensor(2, 6, 7)
    mask = np.ones((1, 1, 6), bool)
    mask[..., 4:] = False
    out, weights = layer(query, key, value, autograd.tensor(mask))
    q = query.numpy() @ layer.query_proj.weight.array.T
    k = key.numpy() @ layer.key_proj.weight.array.T + layer.key_proj.bias.array
    scores = np.tanh(q[:, :, None] + k[:, None]) @ layer.score_proj.weight.array[0]
    without_mask = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    np.testing.assert_allclose(layer(query, key, value)[1].detach().numpy(), without_mask, rtol=1e-9)
    scores[..., 4:] = -np.inf
    expected = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    np.testing.assert_allclose(weights.detach().numpy(), expected, rtol=1e-9)
    np.testing.assert_allclose(out.detach().numpy(), expected @ value.numpy(), rtol=1e-9)


def test_sinusoidal_positions_are_the_papers_formula():
    added = nn.SinusoidalPositions(6, 50)(autograd.zeros(1, 50, 6)).numpy()[0]
    for position, i in ((0, 0), (3, 1), (49, 2)):
        angle = position / 10000 ** (2 * i / 6)
        np.testing.assert_allclose(added[position, 2 * i:2 * i + 2], [math.sin(angle), math.cos(angle)], atol=1e-5)
    with pytest.raises(ValueError, match="max_len=50"):
        nn.SinusoidalPositions(6, 50)(autograd.zeros(1, 51, 6))


def test_learned_positions_differ_only_by_position():
    layer = nn.LearnedPositions(4, 10)
    added = layer(autograd.zeros(2, 3, 4)).detach().numpy()
    np.testing.assert_array_equal(added[0], layer.weight.array[:3])
    np.testing.assert_array_equal(added[0], added[1])
