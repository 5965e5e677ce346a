"""Rules that use curvature, for full batches: LBFGS, and Newton's method on exact Hessians."""

import math
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np

from autograd import Tensor, enable_grad, grad
from autograd.inplace import write
from optim.optimizer import Group, Optimizer, Params


class _AllAtOnce(Optimizer):
    """Sees all parameters as one vector."""

    elementwise = False
    numbers: ClassVar[dict[str, Any]] = {}

    def check(self, group: Group) -> None:
        """Refuse options out of their range; see `Optimizer.check`."""
        super().check(group)
        if self.param_groups:
            raise ValueError(f"{type(self).__name__} sees all parameters as one vector and has one group of options; "
                             "give a list of parameters")

    @property
    def _params(self) -> list[Tensor]:
        return self.param_groups[0]["params"]

    def _vector(self, arrays: list[np.ndarray | None]) -> np.ndarray:
        return np.concatenate([np.zeros(p.array.size, p.dtype) if a is None else np.ravel(a)
                               for p, a in zip(self._params, arrays, strict=True)])

    def _parts(self, vector: np.ndarray) -> list[np.ndarray]:
        ends = np.cumsum([p.array.size for p in self._params])
        return [part.reshape(p.shape) for p, part in zip(self._params, np.split(vector, ends[:-1]), strict=True)]

    def _position(self) -> np.ndarray:
        return self._vector([p.array for p in self._params])

    def _move_to(self, x: np.ndarray) -> None:
        for p, part in zip(self._params, self._parts(x), strict=True):
            write(p, ..., part)

    def _gradient(self) -> np.ndarray:
        return self._vector([None if p.grad is None else p.grad.array for p in self._params])

    def _needs_closure(self, closure: Callable | None) -> Callable:
        if closure is None:
            raise TypeError(f"{type(self).__name__}.step() needs a closure, since one step looks at several points: a "
                            "function that calls zero_grad(), computes the loss, calls backward() and returns the loss")
        return closure


class LBFGS(_AllAtOnce):
    """Limited-memory BFGS (Nocedal and Wright 2006, algorithms 7.4 and 7.5), optionally with a line search for the
    strong Wolfe conditions (algorithms 3.5 and 3.6). Deterministic, full-batch functions only.

        d = -H·g, with H⁻¹ built from the last pairs s = xₖ₊₁ - xₖ, y = gₖ₊₁ - gₖ
        x ← x + t·d

    One `step(closure)` makes up to `max_iter` iterations.

    Args:
        params: Tensors; one group only.
        lr: t, or where the line search begins.
        max_iter: iterations per step.
        max_eval: evaluations per step; None: 1.25·max_iter.
        tolerance_grad: stop when no |gᵢ| is larger.
        tolerance_change: stop when neither x nor the loss changes by more.
        history_size: how many pairs (s, y) are kept.
        line_search_fn: None, or "strong_wolfe", with which it hardly ever fails.

    >>> optimizer = LBFGS(model.parameters(), line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad(); value = loss(model(x), y); value.backward(); return value
    >>> before = optimizer.step(closure)
    """

    def __init__(self, params: Params, lr: float = 1, max_iter: int = 20, max_eval: int | None = None,
                 tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9, history_size: int = 100,
                 line_search_fn: Literal["strong_wolfe"] | None = None) -> None:
        max_eval = max_iter * 5 // 4 if max_eval is None else max_eval
        super().__init__(params, locals())

    def check(self, group: Group) -> None:
        """Refuse options out of their range; see `Optimizer.check`."""
        super().check(group)
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            self._refuse("line_search_fn", group["line_search_fn"], "must be None or 'strong_wolfe'")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make up to `max_iter` iterations; `closure` computes loss and gradients. Returns the loss at the start."""
        closure = self._needs_closure(closure)
        o, state = self.param_groups[0], self.state[self._params[0]]

        def evaluate() -> tuple[Any, np.ndarray]:
            with enable_grad():
                loss = closure()
            state["func_evals"] = state.get("func_evals", 0) + 1
            return loss, self._gradient()

        def along(t: float) -> tuple[float, np.ndarray]:
            self._move_to(x + t * d)
            loss, g = evaluate()
            return float(loss), g

        first_loss, g = evaluate()
        loss, x = float(first_loss), self._position()
        evaluations_before = state["func_evals"] - 1
        state.setdefault("n_iter", 0)
        for iteration in range(1, o["max_iter"] + 1):
            if np.abs(g).max(initial=0) <= o["tolerance_grad"]:
                break
            state["n_iter"] += 1
            d = self._direction(state, g)
            t = min(1.0, 1 / float(np.abs(g).sum())) * o["lr"] if state["n_iter"] == 1 else o["lr"]
            state.update(d=Tensor(d), prev_flat_grad=Tensor(g.copy()), prev_loss=loss, t=t)
            slope, before = float(g @ d), loss
            if slope > -o["tolerance_change"]:
                break
            if o["line_search_fn"]:
                left = o["max_eval"] - (state["func_evals"] - evaluations_before)
                loss, g, t = strong_wolfe(along, t, d, loss, g, slope, max_iter=left)
                state["t"] = t
            x = x + t * d
            self._move_to(x)
            if not o["line_search_fn"] and iteration < o["max_iter"]:
                new_loss, g = evaluate()
                loss = float(new_loss)
            if (state["func_evals"] - evaluations_before >= o["max_eval"] or abs(loss - before) < o["tolerance_change"]
                    or np.abs(t * d).max(initial=0) <= o["tolerance_change"]):
                break
        return first_loss

    def _direction(self, state: dict[str, Any], g: np.ndarray) -> np.ndarray:
        """-H·g by the two-loop recursion, after taking in the newest pair."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
            return -g
        y = g - state["prev_flat_grad"].array
        s = state["d"].array * state["t"]
        ys = float(y @ s)
        if ys > 1e-10:
            if len(state["ro"]) == self.param_groups[0]["history_size"]:
                for name in ("old_dirs", "old_stps", "ro"):
                    state[name].pop(0)
            state["old_dirs"].append(Tensor(y))
            state["old_stps"].append(Tensor(s))
            state["ro"].append(1 / ys)
            state["H_diag"] = ys / float(y @ y)
        pairs = [(y.array, s.array, rho)
                 for y, s, rho in zip(state["old_dirs"], state["old_stps"], state["ro"], strict=True)]
        d, alphas = -g, []
        for y, s, rho in reversed(pairs):
            alphas.append(rho * float(s @ d))
            d -= alphas[-1] * y
        d *= state["H_diag"]
        for (y, s, rho), alpha in zip(pairs, reversed(alphas), strict=True):
            d += (alpha - rho * float(y @ d)) * s
        return d


