"""An operation, and what calling it does: run the forward function, promote types, record a Node."""

import collections
import difflib
import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import dtypes
from autograd.grad_mode import mode
from autograd.inplace import check_current, superseded
from autograd.reads import ARRAY, NOTHING, OUTLINE, what_it_reads
from autograd.tensor import Node, Outline, Tensor, clock

_SPELLINGS = {"axis": "dim", "axes": "dims", "keepdims": "keepdim"}
_NUMBERS = (float, int, bool)
_float32, _float64, _ndarray = dtypes.float32, dtypes.float64, np.ndarray
_new, _tick = object.__new__, clock.__next__


def _signature(forward: Callable) -> inspect.Signature:
    if isinstance(forward, np.ufunc):
        return inspect.Signature([inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
                                  for name in ("x", "y")[:forward.nin]])
    return inspect.signature(forward)


def _parameters(signature: inspect.Signature) -> tuple[dict[str, Any], bool, dict[str, Any]]:
    """Arguments with their defaults, whether there may be any number of them, and options with their defaults."""
    parameters = signature.parameters.values()
    arguments = {p.name: p.default for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY)}
    options = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    return arguments, any(p.kind is p.VAR_POSITIONAL for p in parameters), options


class Operation:
    """One declaration of the table; see `operation` for what it holds."""

    def __init__(self, forward: Callable, vjps: tuple, joint_vjp: Callable | None, composition: Callable | None,
                 outputs: str | None, view: bool, samples: Callable | None, name: str) -> None:
        self.forward, self.vjps, self.joint_vjp, self.composition = forward, vjps, joint_vjp, composition
        self.view, self.samples, self.name = view, samples, name
        self.signature = _signature(forward)
        self.arguments, self.variadic, self.options = _parameters(self.signature)
        self.complete = inspect.Parameter.empty not in self.options.values()
        self.outputs = _AnyNumber if outputs == "*" else collections.namedtuple(name, outputs) if outputs else None
        self.differentiable = bool(vjps or joint_vjp)
        # The arguments that take part in type promotion: those with a derivative, where there are several.
        meeting = range(len(self.arguments)) if joint_vjp else [i for i, rule in enumerate(vjps) if rule]
        self.meeting = self.variadic or (tuple(meeting) if len(meeting) > 1 else ())
        self._reads = [None if rule is None else what_it_reads(rule) for rule in vjps or (joint_vjp,)]
        self.keeps = composition is not None or any(ARRAY in list(reads.values())[1:] for reads in self._reads if reads)
        self._plans: dict[tuple, tuple] = {}

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    def bind(self, args: tuple, kwargs: dict) -> tuple[Sequence, dict]:
        """A call's tensor arguments and its options, defaults filled in.

        Raises:
            TypeError: an argument is missing, unknown or given twice.
        """
        if len(args) == len(self.arguments) and not self.variadic:  # the usual calls need none of what follows
            if not kwargs and self.complete:
                return args, self.options
            if kwargs.keys() == self.options.keys():
                return args, kwargs
        kwargs = {_SPELLINGS.get(key, key) if key not in self.options else key: value for key, value in kwargs.items()}
        if self.variadic:
            tensors, extra = ((args[0], args[1:]) if args and isinstance(args[0], (list, tuple)) else (args, ()))
        else:
            tensors, extra = list(args[:len(self.arguments)]), args[len(self.arguments):]
            for name, default in list(self.arguments.items())[len(tensors):]:
                tensors.append(kwargs.pop(name, default))
                if tensors[-1] is inspect.Parameter.empty:
                    raise TypeError(f"{self.name}() needs its argument '{name}': {self.name}{self.signature}")
        options = dict(self.options)
        if len(extra) > len(options) > 0 and all(isinstance(n, (int, np.integer)) and n is not True for n in extra):
            extra = (extra,)  # t.reshape(2, 3) for t.reshape((2, 3))
        if len(extra) > len(options):
            raise TypeError(f"{self.name}() takes {len(self.arguments)} arguments, not {len(args)}: "
                            f"{self.name}{self.signature}")
        given = dict(zip(options, extra, strict=False))
        for key, value in kwargs.items():
            if key not in options:
                close = difflib.get_close_matches(key, options, 1)
                raise TypeError(f"{self.name}() has no option '{key}'" + (f"; did you mean '{close[0]}'?" if close else "")
                                + f" It is called {self.name}{self.signature}")
            if key in given:
                raise TypeError(f"{self.name}() was given '{key}' twice: {given[key]!r} and {value!r}")
            given[key] = value
        options.update(given)
        for key, value in options.items():
            if value is inspect.Parameter.empty:
                raise TypeError(f"{self.name}() needs its option '{key}': {self.name}{self.signature}")
        return tensors, options

    def plan(self, tracked: tuple[bool, ...]) -> tuple[int, tuple[int, ...]]:
        """How much to keep of the output and of each argument when these arguments are tracked."""
        plan = self._plans.get(tracked)
        if plan is None:
            count = len(tracked)
            rules = ([reads for reads, wanted in zip(self._reads, tracked, strict=True) if wanted and reads]
                     if self.vjps else self._reads)
            levels = [[NOTHING] * (count + 1)]
            for reads in rules:
                _, out, *each = reads.values()
                levels.append([out, *(each * count if self.variadic else each)][:count + 1])
            out, *each = map(max, zip(*levels, strict=True))
            if self.composition:  # the second derivative goes through the arguments
                each = [ARRAY] * count
            plan = self._plans[tracked] = out, tuple(each)
        return plan

    def read_by_rules(self, tracked: list[bool]) -> list[bool]:
        """Which arguments the rules read when these are tracked (a constant is kept even if none does)."""
        return [level == ARRAY for level in self.plan(tuple(tracked))[1]]


