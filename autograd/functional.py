"""Derivatives as functions of functions: gradients, products with Jacobians and Hessians, and these matrices whole.

`grad` and `value_and_grad` make a function of a function, as in JAX and `torch.func`; the others are those of
`torch.autograd.functional`: they take the function, its inputs (a Tensor, or a tuple of Tensors for several arguments)
and vectors of the same form, and `create_graph=True` makes the result differentiable in its turn. With `strict=True`
an output that does not depend on an input is an error, and not a derivative of zeros.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.backward import grad as gradients_of
from autograd.calling import alias
from autograd.creation import zeros_like
from autograd.grad_mode import enable_grad, is_grad_enabled
from autograd.operations.joining import stack
from autograd.tensor import Tensor

Tensors = Tensor | tuple[Tensor, ...]


def grad(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable:
    """The function that computes the gradient of `func`.

    Args:
        func: returns a Tensor of one element, or with `has_aux` a pair of it and anything else.
        argnums: which argument (or arguments, as a tuple) to differentiate in.
        has_aux: return the pair (gradient, anything else).

    >>> grad(lambda x, y: (x * y).sum(), argnums=1)(tensor([1.0, 2.0]), tensor([3.0, 4.0]))
    tensor([1., 2.])
    """
    both = value_and_grad(func, argnums, has_aux)

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, result = both(*args, **kwargs)
        return (result, value[1]) if has_aux else result
    return gradient


def value_and_grad(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable:
    """The function that computes the pair (value, gradient) of `func`; see `grad`. With `has_aux`, the value is the
    pair that `func` returned.

    Raises:
        RuntimeError: the value has more than one element.

    >>> value_and_grad(lambda x: (x ** 2).sum())(tensor([1.0, 2.0]))
    (tensor(5.), tensor([2., 4.]))
    """
    @functools.wraps(func)
    def both(*args: Any, **kwargs: Any) -> Any:
        numbers = argnums if isinstance(argnums, tuple) else (argnums,)
        args = list(args)
        differentiable = is_grad_enabled() and any(args[i].requires_grad for i in numbers)
        inputs = _fresh(tuple(args[i] for i in numbers), differentiable, "the arguments named by argnums")
        for i, x in zip(numbers, inputs, strict=True):
            args[i] = x
        with enable_grad():
            result = func(*args, **kwargs)
            value = result[0] if has_aux else result
            if not isinstance(value, Tensor) or value.numel() != 1:
                what = f"shape {value.shape}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
                raise RuntimeError("grad() needs a function that returns a Tensor of one element, this one returned "
                                   f"{what}; reduce it first, e.g. with .sum(), or use jacobian()")
            gradients = _grad((value,), inputs, None, differentiable)
        gradients = _zeros_for_none(gradients, inputs, False, "")
        value = _result((value,), differentiable)[0]
        return ((value, result[1]) if has_aux else value), (gradients if isinstance(argnums, tuple) else gradients[0])
    return both


def vjp(func: Callable, inputs: Tensors, v: Tensors | None = None, create_graph: bool = False,
        strict: bool = False) -> tuple[Tensors, Tensors]:
    """(func(*inputs), v' J): the vector v, of the outputs' form, times the Jacobian. One backward pass.

    `v` may be left out where the output is one element (it is 1).
    """
    inputs, one_input, outputs, one_output = _run(func, inputs, create_graph)
    vectors = _vectors(v, outputs, "outputs")
    with enable_grad():
        products = _grad(outputs, inputs, vectors, create_graph)
    products = _zeros_for_none(products, inputs, strict, "the outputs do not depend on")
    return _form(_result(outputs, create_graph), one_output), _form(_result(products, create_graph), one_input)


def jvp(func: Callable, inputs: Tensors, v: Tensors | None = None, create_graph: bool = False,
        strict: bool = False) -> tuple[Tensors, Tensors]:
    """(func(*inputs), J v): the Jacobian times the vector v, of the inputs' form.

    Two backward passes: u' J is linear in u, and its derivative in u along v is J v.
    Source: https://j-towns.github.io/2017/06/12/A-new-trick.html
    """
    inputs, _, outputs, one_output = _run(func, inputs, create_graph)
    vectors = _vectors(v, inputs, "inputs")
    with enable_grad():
        weights = tuple([zeros_like(out).requires_grad_() for out in outputs])
        pulled = _grad(outputs, inputs, weights, True)
        reached = [(g, u) for g, u in zip(pulled, vectors, strict=True) if g is not None and g.requires_grad]
        products = (_grad(tuple([g for g, _ in reached]), weights, tuple([u for _, u in reached]), create_graph)
                    if reached else (None,) * len(outputs))
    products = _zeros_for_none(products, outputs, strict, "the inputs have no influence on")
    return _form(_result(outputs, create_graph), one_output), _form(_result(products, create_graph), one_output)


def jacobian(func: Callable, inputs: Tensors, create_graph: bool = False, strict: bool = False,
             vectorize: bool = False) -> Any:
    """All derivatives of all outputs: a Tensor of shape (*output.shape, *input.shape).

    For several inputs a tuple of them; for several outputs a tuple of that. One backward pass for each element of the
    outputs (`vectorize` is PyTorch's, and changes nothing).
    """
    inputs, one_input, outputs, one_output = _run(func, inputs, create_graph)
    rows = []
    with enable_grad():
        for out in outputs:
            found = []
            for i in range(out.numel()):
                unit = np.zeros(out.shape, out.dtype)
                unit.reshape(-1)[i] = 1
                gradients = _grad((out,), inputs, (Tensor(unit),), create_graph, retain=True)
                found.append(_zeros_for_none(gradients, inputs, strict, "the outputs do not depend on"))
            columns = zip(*found, strict=True) if found else [()] * len(inputs)
            blocks = [_stacked(column, out.shape, x) for column, x in zip(columns, inputs, strict=True)]
            rows.append(_form(tuple(blocks), one_input))
    return _form(tuple(rows), one_output)


def hessian(func: Callable, inputs: Tensors, create_graph: bool = False, strict: bool = False,
            vectorize: bool = False) -> Any:
    """All second derivatives of a function with one output of one element: shape (*input.shape, *input.shape).

    For several inputs a tuple of tuples: [i][j] is differentiated first in input i, then in input j.
    """
    one_input = isinstance(inputs, Tensor)

    def first(*args: Tensor) -> Tensors:
        value = func(*args)
        _check_single(value, "hessian")
        gradients = _zeros_for_none(_grad((value,), args, None, True), args, strict, "the output does not depend on")
        return _form(gradients, one_input)
    return jacobian(first, inputs, create_graph, strict)


def vhp(func: Callable, inputs: Tensors, v: Tensors | None = None, create_graph: bool = False,
        strict: bool = False) -> tuple[Tensor, Tensors]:
    """(func(*inputs), v' H): the vector v, of the inputs' form, times the Hessian. A backward pass through a backward
    pass."""
    inputs, one_input, outputs, _ = _run(func, inputs, create_graph)
    _check_single(outputs[0] if len(outputs) == 1 else outputs, "vhp")
    vectors = _vectors(v, inputs, "inputs")
    with enable_grad():
        gradients = _zeros_for_none(_grad(outputs, inputs, None, True), inputs, strict, "the output does not depend on")
        pairs = [(g, u) for g, u in zip(gradients, vectors, strict=True) if g.requires_grad]
        products = (_grad(tuple([g for g, _ in pairs]), inputs, tuple([u for _, u in pairs]), create_graph)
                    if pairs else (None,) * len(inputs))
    products = _zeros_for_none(products, inputs, strict, "the gradient does not depend on")
    return _result(outputs, create_graph)[0], _form(_result(products, create_graph), one_input)


def hvp(func: Callable, inputs: Tensors, v: Tensors | None = None, create_graph: bool = False,
        strict: bool = False) -> tuple[Tensor, Tensors]:
    """(func(*inputs), H v): the Hessian times the vector v. The Hessian is symmetric, so this is `vhp`."""
    return vhp(func, inputs, v, create_graph, strict)


def _fresh(inputs: tuple, keep_history: bool, role: str) -> tuple[Tensor, ...]:
    """The inputs under nodes (or as leaves) of their own, so that gradients stop there."""
    for i, x in enumerate(inputs):
        if not isinstance(x, Tensor):
            raise TypeError(f"{role} must be Tensors, number {i} is a {type(x).__name__}")
    with enable_grad():
        return tuple([alias(x) if keep_history and x.requires_grad else x.detach().requires_grad_() for x in inputs])


def _run(func: Callable, inputs: Tensors, create_graph: bool) -> tuple:
    one_input = isinstance(inputs, Tensor)
    inputs = _fresh((inputs,) if one_input else tuple(inputs), create_graph, "the inputs")
    with enable_grad():
        outputs = func(*inputs)
    one_output = isinstance(outputs, Tensor)
    outputs = (outputs,) if one_output else tuple(outputs)
    for i, out in enumerate(outputs):
        if not isinstance(out, Tensor):
            raise TypeError(f"the function must return a Tensor or a tuple of them, its output {i} is a "
                            f"{type(out).__name__}")
    return inputs, one_input, outputs, one_output


def _vectors(v: Tensors | None, like: tuple[Tensor, ...], role: str) -> tuple[Tensor, ...]:
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"v may be left out only for a single element; the {role} have shapes "
                               f"{[x.shape for x in like]}, so pass v of that form")
        v = Tensor(np.ones_like(like[0].array))
    v = (v,) if isinstance(v, Tensor) else tuple(v)
    if [u.shape for u in v] != [x.shape for x in like]:
        raise RuntimeError(f"v must have the form of the {role}: their shapes are {[x.shape for x in like]}, those of "
                           f"v are {[u.shape for u in v]}")
    return v


def _grad(outputs: tuple, inputs: tuple, vectors: tuple | None, create_graph: bool, retain: bool = False) -> tuple:
    """`autograd.grad`, with None where there is nothing to differentiate."""
    vectors = (None,) * len(outputs) if vectors is None else vectors
    recorded = [(out, u) for out, u in zip(outputs, vectors, strict=True) if out.requires_grad]
    if not recorded:
        return (None,) * len(inputs)
    return gradients_of([out for out, _ in recorded], inputs, [u for _, u in recorded],
                        retain_graph=retain or create_graph, create_graph=create_graph, allow_unused=True)


def _zeros_for_none(gradients: tuple, like: tuple[Tensor, ...], strict: bool, why: str) -> tuple[Tensor, ...]:
    for i, g in enumerate(gradients):
        if g is None and strict:
            raise RuntimeError(f"{why} number {i} (shape {like[i].shape}); with strict=False its derivative is zeros")
    return tuple([zeros_like(x) if g is None else g for g, x in zip(gradients, like, strict=True)])


def _check_single(value: Any, name: str) -> None:
    if not isinstance(value, Tensor) or value.numel() != 1:
        what = f"shape {value.shape}" if isinstance(value, Tensor) else f"{len(value)} outputs"
        raise RuntimeError(f"{name}() needs a function that returns one Tensor of one element, this returned {what}")


def _stacked(rows: tuple, shape: tuple[int, ...], like: Tensor) -> Tensor:
    if not rows:
        return Tensor(np.zeros((*shape, *like.shape), like.dtype))
    return stack(rows).reshape((*shape, *like.shape))


def _result(tensors: tuple[Tensor, ...], create_graph: bool) -> tuple[Tensor, ...]:
    return tensors if create_graph else tuple([x.detach() for x in tensors])


def _form(tensors: tuple, single: bool) -> Any:
    return tensors[0] if single else tensors
