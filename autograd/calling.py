"""Calling an operation: run the forward function, promote types, record a Node.

`apply` is the general way. For one or two operands most of its questions have one answer, known at declaration, and the
shorter ways ask only the others: without them a call takes a third longer.
"""

import functools
import itertools
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import dtypes, watching
from autograd.dtypes import float32
from autograd.errors import REFUSALS, ShapeError, explained, refused, warn
from autograd.grad_mode import mode
from autograd.operation import NO_OPTIONS, PLAIN, Operation
from autograd.reads import OUTLINE
from autograd.recording import alias_operation, kept, pick_output, recorded, unchanging, viewed, wrap
from autograd.runtime.tracing import Symbol
from autograd.sharing import own
from autograd.tensor import Node, Tensor

NUMBERS = (float, int, bool)
NOT_USUAL = (dtypes.float64, dtypes.float16)
"""What NumPy may have chosen by itself."""
_ndarray = np.ndarray


def apply(op: Operation, args: Sequence, options: dict) -> Any:
    """Run an operation, and record it if one of its arguments requires gradients.

    Arrays in, array out: so that rules may call operations on arrays as on Tensors.
    """
    if op.meeting and not _of_one_dtype(op, args):
        try:
            args = _promote(op, args)
        except REFUSALS as error:
            raise _refused(op, args, options, error)
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
    try:
        out = _run(op, arrays, options, usual if found else None)
    except REFUSALS as error:
        raise _refused(op, args, options, error)
    if not found:
        return op.outputs._make(out[:len(op.outputs._fields)]) if op.outputs else out
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
    """Whether the arguments that meet are Tensors of one dtype, so that there is nothing to promote: nor are numbers
    beside them, if it is a floating one."""
    dtype, numbers = None, False
    for i in range(len(args)) if op.variadic else op.meeting:
        a = args[i]
        if isinstance(a, Tensor):
            if op.joint_vjp and a.array.dtype.kind in "biu":  # a joint rule's integers are indices
                continue
            if a.array.dtype is not dtype and dtype is not None:
                return False
            dtype = a.array.dtype
        elif type(a) in NUMBERS:
            numbers = True
        elif a is not None:
            return False
    return not numbers or (dtype is not None and dtype.kind == "f")


def _run(op: Operation, args: Sequence, options: dict, also: Callable | None = None) -> Any:
    """The forward function; who watches is told of the result that `also` makes of it, which callers will have."""
    if watching.watchers:
        forward = op.forward if also is None else functools.partial(also, op)
        return watching.told("operation", op, forward, tuple(args), options)
    many = op.many != sys.maxsize and any(type(a) is _ndarray and a.size >= op.many for a in args)
    return (op.forward_of_many if many else op.forward)(*args, **options)


def usual(op: Operation, *arrays: Any, **options: Any) -> Any:
    """The forward function's result in the dtype that the result is to have."""
    out = op.forward(*arrays, **options)
    if op.outputs is None and out.dtype in NOT_USUAL and "dtype" not in options:
        return in_their_dtype(op, out, list(arrays), options)
    return out


def _refused(op: Operation, args: Sequence, options: dict, error: Exception) -> Exception:
    """The error of a call, with what was given in it; options that have their default value say nothing."""
    given = {key: value for key, value in options.items() if value is not op.options.get(key, _ndarray)}
    return explained(error, op.public, args, given, ShapeError if type(error) is ValueError else None)


def alias(tensor: Tensor) -> Tensor:
    """The same value under a Node of its own."""
    return apply(alias_operation, (tensor,), {})


# Types that meet

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
        elif not isinstance(a, (Tensor, np.ndarray, Symbol, *NUMBERS)):
            args[i] = a = dtypes.as_array(a)
        value = a.array if isinstance(a, Tensor) else a
        if not op.joint_vjp or getattr(value, "dtype", dtypes.float64).kind not in "biu":
            values[i] = value  # a joint rule's integers are indices
    found = {value.dtype for value in values.values() if hasattr(value, "dtype")}
    if len(found) > 1 or (any(type(value) is float for value in values.values()) and any(d.kind != "f" for d in found)):
        target = dtypes.promoted(list(values.values()))
        if op.multiply_adds:
            _tell_of_mixing(op, [args[i] for i in values], target)
        for i, value in values.items():
            if hasattr(value, "dtype") and value.dtype is not target:
                args[i] = args[i].to(target) if isinstance(args[i], Tensor) else value.astype(target)
    return args


_told: set[str] = set()
"""Of what a program has been told once."""


