"""Elementwise functions as loops that numba compiles, made of the functions' own text.

The text is called once with symbols in the place of arrays (`runtime/tracing.py`), and the calls that it makes are
written out as one loop: each number goes through all of them at once. So there is no second text that could differ. The
loop is kept on disk by what it says, whatever the numbers in it are.
"""

import functools
import hashlib
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any

import numpy as np

from autograd.compiled import mathematics
from autograd.compiled.loops import answers_at, numbers_at, of_words, words_at
from autograd.runtime.caching import compiler
from autograd.runtime.compiled import LEAST, obtained
from autograd.runtime.elementwise import SIMPLE, Loop
from autograd.runtime.formulas import ANSWERS, APPROXIMATED, LOGIC, QUOTIENTS, trace, work_of
from autograd.runtime.tracing import Recording, assign

FORMS: dict[Callable, str] = {
    np.add: "{} + {}", np.subtract: "{} - {}", np.multiply: "{} * {}", np.divide: "{} / {}", np.negative: "-{}",
    np.positive: "{}", assign: "{}", np.square: "{0} * {0}", np.reciprocal: "ONE / {}", np.absolute: "abs({})",
    np.sqrt: "sqrt({})", np.maximum: "maximum({}, {})", np.minimum: "minimum({}, {})", np.sign: "sign({})",
    np.floor: "floor({})", np.ceil: "ceil({})", np.trunc: "trunc({})", np.rint: "rint({})", np.exp: "exp({})",
    np.copysign: "copysign({}, {})", np.expm1: "expm1({})", np.log: "log({})", np.log1p: "log1p({})",
    np.tanh: "tanh({})", np.hypot: "hypot({}, {})", np.exp2: "exp2({})", np.log2: "log2({})",
    np.log10: "log10({})", **{
        function: f"{ufunc.__name__}({{}}, {{}})" for ufunc, function in QUOTIENTS.items()},
    np.where: "({1} if {0} else {2})",
    np.less: "{} < {}", np.less_equal: "{} <= {}", np.greater: "{} > {}", np.greater_equal: "{} >= {}",
    np.equal: "{} == {}", np.not_equal: "{} != {}", np.isnan: "{0} != {0}", np.isinf: "abs({}) == INFINITY",
    np.isfinite: "abs({}) < INFINITY", np.logical_and: "{} & {}", np.bitwise_and: "{} & {}",
    np.logical_or: "{} | {}", np.bitwise_or: "{} | {}", np.logical_not: "not {}", np.invert: "not {}"}
"""What has a fast form."""
SLOW = {*APPROXIMATED, *QUOTIENTS.values(), np.hypot, np.sqrt, np.sign, np.where, np.maximum, np.minimum}
"""What NumPy takes longer for than a loop does, even by itself: from ALONE numbers on."""
ALONE = 1 << 14
_BY_ADDRESS = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": False}
_exact, _close = compiler(**_BY_ADDRESS), compiler(**_BY_ADDRESS, fastmath={"contract"})
FEW = 1 << 10
"""Numbers that are worth taking for a thread."""


# Writing

def text(calls: Iterable, arrays: Sequence[int], numbers: Sequence[int], masks: Container[int],
         written: dict[str, int], single: Container[int] | None = None) -> tuple[str, int]:
    """A loop over arrays a0, a1, ... and numbers v5, v6, ..., which writes what is in slots to arrays; and how many
    arguments it is to be given.

    Args:
        calls: of a recording.
        arrays: their slots.
        numbers: their slots.
        masks: the arrays that hold answers.
        written: for names of arrays, the slots.
        single: if given, the loop goes over lines (`runtime/walks.py`), and of these arrays a line is one number.
    """
    names = {f"a{slot}": slot for slot in arrays}
    logical, once, each = {slot for slot in arrays if slot in masks}, [], []
    for name, slot in names.items():
        alone = single is not None and slot in single
        answer_of = " != 0" if slot in logical else ""
        (once if alone else each).append(f"v{slot} = {name}[{'0' if alone else 'i'}]{answer_of}")

    def number(slot: int) -> str:
        return f"float32(v{slot})" if slot in logical else f"v{slot}"

    def answer(slot: int) -> str:
        return f"v{slot}" if slot in logical else f"(v{slot} != 0)"

    for function, inputs, out in calls:
        values = [(answer if function in LOGIC or (function is np.where and i == 0) else number)(slot)
                  for i, slot in enumerate(inputs)]
        each.append(f"v{out} = " + FORMS[function].format(*values))
        (logical.add if function in ANSWERS else logical.discard)(out)
    each += [f"{name}[i] = {number(slot)}" for name, slot in written.items()]
    whole = [*(name for name in written if name not in names), *names]
    pointers = {name: "answers_at" if names.get(name) in masks else "numbers_at" for name in whole}
    if single is None:
        head = [f"{name} = {at}(%s)" for name, at in pointers.items()]
        body: list = ["for i in range(first, last):", each]
    else:
        head = ["length = %s", *[f"{name}_{of} = %s" for name in pointers for of in ("begin", "step")]]
        begin = [f"{name} = {at}({name}_begin + line * {name}_step)" for name, at in pointers.items()]
        body = ["for line in range(first, last):", [*begin, *once, "for i in range(length):", each]]
    head = [line % f"words_at(given)[{i}]" for i, line in enumerate(head)]
    head += [f"v{slot} = numbers_at(given)[{2 * i}]" for i, slot in enumerate(numbers, len(head))]  # of two halves
    return _indented(["def NAME(given, first, last):", [*head, *body]]), len(head)


