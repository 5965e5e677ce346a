"""Convolutions as layers."""

import math
from collections.abc import Callable
from typing import ClassVar

import autograd
from autograd import Tensor
from autograd.errors import ShapeError
from autograd.typing import DTypeLike, Shape
from nn import functional as F
from nn import init
from nn.functional.convolution import padding_of
from nn.functional.geometry import layout, tuple_of
from nn.module import Module
from nn.parameter import Parameter


class _Conv(Module):
    ndim: ClassVar[int]
    function: ClassVar[Callable]
    transposed: ClassVar[bool] = False

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Shape, stride: Shape = 1,
                 padding: Shape | str = 0, dilation: Shape = 1, groups: int = 1, bias: bool = True,
                 padding_mode: str = "zeros", device: str | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(f"groups={groups} must divide in_channels={in_channels} and out_channels={out_channels}")
        if padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError("padding_mode must be 'zeros', 'reflect', 'replicate' or 'circular', not "
                             f"{padding_mode!r}")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = tuple_of(kernel_size, self.ndim, "kernel_size")
        self.stride, self.dilation = tuple_of(stride, self.ndim, "stride"), tuple_of(dilation, self.ndim, "dilation")
        self.padding = padding if isinstance(padding, str) else tuple_of(padding, self.ndim, "padding")
        self.padding_mode, self.output_padding = padding_mode, (0,) * self.ndim
        self._around = padding_of(self.padding, self.kernel_size, self.stride, self.dilation)
        lead = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = Parameter(autograd.empty(lead[0], lead[1] // groups, *self.kernel_size, dtype=dtype))
        self.bias = Parameter(autograd.empty(out_channels, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew: uniform on ±1/√fan_in."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(max(init.fans(self.weight)[0], 1))
            init.uniform_(self.bias, -bound, bound)

    def _check_channels(self, input: Tensor) -> None:
        if input.ndim < self.ndim + 1 or input.shape[-self.ndim - 1] != self.in_channels:
            place = -self.ndim - 1
            remedy = (f"; the one channel is added by x.unsqueeze({place})" if self.in_channels == 1 else
                      f"; the channels come first: x.movedim(-1, {place})" if input.shape[-1:] == (self.in_channels,)
                      else "")
            raise ShapeError(f"the input must have shape {layout(self.ndim, self.in_channels)}, or without N, not "
                             f"{input.shape}{remedy}")

    def forward(self, input: Tensor) -> Tensor:
        self._check_channels(input)
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, [n for around in reversed(self._around) for n in around], self.padding_mode)
            padding = 0
        return type(self).function(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        if isinstance(self.padding, str) or any(self.padding):
            parts.append(f"padding={self.padding}")
        if any(d != 1 for d in self.dilation):
            parts.append(f"dilation={self.dilation}")
        if any(self.output_padding):
            parts.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


class Conv1d(_Conv):
    """Convolution of (N, C_in, L); see `Conv2d`."""

    ndim, function = 1, staticmethod(F.conv1d)


class Conv2d(_Conv):
    """Convolution of images (N, C_in, H, W) to (N, C_out, H', W'); see `nn.functional.conv2d`.

    Args:
        in_channels: C_in.
        out_channels: C_out.
        kernel_size: a number or (kH, kW).
        stride: how far the kernel moves from place to place.
        padding: rows and columns added on each side, "same" or "valid".
        dilation: the distance between the elements of the kernel.
        groups: into how many independent convolutions the channels are split.
        bias: whether a number is added to each output channel.
        padding_mode: what is added: "zeros", "reflect", "replicate", "circular".
        device: "cpu" or None.
        dtype: of the parameters.

    Attributes:
        weight: (C_out, C_in / groups, kH, kW).
        bias: (C_out,) or None.
    """

    ndim, function = 2, staticmethod(F.conv2d)


class Conv3d(_Conv):
    """Convolution of (N, C_in, D, H, W); see `Conv2d`."""

    ndim, function = 3, staticmethod(F.conv3d)


class _ConvTranspose(_Conv):
    transposed = True

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Shape, stride: Shape = 1, padding: Shape = 0,
                 output_padding: Shape = 0, groups: int = 1, bias: bool = True, dilation: Shape = 1,
                 padding_mode: str = "zeros", device: str | None = None, dtype: DTypeLike | None = None) -> None:
        if padding_mode != "zeros" or isinstance(padding, str):
            raise ValueError("padding cuts off the output, so it must be a number and padding_mode 'zeros'")
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode,
                         dtype=dtype)
        self.output_padding = tuple_of(output_padding, self.ndim, "output_padding")

    def forward(self, input: Tensor, output_size: tuple[int, ...] | None = None) -> Tensor:
        self._check_channels(input)
        extra = self.output_padding
        if output_size is not None:  # of the sizes that have the input's as their convolution, this one
            least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in zip(
                input.shape[-self.ndim:], self.stride, self.padding, self.dilation, self.kernel_size, strict=True)]
            extra = tuple([n - m for n, m in zip(output_size[-self.ndim:], least, strict=True)])
            if not all(0 <= e < s for e, s in zip(extra, self.stride, strict=True)):
                raise ShapeError(f"output_size {tuple(output_size)} cannot be reached; from an input of shape "
                                 f"{input.shape} it may be {tuple(least)} to less than stride {self.stride} more")
        return type(self).function(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups,
                                   self.dilation)


class ConvTranspose1d(_ConvTranspose):
    """The adjoint of `Conv1d`: (N, C_in, L) to (N, C_out, L')."""

    ndim, function = 1, staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """The adjoint of `Conv2d`: (N, C_in, H, W) to a larger (N, C_out, H', W'); see `nn.functional.conv_transpose2d`."""

    ndim, function = 2, staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_ConvTranspose):
    """The adjoint of `Conv3d`: (N, C_in, D, H, W) to (N, C_out, D', H', W')."""

    ndim, function = 3, staticmethod(F.conv_transpose3d)
