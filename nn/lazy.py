"""Layers that find out from their first input how wide it is.

Until then their parameters have no shape. At the first call they get one, their values are drawn, and the layer becomes
one of the ordinary class.
"""

from typing import Any, ClassVar

from autograd import Tensor, zeros
from autograd.errors import REFUSALS, ShapeError, explained
from autograd.inplace import write
from autograd.typing import DTypeLike, Shape
from nn.convolution import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    _Conv,
    _ConvTranspose,
)
from nn.functional.geometry import layout
from nn.linear import Linear
from nn.module import Module
from nn.normalization import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
    _InstanceNorm,
    _RunningNorm,
)
from nn.parameter import Uninitialized, UninitializedBuffer, UninitializedParameter


class LazyModuleMixin(Module):
    """Base of lazy layers, named before the ordinary class.

    A subclass makes `UninitializedParameter`s in its constructor; `initialize_parameters`, called with the first input,
    gives them their shapes with `materialize` and writes their values. Then the layer becomes a `cls_to_become`.
    """

    cls_to_become: ClassVar[type[Module] | None] = None

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters their shapes and values; called with the first input."""
        raise NotImplementedError(f"{type(self).__name__} needs a method initialize_parameters(self, input)")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer has no shape yet."""
        return any(isinstance(tensor, Uninitialized) for tensor in vars(self).values())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.cls_to_become is not None or self.has_uninitialized_params():
            try:
                self.initialize_parameters(*args, **kwargs)
            except REFUSALS as error:
                raise explained(error, type(self).__name__, args, kwargs) from error.__cause__
            if self.has_uninitialized_params():
                raise RuntimeError(f"{type(self).__name__}.initialize_parameters() has left a parameter without shape; "
                                   "it must call materialize(shape) of each")
            if self.cls_to_become is not None:
                self.__class__ = self.cls_to_become  # type: ignore[assignment]
                return self(*args, **kwargs)
        return super().__call__(*args, **kwargs)


class _Lazy(LazyModuleMixin):
    width: ClassVar[str]
    """The attribute that is 0 until the first input has been seen."""

    def _seen(self, input: Tensor) -> int:
        raise NotImplementedError

    def _shape(self, name: str) -> tuple[int, ...]:
        raise NotImplementedError

    def reset_parameters(self) -> None:
        """Draw the parameters anew, once there are any."""
        if getattr(self, self.width):
            super().reset_parameters()  # type: ignore[misc]  # of the ordinary class

    def initialize_parameters(self, input: Tensor) -> None:
        """Take the width of the input; what has been loaded stays."""
        setattr(self, self.width, self._seen(input))
        waiting = {name: tensor for name, tensor in vars(self).items() if isinstance(tensor, Uninitialized)}
        if waiting:
            known = [(tensor, tensor.array.copy()) for name, tensor in self._own_state() if name not in waiting]
            for name, tensor in waiting.items():
                tensor.materialize(self._shape(name))
            self.reset_parameters()
            for tensor, values in known:
                write(tensor, ..., values)


