"""Known behavior: rules converge on a convex quadratic, LBFGS and Newton on Rosenbrock's function, SGD zig-zags."""

import numpy as np
import pytest

import optim
from autograd import Tensor
from optim.matrix import orthogonalized

RATES = {"SGD": 0.1, "ASGD": 0.1, "Adagrad": 0.5, "Adadelta": 300.0, "RMSprop": 0.01, "Rprop": 0.01, "Adam": 0.05,
         "AdamW": 0.05, "Adamax": 0.1, "NAdam": 0.05, "RAdam": 0.05, "Lion": 0.01, "Adafactor": 0.05, "LBFGS": 1,
         "Newton": 1}


def rosenbrock(x, y):
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def start(*values):
    return [Tensor(np.array(value), requires_grad=True) for value in values]


def minimize(optimizer, f, steps):
    """Losses before each step; LBFGS and Newton take the closure, too."""
    losses = []

    def closure():
        optimizer.zero_grad()
        loss = f()
        loss.backward(retain_graph=True)
        return loss
    for _ in range(steps):
        losses.append(optimizer.step(closure).item())
    return losses


@pytest.mark.parametrize("name", RATES)
def test_converges_on_a_convex_quadratic(name):
    [x] = start([1.0, -2.0, 3.0])
    scale = np.array([1.0, 2.0, 4.0])
    options = {"weight_decay": 0} if name == "AdamW" else {}
    optimizer = getattr(optim, name)([x], lr=RATES[name], **options)
    losses = minimize(optimizer, lambda: (scale * (x - 1) ** 2).sum(), 500)
    assert losses[-1] < 0.01 * losses[0]


@pytest.mark.parametrize("make, steps", [
    (lambda params: optim.LBFGS(params, line_search_fn="strong_wolfe", max_iter=60, max_eval=200, tolerance_grad=1e-12,
                                tolerance_change=1e-16), 1),
    (lambda params: optim.Newton(params), 25),
    (lambda params: optim.Newton(params, solver="cg"), 25),
], ids=["LBFGS", "Newton", "Newton by conjugate gradients"])
def test_machine_precision_on_rosenbrock_in_few_iterations(make, steps):
    x, y = params = start(-1.2, 1.0)
    minimize(make(params), lambda: rosenbrock(x, y), steps)
    assert abs(x.item() - 1) < 1e-9 and abs(y.item() - 1) < 1e-9


def test_newton_needs_one_step_on_a_quadratic():
    [x] = start(np.arange(4.0))
    matrix = np.diag([1.0, 10, 100, 1000]) + 0.1
    optim.Newton([x]).step(lambda: 0.5 * (x * (matrix @ x)).sum() - x.sum())
    np.testing.assert_allclose(x.array, np.linalg.solve(matrix, np.ones(4)), rtol=1e-9)


def test_newton_leaves_a_saddle():
    """The curvature is negative there: its absolute value still gives a way down."""
    x, y = params = start(0.1, 1.0)
    optimizer = optim.Newton(params)
    losses = minimize(optimizer, lambda: y**2 - x**2 + x**4, 15)
    assert losses[-1] == pytest.approx(-0.25)


def test_sgd_zig_zags_in_a_ravine_and_momentum_does_not():
    """Near the largest stable rate the steep coordinate changes sign every step; averaged gradients cancel that."""
    def run(**options):
        [x] = start([1.0, 1.0])
        optimizer = optim.SGD([x], **options)
        path = []
        for _ in range(60):
            minimize(optimizer, lambda: 0.5 * (np.array([100.0, 1.0]) * x**2).sum(), 1)
            path.append(x.array.copy())
        path = np.array(path)
        return (np.diff(np.sign(path[:, 0])) != 0).mean(), np.linalg.norm(path[-1])
    flips, distance = run(lr=0.019)
    flips_with_momentum, distance_with_momentum = run(lr=0.01, momentum=0.8)
    assert flips > 0.9 and flips_with_momentum < 0.4
    assert distance_with_momentum < distance / 10


