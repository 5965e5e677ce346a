"""Normalization: zero mean and unit variance over some axes, then a scale and a shift.

One rule serves batch, layer, group and instance normalization; they differ in the axes.
"""

import math

import numpy as np

import autograd
from autograd import as_tensor, no_grad, operation
from autograd.samples import call
from nn.functional.linear import sum_of_rows


def _forward(x, weight=None, bias=None, *, dims, eps):
    mean = x.mean(axis=dims, keepdims=True)
    normal = x - mean
    variance = (normal * normal).mean(axis=dims, keepdims=True)
    inverse = 1 / np.sqrt(variance + eps)
    normal *= inverse
    out = normal.copy() if weight is None else normal * weight
    if bias is not None:
        out += bias
    return out, mean, variance, normal, inverse


def _summed_onto(parameter, g):
    """g summed where it stands beside a parameter of the last axis, or of the channels: as a product, which is faster.

    Other sums are left to the engine.
    """
    if parameter.shape == g.shape[-1:]:
        return sum_of_rows(g)
    if g.ndim > 2 and parameter.shape == (g.shape[1], *(1,) * (g.ndim - 2)):
        rows = np.moveaxis(g, 1, -1)
        if rows.flags.c_contiguous:
            return sum_of_rows(rows).reshape(parameter.shape)
    return g


def _vjp(g, out, x, weight, bias, *, dims, eps, needs_input_grad):
    (g, g_mean, g_variance), (*_, normal, inverse) = g, out
    product = g * normal
    d_weight = _summed_onto(weight, product) if needs_input_grad[1] else None
    d_bias = _summed_onto(bias, g) if needs_input_grad[2] else None
    if not needs_input_grad[0]:
        return None, d_weight, d_bias
    # x̂ = (x - mean x) / σ: what g holds of the mean and of x̂ itself has no effect
    n = math.prod(x.shape[d] for d in dims)
    if weight is None:
        d_normal, along = g, product
    else:
        d_normal, along = g * weight, product * weight
    dx = normal * (along.mean(axis=dims, keepdims=True) * -1)
    dx += d_normal
    dx -= d_normal.mean(axis=dims, keepdims=True)
    dx *= inverse
    if g_mean.any() or g_variance.any():
        dx = dx + (g_mean + g_variance * 2 * normal / inverse) / n
    return dx, d_weight, d_bias


def _composition(x, weight, bias, *, dims, eps):
    mean = x.mean(axis=dims, keepdims=True)
    deviation = x - mean
    variance = (deviation * deviation).mean(axis=dims, keepdims=True)
    out = deviation / np.sqrt(variance + eps)
    out = out if weight is None else out * weight
    return out if bias is None else out + bias, mean, variance


def _samples(draw):
    shape = tuple([draw.integer(2, 3) for _ in range(draw.integer(1, 3))])
    dims = tuple(sorted({draw.integer(0, len(shape) - 1) for _ in range(2)}))
    parameters = [draw.array(shape=shape[-1:]) if draw.boolean() else None for _ in range(2)]
    return call(draw.array(shape=shape, distinct=True), *parameters, dims=dims, eps=0.5)


normalize_over = operation(_forward, joint_vjp=_vjp, composition=_composition, outputs="output mean variance",
                           names="normalize_over", methods="", samples=_samples)


def _per_channel(parameter, ndim):
    """(C,) beside (N, C, ...)."""
    return None if parameter is None else as_tensor(parameter).reshape((-1, *(1,) * (ndim - 2)))


def _check_channels(name, x, **parameters):
    for key, value in parameters.items():
        if value is not None and value.shape != (x.shape[1],):
            raise ValueError(f"{name}: {key} has shape {value.shape}, but the input has {x.shape[1]} channels (shape "
                             f"{x.shape}); they must agree")


