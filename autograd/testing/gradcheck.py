"""One point, compared with plain central differences: `numeric_gradient`, PyTorch's `gradcheck` and `gradgradcheck`.

What they find they say; a coarse step or a kink is for you to judge, as in PyTorch. The tests that choose their points
themselves compare otherwise: see `derivatives`.

Source: Stanford CS231n, Neural Networks 3, Gradient checks; names and meanings of `gradcheck` are PyTorch's.
"""

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd.backward import grad
from autograd.tensor import Tensor
from autograd.testing.diagnosis import GradientError, Jacobian, describe, relative_error, verdict

STEP = 1e-6
"""Of the central difference: the error of truncation, of order STEP², stays below that of rounding, 1e-16/STEP."""

Allowed = Callable[[Any, Any], Any]
"""From the derivative by the rules and by differences to whether they agree, element by element."""


def numeric_gradient(f: Callable[[Any], Any], x: Any, h: float = STEP) -> np.ndarray:
    """The gradient of a number by central differences, (f(x + h) - f(x - h)) / 2 h in each element of x.

    >>> numeric_gradient(lambda x: (x ** 2).sum(), np.array([1.0, 2.0]))
    array([2., 4.])
    """
    x = x.detach() if isinstance(x, Tensor) else np.asarray(x, np.float64)
    found = np.zeros(x.shape)
    for i, unit in zip(np.ndindex(x.shape), units(x.shape), strict=True):
        ahead, behind = (np.asarray(value.array if isinstance(value, Tensor) else value)
                         for value in (f(x + h * unit), f(x - h * unit)))
        if ahead.size != 1:
            raise ValueError("numeric_gradient needs a function that returns one number; this one returned an array "
                             f"of shape {ahead.shape}: sum it, or take its mean")
        found[i] = (ahead - behind).item() / (2 * h)
    return found


def gradcheck(func: Callable[..., Any], inputs: Any, *, eps: float = STEP, atol: float = 1e-5, rtol: float = 1e-3,
              raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True,
              check_grad_dtypes: bool = False, fast_mode: bool = False, **unavailable: Any) -> bool:
    """Compare the gradients of `func` with central differences, (f(x + eps) - f(x - eps)) / 2 eps.

    Args:
        func: Tensors to a Tensor, or to several of them.
        inputs: a Tensor or a sequence; those that require gradients are checked, and should be float64.
        eps: the step.
        atol: differences up to atol + rtol * |numeric| are allowed.
        rtol: see atol.
        raise_exception: raise what was found; otherwise return False.
        nondet_tol: by how much two runs on the same input may differ.
        check_undefined_grad: of several outputs, check each alone, the others without a gradient.
        check_grad_dtypes: a gradient must have the dtype of its input.
        fast_mode: compare along one random direction in the place of every entry of the Jacobian.
        unavailable: PyTorch's options for what gradcircuit does not have (batched and forward-mode gradients, sparse
            tensors); anything but their defaults is refused.

    Raises:
        GradientError: which output, input and element, both numbers, the relative error and the likely cause.
        ValueError: no input requires gradients.

    >>> gradcheck(autograd.sin, autograd.tensor([1.0, 2.0], dtype=autograd.float64, requires_grad=True))
    True
    """
    _refuse(unavailable)
    point = _point(func, inputs)
    return _outcome(lambda: _check_point(point, eps, atol, rtol, nondet_tol, check_undefined_grad, check_grad_dtypes,
                                         fast_mode), raise_exception)


def gradgradcheck(func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, eps: float = STEP,
                  atol: float = 1e-5, rtol: float = 1e-3, gen_non_contig_grad_outputs: bool = False,
                  raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True,
                  check_grad_dtypes: bool = False, fast_mode: bool = False, **unavailable: Any) -> bool:
    """Compare the gradients of the gradients of `func` with central differences of its gradients.

    Args:
        func: as for `gradcheck`.
        inputs: as for `gradcheck`.
        grad_outputs: dL/d(output) for each output, where the gradient is taken; by default random.
        gen_non_contig_grad_outputs: make the random ones non-contiguous.
        eps, atol, rtol, raise_exception, nondet_tol, check_undefined_grad, check_grad_dtypes, fast_mode, unavailable:
            as for `gradcheck`.

    Raises:
        GradientError: as for `gradcheck`, at order 2.

    >>> gradgradcheck(autograd.sin, autograd.tensor([1.0, 2.0], dtype=autograd.float64, requires_grad=True))
    True
    """
    _refuse(unavailable)
    point = _point(func, inputs)

    def check() -> None:
        outputs = point.outputs()
        if grad_outputs is None:
            rng = np.random.default_rng(0)
            step = 2 if gen_non_contig_grad_outputs else 1
            given = [rng.standard_normal((*out.shape, step)).astype(out.dtype)[..., 0] for out in outputs]
        else:
            several = grad_outputs if isinstance(grad_outputs, (tuple, list)) else [grad_outputs]
            given = [np.zeros(out.shape) if g is None else g.array for out, g in zip(outputs, several, strict=True)]
        _check_point(point.gradient(given), eps, atol, rtol, nondet_tol, check_undefined_grad, check_grad_dtypes,
                     fast_mode)
    return _outcome(check, raise_exception)


