"""Modules that ONNX has an operator for as a whole: the arguments of that operator, or None where it isn't the same."""

from collections.abc import Callable
from typing import Any

import nn
from autograd import Tensor
from nn.normalization import _BatchNorm


def _tuple(value: Any, count: int) -> tuple:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * count


def _batch_normalization(module: Any, input: Tensor) -> tuple | None:
    if module.training or module.running_mean is None or input.ndim < 2:
        return None
    parameters = (module.weight, module.bias, module.running_mean, module.running_var)
    return "batch_normalization", (input.array, *[p if p is None else p.array for p in parameters]), {"eps": module.eps}


def _lookup(module: Any, input: Tensor) -> tuple | None:
    if module.max_norm is not None or not isinstance(input, Tensor):
        return None
    return "lookup", (module.weight.array,), {"indices": input.array}


def _bags(module: Any, input: Tensor, offsets: Any = None, per_sample_weights: Any = None) -> tuple | None:
    if module.max_norm is not None or not isinstance(input, Tensor) or input.ndim != 2 or (
            module.padding_idx is not None or per_sample_weights is not None):
        return None
    return "bags", (module.weight.array,), {"indices": input.array, "mode": module.mode}


def _average(module: Any, input: Tensor) -> tuple | None:
    dims = int(type(module).__name__[-2])
    if input.ndim != dims + 2 or module.ceil_mode or getattr(module, "divisor_override", None) is not None:
        return None
    kernel = _tuple(module.kernel_size, dims)
    padding = tuple([(p, p) for p in _tuple(module.padding, dims)])
    return "average_pooling", (input.array,), {
        "kernel": kernel, "padding": padding, "counted": module.count_include_pad,
        "stride": kernel if module.stride is None else _tuple(module.stride, dims)}


def _global_average(module: Any, input: Tensor) -> tuple | None:
    dims = int(type(module).__name__[-2])
    if input.ndim != dims + 2 or set(_tuple(module.output_size, dims)) != {1}:
        return None
    return "global_average", (input.array,), {}


def _adaptive_maximum(module: Any, input: Tensor) -> tuple | None:
    dims = int(type(module).__name__[-2])
    if input.ndim != dims + 2 or module.return_indices:
        return None
    counts = [n if count is None else count for count, n in zip(
        _tuple(module.output_size, dims), input.shape[2:], strict=True)]
    return "adaptive_maximum", (input.array,), {"counts": tuple(counts)}


def _resizing(module: Any, input: Tensor) -> tuple | None:
    dims = input.ndim - 2
    if getattr(module, "recompute_scale_factor", False) or getattr(module, "antialias", False) or dims < 1:
        return None
    size, scales = module.size, module.scale_factor
    return "resizing", (input.array,), {
        "size": None if size is None else _tuple(size, dims), "mode": module.mode,
        "scales": None if scales is None else tuple([float(s) for s in _tuple(scales, dims)]),
        "align_corners": isinstance(module, nn.UpsamplingBilinear2d) or bool(getattr(module, "align_corners", False))}


FUSED: dict[type, Callable] = {
    _BatchNorm: _batch_normalization, nn.Upsample: _resizing, nn.Embedding: _lookup, nn.EmbeddingBag: _bags,
    **dict.fromkeys((nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d), _average),
    **dict.fromkeys((nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d), _global_average),
    **dict.fromkeys((nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d), _adaptive_maximum)}
"""By class; a subclass is one of its base."""
