"""Normalization: zero mean and unit variance over some axes, then a scale and a shift.

Two rules: each row by itself (layer, group and instance normalization), and each channel over the whole batch (batch
normalization). Both go over the array by blocks that stay in the cache, shared among threads, and take sums as products
with ones, which is faster.
"""

import math
from collections.abc import Callable

import numpy as np

import autograd
from autograd import Tensor, as_tensor, increment_version, operation
from autograd.errors import ShapeError
from autograd.runtime.compiled import compilable
from autograd.runtime.threads import in_parallel, pieces
from autograd.samples import call
from autograd.typing import Shape, TensorLike
from nn.functional.geometry import channels_first, channels_last, contiguous_channels_last
from nn.functional.linear import rows, sum_of_rows
from nn.functional.precision import in_float32


@compilable("nn.compiled.normalization")
def _normalize_rows(x, weight=None, bias=None, *, eps):
    x_rows = rows(x)
    width = x.shape[-1]
    out, average = np.empty_like(x_rows, order="C"), np.full(width, 1 / max(width, 1), x.dtype)
    mean, variance = np.empty((2, len(x_rows)), x.dtype)

    def work(part):
        for block in pieces(part, width):
            normal = out[block]
            np.matmul(x_rows[block], average, out=mean[block])
            np.subtract(x_rows[block], mean[block, None], out=normal)
            np.matmul(normal * normal, average, out=variance[block])
            normal *= (1 / np.sqrt(variance[block] + eps))[:, None]
            if weight is not None:
                normal *= weight
            if bias is not None:
                normal += bias

    in_parallel(work, len(x_rows), 4 * x.size)
    lead = (*x.shape[:-1], 1)
    return out.reshape(x.shape), mean.reshape(lead), variance.reshape(lead)


@compilable("nn.compiled.normalization")
def _normalize_rows_vjp(g, out, x, weight, bias, *, eps, needs_input_grad):
    (g, g_mean, g_variance), (_, mean, variance) = g, out
    width = x.shape[-1]
    x_rows, g_rows, mean = rows(x), rows(g), mean.reshape(-1, 1)
    inverse = 1 / np.sqrt(variance.reshape(-1, 1) + eps)
    average = np.full(width, 1 / max(width, 1), x.dtype)  # of weight · g
    if weight is not None:
        average *= weight
    dx = np.empty_like(x_rows, order="C")

    def work(part):
        d_weight, d_bias = np.zeros((2, width), x.dtype)
        for block in pieces(part, width):
            normal, d = x_rows[block] - mean[block], g_rows[block]
            normal *= inverse[block]
            along = d * normal
            d_weight += sum_of_rows(along)
            d_bias += sum_of_rows(d)
            if not needs_input_grad[0]:
                continue
            # x̂ = (x - mean x) / σ: what weight · g holds of the mean and of x̂ itself has no effect
            normal *= (along @ average)[:, None]
            normal += (d @ average)[:, None]
            into = dx[block]
            np.subtract(d if weight is None else np.multiply(d, weight, out=into), normal, out=into)
            into *= inverse[block]
        return d_weight, d_bias

    d_weight, d_bias = map(sum, zip(*in_parallel(work, len(x_rows), 6 * x.size), strict=True))
    dx = dx.reshape(x.shape)
    if g_mean.any() or g_variance.any():
        dx += (g_mean + 2 * g_variance * (x - out[1])) / width
    return [gradient if needed else None
            for gradient, needed in zip((dx, d_weight, d_bias), needs_input_grad, strict=True)]


def _normalized(x, weight, bias, dims, eps, mean_of=np.mean):
    """The same from elementary operations, which the second derivative and what is out of range go through."""
    mean = mean_of(x, axis=dims, keepdims=True)
    deviation = x - mean
    variance = mean_of(deviation * deviation, axis=dims, keepdims=True)
    out = deviation / np.sqrt(variance + eps)
    out = out if weight is None else out * weight
    return out if bias is None else out + bias, mean, variance


