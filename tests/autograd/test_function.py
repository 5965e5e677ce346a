"""Function: the user's own operations in PyTorch's form."""

import gc
import weakref

import numpy as np
import pytest

import autograd
from autograd import Function, Graph, grad, is_grad_enabled, tensor
from autograd.function import once_differentiable
from autograd.testing import check_derivatives


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return 3 * x * x * g


class Exp(Function):
    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, g):
        y, = ctx.saved_tensors
        return g * y


class SumAndProduct(Function):
    @staticmethod
    def forward(ctx, x, y, scale):
        ctx.save_for_backward(x, y)
        ctx.scale = scale
        return scale * (x + y), x * y

    @staticmethod
    def backward(ctx, g_sum, g_product):
        x, y = ctx.saved_tensors
        return ctx.scale * g_sum + g_product * y, ctx.scale * g_sum + g_product * x, None


@pytest.mark.parametrize("function", [Cube.apply, Exp.apply, lambda x: SumAndProduct.apply(x, Exp.apply(x), 3.0)])
def test_differentiates_twice_if_backward_is_written_in_tensor_operations(function):
    check_derivatives(function, [np.array([0.5, -1.0, 2.0])], order=3)


def test_an_unused_output_sends_zeros():
    x, y = tensor(2.0, requires_grad=True), tensor(5.0, requires_grad=True)
    _, product = SumAndProduct.apply(x, y, 3.0)
    product.backward()
    assert (x.grad.item(), y.grad.item()) == (5, 2)


class Needs(Function):
    @staticmethod
    def forward(ctx, x, y):
        return x + y

    @staticmethod
    def backward(ctx, g):
        Needs.seen = ctx.needs_input_grad
        return g, g


def test_the_context_tells_which_gradients_are_wanted():
    class Watch(Function):
        @staticmethod
        def forward(ctx, x, y):
            assert ctx.needs_input_grad == (True, False)
            return x + y

        @staticmethod
        def backward(ctx, g):
            assert ctx.needs_input_grad == (True, False)
            return g, None
    x, y = tensor(1.0, requires_grad=True), tensor(2.0)
    Watch.apply(x, y).backward()
    assert x.grad.item() == 1
    result = Needs.apply(x, y.requires_grad_())
    for wanted in ([x], [y], [x, y]):
        grad(result, wanted, retain_graph=True)
        assert Needs.seen == (x in set(wanted), y in set(wanted))


def test_it_appears_in_the_graph_under_its_name_and_runs_again():
    x = tensor([2.0], requires_grad=True)
    y = Cube.apply(x * 1)
    graph = Graph(y)
    assert [node.name for node in graph.nodes] == ["mul", "Cube"]
    assert graph.forward()[y.node].tolist() == [8]
    a, b = SumAndProduct.apply(x, tensor([5.0]), 3.0)
    graph = Graph(a, b)
    assert [value.tolist() for value in graph.forward()[graph.nodes[0]]] == [[21], [10]]


def test_forward_runs_without_recording_whenever_it_runs():
    class Note(Function):
        @staticmethod
        def forward(ctx, x):
            seen.append(is_grad_enabled())
            return x * 1
    seen = []
    Graph(Note.apply(tensor([2.0], requires_grad=True))).forward()
    assert seen == [False, False]


@pytest.mark.parametrize("function", [Cube, Exp])
def test_what_is_saved_goes_back_by_reference_count(function):
    gc.collect()
    gc.disable()
    try:
        x = tensor([2.0], requires_grad=True) * 1
        y = function.apply(x)
        arrays = weakref.ref(x.array), weakref.ref(y.array)
        del x
        y.sum().backward()
        assert arrays[0]() is None  # the context has let go of it
        del y
        assert arrays[1]() is None
        z = function.apply(tensor([2.0], requires_grad=True))
        array = weakref.ref(z.array)
        del z
        assert array() is None  # it was not kept by what it keeps
    finally:
        gc.enable()


