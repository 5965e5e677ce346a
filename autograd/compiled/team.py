"""How threads share a compiled loop: each takes its part of the items, and what others have not begun.

Waking a thread takes 20 to 70 microseconds, longer than many a loop. So a thread with nothing to do looks for more for
about a millisecond, here, in compiled code, and begins within half a microsecond; then it sleeps. While it looks it
gives way now and then to whoever else wants the processor. The caller does what nobody has begun.

What the work is and what each thread does stands on a board in memory, which is read and written by atomic
instructions.
"""

import ctypes
import platform
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.compiler import Flags, compile_internal
from numba.core.errors import TypingError
from numba.extending import intrinsic

from autograd.runtime.caching import compiler

LINE = 64
"""Bytes of a cache line, in which a word of the board is alone."""
TAKEN, FUNCTION, ARGUMENTS, SHARERS, AT_A_TIME, WANTED, TEAM, FIRST = (LINE * i for i in range(8))
"""Where on the board it says whether there is work, which, for how many threads, whether the interpreter wants the
threads back, which team they are of, and from FIRST on, for the caller and each thread, what follows."""
STATE, BEFORE, NEXT, END = range(0, 32, 8)
"""What it does, what it did when it was called, the next item of its part that nobody has begun, and the last."""
ASLEEP, LOOKING, CALLED, WORKING = range(4)
LOOKS = 1 << 15
"""How often a thread looks before it sleeps, which takes about a millisecond."""
PATIENCE = 255
"""After so many looks a thread gives way."""

_loop = compiler(nogil=True, error_model="numpy")
_WORD = ir.IntType(64)


# What numba has no functions for

def _pointer(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, _WORD.as_pointer())


@intrinsic
def _load(typing_context, address):
    def write(context, builder, signature, arguments):
        return builder.load_atomic(_pointer(builder, arguments[0]), "seq_cst", 8)
    return types.int64(types.int64), write


@intrinsic
def _store(typing_context, address, value):
    def write(context, builder, signature, arguments):
        builder.store_atomic(arguments[1], _pointer(builder, arguments[0]), "seq_cst", 8)
        return context.get_dummy_value()
    return types.void(types.int64, types.int64), write


@intrinsic
def _exchange(typing_context, address, value):
    def write(context, builder, signature, arguments):
        return builder.atomic_rmw("xchg", _pointer(builder, arguments[0]), arguments[1], "seq_cst")
    return types.int64(types.int64, types.int64), write


@intrinsic
def _add(typing_context, address, value):
    def write(context, builder, signature, arguments):
        return builder.atomic_rmw("add", _pointer(builder, arguments[0]), arguments[1], "seq_cst")
    return types.int64(types.int64, types.int64), write


@intrinsic
def _compare_exchange(typing_context, address, expected, value):
    """What was there: if it is what was expected, it is the new value now."""
    def write(context, builder, signature, arguments):
        pair = builder.cmpxchg(_pointer(builder, arguments[0]), *arguments[1:], "seq_cst", "seq_cst")
        return builder.extract_value(pair, 0)
    return types.int64(types.int64, types.int64, types.int64), write


@intrinsic
def _pause(typing_context):
    """Spare the other thread of the same core, and power."""
    def write(context, builder, signature, arguments):
        if platform.machine() in ("x86_64", "AMD64"):
            builder.call(cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(ir.VoidType(), []), "llvm.x86.sse2.pause"), [])
        return context.get_dummy_value()
    return types.void(), write


@intrinsic
def call(typing_context, function, arguments, first, last):
    """Call a function of (arguments, first, last) at an address for some items."""
    def write(context, builder, signature, values):
        kind = ir.FunctionType(ir.VoidType(), [_WORD] * 3)
        builder.call(builder.inttoptr(values[0], kind.as_pointer()), values[1:])
        return context.get_dummy_value()
    return types.void(*[types.int64] * 4), write


@intrinsic
def at_addresses(typing_context, kernel, arguments):
    """The addresses of a function of (arguments, first, last) that calls a kernel, and of these arguments: both are
    valid until the function returns in which this stands.

    Arrays are lent: without what counts references to them, for which threads would wait at every row.
    """
    flags = Flags()
    kernel.dispatcher.targetdescr.options.parse_as_flags(flags, kernel.dispatcher.targetoptions)
    flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True

    def write(context, builder, signature, values):
        # Into the library that is being made: by itself a kernel would become machine code once more.
        compiled = compile_internal(typing_context, context, context.active_code_library, kernel.dispatcher.py_func,
                                    (types.int64, types.int64, *arguments.types), types.none, flags, {})
        lent = []
        for value, of in zip(cgutils.unpack_tuple(builder, values[1]), arguments.types, strict=True):
            if isinstance(of, types.Array):
                array = context.make_array(of)(context, builder, value)
                array.meminfo = cgutils.get_null_value(array.meminfo.type)
                value = array._getvalue()
            lent.append(value)
        packed = cgutils.alloca_once_value(builder, context.make_tuple(builder, arguments, lent))
        name = f"{compiled.fndesc.mangled_name}.of_items"
        kind = ir.FunctionType(ir.VoidType(), [_WORD] * 3)
        function = ir.Function(builder.module, kind, name)
        function.linkage = "internal"
        inner = ir.IRBuilder(function.append_basic_block())
        address, first, last = function.args
        given = cgutils.unpack_tuple(inner, inner.load(inner.inttoptr(address, packed.type)))
        context.call_conv.call_function(inner, context.declare_function(builder.module, compiled.fndesc),
                                        compiled.fndesc.restype, compiled.fndesc.argtypes, [first, last, *given])
        inner.ret_void()
        pair = [builder.ptrtoint(pointer, _WORD) for pointer in (function, packed)]
        return context.make_tuple(builder, signature.return_type, pair)
    return types.UniTuple(types.int64, 2)(kernel, arguments), write


