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
    "eig": lambda t, x: t.linalg.eig(x).eigenvalues.real if t is torch else t.linalg.eig(x).eigenvalues,
    "eigenvectors": lambda t, x: (lambda v: (v.real if t is torch else v) ** 2)(t.linalg.eig(x @ x.mT).eigenvectors),
    "torch.svd": lambda t, x: (lambda u, s, v: u * (s * s)[..., None, :] @ v.mT)(*t.svd(x[..., :2])),
    "torch.svd, values alone": lambda t, x: t.svd(x[..., :2, :], compute_uv=False)[1],
    "torch.svd, full": lambda t, x: abs(t.svd(x[..., :2], some=False)[0].detach()) + 0 * x,
    **{f"lstsq {driver}": lambda t, x, driver=driver: t.linalg.lstsq(
        x[..., :2], x[..., 1:] * 2, driver=driver).solution for driver in (None, "gels", "gelsd", "gelss")},
    "lstsq residuals": lambda t, x: t.linalg.lstsq(x[..., :2], x[..., 1:] * 2, driver="gelsd").residuals,
    "lstsq of a wide one": lambda t, x: t.linalg.lstsq(x[..., :2, :], x[..., :2, :2] ** 2).solution,
    "lstsq of vectors": lambda t, x: t.linalg.lstsq(x[..., :2], x[..., 2]).solution,
    **{f"lu_solve left={left} adjoint={adjoint}": lambda t, x, left=left, adjoint=adjoint: t.linalg.lu_solve(
        *t.linalg.lu_factor(x), 2 * (x[..., :2] if left else x[..., :2, :]), left=left, adjoint=adjoint)
       for left in (False, True) for adjoint in (False, True)},
    "torch.lu_solve": lambda t, x: t.lu_solve(x[..., :2], *t.linalg.lu_factor(x)),
    "lu_unpack": lambda t, x: sum(t.lu_unpack(*t.linalg.lu_factor(x))[1:]),
    "P": lambda t, x: t.linalg.lu(x.flip(-2))[0] + 0 * x,
    "lu_factor_ex": lambda t, x: t.linalg.lu_factor_ex(x)[0], "inv_ex": lambda t, x: t.linalg.inv_ex(x)[0],
    "chain_matmul": lambda t, x: t.chain_matmul(x[0], x[1], x[0, :, :2]),
    "pinverse": lambda t, x: x[..., :2].pinverse(),
    "large matrix_exp": lambda t, x: t.linalg.matrix_exp(2 * x) / 1e6,
    "orgqr": lambda t, x: t.orgqr(x[..., :2], x[..., 0, :2] / 3),
    "vecdot": lambda t, x: t.linalg.vecdot(x, x[0], dim=-2),
    "cholesky_solve": lambda t, x: (x[..., :2] ** 2).cholesky_solve(x.tril()),
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


@pytest.mark.parametrize("name", ["det", "slogdet", "inv", "cholesky", "svdvals", "eigvalsh", "pinv", "qr",
                                 "matrix_exp",
                                  "lu", "lu_factor", "lu_factor_ex", "inv_ex", "cholesky_ex", "cond", "matrix_rank"])
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
        if name in ("cross", "multi_dot", "matmul", "solve", "solve_ex", "solve_triangular", "matrix_power",
        "tensorsolve",
                    "tensorinv", "lu_solve", "lstsq", "vecdot", "householder_product", "LinAlgError"):
            continue
        result = getattr(linalg, name)(x)
        for out in result if isinstance(result, tuple) else (result,):
            assert out.dtype == np.float32 or out.dtype.kind == "i"


@pytest.mark.parametrize("upper", [False, True])
def test_triangular_systems_of_many_blocks_are_solved_and_the_other_triangle_is_not_read(upper):
    rng = np.random.default_rng(0)
    full = rng.standard_normal((2, 200, 200)) + 20 * np.eye(200)
    triangle = np.triu(full) if upper else np.tril(full)
    x = rng.standard_normal((200, 3))
    found = linalg.solve_triangular(Tensor(np.where(triangle == 0, np.nan, full)), Tensor(triangle @ x), upper=upper)
    np.testing.assert_allclose(found.numpy(), np.broadcast_to(x, (2, 200, 3)), rtol=1e-9)


