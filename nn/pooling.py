"""Pooling as layers; see the functions of the same names in `nn.functional`."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from autograd import Tensor
from autograd.typing import Shape
from nn import functional as F
from nn.layer import FunctionLayer
from nn.module import Module


class _Pool(FunctionLayer):
    kernel_size: Shape
    stride: Shape | None

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if self.stride is None:
            self.stride = self.kernel_size


class MaxPool1d(_Pool, function=F.max_pool1d):
    """The maximum of each window of (N, C, L)."""


class MaxPool2d(_Pool, function=F.max_pool2d):
    """The maximum of each window of (N, C, H, W)."""


class MaxPool3d(_Pool, function=F.max_pool3d):
    """The maximum of each window of (N, C, D, H, W)."""


class AvgPool1d(_Pool, function=F.avg_pool1d):
    """The mean of each window of (N, C, L)."""


class AvgPool2d(_Pool, function=F.avg_pool2d):
    """The mean of each window of (N, C, H, W)."""


class AvgPool3d(_Pool, function=F.avg_pool3d):
    """The mean of each window of (N, C, D, H, W)."""


class LPPool1d(_Pool, function=F.lp_pool1d):
    """(Σ xᵖ)^(1/p) of each window of (N, C, L)."""


class LPPool2d(_Pool, function=F.lp_pool2d):
    """(Σ xᵖ)^(1/p) of each window of (N, C, H, W)."""


class LPPool3d(_Pool, function=F.lp_pool3d):
    """(Σ xᵖ)^(1/p) of each window of (N, C, D, H, W)."""


class AdaptiveAvgPool1d(FunctionLayer, function=F.adaptive_avg_pool1d):
    """The means of `output_size` regions of (N, C, L)."""


class AdaptiveAvgPool2d(FunctionLayer, function=F.adaptive_avg_pool2d):
    """The means of `output_size` regions of (N, C, H, W)."""


class AdaptiveAvgPool3d(FunctionLayer, function=F.adaptive_avg_pool3d):
    """The means of `output_size` regions of (N, C, D, H, W)."""


class AdaptiveMaxPool1d(FunctionLayer, function=F.adaptive_max_pool1d):
    """The maxima of `output_size` regions of (N, C, L)."""


class AdaptiveMaxPool2d(FunctionLayer, function=F.adaptive_max_pool2d):
    """The maxima of `output_size` regions of (N, C, H, W)."""


class AdaptiveMaxPool3d(FunctionLayer, function=F.adaptive_max_pool3d):
    """The maxima of `output_size` regions of (N, C, D, H, W)."""


class _MaxUnpool(Module):
    function: ClassVar[Callable]

    def __init__(self, kernel_size: Shape, stride: Shape | None = None, padding: Shape = 0) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, stride or kernel_size, padding

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        return self.function(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """Maxima put back to where they stood in (N, C, L); called with the indices, and `output_size` if need be."""

    function = staticmethod(F.max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    """Maxima put back to where they stood in (N, C, H, W); called with the indices, and `output_size` if need be."""

    function = staticmethod(F.max_unpool2d)


class MaxUnpool3d(_MaxUnpool):
    """Maxima put back to where they stood in (N, C, D, H, W); called with the indices, and `output_size` if need be."""

    function = staticmethod(F.max_unpool3d)


class _FractionalMaxPool(FunctionLayer):
    output_size: Shape | None
    output_ratio: float | Sequence[float] | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if (self.output_size is None) == (self.output_ratio is None):
            raise ValueError("give either output_size or output_ratio, not "
                             f"output_size={self.output_size} and output_ratio={self.output_ratio}")


class FractionalMaxPool2d(_FractionalMaxPool, function=F.fractional_max_pool2d):
    """The maxima of windows at random distances in (N, C, H, W)."""


class FractionalMaxPool3d(_FractionalMaxPool, function=F.fractional_max_pool3d):
    """The maxima of windows at random distances in (N, C, D, H, W)."""
