"""Single precision: where it is asked for it must give the same, where it is not it must not be used."""

from collections.abc import Callable, Sequence

import numpy as np

from autograd.testing.diagnosis import GradientError
from autograd.testing.engines import Arrays

ALLOWED = 2e-4
"""Up to this relative difference float32 is as good as float64."""
NEAR = 12
"""At so many points near by something must be as wrong before it counts."""
Function = Callable[[Sequence[np.ndarray]], Arrays]


def check_float32(function: Function, arrays: Sequence[np.ndarray], what: str, rng: np.random.Generator) -> None:
    """What a function gives in float32 is what it gives in float64 of the same numbers, but for rounding.

    What a float32 computation loses to cancellation jumps about when the point moves a little, or stands still when it
    should move; a wrong branch for float32 is wrong in the same way in the neighborhood.
    """
    def both(point: Sequence[np.ndarray]) -> tuple[Arrays, Arrays]:
        single = [np.asarray(x, np.float32) for x in point]
        return function(single), function([x.astype(np.float64) for x in single])
    found, exact = both(arrays)
    usual = both([x / (1 + np.abs(x)) for x in arrays])[1]  # beside which something small is rounding
    for i, (a, b, c) in enumerate(zip(found, exact, usual, strict=True)):
        if b.dtype.kind != "f" or a.shape != b.shape or not b.size:
            continue
        a, gap, size = a.astype(np.float64), _gap(a, b), np.abs(b[np.isfinite(b)]).max(initial=0)
        size = max(size, np.abs(c[np.isfinite(c)]).max(initial=0) / 64)
        if not gap.max(initial=0) > ALLOWED * size:
            continue
        place = int(np.argmax(gap))
        if gap.max() < 1e-5 and gap.max() > 100 * np.abs(b).reshape(-1)[place]:  # it is zero, but for rounding
            continue
        pairs = [((a - b).reshape(-1)[place], b.reshape(-1)[place], a.reshape(-1)[place])]
        for _ in range(NEAR):
            one, two = (part[i].astype(np.float64).reshape(-1) for part in both(
                [x * rng.uniform(0.5, 1.5, x.shape) + (x == 0) * rng.uniform(-0.5, 0.5, x.shape) for x in arrays]))
            if one.size != a.size:
                return
            pairs.append((one[place] - two[place], two[place], one[place]))
        off, right, wrong = np.array(pairs).T
        with np.errstate(all="ignore"):
            sizes = np.abs([off, off / right])
        steady = np.isfinite(pairs).all() and (sizes.min(axis=1) > sizes.max(axis=1) / 3).any() and (
            abs(np.sign(off if sizes[0].min() > sizes[0].max() / 3 else off / right).sum()) == off.size)
        moves = np.ptp(wrong) > np.ptp(right) / 4 or np.ptp(right) < 1e-3 * np.abs(right).max()
        if steady and moves:
            raise GradientError(f"the {what} {i} is wrong in float32: element {place} is {a.reshape(-1)[place]:.7g}, "
                                f"in float64 of the same numbers {b.reshape(-1)[place]:.7g}, "
                                "and about as far off near by")


def _gap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.nan_to_num(np.abs(a.astype(np.float64) - b), nan=0, posinf=0)


def check_float64(function: Function, arrays: Sequence[np.ndarray], what: str, rng: np.random.Generator) -> None:
    """What a function gives in float64 has the digits of float64.

    Numbers that change with the point, and have the 24 digits of float32 each time, neither more nor much fewer, were
    float32.
    """
    moved = [[x * (1 + rng.uniform(0.5, 1) * size) + rng.uniform(0.5, 1) * size / 2 for x in arrays]
             for size in (2.0 ** -17, 2.0 ** -17, 2.0 ** -17, 0.5)]
    moved.append([x / (1 + np.abs(x)) for x in moved[3]])
    found = [function([np.asarray(x) for x in point]) for point in moved]
    if len({tuple(a.shape for a in several) for several in found}) > 1:
        return
    for i, parts in enumerate(zip(*found, strict=True)):
        values = np.array([np.asarray(a).reshape(-1) for a in parts])
        if values.dtype != np.float64 or not values.size:
            continue
        with np.errstate(all="ignore"):
            single = (values == values.astype(np.float32)) & np.isfinite(values)
            fewer = (np.ldexp(np.round(np.ldexp(np.frexp(values)[0], 17)), -17) == np.frexp(values)[0]) | (
                64 * values == np.round(64 * values))
        different = (np.diff(np.sort(values, axis=0), axis=0) != 0).all(axis=0)
        if different.any() and single[:, different].all() and not fewer[:, different].any(axis=1).any():
            raise GradientError(f"the {what} {i} was computed in single precision: for float64 arguments with many "
                                f"digits it is {values[0][different][0]!r}, which is a float32 number, and so it is "
                                "near by; write the constants and intermediate arrays of the function in the "
                                "argument's dtype")
