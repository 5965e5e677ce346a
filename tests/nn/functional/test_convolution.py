"""Convolution beyond what the layers show: in blocks, in parts, in memory, transposed."""

import math

import numpy as np
import pytest

import autograd
import nn
from nn import functional as F

rng = np.random.default_rng(0)


def tensor(*shape, requires_grad=False):
    return autograd.tensor(rng.standard_normal(shape), requires_grad=requires_grad)


def test_the_batch_is_split_into_blocks_without_a_trace(monkeypatch):
    x, w = rng.standard_normal((7, 4, 6, 5)), rng.standard_normal((6, 2, 3, 3))

    def all_three():
        a, b = autograd.tensor(x, requires_grad=True), autograd.tensor(w, requires_grad=True)
        out = F.conv2d(a, b, stride=2, padding=1, groups=2)
        (out * out).sum().backward()
        return [t.numpy() for t in (out.detach(), a.grad, b.grad)]
    whole = all_three()
    for cache in (1, 20000):
        monkeypatch.setattr("nn.functional.geometry.CACHE", cache)
        for got, expected in zip(all_three(), whole, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-10)


def test_convolution_keeps_channels_together_in_memory():
    out = F.conv2d(tensor(2, 3, 5, 5), tensor(4, 3, 3, 3))
    assert np.moveaxis(out.array, 1, -1).flags.c_contiguous
    assert np.moveaxis(F.relu(out).array, 1, -1).flags.c_contiguous


def test_transposed_convolution_is_the_adjoint_and_reaches_any_size():
    layer = nn.ConvTranspose2d(3, 2, 3, stride=2).double()
    x = tensor(1, 3, 4, 4)
    assert layer(x).shape == (1, 2, 9, 9)
    out = layer(x, output_size=(10, 9))
    assert out.shape == (1, 2, 10, 9)
    y = tensor(*out.shape)
    back = F.conv2d(y, layer.weight, stride=2)
    shift = layer.bias.reshape((-1, 1, 1))
    assert math.isclose(((out - shift) * y).sum().item(), (x * back).sum().item(), rel_tol=1e-10)
    with pytest.raises(ValueError, match="cannot be reached"):
        layer(x, output_size=(11, 9))


@pytest.mark.parametrize("options", [
    {}, {"padding": 2}, {"dilation": (2, 1), "padding": (1, 0)}, {"groups": 2},
    {"groups": 2, "dilation": 2, "bias": True}])
@pytest.mark.parametrize("size", [(7,), (6, 5), (4, 5, 3)])
def test_convolution_in_parts_is_convolution(size, options, monkeypatch):
    options = dict(options)
    if len(size) != 2:
        options = {key: value[0] if isinstance(value, tuple) else value for key, value in options.items()}
    convolve = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[len(size)]
    arrays = [rng.standard_normal((3, 4, *size)), rng.standard_normal((6, 4 // options.get("groups", 1),
                                                                       *(2,) * len(size)))]
    arrays += [rng.standard_normal(6)] if options.pop("bias", None) else []
    results = []
    for parts in (1, 2):
        monkeypatch.setattr("nn.functional.convolution._parts", lambda *_, parts=parts: parts)
        tensors = [autograd.tensor(a, requires_grad=True) for a in arrays]
        out = convolve(*tensors, **options)
        (out * out).sum().backward()
        results.append([out.detach().numpy(), *[t.grad.numpy() for t in tensors]])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
