"""Derivatives by the rules compared with differences, at any order, for any engine; and what must be excluded first.

Two numbers are enough to find a wrong derivative: if <u, J v> (by differences of the function) and <J'u, v> (by the
rules) agree for general u and v, J'u is right but for bad luck that does not repeat. Each entry of u is divided by the
slope of its output, so that a small output is looked at as closely as a large one.

When the two disagree, that proves nothing yet. The slopes are taken again with a bound of their error (`differences`);
outputs that have none, on a kink or a jump, get u = 0. The rounding of the rules is what they show at points a few
units in the last place away. At a point where directional derivatives do not add up there is no gradient, whatever the
rules say; and a second derivative that is wrong at one point, and right beside it, is what conventions at kinks leave
behind. What still disagrees is wrong, and the Jacobian is computed to say where.

On a kink a direction along which it stays one may still be smooth: equal numbers are moved alike, zeros and then
integers not at all. Gradients that share a tie must add up to the derivative along it.

The second order is the first order of the gradient itself, taken as a function of the point and of u.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.tensor import Tensor
from autograd.testing.diagnosis import GradientError, Jacobian, describe, relative_error, verdict
from autograd.testing.differences import decided, quick, thorough
from autograd.testing.engines import GRADCIRCUIT, Arrays, Engine, PullBack, floating

AGREE = 1e-7
"""Up to this relative difference, quick differences say "right"."""
WRONG = 1e-6
"""From this relative difference on, beyond all that is known of rounding, thorough differences say "wrong"."""
SMALLEST_STEP = 2.0 ** -12
SPLITS = 8
"""In so many ways a direction is divided, to see whether derivatives add up."""
ENTRIES = 10_000
"""Up to so many entries of the Jacobian are computed to say where it is wrong."""


def check_derivatives(function: Callable[..., Any], inputs: Sequence[Any], order: int = 2, seed: int = 0, *,
                      wrt: Sequence[Tensor] | None = None, names: Sequence[str] | None = None,
                      engine: Engine = GRADCIRCUIT) -> list[float]:
    """Check the derivatives of `function` at `inputs` up to `order`, along random directions, to six digits.

    Where there is no derivative (a kink, a jump, a singular point), or none that differences could tell, the check
    passes and goes no further.

    Args:
        function: Tensors to a Tensor, or to several of them; outputs that are not floating are left out.
        inputs: where to check: float64 arrays, or Tensors.
        order: 1 for the gradient, 2 for the derivative of the gradient as well, …
        seed: of the random directions.
        wrt: which Tensors to differentiate by, if not the inputs: a model's parameters, say.
        names: what to call them in messages.
        engine: whose tensors the function takes.

    Returns:
        The relative error at each order; fewer than `order` numbers if something could not be decided.

    Raises:
        GradientError: which output, input and element, both numbers, the relative error and the likely cause.
    """
    if wrt is not None:
        known, given = list(wrt), list(inputs)

        def call(*tensors: Tensor) -> Any:
            with GRADCIRCUIT.replaced(known, tensors):
                return function(*given)
        return check_derivatives(call, [t.array for t in known], order, seed, names=names)
    arrays = [np.asarray(x.array if isinstance(x, Tensor) else x, np.float64) for x in inputs]
    errors = []
    for error in compared(Point(engine, function, arrays, names=names), order, np.random.default_rng(seed)):
        if error is None:
            break
        errors.append(error)
    return errors


def compared(point: "Point", order: int, rng: np.random.Generator) -> "list[float | None]":
    """The relative error at each order, None where some of it could not be decided."""
    found: list[float | None] = []
    with np.errstate(all="ignore"):
        for level in range(1, order + 1):
            error, some = _Comparison(point, rng).run()
            found.append(error)
            if not some:  # on a kink everywhere: nothing to go on with
                break
            if level < order:
                following = point.gradient([rng.standard_normal(out.shape) for out in point.here])
                if following is None:
                    break
                point = following
    return found


class Point:
    """A function of an engine at a point: its values there and elsewhere, and its gradients by the rules.

    Args:
        engine: whose function it is.
        function: of tensors, all of which are differentiated by.
        arrays: the point.
        names: of its arguments.
        outputs: names of its outputs.
        lower: the Point whose gradient this function is; None at order 1.
    """

    def __init__(self, engine: Engine, function: Callable, arrays: Sequence[np.ndarray],
                 names: Sequence[str] | None = None, outputs: Sequence[str] | None = None,
                 lower: "Point | None" = None) -> None:
        self.engine, self.function, self.arrays, self.lower = engine, function, list(arrays), lower
        self.order: int = 1 if lower is None else lower.order + 1
        self.names = list(names) if names else [f"input {i}" for i in range(len(arrays))]
        self.output_names = outputs
        values, self.pull_back = engine.differentiate(function, self.arrays)
        self.here = floating(values)

    def values(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """The floating outputs at another point, in one array of one axis."""
        found = flat(floating(self.engine.value(self.function, arrays)) if self.lower is None
                     else self.lower.gradients(arrays))
        size = sum(out.size for out in self.here)
        return found if found.size == size else np.full(size, np.nan)  # of another shape there: nothing to compare

    def gradients(self, arrays: Sequence[np.ndarray]) -> Arrays:
        """The gradients at another point (x…) for the cotangents (u…) that follow."""
        count = len(self.arrays)
        return pulled_back(self.engine, self.function, arrays[:count], arrays[count:])

    def gradient(self, cotangents: Sequence[np.ndarray]) -> "Point | None":
        """The function (x…, u…) -> gradients, at this point; None if the engine has none."""
        function = self.engine.gradient(self.function, len(self.arrays))
        if function is None:
            return None
        try:
            return Point(self.engine, function, [*self.arrays, *cotangents],
                         [*self.names, *(f"cotangent {i}" for i in range(len(cotangents)))],
                         [f"gradient of {name} " for name in self.names], self)
        except RuntimeError as error:
            if self.engine.refuses(error):
                return None
            raise

    def neighbor(self, rng: np.random.Generator) -> PullBack:
        """The pull-back a few units in the last place away; or some more, which the function may round off."""
        size = rng.choice([2.0 ** -50, 2.0 ** -40, 2.0 ** -32])
        least = min((np.abs(x[x != 0]).min(initial=1) for x in self.arrays), default=1)
        return self.elsewhere(lambda x: x * (1 + size * rng.integers(-8, 9, x.shape))
                              + size * least * rng.integers(-8, 9, x.shape) / 64)

    def elsewhere(self, move: Callable[[np.ndarray], np.ndarray]) -> PullBack:
        """The pull-back at another point."""
        moved = [np.asarray(move(x)) for x in self.arrays]
        return lambda u: pulled_back(self.engine, self.function, moved, u)

    def beside(self, rng: np.random.Generator) -> "Point | None":
        """The same a little to one side."""
        moved = [np.asarray(x * (1 + rng.uniform(-1, 1, x.shape) * 1e-4) + rng.uniform(-1, 1, x.shape) * 1e-4)
                 for x in self.arrays]
        if self.lower is None:
            return Point(self.engine, self.function, moved, self.names)
        count = len(self.lower.arrays)
        lower = Point(self.engine, self.lower.function, moved[:count], self.lower.names) if (
            self.lower.lower is None) else self.lower.beside(rng)
        return None if lower is None else lower.gradient(moved[count:])

    def line(self, direction: Sequence[np.ndarray]) -> Callable[[float], np.ndarray]:
        """The values at a step along a direction."""
        return lambda t: self.values([np.asarray(x + t * d) for x, d in zip(self.arrays, direction, strict=True)])

    def pulled(self, u: np.ndarray, pull_back: PullBack | None = None) -> Arrays:
        """The gradients for cotangents in one array of one axis."""
        found = (pull_back or self.pull_back)(split(u, self.here))
        for name, x, g in zip(self.names, self.arrays, found, strict=True):
            if g.shape != x.shape:
                raise GradientError(f"order {self.order}: the gradient of {name} has "
                                    f"shape {g.shape}, the input {x.shape}")
        return found


def pulled_back(engine: Engine, function: Callable, arrays: Sequence[np.ndarray], cotangents: Sequence) -> Arrays:
    """The gradients at a point; not numbers if the outputs have another shape there."""
    values, pull_back = engine.differentiate(function, arrays)
    for out, u in zip(floating(values), cotangents, strict=True):
        if u is not None and out.shape != u.shape:
            return [np.full(x.shape, np.nan) for x in arrays]
    return pull_back(cotangents)


def flat(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """All elements in one array of one axis."""
    if len(arrays) == 1:
        return np.asarray(arrays[0], np.float64).reshape(-1)
    return np.concatenate([np.asarray(a, np.float64).reshape(-1) for a in arrays]) if arrays else np.zeros(0)


def split(u: np.ndarray, like: Sequence[np.ndarray]) -> Arrays:
    """The opposite of `flat`, in the shapes and types of others."""
    ends = np.cumsum([a.size for a in like])
    return [u[end - a.size:end].reshape(a.shape).astype(a.dtype, copy=False) for a, end in zip(like, ends, strict=True)]


class _Comparison:
    """<u, J v> by differences and <J'u, v> by the rules, at one Point."""

    def __init__(self, point: Point, rng: np.random.Generator, final: bool = False) -> None:
        self.point, self.rng, self.final = point, rng, final
        self.x, self.here = flat(point.arrays), flat(point.here)
        sizes = np.abs(self.x[np.isfinite(self.x) & (self.x != 0)])
        self.scale = float(np.clip(sizes.min(initial=1), SMALLEST_STEP, 1))
        self.size = float(sizes.max(initial=0))
        self.usual: np.ndarray | None = None

    def run(self) -> tuple[float | None, bool]:
        """The relative error, None if some outputs could not be decided; and whether any could."""
        if not self.here.size or not self.x.size:
            if self.point.order == 1 and flat(self.point.pulled(np.zeros(self.here.size))).any():
                raise GradientError(f"order {self.point.order}: the output is empty, so that the gradient must be "
                                    f"zero, but it is {self.point.pulled(np.zeros(self.here.size))}", self.point.order)
            return 0.0, True
        v = self.numbers(self.x.size)
        slope, rounding = quick(self.line(v), self.here, self.scale, self.size)
        known = np.isfinite(slope) & np.isfinite(self.here)
        u = self.weights(slope, 1e7 * rounding, known)
        gradients = flat(self.point.pulled(u))
        products = gradients * v
        a, n, sizes = products.sum(), (u * np.where(known, slope, 0)).sum(), np.abs(u * np.where(known, slope, 0)).sum()
        allowed = AGREE * sizes + 2 * (np.abs(u) * np.where(known, rounding, 0)).sum() + 1e-13 * np.abs(products).sum()
        if known.all() and abs(a - n) <= allowed:
            return float(relative_error(a, n, allowed)), True
        return self.look_closer(v)

    def look_closer(self, v: np.ndarray) -> tuple[float | None, bool]:
        """The same with a bound of all errors: what is not known for certain is left out."""
        error, ok = self.along(v, everywhere=True)
        if ok.all():
            return error, True
        for direction in self.along_ties():
            if direction.any():
                self.along(direction)
        return None, bool(ok.any())

    def along(self, v: np.ndarray, everywhere: bool = False) -> tuple[float, np.ndarray]:
        """Compare along v; returns the relative error, and which outputs are decided."""
        slope, error = self.thorough(v)
        ok = decided(slope, error, self.here)
        counted, excluded = ok, False
        while counted.any():
            u = self.weights(slope, 1e4 * error, counted)
            gradients = flat(self.point.pulled(u))
            finite = np.isfinite(gradients)
            if not finite.all():
                if everywhere and ok.all():
                    self.not_a_number(u, ~finite)
                if not (finite & (v != 0)).any() or not v[~finite].any():
                    break
                return self.along(np.where(finite, v, 0))
            a, n = float((gradients * v).sum()), float((u * slope).sum())
            allowed = (4 * WRONG * np.linalg.norm(u * slope) + 2 * (np.abs(u) * np.where(counted, error, 0)).sum()
                       + 1e-13 * np.abs(gradients * v).sum())
            if abs(a - n) <= allowed or abs(a - n) <= allowed + self.rounding_of_rules(u, v):
                return float(relative_error(a, n, allowed)), ok
            if excluded:
                if self.is_isolated():
                    return float(relative_error(a, n)), np.zeros(ok.shape, bool)
                self.accuse(a, n)
            excluded, counted = True, counted & self.adds_up(v, slope, error)
        return 0.0, ok

    def weights(self, slope: np.ndarray, error: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Random cotangents for the outputs that are known, so that each counts alike."""
        largest = np.abs(slope[known]).max(initial=0)
        size = np.maximum(np.maximum(np.abs(slope), error), 1e-6 * largest)
        return np.where(known, self.numbers(slope.size) / np.where(known & (size > 0), np.maximum(size, 1e-30), 1), 0)

    def numbers(self, size: int) -> np.ndarray:
        """Random numbers that are neither small nor large, nor have many digits."""
        return self.rng.integers(16, 48, size) / 32 * (2 * self.rng.integers(0, 2, size) - 1)

    def line(self, v: np.ndarray) -> Callable[[float], np.ndarray]:
        return self.point.line(split(v, self.point.arrays))

    def thorough(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.usual is None:
            arrays = self.point.arrays
            some = [range(len(arrays)), *([[i] for i in range(len(arrays))] if len(arrays) > 1 else [])]
            near = [np.abs(self.point.values([size * x / (1 + np.abs(x)) if i in moderate else x
                                              for i, x in enumerate(arrays)]))
                    for moderate in some for size in (1, 2.0 ** -6, 2.0 ** -10)]
            largest = np.abs(self.here[np.isfinite(self.here)]).max(initial=1)
            self.usual = np.minimum(np.nan_to_num(near, posinf=0).max(axis=0), 1e3 * largest)
        return thorough(self.line(v), self.here, self.scale, self.size, self.usual)

    def along_ties(self) -> list[np.ndarray]:
        """Directions in which equal numbers move alike, opposite ones opposite, zeros (and integers) not at all."""
        _, kinds = np.unique(np.abs(self.x), return_inverse=True)
        v = self.numbers(self.x.size)[kinds.reshape(-1)] * np.sign(self.x)
        v[~np.isfinite(self.x)] = 0
        return [v, np.where(self.x == np.round(self.x), 0, v), np.where(self.x == 0, 0, self.numbers(self.x.size))]

    def rounding_of_rules(self, u: np.ndarray, v: np.ndarray) -> float:
        """How much <J'u, v> varies within a few units in the last place of the point: among neighbors, not with it."""
        found = [float((flat(self.point.pulled(u, self.point.neighbor(self.rng))) * v).sum()) for _ in range(6)]
        spread = 4 * float(np.ptp(found))
        return spread if np.isfinite(spread) else np.inf if not np.isfinite(found).any() else 0.0

    def adds_up(self, v: np.ndarray, slope: np.ndarray, error: np.ndarray) -> np.ndarray:
        """Where the derivative along v is the sum of those along its parts, or those are not known."""
        result = np.ones(slope.size, bool)
        for _ in range(SPLITS if np.count_nonzero(v) > 1 else 0):
            part = np.where(self.rng.permutation(v.size) % 2 == 0, v, 0)
            for look in (lambda w: quick(self.line(w), self.here, self.scale, self.size), self.thorough):
                (one, off), (two, off2) = look(part), look(v - part)
                apart = ~(np.abs(one + two - slope) <= 4 * (off + off2 + error) + 1e-6 * (
                    np.abs(one) + np.abs(two) + np.abs(slope)))
                if not apart.any():
                    break
            else:
                result &= ~(apart & decided(one, off, self.here) & decided(two, off2, self.here))
        return result

    def is_isolated(self) -> bool:
        """Whether a higher derivative is wrong at this very point only: kinks that cancel leave such a point behind.

        The gradients of |x| |x| and of max(x, 0) + log(1 + exp(-|x|)) are right at 0, but theirs are those of kinks.
        """
        if self.point.order == 1 or self.final:
            return False
        try:
            beside = self.point.beside(self.rng)
            return beside is None or _Comparison(beside, self.rng, final=True).run()[1]
        except GradientError:
            return False

    def not_a_number(self, u: np.ndarray, places: np.ndarray) -> None:
        """Accuse gradients that are not finite, of a function that is smooth."""
        for place in np.flatnonzero(places)[:3]:
            unit = np.zeros(self.x.size)
            unit[place] = 1
            slope, error = self.thorough(unit)
            if decided(slope, error, self.here).all():
                self.accuse(np.nan, float((u * slope).sum()))

    # What is said

    def accuse(self, a: float, n: float) -> None:
        jacobians = self.jacobians() if self.here.size * self.x.size <= ENTRIES else []
        for found in jacobians:
            if found.wrong.any():
                raise GradientError(describe(found, jacobians, None, self.point.engine), found.order, found.error())
        error = float(relative_error(a, n))
        raise GradientError(f"order {self.point.order}: along a random direction the derivative is {a:.9g} by "
                            f"{self.point.engine.rules} and {n:.9g} by central differences, relative error "
                            f"{error:.1e}: {verdict(error)}; no single entry of the Jacobian is as far off (or there "
                            "are too many to look at)", self.point.order, error)

    def jacobians(self) -> list[Jacobian]:
        """The derivative of every output in every input, by the rules and by differences; what is unknown agrees."""
        rows = np.array([flat(self.point.pulled(unit)) for unit in np.eye(self.here.size)])
        numeric, unknown = np.zeros(rows.shape), np.zeros(rows.shape, bool)
        for j, unit in enumerate(np.eye(self.x.size)):
            slope, error = quick(self.line(unit), self.here, self.scale, self.size)
            if not (np.abs(rows[:, j] - slope) <= AGREE * np.abs(slope) + 2 * error).all():
                slope, error = self.thorough(unit)
                unknown[:, j] = ~decided(slope, error, self.here)
            gap = np.abs(rows[:, j] - slope)
            unknown[:, j] |= gap <= WRONG * np.maximum(np.abs(slope), np.abs(rows[:, j])) + 4 * error
            numeric[:, j] = slope
        outputs = self.point.output_names or (["output"] if len(self.point.here) == 1 else
                                              [f"output {o} " for o in range(len(self.point.here))])
        found, top = [], 0
        for o, out in enumerate(self.point.here):
            left = 0
            for i, x in enumerate(self.point.arrays):
                part = np.s_[top:top + out.size, left:left + x.size]
                found.append(Jacobian(o, i, (outputs[o], self.point.names[i]), x, out.shape, rows[part], numeric[part],
                                      ~unknown[part], self.point.order))
                left += x.size
            top += out.size
        return found