@intrinsic
def address_of(typing_context, arguments):
    """Where the addresses of arrays without gaps, integers and float32 stand, eight bytes each; as long as the function
    runs in which this stands."""
    for of in arguments.types:
        lies = isinstance(of, types.Array) and of.layout == "C" and of.dtype in (types.float32, types.boolean)
        if not lies and of not in (types.int64, types.float32):
            raise TypingError(f"a loop that is called by its address cannot take {of}")

    def write(context, builder, signature, values):
        words = cgutils.alloca_once(builder, _WORD, size=len(arguments))
        each = zip(cgutils.unpack_tuple(builder, values[0]), arguments.types, strict=True)
        for i, (value, of) in enumerate(each):
            if isinstance(of, types.Array):
                value = context.make_array(of)(context, builder, value).data
            place = builder.gep(words, [ir.Constant(_WORD, i)])
            builder.store(value, builder.bitcast(place, value.type.as_pointer()))
        return builder.ptrtoint(words, _WORD)
    return types.int64(arguments), write


GIVES_WAY = hasattr(ctypes, "pythonapi") and hasattr(ctypes.pythonapi, "sched_yield")
"""Whether a thread can give way to others; otherwise none should look."""
_give_way = types.ExternalFunction("sched_yield", types.int32())


# Working together

@_loop
def _work(board, own):
    """First the thread's own part, whose numbers may be in its cache from the loop before; then what others left."""
    function, arguments, sharers, step = (_load(board + FUNCTION), _load(board + ARGUMENTS), _load(board + SHARERS),
                                          _load(board + AT_A_TIME))
    for i in range(sharers):
        part = board + FIRST + (own + i) % sharers * LINE
        end = _load(part + END)
        while True:
            first = _add(part + NEXT, step)
            if first >= end:
                break
            call(function, arguments, first, min(first + step, end))


@_loop
def share(board, helpers, items, step, function, arguments):
    """Let helpers and the caller work on some items at a time, until all are done.

    Args:
        board: its address.
        helpers: how many threads to call.
        items: how many there are.
        step: how many are taken at a time.
        function: address of a function of (arguments, first item, last item).
        arguments: their address.
    """
    if helpers == 0 or _exchange(board + TAKEN, 1) != 0:  # others of the same team would have to be waited for
        call(function, arguments, 0, items)
        return
    _store(board + FUNCTION, function)
    _store(board + ARGUMENTS, arguments)
    sharers = helpers + 1
    _store(board + SHARERS, sharers)
    _store(board + AT_A_TIME, step)
    _store(board + WANTED, 0)
    for i in range(sharers):
        _store(board + FIRST + i * LINE + NEXT, items * i // sharers)
        _store(board + FIRST + i * LINE + END, items * (i + 1) // sharers)
    for i in range(1, sharers):
        thread = board + FIRST + i * LINE
        _store(thread + BEFORE, _exchange(thread + STATE, CALLED))
    _work(board, 0)
    for i in range(1, sharers):
        thread, looks = board + FIRST + i * LINE, 0
        while True:
            found = _load(thread + STATE)
            if found == CALLED:  # it has not come: it must not come when the arguments are gone
                found = _compare_exchange(thread + STATE, CALLED, _load(thread + BEFORE))
            if found != WORKING:
                break
            looks += 1
            if looks & PATIENCE == PATIENCE:
                _give_way()
            _pause()
    _store(board + TAKEN, 0)


@_loop
def watch(board, helper, team):
    """Work whenever called, until nobody has called for a while, the interpreter wants the thread back, or there is
    another team, whose thread has the same place: what that one is doing is not to be touched."""
    own = helper + 1
    state, looks = board + FIRST + own * LINE + STATE, 0
    while True:
        found = _load(state)
        if found == CALLED:
            if _compare_exchange(state, CALLED, WORKING) == CALLED:
                _work(board, own)
                if _load(board + TEAM) != team:
                    _store(state, ASLEEP)
                    return
                _store(state, LOOKING)
                looks = 0
        elif _load(board + TEAM) != team:
            if found != LOOKING or _compare_exchange(state, LOOKING, ASLEEP) == LOOKING:
                return
        elif found == ASLEEP:
            _compare_exchange(state, ASLEEP, LOOKING)
        elif ((looks > LOOKS or _load(board + WANTED) != 0)
              and _compare_exchange(state, LOOKING, ASLEEP) == LOOKING):
            return
        looks += 1
        if looks & PATIENCE == PATIENCE:
            _give_way()
        _pause()


class Board:
    """What threads agree by. Making one compiles what this file has, or raises NotKeptError."""

    def __init__(self, helpers: int) -> None:
        memory = np.zeros((FIRST // LINE + helpers + 2) * LINE // 8, np.int64)
        words = memory[-memory.ctypes.data % LINE // 8:]
        self.address, self.words = words.ctypes.data, memoryview(words)
        watch.compile((types.int64, types.int64, types.int64))

    def belongs_to(self, team: int) -> None:
        """Let the threads of other teams go."""
        self.words[TEAM // 8] = team

    def watch(self, helper: int, team: int) -> None:
        """Work whenever called, for a while."""
        watch(self.address, helper, team)

    def call_back(self) -> None:
        """Let threads that watch return."""
        self.words[WANTED // 8] = 1

    def asleep(self, count: int) -> int:
        """How many of the first `count` threads sleep."""
        return sum([self.words[(FIRST + i * LINE + STATE) // 8] == ASLEEP for i in range(1, count + 1)])
