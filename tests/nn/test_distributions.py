"""Distributions: PyTorch's densities, entropies and divergences with all their gradients; samples that follow them."""

import math
import pickle

import numpy as np
import pytest

import autograd
from autograd.testing import gradcheck
from nn import distributions as D
from nn.distributions import constraints
from nn.distributions.kl import _DIVERGENCES
from tests.nn.distributions import KINDS, matrix, positive

torch = pytest.importorskip("torch")
torch.set_num_threads(1)
T = torch.distributions


def without_batch(kind):
    """The same distribution, of the parameters of one copy."""
    draw, make = KINDS[kind]
    domains = both(kind, 0)[0].arg_constraints

    def first(name, value):
        own = domains[name].event_dim if name in domains else 0
        return value.reshape(-1, *value.shape[value.ndim - own:])[0].copy()
    return lambda rng: {name: first(name, value) for name, value in draw(rng).items()}, make


def both(kind, seed, constant=()):
    """Our distribution and PyTorch's, with the parameters of each; PyTorch may take some of them as constants."""
    draw, make = KINDS[kind]
    values = draw(np.random.default_rng(seed))
    ours = {name: autograd.tensor(v, requires_grad=True) for name, v in values.items()}
    theirs = {name: torch.tensor(v, requires_grad=name not in constant) for name, v in values.items()}
    return make(D, ours), make(T, theirs), list(ours.values()), list(theirs.values())


BATCHED = list(KINDS)
KINDS |= {f"one {kind}": without_batch(kind) for kind in BATCHED
          if kind[0].isupper() and not kind.startswith(("Independent", "LogisticNormal"))}
IMPLICIT = ["Gamma", "Chi2", "StudentT", "FisherSnedecor", "Beta", "Dirichlet", "Wishart"]
kinds = pytest.mark.parametrize("kind", KINDS)

# What PyTorch has fewer digits of, or not at all. Kumaraswamy's mode is NaN there.
ROUGH = {("VonMises", "log_prob"): 1e-6, ("VonMises", "variance"): 1e-4, ("VonMises", "stddev"): 1e-4,
         ("Multinomial", "entropy"): 1e-6, ("Kumaraswamy", "mode"): math.inf,
         ("GeneralizedPareto", "log_prob"): math.inf}


def digits(kind, quantity):
    return next((tolerance for (start, what), tolerance in ROUGH.items()
                 if kind.removeprefix("one ").startswith(start) and what == quantity), 1e-8)


def assert_equal_with_gradients(ours, theirs, our_inputs, their_inputs, rtol=1e-8):
    if rtol == math.inf:
        return
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=rtol, atol=rtol)
    assert ours.shape == tuple(theirs.shape)
    if not ours.requires_grad:
        return
    g = np.random.default_rng(0).standard_normal(ours.shape)
    got = autograd.grad(ours, our_inputs, autograd.tensor(g), retain_graph=True, allow_unused=True)
    expected = torch.autograd.grad(theirs, their_inputs, torch.tensor(g), retain_graph=True, allow_unused=True)
    for x, a, b in zip(our_inputs, got, expected, strict=True):
        a, b = 0 if a is None else a.numpy(), 0 if b is None else b.numpy()
        square = x.ndim > 1 and x.shape[-1] == x.shape[-2]
        if square and np.ndim(b) > 1 and not np.triu(x.detach().numpy(), 1).any():  # PyTorch's has elements above it
            b = np.tril(b)
        elif square and np.ndim(b) > 1 and np.allclose(x.detach(), x.detach().mT):  # of a symmetric matrix, that is one
            a, b = (0.5 * (g + g.swapaxes(-1, -2)) for g in (a, b))
        b = np.where(np.isfinite(b), b, a)  # PyTorch's are not, where a moment is not
        np.testing.assert_allclose(a, b, rtol=100 * rtol, atol=10 * rtol)


def known(distribution, name, *arguments):
    """A property, or what a method returns; None if it is not known."""
    try:
        value = getattr(distribution, name)
        return value(*arguments) if callable(value) else value
    except (NotImplementedError, AttributeError):
        return None


@kinds
@pytest.mark.parametrize("seed", [0, 1])
def test_log_prob_is_pytorchs(kind, seed):
    p, q, ours, theirs = both(kind, seed)
    assert (p.batch_shape, p.event_shape) == (tuple(q.batch_shape), tuple(q.event_shape))
    autograd.manual_seed(seed)
    for shape in ((), (4,), (2, 1)):
        value = p.sample(shape)
        assert not value.requires_grad
        assert value.shape == shape + p.batch_shape + p.event_shape
        assert str(value.dtype) == str(q.sample(()).dtype).removeprefix("torch.")
        tracked = value.is_floating_point()
        x, y = (m.tensor(value.numpy(), requires_grad=tracked) for m in (autograd, torch))
        tolerance = digits(kind, "log_prob")
        if tolerance < math.inf:
            assert_equal_with_gradients(p.log_prob(x), q.log_prob(y), [*ours, x][:len(ours) + tracked],
                                        [*theirs, y][:len(ours) + tracked], tolerance)


@kinds
@pytest.mark.parametrize("name", ["mean", "variance", "stddev", "mode", "entropy", "perplexity", "has_rsample",
                                  "has_enumerate_support"])
def test_moments_and_abilities_are_pytorchs(kind, name):
    p, q, ours, theirs = both(kind, 0)
    expected, result = known(q, name), known(p, name)
    assert (result is None) is (expected is None)
    if name == "has_rsample" and "Logit" in kind:
        assert result  # PyTorch's has draws that are differentiable, and says that it hasn't
    elif isinstance(expected, bool):
        assert result is expected
    elif expected is not None:
        quantity = "entropy" if name == "perplexity" else name
        assert_equal_with_gradients(result, expected, ours, theirs, 100 * digits(kind, quantity))


