"""What must hold for every operation of the table, checked on the examples that its declaration draws."""

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.graph import Graph, grad
from autograd.operation import Operation
from autograd.tensor import Tensor
from autograd.testing.derivatives import check_derivatives
from autograd.testing.draw import Draw


def check_operation(op: Operation, draw: Draw) -> None:
    """Draw one example for an operation and check all that must hold on it.

    First and second derivatives against differences; float32 stays float32, in the result and in the gradients; inputs
    are not written to; the memory layout of inputs does not matter; the recorded graph gives the same result when it is
    run again; a fused operation equals its composition.

    Raises:
        AssertionError: something does not hold.
    """
    args, options = op.samples(draw)
    arrays, rebuild = flatten(args)

    def function(*tensors: Any) -> Any:
        return op.call(*rebuild(tensors), **options)

    result = outputs_of(function(*map(Tensor, arrays)))
    check_derivatives(function, arrays, order=2, seed=draw.integer(0, 99))
    _check_read_only(function, arrays, result)
    _check_layouts(function, arrays, result, draw)
    if "dtype" not in options:
        _check_float32(function, arrays, result)
    _check_graph(function, arrays)
    if op.composition:
        _check_composition(op, args, options, result)


def flatten(args: tuple) -> tuple[list[np.ndarray], Callable]:
    """The floating arrays among arguments and lists of arguments, and a function that puts others in their places."""
    arrays: list[np.ndarray] = []

    def places(value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            arrays.append(value)
            return len(arrays) - 1
        return [places(part) for part in value] if isinstance(value, list) else (value,)

    layout = [places(arg) for arg in args]

    def fill(place: Any, values: Any) -> Any:
        if isinstance(place, int):
            return values[place]
        return [fill(part, values) for part in place] if isinstance(place, list) else place[0]

    return arrays, lambda values: [fill(place, values) for place in layout]


def outputs_of(result: Any) -> list[np.ndarray]:
    """The arrays of one output or several."""
    return [out.array for out in (result if isinstance(result, (tuple, list)) else (result,))]


def _gradients(function: Callable, arrays: list[np.ndarray]) -> list[np.ndarray | None]:
    """The gradients of the sum of squares of all outputs."""
    tensors = [Tensor(x, requires_grad=True) for x in arrays]
    result = function(*tensors)
    outputs = [out for out in (result if isinstance(result, (tuple, list)) else (result,)) if out.requires_grad]
    if not outputs:
        return [None] * len(arrays)
    gradients = grad(outputs, tensors, [out.detach() for out in outputs], allow_unused=True)
    return [None if g is None else g.array for g in gradients]


def _check_read_only(function: Callable, arrays: list[np.ndarray], expected: list[np.ndarray]) -> None:
    guarded = [x.copy() for x in arrays]
    for x in guarded:
        x.flags.writeable = False  # whoever writes to it raises
    _same(outputs_of(function(*map(Tensor, guarded))), expected, "with read-only inputs")
    _gradients(function, guarded)


def _check_layouts(function: Callable, arrays: list[np.ndarray], expected: list[np.ndarray], draw: Draw) -> None:
    laid_out = [LAYOUTS[draw.choice(list(LAYOUTS))](x) for x in arrays]
    _same(outputs_of(function(*map(Tensor, laid_out))), expected, "with inputs of another memory layout")
    _same(_gradients(function, laid_out), _gradients(function, arrays),
          "as gradients of inputs of another memory layout")


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "contiguous": lambda x: x,
    "fortran": lambda x: np.array(x, order="F"),
    "every other": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
    "backwards": lambda x: np.flip(np.flip(x).copy()),
}
"""The same values, laid out differently in memory."""


def _check_float32(function: Callable, arrays: list[np.ndarray], expected: list[np.ndarray]) -> None:
    single = [x.astype(np.float32) for x in arrays]
    for out, reference in zip(outputs_of(function(*map(Tensor, single))), expected, strict=True):
        wanted = np.float32 if reference.dtype.kind == "f" else reference.dtype
        if arrays and out.dtype != wanted:
            raise AssertionError(f"float32 arguments gave a result of {out.dtype}")
    for i, g in enumerate(_gradients(function, single)):
        if g is not None and g.dtype != np.float32:
            raise AssertionError(f"the gradient of float32 argument {i} is {g.dtype}")


def _check_graph(function: Callable, arrays: list[np.ndarray]) -> None:
    result = function(*[Tensor(x, requires_grad=True) for x in arrays])
    for out in result if isinstance(result, (tuple, list)) else (result,):
        if out.requires_grad and out.node is not None:
            _same([Graph(out).forward()[out.node]], [out.array], "when the recorded graph runs again")


def _check_composition(op: Operation, args: tuple, options: dict, expected: list[np.ndarray]) -> None:
    arrays, rebuild = flatten(args)
    _, bound = op.bind(args, options)

    def composed(*tensors: Any) -> Any:
        return op.composition(*op.bind(tuple(rebuild(tensors)), options)[0], **bound)
    _same(outputs_of(composed(*map(Tensor, arrays))), expected, "by the composition")
    _same(_gradients(composed, arrays), _gradients(lambda *t: op.call(*rebuild(t), **options), arrays),
          "as gradients by the composition")


def _same(got: list, expected: list, when: str) -> None:
    for a, b in zip(got, expected, strict=True):
        if (a is None) != (b is None) or (a is not None and not (
                a.shape == b.shape and np.allclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True))):
            raise AssertionError(f"the result {when} is\n{a}\nand not\n{b}")
