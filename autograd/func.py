"""`torch.func`: derivatives as functions of functions, and functions of one example made ones of many.

Beside `autograd.functional`, which has the same mathematics in the form of `torch.autograd.functional`. They may be
applied to one another. `vmap` calls the function for one example after the other: it saves writing, not time.
"""

import functools
from collections.abc import Callable
from typing import Any

from autograd import functional
from autograd.errors import ShapeError
from autograd.functional import _fresh, _grad, _result, _zeros_for_none, grad
from autograd.grad_mode import enable_grad, is_grad_enabled
from autograd.operations.joining import stack
from autograd.operations.shaping import movedim
from autograd.random import get_rng_state, set_rng_state
from autograd.tensor import Tensor

__all__ = ["grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "vjp", "vmap"]


def grad_and_value(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable:
    """The function that computes the pair (gradient, value) of `func`; see `autograd.functional.grad`.

    >>> grad_and_value(lambda x: (x ** 2).sum())(tensor([1.0, 2.0]))
    (tensor([2., 4.]), tensor(5.))
    """
    both = functional.value_and_grad(func, argnums, has_aux)

    @functools.wraps(func)
    def turned(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return gradient, value
    return turned


def vjp(func: Callable, *primals: Tensor, has_aux: bool = False) -> tuple:
    """(func(*primals), the function of a cotangent that computes its product with the Jacobian).

    The function takes a Tensor of the output's form (a tuple of them for several outputs), and returns one product for
    each of the primals. With `has_aux`, what func returns beside its output comes third.

    >>> y, pull_back = vjp(lambda x: x ** 2, tensor([1.0, 2.0]))
    >>> pull_back(tensor([1.0, 1.0]))
    (tensor([2., 4.]),)
    """
    differentiable = is_grad_enabled() and any(x.requires_grad for x in primals)
    inputs = _fresh(primals, differentiable, "the primals")
    with enable_grad():
        result = func(*inputs)
    outputs, *aux = result if has_aux else (result,)
    several = tuple(outputs) if isinstance(outputs, (tuple, list)) else (outputs,)

    def pull_back(*cotangents: Any, **options: Any) -> tuple[Tensor, ...]:
        vectors = cotangents[0] if len(cotangents) == 1 and isinstance(cotangents[0], (tuple, list)) else cotangents
        tracked = differentiable or any(v.requires_grad for v in vectors)
        with enable_grad():
            products = _grad(several, inputs, tuple(vectors), tracked, retain=True)
        return _result(_zeros_for_none(products, inputs, False, ""), tracked)
    shown = _result(several, differentiable)
    return (shown[0] if isinstance(outputs, Tensor) else shown, pull_back, *aux)


def jvp(func: Callable, primals: tuple[Tensor, ...], tangents: tuple[Tensor, ...], *, strict: bool = False,
        has_aux: bool = False) -> tuple:
    """(func(*primals), the Jacobian times the tangents).

    >>> jvp(lambda x: x ** 2, (tensor([1.0, 2.0]),), (tensor([1.0, 0.0]),))
    (tensor([1., 4.]), tensor([2., 0.]))
    """
    kept: list = []

    def without_aux(*args: Tensor) -> Any:
        if not has_aux:
            return func(*args)
        output, aux = func(*args)
        kept[:] = [aux]
        return output
    tracked = is_grad_enabled() and any(x.requires_grad for x in (*primals, *tangents))
    return (*functional.jvp(without_aux, tuple(primals), tuple(tangents), create_graph=tracked, strict=strict), *kept)


def jacrev(func: Callable, argnums: int | tuple[int, ...] = 0, *, has_aux: bool = False,
           chunk_size: int | None = None) -> Callable:
    """The function that computes the Jacobian of `func`, of shape (*output.shape, *input.shape).

    Args:
        func: returns a Tensor or a tuple of them, or with `has_aux` a pair of that and anything else.
        argnums: which argument (or arguments, as a tuple) to differentiate in.
        has_aux: return the pair (Jacobian, anything else).
        chunk_size: PyTorch's, and changes nothing.

    >>> jacrev(lambda x: x ** 2)(tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        kept: list = []

        def of_some(*some: Tensor) -> Any:
            given = list(args)
            for i, x in zip(numbers, some, strict=True):
                given[i] = x
            result = func(*given, **kwargs)
            if has_aux:
                result, aux = result
                kept[:] = [aux]
            return result
        inputs = tuple([args[i] for i in numbers])
        tracked = is_grad_enabled() and any(x.requires_grad for x in inputs)
        found = functional.jacobian(of_some, inputs if isinstance(argnums, tuple) else inputs[0], create_graph=tracked)
        return (found, *kept) if has_aux else found
    return jacobian


def jacfwd(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False, *,
           randomness: str = "error") -> Callable:
    """`jacrev`: there is one way to a Jacobian here, row by row."""
    return jacrev(func, argnums, has_aux=has_aux)


def hessian(func: Callable, argnums: int | tuple[int, ...] = 0) -> Callable:
    """The function that computes the Hessian of `func`: the Jacobian of its Jacobian.

    >>> hessian(lambda x: (x ** 3).sum())(tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacrev(jacrev(func, argnums), argnums)


def vmap(func: Callable, in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *,
         chunk_size: int | None = None) -> Callable:
    """The function of many examples that `func` is of one: called for each, and the results stacked.

    Args:
        func: takes Tensors, or lists, tuples and dictionaries of them; returns Tensors in the same ways.
        in_dims: along which axis the examples lie: for all arguments, or for each; None for what all have in common.
        out_dims: along which axis those of the result are to lie.
        randomness: whether `func` may draw random numbers: not ("error"), the same for each ("same"), or others
            ("different").
        chunk_size: PyTorch's, and changes nothing.

    Raises:
        ValueError: nothing is mapped over.
        ShapeError: the arguments have different numbers of examples.
        RuntimeError: `func` has drawn random numbers, and randomness is "error".

    >>> vmap(lambda x, y: (x * y).sum(), in_dims=(0, None))(tensor([[1.0, 2.0], [3.0, 4.0]]), tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    if randomness not in ("error", "same", "different"):
        raise ValueError(f"randomness={randomness!r} is none of 'error', 'same', 'different'")

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        dims = tuple(in_dims) if isinstance(in_dims, (tuple, list)) else (in_dims,) * len(args)
        if len(dims) != len(args):
            raise ValueError(f"in_dims has {len(dims)} entries, and there are {len(args)} arguments; give one for each")
        counts = {count for arg, dim in zip(args, dims, strict=True) for count in _counts(arg, dim)}
        counts |= {count for arg in kwargs.values() for count in _counts(arg, 0)}
        if len(counts) != 1:
            raise (ShapeError(f"the arguments have different numbers of examples: {sorted(counts)}") if counts else
                   ValueError("there is nothing to map over: in_dims is None for all arguments"))
        results = []
        start = get_rng_state()
        for i in range(counts.pop()):
            if randomness == "same":
                set_rng_state(start)
            results.append(func(*[_part(arg, dim, i) for arg, dim in zip(args, dims, strict=True)],
                                **{name: _part(arg, 0, i) for name, arg in kwargs.items()}))
            if randomness == "error" and bool((get_rng_state() != start).any()):
                raise RuntimeError("the function has drawn random numbers; say whether they are to be the same for all "
                                   "examples: randomness='same', or 'different'")
        if not results:
            raise ValueError("there is no example, so nothing to show what a result looks like")
        return _stacked(results, out_dims)
    return mapped


def _counts(arg: Any, dim: Any) -> list[int]:
    """How many examples the Tensors of an argument hold."""
    if isinstance(arg, dict):
        return [n for key, part in arg.items() for n in _counts(part, dim[key] if isinstance(dim, dict) else dim)]
    if isinstance(arg, (tuple, list)):
        each = dim if isinstance(dim, (tuple, list)) else [dim] * len(arg)
        return [n for part, d in zip(arg, each, strict=True) for n in _counts(part, d)]
    return [] if dim is None or not isinstance(arg, Tensor) else [arg.array.shape[dim]]


def _part(arg: Any, dim: Any, i: int) -> Any:
    """Example i of an argument."""
    if isinstance(arg, dict):
        return {key: _part(part, dim[key] if isinstance(dim, dict) else dim, i) for key, part in arg.items()}
    if isinstance(arg, (tuple, list)):
        each = dim if isinstance(dim, (tuple, list)) else [dim] * len(arg)
        return type(arg)([_part(part, d, i) for part, d in zip(arg, each, strict=True)])
    return arg if dim is None or not isinstance(arg, Tensor) else arg.select(dim, i)


def _stacked(results: list, dim: Any) -> Any:
    """Results of single examples as one, along `dim`."""
    first = results[0]
    if isinstance(first, dict):
        return {key: _stacked([r[key] for r in results], dim[key] if isinstance(dim, dict) else dim) for key in first}
    if isinstance(first, (tuple, list)):
        each = dim if isinstance(dim, (tuple, list)) else [dim] * len(first)
        return type(first)([_stacked([r[k] for r in results], d) for k, d in enumerate(each)])
    if not isinstance(first, Tensor):
        raise TypeError(f"a function under vmap returns Tensors, not {type(first).__name__}")
    return movedim(stack(results), 0, dim)