class _AnyNumber:
    """In the place of a named tuple, for an operation whose number of outputs depends on its options."""

    _fields, _make = range(sys.maxsize), tuple


def apply(op: Operation, args: Sequence, options: dict) -> Any:
    """Run an operation, and record it if one of its arguments requires gradients.

    Arrays in, array out: so that rules may call operations on arrays as on Tensors.
    """
    if op.meeting and not _of_one_dtype(op, args):
        args = _promote(op, args)
    arrays, parents, found, recorded = [], [], False, False
    for a in args:
        parent = None
        if isinstance(a, Tensor):
            found = True
            if a.tracked:
                parent, recorded = a.node or a, True
            if superseded:
                check_current(a)
            a = a.array
        arrays.append(a)
        parents.append(parent)
    if not found:
        out = op.forward(*arrays, **options)
        return op.outputs._make(out[:len(op.outputs._fields)]) if op.outputs else out
    try:
        out = op.forward(*arrays, **options)
    except (ValueError, TypeError, IndexError) as error:
        raise _explain(op, arrays, options, error) from error
    if op.outputs is None and out.dtype is _float64 and "dtype" not in options:
        out = _narrow(out, arrays)
    node = None
    if recorded and mode.enabled and op.differentiable:
        keep_out, keep = op.plan(tuple([parent is not None for parent in parents]))
        node = _new(Node)
        node.operation, node.parents, node.options, node.hooks, node.birth = op, tuple(parents), options, None, _tick()
        node.args = tuple([a if parent is None or level == ARRAY else _kept(a, level)
                           for a, parent, level in zip(arrays, parents, keep, strict=True)])
        if op.outputs:
            node.shape = node.dtype = None
            node.out = tuple([_kept(a, max(keep_out, OUTLINE)) for a in out])
        else:
            node.shape, node.dtype, node.out = out.shape, out.dtype, _kept(out, keep_out)
    if op.outputs:
        count = min(len(out), len(op.outputs._fields))
        return op.outputs._make(pick_output(out[i], node, i, count) for i in range(count))
    return wrap(out, node if node is not None and out.dtype.kind == "f" else None)


