"""Normalization as layers."""

from typing import Any, ClassVar

import autograd
from autograd import Tensor
from autograd.errors import ShapeError
from autograd.typing import DTypeLike
from nn import distributed, init
from nn import functional as F
from nn.distributed import ProcessGroup
from nn.functional.geometry import layout
from nn.functional.normalization import sync_batch_norm
from nn.layer import FunctionLayer
from nn.module import Module
from nn.parameter import Parameter


class _RunningNorm(Module):
    """Per-channel parameters, and statistics that follow those of the batches."""

    ndims: ClassVar[tuple[int, ...]]
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor
    _version = 2
    """States of version 1, and those without any, need not count the batches."""

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
                 track_running_stats: bool = True, device: str | None = None, dtype: DTypeLike | None = None, *,
                 bias: bool = True) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.weight = Parameter(autograd.ones(num_features, dtype=dtype)) if affine else None
        self.bias = Parameter(autograd.zeros(num_features, dtype=dtype)) if affine and bias else None
        tracked = track_running_stats
        self.register_buffer("running_mean", autograd.zeros(num_features, dtype=dtype) if tracked else None)
        self.register_buffer("running_var", autograd.ones(num_features, dtype=dtype) if tracked else None)
        self.register_buffer("num_batches_tracked", autograd.tensor(0) if tracked else None)

    def reset_running_stats(self) -> None:
        """Forget the statistics."""
        if self.running_mean is not None and self.running_var is not None:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Forget the statistics; weight 1 and bias 0."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any],
                              *rest: Any) -> None:
        if self.track_running_stats and (local_metadata.get("version") or 1) < 2:
            state_dict.setdefault(f"{prefix}num_batches_tracked", self.num_batches_tracked)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def _check(self, input: Tensor) -> None:
        if input.ndim not in self.ndims or input.shape[1] != self.num_features:
            shapes = " or ".join(layout(n - 2, self.num_features) for n in self.ndims)
            raise ShapeError(f"the input must have shape {shapes}, not {input.shape}")

    def extra_repr(self) -> str:
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
                f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}")


class _BatchNorm(_RunningNorm):
    def forward(self, input: Tensor) -> Tensor:
        self._check(input)
        return F.batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias,
                            self.training or self.running_mean is None, self._next_momentum(), self.eps)

    def _next_momentum(self) -> float | None:
        """How far the statistics move now; counts the batch."""
        if self.training and self.track_running_stats:
            self.num_batches_tracked += 1
            return 1 / self.num_batches_tracked.item() if self.momentum is None else self.momentum
        return self.momentum


class BatchNorm1d(_BatchNorm):
    """Batch normalization of (N, C) or (N, C, L); see `BatchNorm2d`."""

    ndims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalization of (N, C, H, W): zero mean and unit variance of each channel, then scale and shift.

    In training the batch's statistics are used, and running ones follow them; eval() uses the running ones.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: how far running statistics move towards each batch's; None averages over all batches.
        affine: whether there are scale and shift.
        track_running_stats: whether there are running statistics.
        device: "cpu" or None.
        dtype: of the parameters.
        bias: whether there is a shift beside the scale.
    """

    ndims = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch normalization of (N, C, D, H, W); see `BatchNorm2d`."""

    ndims = (5,)


