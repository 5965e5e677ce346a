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
from autograd.reads import ARRAY, NOTHING, OUTLINE, what_it_reads
from autograd.sharing import memory, own, share
from autograd.tensor import Node, Outline, Tensor

_SPELLINGS = {"axis": "dim", "axes": "dims", "keepdims": "keepdim"}
_NO_OPTIONS: dict = {}
NUMBERS = (float, int, bool)
NOT_USUAL = (dtypes.float64, dtypes.float16)
"""What NumPy may have chosen by itself."""
PLAIN = {int, float, bool, str, slice, type(None), type(...)}
"""Types of options that cannot change."""
_new = object.__new__


def _signature(forward: Callable) -> inspect.Signature:
    if isinstance(forward, np.ufunc):
        names = ("input", "other")[:forward.nin]
    else:
        signature = inspect.signature(forward)
        names = ("input", "other")[:len(signature.parameters)]
        if any(p.kind is not p.POSITIONAL_ONLY for p in signature.parameters.values()):  # unlike Python's operators
            return signature
    return inspect.Signature([inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names])


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
        named = [name for name in self.signature.parameters if name not in self.options]
        theirs = {**_SPELLINGS, **dict(zip(("input", "other"), named, strict=False))}
        self.spellings = {name: ours for name, ours in theirs.items() if name not in self.signature.parameters}
        self.complete = inspect.Parameter.empty not in self.options.values()
        self.outputs = _AnyNumber if outputs == "*" else collections.namedtuple(name, outputs) if outputs else None
        self.differentiable = bool(vjps or joint_vjp)
        # The arguments that take part in type promotion: those with a derivative, where there are several.
        meeting = range(len(self.arguments)) if joint_vjp else [i for i, rule in enumerate(vjps) if rule]
        self.meeting = self.variadic or (tuple(meeting) if len(meeting) > 1 else ())
        self._reads = [None if rule is None else what_it_reads(rule) for rule in vjps or (joint_vjp,)]
        count = len(self.arguments)
        self.reads = tuple([tuple([i for i, level in enumerate(list(reads.values())[2:count + 2]) if level == ARRAY])
                            if reads else () for reads in self._reads])
        self.reads_out = tuple([bool(reads) and list(reads.values())[1] == ARRAY for reads in self._reads])
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
        kwargs = {self.spellings.get(key, key): value for key, value in kwargs.items()}
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
                guess = f"; did you mean '{close[0]}'?" if close else "."
                raise TypeError(f"{self.name}() has no option '{key}'{guess} It is called {self.name}{self.signature}")
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
    arrays, parents, found, tracked = [], [], False, False
    for a in args:
        parent = None
        if isinstance(a, Tensor):
            found = True
            if a.tracked:
                parent, tracked = a.node or a, True
            if op.view:
                own(a)
            a = a.array
        arrays.append(a)
        parents.append(parent)
    if not found:
        out = op.forward(*arrays, **options)
        return op.outputs._make(out[:len(op.outputs._fields)]) if op.outputs else out
    try:
        out = op.forward(*arrays, **options)
    except (ValueError, TypeError, IndexError) as error:
        raise explained(op, arrays, options, error) from error
    if op.outputs is None and out.dtype in NOT_USUAL and "dtype" not in options:
        out = in_their_dtype(op, out, arrays, options)
    node = None
    if tracked and mode.enabled and op.differentiable:
        keep_out, keep = op.plan(tuple([parent is not None for parent in parents]))
        saved = tuple([kept(a, level) if parent is not None else unchanging(a) if a is given else a
                       for given, a, parent, level in zip(args, arrays, parents, keep, strict=True)])
        if op.outputs is None and out.dtype.kind == "f":
            result = recorded(op, tuple(parents), saved, out, keep_out, options)
            return viewed(result, args[0], op, options) if op.view else result
        if op.outputs is not None:
            outs = tuple([kept(a, max(keep_out, OUTLINE)) for a in out])
            node = Node(op, tuple(parents), saved, options, outs, None, None)
    if op.outputs is None:
        return viewed(wrap(out), args[0], op, options) if op.view else wrap(out)
    results = [pick_output(out[i], node, i) for i in range(min(len(out), len(op.outputs._fields)))]
    if op.view:
        results = [viewed(result, args[0], op, options, i) for i, result in enumerate(results)]
    return op.outputs._make(results)


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


def kept(array: Any, level: int) -> Any:
    """What a Node keeps of an array of which the rules read this much."""
    return array if level == ARRAY else Outline(array) if level == OUTLINE else None


def unchanging(value: Any) -> Any:
    """What a Node may keep of what the caller gave: not an array or a list of the caller's, which may be changed later.

    A Tensor's array is kept as it is, since its changes are noticed.
    """
    kind = type(value)
    if kind is tuple:
        return value if PLAIN.issuperset(map(type, value)) else tuple([unchanging(part) for part in value])
    if kind is list:
        return tuple([unchanging(part) for part in value])
    if isinstance(value, Tensor):
        own(value)
        return value.array
    return value.copy() if isinstance(value, np.ndarray) else value


def viewed(view: Tensor, x: Any, op: Operation, options: dict, output: int | None = None) -> Tensor:
    """A result that may share the memory of x: if it does, they know it of each other."""
    if not isinstance(x, Tensor):
        return view
    array, owner = x.array, view.array.base
    if view.array is array or (owner is not None and (
            owner is array or owner is array.base or memory(owner) is memory(array))):
        share(view, x, (x if mode.enabled or not x.tracked else None, op, options, output))
    return view


