"""What an elementwise function computes, noted by calling its text once with symbols in the place of arrays.

Whoever has the notes can compute the same in another way: as a compiled loop (`compiled/elementwise.py`), or for one
piece of the numbers after the other (`piecewise.py`).
"""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd.dtypes import bool_, float32
from autograd.runtime.tracing import Recording, Symbol

LOGIC = {np.logical_and, np.bitwise_and, np.logical_or, np.bitwise_or, np.logical_not, np.invert}
"""What is made of answers."""
ANSWERS = {*LOGIC, np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal, np.isnan, np.isinf,
           np.isfinite}
"""What gives answers, not numbers."""
APPROXIMATED = {np.exp, np.exp2, np.expm1, np.log, np.log1p, np.log2, np.log10, np.tanh}
"""Of what compiled loops have forms of their own, to a few units in the last place (`compiled/mathematics.py`)."""
QUOTIENTS = {ufunc: functools.partial(ufunc) for ufunc in (np.fmod, np.remainder, np.floor_divide)}
"""Of the three, what compiled loops have: with NaN in the place of results that take more than one division."""
WORK: dict[Callable, int] = dict.fromkeys(APPROXIMATED, 8) | dict.fromkeys([
    np.sin, np.cos, np.tan, np.arcsin, np.arccos, np.arctan, np.arctan2, np.sinh, np.cosh, np.arcsinh, np.arccosh,
    np.arctanh, np.hypot, np.power, np.logaddexp, np.logaddexp2, *QUOTIENTS, *QUOTIENTS.values()], 16)
"""About how many additions' time a function takes, if more than one."""


class Value(Symbol):
    """A symbol for what the text of an operation may do: it has a dtype, and takes NumPy's functions that select."""

    __slots__ = ()
    recording: "Formula"

    @property
    def dtype(self) -> np.dtype:
        """float32, or bool of an answer."""
        return bool_ if self.slot in self.recording.logical else float32

    def astype(self, dtype: Any, copy: bool = True) -> "Value":
        """As of an array, to float32."""
        if np.dtype(dtype) != float32:
            raise TypeError(f"not {dtype}")
        return self.recording.note(np.positive, (self,), None) if copy or self.dtype is bool_ else self

    def __array_function__(self, function: Callable, types: Any, args: tuple, options: dict) -> Any:
        note = self.recording.note
        if function is np.where and len(args) == 3 and not options:
            return note(np.where, args, None)
        if function is np.clip:
            x, low, high = (*args, None, None)[:3]
            for bound, limit in ((low, np.maximum), (high, np.minimum)):
                x = x if bound is None else note(limit, (x, bound), None)
            return x
        if function in (np.zeros_like, np.ones_like):
            return note(np.positive, (float(function is np.ones_like),), None)
        raise TypeError(f"not {function.__name__}")

    def __array__(self, *args: Any, **options: Any) -> Any:
        raise TypeError("a symbol is no array")

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError("a symbol has no elements")


class Formula(Recording):
    """A recording of float32 whose answers to questions are booleans."""

    symbol = Value

    def __init__(self, arrays: int, masks: Iterable[int]) -> None:
        super().__init__(arrays)
        self.logical = set(masks)

    def note(self, function: Callable, inputs: Sequence, out: Symbol | None) -> Any:
        """Note one call.

        Raises:
            TypeError: it is not of float32.
        """
        asked = [isinstance(x, Symbol) and x.slot in self.logical for x in inputs]
        if (function in LOGIC and not all(asked)) or (function is np.where and (not asked[0] or any(asked[1:]))) or (
                isinstance(function, np.ufunc) and function not in ANSWERS and not any(
                    kinds.startswith("f") and kinds.endswith(">f") for kinds in function.types)):
            raise TypeError(f"not {function.__name__}")
        noted = super().note(function, inputs, out)
        (self.logical.add if function in ANSWERS else self.logical.discard)(noted.slot)
        return noted

    def _constant(self, value: Any) -> int:
        if type(value) not in (int, float) and getattr(value, "dtype", None) is not float32:
            raise TypeError(f"not {value!r}")  # of float64, say, which would make float64 of what it meets
        return super()._constant(float(value))


class OnlyDtype:
    """Stands for an argument of which no more is known: a loop serves all shapes."""

    dtype = float32


def trace(function: Callable, kinds: Sequence[str], options: dict) -> tuple[Formula, list[int]] | None:
    """What a function computes of arguments of these kinds: the recording, and the slot of each result.

    Args:
        function: on arrays, elementwise, with broadcasting.
        kinds: of each argument: "array", "mask" (an array of booleans), "number", "outline" or "none".
        options: what decides how the function computes.

    Returns:
        None if it cannot be traced.
    """
    recording = Formula(len(kinds), [i for i, kind in enumerate(kinds) if kind == "mask"])
    stands = {"outline": OnlyDtype(), "none": None}
    arguments = [stands[kind] if kind in stands else Value(recording, i) for i, kind in enumerate(kinds)]
    try:
        result = function(*arguments, **options)
    except Exception:  # whatever it does with what is no array
        return None
    results = result if isinstance(result, tuple) else (result,)
    if not recording.calls or not all(isinstance(one, Value) and one.dtype is float32 for one in results) or (
            len(results) > 1 and any(one.slot < len(kinds) for one in results)):  # an argument itself needs no loop
        return None
    return recording, [one.slot for one in results]


def work_of(recording: Recording) -> int:
    """About how many additions' time all calls take for one number."""
    return sum(WORK.get(function, 1) for function, *_ in recording.calls)