class SyncBatchNorm(_BatchNorm):
    """`BatchNorm` of (N, C, ...) whose statistics in training are those of the batches of all processes together.

    All processes must call it alike, with batches as large as they like. Gradients, of any order, are exact.

    Arguments are those of `BatchNorm2d`, and the processes: default all of `nn.distributed`, if it was initialized.
    """

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
                 track_running_stats: bool = True, process_group: ProcessGroup | None = None, device: str | None = None,
                 dtype: DTypeLike | None = None, *, bias: bool = True) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype=dtype, bias=bias)
        self.process_group = process_group

    def _check(self, input: Tensor) -> None:
        if input.ndim < 2 or input.shape[1] != self.num_features:
            raise ShapeError(f"the input must have shape (N, {self.num_features}, ...), not {input.shape}")

    def forward(self, input: Tensor) -> Tensor:
        alone = not distributed.is_initialized() or distributed.get_world_size(self.process_group) < 2
        if alone or not (self.training or self.running_mean is None):
            return super().forward(input)
        self._check(input)
        return sync_batch_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias, self._next_momentum(), self.eps,
            lambda t: distributed.functional.all_reduce(t, group=self.process_group))

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: ProcessGroup | None = None) -> Module:
        """Put a SyncBatchNorm, with the same parameters and buffers, in the place of each BatchNorm in a module."""
        if isinstance(module, _BatchNorm):
            result = cls(module.num_features, module.eps, module.momentum, module.affine, module.track_running_stats,
                         process_group, bias=module.bias is not None)
            result.weight, result.bias, result.training = module.weight, module.bias, module.training
            for name, buffer in module._buffers.items():
                setattr(result, name, buffer)
            return result
        for name, child in list(module.named_children()):
            setattr(module, name, cls.convert_sync_batchnorm(child, process_group))
        return module


class _InstanceNorm(_RunningNorm):
    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
                 track_running_stats: bool = False, device: str | None = None, dtype: DTypeLike | None = None, *,
                 bias: bool = True) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype=dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        single = input.ndim == self.ndims[0] - 1
        input = autograd.unsqueeze(input, 0) if single else input
        self._check(input)
        own = self.training or not self.track_running_stats
        out = F.instance_norm(input, self.running_mean, self.running_var, self.weight, self.bias, own, self.momentum,
                              self.eps)
        return out.squeeze(0) if single else out


class InstanceNorm1d(_InstanceNorm):
    """Instance normalization of (N, C, L): over the positions of each example and channel."""

    ndims = (3,)


class InstanceNorm2d(_InstanceNorm):
    """Instance normalization of (N, C, H, W): over the positions of each example and channel."""

    ndims = (4,)


class InstanceNorm3d(_InstanceNorm):
    """Instance normalization of (N, C, D, H, W): over the positions of each example and channel."""

    ndims = (5,)


class LayerNorm(Module):
    """Layer normalization over the last axes, of `normalized_shape`.

    Args:
        normalized_shape: a number, or several.
        eps: added to the variance.
        elementwise_affine: whether there is a scale for each element.
        bias: whether there is a shift too.
        device: "cpu" or None.
        dtype: of the parameters.
    """

    def __init__(self, normalized_shape: int | tuple[int, ...], eps: float = 1e-5, elementwise_affine: bool = True,
                 bias: bool = True, device: str | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = Parameter(autograd.ones(self.normalized_shape, dtype=dtype)) if elementwise_affine else None
        shifted = elementwise_affine and bias
        self.bias = Parameter(autograd.zeros(self.normalized_shape, dtype=dtype)) if shifted else None

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
                f"bias={self.bias is not None}")


class RMSNorm(Module):
    """x / √(mean x² + eps) over the last axes, of `normalized_shape`, times a weight."""

    def __init__(self, normalized_shape: int | tuple[int, ...], eps: float | None = None,
                 elementwise_affine: bool = True, device: str | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = Parameter(autograd.ones(self.normalized_shape, dtype=dtype)) if elementwise_affine else None

    def forward(self, input: Tensor) -> Tensor:
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """Normalization over groups of channels of (N, C, ...), for each example; then scale and shift of each channel."""

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True,
                 device: str | None = None, dtype: DTypeLike | None = None, *, bias: bool = True) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(f"num_channels={num_channels} must be divisible by num_groups={num_groups}")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self.weight = Parameter(autograd.ones(num_channels, dtype=dtype)) if affine else None
        self.bias = Parameter(autograd.zeros(num_channels, dtype=dtype)) if affine and bias else None

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
                f"bias={self.bias is not None}")


class LocalResponseNorm(FunctionLayer, function=F.local_response_norm):
    """x / (k + alpha · mean of x² over `size` neighboring channels)^beta."""
