"""Whose a gradient is: its tensor's alone, of its tensor's shape and dtype, whoever writes into it."""

import threading

import numpy as np
import pytest

import autograd
from autograd import Function, Graph, Tensor, grad, tensor

SHARED = {  # programs in which one array is the gradient of several
    "sum of two": lambda a, b: (a + b).sum(),
    "sum of views": lambda a, b: (a.reshape(2, 2) + b.reshape(2, 2)).sum(),
    "mean": lambda a, b: (a + b).mean(),
    "concatenated": lambda a, b: autograd.cat([a, b]).sum(),
    "stacked": lambda a, b: autograd.stack([a, b]).sum(0).sum(),
    "each alone": lambda a, b: a.sum() + b.sum(),
    "expanded": lambda a, b: a.expand(3, 4).sum() + b.sum(),
    "product": lambda a, b: (a * b).sum(),
    "of saved results": lambda a, b: (a.exp() + b.exp()).sum(),
}


def leaves():
    return [tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True) for _ in range(2)]


def memories(*tensors):
    return [t.detach().numpy() for t in tensors]


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("retain", [False, True])
@pytest.mark.parametrize("way", ["backward", "grad", "retain_grad"])
@pytest.mark.parametrize("program", SHARED)
def test_no_two_gradients_share_memory_and_all_can_be_written_to(program, way, retain, create_graph):
    a, b = leaves()
    x, y = a * 1, b * 1
    x.retain_grad()
    y.retain_grad()
    loss = SHARED[program](x, y)
    given = tensor(1.0)
    if way == "grad":
        found = grad(loss, [a, b, x, y], given, retain_graph=retain, create_graph=create_graph)
    else:
        loss.backward(given, retain_graph=retain, create_graph=create_graph)
        found = [a.grad, b.grad] if way == "backward" else [a.grad, b.grad, x.grad, y.grad]
    arrays = memories(*found)
    others = memories(a, b, x, y, loss, given)
    for i, array in enumerate(arrays):
        assert array.flags.writeable
        assert not any(np.shares_memory(array, other) for other in [*arrays[i + 1:], *others])
    before = [array.copy() for array in arrays]
    with autograd.no_grad():
        found[0].mul_(0).add_(7)
    for array, old in zip(memories(*found[1:]), before[1:], strict=True):
        np.testing.assert_array_equal(array, old)


@pytest.mark.parametrize("shape", [(), (3,)])
def test_the_gradient_that_a_leaf_was_given_stays_the_callers(shape):
    x, v = autograd.ones(shape, requires_grad=True), autograd.full(shape, 5.0)
    x.backward(v)
    x.grad.mul_(2)
    assert (v == 5).all()


def writes(g):
    g.mul_(5)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("writer", ["hook", "leaf hook", "Function"])