@pytest.mark.parametrize("shape", [(2, 150, 150), (130, 200), (200, 130)])
def test_lu_of_many_blocks(shape):
    x = np.random.default_rng(0).standard_normal(shape)
    P, L, U = linalg.lu(Tensor(x))  # noqa: N806
    np.testing.assert_allclose((P @ L @ U).numpy(), x, atol=1e-12)
    assert np.abs(L.numpy()).max() == 1
    for ours, theirs in zip(linalg.lu_factor(Tensor(x)), torch.linalg.lu_factor(torch.tensor(x)), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-7, atol=1e-9)


SINGULAR = np.array([[[1.0, 2], [2, 4]], [[1, 2], [3, 4]], [[0, 0], [0, 0]], [[2, 1], [1, 2]]])


def test_one_failing_matrix_leaves_the_others_of_a_stack_alone():
    for name in ("inv_ex", "cholesky_ex", "lu_factor_ex"):
        x = SINGULAR @ np.swapaxes(SINGULAR, 1, 2)
        ours, theirs = getattr(linalg, name)(Tensor(x)), getattr(torch.linalg, name)(torch.tensor(x))
        assert ours.info.tolist() == theirs.info.tolist()
        assert ours.info.dtype == np.int32
        np.testing.assert_allclose(ours[0].numpy()[1::2], theirs[0].numpy()[1::2])
        assert name == "lu_factor_ex" or np.isnan(ours[0].numpy()[::2]).all()
        with pytest.raises(linalg.LinAlgError):
            getattr(linalg, name)(Tensor(x), check_errors=True)
    for right in (np.ones(2), np.ones((4, 2)), np.ones((2, 3)), np.ones((4, 2, 1))):
        ours = linalg.solve_ex(Tensor(SINGULAR), Tensor(right))
        theirs = torch.linalg.solve_ex(torch.tensor(SINGULAR), torch.tensor(right))
        assert ours.info.tolist() == theirs.info.tolist()
        assert ours.result.shape == tuple(theirs.result.shape)
        np.testing.assert_allclose(ours.result.numpy()[1::2], theirs.result.numpy()[1::2])
    x = Tensor(SINGULAR, requires_grad=True)
    linalg.inv_ex(x)[0][1].sum().backward()
    assert np.isfinite(x.grad.numpy()).all()


@pytest.mark.parametrize("options", [{}, {"atol": 0.5}, {"rtol": 0.1}, {"atol": 1.0, "rtol": 0.1}, {"tol": 0.5},
                                     {"hermitian": True}, {"rtol": np.array([0.0, 0.5, 2.0])}])
def test_ranks_are_pytorchs(options):
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        x = np.stack([rng.standard_normal((5, r)) @ rng.standard_normal((r, 5)) for r in (1, 2, 4)]).astype(dtype)
        x = x + x.swapaxes(1, 2)
        ours, theirs = (t.linalg.matrix_rank(make(x), **{key: make(v) if isinstance(v, np.ndarray) else v
                                                         for key, v in options.items()})
                        for t, make in ((autograd, Tensor), (torch, torch.tensor)))
        assert ours.tolist() == theirs.tolist()
        assert ours.dtype == np.int64


@pytest.mark.parametrize("driver", [None, "gels", "gelsd", "gelss"])
@pytest.mark.parametrize("shapes", [((4, 2), (4, 3)), ((4, 2), (4,)), ((2, 4), (2, 3)), ((3, 4, 2), (3, 4)), ((4, 0),
                                 (4, 2)),
                                    ((3, 4, 2), (3, 4, 1)), ((0, 2), (0, 3))])
def test_least_squares_give_what_pytorch_gives(shapes, driver):
    a, b = (np.random.default_rng(i).standard_normal(shape) for i, shape in enumerate(shapes))
    ours = linalg.lstsq(Tensor(a), Tensor(b), driver=driver)
    theirs = torch.linalg.lstsq(torch.tensor(a), torch.tensor(b), driver=driver)
    for name, mine, their in zip(ours._fields, ours, theirs, strict=True):
        if min(a.shape[-2:]) == 0 and name in ("residuals", "singular_values"):
            continue  # of nothing
        assert mine.numpy().dtype == their.numpy().dtype
        np.testing.assert_allclose(mine.numpy(), their.numpy(), rtol=1e-9, atol=1e-12)


