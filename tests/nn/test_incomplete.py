"""How draws of the gamma and Dirichlet families move with their shape: beside differences of SciPy's quantiles."""

import numpy as np
import pytest

import autograd
from autograd.operations import incomplete_gamma
from autograd.testing import gradcheck
from nn import distributions as D
from nn.distributions import dirichlet, gamma, incomplete

special = pytest.importorskip("scipy.special")
stats = pytest.importorskip("scipy.stats")
LEVELS = np.array([1e-6, 1e-3, 0.05, 0.3, 0.5, 0.7, 0.95, 0.999, 1 - 1e-6])


def difference(quantile, shape, relative=1e-4):
    """A derivative of the fourth order in the step; and its error, by one of twice the step."""
    def at(h):
        return (8 * (quantile(shape + h) - quantile(shape - h)) - quantile(shape + 2 * h)
                + quantile(shape - 2 * h)) / (12 * h)
    h = relative * shape
    return at(h), np.abs(at(h) - at(2 * h))


SHAPES = 10.0 ** np.arange(-2, 5.5, 0.5)


@pytest.mark.parametrize("alpha", SHAPES)
def test_a_gamma_draw_moves_as_the_quantile(alpha):
    z = special.gammaincinv(alpha, LEVELS)
    level, z = LEVELS[z > 1e-250], z[z > 1e-250]
    slope, error = difference(lambda a: special.gammaincinv(a, level), alpha)
    leaf = autograd.tensor(np.full(z.shape, alpha), requires_grad=True)
    got = autograd.grad(gamma.Draw.apply(leaf, autograd.tensor(z)).sum(), leaf)[0].numpy()
    np.testing.assert_allclose(got, slope, rtol=0, atol=np.max(10 * error + 1e-7 * np.abs(slope)))
    assert (np.abs(got / slope - 1) < 1e-6 + 10 * error / np.abs(slope)).all()


@pytest.mark.parametrize("alpha", SHAPES)
def test_the_incomplete_gamma_function_is_scipys(alpha):
    z = np.concatenate([special.gammaincinv(alpha, LEVELS), alpha * np.geomspace(1e-3, 5, 9)])
    z = z[z > 0]
    below = incomplete_gamma.gamma(z, np.array(alpha))
    density = incomplete_gamma.gamma_density(np.full(z.shape, alpha), z)
    np.testing.assert_allclose(density * below.value,
                               np.where(below.above, special.gammaincc(alpha, z), special.gammainc(alpha, z)),
                               rtol=5e-12, atol=1e-280)
    np.testing.assert_allclose(autograd.special.gammainc(np.full(z.shape, alpha), z), special.gammainc(alpha, z),
                               rtol=5e-12, atol=1e-280)


@pytest.mark.parametrize("alpha", [0.3, 1.0, 1.7, 5.0, 15.0, 17.0, 90.0])
def test_gamma_draws_have_a_second_derivative(alpha):
    """Along the quantile, that is the second derivative of the quantile."""
    def quantile(a):
        return special.gammaincinv(a, LEVELS)
    z, h = quantile(alpha), 3e-3 * alpha
    expected = (-quantile(alpha + 2 * h) + 16 * quantile(alpha + h) - 30 * z + 16 * quantile(alpha - h)
                - quantile(alpha - 2 * h)
                ) / (12 * h * h)
    leaf = autograd.tensor(np.full(z.shape, alpha), requires_grad=True)
    slope, = autograd.grad(gamma.Draw.apply(leaf, autograd.tensor(z)).sum(), leaf, create_graph=True)
    bend, = autograd.grad(slope.sum(), leaf, create_graph=True)
    np.testing.assert_allclose(bend.detach(), expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())
    with pytest.raises(NotImplementedError, match="third derivative"):
        autograd.grad(bend.sum(), leaf)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0, 30.0])
def test_the_distribution_function_has_both_derivatives_in_both(alpha):
    x = autograd.tensor(special.gammaincinv(alpha, [0.4, 0.5, 0.9]), requires_grad=True)
    leaf = autograd.tensor(alpha, dtype=autograd.float64, requires_grad=True)
    assert gradcheck(lambda a, x: D.Gamma(a, 0.7, validate_args=False).cdf(x), [leaf, x])


PAIRS = [(a, b) for a in (0.01, 0.1, 0.7, 1.0, 3.0, 4.5, 20.0, 300.0, 1e4)
         for b in (0.01, 0.3, 1.0, 2.0, 8.0, 100.0, 1e4)]


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_a_beta_draw_moves_as_the_quantile(a, b):
    x = special.betaincinv(a, b, LEVELS)
    fit = (x > 1e-200) & (x < 1 - 1e-6)
    x = x[fit]
    in_a, in_b = incomplete.beta_slopes(x, 1 - x, np.array(a), np.array(b))
    density = stats.beta.pdf(x, a, b)

    def of_level(shape, rest, first):
        """From the distribution function, whose digits are SciPy's."""
        return -special.betainc(shape, rest, x) if first else -special.betainc(rest, shape, x)
    for got, shape, rest, first in ((in_a, a, b, True), (in_b, b, a, False)):
        change, error = difference(lambda s, rest=rest, first=first: of_level(s, rest, first), shape, 1e-3)
        tolerance = (20 * error + 1e-13 / shape) / density + 1e-7 * np.abs(got)
        assert (np.abs(got - change / density) < tolerance).all()


