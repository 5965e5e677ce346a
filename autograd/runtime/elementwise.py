"""Which elementwise work is given to compiled loops, made of the functions' own text (`autograd/compiled/`).

A function that is written for arrays of any kind runs as a loop where that pays and gives the same: on large arrays of
float32 that have one shape and no gaps, or lines in common. NumPy does everything else.
"""

import functools
import importlib
import math
import operator
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.dtypes import bool_, float32
from autograd.reads import steps
from autograd.runtime import compiled, settings
from autograd.runtime.buffers import MANY, by_rows, short_buffers
from autograd.runtime.copies import contiguous, everywhere, put
from autograd.runtime.formulas import trace
from autograd.runtime.piecewise import piecewise
from autograd.runtime.threads import CACHED
from autograd.runtime.walks import walked
from autograd.tensor import Outline

SIMPLE = 1 << 17
"""Numbers from which on a loop pays for a sum or a product, which NumPy does as fast: threads share it."""
COPIED = 10
"""From this much work on, arrays that have no lines in common are copied first."""


class Loop(NamedTuple):
    """A compiled loop, and what of a call's arguments it is given."""

    kernel: Callable
    """A function of how many, the work, then the results and arrays, without gaps and of one axis, and numbers."""
    of_lines: Callable[[tuple[bool, ...]], Callable | None]
    """For arrays that lie differently (`walks.py`), a function of how many lines, the work, their length, the address
    of each result and how far it is from line to line, both of each array, and numbers."""
    results: int
    """How many there are, each of the shape of all arguments."""
    arrays: list[int]
    numbers: list[int]
    constants: list[np.float32]
    work: int
    """About how many additions' time a number takes."""
    least: int
    """From how many numbers on it pays."""
    exact: bool
    """Whether it gives NumPy's numbers, bit by bit."""


def least(forward: Callable, rules: Collection[Callable | None]) -> int:
    """Numbers from which on an operation's functions may be loops."""
    simple = forward.__module__ == operator.add.__module__ and all(steps(rule) < 2 for rule in rules)
    return SIMPLE if simple else compiled.LEAST


def as_loop(plain: Callable, stretches: bool = False) -> Callable:
    """A function that runs as a loop wherever it is elementwise and that pays; its options decide what it computes.

    Args:
        plain: the function, of one result or a tuple of several; those are written to the arrays `out`, if given.
        stretches: a result that is the same along an axis needs no memory for all of it, as that of a rule.
    """
    loops: dict[tuple, Loop | None] = {}
    works: dict[tuple, tuple[int, int]] = {}
    known: dict[tuple, bool] = {}

    def for_many(*args: Any, out: tuple[np.ndarray, ...] = (), **options: Any) -> Any:
        settings.make()
        arrays = [a for a in args if type(a) is np.ndarray]
        result, numbers = NotImplemented, max([a.size for a in arrays], default=0)
        if _is_elementwise(plain, known, args, options):
            if stretches and not any(any(a.strides) or not a.size for a in arrays):
                return _once(plain, args, options)
            if compiled.on and (compiled.ready or not compiled.automatic or compiled.worked(compiled.count(args))):
                result = _run(plain, stretches, loops, args, options, out)
            if result is NotImplemented and numbers > CACHED:
                result = piecewise(plain, works, args, options)
        if result is NotImplemented:
            with short_buffers(numbers if numbers >= MANY and by_rows(arrays) else 0):
                result = plain(*args, **options)
        if out and result is not out:
            for place, values in zip(out, result, strict=True):
                put(place, values)
        return out or result
    return functools.update_wrapper(for_many, plain)


def in_one_loop(rules: Sequence[Callable]) -> Callable:
    """A function of what several rules get that computes all their gradients in one loop, which reads everything once;
    NotImplemented where there is none."""
    loops: dict[tuple, Loop | None] = {}
    known: dict[tuple, bool] = {}

    def plain(*args: Any, **options: Any) -> tuple:
        return tuple([rule(*args, **options) for rule in rules])

    def all_of_them(*args: Any, **options: Any) -> Any:
        settings.make()
        if not compiled.is_compiled() or not _is_elementwise(plain, known, args, options):
            return NotImplemented
        return _run(plain, False, loops, args, options)
    return all_of_them


_KINDS = {float: "number", int: "number", np.float32: "number", type(None): "none", Outline: "outline"}


