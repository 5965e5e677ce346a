"""Pickles as data: read without running anything, and written.

A pickle is a program for a machine with a stack, and Python's machine calls whatever function it names. This one knows
numbers, text and containers, and of functions only those that it is given. https://docs.python.org/3/library/pickletools.html
"""

import pickletools
import struct
from collections import OrderedDict
from collections.abc import Callable
from itertools import islice
from typing import Any, cast

from nn.serialization.content import Content

_PUSHES = {"BININT", "BININT1", "BININT2", "LONG1", "LONG4", "LONG", "INT", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
           "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES",
           "BINBYTES8"}
_NEW: dict[str, Callable] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_SET": set,
                             "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False}
_OF_MARK: dict[str, Callable] = {"TUPLE": tuple, "LIST": list, "DICT": lambda items: put({}, items),
                                 "FROZENSET": lambda items: frozenset(map(_hashable, items))}
_PLAIN = (str, int, float, bool, bytes, type(None))
_LONGEST_KEY = 1000
_MOST = 1_000_000
"""So many operations may a pickle have: some twenty for each tensor, one for each number and text."""


def operations(content: Content) -> list[tuple[str, Any]]:
    """The pickle at this place as a list of operations, each with its argument; what follows is left to be read.

    Raises:
        ValueError: it ends too early, is very long, or is no pickle.
    """
    program = [(code.name, argument) for code, argument, _ in islice(pickletools.genops(cast(Any, content)), _MOST + 1)]
    if len(program) > _MOST:
        raise ValueError(f"its description has more than {_MOST:,} parts, which no checkpoint needs")
    return program


def run(program: list[tuple[str, Any]], named: Callable[[str], Any], persistent: Callable[[Any], Any]) -> Any:
    """What a pickle describes.

    Args:
        program: its operations.
        named: gives what stands for `module.name`. Only what it returns is ever called.
        persistent: gives what stands for a persistent id.

    Raises:
        ValueError: an operation does not fit what there is, or is not known here.
    """
    stack: list = []
    below: list[list] = []
    memo: dict[int, Any] = {}
    for operation, argument in program:
        match operation:
            case "PROTO" | "FRAME":
                pass
            case "STOP":
                return stack.pop()
            case _ if operation in _PUSHES:
                stack.append(argument)
            case _ if operation in _NEW:
                stack.append(_NEW[operation]())
            case "MARK":
                below.append(stack)
                stack = []
            case _ if operation in _OF_MARK:
                items, stack = stack, below.pop()
                stack.append(_OF_MARK[operation](items))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                size = int(operation[-1])
                if len(stack) < size:
                    raise ValueError("it takes more from its stack than is there")
                stack[-size:] = [tuple(stack[-size:])]
            case "PUT" | "BINPUT" | "LONG_BINPUT" | "MEMOIZE":
                memo[len(memo) if argument is None else argument] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "GLOBAL":
                stack.append(named(argument.replace(" ", ".")))
            case "STACK_GLOBAL":
                name = stack.pop()
                stack.append(named(f"{stack.pop()}.{name}"))
            case "REDUCE" | "NEWOBJ":
                arguments, function = stack.pop(), stack.pop()
                if not callable(function) or not isinstance(arguments, tuple):
                    raise ValueError(f"it calls {type(function).__name__} data")
                stack.append(function(*arguments))
            case "BINPERSID":
                stack.append(persistent(stack.pop()))
            case "APPEND" | "APPENDS" | "ADDITEMS" | "SETITEM" | "SETITEMS":
                if operation.endswith("S"):
                    items, stack = stack, below.pop()
                else:
                    size = 1 if operation == "APPEND" else 2
                    items = stack[-size:]
                    del stack[-size:]
                put(stack[-1], items)
            case "BUILD":
                state = stack.pop()
                build = getattr(stack[-1], "build", None)
                if isinstance(stack[-1], OrderedDict) and isinstance(state, dict):
                    vars(stack[-1]).update({key: state[key] for key in ("_metadata",) if key in state})
                elif build is not None and not isinstance(stack[-1], type):
                    stack[-1] = build(state)
                else:
                    raise ValueError(f"it gives a {type(stack[-1]).__name__} a state")
            case _:
                raise ValueError(f"it does {operation}, which data does not need")
    raise ValueError("it has no end")


def put(container: Any, items: list) -> Any:
    """A dictionary, list or set with more in it."""
    if isinstance(container, dict):
        for key, value in zip(items[::2], items[1::2], strict=True):
            container[_hashable(key)] = value
    elif isinstance(container, list):
        container += items
    elif isinstance(container, set):
        container.update(map(_hashable, items))
    else:
        raise ValueError(f"it adds to a {type(container).__name__}")
    return container


def _hashable(key: Any) -> Any:
    """A key that is quickly hashed, however it was made: a tuple of tuples of tuples ... takes for ever."""
    parts = key if isinstance(key, tuple) else (key,)
    if len(parts) > _LONGEST_KEY or not all(isinstance(part, _PLAIN) for part in parts):
        raise ValueError(f"it has a {type(key).__name__} as a key")
    return key


# Writing, in protocol 2

def plain(value: bool | int | float | str | None) -> bytes:
    """The operations that leave such a value on the stack."""
    if value is None or isinstance(value, bool):
        return {None: b"N", True: b"\x88", False: b"\x89"}[value]
    if isinstance(value, float):
        return b"G" + struct.pack(">d", value)
    if isinstance(value, str):
        text = value.encode(errors="surrogatepass")
        return b"X" + struct.pack("<I", len(text)) + text
    if -2 ** 31 <= value < 2 ** 31:
        return b"J" + struct.pack("<i", value)
    number = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return (b"\x8a" + struct.pack("<B", len(number)) if len(number) < 256 else
            b"\x8b" + struct.pack("<i", len(number))) + number


def tuple_of(*parts: bytes) -> bytes:
    """The operations that leave a tuple of what `parts` leave."""
    return b"(" + b"".join(parts) + b"t"


def list_of(*parts: bytes) -> bytes:
    """The operations that leave a list of what `parts` leave."""
    return b"](" + b"".join(parts) + b"e"


def dict_of(*parts: bytes) -> bytes:
    """The operations that leave a dictionary of what `parts` leave, each a key and a value."""
    return b"}(" + b"".join(parts) + b"u"


def name(module: str, attribute: str) -> bytes:
    """The operations that leave what has this name."""
    return f"c{module}\n{attribute}\n".encode()


def call(function: bytes, *arguments: bytes) -> bytes:
    """The operations that leave the result of a function."""
    return function + tuple_of(*arguments) + b"R"


def byte_string(value: bytes) -> bytes:
    """The operations that leave bytes, which this protocol knows as text to be encoded."""
    return call(name("_codecs", "encode"), plain(value.decode("latin1")), plain("latin1"))


def built(thing: bytes, state: bytes) -> bytes:
    """The operations that leave a thing that was given a state."""
    return thing + state + b"b"


def persistent(identity: bytes) -> bytes:
    """The operations that leave what has this persistent id."""
    return identity + b"Q"


def whole(operations: bytes) -> bytes:
    """A pickle of what the operations leave."""
    return b"\x80\x02" + operations + b"."
