"""float16 holds results well, but not what is computed on the way: squares of 300 and sums of a thousand overflow."""

import functools
import inspect

import numpy as np

from autograd import Tensor, as_tensor
from autograd.dtypes import float16, float32


def in_float32(function):
    """Lets a function compute with float16 in float32, as PyTorch does; the result is float16 if all tensors were."""
    names = list(inspect.signature(function).parameters)

    @functools.wraps(function)
    def wide(*args, **options):
        given = [*args, *options.values()]
        dtypes = {a.dtype for a in given if isinstance(a, (Tensor, np.ndarray)) and a.dtype.kind == "f"}
        if float16 not in dtypes:
            return function(*args, **options)
        given = {**dict(zip(names, args, strict=False)), **options}
        result = function(**{name: value if name in WRITTEN else _wider(value) for name, value in given.items()})
        return result.to(float16) if len(dtypes) == 1 else result
    return wide


WRITTEN = ("running_mean", "running_var")
"""Arguments that a function writes to: they are handed on as they are."""


def _wider(value):
    return as_tensor(value).to(float32) if getattr(value, "dtype", None) == float16 else value
