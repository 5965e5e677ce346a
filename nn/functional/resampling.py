"""Weighted sums of a few elements along each axis: resizing in every mode, and averages of windows of any kind.

Along one axis every output takes some elements, its taps: nearest takes one, linear two, cubic four, an average its
window. That is a sparse matrix, whose adjoint is its transpose, and so there is one operation for all of them, which is
its own derivative at every order. An output depends on its taps and on nothing else: a NaN, or an infinity, reaches
those who take it.
"""

import functools
import math

import numpy as np

from autograd import operation
from autograd.runtime.copies import contiguous
from autograd.runtime.threads import in_parallel, pieces
from autograd.samples import call
from nn.functional.geometry import channels_first, channels_last, wide


def _as_slice(index):
    """Positions at equal distances as a slice, which NumPy reads and writes in place; others as they are."""
    step = int(index[1] - index[0]) if len(index) > 1 else 1
    even = step > 0 and (np.diff(index) == step).all()
    return slice(int(index[0]), int(index[-1]) + 1, step) if even else index


def _taken(x, of):
    return x[:, of] if type(of) is slice else x.take(of, 1)


class Taps:
    """What each of `count` outputs along an axis takes of n elements: a sparse matrix (count, n).

    Args:
        shape: (count, n).
        rows: the output of each entry.
        columns: the element of each entry.
        weights: how much of it; where output and element are those of another entry, the weights add up.
    """

    def __init__(self, shape, rows, columns, weights):
        self.shape = shape
        at, which = np.unique(rows * shape[1] + columns, return_inverse=True)
        self.rows, self.columns = np.divmod(at, shape[1])
        self.weights = np.bincount(which.reshape(-1), weights, len(at))
        self._matrices = {}

    def __repr__(self):
        return f"Taps{self.shape}"

    @functools.cached_property
    def T(self):  # noqa: N802 - as of a matrix
        """The transposed matrix: the adjoint."""
        return Taps(self.shape[::-1], self.columns, self.rows, self.weights)

    @functools.cached_property
    def steps(self):
        """The first tap of all outputs, the second of those that have two, and so on.

        Each is (outputs, elements, weights, whether all weights are 1).
        """
        number = np.arange(len(self.rows)) - np.searchsorted(self.rows, self.rows)
        order, ends = np.argsort(number, kind="stable"), np.cumsum(np.bincount(number))[:-1]
        return [(_as_slice(rows), _as_slice(columns), weights, (weights == 1).all()) for rows, columns, weights in zip(
            *[np.split(a[order], ends) for a in (self.rows, self.columns, self.weights)], strict=True) if len(rows)]

    @functools.cached_property
    def is_block(self):
        """Whether outputs are sums of many neighbors each, of which they share none; or the adjoint of that."""
        few, many = sorted(self.shape)
        of = self.rows if self.shape[0] == few else self.columns
        return (few > 0 and many % few == 0 and many >= LONG * few and len(of) == many and (self.weights == 1).all()
                and (of == np.arange(many) // (many // few)).all())

    @functools.cached_property
    def is_dense(self):
        """Whether BLAS is through with the whole matrix before NumPy is with its taps."""
        each = 36  # numbers of the matrix in the time of a tap, as measured
        if np.bincount(self.rows, minlength=1).max() <= 8:
            regular = all(type(part) is slice for to, of, *_ in self.steps for part in (to, of))
            each = 4 if len(self.steps) == 1 else 12 if regular else 36
        return math.prod(self.shape) <= each * len(self.rows)

    def matrix(self, dtype):
        """The matrix with its zeros."""
        if dtype not in self._matrices:
            matrix = np.zeros(self.shape, dtype)
            matrix[self.rows, self.columns] = self.weights
            self._matrices[dtype] = matrix
        return self._matrices[dtype]

    def of(self, x, out, exactly=True):
        """Write to `out` (outer, count, inner) what each output takes of x (outer, n, inner).

        If not `exactly`, maybe by way of the matrix: right if the result is finite. If not, zeros of the matrix may
        have met what is no number.
        """
        if self.is_block:
            few, length = min(self.shape), max(self.shape) // min(self.shape)
            if self.shape[0] == few:
                np.add.reduce(x.reshape(len(x), few, length, x.shape[2]), 2, out=out)
            else:
                out.reshape(len(x), few, length, x.shape[2], copy=False)[...] = x[:, :, None]
            return
        if not exactly and self.is_dense:
            if x.shape[2] > 1:
                np.matmul(self.matrix(x.dtype), x, out=out)
            else:
                np.matmul(x[..., 0], self.matrix(x.dtype).T, out=out[..., 0])
            return
        full = [len(weights) == self.shape[0] for _, _, weights, _ in self.steps[:2]]
        done = 0
        if full == [True, True] and self.steps[0][3] and self.steps[1][3]:
            np.add(*[_taken(x, of) for _, of, _, _ in self.steps[:2]], out=out)
            done = 2
        elif not any(full):
            out[...] = 0
        for number, (to, of, weights, ones) in enumerate(self.steps[done:], done):
            taken = _taken(x, of) if ones else _taken(x, of) * weights[:, None].astype(x.dtype)
            if number or not any(full):
                out[:, to] += taken
            else:
                out[...] = taken


# Which taps there are

def _remembered(make):
    """`make`, which takes time, remembers what it made for axes as images have them; longer ones take memory."""
    remembering = functools.lru_cache(128)(make)

    @functools.wraps(make)
    def taps(n, *args):
        return (remembering if n <= LONGEST else make)(n, *args)
    return taps


LONGEST = 1024
LONG = 16
"""From so many elements on a sum of neighbors is a reduction."""


@_remembered
def windows(n, starts, ends):
    """The sums of the elements from each start to before each end."""
    lengths = [end - start for start, end in zip(starts, ends, strict=True)]
    columns = [np.arange(start, end) for start, end in zip(starts, ends, strict=True)]
    return Taps((len(starts), n), np.repeat(np.arange(len(starts)), lengths),
                np.concatenate([np.zeros(0, np.int64), *columns]), np.ones(sum(lengths)))


def _cubic(distance, a=-0.75):
    """Keys' cubic convolution kernel (1981)."""
    t = np.abs(distance)
    return np.where(t <= 1, ((a + 2) * t - (a + 3)) * t * t + 1, np.where(t < 2, a * (((t - 5) * t + 8) * t - 4), 0))


_ANTIALIASED = {
    "linear": (1, lambda distance: np.maximum(1 - np.abs(distance), 0)),
    "cubic": (2, functools.partial(_cubic, a=-0.5)),
    "lanczos": (3, lambda distance: np.where(np.abs(distance) < 3, np.sinc(distance) * np.sinc(distance / 3), 0))}
"""How far the filter reaches, and the filter."""


@_remembered
def resizing(n, count, mode, align_corners, factor, antialias, dtype):
    """The taps of `count` outputs of n elements, or None for the elements as they are.

    Positions are computed in the dtype, as PyTorch does: the last digit may decide between two neighbors.

    Args:
        n: how many elements there are.
        count: how many outputs.
        mode: "nearest", "nearest-exact", "linear", "cubic", "lanczos".
        align_corners: whether the middles of the first and last elements stay in place, and not their outer edges.
        factor: what the user said that n is multiplied by; None for count / n.
        antialias: whether the filter widens when the size shrinks.
        dtype: float32 or float64.
    """
    if n == count and (mode == "linear" or antialias or factor in (None, 1)):
        return None
    number, out = dtype.type, np.arange(count).astype(dtype)
    if align_corners:
        scale = number(n - 1) / number(count - 1) if count > 1 else number(0)
    else:
        scale = number(1 / factor) if factor else number(n) / number(count)
    half = number(0.5)
    if mode.startswith("nearest"):
        source = np.floor((out + half if mode == "nearest-exact" else out) * scale)
        return Taps((count, n), np.arange(count), np.minimum(source, n - 1).astype(np.int64), np.ones(count))
    if antialias:
        reach, kernel = _ANTIALIASED[mode]
        widened = max(scale, number(1))
        middle = scale * (out + half)
        start = np.maximum((middle - reach * widened + half).astype(np.int64), 0)
        length = np.minimum((middle + reach * widened + half).astype(np.int64), n) - start
        tap = np.arange(length.max())
        weights = kernel((tap + start[:, None] - middle[:, None] + half) / widened) * (tap < length[:, None])
        weights = weights / weights.sum(axis=1, keepdims=True)
        rows, tap = np.nonzero(tap < length[:, None])
        return Taps((count, n), rows, start[rows] + tap, weights[rows, tap])
    source = scale * out if align_corners else scale * (out + half) - half
    if mode == "linear":
        source = np.maximum(source, 0)
        low = np.minimum(np.floor(source), n - 1)
        t = np.clip(source - low, 0, 1)
        taps, weights = low[:, None] + np.arange(2), np.stack([1 - t, t], 1)
    else:
        low = np.floor(source)
        t = np.clip(source - low, 0, 1)
        taps = low[:, None] + np.arange(-1, 3)
        weights = np.stack([_cubic(t - k) for k in range(-1, 3)], 1)
    taps = np.clip(taps, 0, n - 1).astype(np.int64)  # beyond the ends the last elements count
    return Taps((count, n), np.repeat(np.arange(count), taps.shape[1]), taps.reshape(-1), weights.reshape(-1))


# The operation

def _forward(x, *, taps, before, after):
    lies_last = channels_last(x).flags.c_contiguous and not x.flags.c_contiguous
    size = [n if along is None else along.shape[0] for n, along in zip(x.shape[2:], taps, strict=True)]
    if lies_last:
        items, inner = channels_last(x), (x.shape[1],)
    else:
        items, inner = contiguous(x).reshape(-1, *x.shape[2:]), ()
    result = np.empty((len(items), *size, *inner), x.dtype)
    before, after = (None if d is None else d.reshape(*d.shape, *[1] * len(inner)) for d in (before, after))
    # First what shrinks, then what grows; and the last axis, slow in memory, while there are fewest elements.
    grows = [along is not None and along.shape[0] > along.shape[1] for along in taps]
    order = sorted([i for i, along in enumerate(taps) if along is not None], key=lambda i: (grows[i], -i * grows[i], i))
    has_zeros = x.dtype.kind == "f" and any(taps[i].is_dense and not taps[i].is_block for i in order)

    def resampled(items, into, exactly):
        block = wide(items)
        if before is not None:
            block = np.divide(block, before, dtype=block.dtype)
        for i in order:
            lead, n, rest = block.shape[:1 + i], block.shape[1 + i], block.shape[2 + i:]
            shape = *lead, taps[i].shape[0], *rest
            out = into if i == order[-1] and into.dtype == block.dtype else np.empty(shape, block.dtype)
            taps[i].of(block.reshape(math.prod(lead), n, math.prod(rest)),
                       out.reshape(math.prod(lead), shape[1 + i], math.prod(rest)), exactly)
            block = out
        if after is not None:
            np.divide(block, after, out=into, casting="same_kind")
        elif block is not into:
            into[...] = block

    def work(part):
        for few in pieces(part, max(math.prod(items.shape[1:]), math.prod(result.shape[1:]))):
            if has_zeros:
                with np.errstate(invalid="ignore", over="ignore"):
                    resampled(items[few], result[few], exactly=False)
                if np.isfinite(result[few]).all():
                    continue
            resampled(items[few], result[few], exactly=True)

    in_parallel(work, len(items), 4 * max(x.size, result.size))
    return channels_first(result) if lies_last else result.reshape(*x.shape[:2], *size)


def _samples(draw):
    taps = []
    for _ in range(draw.integer(1, 2)):
        n, count, each = (draw.integer(1, 3) for _ in range(3))
        places = np.arange(count * each)
        taps.append(draw.choice([None, Taps((count, n), places // each, places * 2 % n, np.cos(places))]))
    size, out = [[1 if along is None else along.shape[i] for along in taps] for i in (1, 0)]
    before, after = (draw.choice([None, np.arange(1.0, 1 + math.prod(s)).reshape(s)]) for s in (size, out))
    return call(draw.array(shape=(draw.integer(0, 2), 2, *size)), taps=tuple(taps), before=before, after=after)


def _flops(shapes, out, options):
    """A multiplication and an addition for each tap, axis by axis; counted in the order of the axes."""
    count, shape = 0, list(shapes[0])
    for axis, taps in enumerate(options["taps"], 2):
        if taps is not None:
            shape[axis] = taps.shape[0]
            count += 2 * len(taps.rows) * math.prod(shape) // max(shape[axis], 1)
    return count


resample = operation(
    _forward, names="_resample", samples=_samples, flops=_flops,
    vjps=lambda g, out, x, taps, before, after: resample(
        g, taps=tuple([None if along is None else along.T for along in taps]), before=after, after=before),
    doc="x (N, C, *size) summed along each axis as `taps` say, divided by `before` before and by `after` afterwards.")
