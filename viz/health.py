"""The numbers of a large tensor in a few."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from viz.text import short_number

BINS = 16
_SAMPLE = np.sort(np.random.Generator(np.random.PCG64(0)).random(4096))
"""Where in an array the elements lie that a histogram is made of; a fixed step could fall into step with its rows."""
BLOCK = 1 << 16
"""Elements that stay in the cache while two sums are taken over them."""


@dataclass
class Summary:
    """An array in a few numbers: mean ± standard deviation, minimum … maximum, and a histogram."""

    text: str
    bars: tuple[float, ...] = ()
    rms: float = 0.0
    alarm: str = ""


def summarize(array: Any) -> Summary:
    """Mean ± standard deviation, minimum … maximum, of the finite elements; the bars come from a sample of them."""
    array = np.asarray(array)
    if array.dtype.kind not in "fiub" or not array.size:
        return Summary("empty" if not array.size else "")
    numbers, alarm = _each_once(array), ""
    low, high = float(numbers.min()), float(numbers.max())
    if not np.isfinite(high - low):  # a NaN is minimum and maximum; the difference of two finite numbers can overflow
        finite = np.isfinite(numbers)
        if not finite.all():
            repeated = array.size // numbers.size
            bad = int(np.isnan(numbers).sum()) * repeated
            alarm = (f"{bad} of {array.size} NaN" if bad else
                     f"{int((~finite).sum()) * repeated} of {array.size} infinite")
            numbers = numbers[finite]
            if not numbers.size:
                return Summary(alarm, alarm=alarm)
        numbers = numbers.astype(np.float64, copy=False)
        low, high = float(numbers.min()), float(numbers.max())
    if array.size == 1:
        return Summary(short_number(low), rms=abs(low))
    if high == low:
        return Summary(f"all {short_number(low, 2)}", rms=abs(low), alarm=alarm, bars=_bars(numbers, low, high))
    mean, rms = _mean_and_rms(numbers, max(abs(low), abs(high)))
    deviation = rms * math.sqrt(max(1 - (mean / rms) ** 2, 0.0))  # the squares themselves may overflow
    if deviation < 0.05 * abs(mean):  # the difference of nearly equal numbers
        deviation = float(numbers.astype(np.float64, copy=False).std())
    text = f"{short_number(mean, 2)} ± {short_number(deviation, 2)}, {short_number(low, 2)} … {short_number(high, 2)}"
    return Summary(text, _bars(numbers, low, high), rms, alarm)


def _each_once(array: np.ndarray) -> np.ndarray:
    """The elements in one row, in the order in which they lie in memory, without those that broadcasting repeats."""
    if not array.flags.forc:
        array = array[tuple(slice(1 if step == 0 else None) for step in array.strides)]
    wide = array.astype(np.float32 if array.dtype.itemsize <= 2 else np.float64, copy=False)
    return (array if array.dtype in (np.float32, np.float64) else wide).ravel("K")


def _mean_and_rms(numbers: np.ndarray, largest: float) -> tuple[float, float]:
    """One pass each, by BLAS, in blocks whose sums keep their digits."""
    scale = largest if not 1e-15 < largest < 1e15 else 1.0  # squares of others leave float32
    total = squares = 0.0
    for start in range(0, numbers.size, BLOCK):
        block = numbers[start:start + BLOCK]
        if scale != 1.0:
            block = block.astype(np.float64) / scale
        total += float(block.sum())
        squares += float(block @ block)
    return scale * total / numbers.size, scale * float(np.sqrt(squares / numbers.size))


def _bars(numbers: np.ndarray, low: float, high: float) -> tuple[float, ...]:
    """A histogram of at most as many elements as there are in the sample."""
    if not np.isfinite(high - low):
        return ()
    if numbers.size > _SAMPLE.size:
        numbers = numbers[(_SAMPLE * numbers.size).astype(np.int64)]
    share = (numbers.astype(np.float64) - low) / (high - low) if high > low else np.full(numbers.shape, 0.5)
    counts = np.bincount(np.minimum((share * BINS).astype(np.int64), BINS - 1), minlength=BINS)
    return tuple((counts / counts.max()).round(2).tolist())
