"""Tensors as text, in PyTorch's style."""

from typing import Any

import numpy as np

from autograd import dtypes
from autograd.tensor import Tensor


def text(tensor: Tensor) -> str:
    """`tensor([1.0000, 2.5000], requires_grad=True)`: at most 1000 elements in full, four decimals."""
    array = np.asarray(tensor.array)
    body = np.array2string(array, separator=", ", prefix="tensor(", threshold=1000, edgeitems=3, max_line_width=100,
                           formatter=_formatter(array))
    notes = []
    if array.size == 0 and array.ndim != 1:
        notes.append(f"size={tuple(array.shape)}")
    if array.dtype not in (dtypes.get_default_dtype(), dtypes.int64, dtypes.bool_):
        notes.append(f"dtype={tensor.dtype}")
    if tensor.node is not None:
        notes.append(f"grad_fn=<{tensor.node.name}>")
    elif tensor.tracked:
        notes.append("requires_grad=True")
    return f"tensor({', '.join([body, *notes])})"


def _formatter(array: np.ndarray) -> Any:
    """One form for all elements: `1.`, `1.0000` or `1.0000e-05`, padded to one width."""
    if array.dtype.kind == "b":
        width = 4 if array.all() else 5
        return {"bool": lambda b: f"{b!s:>{width if array.ndim else 0}}"}
    if array.dtype.kind != "f":
        return None
    finite = np.abs(array[np.isfinite(array)].astype(float))
    nonzero = finite[finite > 0]
    if nonzero.size == 0 or (np.all(finite == np.round(finite)) and nonzero.max() < 1e8):
        form = "{:.0f}."
    elif nonzero.max() >= 1e8 or nonzero.min() < 1e-4 or nonzero.max() / nonzero.min() > 1000:
        form = "{:.4e}"
    else:
        form = "{:.4f}"

    def one(x: float) -> str:
        return form.format(x) if np.isfinite(x) else str(x)
    shown = array if array.size <= 1000 else array[tuple(slice(0, 3) for _ in array.shape)]
    width = max((len(one(x)) for x in shown.flat), default=0)
    return {"float_kind": lambda x: f"{one(x):>{width}}"}


Tensor.__repr__ = text