def test_lion_is_its_formula():
    [p] = start(np.linspace(-1, 1, 7))
    x, m, rng = p.array.copy(), np.zeros(7), np.random.default_rng(0)
    optimizer = optim.Lion([p], lr=0.01, betas=(0.8, 0.95), weight_decay=0.1)
    for _ in range(20):
        g = rng.standard_normal(7)
        p.grad = Tensor(g)
        optimizer.step()
        x = x - 0.01 * (np.sign(0.8 * m + 0.2 * g) + 0.1 * x)
        m = 0.95 * m + 0.05 * g
    np.testing.assert_allclose(p.array, x, rtol=1e-12)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5)])
def test_muon_steps_along_the_orthogonal_factor(shape):
    """By the cubic iteration, which converges, u becomes UVᵀ; by Muon's own its singular values come near 1."""
    u = np.random.default_rng(0).standard_normal(shape)
    left, _, right = np.linalg.svd(u, full_matrices=False)
    np.testing.assert_allclose(orthogonalized(u, (1.5, -0.5, 0), 40, 1e-7), left @ right, atol=1e-9)
    values = np.linalg.svd(orthogonalized(u, (3.4445, -4.7750, 2.0315), 5, 1e-7), compute_uv=False)
    assert (values > 0.4).all() and (values < 1.3).all()


def test_muon_is_about_pytorchs():
    """PyTorch iterates in bfloat16: two digits."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    for options in ({}, {"nesterov": False, "adjust_lr_fn": "match_rms_adamw", "weight_decay": 0.01}):
        [p] = start(rng.standard_normal((6, 4)))
        q = torch.tensor(p.array.copy(), requires_grad=True)
        first = p.array.copy()
        for optimizer in (optim.Muon([p], lr=0.1, **options), torch.optim.Muon([q], lr=0.1, **options)):
            p.grad, q.grad = Tensor(np.sin(first)), torch.tensor(np.sin(first))
            optimizer.step()
        np.testing.assert_allclose(p.array - first, q.detach().numpy() - first, atol=0.02)


class TestLBFGSAgainstPyTorch:
    torch = pytest.importorskip("torch")

    @pytest.mark.parametrize("options", [
        {"lr": 0.1}, {"lr": 0.05, "history_size": 3, "max_iter": 5}, {"line_search_fn": "strong_wolfe"},
        {"line_search_fn": "strong_wolfe", "max_iter": 7, "history_size": 2},
        {"line_search_fn": "strong_wolfe", "max_eval": 5},
    ], ids=str)
    def test_steps(self, options):
        """On a function of two parameters, one a matrix, saved and resumed in the middle."""
        rng = np.random.default_rng(0)
        starts = [rng.standard_normal((3, 2)), rng.standard_normal(2)]
        x = rng.standard_normal((10, 3))
        ours = start(*(s.copy() for s in starts))
        theirs = [self.torch.tensor(s, requires_grad=True) for s in starts]
        a, b = optim.LBFGS(ours, **options), self.torch.optim.LBFGS(theirs, **options)
        t = np.sin(x[:, 0])
        tx, tt = self.torch.tensor(x), self.torch.tensor(t)
        for i in range(6):
            mine = minimize(a, lambda: (((x @ ours[0]).tanh() * ours[1]).sum(1) - t).pow(2).mean(), 1)
            his = minimize(b, lambda: (((tx @ theirs[0]).tanh() * theirs[1]).sum(1) - tt).pow(2).mean(), 1)
            assert mine[0] == pytest.approx(his[0], rel=1e-6)  # rounding grows along the way
            if i == 3:
                saved, a = a.state_dict(), optim.LBFGS(ours, **options)
                a.load_state_dict(saved)
        for p, q in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p.array, q.detach().numpy(), rtol=1e-5, atol=1e-8)
        assert set(a.state_dict()["state"][0]) | {"al"} == set(b.state_dict()["state"][0]) | {"al"}