def _tell_of_mixing(op: Operation, args: list, target: np.dtype) -> None:
    """Warn once in a program of constants that make a product of parameters wider, as NumPy's float64 does."""
    narrow = [a.dtype for a in args if isinstance(a, Tensor) and a.tracked and a.array.dtype.itemsize < target.itemsize]
    if narrow and "mixing" not in _told and any(
            getattr(a, "dtype", None) == target and not getattr(a, "tracked", False) for a in args):
        _told.add("mixing")
        warn(f"{op.public}() of {target} data and {narrow[0]} parameters is computed in {target}, and so is what "
             f"follows, which takes longer (PyTorch refuses it); write data.to({narrow[0]}), or model.to({target}). "
             "This is said once")


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


# The functions that users call

def caller(op: Operation) -> Callable:
    """The function that users call."""
    if not op.differentiable:
        return _composition(op)
    if op.outputs or op.variadic or op.joint_vjp or None in op.vjps or len(op.vjps) > 2:
        return _general(op)
    if op.options:
        return _unary_with_options(op) if len(op.vjps) == 1 else _general(op)
    return _unary(op) if len(op.vjps) == 1 else _binary(op)


def _composition(op: Operation) -> Callable:
    """An ordinary function, which also knows NumPy's and PyTorch's names of its parameters."""
    spellings, several = op.spellings, op.several

    def call(*args: Any, **kwargs: Any) -> Any:
        for spelling in spellings.keys() & kwargs.keys():
            kwargs[spellings[spelling]] = kwargs.pop(spelling)
        if several in kwargs:
            args = *args, kwargs.pop(several)
        try:
            return _run(op, args, kwargs)
        except REFUSALS as error:
            raise refused(error, op.public, op.signature, args, kwargs)
    return call


def _general(op: Operation) -> Callable:
    def call(*args: Any, **kwargs: Any) -> Any:
        tensors, options = op.bind(args, kwargs)
        return apply(op, tensors, _bare(options, tensors))
    return call


def _bare(options: dict, args: Sequence) -> dict:
    """Options as a Node may keep them: arrays in place of Tensors (an index or a mask has no derivative), no lists. Of
    arrays alone, as in a rule, no Node is made.
    """
    for name, value in options.items():
        if type(value) not in PLAIN:
            fixed = unchanging(value, any(isinstance(a, Tensor) for a in args))
            if fixed is not value:
                options = {**options, name: fixed}
    return options


def _unary(op: Operation) -> Callable:
    forward, forward_of_many, many = op.forward, op.forward_of_many, op.many
    keep_out, (keep_x,) = op.plan((True,))

    def call(input: Any) -> Any:
        x = input
        if not isinstance(x, Tensor):
            return apply(op, (x,), NO_OPTIONS)
        a = x.array
        try:
            run = forward if a.size < many else forward_of_many
            out = run(a) if not watching.watchers else _run(op, (a,), NO_OPTIONS)
        except REFUSALS as error:
            raise _refused(op, (x,), NO_OPTIONS, error)
        if out.dtype is not a.dtype:
            return apply(op, (x,), NO_OPTIONS)
        if x.tracked and mode.enabled:
            return recorded(op, (x.node or x,), (kept(a, keep_x) if keep_x else None,), out, keep_out, NO_OPTIONS)
        return wrap(out)
    return call


def _unary_with_options(op: Operation) -> Callable:
    forward, forward_of_many, many = op.forward, op.forward_of_many, op.many
    defaults, complete, view = op.options, op.complete, op.view
    names, count = defaults.keys(), len(defaults)
    only = next(iter(names)) if count == 1 else None
    keep_out, (keep_x,) = op.plan((True,))

    def call(*args: Any, **kwargs: Any) -> Any:
        given = len(args)
        if given == 1 and not kwargs and complete:
            x, options = args[0], defaults
        elif given == 1 and kwargs.keys() == names:
            x, options = args[0], _bare(kwargs, args)
        elif only and given > 2 and not kwargs:
            x, options = args[0], _bare({only: args[1:]}, args[:1])
        elif given == count + 1 and not kwargs:
            x, options = args[0], _bare(dict(zip(names, args[1:], strict=True)), args[:1])
        else:
            (x,), options = op.bind(args, kwargs)
            options = _bare(options, (x,))
        if not isinstance(x, Tensor):
            return apply(op, (x,), options)
        a = x.array
        if view and type(a) is not _ndarray:
            own(x)
            a = x.array
        try:
            run = forward if a.size < many else forward_of_many
            out = run(a, **options) if not watching.watchers else _run(op, (a,), options, usual)
        except REFUSALS as error:
            raise _refused(op, (x,), options, error)
        if out.dtype is not a.dtype and out.dtype in NOT_USUAL and "dtype" not in options:
            out = in_their_dtype(op, out, [a], options)
        if x.tracked and mode.enabled and out.dtype.kind == "f":
            result = recorded(op, (x.node or x,), (kept(a, keep_x) if keep_x else None,), out, keep_out, options)
        else:
            result = wrap(out)
        return viewed(result, x, op, options) if view else result
    return call


