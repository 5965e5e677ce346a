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
from autograd.runtime.buffers import short_buffers
from autograd.runtime.compiled import compilable
from autograd.runtime.copies import contiguous
from autograd.runtime.sums import added
from autograd.runtime.threads import in_parallel, pieces
from autograd.samples import call
from autograd.typing import Shape, TensorLike
from nn.functional.geometry import channels_first, channels_last, contiguous_channels_last
from nn.functional.linear import rows
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
            np.divide(np.vecdot(normal, normal), max(width, 1), out=variance[block])
            normal *= (1 / np.sqrt(variance[block] + eps))[:, None]
            if weight is not None:
                normal *= weight
            if bias is not None:
                normal += bias

    with short_buffers(x.size):
        in_parallel(work, len(x_rows), 4 * x.size)
    lead = (*x.shape[:-1], 1)
    return out.reshape(x.shape), mean.reshape(lead), variance.reshape(lead)


@compilable("nn.compiled.normalization")
def _normalize_rows_vjp(g, out, x, weight, bias, *, eps, needs_input_grad):
    (g, g_mean, g_variance), (_, mean, variance) = g, out
    width = x.shape[-1]
    x_rows, mean = rows(x), mean.reshape(-1, 1)
    g_rows = g.reshape(x_rows.shape)
    inverse = 1 / np.sqrt(variance.reshape(-1) + eps)
    average, dx = np.full(width, 1 / max(width, 1), x.dtype), np.empty_like(x_rows, order="C")

    def work(part):
        d_weight, d_bias = np.zeros((2, width), x.dtype)
        for block in pieces(part, width):
            deviation, d, scale = x_rows[block] - mean[block], g_rows[block], inverse[block]
            d_weight += scale @ (d * deviation)
            d_bias += added(d, 0)
            if not needs_input_grad[0]:
                continue
            # x̂ = (x - mean x) / σ: what weight · g holds of the mean and of x̂ itself has no effect
            into = np.multiply(d, 1 if weight is None else weight, out=dx[block])
            deviation *= (np.vecdot(into, deviation) * scale * scale / max(width, 1))[:, None]
            deviation += (into @ average)[:, None]
            into -= deviation
            into *= scale[:, None]
        return d_weight, d_bias

    with short_buffers(x.size):
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


WIDE, LEAST = 1 << 13, 1 << 4
"""So many numbers are laid side by side, if so many rows are left: NumPy's buffers hold no more (`buffers.py`)."""
BLOCK, FEW = 1 << 14, 1 << 18
"""How many numbers an image has at most where a batch may be cut anywhere, and what stays in the cache."""


