"""Losses: extreme scores, nothing to learn from, CTC, penalties."""

import math
import warnings

import numpy as np
import pytest

import autograd
from nn import functional as F

rng = np.random.default_rng(0)


def tensor(*shape, requires_grad=False):
    return autograd.tensor(rng.standard_normal(shape), requires_grad=requires_grad)


def test_cross_entropy_of_extreme_scores():
    scores = autograd.tensor([[1e4, 0.0, -1e4], [0.0, 1e4, 0.0]], requires_grad=True)
    loss = F.cross_entropy(scores, autograd.tensor([0, 0]), reduction="none")
    assert loss.tolist() == [0.0, 1e4]
    loss.sum().backward()
    np.testing.assert_array_equal(scores.grad.numpy(), [[0, 0, 0], [-1, 1, 0]])


def test_cross_entropy_with_every_example_ignored_is_nan_as_in_pytorch():
    assert math.isnan(F.cross_entropy(tensor(2, 3), autograd.tensor([-100, -100])).item())
    assert F.cross_entropy(tensor(2, 3), autograd.tensor([-100, -100]), reduction="sum").item() == 0


@pytest.mark.parametrize(("options", "lengths"), [
    ({}, ([6, 5], [3, 1])), ({"reduction": "sum"}, ([6, 3], [3, 1])),
    ({"reduction": "none", "blank": 2}, ([6, 4], [2, 2])), ({"zero_infinity": True}, ([6, 2], [3, 3]))])
def test_ctc_is_pytorchs(options, lengths, as_pytorch):
    """After log_softmax: PyTorch's derivative in log_probs itself is, by design, that in the scores before."""
    scores, targets = np.random.default_rng(0).standard_normal((6, 2, 4)), np.array([[1, 3, 3], [3, 1, 1]])

    def program(library, layers):
        x = library.tensor(scores, requires_grad=True)
        loss = layers.functional.ctc_loss(layers.functional.log_softmax(x, -1), library.tensor(targets),
                                          *map(library.tensor, lengths), **options)
        loss.sum().backward()
        return loss, x.grad
    as_pytorch(program)


def test_penalties():
    w = [autograd.tensor([1.0, -2.0], requires_grad=True), autograd.tensor([[3.0]], requires_grad=True)]
    assert F.l1_penalty(w).item() == 6
    assert F.l2_penalty(w).item() == 14
    assert F.elastic_net_penalty(w, 0.25).item() == 0.25 * 6 + 0.75 * 14


def test_shapes_that_are_broadcast_get_pytorchs_warning_and_equal_ones_get_none():
    with pytest.warns(UserWarning, match=r"mse_loss.*\(2, 1\).*\(2,\).*broadcast"):
        F.mse_loss(autograd.zeros(2, 1), autograd.zeros(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        F.mse_loss(autograd.zeros(2), autograd.zeros(2))
