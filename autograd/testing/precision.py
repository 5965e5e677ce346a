"""Single precision: where it is asked for it must give the same, where it is not it must not be used."""

from collections.abc import Callable, Sequence

import numpy as np

from autograd.testing.diagnosis import GradientError
from autograd.testing.engines import Arrays

ALLOWED = 1e-4
"""Up to this relative difference float32 is as good as float64."""
Function = Callable[[Sequence[np.ndarray]], Arrays]


def check_float32(function: Function, arrays: Sequence[np.ndarray], what: str, rng: np.random.Generator) -> None:
    """What a function gives in float32 is what it gives in float64 of the same numbers, but for rounding.

    What a float32 computation loses to cancellation jumps about when the point moves a little, or stands still when it
    should move; a wrong branch for float32 is wrong in the same way in the neighbourhood.
    """
    def both(point: Sequence[np.ndarray]) -> tuple[Arrays, Arrays]:
        single = [np.asarray(x, np.float32) for x in point]
        return function(single), function([x.astype(np.float64) for x in single])
    found, exact = both(arrays)
    for i, (a, b) in enumerate(zip(found, exact, strict=True)):
        if b.dtype.kind != "f" or a.shape != b.shape or not b.size:
            continue
        a, gap, size = np.float64(a), _gap(a, b), np.abs(b[np.isfinite(b)]).max(initial=0)
        if not gap.max(initial=0) > ALLOWED * size:
            continue
        place = int(np.argmax(gap))
        pairs = [(gap.reshape(-1)[place] * np.sign((a - b).reshape(-1)[place]), b.reshape(-1)[place],
                  a.reshape(-1)[place])]
        for _ in range(6):
            near = [x * (1 + rng.uniform(-1, 1, x.shape) / 16) for x in arrays]
            one, two = (np.float64(part[i]).reshape(-1)[place] for part in both(near))
            pairs.append((one - two, two, one))
        off, right, wrong = np.array(pairs).T
        steady = np.isfinite(pairs).all() and (np.sign(off) == np.sign(off[0])).all() and (
            np.abs(off).min() > np.abs(off).max() / 4)
        moves = np.ptp(wrong) > np.ptp(right) / 4 or np.ptp(right) < 1e-3 * np.abs(right).max()
        if steady and moves:
            raise GradientError(f"the {what} {i} is wrong in float32: element {place} is {a.reshape(-1)[place]:.7g}, in "
                                f"float64 of the same numbers {b.reshape(-1)[place]:.7g}, and about as far off near by")


def _gap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.nan_to_num(np.abs(np.float64(a) - b), nan=0, posinf=0)


def check_float64(function: Function, arrays: Sequence[np.ndarray], what: str, rng: np.random.Generator) -> None:
    """What a function gives in float64 has the digits of float64.

    Numbers that change with the point, and are float32 each time, were float32.
    """
    moved = [[x * (1 + rng.uniform(0.5, 1) * 2.0 ** -17) + rng.uniform(0.5, 1) * 2.0 ** -18 for x in arrays]
             for _ in range(3)]
    found = [function([np.asarray(x) for x in point]) for point in moved]
    for i, parts in enumerate(zip(*found, strict=True)):
        values = np.array([np.asarray(a).reshape(-1) for a in parts])
        if values.dtype != np.float64 or not values.size:
            continue
        with np.errstate(all="ignore"):
            single = (values == values.astype(np.float32)) & np.isfinite(values)
        different = (values[0] != values[1]) & (values[1] != values[2]) & (values[0] != values[2])
        if different.any() and single[:, different].all():
            raise GradientError(f"the {what} {i} was computed in single precision: for float64 arguments with many "
                                f"digits it is {values[0][different][0]!r}, which is a float32 number, and so it is near "
                                "by; write the constants and intermediate arrays of the function in the argument's dtype")
