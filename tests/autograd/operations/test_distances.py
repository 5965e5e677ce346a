"""Distances are the same in blocks."""

import sys

import numpy as np
import pytest

import autograd


@pytest.mark.parametrize("shape", [(7, 3), (2, 7, 3), (1, 3)])
def test_distances_are_the_same_in_blocks(shape, monkeypatch):
    rng = np.random.default_rng(0)
    x, y = (autograd.tensor(rng.standard_normal(shape), requires_grad=True) for _ in range(2))
    found = []
    for block in (1 << 22, 50, 1):
        monkeypatch.setattr(sys.modules["autograd.operations.distances"], "BLOCK", block)
        for p in (2.0, 1.0, float("inf")):
            out = autograd.cdist(x, y, p)
            found.append([out.detach(), *autograd.grad(out.sum(), [x, y])])
    for a, b in zip(found, [*found[3:], *found[:3]], strict=True):
        for one, other in zip(a, b, strict=True):
            np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-12)
