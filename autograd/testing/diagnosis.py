"""What a wrong Jacobian looks like, in words: both numbers, how far apart they are, and the likely cause."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

UNTRACKED = "a value that is not recorded (detach(), .data, .array, np.asarray, a Python float)"


class GradientError(AssertionError):
    """Something that must hold for a function and its gradient does not.

    Attributes:
        order: of the wrong derivative; None if something else does not hold.
        error: its relative error.
    """

    order: int | None
    error: float | None

    def __init__(self, message: str, order: int | None = None, error: float | None = None) -> None:
        super().__init__(message)
        self.order, self.error = order, error


VERDICTS = ((1e-7, "right"), (1e-4, "right if the function has kinks, else too high"), (1e-2, "suspicious"),
            (np.inf, "probably wrong"))
"""Relative errors up to these, and what they mean for a function in float64.

Source: Stanford CS231n, Neural Networks 3, Gradient checks.
"""


def verdict(error: float) -> str:
    """What a relative error means."""
    return next(words for bound, words in VERDICTS if error <= bound or bound == np.inf)


def relative_error(analytic: Any, numeric: Any, noise: float = 0.0) -> Any:
    """|a - n| / max(|a|, |n|), and 0 where they differ by no more than `noise`."""
    gap, size = np.abs(analytic - numeric), np.maximum(np.abs(analytic), np.abs(numeric))
    return np.where(gap <= noise, 0.0, gap / np.where(size == 0, 1, size))


@dataclass
class Jacobian:
    """The derivative of one output in one input, by the rules and by central differences: a row an output element.

    Attributes:
        output: which output.
        input: which input.
        names: of the output and of the input.
        x: the input's array.
        shape: the output's shape.
        analytic: by the rules.
        numeric: by central differences.
        wrong: where they disagree.
        order: 1 for a derivative, 2 for the derivative of a derivative, …
    """

    output: int
    input: int
    names: tuple[str, str]
    x: np.ndarray
    shape: tuple[int, ...]
    analytic: np.ndarray
    numeric: np.ndarray
    wrong: np.ndarray
    order: int = 1

    def error(self) -> float:
        """The relative error of the worst entry."""
        return float(relative_error(self.analytic[self.worst()], self.numeric[self.worst()]))

    def worst(self) -> tuple[int, int]:
        """The row and the column of the entry that is furthest off."""
        error = np.where(self.wrong, np.nan_to_num(np.abs(self.analytic - self.numeric), nan=np.inf), -1)
        return np.unravel_index(int(np.argmax(error)), error.shape)  # type: ignore[return-value]


def describe(found: Jacobian, others: Sequence[Jacobian], kink: str | None, engine: Any = None) -> str:
    """The message of a GradientError for a Jacobian with wrong entries, in the language of an engine."""
    row, column = found.worst()
    a, n = found.analytic[row, column], found.numeric[row, column]
    error = found.error()
    output, input = found.names
    lines = [f"order {found.order}: d {output}{_element(row, found.shape)} / d {input}"
             f"{_element(column, found.x.shape)} is {a:.9g} by {engine.rules if engine else 'the rules'} and "
             f"{n:.9g} by central differences",
             f"relative error {error:.1e}: {verdict(error)} "
             "(1e-7 right, 1e-4 right only with kinks, 1e-2 probably wrong)",
             f"{int(found.wrong.sum())} of {found.wrong.size} entries of this derivative disagree; the output has "
             f"shape {found.shape}, the input {found.x.shape}, {found.x.dtype}"]
    cause = kink or likely_cause(found, others)
    if cause:
        cause = cause.replace(UNTRACKED, engine.untracked if engine else UNTRACKED)
        lines.append(f"likely cause: {cause}")
    return "\n".join(lines)


def likely_cause(found: Jacobian, others: Sequence[Jacobian] = ()) -> str | None:
    """What is probably wrong with a rule, judged by its Jacobian; None if no pattern fits."""
    for recognize in _CAUSES:
        cause = recognize(found, others)
        if cause:
            return cause
    return None


def _single_precision(found: Jacobian, others: Sequence[Jacobian]) -> str | None:
    if found.x.dtype.itemsize < 8:
        return (f"the input is {found.x.dtype}, whose rounding is as large as the "
                "differences; check with float64: x.double()")
    return None


def _not_finite(found: Jacobian, others: Sequence[Jacobian]) -> str | None:
    if not np.isfinite(found.analytic).all():
        return "the rule divides by zero or overflows where the function does not"
    if not np.isfinite(found.numeric).all():
        return "the function itself is infinite or nan within a step of this point: it lies outside the domain"
    return None


def _missing(found: Jacobian, others: Sequence[Jacobian]) -> str | None:
    if found.analytic.any():
        return None
    if found.order > 1:
        return (f"the gradient does not depend on this input any more: the rule computes with {UNTRACKED}, or an array "
                "kept from the forward pass")
    return f"no gradient arrives: a rule gives zero, or the function computes with {UNTRACKED}"


def _factor(found: Jacobian, others: Sequence[Jacobian]) -> str | None:
    a, n = found.analytic, found.numeric
    factor = float(np.vdot(n, a) / np.vdot(n, n)) if n.any() else 0.0
    if abs(factor) < 1e-3 or not _close(a, factor * n):
        return None
    if abs(factor + 1) < 1e-5:
        return "wrong sign: every entry is the negative of what it must be"
    text = f"a constant factor: every entry is {_round(factor)} times what it must be"
    several = [("the input", found.x.shape), ("the output", found.shape)]
    for whose, shape in several if found.shape != found.x.shape else []:
        for axis, length in enumerate(shape):
            if length > 1 and min(abs(factor * length - 1), abs(factor - length) / length) < 1e-5:
                return (f"{text}; axis {axis} of {whose} has length {length}: a sum in "
                        "the place of a mean, or vice versa")
    return text


def _exchanged(found: Jacobian, others: Sequence[Jacobian]) -> str | None:
    for other in others:
        if (other.output == found.output and other.input != found.input and other.numeric.shape == found.numeric.shape
                and _close(found.analytic, other.numeric)):
            return f"this is the derivative in {other.names[1]}: the rules of the two are exchanged"
    return None


def _transposed(found: Jacobian, others: Sequence[Jacobian]) -> str | None:
    full, ndim = (*found.shape, *found.x.shape), len(found.shape)
    analytic, numeric = found.analytic.reshape(full), found.numeric.reshape(full)
    for i in range(ndim, len(full)):
        for j in range(i):
            if full[i] == full[j] > 1 and _close(np.swapaxes(analytic, i, j), numeric):
                if j < ndim:
                    return "transposed: the rule takes another argument where its transpose is needed, or vice versa"
                return f"transposed: with axes {j - ndim} and {i - ndim} of the gradient exchanged it would be right"
        if full[i] > 1 and _close(np.flip(analytic, i), numeric):
            return f"reversed: with the gradient in reverse order along axis {i - ndim} it would be right"
    return None


def _forgotten_sum(found: Jacobian, others: Sequence[Jacobian]) -> str | None:
    """The input reaches several outputs, and only some of them sent their gradient back."""
    used = (found.analytic != 0) & ~found.wrong
    columns = found.wrong.any(axis=0)
    if found.order == 1 and (found.analytic[found.wrong] == 0).all() and used[:, columns].any(axis=0).all():
        return ("a forgotten sum: these elements are used several times (a broadcast axis, a repeated index) and only "
                "some of the uses count")
    return None


def _where(found: Jacobian, others: Sequence[Jacobian]) -> str | None:
    x, wrong = found.x.reshape(-1), found.wrong.any(axis=0)
    if wrong.all() or not wrong.any():
        return None
    for words, place in (("negative", x < 0), ("positive", x > 0), ("zero", x == 0), ("not positive", x <= 0),
                         ("not zero", x != 0)):
        if (place == wrong).all():
            return f"the rule is wrong exactly where the input is {words}: a wrong branch, or a forgotten abs()"
    return None


def _order_two(found: Jacobian, others: Sequence[Jacobian]) -> str | None:
    if found.order > 1:
        return (f"only the second derivative is wrong: the rule is right as a number, but computes with {UNTRACKED}, "
                "or calls a function whose own derivative is wrong")
    return None


_CAUSES: list[Callable[[Jacobian, Sequence[Jacobian]], str | None]] = [
    _single_precision, _not_finite, _missing, _factor, _exchanged, _transposed, _forgotten_sum, _where, _order_two]


def _close(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.allclose(a, b, rtol=1e-5, atol=1e-6 * (1 + np.abs(b).max(initial=0))))


def _round(factor: float) -> str:
    for denominator in range(1, 13):
        if abs(factor * denominator - round(factor * denominator)) < 1e-5 * denominator:
            numerator = round(factor * denominator)
            return f"{numerator}" if denominator == 1 else f"{numerator}/{denominator}"
    return f"{factor:.6g}"


def _element(flat: int, shape: tuple[int, ...]) -> str:
    return str([int(i) for i in np.unravel_index(flat, shape)]) if shape else ""
