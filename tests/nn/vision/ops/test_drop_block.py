"""DropBlock: whole blocks, as many elements as wanted, drawn as PyTorch draws."""

import numpy as np
import pytest

import autograd
from nn.vision.ops import DropBlock2d, DropBlock3d, drop_block2d, drop_block3d


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize(("p", "block"), [(0.1, 3), (0.4, 1), (0.2, 7)])
def test_it_draws_as_torchvision(ndim, p, block):
    torch, theirs = pytest.importorskip("torch"), pytest.importorskip("torchvision.ops")
    x = np.random.default_rng(0).normal(size=(3, 2, 9, 9, 7)[:ndim + 2])
    autograd.manual_seed(0)
    torch.manual_seed(0)
    given = autograd.tensor(x, requires_grad=True)
    ours = (drop_block2d, drop_block3d)[ndim - 2](given, p, block)
    result = getattr(theirs, f"drop_block{ndim}d")(torch.tensor(x), p, block)
    np.testing.assert_allclose(ours.detach().numpy(), result.numpy(), rtol=1e-12)
    ours.sum().backward()
    np.testing.assert_allclose(given.grad.numpy() * x, result.numpy(), rtol=1e-12)


@pytest.mark.parametrize("layer", [DropBlock2d(0.3, 3), DropBlock3d(0.3, 3)], ids=["2", "3"])
def test_the_mean_stays_and_zeros_come_in_blocks(layer):
    autograd.manual_seed(0)
    x = autograd.ones((20, 8, 12, 12, 12)[:4 if isinstance(layer, DropBlock2d) else 5])
    dropped = layer(x).numpy()
    np.testing.assert_allclose(dropped.mean(), 1, rtol=1e-5)
    assert 0.15 < (dropped == 0).mean() < 0.3
    centers = (dropped == 0)[:, :, 1:-1, 1:-1] & (dropped == 0)[:, :, 2:, 1:-1] & (dropped == 0)[:, :, :-2, 1:-1]
    assert centers.any()
    assert layer.eval()(x) is x


def test_in_place():
    x = autograd.ones(1, 1, 8, 8)
    assert drop_block2d(x, 0.5, 3, inplace=True) is x
    assert (x.numpy() == 0).any()


@pytest.mark.parametrize(("call", "message"), [
    (lambda x: drop_block2d(x, 1.5, 3), "between 0 and 1, not 1.5"),
    (lambda x: drop_block2d(x, 0.5, 4), "must be odd, not 4"),
    (lambda x: drop_block2d(x, 0.5, 9), r"must be odd, not 8 \(which is all of an input of shape \(1, 1, 8, 8\)\)"),
    (lambda x: drop_block3d(x, 0.5, 3), r"\(N, C, D, H, W\)"),
])
def test_what_cannot_be(call, message):
    with pytest.raises(ValueError, match=message):
        call(autograd.ones(1, 1, 8, 8))
