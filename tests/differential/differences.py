"""What differs from PyTorch on purpose: the one list, which docs/design.md repeats."""

from collections.abc import Callable
from typing import Any


def _says(*parts: str) -> Callable[[Any], bool]:
    """PyTorch refuses in these words."""
    return lambda d: d.kind == "raises in PyTorch" and any(part in str(d.there) for part in parts)


DIFFERENCES: list[tuple[str, Callable[[Any], bool]]] = [
    ("PyTorch refuses a backward pass when a saved tensor was changed in place while recording; the engine gives the "
     "gradient of the value that was used", _says("modified by an inplace operation")),
    ("PyTorch has no form of a function for a dtype", _says("not implemented for", "not supported for")),
]
"""(reason, whether a difference is that one)."""


def reason_for(found: Any) -> str | None:
    """Why a difference is meant, or None."""
    return next((reason for reason, matches in DIFFERENCES if matches(found)), None)
