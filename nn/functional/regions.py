"""Regions of a feature map: weighted sums of its pixels within boxes, the same for rows as for columns.

A box is divided into bins, and what is taken of rows and of columns is independent. Two stacks of weights say it all:
what each row of bins takes of a few rows of the map, and each column of bins of a few columns. Pooling is linear in the
map, and spreading is its adjoint: each is the derivative of the other.

    pooled    y[k, c, p, q] = Σ rows[k, p, h] columns[k, q, w] x[image[k], c, h, w]
    spread    x̄, the adjoint in x

Or bins read channels of their own: bin (p, q) of P x Q the channels c · P · Q + p · Q + q.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from autograd import operation
from autograd.runtime.copies import contiguous
from autograd.runtime.threads import in_parallel
from autograd.samples import call
from nn.functional.geometry import widened
from nn.functional.weighted import times


class Weights(NamedTuple):
    """What K boxes of P bins take of the pixels along an axis: `weight` (K, P, T) of T pixels from `first` (K, P)."""

    first: np.ndarray
    weight: np.ndarray

    def matrices(self, maps: int) -> Callable[[int], tuple[slice, np.ndarray]]:
        """Of a box: the pixels that it reaches, and what its bins take of them.

        That is (maps, 1, bins, pixels), the bins being divided among so many maps.
        """
        bins, length = self.weight.shape[1:]
        start, count = self.first.min(1), np.ptp(self.first, 1) + length
        place = ((self.first - start[:, None]) + np.arange(bins) * count[:, None])[:, :, None] + np.arange(length)
        shapes = list(zip(start.tolist(), count.tolist(), strict=True))

        def of(box: int) -> tuple[slice, np.ndarray]:
            start, count = shapes[box]
            matrix = np.zeros(bins * count, self.weight.dtype)
            matrix[place[box]] = self.weight[box]
            return slice(start, start + count), matrix.reshape(maps, 1, bins // maps, count)
        return of


# Pooling, and its adjoint

def _maps(x, bins):
    """x (N, C, H, W) as maps (N, P, Q, H, W, C / (P · Q)), for (P, Q) bins; (1, 1) if all bins read the same."""
    count, channels, *size = x.shape
    split = x.reshape(count, channels // (bins[0] * bins[1]), *bins, *size)
    return contiguous(split.transpose(0, 2, 3, 4, 5, 1))


def _from_maps(maps):
    """The reverse of `_maps`."""
    count, *bins, height, width, channels = maps.shape
    return maps.transpose(0, 5, 1, 2, 3, 4).reshape(count, channels * bins[0] * bins[1], height, width)


def _product(weight, x):
    """weight @ x, where a weight of 0 means that a number doesn't count, be it infinite or nan."""
    return times(x[..., None, :, :], weight[..., None]).sum(-2)


@widened
def _pooled_forward(x, *, image, rows, columns, by_position):
    bins = rows.weight.shape[1], columns.weight.shape[1]
    maps = _maps(x, bins if by_position else (1, 1))
    out = np.empty((len(image), *bins, maps.shape[-1]), x.dtype)
    length = rows.weight.shape[2]
    rows, columns = rows.matrices(maps.shape[1]), columns.matrices(maps.shape[2])

    def pool(k, product):
        (height, of_rows), (width, of_columns) = rows(k), columns(k)
        here = maps[image[k], :, :, height, width]
        by_row = product(of_rows, here.reshape(*here.shape[:3], -1))
        by_row = by_row.reshape(*by_row.shape[:3], *here.shape[3:])
        out[k] = product(of_columns, by_row).reshape(out[k].shape)

    def work(part):
        for k in range(part.start, part.stop):
            with np.errstate(invalid="ignore"):  # 0 · inf
                pool(k, np.matmul)
            if not np.isfinite(out[k]).all():
                pool(k, _product)

    in_parallel(work, len(image), length * out.size)
    return out.transpose(0, 3, 1, 2)


@widened
def _spread_forward(y, *, size, image, rows, columns, by_position):
    channels, *bins = y.shape[1:]
    own = bins if by_position else [1, 1]
    each = [n // m for n, m in zip(bins, own, strict=True)]
    maps = np.zeros((size[0], *own, *size[1:], channels), y.dtype)
    rows, columns = rows.matrices(own[0]), columns.matrices(own[1])
    product = np.matmul if np.isfinite(y).all() else _product
    for k, of in enumerate(image):
        (height, of_rows), (width, of_columns) = rows(k), columns(k)
        part = y[k].transpose(1, 2, 0).reshape(*own, *each, channels)
        by_row = product(of_columns.swapaxes(2, 3), part)
        spread = product(of_rows.swapaxes(2, 3), by_row.reshape(*by_row.shape[:3], -1))
        here = maps[of, :, :, height, width]
        here += spread.reshape(here.shape)
    return _from_maps(maps)


def _samples(adjoint):
    """Any weights of any pixels, for a few boxes."""
    def weights(draw, boxes, bins, size):
        length = draw.integer(1, size)
        first = np.arange(boxes * bins).reshape(boxes, bins) * 2 % (size - length + 1)
        return Weights(first, np.arange(boxes * bins * length).reshape(boxes, bins, length) % 3 / 2)

    def samples(draw):
        images, channels, height, width, p, q = (draw.integer(1, 2) for _ in range(6))
        boxes, by_position = draw.integer(0, 2), draw.boolean()
        options = {"image": np.arange(boxes) % images, "rows": weights(draw, boxes, p, height),
                   "columns": weights(draw, boxes, q, width), "by_position": by_position}
        if adjoint:
            return call(draw.array(shape=(boxes, channels, p, q)), size=(images, height, width), **options)
        return call(draw.array(shape=(images, channels * p * q if by_position else channels, height, width)), **options)
    return samples


pooled = operation(
    _pooled_forward, names="_pooled_regions", samples=_samples(adjoint=False),
    vjps=lambda g, out, x, **how: spread(g, size=(x.shape[0], *x.shape[2:]), **how))

spread = operation(
    _spread_forward, names="_spread_regions", samples=_samples(adjoint=True),
    vjps=lambda g, out, y, size, **how: pooled(g, **how))