class Point:
    """A function at a point: its values there and beside it, and its gradients by the rules.

    Args:
        function: Tensors to a Tensor or several.
        inputs: what to call it with.
        wrt: the Tensors to differentiate by: among the inputs, or known to the function otherwise. They are moved by
            giving them another array, so that the function sees it whichever way it knows them.
        order: the order of the derivatives that are checked here.
        names: of `wrt`.
        outputs: names of the outputs.
    """

    def __init__(self, function: Callable, inputs: Sequence[Any], wrt: Sequence[Tensor], order: int = 1,
                 names: Sequence[str] | None = None, outputs: Sequence[str] | None = None) -> None:
        self.function, self.inputs, self.wrt, self.order = function, list(inputs), list(wrt), order
        self.names = list(names) if names else [f"input {i}" for i in range(len(wrt))]
        self.output_names = outputs

    def outputs(self) -> list[Tensor]:
        """The floating outputs."""
        result = self.function(*self.inputs)
        several = result if isinstance(result, (tuple, list)) else (result,)
        return [out for out in several if isinstance(out, Tensor) and out.dtype.kind == "f"]

    def arrays(self) -> list[np.ndarray]:
        """The values of the outputs."""
        return [out.array for out in self.outputs()]

    def beside(self, directions: dict[int, np.ndarray], step: float) -> list[np.ndarray]:
        """The values of the outputs with some of `wrt` moved by `step` along their directions."""
        with moved([self.wrt[i] for i in directions],
                   [self.wrt[i].array + step * d for i, d in directions.items()]):
            return self.arrays()

    def slope(self, directions: dict[int, np.ndarray], step: float) -> list[np.ndarray]:
        """The central difference quotient of each output along these directions."""
        ahead, behind = self.beside(directions, step), self.beside(directions, -step)
        return [(np.asarray(a, np.float64) - b) / (2 * step) for a, b in zip(ahead, behind, strict=True)]

    def one_sided(self, directions: dict[int, np.ndarray], step: float) -> tuple[list, list]:
        """The difference quotients ahead and behind."""
        here, ahead, behind = self.arrays(), self.beside(directions, step), self.beside(directions, -step)
        return ([(a - h) / step for a, h in zip(ahead, here, strict=True)],
                [(h - b) / step for b, h in zip(behind, here, strict=True)])

    def pull_back(self, cotangents: Sequence[Any], outputs: list[Tensor] | None = None) -> list[np.ndarray]:
        """The gradients of <cotangents, outputs> in each of `wrt` by the rules; None among the cotangents is no
        gradient."""
        outputs = self.outputs() if outputs is None else outputs
        return [g.array for g in _gradients(outputs, self.wrt, cotangents, create_graph=False)]

    def gradient(self, cotangents: Sequence[np.ndarray]) -> "Point":
        """The function (inputs, cotangents) -> gradients, at this point."""
        count = len(self.inputs)
        leaves = [Tensor(u, requires_grad=True) for u in cotangents]

        def gradient(*args: Any) -> tuple[Tensor, ...]:
            outputs = Point(self.function, args[:count], self.wrt).outputs()
            return tuple(_gradients(outputs, self.wrt, args[count:], create_graph=True))
        return Point(gradient, [*self.inputs, *leaves], [*self.wrt, *leaves], self.order + 1,
                     [*self.names, *(f"cotangent {i}" for i in range(len(leaves)))],
                     [f"gradient of {name} " for name in self.names])

    def jacobians(self, step: float, allowed: Allowed, which: Sequence[int]) -> list[Jacobian]:
        """The derivative of every output in those of `wrt`, by the rules and by differences."""
        outputs = self.outputs()
        names = self.output_names or (["output"] if len(outputs) == 1 else [f"output {o} " for o in
                                                                            range(len(outputs))])
        numeric = {i: [self.slope({i: unit}, step) for unit in units(self.wrt[i].shape)] for i in which}
        found = []
        for o, out in enumerate(outputs):
            rows = [self.pull_back([u if p == o else None for p in range(len(outputs))], outputs)
                    for u in units(out.shape)]
            for i in which:
                size = (out.numel(), self.wrt[i].numel())
                analytic = np.array([row[i] for row in rows], np.float64).reshape(size)
                quotient = np.array([column[o] for column in numeric[i]]).reshape(size[::-1]).T
                found.append(Jacobian(o, i, (names[o], self.names[i]), self.wrt[i].array, out.shape, analytic, quotient,
                                      ~np.asarray(allowed(analytic, quotient)), self.order))
        return found