def cubic_minimum(x1: float, f1: float, g1: float, x2: float, f2: float, g2: float,
                  bounds: tuple[float, float] | None = None) -> float:
    """The minimum of the cubic through two points with two slopes, kept within bounds (Nocedal and Wright, 3.59)."""
    low, high = bounds or (min(x1, x2), max(x1, x2))
    if x1 > x2:
        x1, f1, g1, x2, f2, g2 = x2, f2, g2, x1, f1, g1
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1 * d1 - g1 * g2
    if square < 0:
        return (low + high) / 2
    d2 = math.sqrt(square)
    return min(max(x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2)), low), high)


Point = tuple[float, float, np.ndarray, float]  # t, loss, gradient, slope along d


def strong_wolfe(evaluate: Callable[[float], tuple[float, np.ndarray]], t: float, d: np.ndarray, f: float,
                 g: np.ndarray, slope: float, c1: float = 1e-4, c2: float = 0.9, tolerance_change: float = 1e-9,
                 max_iter: int = 25) -> tuple[float, np.ndarray, float]:
    """A step t along d with f(t) ≤ f + c₁·t·slope and |f'(t)| ≤ c₂·|slope|: its loss, gradient and t.

    Nocedal and Wright 2006, algorithms 3.5 (bracket) and 3.6 (zoom).
    """
    def at(t: float) -> Point:
        loss, gradient = evaluate(t)
        return t, loss, gradient, float(gradient @ d)

    def too_high(point: Point) -> bool:
        return point[1] > f + c1 * point[0] * slope

    def flat(point: Point) -> bool:
        return abs(point[3]) <= -c2 * slope

    previous, point = (0.0, f, g, slope), at(t)
    for count in range(max_iter):
        if too_high(point) or (count > 1 and point[1] >= previous[1]) or (point[3] >= 0 and not flat(point)):
            bracket = [previous, point]
            break
        if flat(point):
            return point[1], point[2], point[0]
        bounds = (point[0] + 0.01 * (point[0] - previous[0]), point[0] * 10)
        t = cubic_minimum(previous[0], previous[1], previous[3], point[0], point[1], point[3], bounds)
        previous, point = point, at(t)
    else:
        best = min((0.0, f, g, slope), point, key=lambda point: point[1])
        return best[1], best[2], best[0]

    size, stuck = float(np.abs(d).max()), False
    bracket.sort(key=lambda point: point[1])  # the lower first
    for _ in range(count, max_iter):
        low, high = bracket
        left, right = min(low[0], high[0]), max(low[0], high[0])
        if (right - left) * size < tolerance_change:
            break
        t = cubic_minimum(low[0], low[1], low[3], high[0], high[1], high[3])
        edge = 0.1 * (right - left)
        if min(right - t, t - left) < edge:  # too close to an end: once is let pass, twice is not
            if stuck or not left < t < right:
                t = right - edge if abs(t - right) < abs(t - left) else left + edge
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        point = at(t)
        if too_high(point) or point[1] >= low[1]:
            bracket = sorted([low, point], key=lambda point: point[1])
        elif flat(point):
            return point[1], point[2], point[0]
        else:
            bracket = [point, low if point[3] * (high[0] - low[0]) >= 0 else high]
    t, f, g, _ = bracket[0]
    return f, g, t


