"""Distributions: PyTorch's densities, entropies and divergences with all their gradients; samples that follow them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd.testing import gradcheck
from nn import distributions as D

torch = pytest.importorskip("torch")
torch.set_num_threads(1)
T = torch.distributions


def matrix(rng, *batch, n=3):
    a = rng.standard_normal((*batch, n, n))
    return a @ a.swapaxes(-1, -2) + 0.5 * np.eye(n)


def positive(rng, *shape):
    return rng.uniform(0.3, 2, shape)


# name: parameters drawn by a generator, by keyword; the distribution made of them in a module; values it could have.
KINDS = {
    "normal": (lambda r: {"loc": r.standard_normal((2, 3)), "scale": positive(r, 3)}, lambda m, p: m.Normal(**p)),
    "uniform": (lambda r: {"low": r.standard_normal(3) - 3, "high": r.standard_normal((2, 3)) + 3},
                lambda m, p: m.Uniform(**p)),
    "bernoulli of probs": (lambda r: {"probs": r.uniform(0.05, 0.95, (2, 3))}, lambda m, p: m.Bernoulli(**p)),
    "bernoulli of logits": (lambda r: {"logits": 5 * r.standard_normal((2, 3))}, lambda m, p: m.Bernoulli(**p)),
    "categorical of probs": (lambda r: {"probs": positive(r, 2, 4)}, lambda m, p: m.Categorical(**p)),
    "categorical of logits": (lambda r: {"logits": 3 * r.standard_normal((2, 4))}, lambda m, p: m.Categorical(**p)),
    "covariance": (lambda r: {"loc": r.standard_normal((2, 3)), "covariance_matrix": matrix(r)},
                   lambda m, p: m.MultivariateNormal(**p)),
    "precision": (lambda r: {"loc": r.standard_normal(3), "precision_matrix": matrix(r, 2)},
                  lambda m, p: m.MultivariateNormal(**p)),
    "scale_tril": (lambda r: {"loc": r.standard_normal((2, 3)), "scale_tril": np.linalg.cholesky(matrix(r, 2))},
                   lambda m, p: m.MultivariateNormal(**p)),
    "diagonal": (lambda r: {"loc": r.standard_normal((2, 3)), "scale": positive(r, 2, 3)},
                 lambda m, p: m.Independent(m.Normal(**p), 1)),
}
OWN = {"probs": {"categorical": 1}, "logits": {"categorical": 1}, "covariance_matrix": 2, "precision_matrix": 2,
       "scale_tril": 2, "loc": {"covariance": 1, "precision": 1, "scale_tril": 1, "diagonal": 1},
       "scale": {"diagonal": 1}}


def without_batch(kind):
    """The same distribution, of the parameters of one copy."""
    draw, make = KINDS[kind]

    def first(name, value):
        own = OWN.get(name, 0)
        own = own if isinstance(own, int) else own.get(kind.split()[0], 0)
        return value.reshape(-1, *value.shape[value.ndim - own:])[0].copy()
    return lambda rng: {name: first(name, value) for name, value in draw(rng).items()}, make


BATCHED = list(KINDS)
KINDS |= {f"one {kind}": without_batch(kind) for kind in BATCHED}
kinds = pytest.mark.parametrize("kind", KINDS)
seeds = st.integers(0, 2 ** 32)


def both(kind, seed):
    """Our distribution and PyTorch's, with the parameters of each."""
    draw, make = KINDS[kind]
    values = draw(np.random.default_rng(seed))
    ours = {name: autograd.tensor(v, requires_grad=True) for name, v in values.items()}
    theirs = {name: torch.tensor(v, requires_grad=True) for name, v in values.items()}
    return make(D, ours), make(T, theirs), list(ours.values()), list(theirs.values())