def test_who_writes_into_a_gradient_changes_nobody_elses(writer, create_graph):
    class Writing(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            writes(g)
            return g

    a, b = leaves()
    d = b if writer == "leaf hook" else Writing.apply(b) if writer == "Function" else b * 1
    if writer != "Function":
        d.register_hook(writes)
    ga, gb = grad(((a + d) * 3).sum(), [a, b], create_graph=create_graph)
    assert ga.tolist() == [3] * 4
    assert gb.tolist() == [15] * 4


def test_who_writes_into_what_a_graph_shows_changes_nothing_else():
    a, b = leaves()
    y = a + b
    graph = Graph(y)
    graph.forward()
    graph.backward()
    shown = [*graph.values.values(), *graph.gradients.values(), *graph.contributions.values()]
    for i, array in enumerate(shown):
        assert array.flags.writeable
        assert not any(np.shares_memory(array, other) for other in [*shown[i + 1:], *memories(a, b)])


@pytest.mark.parametrize(("returned", "error", "message"), [
    (lambda g: tensor([1.0]), RuntimeError, r"shape \(1,\), float32, but was given \(4,\), float32"),
    (lambda g: g.double(), RuntimeError, r"float64, but was given \(4,\), float32.*\.to\("),
    (lambda g: g.numpy(), TypeError, "must return a Tensor.*not ndarray"),
    (lambda g: 3.0, TypeError, "must return a Tensor.*not float")])
@pytest.mark.parametrize("kind", ["leaf", "result"])
def test_what_a_hook_returns_is_checked(returned, error, message, kind):
    a, b = leaves()
    d = a if kind == "leaf" else a * 1
    d.register_hook(returned)
    with pytest.raises(error, match=message):
        (d * b).sum().backward()
    assert a.grad is None


@pytest.mark.parametrize(("returned", "error", "message"), [
    (lambda g: g.sum(), RuntimeError, r"`Bad` gave argument 0 of shape \(4,\) a gradient of shape \(\)"),
    (lambda g: tensor([1.0, 2.0]), RuntimeError, r"`Bad` gave argument 0 of shape \(4,\) a gradient of shape \(2,\)"),
    (lambda g: (g, g), RuntimeError, "returned 2 gradients, but forward has 1 argument"),
    (lambda g: 3.0, TypeError, r"Bad.backward returned a float for argument 0")])
def test_what_a_function_returns_is_checked(returned, error, message):
    class Bad(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return returned(g)
    a, _ = leaves()
    with pytest.raises(error, match=message):
        Bad.apply(a).sum().backward()


@pytest.mark.parametrize(("value", "error", "message"), [
    (autograd.ones(2), RuntimeError, r"\(4,\), float32\), not \(2,\), float32"),
    (autograd.ones(4, dtype=autograd.float64), RuntimeError, r"float64.*\.to\(t\.dtype\)"),
    (np.ones(4, np.float32), TypeError, r"not ndarray; write tensor\(value\)"), (1.0, TypeError, "not float")])
def test_what_is_assigned_to_grad_is_checked(value, error, message):
    x, _ = leaves()
    with pytest.raises(error, match=message):
        x.grad = value
    assert x.grad is None
    x.grad = autograd.ones(4)
    (x * 2).sum().backward()
    assert x.grad.tolist() == [3] * 4
    x.grad = None
    assert x.grad is None


def test_a_tensor_is_not_its_own_gradient():
    x, _ = leaves()
    with pytest.raises(RuntimeError, match=r"own gradient.*clone\(\)"):
        x.grad = x


def test_the_gradients_of_threads_that_share_a_leaf_add_up():
    count, rounds = 8, 40
    for _ in range(rounds):
        x, barrier = tensor([0.0], requires_grad=True), threading.Barrier(count)

        def work(x=x, barrier=barrier):
            y = (x * 2).sum()
            barrier.wait()
            y.backward()
        threads = [threading.Thread(target=work) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert x.grad.item() == 2 * count


# What does not change has derivative zero, which exists

PIECEWISE_LINEAR = {
    "relu": lambda x: autograd.maximum(x, 0), "clamp": lambda x: x.clamp(-1, 1), "abs": abs,
    "maximum": lambda x: autograd.maximum(x, x.flip(0)), "sign": lambda x: x * x.sign(),
    "where": lambda x: autograd.where(x > 0, x, -x) + x * x}


@pytest.mark.parametrize("f", PIECEWISE_LINEAR.values(), ids=PIECEWISE_LINEAR)
def test_a_penalty_on_the_gradient_of_something_piecewise_linear(f):
    x = tensor([-2.0, 0.5, 3.0], requires_grad=True)
    w = tensor([1.0, 2.0, 3.0], requires_grad=True)
    g, = grad((f(x) * w).sum(), x, create_graph=True)
    (g * g).sum().backward()
    assert x.grad is None or x.grad.shape == (3,)
    assert w.grad.abs().sum() > 0
    g, = grad(f(x).sum(), x, create_graph=True)
    laplacian, = grad(g.sum(), x)
    assert laplacian.tolist() == ([2, 2, 2] if f is PIECEWISE_LINEAR["where"] else [0, 0, 0])


def test_a_leaf_that_was_frozen_since_the_forward_pass_gets_nothing():
    a, b = leaves()
    y = (a * b).sum()
    a.requires_grad_(False)
    y.backward()
    assert a.grad is None and b.grad.tolist() == [1, 2, 3, 4]


def test_values_of_tracked_tensors_are_taken_with_a_word():
    a, b = leaves()
    with pytest.warns(UserWarning, match=r"stack\(\[\.\.\.\]\).*detach\(\)"):
        values = tensor([a[0] * 2, b[1]])
    assert values.tolist() == [2, 2] and not values.requires_grad
    with pytest.warns(UserWarning):
        assert isinstance(tensor(a), Tensor)
