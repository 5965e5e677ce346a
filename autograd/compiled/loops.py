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
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.core.dispatcher import Dispatcher
from numba.extending import intrinsic

from autograd.compiled.team import GIVES_WAY, Board, address_of, at_addresses, call, share
from autograd.runtime.caching import compiler
from autograd.runtime.threads import helpers, in_parallel

loop = compiler(nogil=True, error_model="numpy", fastmath={"reassoc", "nsz", "contract"})
"""Compiles a loop. Sums may be added up in another order; NaN and infinities stay what they are."""


def loop_of(*kinds: Any) -> Callable[[Callable], Callable]:
    """Compiles a loop once, for arguments of these kinds; arrays may have fewer gaps, and may be written to.

    Without it there is a loop for each combination of such arrays.
    """
    def decorate(function: Callable) -> Callable:
        kernel, one_thread, ready = loop(function), threading.Lock(), False

        @functools.wraps(function)
        def once(*arguments: Any) -> Any:
            nonlocal ready
            if not ready:
                with one_thread:
                    if not ready:
                        kernel.compile(kinds)
                        kernel.disable_compile()
                        ready = True
            return kernel(*arguments)
        return once
    return decorate


def parallel(function: Callable) -> Callable:
    """Compiles a loop over items, which threads share; what it returns is called with the items and the work."""
    _, _, *names = inspect.signature(function).parameters
    name = f"{function.__module__}_{function.__name__}".replace(".", "_")
    return _over(function, _calling(name, [], names, "at_addresses(kernel, ({},))", kernel=loop(function)), 1)


def of_words(kernel: Dispatcher, count: int, at_least: int = 1) -> Callable:
    """Makes a compiled function one that threads share. What calls it is compiled once for all such functions.

    Args:
        kernel: of the address of `count` arguments, which stand there as `address_of` puts them, of the first item, and
            of where to end.
        count: how many arguments there are: arrays without gaps, integers and float32.
        at_least: how many items are worth taking.
    """
    words = types.int64, types.int64, types.int64
    kernel.compile(words)
    compiled = kernel.overloads[words]
    address = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_cfunc_wrapper_name)
    over = _over(kernel.py_func, functools.partial(_calling_of_words(count), address), at_least)
    over.__dict__["kernel"] = kernel  # whose machine code is there as long as it is
    return over


@functools.cache
def _calling_of_words(count: int) -> Dispatcher:
    names = [f"a{i}" for i in range(count)]
    return _calling(f"of_{count}_words", ["function"], names, "function, address_of(({},))")


_ITEMS = ["_board", "_helpers", "_items", "_step"] if GIVES_WAY else ["_first", "_last"]


def _calling(name: str, before: list[str], names: list[str], addresses: str, **scope: Any) -> Dispatcher:
    """Compiles what calls a function, at an address, of arguments that stand at an address."""
    how = "share(_board, _helpers, _items, _step, *_at)" if GIVES_WAY else "call(*_at, _first, _last)"
    text = (f"def {name}({', '.join([*before, *_ITEMS, *names])}):\n"
            f"    _at = {addresses.format(', '.join(names))}\n"
            f"    {how}")
    scope |= {"__name__": __name__, "at_addresses": at_addresses, "address_of": address_of, "share": share,
              "call": call}
    exec(compile(text, __file__, "exec"), scope)
    return compiler(nogil=True, error_model="numpy")(scope[name])


def _over(function: Callable, together: Callable, at_least: int) -> Callable:
    @functools.wraps(function)
    def over(items: int, work: int, *arguments: Any) -> None:
        if not GIVES_WAY:
            in_parallel(lambda part: together(part.start, part.stop, *arguments), items, work)
            return
        board, count = helpers(work, Board)
        together(board, count, items, max(at_least, items // (4 * count + 4)), *arguments)
    return over


def _pointer_to(kind: types.Type) -> Callable:
    def at(typing_context, address):
        def write(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))
        return types.CPointer(kind)(types.int64), write
    return intrinsic(at)


numbers_at, answers_at, words_at = _pointer_to(types.float32), _pointer_to(types.uint8), _pointer_to(types.int64)
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
