"""What a derivative rule reads of its arguments, and how much it does, found from the rule's own code.

A Node keeps only what its rules read. Nobody has to declare that: the parameters that a rule's code loads are what it
reads, and a parameter of which only `.shape`, `.ndim`, `.size` or `.dtype` is asked needs no memory kept for it.
"""

import dis
import inspect
from collections.abc import Callable

NOTHING, OUTLINE, ARRAY = range(3)

_OUTLINE_ATTRIBUTES = {"shape", "ndim", "size", "dtype"}
_STEPS = {code for name, code in dis.opmap.items()
          if name.startswith(("BINARY_OP", "COMPARE_OP", "CALL", "UNARY_"))}
_LOADS = ("LOAD_FAST", "LOAD_DEREF", "LOAD_CLOSURE", "STORE_FAST_LOAD_FAST", "MAKE_CELL")


def what_it_reads(rule: Callable) -> dict[str, int]:
    """For each positional parameter of `rule(g, out, *args, **options)`, how much of it the rule reads.

    >>> what_it_reads(lambda g, out, x, y: g * y + np.zeros(x.shape))
    {'g': 2, 'out': 0, 'x': 1, 'y': 2}
    """
    code = inspect.unwrap(rule).__code__
    count = code.co_argcount
    names = list(code.co_varnames[:count])
    if code.co_flags & inspect.CO_VARARGS:
        names.append(code.co_varnames[count + code.co_kwonlyargcount])
    reads = dict.fromkeys(names, NOTHING)
    instructions = list(dis.get_instructions(code))
    for instruction, following in zip(instructions, [*instructions[1:], None], strict=True):
        if not instruction.opname.startswith(_LOADS):
            continue
        # Since Python 3.13 one instruction may load two variables; only the last can be followed by an attribute.
        loaded = instruction.argval if isinstance(instruction.argval, tuple) else (instruction.argval,)
        for name in loaded:
            if name in reads:
                asks_outline = (name is loaded[-1] and following is not None and following.opname == "LOAD_ATTR"
                                and following.argval in _OUTLINE_ATTRIBUTES)
                reads[name] = max(reads[name], OUTLINE if asks_outline else ARRAY)
    for name, annotation in rule.__annotations__.items():  # what the code cannot tell: `*tensors: Outline`
        if name in reads and getattr(annotation, "__name__", annotation) == "Outline":
            reads[name] = min(reads[name], OUTLINE)
    return reads


def steps(function: Callable | None) -> int:
    """How many operators and calls the code of a Python function has; 0 for one of another kind.

    >>> steps(lambda g, out, x, y: g * out / y)
    2
    """
    code = getattr(inspect.unwrap(function) if function else None, "__code__", None)
    return sum([instruction in _STEPS for instruction in code.co_code[::2]]) if code else 0
