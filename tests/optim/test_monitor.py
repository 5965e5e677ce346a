"""How large the steps are."""

import numpy as np
import pytest

import optim
from autograd import Tensor


def parameter(*shape, dtype=np.float64, seed=0):
    return Tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype), requires_grad=True)


def with_gradients(*params, seed=1):
    rng = np.random.default_rng(seed)
    for p in params:
        p.grad = Tensor(rng.standard_normal(p.shape).astype(p.dtype))
    return list(params)


def test_update_ratio_is_measured_by_name():
    p, q = parameter(3), Tensor(np.zeros(2), requires_grad=True)
    optimizer = optim.SGD([("weight", p), ("bias", q)], lr=0.01)
    with_gradients(p, q)
    size = np.linalg.norm(p.array)
    with optim.UpdateRatio(optimizer) as ratios:
        optimizer.step()
    optimizer.step()
    assert len(ratios.history) == 1
    assert ratios.last["weight"] == pytest.approx(0.01 * np.linalg.norm(p.grad.array) / size)
    assert np.isnan(ratios.last["bias"])
