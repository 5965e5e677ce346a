"""torch.func's functions of functions, beside PyTorch: alone, nested, with several arguments, and their refusals."""

import numpy as np
import pytest

import autograd
from autograd import func

torch = pytest.importorskip("torch")
X, Y = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]]), np.array([1.0, 2.0, -0.5])

CALLS = {
    "grad": lambda f, m, x, y: f.grad(lambda x: (x ** 3).sum())(x),
    "grad of several": lambda f, m, x, y: f.grad(lambda x, y: (x * y).sum(), (0, 1))(x, y),
    "grad of grad": lambda f, m, x, y: f.grad(lambda s: f.grad(lambda t: t ** 4)(s))(y[0]),
    "grad, aux": lambda f, m, x, y: f.grad(lambda x: ((x ** 2).sum(), x + 1), has_aux=True)(x),
    "grad_and_value": lambda f, m, x, y: f.grad_and_value(lambda x: (x ** 2).sum())(x),
    "vjp": lambda f, m, x, y: f.vjp(lambda x, y: x * y, x, y)[1](x + 1),
    "vjp's value": lambda f, m, x, y: f.vjp(lambda x: x.sin(), x)[0],
    "vjp of several": lambda f, m, x, y: f.vjp(lambda x: (x.sin(), x.sum()), x)[1]((x, y[0])),
    "vjp twice": lambda f, m, x, y: [pull := f.vjp(lambda x: x ** 2, x)[1], pull(x), pull(x * 2)][1:],
    "vjp, aux": lambda f, m, x, y: f.vjp(lambda x: (x ** 2, x * 3), x, has_aux=True)[2],
    "jvp": lambda f, m, x, y: f.jvp(lambda x, y: x.sin() * y, (x, y), (x * 0 + 1, y)),
    "jvp, aux": lambda f, m, x, y: f.jvp(lambda x: (x ** 2, x.sum()), (x,), (x,), has_aux=True),
    "jacrev": lambda f, m, x, y: f.jacrev(lambda y: y.sin() * y.sum())(y),
    "jacrev of the second": lambda f, m, x, y: f.jacrev(lambda x, y: x @ y, 1)(x, y),
    "jacrev of both": lambda f, m, x, y: f.jacrev(lambda x, y: x @ y, (0, 1))(x, y),
    "jacrev, aux": lambda f, m, x, y: f.jacrev(lambda y: (y ** 2, y), has_aux=True)(y),
    "jacfwd": lambda f, m, x, y: f.jacfwd(lambda y: y.exp().cumsum(0))(y),
    "hessian": lambda f, m, x, y: f.hessian(lambda y: (y ** 3).sum() * y[0])(y),
    "jacfwd of jacrev": lambda f, m, x, y: f.jacfwd(f.jacrev(lambda y: (y ** 3).sum()))(y),
    "vmap": lambda f, m, x, y: f.vmap(lambda row: row.sin().sum())(x),
    "vmap along another axis": lambda f, m, x, y: f.vmap(lambda column: column * 2, 1, 1)(x),
    "vmap with what is common": lambda f, m, x, y: f.vmap(lambda row, y: row * y, (0, None))(x, y),
    "vmap of dictionaries": lambda f, m, x, y: f.vmap(lambda d: {"a": d["x"].sum(), "b": d["x"] * 2})({"x": x})["b"],
    "vmap of grad": lambda f, m, x, y: f.vmap(f.grad(lambda row, y: (row * y).sum() ** 2), (0, None))(x, y),
    "vmap of vmap": lambda f, m, x, y: f.vmap(f.vmap(lambda a, b: a * b, (None, 0)), (0, None))(y, y),
    "grad of vmap": lambda f, m, x, y: f.grad(lambda x: f.vmap(lambda r: r.prod())(x).sum())(x),
    "vmap of several results": lambda f, m, x, y: f.vmap(lambda r: (r.sum(), r), out_dims=(0, 1))(x),
}


def flat(result):
    return [t for part in result for t in flat(part)] if isinstance(result, (tuple, list)) else [result]


@pytest.mark.parametrize("tracked", [False, True], ids=["constants", "tracked"])
@pytest.mark.parametrize("name", CALLS)
def test_as_in_pytorch(name, tracked):
    found = []
    for f, m in ((func, autograd), (torch.func, torch)):
        x, y = m.tensor(X, requires_grad=tracked), m.tensor(Y, requires_grad=tracked)
        results = [r for r in flat(CALLS[name](f, m, x, y)) if not callable(r)]
        gradients = []
        if tracked and any(r.requires_grad for r in results):
            sum((r * r).sum() for r in results if r.requires_grad).backward()
            gradients = [None if t.grad is None else t.grad.numpy() for t in (x, y)]
        found.append(([r.detach().numpy() for r in results], gradients))
    (ours, gradients), (theirs, expected) = found
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
        assert a.shape == b.shape
    assert len(gradients) == len(expected)
    for a, b in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(np.zeros(1) if a is None else a, np.zeros(1) if b is None else b, rtol=1e-10,
                                   atol=1e-10)


def test_random_numbers_are_asked_for():
    x = autograd.ones(3, 2)

    def noisy(row):
        return row + autograd.rand(2)
    with pytest.raises(RuntimeError, match="has drawn random numbers"):
        func.vmap(noisy)(x)
    assert (func.vmap(noisy, randomness="same")(x)[0] == func.vmap(noisy, randomness="same")(x)[0]).shape == (2,)
    same = func.vmap(noisy, randomness="same")(x)
    assert (same[0] == same[1]).all() and (same[1] == same[2]).all()
    different = func.vmap(noisy, randomness="different")(x)
    assert not (different[0] == different[1]).any()


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda x: func.vmap(lambda a, b: a, (0, 0))(x, x[:1]), RuntimeError, "different numbers of examples"),
    (lambda x: func.vmap(lambda a: a, None)(x), ValueError, "nothing to map over"),
    (lambda x: func.vmap(lambda a: a, (0, 0))(x), ValueError, "2 entries"),
    (lambda x: func.vmap(lambda a: 1.0)(x), TypeError, "returns Tensors"),
    (lambda x: func.vmap(lambda a: a, randomness="some"), ValueError, "none of"),
    (lambda x: func.grad(lambda a: a)(x), RuntimeError, "one element")])
def test_what_cannot_be_mapped_says_why(call, error, message):
    with pytest.raises(error, match=message):
        call(autograd.ones(2, 2))
