"""Normalization over a batch, over channels, over rows."""

import autograd
from nn import functional as F
from nn.onnx.operators.values import axis_of


def BatchNormalization(x, scale, bias, mean, var, *, epsilon=1e-5, momentum=0.9, training_mode=0, spatial=1, outputs=1):
    if not training_mode:
        mean, var, scale, bias = (given.to(x.dtype) for given in (mean, var, scale, bias))
        return F.batch_norm(x, mean, var, scale, bias, False, 0.0, epsilon)
    dims = (0, *range(2, x.ndim))
    batch_mean, batch_var = x.mean(dims), x.var(dims, correction=0)
    out = F.batch_norm(x, None, None, scale, bias, True, 0.0, epsilon)
    return (out, mean * momentum + batch_mean * (1 - momentum), var * momentum + batch_var * (1 - momentum))[:outputs]


def InstanceNormalization(x, scale, bias, *, epsilon=1e-5):
    return F.instance_norm(x, None, None, scale, bias, eps=epsilon)


def LayerNormalization(x, scale, bias=None, *, axis=-1, epsilon=1e-5, stash_type=1, outputs=1):
    first = axis_of(axis, x.ndim)
    out = F.layer_norm(x, x.shape[first:], scale, bias, epsilon)
    if outputs == 1:
        return out
    dims = tuple(range(first, x.ndim))
    return out, x.mean(dims, True), (x.var(dims, correction=0, keepdim=True) + epsilon).rsqrt()


def RMSNormalization(x, scale, *, axis=-1, epsilon=1e-5, stash_type=1):
    return F.rms_norm(x, x.shape[axis_of(axis, x.ndim):], scale, epsilon)


def GroupNormalization(x, scale, bias, *, num_groups, epsilon=1e-5, stash_type=1):
    channels = x.shape[1]
    each = 1 if scale.shape[0] == channels else channels // num_groups  # before version 21: of each group
    return F.group_norm(x, num_groups, scale.repeat_interleave(each), bias.repeat_interleave(each), epsilon)


def LRN(x, *, size, alpha=1e-4, beta=0.75, bias=1.0):
    squares = F.pad((x * x).movedim(1, -1), ((size - 1) // 2, size - 1 - (size - 1) // 2))
    sums = autograd.stack([squares[..., i:i + x.shape[1]] for i in range(size)]).sum(0).movedim(-1, 1)
    return x / (bias + alpha / size * sums) ** beta


def LpNormalization(x, *, axis=-1, p=2):
    norm = x.abs().sum(axis, True) if p == 1 else (x * x).sum(axis, True).sqrt()
    return x / autograd.where(norm == 0, autograd.ones_like(norm), norm)


def MeanVarianceNormalization(x, *, axes=(0, 2, 3)):
    return (x - x.mean(tuple(axes), True)) / (x.var(tuple(axes), correction=0, keepdim=True).sqrt() + 1e-9)
