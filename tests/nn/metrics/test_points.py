"""Chamfer distance and F1 at a distance, by all pairs."""

import numpy as np
import pytest

import autograd
from autograd.testing import gradcheck
from nn import metrics

rng = np.random.default_rng(0)
x, y = rng.standard_normal((2, 7, 3)), rng.standard_normal((2, 9, 3))
pairs = ((x[:, :, None] - y[:, None]) ** 2).sum(-1)


def test_chamfer_distance_is_that_of_all_pairs():
    each = pairs.min(2).mean(1) + pairs.min(1).mean(1)
    np.testing.assert_allclose(metrics.chamfer_distance(x, y).item(), each.mean())
    np.testing.assert_allclose(metrics.chamfer_distance(x, y, batch_reduction=None).numpy(), each)
    np.testing.assert_allclose(metrics.chamfer_distance(x[0], y[0], point_reduction="sum").item(),
                               pairs[0].min(1).sum() + pairs[0].min(0).sum())


def test_chamfer_distance_is_a_loss():
    a, b = (autograd.tensor(points[:1], requires_grad=True) for points in (x, y))
    assert gradcheck(metrics.chamfer_distance, (a, b))


@pytest.mark.parametrize("threshold", [0.0, 0.8, 1.5, 10.0])
def test_f1_is_that_of_all_pairs(threshold):
    near = np.sqrt(pairs) <= threshold
    precision, recall = near.any(2).mean(1), near.any(1).mean(1)
    expected = np.divide(2 * precision * recall, precision + recall, where=precision + recall > 0, out=np.zeros(2))
    np.testing.assert_allclose(metrics.f1_at_distance(x, y, threshold).numpy(), expected, rtol=1e-6)