@kinds
@pytest.mark.parametrize("name", ["cdf", "icdf"])
def test_distribution_functions_are_pytorchs(kind, name):
    if name == "cdf" and "GeneralizedPareto" in kind:
        return  # PyTorch's is for single precision; below, SciPy's
    if both(kind, 0)[0].event_shape or "half" in kind:  # near ½, PyTorch takes ContinuousBernoulli for uniform
        return
    # PyTorch doesn't know the derivative of the incomplete gamma function in the shape.
    p, q, ours, theirs = both(kind, 0, constant=["concentration", "df"] if "Gamma" in kind or "Chi2" in kind else [])
    autograd.manual_seed(0)
    levels = np.random.default_rng(1).uniform(0.01, 0.99, (3, *p.batch_shape))
    value = p.sample((3,)).numpy() if name == "cdf" else levels
    x, y = (m.tensor(value, requires_grad=value.dtype.kind == "f") for m in (autograd, torch))
    expected, result = known(q, name, y), known(p, name, x)
    assert (result is None) is (expected is None)
    if expected is not None:
        pairs = [(a, b) for a, b in zip([*ours, x], [*theirs, y], strict=True) if b.requires_grad]
        assert_equal_with_gradients(result, expected, *map(list, zip(*pairs, strict=True)))


@kinds
def test_expanded_distributions_are_pytorchs(kind):
    p, q, ours, theirs = both(kind, 0)
    autograd.manual_seed(0)
    for lead in ((), (4,), (1, 5)):
        shape = lead + p.batch_shape
        wide, expected = p.expand(shape), q.expand(shape)
        assert (wide.batch_shape, wide.event_shape) == (tuple(expected.batch_shape), tuple(expected.event_shape))
        value = wide.sample((2,))
        assert value.shape == (2, *shape, *p.event_shape)
        if digits(kind, "log_prob") < math.inf:
            assert_equal_with_gradients(wide.log_prob(value), expected.log_prob(torch.tensor(value.numpy())), ours,
                                        theirs,
                                        digits(kind, "log_prob"))
        for name in ("mean", "variance"):
            if known(p, name) is not None:
                np.testing.assert_allclose(getattr(wide, name).detach(), np.broadcast_to(
                    getattr(p, name).detach(), shape + p.event_shape), rtol=1e-12)
    if p.batch_shape and p.batch_shape[-1] > 1:
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
        if p.has_rsample:
            assert distribution.rsample(draws).shape == value.shape
    for name in ("entropy", "mean", "variance", "mode"):
        if known(p, name) is not None:
            assert known(none, name).shape == (0, *known(p, name).shape)


@kinds
def test_single_precision_stays_single(kind):
    draw, make = KINDS[kind]
    p = make(D,
             {name: autograd.tensor(v, dtype=autograd.float32) for name, v in draw(np.random.default_rng(0)).items()})
    if kind == "copula":  # of a distribution in double precision
        return
    value = p.sample((2,))
    assert value.dtype in (autograd.float32, autograd.int64)
    for name in ("mean", "variance", "mode", "entropy"):
        result = known(p, name)
        assert result is None or result.dtype in (autograd.float32, autograd.int64)
    precise = both(kind, 0)[0]
    precise._validate_args = False
    result, precise = p.log_prob(value), precise.log_prob(value.double())
    assert result.dtype == autograd.float32
    np.testing.assert_allclose(result, precise.detach(), rtol=2e-3, atol=2e-3)


@kinds
def test_draws_lie_in_the_support_and_are_alike_for_one_seed(kind):
    p, q, *_ = both(kind, 0)
    autograd.manual_seed(0)
    value = p.sample((50,))
    assert p.support.check(value).all()
    assert p.support.check(value).shape == (50, *p.batch_shape)
    assert (p.support.event_dim, p.support.is_discrete) == (q.support.event_dim, q.support.is_discrete)
    autograd.manual_seed(0)
    np.testing.assert_array_equal(p.sample((50,)), value)
    again = pickle.loads(pickle.dumps(p)) if kind != "copula" else p
    np.testing.assert_array_equal(again.log_prob(value).detach(), p.log_prob(value).detach())
    assert set(p.arg_constraints) == set(q.arg_constraints)
    with pytest.raises(ValueError, match=r"must be|fit"):
        p.log_prob(value.double() * math.nan)


def pytorchs_stream():
    """Whether the generator draws PyTorch's numbers."""
    autograd.manual_seed(0)
    torch.manual_seed(0)
    return np.array_equal(autograd.rand(5).numpy(), torch.rand(5).numpy())


@pytest.mark.skipif(not pytorchs_stream(), reason="the generator's numbers are its own")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", [kind for kind in BATCHED if kind not in (
    "copula", "LKJCholesky", "ContinuousBernoulli near a half")])  # PyTorch's are not of these distributions
def test_the_same_seed_gives_pytorchs_draws(kind, dtype):
    draw, make = KINDS[kind]
    values = {name: value.astype(dtype) for name, value in draw(np.random.default_rng(0)).items()}
    p, q = (make(m, {name: n.tensor(v) for name, v in values.items()}) for m, n in ((D, autograd), (T, torch)))
    for shape in ((), (7,), (5, 10)):
        for how in ("sample", "rsample") if p.has_rsample else ("sample",):
            autograd.manual_seed(3)
            torch.manual_seed(3)
            ours, theirs = getattr(p, how)(shape), getattr(q, how)(shape)
            np.testing.assert_allclose(ours, theirs, rtol=1e-9 if dtype == "float64" else 2e-5, atol=1e-6)


@kinds
def test_samples_have_the_moments(kind):
    p, *_ = both(kind, 0)
    autograd.manual_seed(0)
    draws, mean, variance = p.sample((20_000,)).numpy(), known(p, "mean"), known(p, "variance")
    if mean is None or "without a mean" in kind or "Cauchy" in kind or draws.dtype.kind == "i" or kind.startswith((
            "VonMises", "one VonMises")):
        return
    mean, variance = mean.detach().numpy(), variance.detach().numpy()
    assert (np.abs(draws.mean(0) - mean) < 5 * np.sqrt(variance / len(draws))).all()
    tails = np.maximum(((draws - mean) ** 4).mean(0) / variance ** 2 - 1, 0.1)  # of the variance of squares
    assert (np.abs(draws.var(0) / variance - 1) < 6 * np.sqrt(tails / len(draws))).all()