def assert_equal_with_gradients(ours, theirs, our_inputs, their_inputs):
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-7, atol=1e-9)
    assert ours.shape == tuple(theirs.shape)
    g = np.random.default_rng(0).standard_normal(ours.shape)
    got = autograd.grad(ours, our_inputs, autograd.tensor(g), retain_graph=True, allow_unused=True)
    expected = torch.autograd.grad(theirs, their_inputs, torch.tensor(g), retain_graph=True, allow_unused=True)
    for x, a, b in zip(our_inputs, got, expected, strict=True):
        a, b = 0 if a is None else a.numpy(), 0 if b is None else b.numpy()
        square = x.ndim > 1 and x.shape[-1] == x.shape[-2]
        if square and not np.triu(x.detach().numpy(), 1).any():  # PyTorch's has elements above the diagonal
            b = np.tril(b)
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)


@kinds
@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_log_prob_and_entropy_are_pytorchs(kind, seed):
    p, q, ours, theirs = both(kind, seed)
    assert (p.batch_shape, p.event_shape) == (tuple(q.batch_shape), tuple(q.event_shape))
    for shape in ((), (4,)):
        value = p.sample(shape)
        assert not value.requires_grad
        assert value.shape == shape + p.batch_shape + p.event_shape
        assert_equal_with_gradients(p.log_prob(value), q.log_prob(torch.tensor(value.numpy())), ours, theirs)
    assert_equal_with_gradients(p.entropy(), q.entropy(), ours, theirs)


@kinds
@settings(max_examples=5, deadline=None)
@given(seed=seeds)
def test_kl_divergence_is_pytorchs(kind, seed):
    if "uniform" in kind:
        seed %= 1000  # the other one is made wider, so that the divergence is finite
    p, tp, ours, theirs = both(kind, seed)
    q, tq, more_ours, more_theirs = both(kind, seed + 1)
    if "uniform" in kind:
        q, tq = D.Uniform(q.low - 9, q.high + 9), T.Uniform(tq.low - 9, tq.high + 9)
    result = D.kl_divergence(p, q)
    assert_equal_with_gradients(result, T.kl_divergence(tp, tq), ours + more_ours, theirs + more_theirs)
    assert (result.detach().numpy() >= -1e-12).all()
    np.testing.assert_allclose(D.kl_divergence(p, p).detach().numpy(), 0, atol=1e-12)


@kinds
def test_expanded_distributions_are_pytorchs(kind):
    p, q, ours, theirs = both(kind, 0)
    for lead in ((), (4,), (1, 5)):
        shape = lead + p.batch_shape
        wide, expected = p.expand(shape), q.expand(shape)
        assert (wide.batch_shape, wide.event_shape) == (tuple(expected.batch_shape), tuple(expected.event_shape))
        value = wide.sample((2,))
        assert value.shape == (2, *shape, *p.event_shape)
        assert_equal_with_gradients(wide.log_prob(value), expected.log_prob(torch.tensor(value.numpy())), ours, theirs)
        assert_equal_with_gradients(wide.entropy(), expected.entropy(), ours, theirs)
    if kind in BATCHED:
        with pytest.raises(ValueError, match=r"cannot be expanded to \(4, 7\)"):
            p.expand((4, 7))


@kinds
def test_no_copies_and_no_draws(kind):
    p, *_ = both(kind, 0)
    none = p.expand((0, *p.batch_shape))
    for distribution, draws in ((p, (0,)), (none, ()), (none, (2, 0))):
        value = distribution.sample(draws)
        assert value.shape == (*draws, *distribution.batch_shape, *p.event_shape)
        assert distribution.log_prob(value).shape == (*draws, *distribution.batch_shape)
    assert none.entropy().shape == none.batch_shape == D.kl_divergence(none, none).shape


@kinds
@pytest.mark.parametrize("name", ["mean", "variance", "stddev", "mode", "has_rsample", "has_enumerate_support"])
def test_moments_and_abilities_are_pytorchs(kind, name):
    p, q, *_ = both(kind, 0)
    expected = getattr(q, name)
    if isinstance(expected, bool):
        assert getattr(p, name) is expected
    else:
        np.testing.assert_allclose(getattr(p, name).detach().numpy(), expected.detach().numpy(), rtol=1e-7)
        assert getattr(p, name).shape == tuple(expected.shape)


