"""How an operation is written on paper, for pictures and step lines."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Notation:
    """An operation on paper.

    {x} and {y} stand for its arguments, {all} for however many they are, {out} for its result, {g} for the gradient of
    the result; {exponent}, {less} (the exponent less one) and {index} for its options; {c} for a constant.

    Attributes:
        sign: what stands in the gate.
        formula: the result in terms of the arguments.
        derivatives: by each argument, as far as there are short formulas.
        with_number: the sign of x with a constant at its right, and at its left, where that makes a gate of its own.
        elementwise: element i of the result depends on element i of the arguments alone.
        back: the gradient of each argument, where it is not the derivative times the gradient of the result, element by
            element; two factors joined by " @ " are matrices, and ᵀ transposes.
        kink: for which elements of the arguments there is no single derivative, and what is done about it.
        flat: where the derivative is zero or nearly so, what that is called, and which elements of the result show it.
    """

    sign: str
    formula: str
    derivatives: tuple[str, ...] = ()
    with_number: tuple[str, ...] = ()
    elementwise: bool = True
    back: tuple[str, ...] = ()
    kink: tuple[Callable[..., np.ndarray], str] | None = None
    flat: tuple[str, Callable[[np.ndarray], np.ndarray]] | None = None
