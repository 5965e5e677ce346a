"""Linear algebra: PyTorch's values and gradients, and what the derivatives do where matrices are degenerate."""

import numpy as np
import pytest

import autograd
from autograd import Tensor, linalg

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

CASES = {
    "cholesky": lambda t, x: t.linalg.cholesky(x @ x.mT + t.eye(3, dtype=x.dtype)),
    "cholesky upper": lambda t, x: t.linalg.cholesky(x @ x.mT + t.eye(3, dtype=x.dtype), upper=True),
    "det": lambda t, x: t.linalg.det(x), "t.det": lambda t, x: x.det(), "inv": lambda t, x: t.linalg.inv(x),
    "inverse": lambda t, x: x.inverse(), "slogdet": lambda t, x: t.linalg.slogdet(x)[1],
    "sign": lambda t, x: t.linalg.slogdet(x).sign + 0 * x.sum(),
    "logdet": lambda t, x: t.logdet(x @ x.mT + t.eye(3, dtype=x.dtype)),
    "solve": lambda t, x: t.linalg.solve(x, x[..., :2] * 2), "solve vector": lambda t, x: t.linalg.solve(x, x[..., 0]),
    "solve right": lambda t, x: t.linalg.solve(x, x[..., :2, :] * 2, left=False),
    **{f"solve_triangular upper={u} left={left} unitriangular={one}":
       lambda t, x, u=u, left=left, one=one: t.linalg.solve_triangular(
           x, 2 * (x[..., :2] if left else x[0, :2]), upper=u, left=left, unitriangular=one)
       for u in (False, True) for left in (False, True) for one in (False, True)},
    "power": lambda t, x: t.linalg.matrix_power(x, 5), "inverse power": lambda t, x: t.linalg.matrix_power(x, -2),
    "power 0": lambda t, x: t.linalg.matrix_power(x, 0) * x, "svdvals": lambda t, x: t.linalg.svdvals(x),
    "svdvals of a wide one": lambda t, x: t.linalg.svdvals(x[..., :2, :]),
    "pinv": lambda t, x: t.linalg.pinv(x[..., :2]),
    "eigvalsh": lambda t, x: t.linalg.eigvalsh(x + x.mT),
    "projection": lambda t, x: t.linalg.eigh(x + x.mT)[1][..., :1] ** 2,
    "low rank": lambda t, x: (lambda u, s, v: u[..., :2] * s[..., None, :2] @ v[..., :2, :])(
        *t.linalg.svd(x, full_matrices=False)),
    "Q and R": lambda t, x: (lambda q, r: q @ (r * abs(r)))(*t.linalg.qr(x[..., :2])),
    "R of a wide one": lambda t, x: t.linalg.qr(x[..., :2, :]).R ** 2,
}


@pytest.mark.parametrize("name", CASES)
def test_like_pytorch(name):
    like_pytorch(CASES[name])


def like_pytorch(function):
    values = np.random.default_rng(0).standard_normal((2, 3, 3)) + 3 * np.eye(3)
    x, y = Tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    ours, theirs = function(autograd, x), function(torch, y)
    assert ours.shape == tuple(theirs.shape)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-9, atol=1e-9)
    weight = np.random.default_rng(1).standard_normal(ours.shape)
    (g,), (h,) = (autograd.grad(ours, x, Tensor(weight), create_graph=True),
                  torch.autograd.grad(theirs, y, torch.tensor(weight), create_graph=True))
    np.testing.assert_allclose(g.detach().numpy(), h.detach().numpy(), rtol=1e-8, atol=1e-8)
    if h.requires_grad:
        (second,), (reference,) = (autograd.grad((g * g).sum(), x, allow_unused=True),
                                   torch.autograd.grad((h * h).sum(), y, allow_unused=True))
        if reference is not None:
            second = np.zeros_like(values) if second is None else second.numpy()
            np.testing.assert_allclose(second, reference.numpy(force=True), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_the_gradient_of_det_are_the_cofactors_at_singular_matrices_too(rank, order):
    rng = np.random.default_rng(rank)
    values = (rng.standard_normal((3, rank)) @ rng.standard_normal((rank, 3)))[::order]
    x = Tensor(values, requires_grad=True)
    linalg.det(x).backward()
    cofactors = [[(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(values, i, 0), j, 1)) for j in range(3)]
                 for i in range(3)]
    np.testing.assert_allclose(x.grad.numpy(), cofactors, atol=1e-12)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4])
