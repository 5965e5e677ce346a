"""Which elementwise work is given to compiled loops, made of the functions' own text (`autograd/compiled/`).

A function that is written for arrays of any kind runs as a loop where that pays and gives the same: on large arrays of
float32 that have one shape and lie alike, without gaps. NumPy does everything else.
"""

import functools
import importlib
import inspect
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import numpy as np

from autograd.dtypes import bool_, float32
from autograd.runtime import compiled
from autograd.tensor import Outline

DEAR = 10
"""From this much work on, arrays that lie differently in memory are copied first."""


class Loop(NamedTuple):
    """A compiled loop, and what of a call's arguments it is given."""

    kernel: Callable
    """A function of how many, the work, then the result and arrays, without gaps and of one axis, and numbers."""
    arrays: list[int]
    numbers: list[int]
    constants: list[np.float32]
    work: int
    """About how many additions' time a number takes."""
    exact: bool
    """Whether it gives NumPy's numbers, bit by bit."""


def traceable(plain: Callable, options: Collection[str]) -> Callable:
    """Let a function run as a loop wherever it is elementwise and that pays; options decide what it computes."""
    loops: dict[tuple, Loop | None] = {}

    def for_many(*args: Any, **chosen: Any) -> Any:
        if compiled.ready or not compiled.automatic or compiled.worked(compiled.count(args)):
            result = _run(plain, loops, args, chosen)
            if result is not NotImplemented:
                return result
        return plain(*args, **chosen)

    code = inspect.unwrap(plain).__code__
    if code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
        return plain
    # Written out with its own parameters, since it is called with few numbers, too, and should cost nothing there.
    count = code.co_argcount
    names, keywords = code.co_varnames[:count], code.co_varnames[count:count + code.co_kwonlyargcount]
    many = " or ".join(f"(type({name}) is ndarray and {name}.size >= compiled.LEAST)" for name in names[::2][:2])
    given = ", ".join([f"{name}={name}" if name in options else name for name in (*names, *keywords)])
    parameters = ", ".join([*names, *("*",) * bool(keywords), *keywords])
    either = eval(f"lambda {parameters}: (for_many if compiled.on and ({many}) else plain)({given})",
                  {"compiled": compiled, "ndarray": np.ndarray, "plain": plain, "for_many": for_many})
    either.__defaults__ = inspect.unwrap(plain).__defaults__
    either.__kwdefaults__ = inspect.unwrap(plain).__kwdefaults__
    return functools.update_wrapper(either, plain)


_KINDS = {float: "number", int: "number", np.float32: "number", type(None): "none", Outline: "outline"}


def _run(plain: Callable, loops: dict[tuple, Loop | None], args: tuple, options: dict) -> Any:
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
    try:
        loop = compiled.obtained(loops, (*kinds, *options.values()), lambda: importlib.import_module(
            "autograd.compiled.elementwise").loop(plain, kinds, options))
    except TypeError:  # an option that has no hash, such as an array
        return NotImplemented
    if loop is None:
        return NotImplemented
    if spread:  # what is the same everywhere must not be what makes the result as large as it is
        shape = np.broadcast_shapes(*[values[i].shape for i in loop.arrays])
        if np.broadcast_shapes(shape, *[spread[i] for i in loop.numbers if i in spread]) != shape:
            return NotImplemented
    try:
        return _apply(loop, values)
    except compiled.NotKeptError:  # for arrays of another kind, such as those that may not be written to
        return NotImplemented


def _apply(loop: Loop, values: list) -> Any:
    kernel, arrays = loop.kernel, [values[i] for i in loop.arrays]
    shape, one_shape, in_rows = arrays[0].shape, True, True
    for a in arrays:
        one_shape, in_rows = one_shape and a.shape == shape, in_rows and a.flags.c_contiguous
    if one_shape and in_rows:
        out = np.empty(shape, float32)
    else:  # perhaps they lie alike in another order, such as channels last
        out = np.empty_like(arrays[0], float32)
        if not one_shape or any([4 * stride // a.itemsize for stride in a.strides] != [*out.strides] for a in arrays):
            if loop.work < DEAR:
                return NotImplemented
            arrays = [np.ascontiguousarray(a) for a in np.broadcast_arrays(*arrays)]
            out = np.empty(arrays[0].shape, float32)
    numbers = [float32.type(values[i]) for i in loop.numbers]
    numbers += loop.constants
    kernel(out.size, out.size * loop.work, *[a.ravel(order="K") for a in (out, *arrays)], *numbers)
    return out
