"""Recomputation: the same derivatives as without, from less memory."""

import numpy as np
import pytest

import autograd
from autograd import Function, Tensor, checkpoint, checkpoint_sequential, tensor
from autograd.sharing import memory


class Cube(Function):
    """An operation of the user's own, which saves for itself."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return 3 * x * x * g


WEIGHT = Tensor(np.random.default_rng(0).standard_normal((4, 4)), requires_grad=True)
BLOCKS = {
    "product": lambda x: (x @ WEIGHT).tanh() * x,
    "noise": lambda x: (x @ WEIGHT).sigmoid() * autograd.rand(4),
    "parts": lambda x: sum(part.exp() for part in x.split(2, 1)).repeat(1, 2),
    "own": lambda x: Cube.apply(x.sin()).cos(),
    "nested": lambda x: checkpoint(lambda x: (x * WEIGHT[0]).tanh().exp(), x).sin(),
    "nothing": lambda x: x,
}


def derivatives(run):
    """The value, first and second derivatives of three runs of a block, one after the other."""
    autograd.manual_seed(0)
    x = Tensor(np.random.default_rng(1).standard_normal((3, 4)), requires_grad=True)
    y = x
    for _ in range(3):
        y = run(y)
    first = autograd.grad((y * y).sum(), [x, WEIGHT], create_graph=True, allow_unused=True)
    second = autograd.grad(sum((g * g).sum() for g in first if g is not None), [x, WEIGHT], allow_unused=True)
    return [y, *first, *second], autograd.rand(2)


@pytest.mark.parametrize("name", BLOCKS)
def test_derivatives_of_two_orders_are_the_same(name):
    plain, after = derivatives(BLOCKS[name])
    ours, after_ours = derivatives(lambda x: checkpoint(BLOCKS[name], x))
    for a, b in zip(ours, plain, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())
    assert after_ours.tolist() == after.tolist()  # the second run draws its random numbers without being noticed


def saved_bytes(*outputs):
    """The memory that the graph behind some tensors keeps."""
    kept, todo = {}, [out.node for out in outputs]
    for node in todo:
        for a in (*(node.args or ()), node.out):
            if isinstance(a, np.ndarray):
                kept[id(memory(a))] = memory(a).nbytes
        todo += [parent for parent in node.parents if hasattr(parent, "operation") and parent not in todo]
    return sum(kept.values())


def test_what_rules_need_is_not_kept():
    def block(x):
        for _ in range(20):
            x = x.tanh()
        return x
    x = autograd.randn(100, requires_grad=True)
    assert saved_bytes(block(x)) >= 20 * x.nbytes
    y = checkpoint(block, x)
    assert saved_bytes(y) == 0
    y.sum().backward()
    assert saved_bytes(y) == 0  # and it is released again


def test_the_function_runs_again_once_a_backward_pass():
    runs = []

    def block(x):
        runs.append(x)
        return x.exp(), x.sin(), 5
    x = autograd.randn(3, requires_grad=True)
    a, b, five = checkpoint(block, x)
    assert five == 5
    (a + b).sum().backward(retain_graph=True)
    assert len(runs) == 2
    b.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), (x.exp() + 2 * x.cos()).detach().numpy(), rtol=1e-6)


def test_nothing_is_recorded_under_no_grad():
    with autograd.no_grad():
        assert not checkpoint(lambda x: x * 2, tensor([1.0], requires_grad=True)).requires_grad


def test_a_sequence_in_segments():
    functions = [lambda x: x.tanh(), lambda x: x * WEIGHT[0], lambda x: x.exp(), lambda x: x.sin(), lambda x: x + 1]
    results = []
    for segments in (1, 2, 5):
        x = Tensor(np.arange(4.0), requires_grad=True)
        checkpoint_sequential(functions, segments, x).sum().backward()
        results.append(x.grad.tolist())
    assert results[0] == results[1] == results[2]


def test_a_function_that_does_something_else_the_second_time_is_refused():
    calls = []

    def fickle(x):
        calls.append(1)
        return x.exp() if len(calls) == 1 else x.sin()
    y = checkpoint(fickle, tensor([1.0], requires_grad=True))
    with pytest.raises(RuntimeError, match=r"\['exp'\], the second time \['sin'\]"):
        y.backward()


def test_an_argument_that_has_changed_is_refused():
    x = tensor([1.0], requires_grad=True)
    y = checkpoint(lambda x: x.exp(), x)
    with autograd.no_grad():
        x += 1
    with pytest.raises(RuntimeError, match=r"changed in place.*clone\(\)"):
        y.backward()
