"""Calls: the short ways and the general one say the same."""

import itertools
import math
import warnings

import numpy as np
import pytest

import autograd
import nn
from autograd import Tensor, calling, tensor
from autograd.calling import apply
from autograd.operation import Operation
from autograd.table import TABLE, operation
from autograd.tensor import Outline


@pytest.mark.parametrize("x", [2.0, [2.0]])
@pytest.mark.parametrize("operator", ["__mul__", "__rmul__", "__truediv__", "__rsub__", "__pow__"])
def test_a_number_of_numpys_counts_as_a_number(x, operator):
    y = getattr(tensor(x, requires_grad=True), operator)
    assert y(np.float64(3)).dtype == np.float32
    assert y(np.float64(3)).tolist() == y(3.0).tolist()
    assert autograd.where(np.array(True), tensor(x), np.float64(3)).dtype == np.float32


def test_integers_lose_no_digits_on_the_way_to_a_function():
    assert tensor([2 ** 24 + 1]).sin().item() == pytest.approx(math.sin(2 ** 24 + 1))


def test_the_integers_of_a_joint_rule_are_indices(table):
    pick = operation(lambda x, i: x[i], joint_vjp=lambda g, out, x, i, needs_input_grad: [g, None], names="_chosen")
    assert pick(tensor([1.0, 2.0]), tensor([1, 0])).tolist() == [2, 1]


def test_minus_zero_is_not_zero():
    x = tensor([1.0])
    assert [math.copysign(1, (x * zero).item()) for zero in (0.0, -0.0, 0.0)] == [1, -1, 1]


def test_an_option_is_given_once_and_may_not_be_missing():
    for call in (lambda x: x.unsqueeze(), lambda x: x.flip(0, dims=0),
                 lambda x: x.sum(0, False, None, dim=0, keepdim=False, dtype=None)):
        with pytest.raises(TypeError, match=r"twice|missing"):
            call(tensor([1.0]))


def test_an_error_shows_what_was_given_and_no_defaults():
    x = tensor([1.0])
    for call, shown in [(lambda: x.sum(5), "dim=5"), (lambda: x.sum(5, True), "dim=5, keepdim=True"),
                        (lambda: x.transpose(0, 7), "dim0=0, dim1=7")]:
        with pytest.raises(IndexError, match=rf"\(float32\[1\], {shown}\): "):
            call()
    with pytest.raises(TypeError, match="the argument 'y' is missing"):
        autograd.where(x, x)
    with pytest.raises(TypeError, match="there is no option 'other'"):
        autograd.sum(x, other=0)


def test_an_array_of_the_callers_may_change_afterwards():
    x, a = tensor([1.0, 2.0], requires_grad=True), np.array([3.0, 4.0], np.float32)
    for y in (x * a, apply(TABLE["mul"], (x, a), {}), autograd.where(np.array([True, True]), x * a, a)):
        a[...] = 0
        y.sum().backward()
        a[...] = 3, 4
        assert x.grad.tolist() == [3, 4]
        x.grad = None


def test_a_view_of_what_is_no_tensor_is_none(table):
    first = operation(lambda x, y: x[:1], vjps=(None, lambda g, out, x, y: g * 0), view=True, names="_first")
    a = np.array([1.0, 2.0], np.float32)
    assert first(a, tensor([1.0], requires_grad=True)).view_of is None
    x = tensor(a)
    assert first(x, tensor([1.0])).fill_(5).view_of[0] is x and x.tolist() == [5, 2]


