"""Rows by their numbers."""

import math

import numpy as np
import pytest

import autograd
import nn
from autograd.testing import gradgradcheck
from nn import functional as F


def test_embedding_shrinks_used_rows_to_max_norm():
    table = nn.Embedding(4, 3, max_norm=1.0)
    table.weight.array[:] = 3
    table(autograd.tensor([1, 3, 3]))
    norms = np.linalg.norm(table.weight.array, axis=1)
    np.testing.assert_allclose(norms, [math.sqrt(27), 1, math.sqrt(27), 1], rtol=1e-5)


def test_embedding_adds_up_the_gradients_of_repeated_rows():
    table = autograd.zeros(4, 2, requires_grad=True)
    weights = autograd.tensor([[[1.0], [2.0]], [[3.0], [4.0]]])
    (F.embedding(autograd.tensor([[1, 3], [3, 3]]), table) * weights).sum().backward()
    assert table.grad.tolist() == [[0, 0], [1, 1], [0, 0], [9, 9]]


def test_embedding_from_pretrained_is_frozen():
    rows = autograd.randn(3, 2)
    assert not nn.Embedding.from_pretrained(rows)(autograd.tensor([1])).requires_grad
    assert nn.Embedding.from_pretrained(rows, freeze=False)(autograd.tensor([1])).requires_grad


def test_one_hot():
    assert F.one_hot(autograd.tensor([[0, 2]])).tolist() == [[[1, 0, 0], [0, 0, 1]]]
    assert F.one_hot(autograd.tensor([1]), 4).shape == (1, 4)


BAGS = [  # indices, and options
    ([0, 2, 1, 2, 5], {"offsets": [0, 2]}),
    ([0, 2, 1, 2, 5], {"offsets": [0, 0, 3, 5]}),
    ([0, 2, 1, 2, 5], {"offsets": [0, 3, 5], "include_last_offset": True}),
    ([], {"offsets": [0, 0]}), ([[2, 2], [4, 0], [5, 2]], {}),
    ([[2, 2], [4, 0], [5, 2]], {"padding_idx": 2}), ([[2, 2], [4, 0]], {"padding_idx": -4}),
    ([0, 2, 1, 2, 5], {"offsets": [0, 2], "max_norm": 1.0, "norm_type": 1.0}),
    ([0, 2, 1, 2, 5], {"offsets": [0, 2], "per_sample_weights": [1.5, -2.0, 0.0, 3.0, 1.0]})]


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize(("indices", "options"), BAGS, ids=str)
def test_bags_are_pytorchs(indices, options, mode, as_pytorch):
    if mode != "sum":
        options = {k: v for k, v in options.items() if k != "per_sample_weights"}
    table = np.sin(np.arange(18.0)).reshape(6, 3)
    table[1, 2] = table[2, 2]  # a tie

    def program(library, layers):
        given = {k: library.tensor(np.array(v)) if isinstance(v, list) else v for k, v in options.items()}
        weight, leaves = library.tensor(table).requires_grad_(), []
        if "per_sample_weights" in given:
            leaves.append(given["per_sample_weights"].requires_grad_())
        out = layers.functional.embedding_bag(library.tensor(np.array(indices, np.int64)), weight, mode=mode, **given)
        out.backward(library.tensor(np.cos(np.arange(float(np.prod(out.shape)))).reshape(tuple(out.shape))))
        return [out, *[leaf.grad for leaf in (weight, *leaves)]]
    as_pytorch(program, 1e-12)


@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_bags_divide_gradients_by_how_often_a_row_is_used(mode):
    gradients = []  # PyTorch's CPU takes the number of another row now and then
    for scale in (False, True):
        weight = autograd.ones(6, 2, requires_grad=True)
        F.embedding_bag([0, 2, 1, 2, 5], weight, [0, 2], scale_grad_by_freq=scale, mode=mode).sum().backward()
        gradients.append(weight.grad.numpy())
    np.testing.assert_allclose(gradients[1], gradients[0] / np.array([1, 1, 2, 1, 1, 1])[:, None])


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags_without_an_index_are_zeros(mode):
    weight = autograd.ones(3, 2, requires_grad=True)
    out = F.embedding_bag(autograd.zeros(2, 0, dtype=autograd.int64), weight, mode=mode)
    out.sum().backward()
    assert out.tolist() == [[0, 0], [0, 0]] and not weight.grad.numpy().any()


def test_bags_have_second_derivatives():
    indices, offsets = autograd.tensor([0, 2, 1, 2]), autograd.tensor([0, 1])
    for mode in ("sum", "mean", "max"):
        assert gradgradcheck(
            lambda w, mode=mode: F.embedding_bag(indices, w, offsets, mode=mode) ** 2,
            (autograd.tensor(np.sin(np.arange(6.0)).reshape(3, 2), requires_grad=True),))
    assert gradgradcheck(
        lambda w, s: F.embedding_bag(indices, w, offsets, mode="sum", per_sample_weights=s),
        (autograd.tensor(np.sin(np.arange(6.0)).reshape(3, 2), requires_grad=True),
         autograd.tensor(np.cos(np.arange(4.0)), requires_grad=True)))


@pytest.mark.parametrize(("indices", "options", "reason"), [
    ([0, 1], {}, "without offsets"), ([[0, 1]], {"offsets": [0]}, "must be None"),
    ([0, 1], {"offsets": [1]}, "rise from 0"), ([0, 1], {"offsets": [0, 3]}, "at most 2"),
    ([0, 1], {"offsets": [0, 2, 1]}, "rise"), ([0, 9], {"offsets": [0]}, "9"), ([0.5], {"offsets": [0]}, "integers"),
    ([0, 1], {"offsets": [], "include_last_offset": True}, "integers"),
    ([0, 1], {"offsets": [0.0]}, "must be integers"), ([0, 1], {"offsets": [0], "mode": "median"}, "'sum', 'mean'"),
    ([0, 1], {"offsets": [0], "mode": "max", "scale_grad_by_freq": True}, "leave it out"),
    ([0, 1], {"offsets": [0], "per_sample_weights": [1.0, 2.0]}, "weights of a sum"),
    ([0, 1], {"offsets": [0], "mode": "sum", "per_sample_weights": [1.0]}, "shape")])
def test_bags_that_cannot_be(indices, options, reason):
    given = {k: autograd.tensor(np.array(v)) if isinstance(v, list) else v for k, v in options.items()}
    with pytest.raises((ValueError, IndexError, TypeError, NotImplementedError), match=reason):
        F.embedding_bag(autograd.tensor(np.array(indices)), autograd.ones(6, 3), **given)


def test_bags_from_pretrained_are_frozen():
    rows = autograd.randn(3, 2)
    bags = nn.EmbeddingBag.from_pretrained(rows, mode="sum")
    assert bags(autograd.tensor([[1, 1]])).tolist() == (rows[1] * 2).unsqueeze(0).tolist()
    assert not bags.weight.requires_grad and nn.EmbeddingBag.from_pretrained(rows, freeze=False).weight.requires_grad
    with pytest.raises(ValueError, match="rows"):
        nn.EmbeddingBag(4, 2, _weight=rows)