@kinds
def test_samples_have_the_density(kind):
    """E[exp(log q − log p)] = 1 for any other density q with the same support, here that of other parameters."""
    p, *_ = both(kind, 0)
    q, *_ = both(kind, 1)
    if kind.startswith(("Uniform", "one Uniform", "Pareto", "one Pareto", "GeneralizedPareto",
                        "one GeneralizedPareto")):
        return  # whose support has parameters
    autograd.manual_seed(0)
    value = q.sample((4000,))
    middle = autograd.logaddexp(p.log_prob(value), q.log_prob(value)) - math.log(2)
    ratio = (p.log_prob(value) - middle).exp().detach().numpy()  # between 0 and 2
    other = (p.log_prob(w := p.sample((4000,))) - (autograd.logaddexp(p.log_prob(w), q.log_prob(w)) - math.log(2))
             ).exp().detach().numpy()
    both_halves = 0.5 * (ratio + other)
    error = both_halves.std(0) / math.sqrt(len(both_halves))
    assert (np.abs(both_halves.mean(0) - 1) < 5 * error + 1e-9).all()


DIFFERENTIABLE = [kind for kind in BATCHED if both(kind, 0)[0].has_rsample]


@pytest.mark.parametrize("kind", [kind for kind in DIFFERENTIABLE if not any(name in kind for name in IMPLICIT)
                                  and "Straight" not in kind])
def test_draws_are_differentiable_in_the_parameters(kind):
    draw, make = KINDS[kind]
    values = draw(np.random.default_rng(0))

    def moved(*params):
        autograd.manual_seed(0)  # the same noise at other parameters
        if "matrix" in str(list(values)):  # differences must stay among symmetric matrices
            params = [x if x.ndim < 2 or x.shape[-1] != x.shape[-2] else (x + x.transpose(-1, -2)) / 2 for x in params]
        if "scale_tril" in values:
            params = [x.tril() if name == "scale_tril" else x for name, x in zip(values, params, strict=True)]
        return make(D, dict(zip(values, params, strict=True))).rsample((2,))
    assert gradcheck(moved, [autograd.tensor(v, requires_grad=True) for v in values.values()])


@pytest.mark.parametrize("kind", [kind for kind in DIFFERENTIABLE if any(name in kind for name in IMPLICIT)
                                  and "without" not in kind])
def test_the_mean_of_draws_moves_as_the_mean(kind):
    """Whatever path a draw takes, its mean must follow: E[dz/dα] = dE[z]/dα."""
    p, _, ours, _ = both(kind, 0)
    autograd.manual_seed(0)
    weights = autograd.tensor(np.random.default_rng(0).standard_normal(p.mean.shape))
    expected = autograd.grad((p.mean * weights).sum(), ours, allow_unused=True, retain_graph=True)
    runs = []
    for _ in range(40):
        fresh = both(kind, 0)
        loss = (fresh[0].rsample((250,)) * weights).mean(0).sum()
        runs.append(autograd.grad(loss, fresh[2], allow_unused=True))
    for i, want in enumerate(expected):
        got = np.stack([0 * ours[i].detach().numpy() if run[i] is None else run[i].numpy() for run in runs])
        want = 0 if want is None else want.numpy()
        assert (np.abs(got.mean(0) - want) < 5 * got.std(0) / math.sqrt(len(got)) + 1e-9).all()


@pytest.mark.parametrize("kind", [kind for kind in BATCHED if not both(kind, 0)[0].has_rsample])
def test_other_draws_say_that_they_have_no_derivative(kind):
    with pytest.raises(NotImplementedError, match="log_prob"):
        both(kind, 0)[0].rsample()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if both(kind, 0)[0].has_enumerate_support])
def test_the_probabilities_of_all_values_add_up_to_one(kind):
    p, q, *_ = both(kind, 0)
    for expand in (True, False):
        values = p.enumerate_support(expand)
        np.testing.assert_array_equal(values.numpy(), q.enumerate_support(expand).numpy())
    np.testing.assert_allclose(p.log_prob(p.enumerate_support()).exp().sum(0).detach().numpy(), 1)


# Divergences

def of_type(module, kind, rng, leaves):
    """A distribution of a type, with new parameters that are added to the leaves."""
    draw = {
        "Normal": lambda: {"loc": rng.standard_normal(3), "scale": positive(rng, 2, 1)},
        "Laplace": lambda: {"loc": rng.standard_normal(3), "scale": positive(rng, 2, 1)},
        "Gumbel": lambda: {"loc": rng.standard_normal(3), "scale": positive(rng, 2, 1)},
        "Cauchy": lambda: {"loc": rng.standard_normal(3), "scale": positive(rng, 2, 1)},
        "Uniform": lambda: {"low": rng.uniform(0.1, 0.3, 3), "high": rng.uniform(0.5, 0.9, (2, 1))},
        "Exponential": lambda: {"rate": positive(rng, 2, 3)},
        "Gamma": lambda: {"concentration": positive(rng, 3), "rate": positive(rng, 2, 1)},
        "Beta": lambda: {"concentration1": positive(rng, 3), "concentration0": positive(rng, 2, 1)},
        "Pareto": lambda: {"scale": positive(rng, 3), "alpha": rng.uniform(0.5, 4, (2, 1))},
        "HalfNormal": lambda: {"scale": positive(rng, 2, 3)},
        "Bernoulli": lambda: {"probs": rng.uniform(0.1, 0.9, (2, 3))},
        "ContinuousBernoulli": lambda: {"probs": rng.uniform(0.1, 0.9, (2, 3))},
        "Geometric": lambda: {"probs": rng.uniform(0.1, 0.9, (2, 3))},
        "Binomial": lambda: {"probs": rng.uniform(0.1, 0.9, (2, 3))},
        "Poisson": lambda: {"rate": positive(rng, 2, 3)},
        "Categorical": lambda: {"probs": positive(rng, 2, 4)},
        "OneHotCategorical": lambda: {"logits": rng.standard_normal((2, 4))},
        "Dirichlet": lambda: {"concentration": positive(rng, 2, 4)},
        "MultivariateNormal": lambda: {"loc": rng.standard_normal(3), "covariance_matrix": matrix(rng, 2)},
        "LowRankMultivariateNormal": lambda: {"loc": rng.standard_normal((2, 3)), "cov_diag": positive(rng, 3),
                                              "cov_factor": rng.standard_normal((3, 2))},
        # PyTorch adds up the copies of Wishart.
        "ExponentialFamily": lambda: {"df": rng.uniform(4, 6, ()), "covariance_matrix": matrix(rng)},
        "Independent": lambda: {"loc": rng.standard_normal((2, 3)), "scale": positive(rng, 2, 3)},
        "TransformedDistribution": lambda: {"loc": rng.standard_normal((2, 3)), "scale": positive(rng, 2, 3)},
    }[kind]()
    values = {name: module.tensor(v, requires_grad=True) for name, v in draw.items()}
    leaves.extend(values.values())
    m = D if module is autograd else T
    if kind == "Independent":
        return m.Independent(m.Normal(**values), 1)
    name = {"ExponentialFamily": "Wishart", "TransformedDistribution": "LogNormal"}.get(kind, kind)
    return getattr(m, name)(5, **values) if kind == "Binomial" else getattr(m, name)(**values)


