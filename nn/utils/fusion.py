"""Batch normalization in use taken into the layer before it: two affine maps as one."""

import copy
from typing import Any, TypeVar

from autograd import Tensor, no_grad
from autograd.errors import ShapeError
from nn.convolution import _Conv
from nn.linear import Linear
from nn.module import Module
from nn.normalization import _BatchNorm
from nn.parameter import Parameter

_Layer = TypeVar("_Layer", bound=Module)


def _fused(weight: Tensor, bias: Tensor | None, mean: Tensor, var: Tensor, eps: float, scale: Tensor | None,
           shift: Tensor | None, axis: int) -> tuple[Parameter, Parameter]:
    """Weight and bias of the layer whose outputs (along `axis` of the weight) are normalized."""
    with no_grad():
        factor = (var + eps).rsqrt() * (1 if scale is None else scale)
        new = weight * factor.reshape([-1 if i == axis else 1 for i in range(weight.ndim)]).to(weight.dtype)
        shifted = ((0 if bias is None else bias) - mean) * factor + (0 if shift is None else shift)
    return Parameter(new, weight.requires_grad), Parameter(shifted.to(weight.dtype if bias is None else bias.dtype),
                                                           bias is not None and bias.requires_grad)


def fuse_conv_bn_weights(conv_w: Tensor, conv_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float,
                         bn_w: Tensor | None, bn_b: Tensor | None,
                         transpose: bool = False) -> tuple[Parameter, Parameter]:
    """Weight and bias of a convolution that also does the batch normalization after it.

    Args:
        conv_w: the weight of the convolution.
        conv_b: its bias, or None.
        bn_rm: the running mean.
        bn_rv: the running variance.
        bn_eps: what is added to the variance.
        bn_w: the scale, or None.
        bn_b: the shift, or None.
        transpose: whether the convolution is a transposed one.
    """
    return _fused(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, int(transpose))


def fuse_linear_bn_weights(linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float,
                           bn_w: Tensor | None, bn_b: Tensor | None) -> tuple[Parameter, Parameter]:
    """Weight and bias of a linear layer that also does the batch normalization after it; see `fuse_conv_bn_weights`."""
    return _fused(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, 0)


def _fuse(layer: Any, bn: Module, axis: int) -> Any:
    if layer.training or bn.training:
        raise ValueError("layers are fused as they are in use; call eval() on both first")
    if not isinstance(bn, _BatchNorm) or bn.running_mean is None or bn.running_var is None:
        raise ValueError(f"what is fused is a BatchNorm with running statistics, not {bn}")
    fused = copy.deepcopy(layer)
    fused.weight, fused.bias = _fused(layer.weight, layer.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight,
                                      bn.bias, axis)
    return fused


def fuse_conv_bn_eval(conv: _Layer, bn: Module, transpose: bool = False) -> _Layer:
    """A convolution that also does the batch normalization after it, both being in use (eval).

    Args:
        conv: the convolution, which stays as it is.
        bn: the BatchNorm that takes its output.
        transpose: whether the convolution is a transposed one.

    >>> conv, bn = nn.Conv2d(3, 8, 3).eval(), nn.BatchNorm2d(8).eval()
    >>> x = autograd.randn(2, 3, 5, 5)
    >>> autograd.allclose(fuse_conv_bn_eval(conv, bn)(x), bn(conv(x)), atol=1e-5)
    True
    """
    if not isinstance(conv, _Conv) or (conv.groups != 1 and transpose):
        raise ValueError(f"fuse_conv_bn_eval() takes a convolution, a transposed one with one group, not {conv}")
    fused: _Layer = _fuse(conv, bn, int(transpose))
    return fused


def fuse_linear_bn_eval(linear: _Layer, bn: Module) -> _Layer:
    """A linear layer that also does the batch normalization after it, both being in use (eval).

    Args:
        linear: the layer, which stays as it is.
        bn: the BatchNorm1d that takes its output.
    """
    if not isinstance(linear, Linear):
        raise ValueError(f"fuse_linear_bn_eval() takes a linear layer, not {linear}")
    if isinstance(bn, _BatchNorm) and bn.num_features not in (1, linear.out_features):
        raise ShapeError(f"the {linear.out_features} outputs of the linear layer cannot be normalized as "
                         f"{bn.num_features} features")
    fused: _Layer = _fuse(linear, bn, 0)
    return fused