class Images:
    """(N, C, *size) in the order in which it lies in memory: (images, rows, columns), with the channels in the rows, or
    in the columns beside some positions (long rows make long inner loops, even with few channels).

    What is normalized together is the batch, which may then be cut into other images, or `groups` of each image's
    channels.
    """

    def __init__(self, x, groups, wide=WIDE):
        self.outline, self.groups, self.channels = x.shape, groups, x.shape[1]
        images, positions = x.shape[0], math.prod(x.shape[2:])
        self.count = x.size // self.channels if groups is None else positions * self.channels // groups
        self.in_rows = x.ndim > 2 and not channels_last(x).flags.c_contiguous
        rows, columns = self.channels, positions
        if not self.in_rows:
            if groups is None:
                images, positions = 1, images * positions
            rows = positions
            while rows > LEAST and rows % 2 == 0 and self.channels * positions // rows < wide:
                rows //= 2
            columns = self.channels * positions // max(rows, 1)
            while groups is None and rows and rows % 2 == 0 and rows * columns > BLOCK:
                images, rows = 2 * images, rows // 2
        self.shape = images, rows, columns

    def of(self, x):
        """An array of this outline; one image is repeated if it is the same everywhere."""
        if not any(x.strides):
            return np.broadcast_to(np.full(self.shape[1:], x[(0,) * x.ndim]), self.shape)
        return (contiguous(x) if self.in_rows else contiguous_channels_last(x)).reshape(self.shape)

    def back(self, lines):
        """What was computed for each number, in the outline and the memory order of the array."""
        if self.in_rows:
            return lines.reshape(self.outline)
        return channels_first(lines.reshape((self.outline[0], *self.outline[2:], self.channels)))

    def beside(self, each):
        """(images, C) beside the numbers of each channel."""
        if self.in_rows:
            return each[..., None]
        return each[:, None].repeat(self.shape[2] // self.channels, axis=1).reshape(len(each), 1, -1)

    def sums(self, x):
        """The sums over the numbers of each channel: (images or 1, C)."""
        if self.in_rows:
            return self._of_channels(x @ np.ones(self.shape[2], x.dtype))
        x = self._whole(x)
        return self._of_channels(np.ones(x.shape[1], x.dtype) @ x)

    def products(self, x, y):
        """The sums of products, likewise."""
        if self.in_rows:
            return self._of_channels(np.vecdot(x, y))
        return self._of_channels(np.einsum("nij,nij->nj", self._whole(x), self._whole(y)))

    def _whole(self, x):
        """Images that are parts of a batch as one."""
        return x if self.groups is not None else x.reshape((1, -1, x.shape[2]))

    def _of_channels(self, sums):
        """Sums over lines, added up for each channel of each image, or of the batch."""
        if self.in_rows:
            return sums if self.groups is not None else sums.sum(0, keepdims=True)
        beside = self.shape[2] // self.channels
        return sums if beside == 1 else np.ones(beside, sums.dtype) @ sums.reshape((len(sums), beside, -1))

    def together(self, sums):
        """Sums for each channel, added up over those that are normalized together, beside each of them."""
        if self.groups is None:
            return sums
        share = self.channels // self.groups
        return sums.reshape((-1, self.groups, share)).sum(-1).repeat(share, axis=-1)

    def own(self, each):
        """What is the same for all channels that are normalized together, once: (C,), or (N, groups)."""
        return each[0] if self.groups is None else contiguous(each[:, ::self.channels // self.groups])

    def each(self, own):
        """The same for each channel: (1, C), or (N, C)."""
        return own[None] if self.groups is None else own.repeat(self.channels // self.groups, axis=1)

    def by_block(self, work, images, numbers):
        """`work(block)` for blocks of a batch, which threads share; for all images if each is normalized by itself."""
        if self.groups is not None:
            return [work(slice(0, images))]
        return self._in_blocks(work, images, numbers)

    def by_image(self, work, numbers):
        """`work(part)` for parts of the images that have their own statistics; what it returns, image by image."""
        with short_buffers(numbers):
            if self.groups is None:
                return work(slice(0, self.shape[0]))
            results = self._in_blocks(work, self.shape[0], numbers)
        return [np.concatenate(arrays) for arrays in zip(*results, strict=True)]

    def _in_blocks(self, work, images, numbers):
        each = self.shape[1] * self.shape[2]
        parts = in_parallel(lambda part: [work(block) for block in pieces(part, each, FEW)], images, numbers)
        return [result for part in parts for result in part]


@compilable("nn.compiled.normalization")
def _normalize_channels(x, weight=None, bias=None, *, groups=None, eps):
    images = Images(x, groups)
    given, out = images.of(x), np.empty(images.shape, x.dtype)

    def normalize(part):
        x, normal = given[part], out[part]
        mean = images.together(sum(images.by_block(lambda block: images.sums(x[block]), len(x), x.size))) / images.count
        center = images.beside(mean)

        def squares(block):
            deviation = np.subtract(x[block], center, out=normal[block])
            return images.products(deviation, deviation)

        variance = images.together(sum(images.by_block(squares, len(x), x.size))) / images.count
        scale = 1 / np.sqrt(variance + eps)
        scale = images.beside(scale if weight is None else scale * weight)
        shift = None if bias is None else images.beside(bias[None])

        def scale_and_shift(block):
            normal[block] *= scale
            if shift is not None:
                normal[block] += shift

        images.by_block(scale_and_shift, len(x), x.size)
        return mean, variance

    mean, variance = images.by_image(normalize, 4 * x.size)
    return images.back(out), images.own(mean), images.own(variance)


def input_gradient(images, g_mean, g_variance, along, sums, inverse, weight):
    """a, b and c of x̄ = a (x - mean x) + b ȳ + c: what ȳ holds of the mean and of x̂ itself has no effect."""
    scale = inverse if weight is None else inverse * weight
    of_deviation = 2 * images.each(g_variance) - inverse ** 2 * images.together(scale * along)
    return of_deviation / images.count, scale, (images.each(g_mean) - images.together(scale * sums)) / images.count


@compilable("nn.compiled.normalization")
def _normalize_channels_vjp(g, out, x, weight, bias, *, groups=None, eps, needs_input_grad):
    (g, g_mean, g_variance), (_, mean, variance) = g, out
    images = Images(x, groups)
    given, slopes, dx = images.of(x), images.of(g), np.empty(images.shape, x.dtype)
    means, inverses = images.each(mean), 1 / np.sqrt(images.each(variance) + eps)

    def work(part):
        x, g, into = given[part], slopes[part], dx[part]
        rows = part if len(means) > 1 else slice(None)
        inverse, center = inverses[rows], images.beside(means[rows])

        def g_and_along(block):
            deviation = np.subtract(x[block], center, out=into[block])
            return np.array([images.sums(g[block]), images.products(deviation, g[block])])

        sums, along = sum(images.by_block(g_and_along, len(x), 2 * x.size))
        if needs_input_grad[0]:
            terms = input_gradient(images, g_mean[rows], g_variance[rows], along, sums, inverse, weight)
            of_deviation, scale, shift = [images.beside(term) for term in terms]

            def combine(block):
                into[block] *= of_deviation
                into[block] += g[block] * scale
                into[block] += shift

            images.by_block(combine, len(x), 2 * x.size)
        return sums, along * inverse

    d_bias, d_weight = [each.sum(0) for each in images.by_image(work, 6 * x.size)]
    return images.back(dx) if needs_input_grad[0] else None, d_weight, d_bias


def _channels_composition(x, weight, bias, *, groups, eps):
    if groups is not None:
        out, mean, variance = _normalized(x.reshape((x.shape[0], groups, -1)), None, None, -1, eps)
        return _scaled(out.reshape(x.shape), weight, bias), mean.squeeze(-1), variance.squeeze(-1)
    weight, bias = (_per_channel(p, x.ndim) for p in (weight, bias))
    out, mean, variance = _normalized(x, weight, bias, (0, *range(2, x.ndim)), eps)
    return out, mean.reshape((-1,)), variance.reshape((-1,))


def _channel_samples(draw):
    x = draw.array(shape=tuple([draw.integer(2, 3) for _ in range(draw.integer(2, 4))]), low=-3, high=3, distinct=True)
    parameters = [draw.array(shape=x.shape[1:2]) if draw.boolean() else None for _ in range(2)]
    groups = draw.choice([None, 1, x.shape[1]] if x.ndim > 2 else [None, 1])
    return call(x, *parameters, groups=groups, eps=0.5)


normalize_channels = operation(
    _normalize_channels, joint_vjp=_normalize_channels_vjp, composition=_channels_composition,
    outputs="output mean variance", names="normalize_channels", methods="", samples=_channel_samples)


def _per_channel(parameter, ndim):
    """(C,) beside (N, C, ...)."""
    return None if parameter is None else as_tensor(parameter).reshape((-1, *(1,) * (ndim - 2)))


def _normalize_groups(x, weight, bias, groups, eps):
    """(output, mean, variance) of groups of channels, the last two (N, groups)."""
    results = normalize_channels(x, weight, bias, groups=groups, eps=eps)
    if not _out_of_range(results[2].array, eps):
        return results
    out, mean, variance = _normalize(normalize_rows, x.reshape((x.shape[0], groups, -1)), None, None, eps, (2,))
    return _scaled(out.reshape(x.shape), weight, bias), mean.squeeze(-1), variance.squeeze(-1)


def _scaled(x, weight, bias):
    """x · weight + bias for each channel."""
    weight, bias = (_per_channel(p, x.ndim) for p in (weight, bias))
    if weight is not None and bias is not None:
        return autograd.addcmul(bias, x, weight)
    return x * weight if weight is not None else x if bias is None else x + bias


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
    return _normalize_groups(x, weight, bias, num_groups, eps)[0] if x.numel() else _scaled(x, weight, bias)


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
    out, mean, variance = _normalize_groups(x, weight, bias, x.shape[1], eps)
    _move(running_mean, mean.array.mean(0), momentum)
    _move(running_var, variance.array.mean(0) * (n / (n - 1)), momentum)
    return out


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