def test_least_squares_of_lower_rank_are_the_shortest():
    a, b = np.ones((4, 2)), np.arange(4.0)
    found = linalg.lstsq(Tensor(a), Tensor(b), driver="gelsd")
    np.testing.assert_allclose(found.solution.numpy(), np.linalg.lstsq(a, b)[0])
    assert (found.rank.item(), found.residuals.shape) == (1, (0,))


@pytest.mark.parametrize("scale", [1e-20, 1e-3, 1, 10, 20])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_matrix_exp_beside_scipy(scale, dtype):
    expm = pytest.importorskip("scipy.linalg").expm
    x = (scale * np.random.default_rng(0).standard_normal((3, 6, 6))).astype(dtype)
    expected = expm(x.astype(np.float64))
    error = np.abs(linalg.matrix_exp(Tensor(x)).numpy() - expected).max((1, 2)) / np.abs(expected).max((1, 2))
    assert (error < (1e-11 if dtype == np.float64 else 1e-6)).all()


@pytest.mark.parametrize("p", [None, 2, -2, 1, -1, "fro", "nuc", np.inf, -np.inf])
@pytest.mark.filterwarnings("ignore:.*encountered")
def test_singular_matrices_have_an_infinite_condition(p):
    x = Tensor(np.array([[[1.0, 0], [0, 0]], [[1, 0], [0, 2]]]))
    ours, theirs = linalg.cond(x, p), torch.linalg.cond(torch.tensor(x.numpy()), p)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy())


def test_complex_eigenvalues_are_refused_and_say_what_to_write():
    with pytest.raises(linalg.LinAlgError, match=r"eigvals.*not real.*eigh"):
        linalg.eigvals(Tensor([[0.0, 1.0], [-1.0, 0.0]]))


def test_householder_products_are_pytorchs():
    rng = np.random.default_rng(0)
    for m, n, k in ((4, 3, 3), (4, 3, 1), (3, 3, 2), (3, 2, 0)):
        a, tau = rng.standard_normal((2, m, n)), rng.standard_normal((2, k))
        np.testing.assert_allclose(linalg.householder_product(Tensor(a), Tensor(tau)).numpy(),
                                   torch.linalg.householder_product(torch.tensor(a), torch.tensor(tau)).numpy())


REFUSED = {
    "lu": lambda t: t.linalg.lu(t.ones(3)), "lu without exchanges": lambda t: t.linalg.lu(t.eye(2), pivot=False),
    "lu_factor": lambda t: t.linalg.lu_factor(t.ones(2, 2)), "exp": lambda t: t.linalg.matrix_exp(t.ones(2, 3)),
    "rank": lambda t: t.linalg.matrix_rank(t.ones(3)), "cond": lambda t: t.linalg.cond(t.ones(2, 3), 1),
    "norm of cond": lambda t: t.linalg.cond(t.eye(2), 3), "rows": lambda t: t.linalg.lstsq(t.ones(3, 2), t.ones(2, 1)),
    "driver": lambda t: t.linalg.lstsq(t.ones(3, 2), t.ones(3, 1), driver="x"),
    "eig": lambda t: t.linalg.eig(t.ones(2, 3)),
    "tensorinv": lambda t: t.linalg.tensorinv(t.ones(2, 3, 4)),
    "ind": lambda t: t.linalg.tensorinv(t.ones(1, 1), ind=0),
    "tensorsolve": lambda t: t.linalg.tensorsolve(t.ones(2, 3, 4), t.ones(2)),
    "powers": lambda t: t.linalg.vander(t.ones(3), N=1), "vander": lambda t: t.vander(t.ones(2, 2)),
    "reflections": lambda t: t.linalg.householder_product(t.ones(2, 3), t.ones(2)),
    "vector": lambda t: t.cholesky_solve(t.ones(2), t.eye(2)), "inv_ex": lambda t: t.linalg.inv_ex(t.ones(2, 3)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_pytorch_refuses_is_refused(name):
    for t in (torch, autograd):
        with pytest.raises((RuntimeError, ValueError)):
            REFUSED[name](t)


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
