"""Running a recorded formula over many arrays, block by block.

NumPy evaluates a formula one operation at a time: on arrays larger than the cache, every operation is a trip through
memory. Here the noted calls (see `tracing`) run on one block after another, each small enough to stay in cache, with
their results in buffers that are kept. So a formula written in plain notation costs about one trip through memory and
allocates nothing.

    run(record(formula, 3)[0], [(0, (p1, g1)), (p1.size, (p2, g2))], joined=[velocities])

What a rule keeps for its parameters lies in one long array each (`joined`). Parameters and gradients lie anywhere:
small ones are gathered into a block, so that a thousand of them are updated by as many calls as one large one. Threads
share the blocks of large ones.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd.runtime import compiled
from autograd.runtime.compiled import compilable
from autograd.runtime.threads import in_parallel
from autograd.runtime.tracing import Recording

BLOCK = 1 << 18
"""Bytes of a block of one array: the few that a formula works on stay in a core's cache."""

Arrays = tuple[np.ndarray, ...]
Piece = tuple[int, Arrays]


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
    numbers = recording.arrays * sum([arrays[0].size for _, arrays in large])
    if compiled.automatic:
        compiled.worked(numbers)
    in_parallel(lambda part: _run_blocks(recording, blocks[part], joined, dtype), len(blocks), numbers)
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


@compilable("autograd.compiled.elementwise", prepares=True)
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
    buffers: list[np.ndarray] = _local.__dict__.setdefault(str(dtype), [])
    while len(buffers) < count:
        buffers.append(np.empty(BLOCK // dtype.itemsize, dtype))
    return buffers[:count]
