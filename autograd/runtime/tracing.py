"""What a formula computes, noted by calling it once with symbols in the place of arrays.

    def formula(p, g, v):      # the notes:  0: v *= 0.9    1: v += g    2: scratch = v * 0.1    3: p -= scratch
        v *= 0.9
        v += g
        p -= 0.1 * v

    record(formula, 3)[0].calls
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


class Symbol(NDArrayOperatorsMixin):
    """Stands for an array in a formula: operators and NumPy's ufuncs on it are noted in the recording."""

    __slots__ = ("recording", "slot")

    def __init__(self, recording: "Recording", slot: int) -> None:
        self.recording, self.slot = recording, slot

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> "Symbol":
        if method != "__call__" or kwargs or ufunc.nout != 1:
            raise TypeError(f"np.{ufunc.__name__} cannot be used in this form in an elementwise formula; set "
                            "`elementwise = False` to get whole arrays")
        return self.recording.note(ufunc, inputs, out[0] if out else None)

    def __pow__(self, exponent: Any) -> "Symbol":
        return {2: np.square, 0.5: np.sqrt}.get(exponent, lambda x: np.power(x, exponent))(self)

    def __setitem__(self, index: Any, value: Any) -> None:
        if index is not Ellipsis:
            raise TypeError(f"an elementwise formula sees no single elements, so it cannot set [{index!r}], only "
                            "x[...] = value; set `elementwise = False` to get whole arrays")
        self.recording.note(assign, (value,), self)

    def __bool__(self) -> bool:
        raise TypeError("an elementwise formula runs before there are values: it cannot branch on them; compute with "
                        "the comparison, which is 0 or 1, or set `elementwise = False` to get whole arrays")


def assign(value: np.ndarray, out: np.ndarray) -> None:
    """x[...] = value."""
    np.copyto(out, value)


class Recording:
    """The calls a formula makes. Slots hold its arrays first, then results and constants in the order of their making.

    After `settle()`, results share as few slots as possible: those that are not needed any more make room for others.
    """

    symbol = Symbol

    def __init__(self, arrays: int) -> None:
        self.arrays = self.slots = arrays
        self.calls: list[tuple[Callable, list[int], int]] = []
        self.constants: dict[int, Any] = {}
        self.scratch: list[int] = []
        self.written: list[int] = []

    def note(self, function: Callable, inputs: Sequence, out: Symbol | None) -> Symbol:
        """Note one call, with its result in `out` or a new slot."""
        slots = [x.slot if isinstance(x, Symbol) else self._constant(x) for x in inputs]
        if out is None:
            out = self.symbol(self, self._new_slot())
        self.calls.append((function, slots, out.slot))
        return out

    def settle(self) -> "Recording":
        """Give every result a place for as long as it is needed: until the last call that reads it."""
        last = {slot: i for i, (_, inputs, out) in enumerate(self.calls) for slot in (*inputs, out)}
        place: dict[int, int] = {}
        free: list[int] = []
        for i, (function, inputs, out) in enumerate(self.calls):
            free += {place[slot] for slot in inputs if slot in place and last[slot] == i}
            if self._is_result(out) and out not in place:
                if not free:
                    self.scratch.append(out)
                    free.append(out)
                place[out] = free.pop()
            self.calls[i] = function, [place.get(slot, slot) for slot in inputs], place.get(out, out)
        self.written = sorted({out for _, _, out in self.calls if out < self.arrays})
        return self

    def _is_result(self, slot: int) -> bool:
        return slot >= self.arrays and slot not in self.constants

    def _new_slot(self) -> int:
        self.slots += 1
        return self.slots - 1

    def _constant(self, value: Any) -> int:
        if not isinstance(value, (int, float, np.generic)):
            raise TypeError(f"an elementwise formula computes with its arrays and with numbers, not with {value!r}")
        slot = self._new_slot()
        self.constants[slot] = value
        return slot


def record(formula: Callable, arrays: int) -> tuple[Recording, Any]:
    """Call `formula` with symbols for its arrays; its calls, and what it returned."""
    recording = Recording(arrays)
    result = formula(*[Symbol(recording, slot) for slot in range(arrays)])
    return recording.settle(), result
