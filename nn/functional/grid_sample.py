"""Images read at any positions between their pixels (Jaderberg et al., "Spatial Transformer Networks", 2015).

An output is a weighted sum of a few pixels: which ones depends on the whole part of a position, how much of each on its
fraction. With the pixels as rows of a matrix there are three operations, each linear in both arguments and the
derivative of the others, as in a convolution, so that every order comes for free:

    _weighted_rows    y[p] = Σ_k w[p, k] x[i[p, k]], nothing where i is the number of rows
    _spread_rows      x̄, the adjoint in x: y[p] w[p, k] added up at row i[p, k]
    _row_products     w̄, the adjoint in w: w[p, k] = y[p] · x[i[p, k]]
"""

import math
from collections.abc import Sequence

import numpy as np

import autograd
from autograd import Tensor, as_tensor, dtypes, operation
from autograd.errors import ShapeError
from autograd.operations.indexing import add_rows
from autograd.runtime.compiled import compilable, is_compiled
from autograd.runtime.copies import contiguous
from autograd.runtime.threads import in_parallel, pieces
from autograd.samples import call, numbers
from autograd.typing import TensorLike

FEW_CHANNELS = 16
"""Up to so many, rows are added up one channel at a time."""

ROW = 8
"""So many numbers are read in the time that it takes to begin a row."""


def _with_nothing(x):
    """The rows, and one of zeros behind them: what a tap beyond the image reads."""
    return np.concatenate([x, np.zeros((1, x.shape[1]), x.dtype)])


def _weighted_rows_forward(x, weight, *, index):
    x, out = _with_nothing(x), np.empty((len(index), x.shape[1]), x.dtype)

    def work(part):
        for block in pieces(part, index.shape[1] * x.shape[1]):
            np.vecmat(weight[block], x.take(index[block], 0), out=out[block])

    in_parallel(work, len(index), 2 * index.size * (x.shape[1] + ROW))
    return out


