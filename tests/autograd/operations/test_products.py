"""Products: what PyTorch and NumPy compute, and that stacks are multiplied at once."""

import numpy as np
import pytest

import autograd
from autograd import Tensor, tensor

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

CASES = [
    (lambda t, a, b, c, d: t.mm(a, b), "nk km"),
    (lambda t, a, b, c, d: a @ b, "bnk km"),
    (lambda t, a, b, c, d: a @ b, "bcnk km"),
    (lambda t, a, b, c, d: a.transpose(0, 1) @ b, "nbk km"),
    (lambda t, a, b, c, d: a @ b, "nk bkm"),
    (lambda t, a, b, c, d: t.matmul(a, b), "k bkm"),
    (lambda t, a, b, c, d: t.bmm(a, b), "bnk bkm"),
    (lambda t, a, b, c, d: a.mv(b), "nk k"),
    (lambda t, a, b, c, d: a.dot(b), "k k"),
    (lambda t, a, b, c, d: t.outer(a, b), "n m"),
    (lambda t, a, b, c, d: t.inner(a, b), "nk bmk"),
    (lambda t, a, b, c, d: t.addmm(a, b, c), "m nk km"),
    (lambda t, a, b, c, d: t.addmm(a, b, c, beta=0.5, alpha=2), "nm nk km"),
    (lambda t, a, b, c, d: t.addmm(a.detach() * float("nan"), b, c, beta=0), "nm nk km"),
    (lambda t, a, b, c, d: t.baddbmm(a, b, c, alpha=-1), "bnm bnk bkm"),
    (lambda t, a, b, c, d: t.tensordot(a, b, 1), "nk kbm"),
    (lambda t, a, b, c, d: t.tensordot(a, b, ([0, 2], [1, 0])), "nmk kn"),
    (lambda t, a, b, c, d: t.tensordot(a, b, dims=0), "n k"),
    (lambda t, a, b, c, d: t.trace(a), "nk"),
    (lambda t, a, b, c, d: t.kron(a, b), "nk m"),
    (lambda t, a, b, c, d: t.linalg.cross(a, b), "n3 n3"),
    (lambda t, a, b, c, d: t.cross(a, b, dim=0), "3n 3n"),
    (lambda t, a, b, c, d: t.linalg.multi_dot([a, b, c, d]), "nk km mb b"),
    (lambda t, a, b, c, d: t.einsum("bij,bjk->bik", a, b), "bnk bkm"),
    (lambda t, a, b, c, d: t.einsum("...ij,jk", a, b), "bnk km"),
    (lambda t, a, b, c, d: t.einsum("...ik, ...j -> ij", a, b), "bnk bm"),
    (lambda t, a, b, c, d: t.einsum("...ik, ...j -> ij", a, b), "bcnk m"),
    (lambda t, a, b, c, d: t.einsum("...i, ...i", a, b), "bk k"),
    (lambda t, a, b, c, d: t.einsum("...i -> i", a), "bck"),
    (lambda t, a, b, c, d: t.einsum("iij, jk -> ik", a, b), "nnk km"),
    (lambda t, a, b, c, d: t.einsum("jiij, i -> ij", a, b), "knnk n"),
    (lambda t, a, b, c, d: t.einsum("iii", a), "nnn"),
    (lambda t, a, b, c, d: t.einsum("bhid,bhjd->bhij", a, b), "bcnk bcmk"),
    (lambda t, a, b, c, d: t.einsum("ij,jk,kl->il", a, b, c), "nk km mb"),
    (lambda t, a, b, c, d: t.einsum("ii->i", a), "nn"),
    (lambda t, a, b, c, d: t.einsum("ii", a), "nn"),
    (lambda t, a, b, c, d: t.einsum("ij->", a), "nk"),
    (lambda t, a, b, c, d: t.einsum("ij,ij->j", a, b), "nk nk"),
    (lambda t, a, b, c, d: t.einsum("ij,j->i", [a, b]), "nk k"),
    (lambda t, a, b, c, d: t.einsum("i,j->ji", a, b), "n k"),
    (lambda t, a, b, c, d: t.einsum("ij,kj->", a, b), "nk mk"),
    (lambda t, a, b, c, d: t.einsum(a, [0, 1], b, [1, 2], [2, 0]), "nk km"),
    (lambda t, a, b, c, d: t.einsum(a, [..., 0], b, [0]), "bnk k"),
]
SIZES = {"b": 2, "c": 3, "n": 4, "k": 5, "m": 6, "3": 3}


@pytest.mark.parametrize(("function", "shapes"), CASES)
def test_like_pytorch(function, shapes):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal([SIZES[c] for c in shape]).astype(np.float32) for shape in shapes.split()]
    ours, theirs = [Tensor(a, True) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    filler = [None] * (4 - len(arrays))
    x, y = function(autograd, *ours, *filler), function(torch, *theirs, *filler)
    assert x.shape == tuple(y.shape)
    assert x.dtype == np.float32
    np.testing.assert_allclose(x.detach().numpy(), y.detach().numpy(), rtol=1e-4, atol=1e-5)
    weight = rng.standard_normal(x.shape).astype(np.float32)
    x.backward(Tensor(weight))
    y.backward(torch.tensor(weight))
    for a, b in zip(ours, theirs, strict=True):
        got, expected = (np.zeros(a.shape) if x.grad is None else x.grad.numpy() for x in (a, b))
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


def test_a_stack_times_a_matrix_does_not_depend_on_the_layout():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((3, 4, 5)), rng.standard_normal((5, 2))
    for layout in (x, np.asfortranarray(x), x[::-1], np.swapaxes(np.ascontiguousarray(np.swapaxes(x, 0, 1)), 0, 1)):
        a, b = Tensor(layout, requires_grad=True), Tensor(w, requires_grad=True)
        y = a @ b
        np.testing.assert_allclose(y.detach().numpy(), np.matmul(layout, w))
        y.sum().backward()
        np.testing.assert_allclose(a.grad.numpy(), np.broadcast_to(w.sum(1), x.shape))
        np.testing.assert_allclose(b.grad.numpy(), np.broadcast_to(layout.sum((0, 1))[:, None], w.shape))


@pytest.mark.parametrize(("wrong", "says"), [
    (lambda v, m: autograd.mm(v, m), r"^mm\(.*takes a matrix.*shape \(3,\).*matmul"),
    (lambda v, m: autograd.dot(m, v), r"^dot\(.*takes a vector"),
    (lambda v, m: m @ m[:2], "matmul"),
    (lambda v, m: autograd.einsum("ij,jk->ik", m), "2 operands, 1 were given"),
    (lambda v, m: autograd.tensordot(m, m[:2], ([0], [0])), r"axes \(0,\) of shape \(3, 3\)"),
    (lambda v, m: autograd.cross(m[:2, :2], m[:2, :2]), "3 elements"),
])
def test_errors_name_shapes(wrong, says):
    with pytest.raises((RuntimeError, ValueError), match=says):
        wrong(tensor([1.0, 2.0, 3.0]), autograd.eye(3))


@pytest.mark.parametrize("shapes", [((1, 1, 1, 0), (0, 1)), ((2, 0, 3), (3, 2)), ((0, 2, 0), (0, 0)), ((2, 3), (3, 0))])
def test_products_of_nothing(shapes):
    x, y = (autograd.ones(shape, requires_grad=True) for shape in shapes)
    out = x @ y
    assert out.shape == (*shapes[0][:-1], shapes[1][-1])
    out.sum().backward()
    assert (x.grad.shape, y.grad.shape) == shapes
