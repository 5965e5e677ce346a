"""What is raised when a call cannot be done: the values given, the reason, and what to write instead."""

from typing import Any


class ShapeError(RuntimeError, ValueError):
    """The arguments' shapes or values do not fit an operation (PyTorch raises RuntimeError here, NumPy ValueError)."""


def explained(operation: Any, arrays: list, options: dict, error: Exception) -> Exception:
    """The error of a forward function, with the call that led to it."""
    given = [f"{a.dtype}{list(a.shape)}" if hasattr(a, "shape") else repr(a) for a in arrays]
    given += [f"{key}={value!r}" for key, value in options.items()]
    remedy = ""
    if "broadcast" in str(error):
        remedy = "; shapes are compared from the right and must be equal or 1 there: unsqueeze() inserts an axis of 1"
    kind = ShapeError if type(error) is ValueError else type(error)
    return kind(f"{operation.name}({', '.join(given)}): {str(error).rstrip()}{remedy}")
