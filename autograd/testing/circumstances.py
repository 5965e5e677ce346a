"""What distinguishes the examples that failed from those that passed, in words."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.testing.properties import flatten

SEVERAL, ENOUGH = 3, 8
"""So many examples must have failed, and passed, before a difference between them is worth saying."""
EXCEPTIONS = 0.05
"""The share of those that passed in spite of it."""


def features(args: Sequence[Any]) -> dict[str, Any]:
    """What can be said of the arrays of an example: yes or no, or a number."""
    arrays = [x for x in flatten(args)[0] if x.size]
    if not arrays:
        return {"empty arrays": True}
    flat = np.concatenate([x.reshape(-1) for x in arrays])
    first, sizes = arrays[0], np.abs(flat)
    long = [x.reshape(-1) for x in arrays if x.size > 1]
    return {
        "the number of axes": max(x.ndim for x in arrays),
        "the number of elements": max(x.size for x in arrays),
        "the length of the first axis": max((len(x) for x in arrays if x.ndim), default=1),
        "the length of the last axis": max((x.shape[-1] for x in arrays if x.ndim), default=1),
        "the largest number": float(flat.max()),
        "the largest size of a number": float(sizes.max()),
        "the smallest size of a number": float(sizes.min()),
        "the smallest number": float(flat.min()),
        "an array without axes": any(not x.ndim for x in arrays),
        "empty arrays": any(not x.size for x in flatten(args)[0]),
        "an axis of length one": any(1 in x.shape for x in arrays),
        "a square matrix": any(x.ndim > 1 and x.shape[-1] == x.shape[-2] for x in arrays),
        "sorted numbers": bool(long) and any((np.diff(x) > 0).all() for x in long),
        "numbers sorted backwards": bool(long) and any((np.diff(x) < 0).all() for x in long),
        "all numbers positive": bool((flat > 0).all()),
        "all numbers negative": bool((flat < 0).all()),
        "all numbers equal": bool(long) and any(np.ptp(x) == 0 for x in long),
        "equal numbers": any(np.unique(x).size < x.size for x in long),
        "zeros": bool((flat == 0).any()),
        "zeros only": bool((flat == 0).all()),
        "a negative number": bool((flat < 0).any()),
        "integers only": bool((flat == np.round(flat)).all()),
        "equal arguments": any(np.array_equal(x, y) for i, x in enumerate(arrays) for y in arrays[:i]),
        "arguments of different shapes": len({x.shape for x in arrays}) > 1,
        "a first number that is not positive": bool(first.reshape(-1)[0] <= 0),
    }


def difference(failed: Sequence[dict[str, Any]], passed: Sequence[dict[str, Any]]) -> str | None:
    """The circumstance that all that failed have, and hardly any that passed has; None if there is no single one."""
    failed, passed = [f for f in failed if len(f) > 1], [p for p in passed if len(p) > 1]
    if len(failed) < SEVERAL or len(passed) < ENOUGH:
        return None
    found = []
    for rank, name in enumerate(failed[0]):
        bad, good = np.array([f[name] for f in failed]), np.array([p[name] for p in passed])
        if bad.dtype == bool:
            for value, text in ((True, f"with {name}"), (False, f"without {name}")):
                if (bad == value).all():
                    found.append(((good == value).sum(), rank, text))
        else:
            above, below = good[good < bad.min()], good[good > bad.max()]
            if above.size:
                found.append(((good >= bad.min()).sum(), rank,
                              f"when {name} is above {_between(above.max(), bad.min())}"))
            if below.size:
                found.append(((good <= bad.max()).sum(), rank,
                              f"when {name} is below {_between(below.min(), bad.max())}"))
    exceptions, _, text = min(found, default=(len(passed), 0, ""))
    return text if exceptions <= EXCEPTIONS * len(passed) else None


def _between(passed: float, failed: float) -> str:
    return f"{passed:.4g}" + (f" ({failed:.4g} fails)" if passed != failed else "")