@pytest.mark.parametrize("constant", [tensor, np.asarray])
def test_constants_that_make_a_product_of_parameters_wider_are_told_of_once(constant, monkeypatch):
    monkeypatch.setattr(calling, "_told", set())
    w = autograd.ones(2, 2, requires_grad=True)
    data = np.ones((2, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for quiet in (lambda: w @ w, lambda: w.detach() @ tensor(data), lambda: w * tensor(data),
                      lambda: w @ tensor(data, requires_grad=True), lambda: w.double() @ tensor(data).float()):
            quiet()
    with pytest.warns(UserWarning, match=r"matmul\(\) of float64 data and float32 parameters.*data\.to\(float32\)"):
        w @ constant(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        w @ constant(data)


# The short ways, beside the general one

@pytest.mark.parametrize("recording", [True, False])
def test_the_usual_calls_take_a_short_way(recording, monkeypatch):
    def refuse(*args):
        raise AssertionError("the general way")
    for place, name in ((calling, "apply"), (calling, "_promote"), (Operation, "bind")):
        monkeypatch.setattr(place, name, refuse)
    x = autograd.ones(2, 3, requires_grad=recording)
    for y in (x, x.double(), x[0, 0], x.double()[0, 0]):
        for call in (Tensor.exp, lambda y: y + y, lambda y: y * 2, lambda y: y / 2.0):
            call(y)
        y - y.numpy(force=True)
    for call in (Tensor.sum, lambda x: x.sum(0, True, None), lambda x: x.reshape(3, 2),
                 lambda x: x.sum(dim=0, keepdim=True, dtype=None), lambda x: x.reshape((3, 2)), lambda x: x.reshape(6),
                 lambda x: x.transpose(0, 1), lambda x: x.flip(0)):
        call(x)


def test_nothing_is_promoted_where_all_are_of_one_dtype(monkeypatch):
    monkeypatch.setattr(calling, "_promote", None)
    x = tensor([1.0, 2.0])
    autograd.where(x > 1, x, x)
    autograd.cat([x, x])
    nn.functional.linear(x, x.reshape(1, 2), None)


def test_the_last_thousand_numbers_are_kept():
    x = tensor([1.0])
    calling._numbers.clear()
    for i in range(1, 2100):
        x * (i / 2)
        assert i / 2 in calling._numbers and len(calling._numbers) <= 1001
    assert {1049.0, 1049.5} <= calling._numbers.keys()

GIVEN = {
    "tracked": lambda a: tensor(a, requires_grad=True), "constant": tensor, "array": lambda a: a,
    "number": lambda a: 0.1, "wider": lambda a: tensor(a.astype(np.float64), requires_grad=True),
    "integers": lambda a: tensor(a.astype(np.int64)), "booleans": lambda a: tensor(a > 1),
    "NumPy's number": lambda a: np.float64(0.1)}


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
@pytest.mark.parametrize("given", ["tracked", "constant", "array", "wider", "integers", "booleans"])
@pytest.mark.parametrize(("name", "options"), [
    ("exp", {}), ("square", {}), ("round", {"decimals": 0}), ("relu", {}),
    ("sum", {"dim": 0, "keepdim": False, "dtype": None}),
    ("transpose", {"dim0": 0, "dim1": -1}), ("reshape", {"shape": (2, 1)}), ("flip", {"dims": (0,)})])
def test_with_one_operand(name, options, given, recording):
    op, x = TABLE[name], GIVEN[given](np.array([[1.0, 2.0]], np.float32))
    with autograd.set_grad_enabled(recording):
        expected = str(outcome(lambda x: apply(op, (x,), options), [x]))
        assert str(outcome(lambda x: op.call(x, **options), [x])) == expected
        assert str(outcome(lambda x: op.call(x, *options.values()), [x])) == expected


@pytest.mark.parametrize(("named", "by_place"), [
    (lambda x: autograd.cat(tensors=[x, x], dim=1), lambda x: autograd.cat([x, x], 1)),
    (lambda x: autograd.stack(tensors=(x, x)), lambda x: autograd.stack([x, x])),
    (lambda x: autograd.hstack(tensors=[x, x]), lambda x: autograd.hstack([x, x])),
    (lambda x: x.expand(size=(2, 3)), lambda x: x.expand(2, 3)),
    (lambda x: autograd.broadcast_to(x, size=(2, 3)), lambda x: autograd.broadcast_to(x, (2, 3))),
    (lambda x: x.repeat(repeats=(2, 2)), lambda x: x.repeat(2, 2)),
    (lambda x: x.tile(dims=(2,)), lambda x: x.tile((2,))),
    (lambda x: x.split(split_size=1)[1], lambda x: x.split(1)[1]),
    (lambda x: x.sum(axis=0, keepdims=True), lambda x: x.sum(0, True)),
])
def test_arguments_may_be_named_as_in_pytorch_and_numpy(named, by_place):
    x = autograd.tensor([[1.0], [2.0]])
    assert named(x).tolist() == by_place(x).tolist()


def test_several_tensors_are_given_once():
    x = autograd.ones(2)
    with pytest.raises(TypeError, match=r"'tensors' is given twice"):
        autograd.cat([x], tensors=[x])
