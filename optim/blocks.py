"""Running a formula over many arrays, block by block.

NumPy evaluates a formula one operation at a time: on arrays larger than the cache, every operation is a trip through
memory. Here the formula is called once with symbols, which only note what is computed from what; the noted calls then
run on one block after another, each small enough to stay in cache, with their results in buffers that are kept. So a
formula written in plain notation costs about one trip through memory and allocates nothing.

    def formula(p, g, v):      # the notes:  0: v *= 0.9    1: v += g    2: scratch = v * 0.1    3: p -= scratch
        v *= 0.9
        v += g
        p -= 0.1 * v

    run(record(formula, 3), [(p1, g1, v1), (p2, g2, v2)])
"""

import functools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

BLOCK = 1 << 17
"""Bytes of a block of one array: some ten of them fit a core's second-level cache."""

THREADS = min(4, os.cpu_count() or 1)
"""How many threads share the blocks of a large update."""

_WORTH_A_THREAD = 1 << 20  # bytes: below, handing work over costs more than it saves

Row = tuple[np.ndarray, ...]
"""The arrays of one parameter that the formula works on, of one size and dtype."""


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
        self.recording.note(_assign, (value,), self)

    def __bool__(self) -> bool:
        raise TypeError("an elementwise formula runs before there are values: it cannot branch on them; compute with "
                        "the comparison, which is 0 or 1, or set `elementwise = False` to get whole arrays")


def _assign(value: np.ndarray, out: np.ndarray) -> None:
    np.copyto(out, value)


class Recording:
    """The calls a formula makes. Slots hold its arrays first, then results and constants in the order of their making.

    After `settle()`, results share as few slots as possible: those that are not needed any more make room for others.
    """

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
            out = Symbol(self, self._new_slot())
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


def run(recording: Recording, rows: Sequence[Row]) -> None:
    """Carry out the recorded calls on every row: arrays are written to in place."""
    dtype = rows[0][0].dtype
    length = BLOCK // dtype.itemsize
    flat = [row if row[0].size <= length // 2 else tuple([array.reshape(-1) for array in row]) for row in rows]
    blocks = list(_blocks(flat, length))
    threads = min(THREADS, len(blocks), 1 + sum([row[0].nbytes for row in rows]) // _WORTH_A_THREAD)
    shares = [blocks[len(blocks) * i // threads:len(blocks) * (i + 1) // threads] for i in range(threads)]
    others = [_pool().submit(_run_blocks, recording, share, dtype) for share in shares[1:]]
    _run_blocks(recording, shares[0], dtype)
    for other in others:
        other.result()
    for row, flattened in zip(rows, flat, strict=True):
        if row is not flattened:
            for slot in recording.written:
                if not np.may_share_memory(row[slot], flattened[slot]):  # it was not contiguous: a copy
                    row[slot][...] = flattened[slot].reshape(row[slot].shape)


def _blocks(rows: Sequence[Row], length: int) -> Iterator[list[Row]]:
    """Large arrays cut into blocks of `length`, small ones put together up to that."""
    together: list[Row] = []
    count = 0
    for row in rows:
        size = row[0].size
        if size > length // 2:
            for start in range(0, size, length):
                yield [tuple([array[start:start + length] for array in row])]
            continue
        if count + size > length:
            yield together
            together, count = [], 0
        together.append(row)
        count += size
    if together:
        yield together


def _run_blocks(recording: Recording, blocks: list[list[Row]], dtype: np.dtype) -> None:
    """Carry out the recorded calls on one block after another."""
    arrays, slots = recording.arrays, [None] * recording.slots
    for slot, value in recording.constants.items():
        slots[slot] = np.asarray(value, dtype)
    kept = _scratch(arrays + len(recording.scratch), dtype)
    length = -1
    for block in blocks:
        count = sum(row[0].size for row in block)
        if count != length:
            length, buffers = count, [buffer[:count] for buffer in kept]
            for slot, buffer in zip(recording.scratch, buffers[arrays:], strict=True):
                slots[slot] = buffer
        if len(block) == 1 and block[0][0].ndim == 1:
            slots[:arrays] = block[0]
        else:
            slots[:arrays] = buffers[:arrays]
            for buffer, column in zip(buffers, zip(*block, strict=True), strict=False):
                np.concatenate(column, axis=None, out=buffer)
        for function, inputs, out in recording.calls:
            function(*[slots[i] for i in inputs], out=slots[out])
        if slots[0] is buffers[0]:
            for slot in recording.written:
                _scatter(buffers[slot], [row[slot] for row in block])


def _scatter(buffer: np.ndarray, arrays: list[np.ndarray]) -> None:
    start = 0
    for array in arrays:
        stop = start + array.size
        array[...] = buffer[start:stop].reshape(array.shape)
        start = stop


_local = threading.local()


def _scratch(count: int, dtype: np.dtype) -> list[np.ndarray]:
    """Buffers of one block each, kept for every thread."""
    buffers = vars(_local).setdefault(dtype, [])
    while len(buffers) < count:
        buffers.append(np.empty(BLOCK // dtype.itemsize, dtype))
    return buffers[:count]


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, THREADS - 1), "optim")


if hasattr(os, "register_at_fork"):  # its threads do not exist in a forked process
    os.register_at_fork(after_in_child=_pool.cache_clear)