def test_each_saved_tensor_comes_back_whatever_it_was():
    class Keep(Function):
        @staticmethod
        def forward(ctx, x, y, nothing):
            z = x * y
            ctx.save_for_backward(nothing, y, z, x, x + 1, z)
            return z

        @staticmethod
        def backward(ctx, g):
            seen.extend(t if t is None else t.item() for t in ctx.saved_tensors)
            return g, g, None
    seen = []
    Keep.apply(tensor(2.0, requires_grad=True), tensor(5.0), None).backward()
    assert seen == [None, 5, 10, 2, 3, 10]


def test_a_second_backward_and_changed_tensors_are_found_as_for_any_operation():
    x = tensor([2.0], requires_grad=True)
    y = Cube.apply(x)
    y.backward()
    with pytest.raises(RuntimeError, match="released"):
        y.backward()
    y = Cube.apply(x)
    x.detach().add_(1)
    with pytest.raises(RuntimeError, match="`Cube` needs"):
        y.backward()


@pytest.mark.parametrize(("forward", "backward", "message"), [
    (lambda ctx, x: x * 1, lambda ctx, g: (g, g), "returned 2 gradients, but forward has 1"),
    (lambda ctx, x: x * 1, lambda ctx, g: g.sum().reshape(1, 1), r"shape \(2,\) a gradient of shape \(1, 1\)"),
])
def test_wrong_backwards_are_refused(forward, backward, message):
    wrong = type("Wrong", (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})
    with pytest.raises(RuntimeError, match=message):
        wrong.apply(tensor([1.0, 2.0], requires_grad=True)).sum().backward()


def test_forward_must_return_tensors():
    wrong = type("Wrong", (Function,), {"forward": staticmethod(lambda ctx, x: x.array)})
    with pytest.raises(TypeError, match=r"Wrong\.forward must return a Tensor.*ndarray"):
        wrong.apply(tensor([1.0]))


@pytest.mark.parametrize("missing", ["forward", "backward"])
def test_what_is_not_written_is_missed(missing):
    given = {name: vars(Cube)[name] for name in ("forward", "backward") if name != missing}
    with pytest.raises(NotImplementedError, match=missing):
        type("Half", (Function,), given).apply(tensor(1.0, requires_grad=True)).backward()
    with pytest.raises(NotImplementedError, match="setup_context"):
        Function.setup_context(None, (), None)


def test_mark_non_differentiable():
    class Split(Function):
        @staticmethod
        def forward(ctx, x):
            kept = x * 1
            rounded = x * 0
            ctx.mark_non_differentiable(rounded)
            return kept, rounded

        @staticmethod
        def backward(ctx, g, _):
            return g
    x = tensor([1.0], requires_grad=True)
    kept, rounded = Split.apply(x)
    assert kept.requires_grad
    assert not rounded.requires_grad
    assert grad(kept, x)[0].tolist() == [1]


# PyTorch's newer form, marks, and gradients once

def both_forms():
    """Cubes with the result beside its square: in either form, for either library."""
    def of(m):
        class Old(m.Function if m is autograd else m.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x ** 3, x ** 2

            @staticmethod
            def backward(ctx, g, h):
                x, = ctx.saved_tensors
                return 3 * x ** 2 * g + 2 * x * h

        class New(m.Function if m is autograd else m.autograd.Function):
            @staticmethod
            def forward(x):
                return x ** 3, x ** 2

            @staticmethod
            def setup_context(ctx, inputs, output):
                ctx.save_for_backward(*inputs)

            backward = Old.backward
        return Old, New
    return of


@pytest.mark.parametrize("which", [0, 1], ids=["forward with ctx", "setup_context"])
def test_either_form_has_both_derivatives(which):
    torch = pytest.importorskip("torch")
    found = []
    for m in (autograd, torch):
        function = both_forms()(m)[which]
        x = m.tensor([2.0, -1.0], requires_grad=True)
        cube, square = function.apply(x)
        g, = m.autograd.grad((cube + square).sum(), x, create_graph=True) if m is torch else autograd.grad(
            (cube + square).sum(), x, create_graph=True)
        g.sum().backward()
        found.append((cube.tolist(), g.tolist(), x.grad.tolist()))
    assert found[0] == found[1]


def test_gradients_that_do_not_arrive_are_zeros_or_none():
    seen = []

    class Two(autograd.Function):
        @staticmethod
        def forward(ctx, x, fill):
            ctx.set_materialize_grads(fill)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, g, h):
            seen.append(h if h is None else h.tolist())
            return g * 2, None
    for fill in (True, False):
        x = autograd.tensor([1.0], requires_grad=True)
        Two.apply(x, fill)[0].sum().backward()
        assert x.grad.tolist() == [2]
    assert seen == [[0], None]