def _spread_rows_forward(y, weight, *, index, count):
    if y.shape[1] <= FEW_CHANNELS:
        out, places = np.zeros((y.shape[1], count + 1), y.dtype), index.reshape(-1)  # the last: of nothing
        for sums, of_channel in zip(out, y.T, strict=True):
            np.add.at(sums, places, (of_channel[:, None] * weight).reshape(-1))
        return contiguous(out[:, :count].T)
    out, there = np.zeros((count, y.shape[1]), y.dtype), np.flatnonzero(index < count)
    rows = y.take(there // max(index.shape[1], 1), 0)
    rows *= weight.reshape(-1)[there, None]
    add_rows(out, index.reshape(-1)[there], rows, fresh=True)
    return out


def _row_products_forward(y, x, *, index):
    rows, out = _with_nothing(x), np.empty(index.shape, y.dtype)

    def work(part):
        for block in pieces(part, x.shape[1]):
            for k in range(index.shape[1]):
                np.einsum("pc,pc->p", y[block], rows.take(index[block, k], 0), out=out[block, k])

    in_parallel(work, len(index), 2 * index.size * (x.shape[1] + ROW))
    return np.where(index == len(x), 0, out)


def _samples(first, second):
    """The shapes of both arguments, from the number of places p, of pixels k at each, of rows n and of channels c."""
    def samples(draw):
        p, k, n, c = (draw.integer(low, 3) for low in (0, 1, 1, 1))
        sizes = {"p": p, "k": k, "n": n, "c": c}
        index = (np.arange(p * k) * 2 % (n + 1)).reshape(p, k)  # n: nothing
        count = {"count": n} if first == "pc" and second == "pk" else {}
        return call(*[draw.array(shape=tuple([sizes[letter] for letter in shape])) for shape in (first, second)],
                    index=index, **count)
    return samples


_weighted_rows = operation(
    _weighted_rows_forward, names="_weighted_rows", samples=_samples("nc", "pk"),
    vjps=(lambda g, out, x, weight, index: _spread_rows(g, weight, index=index, count=x.shape[0]),
          lambda g, out, x, weight, index: _row_products(g, x, index=index)))

_spread_rows = operation(
    _spread_rows_forward, names="_spread_rows", samples=_samples("pc", "pk"),
    vjps=(lambda g, out, y, weight, index, count: _weighted_rows(g, weight, index=index),
          lambda g, out, y, weight, index, count: _row_products(y, g, index=index)))

_row_products = operation(
    _row_products_forward, names="_row_products", samples=_samples("pc", "nc"),
    vjps=(lambda g, out, y, x, index: _weighted_rows(x, g, index=index),
          lambda g, out, y, x, index: _spread_rows(y, g, index=index, count=x.shape[0])))


# Along one axis: which positions count, and how much

def _brought_inside(position, n, padding_mode, align_corners):
    """Positions, array or Tensor, moved onto an axis of n pixels as the padding wants it."""
    if padding_mode == "zeros":
        return position
    if padding_mode == "reflection":  # at the middle of the first and last pixel, or at their outer edge
        low, span = (0.0, n - 1) if align_corners else (-0.5, n)
        distance = np.asarray(as_tensor(position).detach().array) - low
        folds = np.floor(np.abs(distance) / max(span, 1))
        even = folds % 2 == 0
        slope = np.where(even, 1, -1) * np.where(distance < 0, -1, 1)
        shift = np.where(even, -folds, folds + 1) * span + low - slope * low
        position = position * slope.astype(position.dtype) + shift.astype(position.dtype)
    value = np.asarray(as_tensor(position).detach().array)
    return np.where((value > 0) & (value < n - 1), position, np.clip(value, 0, n - 1))  # outside, nothing depends on it


# Keys' cubic convolution kernel (1981), as products, which keep their signs where they vanish. Its derivatives are
# written out: step by step, an infinite pixel's share would be a difference of two infinities.

KEYS = -0.75


def near(u):
    """The kernel at a distance u from 0 to 1."""
    return (u - 1) * (((KEYS + 2) * u - 1) * u - 1)


def near_slope(u):
    """Its derivative there."""
    return (3 * (KEYS + 2) * u - 2 * (KEYS + 3)) * u


def far(u):
    """The kernel at a distance u from 1 to 2."""
    return KEYS * (u - 1) * ((u - 2) * (u - 2))


def far_slope(u):
    """Its derivative there."""
    return KEYS * (3 * u - 4) * (u - 2)


_near = operation(near, vjps=lambda g, out, u: g * near_slope(u), names="_near", samples=numbers)
_far = operation(far, vjps=lambda g, out, u: g * far_slope(u), names="_far", samples=numbers)


def _taps(position, n, mode, padding_mode, align_corners):
    """The pixels of an axis that count at each position (P,), which of them there are, and their weights: (taps, P)."""
    if mode != "bicubic":
        position = _brought_inside(position, n, padding_mode, align_corners)
    value = position.detach().numpy()
    low = np.rint(value) if mode == "nearest" else np.floor(value)
    t = position - low
    if mode == "nearest":
        pixels, weights = low[None], [autograd.where(np.isnan(value), t, 1.0)]  # derivative 0
    elif mode == "bilinear":
        pixels, weights = low + np.arange(2)[:, None], [1 - t, t]
    else:
        pixels = _brought_inside(low + np.arange(-1, 3)[:, None], n, padding_mode, align_corners)
        weights = [_far(t + 1), _near(t), _near(1 - t), _far(2 - t)]
    inside = (pixels >= 0) & (pixels <= n - 1)
    return np.where(inside, pixels, 0).astype(np.int64), inside, autograd.stack(weights)


MODES = "bilinear", "nearest", "bicubic"
PADDING_MODES = ("zeros", "border", "reflection")
FAR = np.float32(1e6)
"""Positions beyond count as this far outside, so that infinite ones do no harm."""


def grid_sample(input: TensorLike, grid: TensorLike, mode: str = "bilinear", padding_mode: str = "zeros",
                align_corners: bool | None = None) -> Tensor:
    """(N, C, H, W) at the positions `grid`, (N, H', W', 2): (N, C, H', W'); likewise in three dimensions.

    Differentiable in both. With mode "nearest" the derivative in the grid is 0.

    Args:
        input: (N, C, H, W) or (N, C, D, H, W).
        grid: (N, H', W', 2), positions (x, y), or (N, D', H', W', 3), positions (x, y, z); -1 and 1 are the ends of an
            axis. At nan the output is nan; infinity is far outside.
        mode: "bilinear" (between all 4 or 8 neighbors), "nearest"; in two dimensions also "bicubic" (of 16).
        padding_mode: what is read outside: "zeros", "border" (the nearest pixel), "reflection".
        align_corners: -1 and 1 are the middle of the first and last pixel (True) or their outer edges (False, the
            default).

    >>> image, theta = rand(1, 3, 8, 8), tensor([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> grid_sample(image, affine_grid(theta, image.shape)).allclose(image.flip(-1), atol=1e-6)  # a mirror image
    True
    """
    x, grid = as_tensor(input), as_tensor(grid)
    ndim = x.ndim - 2
    if ndim not in (2, 3):
        raise ShapeError(f"the input must have shape (N, C, H, W) or (N, C, D, H, W), not {x.shape}")
    if grid.ndim != x.ndim or grid.shape[0] != x.shape[0] or grid.shape[-1] != ndim:
        places = ", ".join(["D'", "H'", "W'"][-ndim:])
        raise ShapeError(f"to an input of shape {x.shape} belongs a grid of shape "
                         f"({x.shape[0]}, {places}, {ndim}), not {grid.shape}")
    if 0 in x.shape[2:]:
        raise ShapeError(f"an input of shape {x.shape} has no pixels to sample")
    if mode not in (modes := MODES if ndim == 2 else MODES[:2]):
        raise ValueError(f"for an input of shape {x.shape} mode must be one of {modes}, not {mode!r}")
    if padding_mode not in PADDING_MODES:
        raise ValueError(f"padding_mode must be one of {PADDING_MODES}, not {padding_mode!r}")
    if dtypes.float16 in (x.dtype, grid.dtype):  # too coarse for positions
        return grid_sample(x.float(), grid.float(), mode, padding_mode, align_corners).to(x.dtype)
    out = grid.shape[1:-1]
    scale = [(1.0, (n - 1) / 2, 0.0) if align_corners else (1.0, n / 2, 0.5) for n in x.shape[2:]]
    sampled = at_positions(x, grid.reshape(len(x), math.prod(out), ndim), scale, mode, padding_mode, align_corners)
    return sampled.reshape(len(x), *out, x.shape[1]).movedim(-1, 1)


def at_positions(x: Tensor, positions: Tensor, scale: Sequence[tuple[float, float, float]], mode: str = "bilinear",
                 padding_mode: str = "zeros", align_corners: bool | None = None) -> Tensor:
    """What images (N, C, *size) have at P positions each: (N, P, C).

    Args:
        x: the images.
        positions: (N, P, 2 or 3), the last axis first.
        scale: of each axis (a, b, c): p stands for (p + a) b - c, in pixels, the middle of the first being 0.
        mode: as of `grid_sample`.
        padding_mode: as of `grid_sample`.
        align_corners: as of `grid_sample`.
    """
    fused = is_compiled() and x.dtype == positions.dtype == dtypes.float32
    return (_sampled if fused else _by_pixels)(
        x, positions, scale=tuple(scale), mode=mode, padding_mode=padding_mode, align_corners=align_corners)


def _by_pixels(x, positions, *, scale, mode, padding_mode, align_corners):
    x, positions = as_tensor(x), as_tensor(positions)
    value = positions.detach().numpy()
    finite = np.clip(value, -FAR, FAR)
    positions = autograd.where(positions == finite, positions, finite.astype(positions.dtype))
    index = np.repeat(np.arange(len(x)), positions.shape[1])[None]  # (1, N x P) -> (pixels, N x P)
    there, weight = np.ones_like(index, bool), 1.0
    for axis, (n, (before, factor, behind)) in enumerate(zip(x.shape[2:], scale, strict=True)):
        position = (positions[:, :, -1 - axis].flatten() + before) * factor - behind
        pixels, inside, weights = _taps(position, n, mode, padding_mode, align_corners)
        index = (index[:, None] * n + pixels).reshape(len(index) * len(pixels), index.shape[1])
        there = (there[:, None] & inside).reshape(index.shape)
        weight = weights if axis == 0 else (weight[:, None] * weights).reshape(index.shape)
    rows = x.movedim(1, -1).reshape(x.shape[0] * math.prod(x.shape[2:]), x.shape[1])
    out = _weighted_rows(rows, weight.T, index=np.where(there, index, len(rows)).T)
    return out.reshape(*positions.shape[:2], x.shape[1])


# All of it at once, for which there is a loop. In NumPy it is what has just been said.

@compilable("nn.compiled.grid_sample")
def _sampled_forward(x, positions, *, scale, mode, padding_mode, align_corners):
    return _by_pixels(Tensor(x), Tensor(positions), scale=scale, mode=mode, padding_mode=padding_mode,
                      align_corners=align_corners).array


@compilable("nn.compiled.grid_sample")
def _sampled_vjp(g, out, x, positions, *, needs_input_grad, **options):
    with autograd.enable_grad():
        inputs = [Tensor(a, requires_grad=True) for a in (x, positions)]
        return [gradient.array for gradient in autograd.grad(_by_pixels(*inputs, **options), inputs, Tensor(g))]


def _sampled_samples(draw):
    count, channels, places = (draw.integer(1, 3) for _ in range(3))
    size = tuple([draw.integer(1, 3) for _ in range(2)])
    return call(draw.array(shape=(count, channels, *size)), draw.array(shape=(count, places, len(size))),
                scale=tuple([(1.0, n / 2, 0.5) for n in size]), mode=draw.choice(MODES),
                padding_mode=draw.choice(PADDING_MODES), align_corners=None)


_sampled = operation(_sampled_forward, joint_vjp=_sampled_vjp, composition=_by_pixels, names="_sampled",
                     samples=_sampled_samples)


def affine_grid(theta: TensorLike, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The positions to which affine maps take the pixels of an image: the grid for `grid_sample`.

    Args:
        theta: (N, 2, 3), maps of (x, y, 1), or (N, 3, 4), maps of (x, y, z, 1).
        size: of the output image: (N, C, H, W) or (N, C, D, H, W).
        align_corners: -1 and 1 are the middle of the first and last pixel (True) or their outer edges (False, the
            default).

    Returns:
        (N, H, W, 2) or (N, D, H, W, 3).
    """
    theta, size = as_tensor(theta), tuple(size)
    ndim = len(size) - 2
    if ndim not in (2, 3) or min(size) < 1:
        raise ValueError(f"size must be (N, C, H, W) or (N, C, D, H, W), all at least 1, not {size}")
    if theta.shape != (size[0], ndim, ndim + 1):
        raise ShapeError(f"to an image of size {size} belongs a theta of shape "
                         f"{(size[0], ndim, ndim + 1)}, not {theta.shape}")
    axes = [np.linspace(-1, 1, n) if align_corners else (2 * np.arange(n) + 1) / n - 1 for n in size[2:]]
    axes = [np.zeros(1) if len(axis) == 1 else axis for axis in axes]
    places = np.meshgrid(*axes, indexing="ij")[::-1]  # x, the last axis, first
    places = np.stack([*places, np.ones(size[2:])], -1).reshape(-1, ndim + 1).astype(theta.dtype)
    return (places @ theta.transpose(1, 2)).reshape(size[0], *size[2:], ndim)