def _of_one_dtype(op: Operation, args: Sequence) -> bool:
    """Whether the arguments that meet are Tensors of one dtype, so that there is nothing to promote."""
    dtype = None
    for i in range(len(args)) if op.variadic else op.meeting:
        a = args[i]
        if isinstance(a, Tensor):
            if a.array.dtype is not dtype and dtype is not None:
                return False
            dtype = a.array.dtype
        elif a is not None:
            return False
    return True


def _kept(array: Any, level: int) -> Any:
    return array if level == ARRAY else Outline(array) if level == OUTLINE else None


def wrap(array: Any, node: Node | None) -> Tensor:
    """A Tensor from its value and its origin."""
    tensor = _new(Tensor)
    tensor.array, tensor.node, tensor.tracked = array, node, node is not None
    tensor.grad = tensor.hooks = None
    return tensor


class Cotangents(tuple):
    """The gradients of an operation with several outputs, None where nothing has arrived; they add up one by one."""

    __slots__ = ()
    shape = dtype = None

    def __add__(self, other: "Cotangents") -> "Cotangents":  # type: ignore[override]
        return Cotangents(b if a is None else a if b is None else a + b for a, b in zip(self, other, strict=True))


_pick = Operation(
    lambda values, *, index, count: values[index],
    vjps=(lambda g, out, values, index, count: Cotangents(g if i == index else None for i in range(count)),),
    joint_vjp=None, composition=None, outputs=None, view=False, samples=None, name="output")


def pick_output(array: Any, node: Node | None, index: int, count: int) -> Tensor:
    """Output `index` of `count`: a Tensor whose Node picks it from the node of the whole operation."""
    if node is None or array.dtype.kind != "f":
        return wrap(array, None)
    pick = _new(Node)
    pick.operation, pick.parents, pick.args, pick.out = _pick, (node,), (None,), None
    pick.shape, pick.dtype = array.shape, array.dtype
    pick.options, pick.hooks, pick.birth = {"index": index, "count": count}, None, _tick()
    return wrap(array, pick)


_alias_op = Operation(lambda x: x, vjps=(lambda g, out, x: g,), joint_vjp=None, composition=None, outputs=None, view=True,
                      samples=None, name="alias")


def alias(tensor: Tensor) -> Tensor:
    """The same value under a Node of its own."""
    return apply(_alias_op, (tensor,), {})


def _promote(op: Operation, args: Sequence) -> list:
    """The arguments, with those that a derivative is taken of brought to one dtype."""
    args = list(args)
    values = {}
    for i, a in enumerate(args):
        if a is None or (op.vjps and op.vjps[i] is None):
            continue
        if isinstance(a, np.generic):  # counts as a Python number, so that t * np.float64(2) keeps t's dtype
            args[i] = a = a.item()
        elif not isinstance(a, (Tensor, np.ndarray, *_NUMBERS)):
            args[i] = a = dtypes.as_array(a)
        value = a.array if isinstance(a, Tensor) else a
        if not op.joint_vjp or getattr(value, "dtype", _float64).kind == "f":  # a joint rule's integers are indices
            values[i] = value
    found = {value.dtype for value in values.values() if hasattr(value, "dtype")}
    if len(found) > 1 or any(type(value) is float for value in values.values()) and any(d.kind != "f" for d in found):
        target = dtypes.promoted(list(values.values()))
        for i, value in values.items():
            if hasattr(value, "dtype") and value.dtype is not target:
                args[i] = args[i].to(target) if isinstance(args[i], Tensor) else value.astype(target)
    return args


def _narrow(out: Any, arrays: list) -> Any:
    """Undo NumPy's silent float64: a result is float64 only if an argument is."""
    floats = [a.dtype for a in arrays if hasattr(a, "dtype") and a.dtype.kind == "f"]
    if _float64 in floats:
        return out
    return out.astype(floats[0] if floats else dtypes.get_default_dtype())