def test_an_argument_that_was_changed_in_place_is_the_result():
    class AddOne(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.add_(1)

        @staticmethod
        def backward(ctx, g):
            return g * 10
    x = autograd.tensor([1.0], requires_grad=True)
    y = x * 2
    z = AddOne.apply(y)
    assert z is y
    (y * 3).sum().backward()
    assert (y.item(), x.grad.item()) == (3, 60)
    with pytest.raises(RuntimeError, match="leaf that requires gradients"):
        AddOne.apply(autograd.tensor([1.0], requires_grad=True))


def test_one_of_several_results_may_be_a_changed_argument():
    class AddTo(autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.mark_dirty(x)
            return x.add_(y), y * 5

        @staticmethod
        def backward(ctx, g, h):
            return g, g + 5 * h
    y = autograd.tensor([1.0], requires_grad=True)
    total = autograd.tensor([10.0])
    first, second = AddTo.apply(total, y)
    assert first is total and total.requires_grad and second is not total  # a constant has become a result
    (total * 2 + second).sum().backward()
    assert (total.item(), second.item(), y.grad.item()) == (11, 5, 7)


def test_what_is_differentiable_once_is_refused_twice():
    class Double(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            assert not g.requires_grad
            return autograd.tensor(g.numpy() * 2)
    x = autograd.tensor([1.0], requires_grad=True)
    Double.apply(x).sum().backward()
    assert x.grad.item() == 2
    g, = autograd.grad((Double.apply(x) ** 2).sum(), x, create_graph=True)
    assert g.item() == 8
    with pytest.raises(RuntimeError, match="once_differentiable"):
        g.backward()


def test_what_is_differentiable_once_may_have_several_gradients_or_none():
    class First(autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.set_materialize_grads(False)
            return x * 2, y * 3

        @staticmethod
        @once_differentiable
        def backward(ctx, g, h):
            assert h is None
            return g * 2, None
    x, y = autograd.tensor([1.0], requires_grad=True), autograd.tensor([1.0], requires_grad=True)
    first, _ = First.apply(x, y)
    for create_graph in (False, True):
        g, nothing = grad((first ** 2).sum(), [x, y], retain_graph=True, create_graph=create_graph, allow_unused=True)
        assert g.item() == 8 and g.requires_grad == create_graph and nothing is None


def test_backward_may_compute_anew_and_ask_for_derivatives_in_what_it_saved():
    """As the adjoint method of an ODE does, and layers that keep no activations."""
    class Recomputed(Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            return (x * w).tanh()

        @staticmethod
        def backward(ctx, g):
            x, w = ctx.saved_tensors
            assert w.requires_grad and (w is leaf or not w.is_leaf)
            with autograd.enable_grad():
                x = x.detach().requires_grad_()
                y = (x * w).tanh()
            return autograd.grad(y, (x, w), g)

    leaf = tensor([1.0, 2.0], requires_grad=True)
    x = tensor([0.5, 0.25], requires_grad=True)
    wanted = autograd.grad((x * leaf).tanh().sum(), (x, leaf))
    for w in (leaf, leaf * 1):
        found = autograd.grad(Recomputed.apply(x * 1, w).sum(), (x, leaf))
        assert [g.tolist() for g in found] == [g.tolist() for g in wanted]


def test_what_is_asked_for_may_have_been_released_beyond():
    x = tensor([1.0], requires_grad=True)
    middle = x.exp()
    middle.sin().backward()
    assert autograd.grad(middle * 3, middle)[0].tolist() == [3]