def test_beta_draws_beside_fifty_digits():
    mpmath = pytest.importorskip("mpmath")
    rng = np.random.default_rng(0)
    with mpmath.workdps(50):
        for _ in range(150):
            a, b = 10 ** rng.uniform(-4, 2.5, 2)
            x = special.betaincinv(a, b, rng.uniform(1e-5, 1 - 1e-5))
            if not 1e-200 < x < 1 - 1e-12:
                continue
            exact, step = mpmath.mpf(x), mpmath.mpf(10) ** -14
            density = exact ** (a - mpmath.mpf(1)) * (1 - exact) ** (b - mpmath.mpf(1)) / mpmath.beta(a, b)
            slopes = []
            for shift in ((step * a, 0), (0, step * b)):
                above, below = (mpmath.betainc(a + s * shift[0], b + s * shift[1], 0, exact, regularized=True)
                                for s in (1, -1))
                slopes.append(float(-(above - below) / (2 * sum(shift)) / density))
            got = incomplete.beta_slopes(np.array(x), np.array(1 - x), np.array(a), np.array(b))
            np.testing.assert_allclose([float(g) for g in got], slopes, rtol=1e-9)


def test_gamma_draws_beside_fifty_digits():
    mpmath = pytest.importorskip("mpmath")
    rng = np.random.default_rng(0)
    with mpmath.workdps(60):
        for _ in range(150):
            alpha = 10 ** rng.uniform(-5, 4)
            z = special.gammaincinv(alpha, rng.uniform(1e-6, 1 - 1e-6))
            if z < 1e-250:
                continue
            step, density = mpmath.mpf(10) ** -15 * alpha, mpmath.exp((alpha - mpmath.mpf(1)) * mpmath.log(z) - z
                                                                      - mpmath.loggamma(alpha))
            above, below = (mpmath.gammainc(alpha + s * step, 0, mpmath.mpf(z), regularized=True) for s in (1, -1))
            parts = incomplete_gamma.gamma(np.array(z), np.array(alpha))
            got = parts.first if parts.above else -parts.first
            assert float(got) == pytest.approx(float(-(above - below) / (2 * step) / density), rel=1e-10)


def test_a_dirichlet_draw_moves_as_pytorchs():
    """PyTorch's formula has single digits of precision: it is the path that must be the same."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    for alpha in ([0.5, 2.0, 3.0], [1.0, 1.0], [20.0, 30.0, 1.5, 0.7]):
        x, g = rng.dirichlet(alpha, 5), rng.standard_normal((5, len(alpha)))
        leaf = autograd.tensor(np.broadcast_to(alpha, x.shape).copy(), requires_grad=True)
        got, = autograd.grad(dirichlet.Draw.apply(leaf, autograd.tensor(x)), leaf, autograd.tensor(g))
        theirs = map(torch.tensor, (x, leaf.detach().numpy(), g))
        expected = torch.distributions.dirichlet._Dirichlet_backward(*theirs)
        np.testing.assert_allclose(got, expected, rtol=2e-2, atol=2e-3)
        slope, = autograd.grad(dirichlet.Draw.apply(leaf, autograd.tensor(x)), leaf, autograd.tensor(g),
                               create_graph=True)
        with pytest.raises(NotImplementedError, match="differentiated again"):
            autograd.grad(slope.sum(), leaf)


def test_what_has_no_neighborhood():
    """Draws at an end, NaN, and a single category."""
    with np.errstate(all="raise"):
        parts = incomplete_gamma.gamma(np.array([0.0, np.inf, np.nan, 1.0]), np.array([1.0, 1.0, 1.0, -1.0]))
        assert np.isnan(parts.first).all()
    for x in ([0.0, 1.0], [1.0, 0.0], [1e-300, 1.0]):
        leaf = autograd.tensor([0.5, 0.5], dtype=autograd.float64, requires_grad=True)
        got, = autograd.grad(dirichlet.Draw.apply(leaf, autograd.tensor(x, dtype=autograd.float64))[0], leaf)
        assert np.isfinite(got.numpy()).all()
    corner = autograd.tensor([1.0, 1e-17, 1e-17], dtype=autograd.float64)  # 1 − x would be 0
    leaf = autograd.tensor([0.5, 0.5, 0.5], dtype=autograd.float64, requires_grad=True)
    got, = autograd.grad(dirichlet.Draw.apply(leaf, corner)[1], leaf)
    expected = incomplete.beta_slopes(np.array(1.0), np.array(2e-17), np.array(0.5), np.array(1.0))[0] / 2e-17 * -1e-17
    assert got[0].item() == pytest.approx(float(expected))
    assert expected < 0
    alpha = autograd.tensor([2.0], requires_grad=True)
    assert autograd.grad(D.Dirichlet(alpha).rsample().sum(), alpha)[0].tolist() == [0]
    empty = autograd.zeros(0, 3, requires_grad=True)
    assert autograd.grad(D.Dirichlet(empty).rsample().sum(), empty)[0].shape == (0, 3)


@pytest.mark.parametrize("dtype", [autograd.float32, autograd.float64])
def test_small_shapes_draw_what_can_be_differentiated(dtype):
    alpha = autograd.tensor([1e-3, 1e-2, 0.1], dtype=dtype, requires_grad=True)
    autograd.manual_seed(0)
    for draw in (D.Gamma(alpha, 1.0).rsample((200,)), D.Dirichlet(alpha).rsample((200,)),
                 D.Beta(alpha, alpha).rsample((200,))):
        assert draw.dtype == dtype
        assert (draw.detach() >= 0).all()
        assert np.isfinite(autograd.grad(draw.sum(), alpha)[0].numpy()).all()