class ShapeError(RuntimeError, ValueError):
    """The arguments' shapes or values do not fit an operation (PyTorch raises RuntimeError here, NumPy ValueError)."""


def _explain(op: Operation, arrays: list, options: dict, error: Exception) -> Exception:
    """The error of a forward function, with the call that led to it."""
    given = [f"{a.dtype}{list(a.shape)}" if hasattr(a, "shape") else repr(a) for a in arrays]
    given += [f"{key}={value!r}" for key, value in options.items()]
    remedy = ""
    if "broadcast" in str(error):
        remedy = "; shapes are compared from the right and must be equal or 1 there: unsqueeze() inserts an axis of 1"
    kind = ShapeError if type(error) is ValueError else type(error)
    return kind(f"{op.name}({', '.join(given)}): {str(error).rstrip()}{remedy}")


def caller(op: Operation) -> Callable:
    """The function that users call: the general one, or one that takes the shortest way for one or two operands."""
    if not op.differentiable:  # a composition: an ordinary function, which also knows NumPy's spellings
        parameters = op.signature.parameters

        def call(*args: Any, **kwargs: Any) -> Any:
            for spelling in _SPELLINGS.keys() & kwargs.keys() - parameters.keys():
                kwargs[_SPELLINGS[spelling]] = kwargs.pop(spelling)
            return op.forward(*args, **kwargs)
    elif op.options and len(op.vjps) == 1 and op.vjps[0] and not op.outputs:
        call = _unary_with_options(op)
    elif op.options or op.variadic or op.outputs or op.joint_vjp or None in op.vjps or len(op.vjps) > 2:
        def call(*args: Any, **kwargs: Any) -> Any:
            tensors, options = op.bind(args, kwargs)
            for name, value in options.items():
                if isinstance(value, Tensor):  # an index, a mask: no derivative
                    options[name] = value.detach().numpy()
            return apply(op, tensors, options)
    else:
        call = (_unary if len(op.vjps) == 1 else _binary)(op)
    return call


_NO_OPTIONS: dict = {}
_as_float32: dict[float, np.ndarray] = {}


def _remember(number: float) -> Any:
    """A number as a float32 array without axes, which NumPy takes twice as fast: the last thousand are kept."""
    if not number:  # -0.0 equals 0.0
        return number
    if len(_as_float32) > 1000:
        _as_float32.clear()
    array = _as_float32[number] = np.asarray(number, _float32)
    return array


def _unary(op: Operation) -> Callable:
    forward = op.forward
    keep_out, (keep_x,) = op.plan((True,))

    def call(x: Any) -> Any:
        if not isinstance(x, Tensor) or superseded:
            return apply(op, (x,), _NO_OPTIONS)
        a = x.array
        out = forward(a)
        if out.dtype is not a.dtype:
            return apply(op, (x,), _NO_OPTIONS)
        tensor = _new(Tensor)
        tensor.array = out
        tensor.grad = tensor.hooks = None
        if x.tracked and mode.enabled:
            tensor.node = node = _new(Node)
            tensor.tracked = True
            node.operation, node.options, node.hooks = op, _NO_OPTIONS, None
            node.parents = (x.node or x,)
            node.args = (_kept(a, keep_x) if keep_x else None,)
            node.out = _kept(out, keep_out) if keep_out else None
            node.shape, node.dtype = out.shape, out.dtype
            node.birth = _tick()
        else:
            tensor.node, tensor.tracked = None, False
        return tensor
    return call


