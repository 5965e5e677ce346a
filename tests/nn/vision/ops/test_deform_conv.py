"""Deformable convolution, beside its definition element by element."""

import numpy as np
import pytest

import autograd
from autograd import tensor
from autograd.testing import gradcheck, gradgradcheck
from nn.functional import conv2d
from nn.vision.ops import DeformConv2d, deform_conv2d

RANDOM = np.random.default_rng(0)


def by_definition(x, offset, weight, mask, stride, padding, dilation):
    (count, channels, height, width), (outputs, each, down, right) = x.shape, weight.shape
    offset_groups, places = offset.shape[1] // (2 * down * right), offset.shape[2:]
    out = np.zeros((count, outputs, *places))

    def pixel(n, c, i, j):
        return x[n, c, i, j] if 0 <= i < height and 0 <= j < width else 0

    for n, o, c, u, v, a, b in np.ndindex(count, outputs, each, down, right, *places):
        channel = o // (outputs // (channels // each)) * each + c
        element = channel // (channels // offset_groups) * down * right + u * right + v
        y = a * stride - padding + u * dilation + offset[n, 2 * element, a, b]
        z = b * stride - padding + v * dilation + offset[n, 2 * element + 1, a, b]
        i, j = int(np.floor(y)), int(np.floor(z))
        value = sum(pixel(n, channel, i + s, j + t) * abs(1 - s - (y - i)) * abs(1 - t - (z - j))
                    for s in range(2) for t in range(2))
        out[n, o, a, b] += weight[o, c, u, v] * value * mask[n, element, a, b]
    return out


@pytest.mark.parametrize(("groups", "offset_groups", "stride", "padding", "dilation"),
                         [(1, 1, 1, 0, 1), (2, 1, 2, 1, 1), (1, 2, 1, 1, 2), (2, 4, 1, 0, 1)])
def test_each_element_reads_where_its_offset_takes_it(groups, offset_groups, stride, padding, dilation):
    x, weight = RANDOM.normal(size=(2, 4, 5, 6)), RANDOM.normal(size=(2, 4 // groups, 2, 3))
    places = [(n + 2 * padding - dilation * (k - 1) - 1) // stride + 1 for n, k in ((5, 2), (6, 3))]
    offset = RANDOM.normal(size=(2, 2 * offset_groups * 6, *places)) * 2
    offset[:, :2] = np.round(offset[:, :2])
    mask = RANDOM.random((2, offset_groups * 6, *places))
    result = deform_conv2d(tensor(x), tensor(offset), tensor(weight), None, stride, padding, dilation, tensor(mask))
    np.testing.assert_allclose(result.numpy(), by_definition(x, offset, weight, mask, stride, padding, dilation),
                               atol=1e-12)


def test_both_derivatives_in_all_five():
    inputs = [tensor(RANDOM.normal(size=shape) * 0.9, requires_grad=True)
              for shape in ((1, 2, 3, 4), (1, 16, 2, 3), (2, 1, 2, 2), (2,), (1, 8, 2, 3))]

    def call(x, offset, weight, bias, mask):
        return deform_conv2d(x, offset, weight, bias, mask=mask)
    assert gradcheck(call, inputs)
    assert gradgradcheck(call, inputs)


def test_far_away_there_is_nothing():
    offset = autograd.full((1, 18, 3, 3), np.inf)
    offset[0, 0, 0, 0] = np.nan
    result = deform_conv2d(autograd.ones(1, 1, 5, 5), offset, autograd.ones(1, 1, 3, 3)).numpy()
    assert np.isnan(result[0, 0, 0, 0])
    assert (result.ravel()[1:] == 0).all()


def test_the_layer():
    autograd.manual_seed(0)
    layer = DeformConv2d(2, 4, 3, padding=1, groups=2)
    x = autograd.rand(1, 2, 5, 5)
    assert layer(x, autograd.zeros(1, 18, 5, 5)).allclose(conv2d(x, layer.weight, layer.bias, padding=1, groups=2),
                                                          atol=1e-6)
    assert repr(layer) == "DeformConv2d(2, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), groups=2)"
    torch, theirs = pytest.importorskip("torch"), pytest.importorskip("torchvision.ops")
    torch.manual_seed(0)
    theirs = theirs.DeformConv2d(2, 4, 3, padding=1, groups=2)
    assert repr(theirs) == repr(layer)
    for name, parameter in theirs.state_dict().items():
        np.testing.assert_array_equal(layer.state_dict()[name].numpy(), parameter.numpy())


@pytest.mark.parametrize(("offset", "weight", "mask", "message"), [
    ((1, 18, 3, 4), (1, 2, 3, 3), None, r"an offset of shape \(1, 18, 3, 3\)"),
    ((1, 9, 3, 3), (1, 2, 3, 3), None, r"an offset of shape \(1, 18, 3, 3\)"),
    ((1, 18, 3, 3), (1, 2, 3, 3), (1, 18, 3, 3), r"a mask of shape \(1, 9, 3, 3\)"),
    ((1, 18, 3, 3), (1, 3, 3, 3), None, "2 channels of the input cannot be divided into groups of 3"),
    ((1, 72, 3, 3), (1, 2, 6, 6), None, "does not fit"),
])
def test_what_does_not_fit(offset, weight, mask, message):
    with pytest.raises(ValueError, match=message):
        deform_conv2d(autograd.zeros(1, 2, 5, 5), autograd.zeros(offset), autograd.zeros(weight),
                      mask=mask and autograd.zeros(mask))
