"""Rows by their numbers."""

import math

import numpy as np

import autograd
import nn
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