def wrap(array: Any, node: Node | None = None) -> Tensor:
    """A Tensor from its value and its origin."""
    tensor = _new(Tensor)
    tensor.array, tensor.node, tensor.tracked = array, node, node is not None
    tensor.hooks = tensor.family = tensor.view_of = tensor._grad = None
    return tensor


def recorded(op: Operation, parents: tuple, args: tuple, out: Any, keep_out: int, options: dict) -> Tensor:
    """The Tensor of a recorded operation with one output."""
    node = Node(op, parents, args, options, kept(out, keep_out) if keep_out else None, out.shape, out.dtype)
    tensor = _new(Tensor)
    tensor.array, tensor.node, tensor.tracked = out, node, True
    tensor.hooks = tensor.family = tensor.view_of = tensor._grad = None
    return tensor


class Cotangents(dict):
    """The gradients of an operation with several outputs: number of an output -> what has arrived; they add up."""

    __slots__ = ()
    shape = dtype = None
    tracked = True

    def __add__(self, other: "Cotangents") -> "Cotangents":
        total = Cotangents(self)
        for i, g in other.items():
            total[i] = total[i] + g if i in total else g
        return total


_pick = Operation(
    lambda values, *, index: values[index], vjps=(lambda g, out, values, index: Cotangents({index: g}),),
    joint_vjp=None, composition=None, outputs=None, view=False, samples=None, name="output")


def pick_output(array: Any, node: Node | None, index: int) -> Tensor:
    """Output `index` of an operation with several: a Tensor whose Node picks it from the operation's own."""
    if node is None or array.dtype.kind != "f":
        return wrap(array, None)
    return recorded(_pick, (node,), (None,), array, NOTHING, {"index": index})


alias_op = Operation(lambda x: x, vjps=(lambda g, out, x: g,), joint_vjp=None, composition=None, outputs=None,
                      view=True, samples=None, name="alias")


def _flat_vjp(g: Any, out: Any, *tensors: Outline, needs_input_grad: tuple[bool, ...]) -> list:
    zeros = [np.zeros(t.shape, t.dtype) for t in tensors[1:]]
    return [g, *([wrap(zero) for zero in zeros] if isinstance(g, Tensor) else zeros)]


_flat_in = Operation(lambda *tensors: tensors[0], vjps=(), joint_vjp=_flat_vjp, composition=None, outputs=None,
                     view=False, samples=None, name="flat")


def flat_in(value: Tensor, sources: Sequence[Tensor]) -> Tensor:
    """A value computed from `sources` that has derivative zero in them: it is recorded that it depends on them."""
    return recorded(_flat_in, (None, *[source.node or source for source in sources]),
                    (value.array, *[Outline(source) for source in sources]), value.array, NOTHING, _NO_OPTIONS)


def alias(tensor: Tensor) -> Tensor:
    """The same value under a Node of its own."""
    return apply(alias_op, (tensor,), {})


def _promote(op: Operation, args: Sequence) -> list:
    """The arguments, with those that a derivative is taken of brought to one dtype."""
    args = list(args)
    in_a_rule = not any(isinstance(a, Tensor) for a in args)
    values = {}
    for i, a in enumerate(args):
        if a is None or (op.vjps and op.vjps[i] is None):
            continue
        if isinstance(a, np.generic):  # counts as a Python number, so that t * np.float64(2) keeps t's dtype
            args[i] = a = np.asarray(a) if in_a_rule else a.item()
        elif not isinstance(a, (Tensor, np.ndarray, *NUMBERS)):
            args[i] = a = dtypes.as_array(a)
        value = a.array if isinstance(a, Tensor) else a
        if not op.joint_vjp or getattr(value, "dtype", dtypes.float64).kind == "f":
            values[i] = value  # a joint rule's integers are indices
    found = {value.dtype for value in values.values() if hasattr(value, "dtype")}
    if len(found) > 1 or (any(type(value) is float for value in values.values()) and any(d.kind != "f" for d in found)):
        target = dtypes.promoted(list(values.values()))
        for i, value in values.items():
            if hasattr(value, "dtype") and value.dtype is not target:
                args[i] = args[i].to(target) if isinstance(args[i], Tensor) else value.astype(target)
    return args


def in_their_dtype(op: Operation, out: Any, arrays: list, options: dict) -> Any:
    """The result in the dtype of the floating arguments, or in the default dtype if there are none.

    NumPy makes float64 of integers, now and then of float32, and float16 of integers of 8 bits.
    """
    floats = [a.dtype for a in arrays if hasattr(a, "dtype") and a.dtype.kind == "f"]
    dtype = floats[0] if floats else dtypes.get_default_dtype()
    if out.dtype in floats:
        return out
    if out.dtype is dtypes.float16:  # its digits are lost
        out = op.forward(*[np.asarray(a, dtype) for a in arrays], **options)
    return out.astype(dtype)


class ShapeError(RuntimeError, ValueError):
    """The arguments' shapes or values do not fit an operation (PyTorch raises RuntimeError here, NumPy ValueError)."""


def explained(op: Operation, arrays: list, options: dict, error: Exception) -> Exception:
    """The error of a forward function, with the call that led to it."""
    given = [f"{a.dtype}{list(a.shape)}" if hasattr(a, "shape") else repr(a) for a in arrays]
    given += [f"{key}={value!r}" for key, value in options.items()]
    remedy = ""
    if "broadcast" in str(error):
        remedy = "; shapes are compared from the right and must be equal or 1 there: unsqueeze() inserts an axis of 1"
    kind = ShapeError if type(error) is ValueError else type(error)
    return kind(f"{op.name}({', '.join(given)}): {str(error).rstrip()}{remedy}")
