"""Layers fused with the batch normalization after them."""

import numpy as np
import pytest

import autograd
import nn
from nn import utils


@pytest.mark.parametrize("options", [{}, {"affine": False}, {"eps": 0.1, "momentum": 0.5}])
@pytest.mark.parametrize(("name", "args", "kind", "shape"), [
    ("Linear", (3, 4), "BatchNorm1d", (5, 3)), ("Conv1d", (3, 4, 2), "BatchNorm1d", (2, 3, 5)),
    ("Conv2d", (4, 4, 2, 1, 1, 1, 2), "BatchNorm2d", (2, 4, 5, 5)),
    ("ConvTranspose2d", (3, 4, 2), "BatchNorm2d", (2, 3, 4, 4))])
@pytest.mark.parametrize("bias", [True, False])
def test_one_layer_does_what_two_did(name, args, kind, shape, options, bias):
    torch = pytest.importorskip("torch")
    results = []
    for package, tensor in ((nn, autograd.tensor), (torch.nn, torch.tensor)):
        layer = getattr(package, name)(*args, bias=bias).double()
        bn = getattr(package, kind)(4, **options).double()
        for i, t in enumerate([*layer.parameters(), *bn.parameters(), bn.running_mean, bn.running_var]):
            t.data = tensor(np.cos(np.arange(float(np.prod(t.shape)))).reshape(tuple(t.shape)) * 0.3 + 0.5 + i)
        layer.eval()
        bn.eval()
        x = tensor(np.sin(np.arange(float(np.prod(shape)))).reshape(shape))
        if name == "Linear":
            if options.get("affine") is False and package is not nn:
                pytest.skip("PyTorch needs a scale here")
            fused = package.utils.fuse_linear_bn_eval(layer, bn)
        else:
            fused = package.utils.fuse_conv_bn_eval(layer, bn, name == "ConvTranspose2d")
        np.testing.assert_allclose(fused(x).detach().numpy(), bn(layer(x)).detach().numpy(), rtol=1e-9, atol=1e-9)
        assert type(fused) is type(layer) and fused is not layer
        results.append([fused.weight, fused.bias])
    for got, expected in zip(*results, strict=True):
        np.testing.assert_allclose(got.detach().numpy(), expected.detach().numpy(), rtol=1e-9, atol=1e-9)
        assert got.requires_grad == expected.requires_grad and isinstance(got, nn.Parameter)


@pytest.mark.parametrize(("wrong", "reason"), [
    (lambda: utils.fuse_conv_bn_eval(nn.Conv1d(1, 2, 1), nn.BatchNorm1d(2).eval()), "eval"),
    (lambda: utils.fuse_conv_bn_eval(nn.Conv1d(1, 2, 1).eval(), nn.BatchNorm1d(2)), "eval"),
    (lambda: utils.fuse_conv_bn_eval(nn.Conv1d(1, 2, 1).eval(), nn.BatchNorm1d(2, track_running_stats=False).eval()),
     "running statistics"),
    (lambda: utils.fuse_conv_bn_eval(nn.Linear(1, 2).eval(), nn.BatchNorm1d(2).eval()), "takes a convolution"),
    (lambda: utils.fuse_linear_bn_eval(nn.Conv1d(1, 2, 1).eval(), nn.BatchNorm1d(2).eval()), "takes a linear layer"),
    (lambda: utils.fuse_linear_bn_eval(nn.Linear(1, 2).eval(), nn.BatchNorm1d(3).eval()), "3 features")])
def test_what_cannot_be_fused(wrong, reason):
    with pytest.raises(ValueError, match=reason):
        wrong()
