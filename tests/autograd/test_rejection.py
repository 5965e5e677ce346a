"""Numbers drawn until they are accepted: PyTorch's, and of the right distribution."""

import numpy as np
import pytest

import autograd
from autograd import Generator, random, rejection

COUNT = 20_000
SHAPES = np.array([0, 0.001, 0.1, 0.5, 0.99, 1, 1.5, 2, 10, 1000], np.float64)


@pytest.mark.parametrize("algorithm", ["mt19937", "pcg64"])
@pytest.mark.parametrize(("draw", "mean", "variance"), [
    (lambda g: rejection.gamma(np.full(COUNT, 0.4), g), 0.4, 0.4),
    (lambda g: rejection.gamma(np.full(COUNT, 3.0), g), 3, 3),
    (lambda g: rejection.poisson(np.full(COUNT, 2.5), g), 2.5, 2.5),
    (lambda g: rejection.poisson(np.full(COUNT, 30.0), g), 30, 30),
    (lambda g: rejection.binomial(np.full(COUNT, 8.0), np.full(COUNT, 0.3), g), 2.4, 1.68),
    (lambda g: rejection.binomial(np.full(COUNT, 80.0), np.full(COUNT, 0.7), g), 56, 16.8),
])
def test_moments(algorithm, draw, mean, variance):
    values = draw(Generator(algorithm=algorithm).manual_seed(0))
    assert abs(values.mean() - mean) < 5 * (variance / COUNT) ** 0.5
    assert abs(values.var() / variance - 1) < 0.08


@pytest.mark.parametrize("seed", [0, 7, 2 ** 40])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gamma_and_dirichlet_numbers_are_pytorchs(seed, dtype):
    torch = pytest.importorskip("torch")
    torch.manual_seed(seed)
    autograd.manual_seed(seed)
    shapes = np.tile(SHAPES, 20).astype(dtype)
    np.testing.assert_allclose(random.standard_gamma(shapes), torch._standard_gamma(torch.tensor(shapes)),
                               rtol=2e-6 if dtype == np.float32 else 1e-15)
    for concentration in (np.full((9, 4), 2), np.full((9, 4), 0.003), np.array([0.5, 1, 7])):
        concentration = concentration.astype(dtype)
        np.testing.assert_allclose(random.dirichlet(concentration),
                                   torch._sample_dirichlet(torch.tensor(concentration)), rtol=1e-15)
    np.testing.assert_array_equal(autograd.rand(3).numpy(), torch.rand(3))


def test_what_is_drawn_ahead_is_given_back():
    for draw in (lambda g: rejection.gamma(SHAPES, g), lambda g: rejection.poisson(SHAPES, g),
                 lambda g: rejection.binomial(SHAPES, np.full(10, 0.3), g)):
        whole, parts = Generator().manual_seed(5), Generator().manual_seed(5)
        expected = [draw(whole), draw(whole)]
        assert whole.get_state().tolist() == (draw(parts), draw(parts), parts.get_state().tolist())[2]
        assert not np.array_equal(*expected)


@pytest.mark.parametrize("draw", [
    lambda: autograd.poisson(autograd.zeros(2, 0)), lambda: autograd.binomial(autograd.zeros(2, 0), autograd.zeros(0))])
def test_nothing_is_drawn_for_nothing(draw):
    autograd.manual_seed(0)
    assert draw().shape == (2, 0)
    assert autograd.get_rng_state().tolist() == Generator().manual_seed(0).get_state().tolist()


def test_certain_results_draw_nothing():
    autograd.manual_seed(0)
    n, p = autograd.tensor([0.0, 5.0, 5.0]), autograd.tensor([0.5, 0.0, 1.0])
    assert autograd.binomial(n, p).tolist() == [0, 0, 5]
    assert autograd.poisson(autograd.zeros(2)).tolist() == [0, 0]
    assert autograd.get_rng_state().tolist() == Generator().manual_seed(0).get_state().tolist()
    assert autograd.binomial(autograd.tensor(4.0), autograd.tensor([0.5, 0.5])).shape == (2,)


@pytest.mark.parametrize(("call", "part"), [
    (lambda: autograd.poisson(autograd.tensor([-1.0])), "rates of at least 0, not -1"),
    (lambda: autograd.binomial(autograd.tensor([-1.0]), autograd.tensor([0.5])), "counts of at least 0"),
    (lambda: autograd.binomial(autograd.tensor([1.0]), autograd.tensor([1.5])), "between 0 and 1"),
])
def test_mistakes_are_refused(call, part):
    with pytest.raises(ValueError, match=part):
        call()
