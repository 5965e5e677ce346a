"""Deformable convolution: each element of the kernel reads where an offset, itself computed, takes it."""

import math

import numpy as np

import autograd
from autograd import Tensor, as_tensor
from autograd.errors import ShapeError
from autograd.typing import Shape, TensorLike
from nn.convolution import Conv2d
from nn.functional.convolution import conv2d
from nn.functional.geometry import check_geometry, layout, output_size, tuple_of
from nn.functional.grid_sample import at_positions


def deform_conv2d(input: TensorLike, offset: TensorLike, weight: TensorLike, bias: TensorLike | None = None,
                  stride: Shape = (1, 1), padding: Shape = (0, 0), dilation: Shape = (1, 1),
                  mask: TensorLike | None = None) -> Tensor:
    """Convolution of images whose windows are deformed (Dai et al. 2017); with a mask also weighted (Zhu et al. 2019).

    Differentiable in all of them, to second order. Between pixels the input is interpolated, outside it is 0.

    Args:
        input: (N, C_in, H, W).
        offset: (N, 2 · G · kH · kW, H', W'), how far from its place each element of the kernel reads, down and to the
            right in turn: for the whole input, or for each of G groups of its channels.
        weight: (C_out, C_in / groups, kH, kW).
        bias: (C_out,).
        stride: how far the window moves, down and to the right.
        padding: rows and columns of zeros around the input.
        dilation: how far apart the elements of the kernel are.
        mask: (N, G · kH · kW, H', W'), what each element that is read is multiplied by.

    Returns:
        (N, C_out, H', W').

    >>> x, weight = rand(1, 3, 8, 8), rand(4, 3, 3, 3)
    >>> deform_conv2d(x, zeros(1, 18, 6, 6), weight).allclose(F.conv2d(x, weight), atol=1e-5)
    True
    """
    x, offset, weight = as_tensor(input), as_tensor(offset), as_tensor(weight)
    for what, tensor in (("input", x), ("offset", offset), ("weight", weight)):
        if tensor.ndim != 4:
            raise ShapeError(f"the {what} must have 4 axes, not the shape {tensor.shape}; the input is {layout(2)}")
    kernel, stride, dilation = weight.shape[2:], tuple_of(stride, 2, "stride"), tuple_of(dilation, 2, "dilation")
    padding = tuple_of(padding, 2, "padding")
    around = tuple([(p, p) for p in padding])
    check_geometry(kernel, stride, around, dilation)
    (count, channels, *size), elements = x.shape, math.prod(kernel)
    places = output_size(size, kernel, stride, around, dilation)
    groups = offset.shape[1] // (2 * elements)
    if min(places) < 1:
        raise ShapeError(f"a kernel of {kernel} (dilation {dilation}) does not fit an input of shape {x.shape} with "
                         f"padding {padding}")
    if not groups or offset.shape != (count, 2 * groups * elements, *places) or channels % groups:
        raise ShapeError(f"to an input of shape {x.shape} and a kernel of {kernel} belongs an offset of shape "
                         f"{(count, 2 * elements, *places)}, or G times as many for G groups of channels, not "
                         f"{offset.shape}")
    if channels % weight.shape[1]:
        raise ShapeError(f"the {channels} channels of the input cannot be divided into groups of {weight.shape[1]}, "
                         f"as the weight of shape {weight.shape} wants")
    moved = offset.reshape(count * groups, *kernel, 2, *places)
    positions = []
    for axis in (1, 0):
        rigid = np.add.outer(np.arange(kernel[axis]) * dilation[axis] - padding[axis],
                             np.arange(places[axis]) * stride[axis]).astype(offset.dtype)
        rigid = rigid[:, None, :, None] if axis == 0 else rigid[None, :, None, :]  # (kH, kW, H', W')
        positions.append((moved[:, :, :, axis] + rigid).reshape(count * groups, elements * math.prod(places)))
    read = at_positions(x.reshape(count * groups, channels // groups, *size), autograd.stack(positions, -1),
                        [(0.0, 1.0, 0.0)] * 2)
    read = read.reshape(count * groups, elements, *places, channels // groups)
    if mask is not None:
        mask = as_tensor(mask)
        if mask.shape != (count, groups * elements, *places):
            raise ShapeError(f"to an offset of shape {offset.shape} belongs a mask of shape "
                             f"{(count, groups * elements, *places)}, not {mask.shape}")
        read = read * mask.reshape(count * groups, elements, *places, 1)
    columns = read.movedim(-1, 1).reshape(count, channels * elements, *places)
    return conv2d(columns, weight.reshape(weight.shape[0], -1, 1, 1), bias, groups=channels // weight.shape[1])


class DeformConv2d(Conv2d):
    """`deform_conv2d` as a layer with a weight and a bias; called with images, offsets and, if wanted, a mask.

    Args:
        in_channels: C_in.
        out_channels: C_out.
        kernel_size: a number or (kH, kW).
        stride: how far the window moves.
        padding: rows and columns of zeros around the input.
        dilation: the distance between the elements of the kernel.
        groups: into how many independent convolutions the channels are split.
        bias: whether a number is added to each output channel.

    >>> offsets = nn.Conv2d(3, 18, 3, padding=1)
    >>> x = rand(1, 3, 8, 8)
    >>> DeformConv2d(3, 4, 3, padding=1)(x, offsets(x)).shape
    (1, 4, 8, 8)
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Shape, stride: Shape = 1, padding: Shape = 0,
                 dilation: Shape = 1, groups: int = 1, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)

    def forward(self, input: Tensor, offset: Tensor, mask: Tensor | None = None) -> Tensor:  # type: ignore[override]
        self._check_channels(input)
        assert not isinstance(self.padding, str)
        return deform_conv2d(input, offset, self.weight, self.bias, self.stride, self.padding, self.dilation, mask)