PAIRS = [*sorted((a.__name__, b.__name__) for a, b in _DIVERGENCES), ("HalfNormal", "HalfNormal")]


def test_all_of_pytorchs_divergences_are_there():
    theirs = {(a.__name__, b.__name__) for a, b in T.kl._KL_REGISTRY}
    assert theirs == {*PAIRS}


@pytest.mark.parametrize(("kind_p", "kind_q"), PAIRS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_kl_divergence_is_pytorchs(kind_p, kind_q, seed):
    ours, theirs = [], []
    p, q = (of_type(autograd, kind, np.random.default_rng([seed, i]), ours) for i, kind in enumerate((kind_p, kind_q)))
    tp, tq = (of_type(torch, kind, np.random.default_rng([seed, i]), theirs) for i, kind in enumerate((kind_p, kind_q)))
    if (kind_p, kind_q) in [("ContinuousBernoulli", "Uniform"), ("Uniform", "ContinuousBernoulli")]:
        # PyTorch takes the ends for outside, and a wider uniform distribution for one that doesn't reach as far.
        result = D.kl_divergence(p, q)
        inside = (q.low <= 0) & (q.high >= 1) if kind_q == "Uniform" else (p.low >= 0) & (p.high <= 1)
        np.testing.assert_array_equal(np.isinf(result.detach().numpy()), ~inside.numpy())
        return
    result, expected = D.kl_divergence(p, q), T.kl_divergence(tp, tq)
    shape = np.broadcast_shapes(p.batch_shape, q.batch_shape)
    assert result.shape == shape
    expected = expected.expand(shape)
    finite = np.isfinite(expected.detach().numpy())
    np.testing.assert_array_equal(np.isfinite(result.detach().numpy()), finite)
    assert (result.detach().numpy() >= -1e-12).all()
    if kind_p == "ExponentialFamily":  # PyTorch's has no derivative in the first one
        np.testing.assert_allclose(result.detach(), expected.detach(), rtol=1e-9)
    elif finite.any():
        mask = np.where(finite, 1.0, 0.0)
        assert_equal_with_gradients(autograd.where(autograd.tensor(finite), result, 0.0) * autograd.tensor(mask),
                                    torch.where(torch.tensor(finite), expected, 0.0) * torch.tensor(mask), ours, theirs)


@pytest.mark.parametrize(("kind_p", "kind_q"), PAIRS)
def test_kl_divergence_is_the_mean_of_its_definition(kind_p, kind_q):
    p, q = (of_type(autograd, kind, np.random.default_rng([7, i]), []) for i, kind in enumerate((kind_p, kind_q)))
    if kind_q == "Uniform" and kind_p in ("Beta", "ContinuousBernoulli"):
        q = D.Uniform(q.low - 1, q.high + 1)
    autograd.manual_seed(0)
    result = D.kl_divergence(p, q).detach().numpy()
    value = p.sample((20_000,))
    p._validate_args = q._validate_args = False
    if np.isinf(result).all() or kind_q == "Pareto":
        return
    for part in (p, q):
        for inner in vars(part).values():
            if isinstance(inner, D.Distribution):
                inner._validate_args = False
    finite = np.isfinite(result)
    terms = (p.log_prob(value) - q.log_prob(value)).detach().numpy()[:, finite]
    error, tame = terms.std(0) / math.sqrt(len(terms)), terms.std(0) < 20
    assert (np.abs(terms.mean(0) - result[finite]) < 6 * error + 1e-9)[tame].all()


@pytest.mark.parametrize("kind", sorted({a for a, b in PAIRS if a == b}))
def test_nothing_diverges_from_itself(kind):
    p = of_type(autograd, kind, np.random.default_rng(0), [])
    np.testing.assert_allclose(D.kl_divergence(p, p).detach().numpy(), 0, atol=1e-12)
    wide = p.expand((4, *p.batch_shape))
    assert D.kl_divergence(wide, p).shape == wide.batch_shape


def test_divergences_at_the_edge_of_the_support():
    for name, p, q in [("Bernoulli", [0.0, 1.0, 0.5, 0.5], [0.0, 0.5, 0.0, 1.0]),
                       ("Categorical", [[0.0, 1.0], [0.5, 0.5]], [[0.0, 1.0], [1.0, 0.0]]),
                       ("OneHotCategorical", [[0.0, 1.0], [0.5, 0.5]], [[0.0, 1.0], [1.0, 0.0]])]:
        ours, theirs = getattr(D, name), getattr(T, name)
        expected = T.kl_divergence(theirs(torch.tensor(p)), theirs(torch.tensor(q)))
        np.testing.assert_allclose(D.kl_divergence(ours(autograd.tensor(p)), ours(autograd.tensor(q))).numpy(),
                                   expected, atol=1e-6)
    for p, q in [("Uniform", "Uniform"), ("Uniform", "Normal"), ("Normal", "Uniform")]:
        expected = T.kl_divergence(getattr(T, p)(0.5, 3.0), getattr(T, q)(1.0, 2.0)).item()
        assert D.kl_divergence(getattr(D, p)(0.5, 3.0), getattr(D, q)(1.0, 2.0)).item() == pytest.approx(expected)
    many, few = D.Binomial(3, 0.5), D.Binomial(2, 0.5)
    assert D.kl_divergence(many, few).item() == math.inf
    with pytest.raises(NotImplementedError, match="total_count"):
        D.kl_divergence(few, many)
    assert D.kl_divergence(D.Poisson(0.0), D.Poisson(2.0)).item() == 2
    assert D.kl_divergence(D.Geometric(1.0), D.Geometric(0.5)).item() == pytest.approx(math.log(2))
    assert D.kl_divergence(D.Geometric(0.5), D.Geometric(1.0)).item() == math.inf
    uniform = D.Uniform(autograd.tensor([-0.5, 0.5]), autograd.tensor([0.5, 1.5]))
    for q in (D.Beta(2.0, 2.0), D.ContinuousBernoulli(0.3)):
        assert D.kl_divergence(uniform, q).tolist() == [math.inf, math.inf]
    for q in (D.Gamma(2.0, 2.0), D.Exponential(2.0), D.Pareto(0.5, 1.0)):
        assert np.isinf(D.kl_divergence(uniform, q).numpy()).tolist() == [True, False]


def test_divergences_can_be_added():
    class Wide(D.Normal):
        pass
    assert D.kl_divergence(Wide(0.0, 1.0), D.Normal(0.0, 1.0)).item() == 0  # inherited
    with pytest.raises(NotImplementedError, match=r"Bernoulli ‖ Normal, only for .*Gamma.*register_kl"):
        D.kl_divergence(D.Bernoulli(0.5), D.Normal(0.0, 1.0))
    with pytest.raises(NotImplementedError, match="same"):
        D.kl_divergence(D.LogNormal(0.0, 1.0), D.HalfNormal(1.0))
    with pytest.raises(NotImplementedError, match="Exponential ‖ Poisson"):
        D.kl_divergence(D.Exponential(1.0), D.Poisson(1.0))
    with pytest.raises(TypeError, match="must be classes"):
        D.register_kl(D.Normal(0.0, 1.0), D.Normal)

    @D.register_kl(Wide, D.Normal)
    def far(p, q):
        return autograd.tensor(7.0)
    assert D.kl_divergence(Wide(0.0, 1.0), D.Normal(0.0, 1.0)).item() == 7
    del _DIVERGENCES[Wide, D.Normal]


# SciPy

SCIPY = {
    "beta": (lambda: D.Beta(2.5, 0.7), (2.5, 0.7)), "norm": (lambda: D.Normal(0.3, 2.0), (0.3, 2.0)),
    "cauchy": (lambda: D.Cauchy(0.3, 2.0), (0.3, 2.0)), "chi2": (lambda: D.Chi2(3.5), (3.5,)),
    "expon": (lambda: D.Exponential(0.5), (0, 2.0)), "f": (lambda: D.FisherSnedecor(7.0, 9.5), (7.0, 9.5)),
    "gamma": (lambda: D.Gamma(2.5, 0.5), (2.5, 0, 2.0)),
         "genpareto": (lambda: D.GeneralizedPareto(0.3, 2.0, 0.1), (0.1, 0.3, 2.0)),
    "geom": (lambda: D.Geometric(0.3), (0.3, -1)), "gumbel_r": (lambda: D.Gumbel(0.3, 2.0), (0.3, 2.0)),
    "halfcauchy": (lambda: D.HalfCauchy(2.0), (0, 2.0)), "halfnorm": (lambda: D.HalfNormal(2.0), (0, 2.0)),
    "invgamma": (lambda: D.InverseGamma(4.5, 2.0), (4.5, 0, 2.0)), "laplace": (lambda: D.Laplace(0.3, 2.0), (0.3, 2.0)),
    "lognorm": (lambda: D.LogNormal(0.3, 0.5), (0.5, 0, math.exp(0.3))),
         "nbinom": (lambda: D.NegativeBinomial(2.5, 0.3), (2.5, 0.7)),
    "pareto": (lambda: D.Pareto(2.0, 4.5), (4.5, 0, 2.0)), "poisson": (lambda: D.Poisson(2.5), (2.5,)),
    "t": (lambda: D.StudentT(5.5, 0.3, 2.0), (5.5, 0.3, 2.0)), "uniform": (lambda: D.Uniform(-1.0, 2.0), (-1.0, 3.0)),
    "vonmises": (lambda: D.VonMises(0.3, 2.0), (2.0, 0.3)), "weibull_min": (lambda: D.Weibull(2.0, 1.5), (1.5, 0, 2.0)),
    "binom": (lambda: D.Binomial(7, 0.3), (7, 0.3)), "bernoulli": (lambda: D.Bernoulli(0.3), (0.3,)),
}


@pytest.mark.parametrize("name", SCIPY)
def test_distributions_are_scipys(name):
    stats = pytest.importorskip("scipy.stats")
    make, args = SCIPY[name]
    before = autograd.get_default_dtype()
    autograd.set_default_dtype(autograd.float64)
    try:
        p, q = make(), getattr(stats, name)(*args)
        autograd.manual_seed(0)
        x = p.sample((20,))
        expected = q.logpmf(x) if p.support.is_discrete else q.logpdf(x)
        np.testing.assert_allclose(p.log_prob(x), expected, rtol=1e-9)
        for ours, theirs in (("mean", "mean"), ("variance", "var"), ("stddev", "std"), ("entropy", "entropy")):
            value = known(p, ours)
            if value is not None and name not in ("cauchy", "halfcauchy") and (name, ours) not in (
                    ("vonmises", "variance"), ("vonmises", "stddev"), ("vonmises", "mean")):
                np.testing.assert_allclose(value, getattr(q, theirs)(), rtol=1e-7, err_msg=ours)
        if (value := known(p, "cdf", x)) is not None:
            np.testing.assert_allclose(value, q.cdf(x), rtol=1e-9)
        levels = autograd.tensor([0.001, 0.3, 0.5, 0.99])
        if (value := known(p, "icdf", levels)) is not None:
            np.testing.assert_allclose(value, q.ppf(levels), rtol=1e-9)
    finally:
        autograd.set_default_dtype(before)


def test_wishart_and_lkj_are_scipys():
    stats = pytest.importorskip("scipy.stats")
    sigma = matrix(np.random.default_rng(0))
    p, q = D.Wishart(autograd.tensor(5.5, dtype=autograd.float64), autograd.tensor(sigma)), stats.wishart(5.5, sigma)
    x = p.sample()
    assert p.log_prob(x).item() == pytest.approx(q.logpdf(x.numpy()))
    assert p.entropy().item() == pytest.approx(q.entropy())
    np.testing.assert_allclose(p.variance, q.var())
    autograd.manual_seed(0)
    factors = D.LKJCholesky(3, 1.5).sample((20_000,)).double()
    for i, j in ((1, 0), (2, 0), (2, 1)):  # (r + 1) / 2 ~ Beta(1.5 + 0.5, 1.5 + 0.5)
        correlation = (factors @ factors.mT)[:, i, j].numpy()
        assert stats.kstest((correlation + 1) / 2, stats.beta(2, 2).cdf).pvalue > 1e-3


# Further

def test_what_is_not_known_says_so():
    for call in (lambda: D.Bernoulli(0.5).cdf(1.0), lambda: D.Categorical([1.0]).icdf(0.5),
                 lambda: D.Normal(0.0, 1.0).enumerate_support(), lambda: D.Distribution().mode,
                 lambda: D.Independent(D.Bernoulli([0.5]), 1).enumerate_support(), lambda: D.Poisson(1.0).entropy(),
                 lambda: D.Binomial(autograd.tensor([1, 2]), 0.5).entropy(), lambda: D.Distribution().support,
                 lambda: D.LKJCholesky(3).mean):
        with pytest.raises(NotImplementedError,
                           match=r"Bern|Categorical|Normal|Distribution|Independent|Poisson|Binomial|LKJ"):
            call()
    assert D.Independent(D.Bernoulli([0.5]), 0).enumerate_support().tolist() == [[0], [1]]


def test_samples_of_a_multivariate_normal_are_correlated():
    for kind in ("MultivariateNormal of covariance", "LowRankMultivariateNormal"):
        p, *_ = both(kind, 3)
        autograd.manual_seed(0)
        covariance = np.cov(p.sample((20_000,)).numpy()[:, 0].T)
        expected = p.covariance_matrix.detach().numpy()[0]
        np.testing.assert_allclose(covariance, expected, atol=0.1 * np.abs(expected).max())


@pytest.mark.parametrize("kind", ["MultivariateNormal of precision", "LowRankMultivariateNormal", "Wishart"])
@pytest.mark.parametrize("name", ["covariance_matrix", "precision_matrix", "scale_tril"])
def test_matrices_are_pytorchs(kind, name):
    p, q, *_ = both(kind, 0)
    np.testing.assert_allclose(getattr(p, name).detach(), getattr(q, name).detach(), rtol=1e-7, atol=1e-10)


def test_numbers_take_the_dtype_of_the_tensors_beside_them():
    p = D.Normal(autograd.zeros(2, dtype=autograd.float64), 0.1)
    assert p.scale.tolist() == [0.1, 0.1]
    assert D.Normal(0, 1).sample().dtype == autograd.float32
    assert D.Normal(0, 1).log_prob(0.5).item() == pytest.approx(T.Normal(0, 1).log_prob(torch.tensor(0.5)).item())
    assert D.Poisson(2.0).log_prob(autograd.tensor([1, 2])).dtype == autograd.float32
    assert D.Categorical([0.5, 0.5]).log_prob(autograd.tensor(1)).item() == pytest.approx(math.log(0.5))


def test_they_show_themselves_as_pytorchs_do():
    for make in (lambda m: m.Normal(0.5, 2.0), lambda m: m.Bernoulli(0.25), lambda m: m.TransformedDistribution):
        text = str(make(T)).replace("torch.distributions.transformed_distribution",
                                    "nn.distributions.transformed_distribution")
        assert str(make(D)) == text
    assert str(D.Gamma(autograd.ones(3), 1.0)) == "Gamma(concentration: (3,), rate: (3,))"
    assert str(D.Independent(D.Normal(autograd.zeros(1), 1.0),
                             1)) == "Independent(Normal(loc: tensor([0.]), scale: tensor([1.])), 1)"
    assert "Categorical" in str(D.MixtureSameFamily(D.Categorical(autograd.ones(2)), D.Normal(autograd.zeros(2), 1.0)))


@pytest.mark.parametrize(("make", "message"), [
    (lambda: D.Normal(0.0, autograd.tensor([1.0, -2.0])), r"scale must be greater than 0, .* -2.0 at.*\(1,\)"),
    (lambda: D.Normal(autograd.zeros(3), autograd.ones(2)), r"do not broadcast: loc \(3,\), scale \(2,\)"),
    (lambda: D.Normal(math.nan, 1.0), "not NaN"), (lambda: D.Uniform(2.0, 1.0), "high"),
    (lambda: D.Bernoulli(1.5), "between 0 and 1"), (lambda: D.Bernoulli(), "exactly one"),
    (lambda: D.Bernoulli(0.5, 0.5), "exactly one"), (lambda: D.Bernoulli(logits=math.nan), "logits"),
    (lambda: D.Categorical([0.5, -0.5]), "at least 0"), (lambda: D.Categorical(0.5), "last axis"),
    (lambda: D.Categorical(logits=[math.nan, 0.0]), "logits"),
                                               (lambda: D.Geometric(0.0), "probs must be greater than 0"),
    (lambda: D.MultivariateNormal([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]]), r"positive definite.*-1"),
    (lambda: D.MultivariateNormal([0.0, 0.0], [[1.0, 2.0], [0.0, 1.0]]), "symmetric"),
    (lambda: D.MultivariateNormal([0.0, 0.0], scale_tril=[[1.0, 2.0], [0.0, 1.0]]), "lower triangular"),
    (lambda: D.MultivariateNormal([0.0], np.eye(2)), r"\(1,\)"),
                                               (lambda: D.MultivariateNormal([0.0], [1.0]), r"\(1,\)"),
    (lambda: D.LowRankMultivariateNormal([0.0, 0.0], [[1.0]], [1.0, 1.0]), r"\(\.\.\., D, R\)"),
    (lambda: D.Wishart(1.0, np.eye(3)), "df must be greater than 2"), (lambda: D.Wishart(4.0), "exactly one"),
    (lambda: D.LKJCholesky(1), "at least 2"), (lambda: D.Dirichlet(1.0), "1 last axes"),
    (lambda: D.Dirichlet([1.0, 0.0]), r"concentration must be greater than 0, but there is \[1. 0.\]"),
    (lambda: D.Normal(0.0, 1.0).log_prob(math.nan), "not NaN"), (lambda: D.Exponential(1.0).cdf(-1.0), "at least 0"),
    (lambda: D.Normal(autograd.zeros(3), 1.0).log_prob(autograd.zeros(2)), r"\(2,\)"),
    (lambda: D.Uniform(0.0, 1.0).log_prob(2.0), "between 0 and 1"),
    (lambda: D.Uniform(autograd.tensor([0.0, 1.0]), 2.0).log_prob(3.0), r"between \(0 … 1\) and 2"),
    (lambda: D.Bernoulli(0.5).log_prob(0.5), "0 or 1"), (lambda: D.Categorical([0.5, 0.5]).log_prob(2), "0 to 1"),
    (lambda: D.Binomial(3, 0.5).log_prob(4.0), "from 0 to 3"), (lambda: D.Poisson(1.0).log_prob(0.5), "whole number"),
    (lambda: D.Pareto(2.0, 1.0).log_prob(1.0), "at least 2"),
                                               (lambda: D.Beta(1.0, 1.0).log_prob(1.5), "between 0 and 1"),
    (lambda: D.OneHotCategorical([0.5, 0.5]).log_prob([1.0, 1.0]), r"zeros and one 1.*\[1. 1.\]"),
    (lambda: D.Multinomial(2, [0.5, 0.5]).log_prob([3.0, 0.0]), "at most 2"),
    (lambda: D.Dirichlet([1.0, 1.0]).log_prob([0.5, 0.6]), "sum 1"),
    (lambda: D.LKJCholesky(2).log_prob([[1.0, 0.0], [0.5, 0.5]]), "length 1"),
    (lambda: D.MixtureSameFamily(D.Normal(0.0, 1.0), D.Normal([0.0], 1.0)), "Categorical"),
    (lambda: D.MixtureSameFamily(D.Categorical([1.0]), 3), "must be a Distribution"),
    (lambda: D.MixtureSameFamily(D.Categorical([1.0, 1.0]), D.Normal(0.0, 1.0)), "2 categories"),
    (lambda: D.MixtureSameFamily(D.Categorical(np.ones((3, 2))), D.Normal(np.zeros((2, 2)), 1.0)),
     "cannot be expanded"),
    (lambda: D.TransformedDistribution(D.Normal(0.0, 1.0), D.StickBreakingTransform()), "1 last axes"),
    (lambda: D.TransformedDistribution(D.Normal(0.0, 1.0), [3]), "Transform"),
    (lambda: D.Distribution.set_default_validate_args(None), "True or False"),
    (lambda: D.Independent(D.Normal(0.0, 1.0), 1), "from 0 to 0")])