def _indented(block: list, spaces: str = "") -> str:
    return "\n".join([_indented(line, spaces + "    ") if isinstance(line, list) else spaces + line for line in block])


@functools.lru_cache(maxsize=1024)
def compiled(source: str, count: int, exact: bool = True, at_least: int = FEW) -> Callable:
    """A text as a compiled function of so many arguments; if it need not give NumPy's numbers, products and sums may be
    rounded together."""
    name = "loop_" + hashlib.sha256(source.encode()).hexdigest()[:16]  # by which it is kept on disk
    names = vars(mathematics) | {"__name__": __name__, "float32": np.float32, "floor": np.floor, "ceil": np.ceil,
                                 "trunc": np.trunc, "rint": np.rint, "sqrt": np.sqrt, "words_at": words_at,
                                 "numbers_at": numbers_at, "answers_at": answers_at}
    exec(compile(source.replace("NAME", name), __file__, "exec"), names)
    return of_words((_exact if exact else _close)(names[name]), count, at_least)


# What the two that use it ask for

def loop(function: Callable, kinds: Sequence[str], options: dict) -> Loop | None:
    """The loop of an operation's forward function or rule for arguments of these kinds, see `trace`."""
    traced = trace(function, kinds, options)
    if traced is None:
        return None
    recording, results = traced
    if any(function not in FORMS for function, *_ in recording.calls):
        return None
    read = {slot for _, inputs, _ in recording.calls for slot in inputs}
    arrays = [i for i, kind in enumerate(kinds) if i in read and kind in ("array", "mask")]
    numbers = [i for i, kind in enumerate(kinds) if i in read and kind == "number"]
    if not arrays:
        return None
    masks = [i for i in arrays if kinds[i] == "mask"]
    given = [*numbers, *recording.constants]
    written = {f"out{i}": slot for i, slot in enumerate(results)}
    exact = not any(call[0] in APPROXIMATED for call in recording.calls)
    found: dict[tuple, Callable | None] = {}

    def of_lines(single: tuple[bool, ...]) -> Callable | None:
        def make() -> Callable:
            alone = [i for i, one in zip(arrays, single, strict=True) if one]
            return compiled(*text(recording.calls, arrays, given, masks, written, alone), exact, 1)
        return obtained(found, single, make)

    kernel = compiled(*text(recording.calls, arrays, given, masks, written), exact)
    work = work_of(recording)
    least = LEAST if len(recording.calls) > 1 else ALONE if recording.calls[0][0] in SLOW else SIMPLE
    constants = [np.float32(value) for value in recording.constants.values()]
    return Loop(kernel, of_lines, len(results), arrays, numbers, constants, work, least, exact)


def computation(recording: Recording, dtype: np.dtype) -> Any:
    """What carries out the calls of an optimizer's formula on one block, given its slots."""
    if dtype != np.float32 or not recording.arrays:
        return NotImplemented
    calls = tuple([(function, tuple(inputs), out) for function, inputs, out in recording.calls])
    key = recording.arrays, tuple(recording.constants), tuple(recording.written), calls
    kernel = obtained(_kernels, key, lambda: _kernel(*key))
    if kernel is None:
        return NotImplemented
    constants = [np.float32(value) for value in recording.constants.values()]
    return lambda slots: kernel(slots[0].size, 0, *slots[:recording.arrays], *constants)


_kernels: dict[tuple, Callable | None] = {}
"""The loops of optimizers' formulas; None of those that have none, or none on disk."""


def _kernel(arrays: int, constants: tuple, written: tuple, calls: tuple) -> Callable | None:
    if any(function not in FORMS for function, *_ in calls):
        return None
    return compiled(*text(calls, range(arrays), constants, (), {f"a{slot}": slot for slot in written}))