def _gradients(outputs: list[Tensor], wrt: Sequence[Tensor], cotangents: Sequence[Any], create_graph: bool
               ) -> list[Tensor]:
    """The gradients, zero where nothing arrives."""
    pairs = [(out, u) for out, u in zip(outputs, cotangents, strict=True) if u is not None and out.requires_grad]
    found: Sequence[Tensor | None] = [None] * len(wrt)
    if pairs:
        found = grad([out for out, _ in pairs], wrt, [u for _, u in pairs], retain_graph=True,
                     create_graph=create_graph, allow_unused=True)
    return [Tensor(np.zeros(x.shape, x.dtype)) if g is None else g for g, x in zip(found, wrt, strict=True)]


@contextlib.contextmanager
def moved(tensors: Sequence[Tensor], arrays: Sequence[Any]) -> Iterator[None]:
    """Let tensors have other values for a while, without writing to their memory."""
    before = [t.array for t in tensors]
    try:
        for t, array in zip(tensors, arrays, strict=True):
            t.array = np.asarray(array, t.dtype)
        yield
    finally:
        for t, array in zip(tensors, before, strict=True):
            t.array = array


def units(shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """The unit arrays of a shape, a 1 in each place in turn."""
    for i in range(int(np.prod(shape, dtype=int))):
        unit = np.zeros(shape)
        unit.reshape(-1)[i] = 1
        yield unit


def _check_point(point: Point, eps: float, atol: float, rtol: float, nondet_tol: float, undefined: bool, dtypes: bool,
                 fast: bool) -> None:
    _check_repeatable(point, nondet_tol)

    def allowed(a: Any, n: Any) -> Any:
        return np.abs(a - n) <= atol + rtol * np.abs(n)
    outputs = point.outputs()
    rng = np.random.default_rng(0)
    cotangents = [rng.standard_normal(out.shape) for out in outputs]
    if dtypes:
        for name, x, g in zip(point.names, point.wrt, point.pull_back(cotangents, outputs), strict=True):
            if g.dtype != x.dtype:
                raise GradientError(f"the gradient of {name} is {g.dtype}, the input {x.dtype}")
    if not fast:
        _raise_wrong(point, point.jacobians(eps, allowed, range(len(point.wrt))), eps)
        return
    alone = [[u if p == o else None for p in range(len(outputs))] for o, u in enumerate(cotangents)]
    for chosen in alone if undefined else [cotangents]:
        _check_direction(point, chosen, rng, eps, allowed)


def _check_repeatable(point: Point, tolerance: float) -> None:
    """The function leaves its inputs alone and does the same twice, forward and back."""
    tensors = [x for x in point.inputs if isinstance(x, Tensor)]
    before = [np.array(x.array) for x in tensors]
    outputs = point.outputs()
    for i, (x, old) in enumerate(zip(tensors, before, strict=True)):
        if not np.array_equal(x.array, old, equal_nan=old.dtype.kind == "f"):
            raise GradientError(f"the function changes its input {i} in place: it was\n{old}\nand is\n{x.array}\n"
                                "write to a copy, x.clone(), or use the function without underscore")
    again = point.outputs()
    ones = [np.ones(out.shape) for out in outputs]
    pairs = [("output", out.array, other.array) for out, other in zip(outputs, again, strict=True)]
    pairs += [(f"gradient of {name}", a, b) for name, a, b in zip(
        point.names, point.pull_back(ones, outputs), point.pull_back(ones, again), strict=True)]
    for what, a, b in pairs:
        gap = float(np.nan_to_num(np.abs(a - b)).max(initial=0))
        if gap > tolerance:
            raise GradientError(f"two runs on the same inputs give {what} that differ by {gap:.3g} (allowed: "
                                f"nondet_tol={tolerance:g}); no difference quotient can be taken of a random "
                                "function: seed it inside, or switch it off (dropout: eval())")


def _check_direction(point: Point, cotangents: Sequence[Any], rng: np.random.Generator, step: float, allowed: Allowed
                     ) -> None:
    """Compare along one random direction of all inputs."""
    gradients = point.pull_back(cotangents)
    for name, x, g in zip(point.names, point.wrt, gradients, strict=True):
        if g.shape != x.shape:
            raise GradientError(f"order {point.order}: the gradient of {name} has shape {g.shape}, the input {x.shape}")
    directions = {i: rng.standard_normal(x.shape) for i, x in enumerate(point.wrt)}
    analytic = float(sum(np.vdot(g, directions[i]) for i, g in enumerate(gradients)))
    numeric = float(sum(np.vdot(u, slope) for u, slope in zip(cotangents, point.slope(directions, step), strict=True)
                        if u is not None))
    if allowed(analytic, numeric):
        return
    used = [(u, out) for u, out in zip(cotangents, point.arrays(), strict=True) if u is not None]
    if sum(u.size for u, _ in used) * sum(x.numel() for x in point.wrt) <= 100_000:
        _raise_wrong(point, point.jacobians(step, allowed, range(len(point.wrt))), step)
    error = float(relative_error(analytic, numeric))
    raise GradientError(f"order {point.order}: along a random direction the derivative is {analytic:.9g} by the rules "
                        f"and {numeric:.9g} by central differences, relative error {error:.1e}: {verdict(error)}; "
                        "no single entry of the Jacobian is as far off (or there are too many to look at)",
                        point.order, error)


def _raise_wrong(point: Point, jacobians: list[Jacobian], step: float) -> None:
    """Raise for the wrong entries, if there are any."""
    for found in [j for j in jacobians if j.wrong.any()]:
        columns = np.flatnonzero(found.wrong.any(axis=0))
        kinds = {column: _kink_at(point, found, int(column), step) for column in columns}
        on_kinks = [column for column, kind in kinds.items() if kind]
        if len(on_kinks) < len(kinds):  # what is wrong elsewhere than on a kink comes first
            found.wrong[:, on_kinks] = False
        kink = next(iter(kinds.values())) if len(on_kinks) == len(kinds) else None
        raise GradientError(describe(found, jacobians, kink), found.order, found.error())


def _kink_at(point: Point, found: Jacobian, column: int, step: float) -> str | None:
    """What is not smooth there in that element of an input; single precision would look like it."""
    if found.x.dtype.itemsize < 8:
        return None
    unit = np.zeros(found.x.shape)
    unit.reshape(-1)[column] = 1
    wrong = found.wrong[:, column].reshape(found.shape)
    return _kink(point, {found.input: unit}, step, lambda outputs: np.asarray(outputs[found.output])[wrong])


def _kink(point: Point, directions: dict[int, np.ndarray], step: float, of: Callable[[list], np.ndarray]
          ) -> str | None:
    """What is not smooth along these directions: the one-sided quotients do not meet as the step shrinks."""
    (ahead, behind), (ahead4, behind4) = (
        [of(side) for side in point.one_sided(directions, h)] for h in (step, step / 4))
    gap, gap4 = np.abs(ahead - behind), np.abs(ahead4 - behind4)
    size, size4 = (1 + np.maximum(np.abs(p), np.abs(q)) for p, q in ((ahead, behind), (ahead4, behind4)))
    jump = size4 > 3 * size  # of the function itself: at order 1 that is no kink, but a function without a derivative
    kink = (gap4 > 1e-4 * size) & (gap4 > 0.6 * gap) & ~jump  # a smooth function's gap shrinks with the step
    if not kink.all() and not (point.order > 1 and jump.all()):
        return None
    k = int(np.argmax(gap))
    return (f"a kink: the difference quotient is {ahead[k]:.6g} ahead of this point and {behind[k]:.6g} behind it, "
            "however small the step, so that there is no derivative; check away from it")


def _outcome(check: Callable[[], None], raise_exception: bool) -> bool:
    try:
        check()
    except GradientError:
        if raise_exception:
            raise
        return False
    return True


def _point(func: Callable, inputs: Any) -> Point:
    inputs = list(inputs) if isinstance(inputs, (tuple, list)) else [inputs]
    checked = [(i, x) for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    if not checked:
        raise ValueError("gradcheck needs at least one input Tensor that requires gradients; write "
                         "tensor(values, dtype=autograd.float64, requires_grad=True)")
    for i, x in checked:
        if x.dtype != np.float64:
            warnings.warn(f"input {i} is {x.dtype}: its rounding is about as large as the differences that gradcheck "
                          "takes, so this will probably fail; use float64 (x.double())", stacklevel=3)
    return Point(func, inputs, [x for _, x in checked], names=[f"input {i}" for i, _ in checked])


def _refuse(unavailable: dict[str, Any]) -> None:
    known = {"check_batched_grad": False, "check_batched_forward_grad": False, "check_forward_ad": False,
             "check_backward_ad": True, "check_fwd_over_rev": False, "check_rev_over_rev": True, "masked": None}
    for name, value in unavailable.items():
        if name not in known:
            raise TypeError(f"gradcheck() has no option '{name}'")
        if value not in (known[name], None) and not (name == "masked" and value is False):
            raise ValueError(f"{name}={value!r} is not offered: gradcircuit has reverse mode and "
                             "dense tensors only; leave it out")