def test_what_lies_outside_the_domain_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_validation_can_be_left_out():
    assert D.Uniform(0.0, 1.0, validate_args=False).log_prob(2.0).item() == -math.inf
    assert D.HalfNormal(1.0, validate_args=False).log_prob(-1.0).item() == -math.inf
    D.Normal(0.0, -1.0, validate_args=False)
    D.Distribution.set_default_validate_args(False)
    try:
        D.Normal(0.0, -1.0)
        with pytest.raises(ValueError, match="scale"):
            D.Normal(0.0, -1.0, validate_args=True)
    finally:
        D.Distribution.set_default_validate_args(True)
    with pytest.raises(ValueError, match="scale"):
        D.Normal(0.0, -1.0)


def test_values_at_the_ends_are_pytorchs():
    infinite = autograd.tensor([math.inf, -math.inf])
    assert D.Normal(0.0, 1.0).log_prob(infinite).tolist() == [-math.inf, -math.inf]
    for name, args, values in [("Beta", (0.5, 0.5), [0.0, 1.0]), ("Beta", (1.0, 2.0), [0.0, 1.0]),
                               ("Gamma", (0.5, 1.0), [0.0]),
                               ("Gamma", (1.0, 1.0), [0.0]), ("Gamma", (2.0, 1.0), [0.0]), ("Poisson", (0.0,), [0.0]),
                               ("Geometric", (1.0,), [0.0, 2.0]), ("Bernoulli", (0.0,), [0.0, 1.0]),
                               ("NegativeBinomial", (0.0, 0.5), [0.0]), ("Multinomial", (2, [0.0, 1.0]), [[0.0, 2.0]])]:
        p = getattr(D, name)(*(autograd.tensor(a) if isinstance(a, list) else a for a in args))
        q = getattr(T, name)(*(torch.tensor(a) if not isinstance(a, int) or name != "Multinomial" else a for a in args))
        np.testing.assert_allclose(p.log_prob(autograd.tensor(values)), q.log_prob(torch.tensor(values)), rtol=1e-5,
                                   atol=1e-6)
    assert D.Gamma(autograd.tensor([0.5, 3.0]), 1.0).cdf(0.0).tolist() == [0, 0]
    assert D.Gamma(autograd.tensor([0.5, 3.0]), 1.0).cdf(math.inf).tolist() == [1, 1]
    assert D.Dirichlet([1.0, 1.0]).mode.isnan().all()
    assert D.Weibull(1.0, 0.5).mode.item() == 0
    assert D.Exponential(2.0).icdf([0.0, 1.0]).tolist() == [0, math.inf]