def _row_samples(draw):
    x = draw.array(shape=tuple([draw.integer(2, 3) for _ in range(draw.integer(1, 3))]), distinct=True)
    parameters = [draw.array(shape=x.shape[-1:]) if draw.boolean() else None for _ in range(2)]
    return call(x, *parameters, eps=0.5)


normalize_rows = operation(
    _normalize_rows, joint_vjp=_normalize_rows_vjp,
    composition=lambda x, weight, bias, *, eps: _normalized(x, weight, bias, -1, eps),
    outputs="output mean variance", names="normalize_rows", methods="", samples=_row_samples)


# The squares of numbers below 1e-19 or above 1e19 are no float32 any more

def _out_of_range(squares, eps):
    """Whether mean squares have overflowed, or underflowed where eps doesn't hide it."""
    least = float(np.finfo(squares.dtype).tiny) * 1e6
    return squares.size and not (least <= float(squares.min()) + eps and squares.max() < np.inf)


def _scale(x, dims, eps):
    """Powers of two that bring each row to 1, or eps if the row is below its root; and what becomes of eps."""
    sizes = np.abs(x.array).max(axis=dims, keepdims=True, initial=0).astype(np.float64)
    sizes = np.maximum(np.where(np.isfinite(sizes), sizes, 1), math.sqrt(eps))
    exponents = np.frexp(sizes)[1]
    scale = np.ldexp(1.0, np.clip(-exponents, *(np.finfo(x.dtype).minexp, np.finfo(x.dtype).maxexp - 1)))
    return scale.astype(x.dtype), (eps * scale * scale).astype(x.dtype)


def _normalize(fused, x, weight, bias, eps, dims):
    """(output, mean, variance) by a fused operation; with rows scaled where their variance is out of range.

    Neither the output nor its derivative changes if a row and √eps are multiplied by one number.
    """
    results = fused(x, weight, bias, eps=eps)
    if not _out_of_range(results[2].array, eps):
        return results
    scale, scaled_eps = _scale(x, dims, eps)
    beside = [1 if i in dims else -1 for i in range(x.ndim)] if len(dims) > 1 else -1
    weight, bias = (None if p is None else as_tensor(p).reshape(beside) for p in (weight, bias))
    output, mean, variance = _normalized(x * scale, weight, bias, dims, scaled_eps)
    with np.errstate(over="ignore", under="ignore"):
        mean, variance = mean / scale, variance / scale / scale
    return output, mean.reshape(results[1].shape), variance.reshape(results[2].shape)


def as_matrix(x):
    """(N, C, *size) as a matrix with the channels, and the positions along the last axis, in its columns.

    Long rows make long inner loops, even with few channels.
    """
    if x.ndim == 2:
        return np.ascontiguousarray(x)
    last = contiguous_channels_last(x)
    return last.reshape(math.prod(last.shape[:-2]), last.shape[-2] * last.shape[-1])


def as_channels(matrix, x):
    """The matrix in the shape of x (N, C, *size)."""
    return channels_first(matrix.reshape(channels_last(x).shape))


def repeated(of_channel, positions):
    """(C,) as a row of a matrix: np.tile, without its thirteen microseconds."""
    return of_channel[None].repeat(positions, axis=0).reshape(-1)


def of_channel(columns, channels):
    """What is summed over the rows, summed over the positions too: (C,)."""
    return sum_of_rows(columns.reshape(-1, channels))


def _sums(summands, matrix, channels):
    """For each channel the sums over all rows of the arrays (C x positions) that `summands(block)` returns."""
    def work(part):
        each = [summands(block) for block in pieces(part, matrix.shape[1])]
        return [sum(parts) for parts in zip(*each, strict=True)]

    parts = in_parallel(work, len(matrix), 2 * matrix.size)
    return [of_channel(sum(columns), channels) for columns in zip(*parts, strict=True)]


def _column_products(a, b):
    return np.einsum("ij,ij->j", a, b)