def _is_elementwise(plain: Callable, known: dict[tuple, bool], args: tuple, options: dict) -> bool:
    """Whether a function is elementwise for arguments of these kinds, as one that reduces is not."""
    kinds = [_KINDS.get(type(a), "") if type(a) is not np.ndarray else {"f": "array", "b": "mask"}.get(a.dtype.kind, "")
             for a in args]
    try:
        key = *kinds, *options.values()
        if key not in known:
            known[key] = "" not in kinds and trace(plain, kinds, options) is not None
        return known[key]
    except TypeError:  # an option that has no hash, such as an array
        return False


def _once(plain: Callable, args: tuple, options: dict) -> np.ndarray:
    """The result where each argument is the same everywhere: of one number of each."""
    value = plain(*[a[(0,) * a.ndim] if type(a) is np.ndarray else a for a in args], **options)
    shapes = {a.shape for a in args if type(a) is np.ndarray and a.ndim}
    return everywhere(value, shapes.pop() if len(shapes) == 1 else np.broadcast_shapes(*shapes))


def _run(plain: Callable, stretches: bool, loops: dict[tuple, Loop | None], args: tuple, options: dict,
         out: tuple[np.ndarray, ...] = ()) -> Any:
    kinds, values, spread = [], [], {}
    for i, a in enumerate(args):
        kind = _KINDS.get(type(a))
        if kind is None:
            if type(a) is not np.ndarray or (a.dtype is not float32 and a.dtype is not bool_):
                return NotImplemented
            kind = "array" if a.dtype is float32 else "mask"
            if not any(a.strides) and a.size and kind == "array":  # the same everywhere, as the gradient of a sum
                spread[i] = a.shape
                a, kind = a[(0,) * a.ndim], "number"
        kinds.append(kind)
        values.append(a)
    loop = compiled.obtained(loops, (*kinds, *options.values()), lambda: importlib.import_module(
        "autograd.compiled.elementwise").loop(plain, kinds, options))
    if loop is None:
        return NotImplemented
    try:
        if spread:  # what is the same everywhere may be what makes the result as large as it is
            shape = np.broadcast_shapes(*[values[i].shape for i in loop.arrays])
            whole = np.broadcast_shapes(shape, *[spread[i] for i in loop.numbers if i in spread])
            if whole != shape and not stretches:
                return NotImplemented
            if whole != shape:
                part = _apply(loop, values)
                return np.broadcast_to(plain(*values, **options) if part is NotImplemented else part, whole)
        return _apply(loop, values, out)
    except compiled.NotKeptError:  # for arrays of another kind, such as those that may not be written to
        return NotImplemented


def _apply(loop: Loop, values: list, out: tuple[np.ndarray, ...] = ()) -> Any:
    """The result, or a tuple of results, which are written to the arrays `out` if given."""
    arrays = [values[i] for i in loop.arrays]
    numbers = [*[float32.type(values[i]) for i in loop.numbers], *loop.constants]
    shape, walk = arrays[0].shape, None
    if not all(a.shape == shape and a.flags.c_contiguous for a in (*arrays, *out)):
        found = walked([*out, *arrays])
        if found is not None:
            walk, arrays = found[0], found[1][len(out):]
            shape = tuple([walk.shape[axis] for axis in walk.order])
        elif out or loop.work < COPIED:
            return NotImplemented
        else:
            try:
                arrays = [contiguous(a) for a in np.broadcast_arrays(*arrays)]
            except ValueError:  # the function itself says what is wrong
                return NotImplemented
            shape = arrays[0].shape
    if math.prod(shape) < loop.least:
        return NotImplemented
    results = out or [np.empty(shape, float32) for _ in range(loop.results)]
    size = math.prod(shape)
    if walk is None or (walk.lines == 1 and not any(walk.single)):
        loop.kernel(size, size * loop.work, *[a.ravel("K") for a in (*results, *arrays)], *numbers)
    else:
        kernel = loop.of_lines(walk.single[len(out):])
        if kernel is None:
            return NotImplemented
        steps = *[4 * walk.length] * (len(results) - len(out)), *walk.steps
        places = [place for a, step in zip((*results, *arrays), steps, strict=True) for place in (a.ctypes.data, step)]
        kernel(walk.lines, size * loop.work, walk.length, *places, *numbers)
    if out:
        return out
    if walk is not None:
        results = [result.transpose(walk.back) for result in results]
    return results[0] if loop.results == 1 else tuple(results)
