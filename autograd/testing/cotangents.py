"""Incoming gradients of every kind: a pull-back is linear, so what it gives for one kind follows from the others.

That holds without any difference quotient: J'(u) = J'(u - w) + J'(w), where w is random. A rule that treats a constant
gradient, zeros, or one infinity otherwise contradicts itself.
"""

from collections.abc import Callable, Sequence

import numpy as np

from autograd.testing.diagnosis import GradientError
from autograd.testing.engines import Arrays, PullBack

LINEAR = 1e-9
"""By how much J'(u + w) and J'u + J'w may differ, relative to the largest number."""
HUGE = 2.0 ** 100


def general(outputs: Sequence[np.ndarray], rng: np.random.Generator) -> Arrays:
    """Random cotangents with few digits, none of them zero, no two alike to speak of."""
    return [(rng.integers(8, 64, out.shape) / 32 * rng.choice([-1.0, 1.0], out.shape)).astype(out.dtype)
            for out in outputs]


def constant(number: float) -> Callable[[np.ndarray], np.ndarray]:
    """The same number everywhere, in memory of its own."""
    return lambda w: np.full(w.shape, number, w.dtype)


def stretched(number: float) -> Callable[[np.ndarray], np.ndarray]:
    """The same number everywhere, one in memory."""
    return lambda w: np.lib.stride_tricks.as_strided(np.full((), number, w.dtype), w.shape, [0] * w.ndim)


def partly_zero(w: np.ndarray) -> np.ndarray:
    """Zero in every other place."""
    return np.where(np.arange(w.size).reshape(w.shape) % 2 == 0, w, 0).astype(w.dtype)


def rows(w: np.ndarray) -> np.ndarray:
    """Equal slices along the first axis, one in memory: what `.sum(0)` sends."""
    first = np.array(w[:1])
    return np.lib.stride_tricks.as_strided(first, w.shape, [0, *first.strides[1:]])


KINDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "the same number everywhere": constant(-0.75),
    "one everywhere, with a stride of 0, as .sum().backward() sends it": stretched(1.0),
    "one everywhere": constant(1.0),
    "zero in some places": partly_zero,
    "the same for every element of the first axis": lambda w: rows(w) if w.ndim and len(w) > 1 else w,
}


