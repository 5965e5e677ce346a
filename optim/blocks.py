"""Running a formula over many arrays, block by block.

NumPy evaluates a formula one operation at a time: on arrays larger than the cache, every operation is a trip through
memory. Here the formula is called once with symbols, which only note what is computed from what; the noted calls then
run on one block after another, each small enough to stay in cache, with their results in buffers that are kept. So a
formula written in plain notation costs about one trip through memory and allocates nothing.

    def formula(p, g, v):      # the notes:  0: v *= 0.9    1: v += g    2: scratch = v * 0.1    3: p -= scratch
        v *= 0.9
        v += g
        p -= 0.1 * v

    run(record(formula, 3)[0], [(0, (p1, g1)), (p1.size, (p2, g2))], joined=[velocities])

What a rule keeps for its parameters lies in one long array each (`joined`). Parameters and gradients lie anywhere:
small ones are gathered into a block, so that a thousand of them are updated by as many calls as one large one.
"""

import functools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from autograd.runtime.compiled import compilable

BLOCK = 1 << 18
"""Bytes of a block of one array: the few that a formula works on stay in a core's cache."""

THREADS = min(4, os.cpu_count() or 1)
"""How many threads share the blocks of a large update."""

_WORTH_A_THREAD = 1 << 22  # bytes: below, handing work over costs more than it saves

Arrays = tuple[np.ndarray, ...]
Piece = tuple[int, Arrays]


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


def run(recording: Recording, pieces: Sequence[Piece], joined: Sequence[np.ndarray] = ()) -> None:
    """Carry out the recorded calls on every piece; arrays are written to in place.

    Args:
        recording: a formula's calls, from `record`.
        pieces: for each parameter its arrays, for the formula's first arguments, and where it starts in `joined`.
        joined: for each further argument one long array, of which every piece has the part from its start on.
    """
    dtype = pieces[0][1][0].dtype
    length = BLOCK // dtype.itemsize
    large = [piece for piece in pieces if piece[1][0].size > length // 2]
    flat = {start: tuple([array.reshape(-1) for array in arrays]) for start, arrays in large}
    blocks = list(_blocks(pieces, flat, length))
    threads = min(THREADS, len(blocks), 1 + sum([arrays[0].nbytes for _, arrays in large]) // _WORTH_A_THREAD)
    shares = [blocks[len(blocks) * i // threads:len(blocks) * (i + 1) // threads] for i in range(threads)]
    others = [_pool().submit(_run_blocks, recording, share, joined, dtype) for share in shares[1:]]
    _run_blocks(recording, shares[0], joined, dtype)
    for other in others:
        other.result()
    for start, arrays in large:
        for slot in recording.written:
            # an array that is not contiguous was copied, and not cut
            if slot < len(arrays) and not np.may_share_memory(arrays[slot], flat[start][slot]):
                arrays[slot][...] = flat[start][slot].reshape(arrays[slot].shape)


def _blocks(pieces: Sequence[Piece], flat: dict[int, Arrays], length: int) -> Iterator[list[Piece]]:
    """Large pieces cut into blocks of `length`, small ones put together up to that."""
    together: list[Piece] = []
    count = 0
    for piece in pieces:
        start, arrays = piece
        size = arrays[0].size
        if start in flat and size:
            for i in range(0, size, length):
                yield [(start + i, tuple([array[i:i + length] for array in flat[start]]))]
            continue
        if count + size > length:
            yield together
            together, count = [], 0
        together.append(piece)
        count += size
    if together:
        yield together


def _run_blocks(recording: Recording, blocks: list[list[Piece]], joined: Sequence[np.ndarray], dtype: np.dtype) -> None:
    """Carry out the recorded calls on one block after another."""
    slots: list[Any] = [None] * recording.slots
    for slot, value in recording.constants.items():
        slots[slot] = np.asarray(value, dtype)
    kept, compute = _scratch(recording.arrays + len(recording.scratch), dtype), _computation(recording, dtype)
    length = -1
    for block in blocks:
        columns = _columns(block, joined)
        count = sum([arrays[0].size for _, arrays in block])
        if count != length:
            length, buffers = count, [buffer[:count] for buffer in kept]
            for slot, buffer in zip(recording.scratch, buffers[recording.arrays:], strict=True):
                slots[slot] = buffer
        gathered = [len(column) > 1 or column[0].ndim != 1 or not column[0].flags.c_contiguous for column in columns]
        for slot, column in enumerate(columns):
            slots[slot] = np.concatenate(column, axis=None, out=buffers[slot]) if gathered[slot] else column[0]
        compute(slots)
        for slot in recording.written:
            if gathered[slot]:
                _scatter(buffers[slot], columns[slot])


@compilable("optim.compiled")
def _computation(recording: Recording, dtype: np.dtype) -> Callable[[list[Any]], None]:
    """What carries out the calls on one block, given its slots: arrays and scratch, contiguous, and constants."""
    def compute(slots: list[Any]) -> None:
        for function, inputs, out in recording.calls:
            function(*[slots[i] for i in inputs], out=slots[out])
    return compute


def _columns(block: list[Piece], joined: Sequence[np.ndarray]) -> list[Sequence[np.ndarray]]:
    """For each argument of the formula, the arrays that this block consists of: one, wherever that is possible."""
    ends = [start + arrays[0].size for start, arrays in block]
    if ends[:-1] == [start for start, _ in block[1:]]:
        parts = [slice(block[0][0], ends[-1])]
    else:
        parts = [slice(start, end) for (start, _), end in zip(block, ends, strict=True)]
    return [*zip(*[arrays for _, arrays in block], strict=True), *[[array[part] for part in parts] for array in joined]]


def _scatter(buffer: np.ndarray, arrays: Sequence[np.ndarray]) -> None:
    """Write what is in the buffer back to the arrays it was gathered from."""
    start = 0
    for array in arrays:
        stop = start + array.size
        array[...] = buffer[start:stop] if array.ndim == 1 else buffer[start:stop].reshape(array.shape)
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
