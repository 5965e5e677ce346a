"""Operations of the user's own, in PyTorch's form: a class with a static `forward` and `backward`."""

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import watching
from autograd.grad_mode import mode, no_grad
from autograd.recording import pick_output, wrap
from autograd.tensor import Node, Outline, Tensor


class Context:
    """What `forward` leaves for `backward`: saved tensors, and any attribute set on it.

    Attributes:
        saved_tensors: what `save_for_backward` was given.
        needs_input_grad: for each argument of forward, whether its gradient is wanted.
    """

    def __init__(self) -> None:
        self.saved_tensors: tuple[Tensor | None, ...] = ()
        self.needs_input_grad: tuple[bool, ...] = ()
        self.not_differentiable: tuple[Tensor, ...] = ()
        self.dirty: tuple[Tensor, ...] = ()
        self.fills = True
        self._to_save: tuple[Tensor | None, ...] = ()

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors (arguments or results of forward) for backward, which finds them in `saved_tensors`."""
        self._to_save = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say that these outputs carry no gradient."""
        self.not_differentiable = tensors


    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say that forward has changed these arguments in place, and returns them: they become its results."""
        self.dirty = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (the default) or None for a result that nothing depends on."""
        self.fills = bool(value)


class Function:
    """An operation of your own: subclass it, write `forward` and `backward`, call `apply`.

    For a derivative in plain NumPy, `autograd.operation` is shorter. Here both work on Tensors: `forward(ctx, *args)`
    runs without recording; `backward(ctx, *gradients)` returns one gradient (or None) for each argument of forward. If
    it is written in Tensor operations, the result can be differentiated again.

    >>> class Cube(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x * x
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         x, = ctx.saved_tensors
    ...         return 3 * x * x * g
    >>> Cube.apply(tensor(2.0))
    tensor(8.)
    """

    @staticmethod
    def forward(ctx: Context, *args: Any, **kwargs: Any) -> Any:
        """What the operation does, on Tensors; nothing is recorded meanwhile."""
        raise NotImplementedError("a Function needs a static method forward(ctx, *args) that returns a Tensor")

    @staticmethod
    def backward(ctx: Context, *gradients: Any) -> Any:
        """The gradient of each argument of forward, given those of its results (zeros where none arrived)."""
        raise NotImplementedError("a Function needs a static method backward(ctx, *gradients) that returns a gradient "
                                  "(or None) for each argument of forward")

    @staticmethod
    def setup_context(ctx: Context, inputs: tuple, output: Any) -> Any:
        """Of a Function whose forward takes no ctx: keeps what backward needs, of the arguments and results."""
        raise NotImplementedError("a Function has setup_context(ctx, inputs, output) or a forward that begins with ctx")

    @classmethod
    def _run(cls, ctx: Context, args: tuple, kwargs: dict) -> Any:
        """forward, in the form in which the class has it."""
        if cls.setup_context is Function.setup_context:
            return cls.forward(ctx, *args, **kwargs)
        result = cls.forward(*args, **kwargs)
        cls.setup_context(ctx, args, result)
        return result

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Call forward and record it.

        Raises:
            TypeError: forward returned something other than Tensors.
        """
        if watching.watchers:
            return watching.told("function", cls, cls._apply, args, kwargs)
        return cls._apply(*args, **kwargs)

    @classmethod
    def _apply(cls, *args: Any, **kwargs: Any) -> Any:
        ctx = Context()
        tracked = tuple([isinstance(a, Tensor) and a.tracked for a in args])
        ctx.needs_input_grad = tracked
        with no_grad():
            result = cls._run(ctx, args, kwargs)
        results = result if isinstance(result, tuple) else (result,)
        for r in results:
            if not isinstance(r, Tensor):
                raise TypeError(f"{cls.__name__}.forward must return a Tensor or a tuple of them, not "
                                f"{type(r).__name__}")
        if not (mode.enabled and True in tracked):
            return result
        operation = _Application(cls, ctx, args, results)
        parents = tuple([(a.node or a) if t else None for a, t in zip(args, tracked, strict=True)])
        arrays = [a.array if isinstance(a, Tensor) else a for a in args]
        kept = tuple([None if t and ("argument", i) not in operation.saved else a
                      for i, (a, t) in enumerate(zip(arrays, tracked, strict=True))])
        outs = tuple([r.array if ("result", i) in operation.saved else Outline(r.array)
                      for i, r in enumerate(results)])
        if not isinstance(result, tuple):
            node = Node(operation, parents, kept, kwargs, outs[0], result.shape, result.dtype)
            made = wrap(result.array, node if result.dtype.kind == "f" else None)
            return _in_place(result, made) if any(result is d for d in ctx.dirty) else made
        node = Node(operation, parents, kept, kwargs, outs, None, None)
        return tuple([wrap(r.array) if any(r is n for n in ctx.not_differentiable)
                      else _in_place(r, pick_output(r.array, node, i)) if any(r is d for d in ctx.dirty)
                      else pick_output(r.array, node, i) for i, r in enumerate(results)])


def _in_place(changed: Tensor, result: Tensor) -> Tensor:
    """The argument that forward changed, which has the result's history from now on."""
    if changed.node is None and changed.tracked:
        raise RuntimeError("a leaf that requires gradients was changed in place by a Function; write x.clone() first, "
                           "or leave it as it is and return another tensor")
    changed.moves_to(result.node)
    changed.tracked = result.tracked
    return changed