class Newton(_AllAtOnce):
    """Newton's method, x ← x - lr·H⁻¹g, with a backtracking line search (Nocedal and Wright 2006, chapters 3 and 7).

    The Hessian is exact: the engine differentiates twice. For small problems.

    Args:
        params: Tensors; one group only.
        lr: the first step tried, as a share of the full one.
        solver: "exact" builds the whole Hessian, n gradients of gradients for n numbers, and makes it positive
            definite where it is not by its eigenvalues' absolute values; "cg" solves H·d = -g by conjugate gradients
            on Hessian-vector products, and stops where the curvature is negative.
        cg_iter: the most conjugate-gradient iterations.
        cg_tolerance: relative size of the residual at which they stop.

    >>> optimizer = Newton(model.parameters())
    >>> before = optimizer.step(lambda: loss(model(x), y))  # the closure need not call backward()
    """

    def __init__(self, params: Params, lr: float = 1, solver: Literal["exact", "cg"] = "exact", cg_iter: int = 250,
                 cg_tolerance: float = 1e-10) -> None:
        super().__init__(params, locals())

    def check(self, group: Group) -> None:
        """Refuse options out of their range; see `Optimizer.check`."""
        super().check(group)
        if group["solver"] not in ("exact", "cg"):
            self._refuse("solver", group["solver"], "must be 'exact' or 'cg'")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make one step; `closure` computes the loss. Returns the loss at the start."""
        closure = self._needs_closure(closure)
        o, params = self.param_groups[0], self._params
        with enable_grad():
            loss = closure()
            gradients = grad(loss, params, create_graph=True, allow_unused=True)
        g = self._vector([None if part is None else part.array for part in gradients])
        recorded = [(part, p) for part, p in zip(gradients, params, strict=True) if part is not None and part.tracked]

        def curvature(v: np.ndarray) -> np.ndarray:
            """H·v."""
            directions = dict(zip(map(id, params), self._parts(v), strict=True))
            if not recorded:
                return np.zeros_like(v)
            parts = grad([part for part, _ in recorded], params, [Tensor(directions[id(p)]) for _, p in recorded],
                         retain_graph=True, allow_unused=True)
            return self._vector([None if part is None else part.array for part in parts])

        d = self._solved(curvature, g) if o["solver"] == "exact" else _conjugate_gradients(
            curvature, g, o["cg_iter"], o["cg_tolerance"])
        x, f, slope, t = self._position(), float(loss), float(g @ d), float(o["lr"])
        for _ in range(40):
            self._move_to(x + t * d)
            with enable_grad():
                new = float(closure())
            if new <= f + 1e-4 * t * slope or abs(t * slope) <= 1e-15 * abs(f):
                break
            t /= 2
        else:
            self._move_to(x)  # no progress is possible along d
        return loss

    @staticmethod
    def _solved(curvature: Callable, g: np.ndarray) -> np.ndarray:
        hessian = np.stack([curvature(e) for e in np.eye(g.size, dtype=g.dtype)])
        values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
        values = np.maximum(np.abs(values), np.finfo(g.dtype).eps * np.abs(values).max(initial=1e-30))
        return -(vectors @ ((vectors.T @ g) / values))


def _conjugate_gradients(curvature: Callable, g: np.ndarray, iterations: int, tolerance: float) -> np.ndarray:
    """About -H⁻¹g (Nocedal and Wright, algorithm 7.1)."""
    d, r = np.zeros_like(g), g.copy()
    p = -r
    enough = tolerance * float(np.linalg.norm(g))
    for i in range(iterations):
        rr = float(r @ r)
        if math.sqrt(rr) <= enough:
            break
        hp = curvature(p)
        bend = float(p @ hp)
        if bend <= 0:
            return -g if i == 0 else d
        d = d + rr / bend * p
        r = r + rr / bend * hp
        p = -r + float(r @ r) / rr * p
    return d