def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """(x - E x) / √(Var x + eps) · weight + bias for each channel (Ioffe & Szegedy 2015).

    Args:
        input: (N, C) or (N, C, ...): statistics are over all axes but C.
        running_mean: (C,), used if not training, and moved towards the batch's mean in training; or None.
        running_var: likewise, with Bessel's correction.
        weight: (C,) or None.
        bias: (C,) or None.
        training: use the batch's own statistics.
        momentum: how far the running statistics move.
        eps: added to the variance.
    """
    x = as_tensor(input)
    if x.ndim < 2:
        raise ValueError(f"batch_norm: the input must have shape (N, C) or (N, C, ...), not {x.shape}")
    _check_channels("batch_norm", x, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    weight, bias = _per_channel(weight, x.ndim), _per_channel(bias, x.ndim)
    if not training:
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm: without training=True it needs running_mean and running_var")
        scale = 1 / (_per_channel(running_var, x.ndim) + eps).sqrt()
        scale = scale if weight is None else scale * weight
        out = (x - _per_channel(running_mean, x.ndim)) * scale
        return out if bias is None else out + bias
    dims = (0, *range(2, x.ndim))
    count = math.prod(x.shape[d] for d in dims)
    if count <= 1:
        raise ValueError(f"batch_norm: training needs more than one value a channel, the input has shape {x.shape}; "
                         "use a "
                         "larger batch, or eval()")
    out, mean, variance = normalize_over(x, weight, bias, dims=dims, eps=eps)
    with no_grad():
        for running, new in ((running_mean, mean), (running_var, variance * (count / (count - 1)))):
            if running is not None:
                running *= 1 - momentum
                running += momentum * new.detach().reshape(-1)
    return out


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    """(x - E x) / √(Var x + eps) · weight + bias over the last axes, which have `normalized_shape` (Ba et al. 2016)."""
    x = as_tensor(input)
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if not shape or x.shape[-len(shape):] != shape:
        raise ValueError(f"layer_norm: the input must end in the axes {shape}, its shape is {x.shape}")
    for key, value in (("weight", weight), ("bias", bias)):
        if value is not None and value.shape != shape:
            raise ValueError(f"layer_norm: {key} must have shape {shape}, not {value.shape}")
    return normalize_over(x, weight, bias, dims=tuple(range(x.ndim - len(shape), x.ndim)), eps=eps)[0]


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5):
    """Normalization over groups of channels and all positions of (N, C, ...), for each example (Wu & He 2018)."""
    x = as_tensor(input)
    if x.ndim < 2 or x.shape[1] % num_groups:
        raise ValueError("group_norm: the input must have shape (N, C, ...) with C divisible by "
                         f"num_groups={num_groups}, "
                         f"not {x.shape}")
    _check_channels("group_norm", x, weight=weight, bias=bias)
    grouped = x.reshape((x.shape[0], num_groups, x.shape[1] // num_groups, *x.shape[2:]))
    each = (num_groups, x.shape[1] // num_groups, *(1,) * (x.ndim - 2))
    out = normalize_over(grouped, None if weight is None else weight.reshape(each),
                         None if bias is None else bias.reshape(each), dims=tuple(range(2, grouped.ndim)), eps=eps)[0]
    return out.reshape(x.shape)


def instance_norm(input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True,
                  momentum=0.1, eps=1e-5):
    """Normalization over the positions of (N, C, ...), for each example and channel (Ulyanov et al. 2016)."""
    x = as_tensor(input)
    if not use_input_stats:
        return batch_norm(x, running_mean, running_var, weight, bias, False, momentum, eps)
    if x.ndim < 3 or math.prod(x.shape[2:]) <= 1:
        raise ValueError("instance_norm: the input must have shape (N, C, ...) with more than one value a channel, "
                         "not "
                         f"{x.shape}")
    _check_channels("instance_norm", x, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    out, mean, variance = normalize_over(x, _per_channel(weight, x.ndim), _per_channel(bias, x.ndim),
                                         dims=tuple(range(2, x.ndim)), eps=eps)
    n = math.prod(x.shape[2:])
    with no_grad():
        for running, new in ((running_mean, mean), (running_var, variance * (n / (n - 1)))):
            if running is not None:
                running *= 1 - momentum
                running += momentum * new.detach().mean(0).reshape(-1)
    return out


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """x / √(mean x² + eps) · weight over the last axes, which have `normalized_shape` (Zhang & Sennrich 2019).

    eps is by default the dtype's smallest step above 1.
    """
    x = as_tensor(input)
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if not shape or x.shape[-len(shape):] != shape:
        raise ValueError(f"rms_norm: the input must end in the axes {shape}, its shape is {x.shape}")
    dims = tuple(range(x.ndim - len(shape), x.ndim))
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    out = x / ((x * x).mean(dims, keepdim=True) + eps).sqrt()
    return out if weight is None else out * weight


def local_response_norm(input, size, alpha=1e-4, beta=0.75, k=1.0):
    """x / (k + alpha · mean of x² over `size` neighboring channels)^beta (Krizhevsky et al. 2012)."""
    x = as_tensor(input)
    if x.ndim < 3:
        raise ValueError(f"local_response_norm: the input must have shape (N, C, ...), not {x.shape}")
    channels = x.shape[1]
    distance = np.subtract.outer(np.arange(channels), np.arange(channels))  # of an output channel from an input channel
    near = (distance <= (size - 1) // 2) & (distance >= -(size // 2)) if size % 2 else (
        (distance < size // 2) & (distance >= -(size // 2)))
    near = np.asarray(near.T if size % 2 == 0 else near, x.dtype)
    squares = (x * x).transpose(1, -1) @ (near.T / size).astype(x.dtype)
    return x / (squares.transpose(1, -1) * alpha + k) ** beta


def normalize(input, p=2.0, dim=1, eps=1e-12):
    """x / max(‖x‖_p, eps) along `dim`."""
    x = as_tensor(input)
    norm = ((x * x).sum(dim, keepdim=True).sqrt() if p == 2 else
            (x.abs() ** p).sum(dim, keepdim=True) ** (1 / p))
    return x / autograd.maximum(norm, autograd.full((), eps, dtype=x.dtype))