def _binary(op: Operation) -> Callable:
    forward, forward_of_many, many = op.forward, op.forward_of_many, op.many
    plans = [op.plan(tracked) for tracked in ((True, False), (False, True), (True, True))]
    (out_if_x, (x_if_x, _)), (out_if_y, (_, y_if_y)), (out_if_both, (x_if_both, y_if_both)) = plans

    def call(input: Any, other: Any) -> Any:
        x, y, run = input, other, forward
        if not isinstance(x, Tensor):
            if type(x) in NUMBERS and isinstance(y, Tensor) and y.array.dtype.kind == "f" and not watching.watchers:
                return of_number(x, y)
            return apply(op, (x, y), NO_OPTIONS)
        a, y_tracked = x.array, False
        if a.ndim:
            if a.size >= many:
                run = forward_of_many
        elif not watching.watchers:
            a = a[()]  # a NumPy scalar: ten times as fast as an array without axes; who watches knows the array
        if isinstance(y, Tensor):
            b = constant = y.array
            y_tracked = y.tracked
            if a.dtype is not b.dtype:
                return apply(op, (x, y), NO_OPTIONS)
            if not b.ndim and not watching.watchers:
                b = b[()]
            elif run is forward and a.size * b.size >= many and _are_many(a, b, many):
                run = forward_of_many
        elif type(y) in NUMBERS:
            b = y
            if a.dtype is float32:
                if type(a) is _ndarray:
                    b = _numbers[y]
            elif a.dtype.kind != "f" and (a.dtype.kind == "b" or type(y) is not int):
                return apply(op, (x, y), NO_OPTIONS)
            constant = b
        elif type(y) is _ndarray and a.dtype is y.dtype:
            b, constant = y, None
        else:
            return apply(op, (x, y), NO_OPTIONS)
        try:
            out = run(a, b) if not watching.watchers else _run(op, (a, b), NO_OPTIONS)
        except REFUSALS as error:
            raise _refused(op, (x, y), NO_OPTIONS, error)
        if out.dtype is not a.dtype:
            return apply(op, (x, y), NO_OPTIONS)
        if not (mode.enabled and (x.tracked or y_tracked)):
            return wrap(out)
        if not y_tracked:
            args = (kept(a, x_if_x) if x_if_x else None, b.copy() if constant is None else constant)
            return recorded(op, (x.node or x, None), args, out, out_if_x, NO_OPTIONS)
        if not x.tracked:
            args = (x.array, kept(b, y_if_y) if y_if_y else None)
            return recorded(op, (None, y.node or y), args, out, out_if_y, NO_OPTIONS)
        args = (kept(a, x_if_both) if x_if_both else None, kept(b, y_if_both) if y_if_both else None)
        return recorded(op, (x.node or x, y.node or y), args, out, out_if_both, NO_OPTIONS)

    def of_number(x: float, y: Tensor) -> Any:
        a, b, run = x, y.array, forward
        if b.ndim:
            if b.size >= many:
                run = forward_of_many
            if b.dtype is float32:
                a = _numbers[x]
        else:
            b = b[()]
        try:
            out = run(a, b)
        except REFUSALS:
            return apply(op, (x, y), NO_OPTIONS)  # which explains it
        if out.dtype is not b.dtype:
            return apply(op, (x, y), NO_OPTIONS)
        if not (y.tracked and mode.enabled):
            return wrap(out)
        return recorded(op, (None, y.node or y), (a, kept(b, y_if_y) if y_if_y else None), out, out_if_y, NO_OPTIONS)
    return call


def _are_many(a: Any, b: np.ndarray, many: int) -> bool:
    """Whether two arrays broadcast to so many numbers, as a column and a row may that are few."""
    if b.size >= many or 1 not in (a if a.ndim >= b.ndim else b).shape or a.shape == b.shape:
        return b.size >= many
    return math.prod(map(max, itertools.zip_longest(a.shape[::-1], b.shape[::-1], fillvalue=1))) >= many


class _Numbers(dict):
    """Numbers as float32 arrays without axes, which NumPy takes twice as fast: the last thousand are kept."""

    def __missing__(self, number: float) -> Any:
        if not number:  # -0.0 equals 0.0
            return number
        if len(self) > 1000:
            self.clear()
        array = self[number] = np.asarray(number, float32)
        return array


_numbers = _Numbers()