def test_what_is_not_known_says_so():
    for call in (lambda: D.Bernoulli(0.5).cdf(1.0), lambda: D.Categorical([1.0]).icdf(0.5),
                 lambda: D.Normal(0.0, 1.0).enumerate_support(), lambda: D.Distribution().mode,
                 lambda: D.Independent(D.Bernoulli([0.5]), 1).enumerate_support()):
        with pytest.raises(NotImplementedError, match=r"Bernoulli|Categorical|Normal|Distribution|Independent"):
            call()
    assert D.Independent(D.Bernoulli([0.5]), 0).enumerate_support().tolist() == [[0], [1]]


def test_divergences_at_the_edge_of_the_support():
    for name, p, q in [("Bernoulli", [0.0, 1.0, 0.5, 0.5], [0.0, 0.5, 0.0, 1.0]),
                       ("Categorical", [[0.0, 1.0], [0.5, 0.5]], [[0.0, 1.0], [1.0, 0.0]])]:
        ours, theirs = getattr(D, name), getattr(T, name)
        expected = T.kl_divergence(theirs(torch.tensor(p)), theirs(torch.tensor(q)))
        np.testing.assert_allclose(D.kl_divergence(ours(autograd.tensor(p)), ours(autograd.tensor(q))).numpy(),
                                   expected, atol=1e-6)
    for p, q in [("Uniform", "Uniform"), ("Uniform", "Normal"), ("Normal", "Uniform")]:
        expected = T.kl_divergence(getattr(T, p)(0.5, 3.0), getattr(T, q)(1.0, 2.0)).item()
        assert D.kl_divergence(getattr(D, p)(0.5, 3.0), getattr(D, q)(1.0, 2.0)).item() == pytest.approx(expected)


@kinds
def test_samples_have_the_moments(kind):
    p, q, *_ = both(kind, 0)
    autograd.manual_seed(0)
    draws = p.sample((20_000,)).numpy()
    if "categorical" in kind:  # no mean: the frequencies
        draws, mean = (draws[..., None] == np.arange(4)), p.probs.detach().numpy()
        variance = mean * (1 - mean)
    else:
        mean, variance = q.mean.detach().numpy(), q.variance.detach().numpy()
        np.testing.assert_allclose(p.mean.detach().numpy(), mean)
        np.testing.assert_allclose(p.variance.detach().numpy(), variance)
    assert (np.abs(draws.mean(0) - mean) < 5 * np.sqrt(variance / len(draws))).all()
    error = np.sqrt((((draws - mean) ** 4).mean(0) / variance ** 2 - 1) / len(draws))  # of the variance, if that is 1
    assert (np.abs(draws.var(0) / variance - 1) < 5 * error + 0.01).all()


def test_samples_of_a_multivariate_normal_are_correlated():
    p, *_ = both("covariance", 3)
    autograd.manual_seed(0)
    covariance = np.cov(p.sample((20_000,)).numpy()[:, 0].T)
    expected = p.covariance_matrix.detach().numpy()[0]
    np.testing.assert_allclose(covariance, expected, atol=0.1 * np.abs(expected).max())


@pytest.mark.parametrize("kind", ["normal", "uniform", "covariance", "precision", "scale_tril", "diagonal"])
def test_draws_are_differentiable_in_the_parameters(kind):
    draw, make = KINDS[kind]
    values = draw(np.random.default_rng(0))
    p = both(kind, 0)[0]
    assert p.has_rsample

    def moved(*params):
        autograd.manual_seed(0)  # the same noise at other parameters
        if "matrix" in str(list(values)):  # differences must stay among symmetric matrices
            params = [x if x.ndim < 2 or x.shape[-1] != x.shape[-2] else (x + x.transpose(-1, -2)) / 2 for x in params]
        if "scale_tril" in values:
            params = [params[0], params[1].tril()]
        return make(D, dict(zip(values, params, strict=True))).rsample((2,))
    assert gradcheck(moved, [autograd.tensor(v, requires_grad=True) for v in values.values()])


@pytest.mark.parametrize("kind", ["bernoulli of probs", "categorical of logits"])
def test_discrete_draws_say_that_they_have_no_derivative(kind):
    p = both(kind, 0)[0]
    assert not p.has_rsample
    with pytest.raises(NotImplementedError, match="log_prob"):
        p.rsample()


