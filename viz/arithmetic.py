"""Digits with which a calculation comes out as it is printed.

The figure has two decimals. 0.33 * 0.33 = 0.11 is right as it stands; where rounding spoils it, what is calculated with
gets as many more digits as it takes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from viz import text

DIGITS = range(2, 21)
"""Decimals: those of the figure, up to all that a double has."""


class Operand:
    """An array, or a constant that is written into a formula, as it may be printed."""

    def __init__(self, value: Any, constant: bool = False) -> None:
        self.value, self.constant = np.asarray(value), constant
        self.is_printed = constant or text.is_printed(self.value)
        """Whether its elements are, and not its shape."""

    @property
    def is_exact(self) -> bool:
        """Whether its two decimals are all it has."""
        return self.is_printed and np.array_equal(self.rounded(2), self.value)

    def text(self, digits: int = 2) -> str:
        """With brackets around a negative number."""
        printed = (text.short_number(self.value.item(), digits + 2) if self.constant
                   else text.values(self.value, digits))
        return f"({printed})" if printed.startswith("-") else printed

    def rounded(self, digits: int) -> np.ndarray:
        """What a reader calculates with."""
        if self.value.dtype.kind != "f":
            return self.value
        flat = [float(f"{x:.{digits + 2}g}") if self.constant else text.rounded(x, digits)
                for x in self.value.ravel().tolist()]
        return np.array(flat, np.float64).reshape(self.value.shape)


@dataclass
class Calculation:
    """As it is printed.

    Attributes:
        operands: their texts.
        result: "= " and its text, or "≈ " where no number of digits makes it come out.
        digits: of the operands.
    """

    operands: list[str]
    result: str
    digits: int = 2


def comes_out(compute: Callable[..., Any], operands: Sequence[Operand], result: Any, digits: int = 2) -> Calculation:
    """A calculation in as few digits as make `compute` of the printed operands give the printed result, rounded.

    Args:
        compute: on arrays of float64.
        operands: what is calculated with.
        result: what was computed.
        digits: the least number of digits of the result.
    """
    result = np.asarray(result)
    plain = Calculation([operand.text() for operand in operands], f"= {text.values(result, digits)}")
    if not (all(operand.is_printed for operand in operands) and text.is_printed(result)):
        return plain
    with np.errstate(all="ignore"):
        for places in range(digits, digits + 4):  # more, where the result lies between two printed numbers
            for finer in DIGITS:
                try:
                    computed = compute(*[operand.rounded(finer) for operand in operands])
                except Exception:  # an operation that minds its arguments' dtypes
                    return plain
                if _rounds_to(computed, result, places):
                    return Calculation([operand.text(finer) for operand in operands],
                                       f"= {text.values(result, places)}", finer)
    plain.result = plain.result.replace("=", "≈")
    return plain


def _rounds_to(computed: Any, result: np.ndarray, digits: int) -> bool:
    """Whether every element is nearer to its printed number than half a unit of the last digit, a tie not being so."""
    computed = np.asarray(computed, np.float64)
    if computed.shape != result.shape:
        return False
    for x, y in zip(computed.ravel().tolist(), result.ravel().tolist(), strict=True):
        printed = text.rounded(y, digits)
        if np.isfinite(printed):
            if not abs(x - printed) <= 0.4999999 * text.unit(y, digits):
                return False
        elif not (x == printed or (np.isnan(x) and np.isnan(printed))):
            return False
    return True