@compilable("nn.compiled.normalization")
def _normalize_channels(x, weight=None, bias=None, *, eps):
    channels, matrix = x.shape[1], as_matrix(x)
    repeats = matrix.shape[1] // channels
    count, out = x.size // channels, np.empty_like(matrix)
    mean = _sums(lambda block: (sum_of_rows(matrix[block]),), matrix, channels)[0] / count
    means = repeated(mean, repeats)

    def squares(block):
        deviation = np.subtract(matrix[block], means, out=out[block])
        return (_column_products(deviation, deviation),)

    variance = _sums(squares, matrix, channels)[0] / count
    scale = 1 / np.sqrt(variance + eps)
    scales = repeated(scale if weight is None else scale * weight, repeats)
    shifts = None if bias is None else repeated(bias, repeats)

    def scale_and_shift(part):
        for block in pieces(part, matrix.shape[1]):
            out[block] *= scales
            if shifts is not None:
                out[block] += shifts

    in_parallel(scale_and_shift, len(matrix), x.size)
    return as_channels(out, x), mean, variance


def input_gradient(g_mean, g_variance, d_weight, d_bias, inverse, weight, count):
    """a, b and c of x̄ = a (x - mean x) + b ȳ + c: what ȳ holds of the mean and of x̂ itself has no effect."""
    scale = inverse if weight is None else inverse * weight
    return 2 / count * g_variance - scale * inverse * d_weight / count, scale, g_mean / count - scale * d_bias / count


@compilable("nn.compiled.normalization")
def _normalize_channels_vjp(g, out, x, weight, bias, *, eps, needs_input_grad):
    (g, g_mean, g_variance), (_, mean, variance) = g, out
    channels, matrix, g_matrix = x.shape[1], as_matrix(x), as_matrix(g)
    repeats, count = matrix.shape[1] // channels, x.size // channels
    inverse, means, dx = 1 / np.sqrt(variance + eps), repeated(mean, repeats), np.empty_like(matrix)

    def g_and_along(block):
        deviation = np.subtract(matrix[block], means, out=dx[block])
        return sum_of_rows(g_matrix[block]), _column_products(deviation, g_matrix[block])

    d_bias, along = _sums(g_and_along, matrix, channels)
    d_weight = along * inverse
    if not needs_input_grad[0]:
        return None, d_weight, d_bias
    terms = input_gradient(g_mean, g_variance, d_weight, d_bias, inverse, weight, count)
    of_deviations, scales, shifts = [repeated(v, repeats) for v in terms]

    def work(part):
        for block in pieces(part, matrix.shape[1]):
            into = dx[block]
            into *= of_deviations
            into += g_matrix[block] * scales
            into += shifts

    in_parallel(work, len(matrix), 2 * x.size)
    return as_channels(dx, x), d_weight, d_bias


def _channels_composition(x, weight, bias, *, eps):
    beside = (-1, *(1,) * (x.ndim - 2))
    weight, bias = (None if p is None else p.reshape(beside) for p in (weight, bias))
    out, mean, variance = _normalized(x, weight, bias, (0, *range(2, x.ndim)), eps)
    return out, mean.reshape((-1,)), variance.reshape((-1,))


def _channel_samples(draw):
    x = draw.array(shape=tuple([draw.integer(2, 3) for _ in range(draw.integer(2, 4))]), low=-3, high=3, distinct=True)
    parameters = [draw.array(shape=x.shape[1:2]) if draw.boolean() else None for _ in range(2)]
    return call(x, *parameters, eps=0.5)


normalize_channels = operation(
    _normalize_channels, joint_vjp=_normalize_channels_vjp, composition=_channels_composition,
    outputs="output mean variance", names="normalize_channels", methods="", samples=_channel_samples)


def _per_channel(parameter, ndim):
    """(C,) beside (N, C, ...)."""
    return None if parameter is None else as_tensor(parameter).reshape((-1, *(1,) * (ndim - 2)))


def _scaled(x, weight, bias):
    """x · weight + bias for each channel."""
    x = x if weight is None else x * _per_channel(weight, x.ndim)
    return x if bias is None else x + _per_channel(bias, x.ndim)