class Kinds:
    """J'u is linear in u, of whatever kind u is.

    Args:
        pull_back: J'.
        outputs: what the cotangents are for.
        rng: random numbers.
        elsewhere: J' at other points, made when they are needed: a few units in the last place away, where what
            differs is rounding; and at moderate arguments, beside which it may be small.
        local: whether each output element depends on the input element in its place alone.
    """

    def __init__(self, pull_back: PullBack, outputs: Sequence[np.ndarray], rng: np.random.Generator,
                 elsewhere: Callable[[], tuple[list[PullBack], list[PullBack]]], local: Callable[[], bool]) -> None:
        self.pull_back, self.outputs, self.rng = pull_back, outputs, rng
        self.elsewhere, self.local = elsewhere, local
        self.w = general(outputs, rng)

    def check(self) -> None:
        """Raise for the first kind that contradicts another."""
        pull_back, w = self.pull_back, self.w
        self.first = first = pull_back(w)
        other = general(self.outputs, self.rng)
        self.compare("J'(2u - v) is not 2 J'u - J'v: the rule is not linear in the incoming gradient, or random",
                     other, pull_back([2 * a - b for a, b in zip(w, other, strict=True)]),
                     [2 * a - b for a, b in zip(first, pull_back(other), strict=True)])
        wrong = "it is wrong when the incoming gradient is {}; the others follow by linearity".format
        for kind, make in KINDS.items():
            u = [make(a) for a in w]
            rest = pull_back([a - b for a, b in zip(u, w, strict=True)])
            self.compare(wrong(kind), u, pull_back(u), [a + b for a, b in zip(rest, first, strict=True)])
        if len(w) > 1:
            which = int(self.rng.integers(len(w)))
            rest = pull_back([a if i != which else None for i, a in enumerate(w)])
            alone = [a if i == which else None for i, a in enumerate(w)]
            self.compare(wrong(f"that of output {which} alone"), alone, pull_back(alone),
                         [a - b for a, b in zip(first, rest, strict=True)])
        if all(np.isfinite(g).all() for g in first) and w:
            self.compare(wrong("zero everywhere"), w, pull_back([np.zeros_like(a) for a in w]), [0 * g for g in first])
            if max((np.abs(g).max(initial=0) for g in first), default=0) < 1 / LINEAR ** 20:  # or it overflows rightly
                self.compare(wrong("huge"), w, [g / HUGE for g in pull_back([HUGE * a for a in w])], first)
            if all(np.isfinite(out).all() for out in self.outputs):
                _check_infinite(pull_back, w, self.rng, self.local)

    def rounding(self, u: Sequence[np.ndarray | None]) -> np.ndarray:
        """The rounding of J'u, in each input."""
        near, moderate = self.elsewhere()
        found = np.zeros(len(self.first))
        for w in (self.w, u):
            spread = [np.ptp(several, axis=0) for several in zip(*[pull_back(w) for pull_back in near], strict=True)]
            found = np.maximum(found, [np.nan_to_num(s, posinf=0).max(initial=0) for s in spread])
        largest = 1e3 * max(1, *(np.abs(g).max(initial=0) for g in self.first))
        sizes = np.max([[min(np.nan_to_num(np.abs(g), posinf=0).max(initial=0), largest) for g in pull_back(self.w)]
                        for pull_back in moderate], axis=0)
        return 50 * found + 2.0 ** -44 * sizes + 2.0 ** -50

    def compare(self, what: str, u: Sequence[np.ndarray | None], found: Arrays, expected: Arrays) -> None:
        """Raise unless both are the same, but for rounding."""
        noise: np.ndarray | None = None
        for i, (a, b, c) in enumerate(zip(found, expected, self.first, strict=True)):
            both = np.isfinite(a) & np.isfinite(b)
            odd = (np.isfinite(a) != np.isfinite(b)).any()
            off = np.abs(a[both] - b[both]).max(initial=0)
            size = max(np.abs(part[np.isfinite(part)]).max(initial=0) for part in (a, b, c))
            if not odd and off <= LINEAR * size:
                continue
            if noise is None:
                noise = self.rounding(u)
            if odd or off > LINEAR * size + noise[i]:
                raise GradientError(f"the gradient of input {i}: {what}\nit is\n{a}\nand should be\n{b}")


def _check_infinite(pull_back: PullBack, w: Arrays, rng: np.random.Generator,
                    local: Callable[[], bool]) -> None:
    """One infinity among the incoming gradients reaches what its output depends on, and changes nothing else."""
    places = [(o, k) for o, a in enumerate(w) for k in range(a.size)]
    if not places:
        return
    o, k = places[int(rng.integers(len(places)))]
    with_infinity, without, alone = ([np.array(a) for a in w] for _ in range(3))
    alone = [np.zeros_like(a) for a in w]
    with_infinity[o].reshape(-1)[k], without[o].reshape(-1)[k], alone[o].reshape(-1)[k] = np.inf, 0, 1
    found, rest, reached = pull_back(with_infinity), pull_back(without), pull_back(alone)
    for i, (a, b, j) in enumerate(zip(found, rest, reached, strict=True)):
        vanished, strange = np.isfinite(a) & (j != 0), ~np.isfinite(a) & (j == 0)
        changed = np.isfinite(a) & (j == 0) & (np.abs(a - b) > 1e-6 * np.abs(b).max(initial=1))
        if vanished.any() or changed.any() or (strange.any() and any(j.any() for j in reached) and local()):
            what = ("it does not arrive" if vanished.any() else "elements change that do not depend on that place"
                    if changed.any() else "elements are not finite that do not depend on that place")
            raise GradientError(f"the gradient of input {i} is wrong when the incoming gradient is infinite in one "
                                f"place (element {k}): {what}\nit is\n{a}\nand without the infinity\n{b}")
