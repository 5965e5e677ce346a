"""Nested dictionaries, lists and tuples taken apart, into arrays by name and a tree of the rest, and put together."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor

DTYPES = frozenset(np.dtype(code) for code in ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"))
"""Those that both kinds of files hold."""
_DEPTH = 100
"""So deep may dictionaries and lists be nested: as JSON, and in Python's stack, each level is several."""

# A tree as JSON: {"dict": [[key, tree], …]}, {"list": […]}, {"tuple": […]}, {"tensor" | "array" | "scalar": name}, or a
# plain value. Pairs rather than an object, because an optimizer's keys are numbers.

def taken_apart(value: Any, arrays: dict[str, np.ndarray], path: str = "", around: Mapping[int, str] | None = None,
                numbers: bool = False, bare: dict[str, np.ndarray] | None = None) -> Any:
    """The tree of `value`; its arrays go to `arrays`, each under its dotted path.

    Args:
        value: what is to be saved.
        arrays: gets the arrays.
        path: where `value` is.
        around: what contains it, by id.
        numbers: take NumPy's numbers for Python's.
        bare: gets the arrays that are none of a Tensor, in the place of `arrays`.
    """
    around = around or {}
    if numbers and isinstance(value, np.generic):
        value = value.item()
    if value is None or (isinstance(value, (bool, int, float, str)) and not isinstance(value, np.generic)):
        return value
    if isinstance(value, (Mapping, list, tuple)):
        if id(value) in around:
            raise ValueError(f"nn.save: {_place(path)} is {_place(around[id(value)])} again; what contains itself "
                             "has no end, so it cannot be saved")
        if len(around) == _DEPTH:
            raise ValueError(f"nn.save: {_place(path)} is nested more than {_DEPTH} deep; save a flatter structure, "
                             "for example a list of the parts")
        around = {**around, id(value): path}
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, (str, int)):
                raise TypeError(f"nn.save: the key {key!r} of {_place(path)} is a {type(key).__name__}; only text and "
                                "whole numbers can be keys")
        return {"dict": [[key, taken_apart(v, arrays, f"{path}.{key}" if path else str(key), around, numbers, bare)]
                         for key, v in value.items()]}
    if isinstance(value, (list, tuple)):
        trees = [taken_apart(v, arrays, f"{path}.{i}" if path else str(i), around, numbers, bare)
                 for i, v in enumerate(value)]
        return {"tuple" if isinstance(value, tuple) else "list": trees}
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        if isinstance(value, np.ma.MaskedArray):
            raise TypeError(f"nn.save: {_place(path)} is a masked array; save its .data and its .mask")
        array = np.asarray(value.detach().array if isinstance(value, Tensor) else value)
        if array.dtype.newbyteorder("=") not in DTYPES:
            raise TypeError(f"nn.save: {_place(path)} has dtype {array.dtype}, which a file cannot hold")
        arrays = bare if bare is not None and isinstance(value, np.ndarray) else arrays
        name = path.encode(errors="backslashreplace").decode() or "value"
        while name in arrays or name == "__metadata__":  # {"a": {"b": x}, "a.b": y}
            name += "'"
        arrays[name] = array
        return {"tensor" if isinstance(value, Tensor) else "array" if isinstance(value, np.ndarray) else "scalar": name}
    hint = (", write .state_dict()" if hasattr(value, "state_dict") else
            ", write .get_state()" if hasattr(value, "get_state") else "")
    raise TypeError(f"nn.save: {_place(path)} is a {type(value).__name__}{hint}; what can be saved is Tensors, "
                    "arrays, numbers, text, None, and dicts, lists and tuples of them")


def put_together(tree: Any, arrays: dict[str, np.ndarray]) -> Any:
    """What `taken_apart` made a tree and arrays of."""
    if not isinstance(tree, dict):
        return tree
    (kind, content), = tree.items()
    if kind == "dict":
        return {key: put_together(subtree, arrays) for key, subtree in content}
    if kind in ("list", "tuple"):
        parts = [put_together(subtree, arrays) for subtree in content]
        return parts if kind == "list" else tuple(parts)
    array = arrays[content]
    return Tensor(array) if kind == "tensor" else array if kind == "array" else array[()]


def _place(path: str) -> str:
    return f"'{path}'" if path else "what was given"
