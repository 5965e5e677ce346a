"""What compiled loops are made with.

    @parallel
    def _double(first, last, x, out):       # of items first to last, which nobody else works on
        for i in range(first, last):
            for j in range(x.shape[1]):
                out[i, j] = 2 * x[i, j]

    _double(len(x), x.size, x, out)         # how many items, and about how many numbers are computed
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.runtime.caching import compiler
from autograd.runtime.threads import in_parallel

loop = compiler(nogil=True, error_model="numpy", fastmath={"reassoc", "nsz", "contract"})
"""Compiles a loop. Sums may be added up in another order; NaN and infinities stay what they are."""


def parallel(function: Callable) -> Callable:
    """Compiles a loop over items; threads share them."""
    compiled = loop(function)

    @functools.wraps(function)
    def over(items: int, work: int, *arguments: Any) -> None:
        in_parallel(lambda part: compiled(part.start, part.stop, *arguments), items, work)
    return over


def all_float32(*arrays: Any) -> bool:
    """Whether all that are given (not None) are NumPy's arrays of float32."""
    return all(a is None or (type(a) is np.ndarray and a.dtype == np.float32) for a in arrays)


@compiler(nogil=True, fastmath={"nnan", "nsz"})
def largest(numbers):
    """The largest of some numbers, -inf of none; NaN counts or doesn't."""
    top = np.float32(-np.inf)
    for i in range(len(numbers)):
        top = max(top, numbers[i])
    return top