def test_a_distribution_of_ones_own():
    class Triangle(D.Distribution):
        arg_constraints = {"width": constraints.positive}  # noqa: RUF012
        has_rsample = True

        def __init__(self, width, validate_args=None):
            self.width = width
            super().__init__(width.shape, validate_args=validate_args)

        @constraints.dependent_property(is_discrete=False, event_dim=0)
        def support(self):
            return constraints.interval(0.0, self.width)

        def rsample(self, sample_shape=()):
            return self.width * autograd.rand(*sample_shape, *self.batch_shape).sqrt()
    p = Triangle(autograd.ones(3))
    assert p.expand((2, 3)).sample((4,)).shape == (4, 2, 3)
    assert constraints.is_dependent(Triangle.support)
    assert not constraints.is_dependent(p.support)
    with pytest.raises(ValueError, match="width must be greater than 0"):
        Triangle(-autograd.ones(3))

    class Shifted(D.ExponentialFamily):
        """Of an exponential family that says no more than it must."""

        _mean_carrier_measure = 0.0

        def __init__(self, rate):
            self.rate = rate
            super().__init__(rate.shape)

        @property
        def _natural_params(self):
            return (-self.rate,)

        def _log_normalizer(self, *natural_params):
            return -(-natural_params[0]).log()
    for tracked in (False, True):
        rate = autograd.tensor([0.5, 2.0], requires_grad=tracked)
        entropy, divergence = Shifted(rate).entropy(), D.kl_divergence(Shifted(rate), Shifted(2 * rate))
        assert entropy.requires_grad is divergence.requires_grad is tracked
        np.testing.assert_allclose(entropy.detach(), D.Exponential(rate).entropy().detach(), rtol=1e-6)
        np.testing.assert_allclose(divergence.detach(), 1 - math.log(2), rtol=1e-6)
    np.testing.assert_allclose(autograd.grad(entropy.sum(), rate)[0], -1 / rate.detach(), rtol=1e-6)
    for name in ("Gamma", "Exponential", "Bernoulli of logits", "ContinuousBernoulli of logits", "Wishart"):
        p, *_ = both(name, 0)
        np.testing.assert_allclose(D.ExponentialFamily.entropy(p).detach(), p.entropy().detach(), rtol=1e-6, atol=1e-8)


