"""Pooling as layers; see the functions of the same names in `nn.functional`."""

from nn import functional as F
from nn.layer import FunctionLayer


class _Pool(FunctionLayer):
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