def _check_channels(x, **parameters):
    for key, value in parameters.items():
        if value is not None and value.shape != (x.shape[1],):
            raise ShapeError(f"{key} has shape {value.shape}, but the input has {x.shape[1]} channels (shape "
                             f"{x.shape}); they must agree")


@in_float32
def batch_norm(input: TensorLike, running_mean: Tensor | None, running_var: Tensor | None,
               weight: TensorLike | None = None, bias: TensorLike | None = None, training: bool = False,
               momentum: float | None = 0.1, eps: float = 1e-5) -> Tensor:
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
        raise ShapeError(f"the input must have shape (N, C) or (N, C, ...), not {x.shape}")
    _check_channels(x, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if not training:
        if running_mean is None or running_var is None:
            raise ValueError("without training=True it needs running_mean and running_var")
        scale = 1 / (as_tensor(running_var) + eps).sqrt()
        scale = scale if weight is None else scale * weight
        shift = -as_tensor(running_mean) * scale
        return _scaled(x, scale, shift if bias is None else shift + bias)
    count = math.prod(x.shape[:1] + x.shape[2:])
    if not count:  # nothing to take statistics of
        return _scaled(x, weight, bias)
    if count == 1:
        raise ShapeError(f"training needs more than one value per channel, the input has shape {x.shape}; "
                         "use a larger batch, or eval()")
    out, mean, variance = _normalize(normalize_channels, x, weight, bias, eps, (0, *range(2, x.ndim)))
    _move(running_mean, mean.array, momentum)
    _move(running_var, variance.array * (count / (count - 1)), momentum)
    return out


@in_float32
def sync_batch_norm(input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None,
                    bias: Tensor | None, momentum: float | None, eps: float,
                    total: Callable[[Tensor], Tensor]) -> Tensor:
    """`batch_norm` in training, over the batches of several processes: `total` adds up a tensor over all of them."""
    count = total(autograd.tensor(float(input.numel() // input.shape[1]), dtype=autograd.float64)).item()
    if count <= 1:
        raise ShapeError(f"training needs more than one value per channel, all batches together have {count:g}; use "
                         "larger ones, or eval()")
    weight, bias = _per_channel(weight, input.ndim), _per_channel(bias, input.ndim)
    out, mean, variance = _normalized(input, weight, bias, (0, *range(2, input.ndim)), eps,
                                      lambda x, **axes: total(x.sum(**axes)) / count)
    _move(running_mean, mean.array.reshape(-1), momentum)
    _move(running_var, variance.array.reshape(-1) * (count / (count - 1)), momentum)
    return out


def _move(running, new, momentum):
    """Move a running statistic towards a new one."""
    if running is not None:
        running.array[...] = new.dtype.type(1 - momentum) * running.array + momentum * new
        increment_version(running)


@in_float32
def layer_norm(input: TensorLike, normalized_shape: Shape, weight: TensorLike | None = None,
               bias: TensorLike | None = None, eps: float = 1e-5) -> Tensor:
    """(x - E x) / √(Var x + eps) · weight + bias over the last axes, which have `normalized_shape` (Ba et al. 2016)."""
    x = as_tensor(input)
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if not shape or x.shape[-len(shape):] != shape:
        raise ShapeError(f"the input must end in the axes {shape}, its shape is {x.shape}")
    for key, value in (("weight", weight), ("bias", bias)):
        if value is not None and value.shape != shape:
            raise ShapeError(f"{key} must have shape {shape}, not {value.shape}")
    if len(shape) == 1:
        return _normalize(normalize_rows, x, weight, bias, eps, (x.ndim - 1,))[0]
    flat = x.reshape((*x.shape[:x.ndim - len(shape)], math.prod(shape)))
    parameters = [None if p is None else as_tensor(p).reshape(-1) for p in (weight, bias)]
    return _normalize(normalize_rows, flat, *parameters, eps, (flat.ndim - 1,))[0].reshape(x.shape)


@in_float32
def group_norm(input: TensorLike, num_groups: int, weight: TensorLike | None = None, bias: TensorLike | None = None,
               eps: float = 1e-5) -> Tensor:
    """Normalization over groups of channels and all positions of (N, C, ...), for each example (Wu & He 2018)."""
    x = as_tensor(input)
    if x.ndim < 2 or x.shape[1] % num_groups:
        raise ShapeError(f"the input must have shape (N, C, ...) with C divisible by num_groups={num_groups}, not "
                         f"{x.shape}")
    _check_channels(x, weight=weight, bias=bias)
    grouped = x.reshape((x.shape[0], num_groups, math.prod(x.shape[1:]) // num_groups))
    return _scaled(_normalize(normalize_rows, grouped, None, None, eps, (2,))[0].reshape(x.shape), weight, bias)


@in_float32
def instance_norm(input: TensorLike, running_mean: Tensor | None = None, running_var: Tensor | None = None,
                  weight: TensorLike | None = None, bias: TensorLike | None = None, use_input_stats: bool = True,
                  momentum: float | None = 0.1, eps: float = 1e-5) -> Tensor:
    """Normalization over the positions of (N, C, ...), for each example and channel (Ulyanov et al. 2016)."""
    x = as_tensor(input)
    if not use_input_stats:
        return batch_norm(x, running_mean, running_var, weight, bias, False, momentum, eps)
    if x.ndim < 3 or math.prod(x.shape[2:]) == 1:
        raise ShapeError(f"the input must have shape (N, C, ...) with more than one value per channel, not {x.shape}")
    _check_channels(x, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    n = math.prod(x.shape[2:])
    if not x.numel():
        return _scaled(x, weight, bias)
    out, mean, variance = _normalize(normalize_rows, x.reshape((*x.shape[:2], n)), None, None, eps, (2,))
    _move(running_mean, mean.array.mean((0, 2)), momentum)
    _move(running_var, variance.array.mean((0, 2)) * (n / (n - 1)), momentum)
    return _scaled(out.reshape(x.shape), weight, bias)


@in_float32
def rms_norm(input: TensorLike, normalized_shape: Shape, weight: TensorLike | None = None,
             eps: float | None = None) -> Tensor:
    """x / √(mean x² + eps) · weight over the last axes, which have `normalized_shape` (Zhang & Sennrich 2019).

    eps is by default the smallest step above 1 of the dtype that is computed in: of float32 for float16.
    """
    x = as_tensor(input)
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if not shape or x.shape[-len(shape):] != shape:
        raise ShapeError(f"the input must end in the axes {shape}, its shape is {x.shape}")
    dims = tuple(range(x.ndim - len(shape), x.ndim))
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    squares = (x * x).mean(dims, keepdim=True)
    if _out_of_range(squares.array, eps):
        scale, eps = _scale(x, dims, eps)
        x = x * scale
        squares = (x * x).mean(dims, keepdim=True)
    out = x / (squares + eps).sqrt()
    return out if weight is None else out * weight


@in_float32
def local_response_norm(input: TensorLike, size: int, alpha: float = 1e-4, beta: float = 0.75,
                        k: float = 1.0) -> Tensor:
    """x / (k + alpha · mean of x² over `size` neighboring channels)^beta (Krizhevsky et al. 2012)."""
    x = as_tensor(input)
    if x.ndim < 3:
        raise ShapeError(f"the input must have shape (N, C, ...), not {x.shape}")
    if not x.numel():
        return x * 1
    count, before, after = x.shape[1], size // 2, (size - 1) // 2
    shape = lambda n: (x.shape[0], n, *x.shape[2:])  # noqa: E731
    squares = autograd.cat([autograd.zeros(shape(before), dtype=x.dtype), x * x,
                            autograd.zeros(shape(after), dtype=x.dtype)], 1)
    total = sum((squares[:, i:i + count] for i in range(1, size)), start=squares[:, :count])
    return x / (total * (alpha / size) + k) ** beta


@in_float32
def normalize(input: TensorLike, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """x / max(‖x‖_p, eps) along `dim`."""
    x = as_tensor(input)
    return x / autograd.linalg.vector_norm(x, p, dim, True).clamp(min=eps)
