"""Calls: the short ways and the general one say the same."""

import itertools
import math

import numpy as np
import pytest

import autograd
from autograd import Tensor, tensor
from autograd.calling import apply
from autograd.table import TABLE
from autograd.tensor import Outline


@pytest.mark.parametrize("x", [2.0, [2.0]])
@pytest.mark.parametrize("operator", ["__mul__", "__rmul__", "__truediv__", "__rsub__", "__pow__"])
def test_a_number_of_numpys_counts_as_a_number(x, operator):
    y = getattr(tensor(x, requires_grad=True), operator)
    assert y(np.float64(3)).dtype == np.float32
    assert y(np.float64(3)).tolist() == y(3.0).tolist()


def test_minus_zero_is_not_zero():
    x = tensor([1.0])
    assert [math.copysign(1, (x * zero).item()) for zero in (0.0, -0.0, 0.0)] == [1, -1, 1]


def test_an_option_is_given_once_and_may_not_be_missing():
    for call in (lambda x: x.unsqueeze(), lambda x: x.flip(0, dims=0),
                 lambda x: x.sum(0, False, None, dim=0, keepdim=False, dtype=None)):
        with pytest.raises(TypeError, match=r"twice|missing"):
            call(tensor([1.0]))


# The short ways, beside the general one

GIVEN = {
    "tracked": lambda a: tensor(a, requires_grad=True), "constant": tensor, "array": lambda a: a,
    "number": lambda a: 0.1, "wider": lambda a: tensor(a.astype(np.float64), requires_grad=True),
    "integers": lambda a: tensor(a.astype(np.int64)), "NumPy's number": lambda a: np.float64(0.1)}


def outcome(call, given):
    """All that can be said of a call: its value, what is kept for the rules, and the gradients."""
    out = call(*given)
    if not isinstance(out, Tensor):
        return type(out), np.asarray(out).tolist()
    kept = [type(a) if a is None or isinstance(a, Outline) else "array" for a in out.node.args] if out.node else None
    gradients = [g if g is None else (g.tolist(), g.dtype) for g in autograd.grad(
        out.sum(), [t for t in given if isinstance(t, Tensor) and t.requires_grad])] if out.requires_grad else None
    return out.tolist(), out.dtype, out.requires_grad, kept, gradients


@pytest.mark.parametrize("recording", [True, False])
@pytest.mark.parametrize("shapes", [((2,), (2,)), ((), (2,)), ((2,), ()), ((), ()), ((2, 1), (3,))])
@pytest.mark.parametrize("call", [Tensor.__add__, Tensor.__mul__, Tensor.__truediv__, autograd.atan2, autograd.maximum])
def test_with_two_operands(call, shapes, recording):
    op = call.operation
    a, b = [np.arange(3.0, 3 + math.prod(shape), dtype=np.float32).reshape(shape) for shape in shapes]
    for x, y in itertools.product(GIVEN, GIVEN):
        given = GIVEN[x](a), GIVEN[y](b)
        with autograd.set_grad_enabled(recording):
            expected = outcome(lambda *args: apply(op, args, {}), given)
            assert str(outcome(call, given)) == str(expected), (x, y)


@pytest.mark.parametrize("recording", [True, False])
@pytest.mark.parametrize("given", ["tracked", "constant", "array", "wider", "integers"])
@pytest.mark.parametrize(("name", "options"), [
    ("exp", {}), ("neg", {}), ("relu", {}), ("sum", {"dim": 0, "keepdim": False, "dtype": None}),
    ("transpose", {"dim0": 0, "dim1": -1}), ("reshape", {"shape": (2, 1)}), ("flip", {"dims": (0,)})])
def test_with_one_operand(name, options, given, recording):
    op, x = TABLE[name], GIVEN[given](np.array([[1.0, 2.0]], np.float32))
    with autograd.set_grad_enabled(recording):
        expected = str(outcome(lambda x: apply(op, (x,), options), [x]))
        assert str(outcome(lambda x: op.call(x, **options), [x])) == expected
        assert str(outcome(lambda x: op.call(x, *options.values()), [x])) == expected