def test_straight_through_draws_have_the_gradient_of_the_probabilities():
    logits = autograd.tensor([[0.5, -1.0, 0.2]], requires_grad=True)
    draw = D.OneHotCategoricalStraightThrough(logits=logits).rsample()
    assert sorted(draw.detach().flatten().tolist()) == [0, 0, 1]
    weights = autograd.tensor([1.0, 2.0, 3.0])
    np.testing.assert_allclose(autograd.grad((draw * weights).sum(), logits)[0],
                               autograd.grad((logits.softmax(-1) * weights).sum(), logits)[0], atol=1e-7)


def test_the_generalized_pareto_distribution_passes_through_zero():
    """Where the concentration is 0, PyTorch's derivative in it is 0."""
    level = autograd.tensor([0.1, 0.5, 0.9], dtype=autograd.float64)
    for c in (0.0, 1e-9, -1e-4, 1e-4):
        concentration = autograd.tensor(c, dtype=autograd.float64, requires_grad=True)
        value = D.GeneralizedPareto(0.3, 2.0, concentration.detach()).icdf(level)
        for name, x in (("log_prob", value), ("cdf", value), ("icdf", level)):
            assert gradcheck(lambda c, name=name, x=x: getattr(D.GeneralizedPareto(0.3, 2.0, c), name)(x),
                             [concentration])
    ends = D.GeneralizedPareto(0.0, 1.0, autograd.tensor([-1.0, -0.5, 0.0]))
    assert ends.log_prob([1.0, 2.0, 0.0]).tolist() == [0, -math.inf, 0]
    assert ends.cdf([1.0, 2.0, 0.0]).tolist() == [1, 1, 0]
    assert ends.icdf([1.0, 1.0, 1.0]).tolist() == [1, 2, math.inf]
    assert ends.icdf(0.0).tolist() == [0, 0, 0]


