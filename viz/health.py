"""The numbers of a large tensor in a few, and what may be wrong with them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Node
from viz import notation
from viz.text import number, short_number

BINS = 16
VANISHING, EXPLODING = 1e-4, 1e4
"""Root mean square of a gradient, relative to the median over all parameters."""
MOSTLY = 0.9
"""Fraction of dead or saturated elements that is worth a mark."""


@dataclass
class Summary:
    """An array in a few numbers: mean ± standard deviation, minimum … maximum, and a histogram."""

    text: str
    bars: tuple[float, ...] = ()
    rms: float = 0.0
    alarm: str = ""


def summarize(array: Any) -> Summary:
    """Mean ± standard deviation, minimum … maximum, of the finite elements."""
    array = np.asarray(array)
    if array.dtype.kind not in "fiub" or not array.size:
        return Summary("empty" if not array.size else "")
    numbers = array.astype(np.float64, copy=False).ravel()
    finite = np.isfinite(numbers)
    alarm = ""
    if not finite.all():
        bad = np.isnan(numbers).sum()
        alarm = f"{bad} of {numbers.size} NaN" if bad else f"{(~finite).sum()} of {numbers.size} infinite"
        numbers = numbers[finite]
        if not numbers.size:
            return Summary(alarm, alarm=alarm)
    if array.size == 1:
        return Summary(short_number(numbers[0]), rms=abs(float(numbers[0])))
    low, high = float(numbers.min()), float(numbers.max())
    rms = float(np.sqrt(np.mean(np.square(numbers))))
    bars = ()
    if np.isfinite(high - low):
        counts = np.histogram(numbers, BINS, (low, high))[0]
        bars = tuple((counts / counts.max()).round(2).tolist())
    if high == low:
        return Summary(f"all {_brief(low)}", rms=rms, alarm=alarm)
    text = f"{_brief(numbers.mean())} ± {_brief(numbers.std())}, {_brief(low)} … {_brief(high)}"
    return Summary(text, bars, rms, alarm)


def _brief(x: float) -> str:
    return f"{float(x):.2g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e").replace("-", "−")


def saturation(node: Node, value: np.ndarray | np.generic) -> str:
    """Dead or saturated activations, if the operation has any."""
    flat = notation.of(node).flat
    if flat is None or value.size < 2:
        return ""
    what, test = flat
    fraction = float(np.mean(test(np.asarray(value))))
    return f"{fraction:.0%} {what}" if fraction >= MOSTLY else ""


def gradient_alarm(rms: float, usual: float) -> str:
    """A gradient that is zero, or of quite another size than the usual one."""
    if rms == 0:
        return "gradient is zero"
    if usual and rms < VANISHING * usual:
        return f"gradient vanishes: {number(rms / usual)} of the median"
    if usual and rms > EXPLODING * usual:
        return f"gradient explodes: {number(rms / usual)} times the median"
    return ""


def usual_size(gradients: Iterable[Any]) -> float:
    """The median root mean square of some gradients that are not zero."""
    sizes = [size for g in gradients if (size := summarize(g).rms)]
    return float(np.median(sizes)) if sizes else 0.0