class LazyLinear(_Lazy, Linear):
    """`Linear` whose `in_features` is the last axis of its first input.

    >>> layer = LazyLinear(30)
    >>> layer(autograd.randn(128, 20)).shape, layer
    ((128, 30), Linear(in_features=20, out_features=30, bias=True))
    """

    cls_to_become = Linear
    width = "in_features"

    def __init__(self, out_features: int, bias: bool = True, device: str | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(0, out_features, False, dtype=dtype)
        self.weight = UninitializedParameter(dtype=dtype)
        self.bias = UninitializedParameter(dtype=dtype) if bias else None

    def _seen(self, input: Tensor) -> int:
        return input.shape[-1]

    def _shape(self, name: str) -> tuple[int, ...]:
        return (self.out_features, self.in_features)[:2 if name == "weight" else 1]


class _LazyConvolution(_Lazy, _Conv):
    width = "in_channels"

    def _wait(self, bias: bool, dtype: DTypeLike | None) -> None:
        self.weight = UninitializedParameter(dtype=dtype)
        self.bias = UninitializedParameter(dtype=dtype) if bias else None

    def _seen(self, input: Tensor) -> int:
        if input.ndim not in (self.ndim + 1, self.ndim + 2):
            raise ShapeError(f"the input must have shape {layout(self.ndim)}, or without N, not {input.shape}")
        channels = input.shape[-self.ndim - 1]
        if channels % self.groups or not channels:
            raise ValueError(f"the {channels} channels of the input cannot be divided into groups={self.groups}")
        return channels

    def _shape(self, name: str) -> tuple[int, ...]:
        lead = (self.in_channels, self.out_channels) if self.transposed else (self.out_channels, self.in_channels)
        return (lead[0], lead[1] // self.groups, *self.kernel_size) if name == "weight" else (self.out_channels,)


class _LazyConv(_LazyConvolution):
    def __init__(self, out_channels: int, kernel_size: Shape, stride: Shape = 1, padding: Shape | str = 0,
                 dilation: Shape = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros",
                 device: str | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__(0, out_channels, kernel_size, stride, padding, dilation, groups, False, padding_mode,
                         dtype=dtype)
        self._wait(bias, dtype)


class _LazyConvTranspose(_LazyConvolution, _ConvTranspose):
    def __init__(self, out_channels: int, kernel_size: Shape, stride: Shape = 1, padding: Shape = 0,
                 output_padding: Shape = 0, groups: int = 1, bias: bool = True, dilation: Shape = 1,
                 padding_mode: str = "zeros", device: str | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__(0, out_channels, kernel_size, stride, padding, output_padding, groups, False, dilation,
                         padding_mode, dtype=dtype)
        self._wait(bias, dtype)


class _LazyNorm(_Lazy, _RunningNorm):
    width = "num_features"

    def __init__(self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
                 track_running_stats: bool = True, device: str | None = None, dtype: DTypeLike | None = None, *,
                 bias: bool = True) -> None:
        super().__init__(0, eps, momentum, False, False, dtype=dtype)
        self.affine, self.track_running_stats = affine, track_running_stats
        self.weight = UninitializedParameter(dtype=dtype) if affine else None
        self.bias = UninitializedParameter(dtype=dtype) if affine and bias else None
        if track_running_stats:
            self.running_mean, self.running_var = (UninitializedBuffer(dtype=dtype) for _ in range(2))
            self.num_batches_tracked = zeros((), dtype="int64")

    def _seen(self, input: Tensor) -> int:
        single = isinstance(self, _InstanceNorm) and input.ndim == self.ndims[0] - 1
        if not single and input.ndim not in self.ndims:
            shapes = " or ".join(layout(n - 2) for n in self.ndims)
            raise ShapeError(f"the input must have shape {shapes}, not {input.shape}")
        return input.shape[0 if single else 1]

    def _shape(self, name: str) -> tuple[int, ...]:
        return (self.num_features,)


class LazyConv1d(_LazyConv, Conv1d):
    """`Conv1d` whose `in_channels` is the number of channels of its first input."""

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """`Conv2d` whose `in_channels` is the number of channels of its first input."""

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """`Conv3d` whose `in_channels` is the number of channels of its first input."""

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """`ConvTranspose1d` whose `in_channels` is the number of channels of its first input."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """`ConvTranspose2d` whose `in_channels` is the number of channels of its first input."""

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    """`ConvTranspose3d` whose `in_channels` is the number of channels of its first input."""

    cls_to_become = ConvTranspose3d


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """`BatchNorm1d` whose `num_features` is the number of channels of its first input."""

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """`BatchNorm2d` whose `num_features` is the number of channels of its first input."""

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """`BatchNorm3d` whose `num_features` is the number of channels of its first input."""

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, InstanceNorm1d):
    """`InstanceNorm1d` whose `num_features` is the number of channels of its first input; affine by default."""

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, InstanceNorm2d):
    """`InstanceNorm2d` whose `num_features` is the number of channels of its first input; affine by default."""

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, InstanceNorm3d):
    """`InstanceNorm3d` whose `num_features` is the number of channels of its first input; affine by default."""

    cls_to_become = InstanceNorm3d