class _Application:
    """One call of a Function, in the place of an entry of the table."""

    vjps, composition, outputs, view, keeps, many = (), None, None, False, True, sys.maxsize
    flops = multiply_adds = notation = adds = None
    unread = 0

    def __init__(self, function: type[Function], ctx: Context, args: tuple, results: tuple) -> None:
        self.function, self.ctx, self.name, self.fills = function, ctx, function.__name__, ctx.fills
        self.tensors = [isinstance(a, Tensor) for a in args]
        # Arguments and results are found again in the node, so that they know where they came from: only there, or a
        # result would keep itself alive.
        self.saved: list[Any] = [next((("argument", i) for i, a in enumerate(args) if a is t), None)
                      or next((("result", i) for i, r in enumerate(results) if r is t), None) or ("other", t)
                      for t in ctx._to_save]
        self.origins = [(a.node or a) if isinstance(a, Tensor) and a.tracked else None for a in args]
        ctx._to_save = ()

    def read_by_rules(self, tracked: list[bool]) -> list[bool]:
        return [("argument", i) in self.saved for i in range(len(tracked))]

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        tensors = [wrap(a, None) if is_tensor else a for a, is_tensor in zip(args, self.tensors, strict=True)]
        result = self.function._run(Context(), tuple(tensors), kwargs)
        return tuple([r.array for r in result]) if isinstance(result, tuple) else result.array

    def joint_vjp(self, g: Any, out: Any, *args: Any, needs_input_grad: tuple[bool, ...], **kwargs: Any) -> list:
        gradients = g if isinstance(g, tuple) else (g,)
        differentiable = any(isinstance(part, Tensor) for part in gradients)
        # `backward` may write into what it gets: others have the same array.
        copies = [part if part is None else part.clone() if isinstance(part, Tensor) else wrap(np.array(part))
                  for part in gradients]
        # A saved argument knows where it came from, and a leaf is itself: `backward` may compute anew, and ask for the
        # derivative in it.
        origins = self.origins
        found = {"argument": [o if isinstance(o, Tensor) and not isinstance(a, Tensor) else _tensor(a, o)
                              for a, o in zip(args, origins, strict=True)],
                 "result": out if isinstance(out, tuple) else (out,)}
        self.ctx.saved_tensors = tuple([_tensor(found[kind][which]) if kind in found else which
                                        for kind, which in self.saved])
        self.ctx.needs_input_grad = needs_input_grad
        result = self.function.backward(self.ctx, *copies)
        self.ctx.saved_tensors = ()
        result = result if isinstance(result, tuple) else (result,)
        if len(result) != len(args):
            raise RuntimeError(f"{self.name}.backward returned {len(result)} gradients, but forward has {len(args)} "
                               "arguments; return one for each, None where there is none")
        for i, r in enumerate(result):
            if not (r is None or isinstance(r, (Tensor, np.ndarray))):
                raise TypeError(f"{self.name}.backward returned a {type(r).__name__} for argument {i}; a gradient is a "
                                "Tensor of the argument's shape, or None")
        return [r if differentiable or not isinstance(r, Tensor) else r.array for r in result]


def _tensor(value: Any, origin: Any = None) -> Any:
    return value if value is None or isinstance(value, Tensor) else wrap(value, origin)


class _Twice(Function):
    """Hands on the gradients of a backward that can be differentiated once; their own derivatives are refused."""

    @staticmethod
    def forward(ctx: Context, count: int, *tensors: Any) -> Any:
        return tuple([tensor.detach() for tensor in tensors[:count]])

    @staticmethod
    def backward(ctx: Context, *gradients: Any) -> Any:
        raise RuntimeError("this derivative goes twice through a Function whose backward is marked with "
                           "@once_differentiable; write that backward in Tensor operations, and leave out the mark")


def once_differentiable(function: Callable) -> Callable:
    """For a `backward` that computes with bare numbers: its result is refused to a second derivative.

    >>> class Double(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return x * 2
    ...     @staticmethod
    ...     @once_differentiable
    ...     def backward(ctx, g):
    ...         return tensor(g.numpy() * 2)
    """
    @functools.wraps(function)
    def backward(ctx: Context, *gradients: Any) -> Any:
        with no_grad():
            result = function(ctx, *[g.detach() if isinstance(g, Tensor) else g for g in gradients])
        results = result if isinstance(result, tuple) else (result,)
        where = [i for i, r in enumerate(results) if isinstance(r, Tensor) and r.array.dtype.kind == "f"]
        marked = dict(zip(where, _Twice.apply(len(where), *[results[i] for i in where], *gradients), strict=True))
        return tuple([marked.get(i, r) for i, r in enumerate(results)])
    return backward
