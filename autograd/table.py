"""How an operation is declared: the table.

A declaration gives everything at once: the forward function on arrays, a derivative rule (vjp) for each argument, the
samples of the property tests, the function in `autograd`, the method on Tensor and the NumPy function that dispatches
to it:

    exp = operation(np.exp, vjps=lambda g, out, x: g * out, samples=numbers, numpy=np.exp)

A rule is plain NumPy notation. In an ordinary backward pass it runs on arrays, at NumPy's speed; to differentiate
again, the same text runs on Tensors and is recorded in its turn.
"""

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.calling import caller
from autograd.inplace import assign, reshape
from autograd.notation import Notation
from autograd.operation import Count, Operation
from autograd.tensor import Tensor

TABLE: dict[str, Operation] = {}
"""Every declared operation, by name."""
FUNCTIONS: dict[str, Callable] = {}
"""What `autograd` offers of the table: public name -> function."""
NUMPY: dict[Callable, Callable] = {}
"""NumPy function -> the function that it dispatches to."""


def operation(forward: Callable | None = None, *, vjps: Any = (), joint_vjp: Callable | None = None,
              composition: Callable | None = None, outputs: str | None = None, view: bool = False,
              samples: Callable | None = None, names: str | None = None, methods: str | None = None,
              operators: str = "", numpy: Any = (), inplace: bool = False, doc: str | None = None,
              flops: int | Count | None = None, multiply_adds: Count | None = None,
              notation: Notation | None = None, adds: Callable | None = None) -> Callable:
    """Declare an operation; with no `forward`, a decorator for it. Returns the function that users call.

    Args:
        forward: a function on arrays. Its positional parameters are the arguments (`*tensors` for any number of them),
            its keyword-only parameters are options, which callers may also give by position.
        vjps: the rules `vjp(g, out, *args, **options)`, one per argument: the gradient of that argument, given the
            gradient g of the output. None where there is no derivative. A single rule needs no tuple. What
            broadcasting stretched is summed by the engine, not here. The engine keeps for the backward pass what the
            rules' code reads, and nothing else.
        joint_vjp: instead, one rule that returns the gradients of all arguments. If its second parameter is called
            `kept`, it reads of what forward returned only what is beyond the outputs: these may be changed then.
        composition: the same function in other operations. With it, `joint_vjp` needs to know arrays only: second
            derivatives go through the composition, and the property tests prove both equal.
        outputs: names of the outputs, if forward returns a tuple; what it returns beyond them is for the rule alone.
            `"*"` where their number depends on the options.
        view: the output may share memory with the first argument.
        samples: example arguments for the property tests: a function of a `Draw`, see `autograd.testing`.
        names: names of the function in `autograd`, the first being the operation's own; default `forward.__name__`.
            A name with a leading underscore is not offered.
        methods: names of the methods of Tensor; default `names`, `""` for none.
        operators: Python's names of operators, such as `__add__ __radd__`.
        numpy: the NumPy function or functions that dispatch to this operation; where the arguments differ, a dict from
            NumPy's function to one of its form.
        inplace: offer the methods with a trailing underscore (and the operators with `=`) as well.
        doc: the docstring; default `forward.__doc__`.
        flops: the floating-point operations of a call, for `autograd.profile` and `nn.summary`: 0 for what only moves
            elements, or a function of the shapes of the arguments, the shape of the output, and the options. Default:
            two for each of `multiply_adds`; or else one for each element of the largest array, and 0 for a view.
        multiply_adds: of a product, how many multiplications with an addition it takes: such a function as well.
        notation: how it is written on paper, an `autograd.notation.Notation`; default: by its name.
        adds: `adds(total, g, *args, **options)` adds the gradient of the one argument to that of others, in place, for
            a `vjps` whose result is a new array that is mostly zeros: many parts of one array cost no more than the
            whole.

    Declared once more in a notebook, or by a module that is loaded again, an operation replaces the earlier one.

    Raises:
        ValueError: another operation has this name, or Tensor itself has an attribute of it.

    An operation with neither rule is a composition: `forward` is called with whatever the caller gave, and does its
    work by calling other operations.

    >>> cube = operation(lambda x: x * x * x, vjps=lambda g, out, x: 3 * g * x * x, names="cube")
    >>> cube(Tensor(2.0))
    tensor(8.)
    """
    if forward is None:
        declaration = {key: value for key, value in locals().items() if key != "forward"}
        return functools.partial(operation, **declaration)
    public = (names or forward.__name__).split()
    offered = [name for name in public if not name.startswith("_")]
    methods = offered if methods is None else methods.split()
    own = public[0].lstrip("_")
    op = Operation(forward, vjps if isinstance(vjps, tuple) else (vjps,), joint_vjp, composition, outputs, view,
                   samples, own, (*offered, *methods, own.removeprefix("linalg_"))[0], flops, multiply_adds, notation,
                   adds)
    inplaces = [f"{name}_" for name in methods if inplace]
    _make_room(public, [*methods, *inplaces, *operators.split()], op)
    TABLE[public[0]] = op
    op.call = call = caller(op)
    call.__name__ = call.__qualname__ = op.public
    call.__doc__ = doc or forward.__doc__
    call.__module__, call.__signature__, call.operation = op.declared[0], op.signature, op
    FUNCTIONS.update((name, call) for name in offered)
    if not isinstance(numpy, dict):
        numpy = dict.fromkeys(numpy if isinstance(numpy, tuple) else (numpy,), call)
    NUMPY.update(numpy)
    METHODS.update(dict.fromkeys([*methods, *inplaces, *operators.split()], op))
    _offer_methods(call, methods, operators.split(), inplace)
    return call