@pytest.mark.parametrize("kind", ["normal", "uniform"])
def test_quantiles_invert_the_cdf(kind):
    p, q, *_ = both(kind, 0)
    value = p.sample((5,))
    np.testing.assert_allclose(p.cdf(value).detach(), q.cdf(torch.tensor(value.numpy())).detach(), rtol=1e-6)
    np.testing.assert_allclose(p.icdf(p.cdf(value)).detach().numpy(), value.numpy(), rtol=1e-6)


@pytest.mark.parametrize("kind", ["bernoulli of logits", "categorical of probs"])
def test_the_probabilities_of_all_values_add_up_to_one(kind):
    p, q, *_ = both(kind, 0)
    values = p.enumerate_support()
    np.testing.assert_array_equal(values.numpy(), q.enumerate_support().numpy())
    np.testing.assert_allclose(p.log_prob(values).exp().sum(0).detach().numpy(), 1)
    np.testing.assert_allclose(p.perplexity().detach(), q.entropy().exp().detach())
    np.testing.assert_array_equal(p.mode.numpy(), q.mode.detach().numpy())


def test_numbers_take_the_dtype_of_the_tensors_beside_them():
    p = D.Normal(autograd.zeros(2, dtype=autograd.float64), 0.1)
    assert p.scale.tolist() == [0.1, 0.1]
    assert D.Normal(0, 1).sample().dtype == autograd.float32
    assert D.Normal(0, 1).log_prob(0.5).item() == pytest.approx(T.Normal(0, 1).log_prob(torch.tensor(0.5)).item())


@pytest.mark.parametrize(("make", "message"), [
    (lambda: D.Normal(0.0, autograd.tensor([1.0, -2.0])), r"scale must be greater than 0, .* -2.0 at.*\(1,\)"),
    (lambda: D.Normal(math.nan, 1.0), "finite"), (lambda: D.Uniform(2.0, 1.0), "high"),
    (lambda: D.Bernoulli(1.5), "between 0 and 1"), (lambda: D.Bernoulli(), "exactly one"),
    (lambda: D.Bernoulli(0.5, 0.5), "exactly one"), (lambda: D.Bernoulli(logits=math.nan), "logits"),
    (lambda: D.Categorical([0.5, -0.5]), "at least 0"), (lambda: D.Categorical(0.5), "last axis"),
    (lambda: D.Categorical(logits=[math.nan, 0.0]), "logits"),
    (lambda: D.MultivariateNormal([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]]), r"positive definite.*-1"),
    (lambda: D.MultivariateNormal([0.0, 0.0], [[1.0, 2.0], [0.0, 1.0]]), "symmetric"),
    (lambda: D.MultivariateNormal([0.0, 0.0], scale_tril=[[1.0, 2.0], [0.0, 1.0]]), "lower triangular"),
    (lambda: D.MultivariateNormal([0.0], np.eye(2)), r"\(1,\)"),
    (lambda: D.Normal(0.0, 1.0).log_prob(math.inf), "finite"),
    (lambda: D.Normal(autograd.zeros(3), 1.0).log_prob(autograd.zeros(2)), r"\(2,\)"),
    (lambda: D.Uniform(0.0, 1.0).log_prob(2.0), "between low and high"),
    (lambda: D.Bernoulli(0.5).log_prob(0.5), "0 or 1"), (lambda: D.Categorical([0.5, 0.5]).log_prob(2), "0 to 1"),
    (lambda: D.Independent(D.Normal(0.0, 1.0), 1), "from 0 to 0")])
def test_what_lies_outside_the_domain_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_validation_can_be_left_out():
    assert D.Uniform(0.0, 1.0, validate_args=False).log_prob(2.0).item() == -math.inf
    D.Normal(0.0, -1.0, validate_args=False)


def test_divergences_can_be_added():
    class Wide(D.Normal):
        pass
    assert D.kl_divergence(Wide(0.0, 1.0), D.Normal(0.0, 1.0)).item() == 0  # inherited
    with pytest.raises(NotImplementedError, match=r"Bernoulli ‖ Normal.*register_kl"):
        D.kl_divergence(D.Bernoulli(0.5), D.Normal(0.0, 1.0))
