"""Derivatives of functions of several arguments, as in `torch.autograd.functional` and `torch.func`."""

import numpy as np
import pytest

import autograd
from autograd import Tensor, functional, tensor

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

FUNCTIONS = {
    "one to one": (lambda t, x: (x ** 3).sum(), 1), "one to many": (lambda t, x: t.exp(x) * x.sum(), 1),
    "two to one": (lambda t, x, y: (x * x * y).sum() + (y ** 3).sum(), 2),
    "two to many": (lambda t, x, y: t.sin(x) * y + y.sum(), 2),
    "to several": (lambda t, x, y: (x * y, x.sum() * x), 2),
    "unused": (lambda t, x, y: (x ** 2).sum(), 2), "linear": (lambda t, x: 3 * x.sum(), 1),
}
SCALAR = ["one to one", "two to one", "unused", "linear"]


def arguments(name):
    rng = np.random.default_rng(0)
    function, count = FUNCTIONS[name]
    arrays = [rng.standard_normal(3) for _ in range(2 * count)]
    ours, theirs = [Tensor(a) for a in arrays], [torch.tensor(a) for a in arrays]

    def of(t, tensors):
        inputs, vectors = tuple(tensors[:count]), tuple(tensors[count:])
        return lambda *x: function(t, *x), inputs[0] if count == 1 else inputs, vectors[0] if count == 1 else vectors
    return of(autograd, ours), of(torch, theirs)


def same(ours, theirs):
    if isinstance(theirs, tuple):
        assert type(ours) is tuple
        for a, b in zip(ours, theirs, strict=True):
            same(a, b)
        return
    assert ours.shape == tuple(theirs.shape)
    assert ours.requires_grad == theirs.requires_grad
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("method", ["jvp", "jacobian"])
def test_forward_products_and_jacobians(name, method):
    (f, x, v), (g, y, w) = arguments(name)
    extra = ((v,), (w,)) if method == "jvp" else ((), ())
    same(getattr(functional, method)(f, x, *extra[0]), getattr(torch.autograd.functional, method)(g, y, *extra[1]))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_vjp(name):
    (f, x, _), (g, y, _) = arguments(name)
    theirs = g(*(y if isinstance(y, tuple) else (y,)))
    shapes = [out.shape for out in (theirs if isinstance(theirs, tuple) else (theirs,))]
    arrays = [np.random.default_rng(i).standard_normal(shape) for i, shape in enumerate(shapes)]
    v, w = tuple(map(Tensor, arrays)), tuple(map(torch.tensor, arrays))
    if len(arrays) == 1:
        v, w = v[0], w[0]
    same(functional.vjp(f, x, v), torch.autograd.functional.vjp(g, y, w))


@pytest.mark.parametrize("name", SCALAR)
@pytest.mark.parametrize("method", ["hessian", "vhp", "hvp"])
def test_second_derivatives(name, method):
    (f, x, v), (g, y, w) = arguments(name)
    extra = ((), ()) if method == "hessian" else ((v,), (w,))
    same(getattr(functional, method)(f, x, *extra[0]), getattr(torch.autograd.functional, method)(g, y, *extra[1]))


@pytest.mark.parametrize("method", ["vjp", "jvp", "jacobian", "hessian", "vhp"])
def test_create_graph_makes_results_differentiable_in_the_inputs(method):
    values = np.array([1.0, 2.0, -0.5])
    gradients = []
    for t, module in ((autograd, functional), (torch, torch.autograd.functional)):
        x = t.tensor(values, dtype=t.float64, requires_grad=True)
        extra = (t.ones(3, dtype=t.float64),) if method in ("jvp", "vhp") else ()
        result = getattr(module, method)(lambda x, t=t: (t.exp(x) * x.sum()).sum(), x, *extra, create_graph=True)
        result = result[1] if isinstance(result, tuple) else result
        (result ** 2).sum().backward()
        gradients.append(x.grad.numpy())
    np.testing.assert_allclose(*gradients)


@pytest.mark.parametrize("method", ["vjp", "jvp", "jacobian", "hessian", "vhp"])
def test_strict_refuses_what_does_not_depend(method):
    x, y = tensor([1.0]), tensor([2.0])
    extra = ((x, y),) if method in ("jvp", "vhp") else ()
    function = (lambda x, y: tensor([1.0])) if method == "jvp" else (lambda x, y: (x ** 2).sum())
    getattr(functional, method)(function, (x, y), *extra)
    with pytest.raises(RuntimeError, match="strict=False"):
        getattr(functional, method)(function, (x, y), *extra, strict=True)


def test_grad_makes_a_function():
    def f(x, y, scale=1.0):
        return (x ** 2 * y).sum() * scale
    x, y = tensor([1.0, 2.0]), tensor([3.0, 4.0])
    assert functional.grad(f)(x, y).tolist() == [6, 16]
    assert functional.grad(f, argnums=1)(x, y, scale=2.0).tolist() == [2, 8]
    assert [g.tolist() for g in functional.grad(f, argnums=(0, 1))(x, y)] == [[6, 16], [1, 4]]
    value, g = functional.value_and_grad(f)(x, y)
    assert (value.item(), g.tolist()) == (19, [6, 16])
    (value, aux), g = functional.value_and_grad(lambda x: (x.sum(), "aux"), has_aux=True)(x)
    assert (value.item(), aux, g.tolist()) == (3, "aux", [1, 1])
    assert functional.grad(lambda x: (x.sum(), "aux"), has_aux=True)(x)[1] == "aux"
    assert not (x.requires_grad or g.requires_grad or value.requires_grad)


def test_grad_can_be_nested_and_leaves_grad_alone():
    x = tensor([1.0, 2.0], requires_grad=True)
    first = functional.grad(lambda x: (x ** 4).sum())
    second = functional.grad(lambda x: first(x).sum())
    third = functional.grad(lambda x: second(x).sum())
    assert third(x).tolist() == [24, 48]
    assert x.grad is None
    with autograd.no_grad():
        assert functional.grad(lambda x: (x ** 4).sum())(x).tolist() == [4, 32]


@pytest.mark.parametrize(("wrong", "says"), [
    (lambda x: functional.grad(lambda x: x)(x), r"shape \(2,\).*jacobian"),
    (lambda x: functional.grad(lambda x: 1.0)(x), "a float"),
    (lambda x: functional.vjp(lambda x: x, x), r"shapes \[\(2,\)\]"),
    (lambda x: functional.jvp(lambda x: x, x, tensor([1.0])), r"\[\(2,\)\], those of v are \[\(1,\)\]"),
    (lambda x: functional.hessian(lambda x: x, x), r"one Tensor of one element, this returned shape \(2,\)"),
    (lambda x: functional.jacobian(lambda x: [1], x), "output 0 is a int"),
    (lambda x: functional.jacobian(lambda x: x, (x, 1.0)), "number 1 is a float"),
])
def test_errors_say_what_is_needed(wrong, says):
    with pytest.raises((RuntimeError, TypeError), match=says):
        wrong(tensor([1.0, 2.0]))
