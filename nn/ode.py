"""Ordinary differential equations: a state that follows its derivative, as in Neural ODEs (Chen et al. 2018).

Names and meanings are torchdiffeq's.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Function, Tensor, as_tensor, enable_grad, no_grad
from autograd.errors import ShapeError
from autograd.function import once_differentiable
from autograd.typing import TensorLike
from nn.module import Module

Derivative = Callable[[Tensor, Tensor], Tensor]


class _Tableau:
    """A Runge-Kutta method (Butcher 1964): where it looks, how it goes on, and, if it has one, the error's weights."""

    def __init__(self, nodes: str, matrix: str, weights: str, lower: str | None = None) -> None:
        def numbers(text: str) -> list[float]:
            return [float(a) / float(b or 1) for a, _, b in (part.partition("/") for part in text.split())]
        self.nodes, self.weights = numbers(nodes), numbers(weights)
        self.matrix = [numbers(row) for row in matrix.split(";")]
        self.error = None if lower is None else [a - b for a, b in zip(self.weights, numbers(lower), strict=True)]

    def step(self, func: Derivative, t: Tensor, h: Tensor, y: Tensor, first: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The state at t + h, and the derivatives on the way, the first of which is known."""
        slopes, length = [first], h.to(y.dtype)
        for node, row in zip(self.nodes[1:], self.matrix[1:], strict=True):
            slopes.append(func(t + node * h, y + length * _combined(row, slopes)))
        return y + length * _combined(self.weights, slopes), slopes


def _combined(weights: Sequence[float], slopes: Sequence[Tensor]) -> Tensor:
    total: Any = 0
    for weight, slope in zip(weights, slopes, strict=True):
        total = total + weight * slope if weight else total
    return total


METHODS = {
    "euler": _Tableau("0", "", "1"),
    "midpoint": _Tableau("0 1/2", "; 1/2", "0 1"),
    "rk4": _Tableau("0 1/3 2/3 1", "; 1/3; -1/3 1; 1 -1 1", "1/8 3/8 3/8 1/8"),  # Kutta's rule of 3/8
    "dopri5": _Tableau(  # Dormand and Prince (1980); its last derivative is the first of the next step
        "0 1/5 3/10 4/5 8/9 1 1",
        "; 1/5; 3/40 9/40; 44/45 -56/15 32/9; 19372/6561 -25360/2187 64448/6561 -212/729;"
        "9017/3168 -355/33 46732/5247 49/176 -5103/18656; 35/384 0 500/1113 125/192 -2187/6784 11/84",
        "35/384 0 500/1113 125/192 -2187/6784 11/84 0",
        "5179/57600 0 7571/16695 393/640 -92097/339200 187/2100 1/40")}
"""By their names; those with an error choose their steps themselves."""


def odeint(func: Derivative, y0: TensorLike, t: TensorLike, *, rtol: float = 1e-7, atol: float = 1e-9,
           method: str = "dopri5", options: dict[str, Any] | None = None) -> Tensor:
    """The states at the times t, (T, *shape of y0), of dy/dt = func(t, y) with y = y0 at the first of them.

    Args:
        func: of a time and a state; a Module or a function.
        y0: the state at t[0].
        t: times (T,), rising or falling.
        rtol: of "dopri5": how large the error of a step may be beside the state.
        atol: of "dopri5": how large it may be beside 0.
        method: "dopri5", which chooses its steps, or "euler", "midpoint", "rk4", which take those between the times, or
            shorter ones.
        options: "step_size": the longest step of the latter; "max_num_steps": of the former, how many at most.

    It is differentiable as anything else: all steps are recorded. `odeint_adjoint` needs no memory for them.

    Raises:
        RuntimeError: "dopri5" needs too many steps, or the state is no longer finite.

    >>> odeint(lambda t, y: -y, tensor(1.0), tensor([0.0, 1.0, 2.0]))
    tensor([1.0000, 0.3679, 0.1353])
    """
    y, times = as_tensor(y0), as_tensor(t)
    y, times = (x if x.is_floating_point() else x.float() for x in (y, times))
    values = times.detach().numpy()
    if values.ndim != 1 or len(values) < 1:
        raise ShapeError(f"t holds times, (T,), not shape {values.shape}; write tensor([0.0, 1.0])")
    if len(values) > 1 and not ((np.diff(values) > 0).all() or (np.diff(values) < 0).all()):
        raise ValueError(f"the times must all rise, or all fall, not {values.tolist()}")
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(map(repr, METHODS))}, not {method!r}")
    allowed = {"max_num_steps"} if METHODS[method].error else {"step_size"}
    options = options or {}
    if options.keys() - allowed:
        raise ValueError(f"method {method!r} has the option {allowed.pop()!r}, not {sorted(options.keys() - allowed)}")
    steps = _adaptive if METHODS[method].error else _fixed
    states = steps(lambda t, y: _checked(func, t, y), y, times.double(), METHODS[method], rtol, atol, **options)
    return autograd.stack([y, *states])


def _checked(func: Derivative, t: Tensor, y: Tensor) -> Tensor:
    slope = func(t.to(y.dtype), y)  # times are added up in double precision
    if slope.shape != y.shape:
        raise ShapeError(f"func(t, y) must have the shape of y, {y.shape}, not {slope.shape}")
    return slope


def _fixed(func: Derivative, y: Tensor, times: Tensor, tableau: _Tableau, rtol: float, atol: float,
           step_size: float | None = None) -> Iterator[Tensor]:
    for start, end in itertools.pairwise(times):
        length = abs(float(end.detach()) - float(start.detach()))
        count = 1 if step_size is None else max(int(np.ceil(length / step_size - 1e-9)), 1)
        h = (end - start) / count
        for i in range(count):
            t = start + i * h
            y, _ = tableau.step(func, t, h, y, func(t, y))
        yield y


def _adaptive(func: Derivative, y: Tensor, times: Tensor, tableau: _Tableau, rtol: float, atol: float,
              max_num_steps: int = 2 ** 31 - 1) -> Iterator[Tensor]:
    """Steps that end at the times that are asked for; in between as long as the error allows."""
    t, slope = times[0], func(times[0], y)
    length = _first_length(func, times, y, slope, rtol, atol)
    steps = 0
    for end in times[1:]:
        now, last = float(t.detach()), float(end.detach())
        direction = np.sign(last - now)
        while now != last:
            steps += 1
            if steps > max_num_steps:
                raise RuntimeError(f"{max_num_steps} steps have come only to t = {now}; the equation is stiff, or the "
                                   "tolerances are too small")
            is_last = length >= abs(last - now) * (1 - 1e-9)
            h = end - t if is_last else as_tensor(np.asarray(direction * length))
            state, slopes = tableau.step(func, t, h, y, slope)
            error = float(h.detach()) * _combined(tableau.error or (), [s.detach() for s in slopes]).numpy()
            scale = atol + rtol * np.maximum(np.abs(y.detach().numpy()), np.abs(state.detach().numpy()))
            ratio = float(np.sqrt(np.mean((error / scale) ** 2))) if error.size else 0.0
            if not np.isfinite(ratio):
                if not np.isfinite(y.detach().numpy()).all() or length < abs(last - float(times[0].detach())) * 1e-12:
                    raise RuntimeError(f"the state is no longer finite at t = {now}")
                length = abs(float(h.detach())) / 10
                continue
            if ratio <= 1:
                t, y, slope = end if is_last else t + h, state, slopes[-1]
                now = last if is_last else float(t.detach())
            taken = abs(float(h.detach()))
            grown = taken * min(10.0, max(0.2, 0.9 * ratio ** -0.2 if ratio else 10.0))
            length = max(length, grown) if is_last and ratio <= 1 else grown  # a step cut short says nothing of longer
            if now + direction * length == now and now != last:
                raise RuntimeError(f"the steps have become too short to be taken at t = {now}; the equation is stiff, "
                                   "or the tolerances are too small")
        yield y


def _first_length(func: Derivative, times: Tensor, y: Tensor, slope: Tensor, rtol: float, atol: float) -> float:
    """A first step of about the right length (Hairer, Nørsett and Wanner 1993, II.4)."""
    with no_grad():
        values, first = y.detach().numpy(), slope.detach().numpy()
        scale = atol + rtol * np.abs(values)

        def size(x: np.ndarray) -> float:
            return float(np.sqrt(np.mean((x / scale) ** 2))) if x.size else 0.0
        state, moves = size(values), size(first)
        guess = 0.01 * state / moves if min(state, moves) > 1e-5 else 1e-6
        direction = 1.0 if len(times) < 2 or times[-1] > times[0] else -1.0
        h = guess * direction
        second = func(times[0].detach() + h, y.detach() + h * slope.detach()).detach().numpy()
        bends = size(second - first) / guess
        most = max(moves, bends)
        return min(100 * guess, (0.01 / most) ** 0.2 if most > 1e-15 else max(1e-6, guess * 1e-3))


def odeint_adjoint(func: Derivative, y0: TensorLike, t: TensorLike, *, rtol: float = 1e-7, atol: float = 1e-9,
                   method: str = "dopri5", options: dict[str, Any] | None = None,
                   adjoint_params: Sequence[Tensor] | None = None) -> Tensor:
    """`odeint` whose gradient solves the adjoint equation back in time, instead of going through the steps.

    The memory doesn't grow with the number of steps. The gradient is that of the exact solution, to the tolerances;
    that of `odeint` is that of the steps that were taken. It can be differentiated once.

    Args:
        func: of a time and a state; a Module, or a function with `adjoint_params`.
        y0: as of `odeint`.
        t: likewise.
        rtol: likewise, there and back.
        atol: likewise.
        method: likewise.
        options: likewise.
        adjoint_params: what func depends on and is to have gradients; default its parameters.

    >>> y0 = tensor(1.0, requires_grad=True)
    >>> odeint_adjoint(lambda t, y: -y, y0, tensor([0.0, 1.0]), adjoint_params=[])[-1].backward()
    >>> y0.grad
    tensor(0.3679)
    """
    if adjoint_params is None and not isinstance(func, Module):
        raise ValueError(f"func is no Module but a {type(func).__name__}, so its parameters can't be known; give "
                         "adjoint_params, a list of them that may be empty")
    params = list(func.parameters() if adjoint_params is None else adjoint_params)  # type: ignore[attr-defined]
    y, times = as_tensor(y0), as_tensor(t)
    solve = {"rtol": rtol, "atol": atol, "method": method, "options": options}
    return _Adjoint.apply(func, solve, times, y, *[p for p in params if p.requires_grad])


class _Adjoint(Function):
    """Pontryagin's adjoint: da/dt = -a · ∂f/∂y, and beside it what is to be added up for the parameters."""

    @staticmethod
    def forward(ctx: Any, func: Derivative, solve: dict[str, Any], times: Tensor, y0: Tensor,
                *params: Tensor) -> Tensor:
        states = odeint(func, y0, times, **solve)
        ctx.func, ctx.solve, ctx.params = func, solve, params
        ctx.save_for_backward(times, states, *params)  # parameters, too: if they are changed before it is noticed
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        times, states, *_ = ctx.saved_tensors
        params = ctx.params
        func, shape, size = ctx.func, states.shape[1:], states[0].numel()
        ends = np.cumsum([2 * size, *[p.numel() for p in params]])
        of_times = autograd.zeros_like(times)

        def backwards(t: Tensor, together: Tensor) -> Tensor:
            """The derivatives of the state, of the adjoint, and of what is added up for each parameter."""
            y, adjoint = (part.reshape(shape) for part in (together[:size], together[size:2 * size]))
            with enable_grad():
                y = y.detach().requires_grad_()
                slope = _checked(func, t, y)
                found = autograd.grad(slope, [y, *params], -adjoint, allow_unused=True) if slope.requires_grad else (
                    [None] * (1 + len(params)))
            parts = [autograd.zeros_like(of) if g is None else g for g, of in zip(found, [y, *params], strict=True)]
            return autograd.cat([part.detach().reshape(-1).to(y.dtype) for part in (slope, *parts)])

        adjoint, gathered = autograd.zeros_like(states[0]), [autograd.zeros_like(p) for p in params]
        for i in range(len(times) - 1, 0, -1):
            if ctx.needs_input_grad[2]:
                of_times[i] = (func(times[i], states[i]) * gradient[i]).sum()
            parts = states[i], adjoint + gradient[i], *gathered
            beginning = autograd.cat([part.reshape(-1).to(states.dtype) for part in parts])
            end = odeint(backwards, beginning, times[[i, i - 1]], **ctx.solve)[-1]
            adjoint = end[size:2 * size].reshape(shape)
            gathered = [end[first:last].reshape(p.shape) for p, first, last in
                        zip(params, ends[:-1], ends[1:], strict=True)]
        if ctx.needs_input_grad[2]:
            of_times[0] = -(func(times[0], states[0]) * adjoint).sum()
        return None, None, of_times, adjoint + gradient[0], *gathered