@pytest.mark.parametrize("kind", [kind for kind in BATCHED if not kind.startswith(("VonMises", "GeneralizedPareto"))])
def test_second_derivatives_of_log_prob_are_pytorchs(kind):
    """The gradient of the squares of the first derivatives, in the parameters and the value."""
    p, q, ours, theirs = both(kind, 0)
    autograd.manual_seed(0)
    value = p.sample((3,))
    tracked = value.is_floating_point()
    if tracked:
        ours, theirs = [*ours, value.clone().requires_grad_()], [*theirs, torch.tensor(value.numpy()).requires_grad_()]
    x, y = (ours[-1], theirs[-1]) if tracked else (value, torch.tensor(value.numpy()))
    results = []
    for module, distribution, leaves, at in ((autograd, p, ours, x), (torch, q, theirs, y)):
        grad = module.grad if module is autograd else module.autograd.grad
        first = grad(distribution.log_prob(at).sum(), leaves, create_graph=True, allow_unused=True)
        total = sum((g ** 2).sum() for g, leaf in zip(first, leaves, strict=True)
                    if g is not None and not (leaf.ndim > 1 and leaf.shape[-1] == leaf.shape[-2]))
        results.append(grad(total, leaves, allow_unused=True) if getattr(total, "requires_grad", False)
                       else [None] * len(leaves))
    for leaf, a, b in zip(ours, *results, strict=True):
        a, b = (np.zeros(leaf.shape) if g is None else g.numpy() for g in (a, b))
        if leaf.ndim > 1 and leaf.shape[-1] == leaf.shape[-2]:
            a, b = (g + g.swapaxes(-1, -2) for g in map(np.tril, (a, b)))
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6 * (1 + np.abs(b).max(initial=0)))


@pytest.mark.parametrize("middle", [-300.0, -40.0, -3.0, -0.1, -0.05, -1e-3, -1e-9, 0.0, 1e-6, 0.03, 0.4999, 0.5, 1.0,
                                    20.0, 200.0])
def test_the_continuous_bernoulli_distribution_passes_through_a_half(middle):
    """Against many digits; with derivatives, which PyTorch's quantiles don't have near ½."""
    mpmath = pytest.importorskip("mpmath")
    eta = autograd.tensor(middle, dtype=autograd.float64, requires_grad=True)
    p = D.ContinuousBernoulli(logits=eta)
    with mpmath.workdps(100):
        h, x, u = mpmath.mpf(middle) or mpmath.mpf(10) ** -30, mpmath.mpf(0.3), mpmath.mpf(0.6)
        whole = mpmath.expm1(h)
        mean = 1 + 1 / whole - 1 / h
        expected = {"mean": mean, "variance": 1 / h ** 2 - (1 + 1 / whole) / whole, "cdf": mpmath.expm1(h * x) / whole,
                    "icdf": mpmath.log1p(u * whole) / h, "log_prob": h * x + mpmath.log(h / whole),
                    "entropy": -h * mean - mpmath.log(h / whole)}
    results = {"mean": p.mean, "variance": p.variance, "cdf": p.cdf(0.3), "icdf": p.icdf(0.6),
               "log_prob": p.log_prob(0.3),
               "entropy": p.entropy()}
    for name, value in results.items():
        assert value.item() == pytest.approx(float(expected[name]), rel=1e-11, abs=1e-13), name
    assert gradcheck(lambda eta: autograd.stack([
        D.ContinuousBernoulli(logits=eta).mean, D.ContinuousBernoulli(logits=eta).variance,
        D.ContinuousBernoulli(logits=eta).cdf(0.3), D.ContinuousBernoulli(logits=eta).icdf(0.6),
        D.ContinuousBernoulli(logits=eta).log_prob(0.3), D.ContinuousBernoulli(logits=eta).entropy()]), [eta])
