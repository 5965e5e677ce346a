"""Large arrays by some of their elements, and what these are like: mean, spread and a histogram of many at once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

COUNT = 512
"""Of so many elements a mean or a standard deviation is known to about 5 %."""
BINS = 16
BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Distribution:
    """What the elements of an array are like.

    Attributes:
        mean: of the finite ones, as all that follows.
        std: their standard deviation.
        low: the smallest.
        high: the largest.
        bars: a histogram from low to high, each bar a digit from 0 (empty) to 9 (the highest).
    """

    mean: float
    std: float
    low: float
    high: float
    bars: str


def sample(array: Any) -> np.ndarray:
    """A copy of at most `COUNT` elements, spread evenly over rows and columns.

    They stand at the same places in every array of a size, and no random number is drawn.

    >>> sample(np.arange(3.0))
    array([0., 1., 2.])
    """
    flat = np.asarray(array).ravel(order="K")  # no copy of what is only transposed
    return flat[::_stride(flat.size)].astype(np.float64)


@lru_cache(4096)
def _stride(size: int) -> int:
    """Without a divisor in common with the size: so with none of the axes, and no column is left out."""
    stride = max(1, -(-size // COUNT))
    while math.gcd(stride, size) > 1:
        stride += 1
    return stride


def describe(samples: Sequence[np.ndarray]) -> list[Distribution | None]:
    """What each is like; None where there is no finite element.

    >>> [d.bars for d in describe([np.array([0.0, 0.0, 1.0])])]
    ['9000000000000005']
    """
    lengths = np.array([len(s) for s in samples], dtype=np.intp)
    numbers = np.concatenate(samples) if len(samples) else np.zeros(0)
    owner = np.repeat(np.arange(len(samples)), lengths)
    if not (finite := np.isfinite(numbers)).all():
        numbers, owner = numbers[finite], owner[finite]
        lengths = np.bincount(owner, minlength=len(samples))
    present = np.flatnonzero(lengths)
    starts = (np.cumsum(lengths) - lengths)[present]
    if not len(present):
        return [None] * len(samples)
    place = np.repeat(np.arange(len(present)), lengths[present])
    counts = lengths[present]
    low, high = np.minimum.reduceat(numbers, starts), np.maximum.reduceat(numbers, starts)
    with np.errstate(all="ignore"):
        mean = np.add.reduceat(numbers, starts) / counts
        std = np.sqrt(np.add.reduceat(np.square(numbers - mean[place]), starts) / counts)
        width = np.where(high > low, high - low, 1)
        bins = np.minimum((numbers - low[place]) / width[place] * BINS, BINS - 1)
    flat = place * BINS + np.nan_to_num(bins).astype(np.intp)
    heights = np.bincount(flat, minlength=len(present) * BINS).reshape(-1, BINS)
    digits = np.ceil(9 * heights / heights.max(axis=1, keepdims=True)).astype(np.uint8) + ord("0")
    found: list[Distribution | None] = [None] * len(samples)
    for k, i in enumerate(present):
        found[i] = Distribution(float(mean[k]), float(std[k]), float(low[k]), float(high[k]),
                                digits[k].tobytes().decode())
    return found


def sparkline(numbers: Sequence[float], width: int = 20) -> str:
    """The course of some numbers in one line of text, each the mean of its part; a cross for NaN and infinity.

    >>> sparkline([3, 2, 1, 1, 2])
    '█▅▁▁▅'
    """
    values = np.asarray(numbers, dtype=np.float64)
    if len(values) > width:
        edges = np.linspace(0, len(values), width + 1).astype(int)
        values = np.array([part.mean() for part in np.split(values, edges[1:-1])])
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
    level = (values - low) / ((high - low) or 1) * (len(BLOCKS) - 1)
    return "".join(BLOCKS[round(x)] if math.isfinite(x) else "×" for x in level)