def test_second_derivatives_of_a_determinant_exist_at_singular_matrices(n):
    """They are those of the polynomial: sums of minors of two rows less, here by differences of the cofactors."""
    rng = np.random.default_rng(n)
    for rank in range(n + 1):
        values = rng.standard_normal((2, n, rank)) @ rng.standard_normal((2, rank, n))
        x, weight = Tensor(values, requires_grad=True), rng.standard_normal((2, n, n))

        def slope(at, weight=weight):
            at = Tensor(at, requires_grad=True)
            (g,) = autograd.grad(linalg.det(at).sum(), at, create_graph=True)
            return at, (g * Tensor(weight)).sum()
        x, along = slope(values)
        second = autograd.grad(along, x, allow_unused=True)[0] if along.requires_grad else None
        found = np.zeros_like(values) if second is None else second.numpy()
        for place in np.ndindex(values.shape):
            step = np.zeros_like(values)
            step[place] = 1e-4
            expected = (slope(values + step)[1].item() - slope(values - step)[1].item()) / 2e-4
            np.testing.assert_allclose(found[place], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*encountered")
def test_one_singular_matrix_leaves_the_others_of_a_stack_alone():
    values = np.array([[[1.0, 2], [2, 4]], [[1, 2], [3, 4]]])
    for create_graph in (False, True):
        x = Tensor(values, requires_grad=True)
        (g,) = autograd.grad(linalg.slogdet(x)[1], x, np.ones(2), create_graph=create_graph)
        np.testing.assert_allclose(g.detach().numpy()[1], np.linalg.inv(values[1]).T)
        assert g.tolist()[0] == [[np.inf, -np.inf], [-np.inf, np.inf]]


@pytest.mark.parametrize("name", ["det", "slogdet", "inv", "cholesky", "svdvals", "eigvalsh", "pinv", "qr"])
@pytest.mark.parametrize("shape", [(0, 0), (3, 0, 0), (0, 2, 2)])
def test_empty_matrices_and_stacks_are_pytorchs(name, shape):
    x, y = autograd.zeros(*shape, requires_grad=True), torch.zeros(shape, requires_grad=True)
    ours, theirs = getattr(linalg, name)(x), getattr(torch.linalg, name)(y)
    for a, b in zip(ours, theirs, strict=True) if isinstance(ours, tuple) else [(ours, theirs)]:
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())
    last = ours[-1] if isinstance(ours, tuple) else ours
    if last.requires_grad:
        last.sum().backward()
        assert x.grad is None or x.grad.shape == shape


def test_singular_values_that_are_equal_have_gradients():
    x = autograd.eye(3, requires_grad=True)
    linalg.svdvals(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.eye(3), atol=1e-6)


def test_float32_stays_float32():
    x = autograd.eye(2, requires_grad=True)
    for name in linalg.__all__:
        if name in ("cross", "multi_dot", "matmul", "solve", "solve_triangular", "matrix_power"):
            continue
        result = getattr(linalg, name)(x)
        for out in result if isinstance(result, tuple) else (result,):
            assert out.dtype == np.float32


@pytest.mark.parametrize("upper", [False, True])
def test_triangular_systems_of_many_blocks_are_solved_and_the_other_triangle_is_not_read(upper):
    rng = np.random.default_rng(0)
    full = rng.standard_normal((2, 200, 200)) + 20 * np.eye(200)
    triangle = np.triu(full) if upper else np.tril(full)
    x = rng.standard_normal((200, 3))
    found = linalg.solve_triangular(Tensor(np.where(triangle == 0, np.nan, full)), Tensor(triangle @ x), upper=upper)
    np.testing.assert_allclose(found.numpy(), np.broadcast_to(x, (2, 200, 3)), rtol=1e-9)


def test_errors_name_the_call():
    with pytest.raises(ValueError, match=r"\(\.\.\., k, n\), not \(2, 2\) and \(2, 3\)"):
        linalg.solve_triangular(autograd.eye(2), autograd.ones(2, 3), upper=True, left=False)
    with pytest.raises(TypeError, match="upper"):
        linalg.solve_triangular(autograd.eye(2), autograd.ones(2, 3))
    with pytest.raises(np.linalg.LinAlgError, match=r"(?i)singular"):
        linalg.solve_triangular(autograd.zeros(2, 2), autograd.ones(2, 3), upper=True)
    with pytest.raises(np.linalg.LinAlgError, match=r"(?i)singular"):
        linalg.inv(autograd.zeros(2, 2))
    with pytest.raises(np.linalg.LinAlgError, match=r"(?i)positive definite"):
        linalg.cholesky(-autograd.eye(2))
