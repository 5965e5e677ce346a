"""What compiled loops are made with.

    @parallel
    def _double(first, last, x, out):       # of items first to last, which nobody else works on
        for i in range(first, last):
            for j in range(x.shape[1]):
                out[i, j] = 2 * x[i, j]

    _double(len(x), x.size, x, out)         # how many items, and about how many numbers are computed
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba import types
from numba.core.dispatcher import Dispatcher
from numba.extending import intrinsic

from autograd.compiled.team import GIVES_WAY, Board, at_addresses, share
from autograd.runtime.caching import compiler
from autograd.runtime.threads import helpers, in_parallel

loop = compiler(nogil=True, error_model="numpy", fastmath={"reassoc", "nsz", "contract"})
"""Compiles a loop. Sums may be added up in another order; NaN and infinities stay what they are."""


def parallel(function: Callable) -> Callable:
    """Compiles a loop over items, which threads share; what it returns is called with the items and the work."""
    return shared(loop(function))


def shared(kernel: Dispatcher, kinds: Sequence | None = None, at_least: int = 1) -> Callable:
    """Makes a compiled loop over items one that threads share.

    Args:
        kernel: of the first item, where to end, and other arguments.
        kinds: for which of the others it is compiled now, and not only when it is called.
        at_least: how many items are worth taking.
    """
    _, _, *names = inspect.signature(kernel.py_func).parameters
    unique = f"{kernel.py_func.__module__}_{kernel.py_func.__name__}".replace(".", "_")
    arguments = ", ".join(names)
    text = (f"def {unique}(_board, _helpers, _items, _step, {arguments}):\n"
            f"    _function, _addresses = at_addresses(kernel, ({arguments},))\n"
            "    share(_board, _helpers, _items, _step, _function, _addresses)")
    scope = {"__name__": __name__, "kernel": kernel, "at_addresses": at_addresses, "share": share}
    exec(compile(text, __file__, "exec"), scope)
    together = compiler(nogil=True, error_model="numpy")(scope[unique])
    if kinds is not None and GIVES_WAY:
        together.compile((*[types.int64] * 4, *kinds))

    @functools.wraps(kernel.py_func)
    def over(items: int, work: int, *arguments: Any) -> None:
        if not GIVES_WAY:
            in_parallel(lambda part: kernel(part.start, part.stop, *arguments), items, work)
            return
        board, count = helpers(work, Board)
        together(board, count, items, max(at_least, items // (4 * count + 4)), *arguments)
    over.__dict__["loop"] = together
    return over


def _pointer_to(kind: types.Type) -> Callable:
    def at(typing_context, address):
        def write(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))
        return types.CPointer(kind)(types.int64), write
    return intrinsic(at)


numbers_at, answers_at = _pointer_to(types.float32), _pointer_to(types.uint8)
"""What is at an address, to be indexed."""


def all_float32(*arrays: Any) -> bool:
    """Whether all that are given (not None) are NumPy's arrays of float32."""
    return all(a is None or (type(a) is np.ndarray and a.dtype == np.float32) for a in arrays)


_LEAST = np.int32(-0x7F800001)
"""-inf, as `_ordered` has it."""


@compiler(nogil=True, forceinline=True)
def _ordered(bits):
    """The bits of a float32 as an integer, in the order of the numbers; and back."""
    return bits ^ ((bits >> np.int32(31)) & np.int32(0x7FFFFFFF))


@loop
def largest(numbers):
    """The largest of some numbers, -inf of none; NaN counts or doesn't.

    They are compared as integers, of which a vector register takes several at once.
    """
    top = _LEAST
    for i in range(len(numbers)):
        top = max(top, _ordered(np.float32(numbers[i]).view(np.int32)))
    return np.int32(_ordered(top)).view(np.float32)