METHODS: dict[str, Operation] = {}
"""What declarations have made of Tensor: name -> the operation."""


def _make_room(public: list[str], methods: list[str], op: Operation) -> None:
    """Take an earlier declaration from the same place away; refuse names that belong to something else."""
    frame = sys._getframe(2)
    module = frame.f_globals.get("__name__")
    op.declared = (module, frame.f_lineno if "__file__" in frame.f_globals else None)
    earlier = TABLE.get(public[0])
    if earlier is not None:
        if earlier.declared != op.declared:
            raise ValueError(f"an operation named {public[0]!r} is declared already; choose another name")
        for names in (FUNCTIONS, NUMPY):
            for name in [name for name, call in names.items() if getattr(call, "operation", None) is earlier]:
                del names[name]
        for name in [name for name, owner in METHODS.items() if owner is earlier]:
            delattr(Tensor, name)
            del METHODS[name]
    for name in public:
        if name in FUNCTIONS:
            raise ValueError(f"autograd.{name} is the operation "
                             f"{FUNCTIONS[name].operation.name!r} already; choose another name")
    for name in methods:
        if name in vars(Tensor):
            raise ValueError(f"Tensor.{name} is an attribute of every Tensor already; choose another name, or offer no "
                             'method: methods=""')


def _offer_methods(call: Callable, methods: list[str], operators: list[str], inplace: bool) -> None:
    for name in methods:
        setattr(Tensor, name, call)
        if inplace:
            setattr(Tensor, name + "_", _inplace(call, name + "_"))
    for name in operators:
        if name.startswith("__r") and "__" + name[3:] in operators:
            setattr(Tensor, name, lambda self, other: call(other, self))
        else:
            setattr(Tensor, name, _or_not_equal(call) if name in ("__eq__", "__ne__") else call)
            if inplace:
                setattr(Tensor, "__i" + name[2:], _inplace(call, "__i" + name[2:]))


def _or_not_equal(call: Callable) -> Callable:
    """A comparison that leaves None and other foreign things to Python: they are not equal to any tensor."""
    comparable = (Tensor, np.ndarray, np.generic, float, int, list)
    return lambda self, other: call(self, other) if isinstance(other, comparable) else NotImplemented


def _inplace(call: Callable, name: str) -> Callable:
    finish = reshape if call.operation.view else assign

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return finish(self, call(self, *args, **kwargs))
    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{call.__name__}` in place."
    return method