def _unary_with_options(op: Operation) -> Callable:
    forward, defaults, complete, count = op.forward, op.options, op.complete, len(op.options)
    first, names = next(iter(defaults)), defaults.keys()
    keep_out, (keep_x,) = op.plan((True,))

    def call(*args: Any, **kwargs: Any) -> Any:
        given = len(args)
        if given == 1 and not kwargs and complete:
            x, options = args[0], defaults
        elif given == 1 and kwargs.keys() == names:
            x, options = args[0], kwargs
        elif given == 2 and count == 1 and not kwargs:
            x, options = args[0], {first: args[1]}
        else:
            (x,), options = op.bind(args, kwargs)
        for name, value in options.items():
            if isinstance(value, Tensor):  # an index, a mask: no derivative
                options = {**options, name: value.detach().numpy()}
        if not isinstance(x, Tensor) or superseded:
            return apply(op, (x,), options)
        a = x.array
        try:
            out = forward(a, **options)
        except (ValueError, TypeError, IndexError) as error:
            raise _explain(op, [a], options, error) from error
        if out.dtype is not a.dtype and out.dtype is _float64 and "dtype" not in options:
            out = _narrow(out, [a])
        tensor = _new(Tensor)
        tensor.array = out
        tensor.grad = tensor.hooks = None
        if x.tracked and mode.enabled and out.dtype.kind == "f":
            tensor.node = node = _new(Node)
            tensor.tracked = True
            node.operation, node.options, node.hooks = op, options, None
            node.parents = (x.node or x,)
            node.args = (_kept(a, keep_x) if keep_x else None,)
            node.out = _kept(out, keep_out) if keep_out else None
            node.shape, node.dtype = out.shape, out.dtype
            node.birth = _tick()
        else:
            tensor.node, tensor.tracked = None, False
        return tensor
    return call


def _binary(op: Operation) -> Callable:
    forward = op.forward
    plans = [op.plan(tracked) for tracked in ((True, False), (False, True), (True, True))]
    (out_if_x, (x_if_x, _)), (out_if_y, (_, y_if_y)), (out_if_both, (x_if_both, y_if_both)) = plans

    def call(x: Any, y: Any) -> Any:
        if not isinstance(x, Tensor) or superseded:
            return apply(op, (x, y), _NO_OPTIONS)
        a = x.array
        if isinstance(y, Tensor):
            b = y.array
            if a.dtype is not b.dtype:
                return apply(op, (x, y), _NO_OPTIONS)
            y_tracked = y.tracked
        elif type(y) in _NUMBERS:
            b, y_tracked = y, False
            if a.dtype is _float32:
                if type(a) is _ndarray:
                    b = _as_float32.get(y)
                    if b is None:
                        b = _remember(y)
            elif a.dtype.kind != "f":
                return apply(op, (x, y), _NO_OPTIONS)
        elif type(y) is _ndarray and a.dtype is y.dtype:
            b, y_tracked = y, False
        else:
            return apply(op, (x, y), _NO_OPTIONS)
        try:
            out = forward(a, b)
        except (ValueError, TypeError) as error:
            raise _explain(op, [a, b], _NO_OPTIONS, error) from error
        if out.dtype is not a.dtype:
            return apply(op, (x, y), _NO_OPTIONS)
        tensor = _new(Tensor)
        tensor.array = out
        tensor.grad = tensor.hooks = None
        if (x.tracked or y_tracked) and mode.enabled:
            tensor.node = node = _new(Node)
            tensor.tracked = True
            node.operation, node.options, node.hooks = op, _NO_OPTIONS, None
            if not y_tracked:
                node.parents = (x.node or x, None)
                node.args = (_kept(a, x_if_x) if x_if_x else None, b)
                node.out = _kept(out, out_if_x) if out_if_x else None
            elif not x.tracked:
                node.parents = (None, y.node or y)
                node.args = (a, _kept(b, y_if_y) if y_if_y else None)
                node.out = _kept(out, out_if_y) if out_if_y else None
            else:
                node.parents = (x.node or x, y.node or y)
                node.args = (_kept(a, x_if_both) if x_if_both else None, _kept(b, y_if_both) if y_if_both else None)
                node.out = _kept(out, out_if_both) if out_if_both else None
            node.shape, node.dtype = out.shape, out.dtype
            node.birth = _tick()
        else:
            tensor.node, tensor.tracked = None, False
        return tensor
    return call
