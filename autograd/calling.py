"""The function that users call: the general way through a call, and shorter ways for the commonest forms of operations.

All of them do what `apply` does. For one or two operands most of its questions have one answer, known at declaration.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.dtypes import float32
from autograd.grad_mode import mode
from autograd.operation import (
    NOT_USUAL,
    NUMBERS,
    PLAIN,
    Operation,
    apply,
    explained,
    in_their_dtype,
    kept,
    recorded,
    unchanging,
    viewed,
    wrap,
)
from autograd.sharing import own
from autograd.tensor import Tensor

_NO_OPTIONS: dict = {}
_ndarray = np.ndarray


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
    spellings = op.spellings

    def call(*args: Any, **kwargs: Any) -> Any:
        for spelling in spellings.keys() & kwargs.keys():
            kwargs[spellings[spelling]] = kwargs.pop(spelling)
        return op.forward(*args, **kwargs)
    return call


def _general(op: Operation) -> Callable:
    def call(*args: Any, **kwargs: Any) -> Any:
        tensors, options = op.bind(args, kwargs)
        return apply(op, tensors, _bare(options))
    return call


def _bare(options: dict) -> dict:
    """Options as a Node may keep them: arrays in place of Tensors (an index or a mask has no derivative), no lists."""
    for name, value in options.items():
        if type(value) not in PLAIN:
            fixed = unchanging(value)
            if fixed is not value:
                options = {**options, name: fixed}
    return options


def _unary(op: Operation) -> Callable:
    forward = op.forward
    keep_out, (keep_x,) = op.plan((True,))

    def call(input: Any) -> Any:
        x = input
        if not isinstance(x, Tensor):
            return apply(op, (x,), _NO_OPTIONS)
        a = x.array
        out = forward(a)
        if out.dtype is not a.dtype:
            return apply(op, (x,), _NO_OPTIONS)
        if x.tracked and mode.enabled:
            return recorded(op, (x.node or x,), (kept(a, keep_x) if keep_x else None,), out, keep_out, _NO_OPTIONS)
        return wrap(out)
    return call


def _unary_with_options(op: Operation) -> Callable:
    forward, defaults, complete, view = op.forward, op.options, op.complete, op.view
    names, count = defaults.keys(), len(defaults)
    only = next(iter(names)) if count == 1 else None
    keep_out, (keep_x,) = op.plan((True,))

    def call(*args: Any, **kwargs: Any) -> Any:
        given = len(args)
        if given == 1 and not kwargs and complete:
            x, options = args[0], defaults
        elif given == 1 and kwargs.keys() == names:
            x, options = args[0], _bare(kwargs)
        elif only and given > 1 and not kwargs:
            x, options = args[0], _bare({only: args[1] if given == 2 else args[1:]})
        elif given == count + 1 and not kwargs:
            x, options = args[0], _bare(dict(zip(names, args[1:], strict=True)))
        else:
            (x,), options = op.bind(args, kwargs)
            options = _bare(options)
        if not isinstance(x, Tensor):
            return apply(op, (x,), options)
        a = x.array
        if view and type(a) is not _ndarray:
            own(x)
            a = x.array
        try:
            out = forward(a, **options)
        except (ValueError, TypeError, IndexError) as error:
            raise explained(op, [a], options, error) from error
        if out.dtype is not a.dtype and out.dtype in NOT_USUAL and "dtype" not in options:
            out = in_their_dtype(op, out, [a], options)
        if x.tracked and mode.enabled and out.dtype.kind == "f":
            result = recorded(op, (x.node or x,), (kept(a, keep_x) if keep_x else None,), out, keep_out, options)
        else:
            result = wrap(out)
        return viewed(result, x, op, options) if view else result
    return call


def _binary(op: Operation) -> Callable:
    forward = op.forward
    plans = [op.plan(tracked) for tracked in ((True, False), (False, True), (True, True))]
    (out_if_x, (x_if_x, _)), (out_if_y, (_, y_if_y)), (out_if_both, (x_if_both, y_if_both)) = plans

    def call(input: Any, other: Any) -> Any:
        x, y = input, other
        if not isinstance(x, Tensor):
            return apply(op, (x, y), _NO_OPTIONS)
        a, y_tracked = x.array, False
        if not a.ndim:
            a = a[()]  # a NumPy scalar: ten times as fast as an array without axes
        if isinstance(y, Tensor):
            b, y_tracked = y.array, y.tracked
            if a.dtype is not b.dtype:
                return apply(op, (x, y), _NO_OPTIONS)
            if not b.ndim:
                b = b[()]
        elif type(y) in NUMBERS:
            b = y
            if a.dtype is float32:
                if type(a) is _ndarray:
                    b = _numbers.get(y)
                    if b is None:
                        b = _number(y)
            elif a.dtype.kind != "f":
                return apply(op, (x, y), _NO_OPTIONS)
        elif type(y) is _ndarray and a.dtype is y.dtype:
            b = y
        else:
            return apply(op, (x, y), _NO_OPTIONS)
        try:
            out = forward(a, b)
        except (ValueError, TypeError) as error:
            raise explained(op, [a, b], _NO_OPTIONS, error) from error
        if out.dtype is not a.dtype:
            return apply(op, (x, y), _NO_OPTIONS)
        if not (mode.enabled and (x.tracked or y_tracked)):
            return wrap(out)
        if not y_tracked:
            constant = y.array if isinstance(y, Tensor) else b.copy() if type(y) is _ndarray else b
            args = (kept(a, x_if_x) if x_if_x else None, constant)
            return recorded(op, (x.node or x, None), args, out, out_if_x, _NO_OPTIONS)
        if not x.tracked:
            args = (x.array, kept(b, y_if_y) if y_if_y else None)
            return recorded(op, (None, y.node or y), args, out, out_if_y, _NO_OPTIONS)
        args = (kept(a, x_if_both) if x_if_both else None, kept(b, y_if_both) if y_if_both else None)
        return recorded(op, (x.node or x, y.node or y), args, out, out_if_both, _NO_OPTIONS)
    return call


_numbers: dict[float, np.ndarray] = {}


def _number(number: float) -> Any:
    """A number as a float32 array without axes, which NumPy takes twice as fast: the last thousand are kept."""
    if not number:  # -0.0 equals 0.0
        return number
    if len(_numbers) > 1000:
        _numbers.clear()
    array = _numbers[number] = np.asarray(number, float32)
    return array
