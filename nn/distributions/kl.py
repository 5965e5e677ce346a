"""Kullback and Leibler's divergence between two distributions, by their types.

Most formulas are the expected value of −log q(x) under p, less the entropy of p. It takes a mean and a variance if q is
normal, the mean of x and of log x if q is a gamma distribution, and so on.
"""

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

import autograd
from autograd import Tensor
from nn import functional as F
from nn.distributions.bernoulli import Bernoulli, ContinuousBernoulli
from nn.distributions.binomial import Binomial, Geometric
from nn.distributions.categorical import Categorical, OneHotCategorical
from nn.distributions.cauchy import Cauchy
from nn.distributions.dirichlet import Beta, Dirichlet
from nn.distributions.distribution import EULER, Distribution, ExponentialFamily, sum_last
from nn.distributions.exponential import Exponential, Pareto
from nn.distributions.gamma import Gamma
from nn.distributions.gumbel import Gumbel
from nn.distributions.independent import Independent
from nn.distributions.laplace import Laplace
from nn.distributions.multivariate_normal import LowRankMultivariateNormal, MultivariateNormal
from nn.distributions.normal import LOG_2PI, Normal
from nn.distributions.poisson import Poisson
from nn.distributions.transformed_distribution import TransformedDistribution
from nn.distributions.uniform import Uniform

Formula = TypeVar("Formula", bound=Callable[[Any, Any], Tensor])

_DIVERGENCES: dict[tuple[type, type], Callable[[Any, Any], Tensor]] = {}


def register_kl(type_p: type[Distribution], type_q: type[Distribution]) -> Callable[[Formula], Formula]:
    """A decorator: the function gives `kl_divergence` for these two types and what inherits from them."""
    for kind in (type_p, type_q):
        if not isinstance(kind, type):
            raise TypeError(f"register_kl: the types must be classes, such as Normal, not {kind!r}")

    def register(function: Formula) -> Formula:
        _DIVERGENCES[type_p, type_q] = function
        return function
    return register


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """KL(p ‖ q) = E_p[log p − log q] ≥ 0 of each copy, in nats.

    The formula is that of the nearest types that p's and q's inherit from, of p's first.

    Raises:
        NotImplementedError: there is no formula for these two types; `register_kl` adds one.
    """
    for type_p in type(p).__mro__:
        for type_q in type(q).__mro__:
            if (type_p, type_q) in _DIVERGENCES:
                return _DIVERGENCES[type_p, type_q](p, q)
    name_p, name_q = type(p).__name__, type(q).__name__
    known = ", ".join(a.__name__ for a, b in _DIVERGENCES if isinstance(q, b))
    raise NotImplementedError(f"kl_divergence: no formula for {name_p} ‖ {name_q}"
                              f"{f', only for {known} ‖ {name_q}' if known else ''}; add one with register_kl, or "
                              "estimate it: (p.log_prob(x) - q.log_prob(x)).mean(0) of x = p.sample((n,))")


def _of_any(types: str, type_q: type[Distribution]) -> Callable[[Formula], Formula]:
    """Register a formula for p of these types."""
    def register(function: Formula) -> Formula:
        for name in types.split():
            register_kl(globals()[name], type_q)(function)
        return function
    return register


def _infinite(p: Distribution, q: Distribution) -> Tensor:
    """Of what q cannot draw."""
    return autograd.full(np.broadcast_shapes(p.batch_shape, q.batch_shape), math.inf, dtype=p._dtype)


for _q, _types in {Beta: "Exponential Gamma Gumbel Laplace Normal Pareto", Exponential: "Gumbel Laplace Normal",
                   ContinuousBernoulli: "Exponential Gamma Gumbel Laplace Normal Pareto",
                   Gamma: "Gumbel Laplace Normal", Uniform: "Exponential Gamma Gumbel Laplace Normal Pareto",
                   Pareto: "Beta ContinuousBernoulli Exponential Gamma Gumbel Laplace Normal",
                   Bernoulli: "Poisson", Binomial: "Poisson"}.items():
    _of_any(_types, _q)(_infinite)


# By what q is

@register_kl(Normal, Normal)
def _normal_normal(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale) ** 2
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - ratio.log())


@_of_any("Beta ContinuousBernoulli Exponential Gamma Gumbel Laplace Pareto Uniform", Normal)
def _any_normal(p: Any, q: Normal) -> Tensor:
    mean, variance = p.mean, p.variance
    known = variance.detach() < math.inf  # of Pareto's it may not be
    squares = autograd.where(known, variance, 0.0) + (autograd.where(known, mean, 0.0) - q.loc) ** 2
    return autograd.where(known, squares / (2 * q.scale ** 2) + q.scale.log() + 0.5 * LOG_2PI - p.entropy(), math.inf)


@_of_any("Beta ContinuousBernoulli Exponential Gamma Pareto Uniform", Exponential)
def _any_exponential(p: Any, q: Exponential) -> Tensor:
    mean = p.mean
    known = mean.detach() < math.inf
    result = q.rate * autograd.where(known, mean, 0.0) - q.rate.log() - p.entropy()
    return autograd.where(known & (_lower_end(p) >= 0), result, math.inf)


@_of_any("Beta Exponential Gamma Pareto Uniform", Gamma)
def _any_gamma(p: Any, q: Gamma) -> Tensor:
    mean, alpha = p.mean, q.concentration
    known = (mean.detach() < math.inf) & (_lower_end(p) >= 0)
    norm = alpha.lgamma() - alpha * q.rate.log()
    result = norm - (alpha - 1) * _mean_log(p) + q.rate * autograd.where(known, mean, 0.0) - p.entropy()
    return autograd.where(known, result, math.inf)


@_of_any("Beta Uniform", Beta)
def _any_beta(p: Any, q: Beta) -> Tensor:
    of_one, of_zero = (q.concentration1 - 1) * _mean_log(p), (q.concentration0 - 1) * _mean_log(p, of_rest=True)
    result = q._log_normalizer(q.concentration1, q.concentration0) - of_one - of_zero - p.entropy()
    return autograd.where((_lower_end(p) >= 0) & (_upper_end(p) <= 1), result, math.inf)


@_of_any("Beta ContinuousBernoulli Uniform", ContinuousBernoulli)
def _any_continuous_bernoulli(p: Any, q: ContinuousBernoulli) -> Tensor:
    result = -p.mean * q.logits - (-q.probs).log1p() - q._log_norm() - p.entropy()
    return autograd.where((_lower_end(p) >= 0) & (_upper_end(p) <= 1), result, math.inf)


@_of_any("Pareto Uniform", Pareto)
def _any_pareto(p: Any, q: Pareto) -> Tensor:
    inside = _lower_end(p) >= q.scale.detach()
    result = (q.alpha + 1) * _mean_log(p) - q.alpha.log() - q.alpha * q.scale.log() - p.entropy()
    return autograd.where(inside, result, math.inf)


@_of_any("Exponential Gamma Gumbel Normal Uniform", Gumbel)
def _any_gumbel(p: Any, q: Gumbel) -> Tensor:
    return (p.mean - q.loc) / q.scale + _mean_exp(p, q.loc, q.scale) + q.scale.log() - p.entropy()


@_of_any("Laplace Normal", Laplace)
def _any_laplace(p: Any, q: Laplace) -> Tensor:
    difference = p.loc - q.loc
    if isinstance(p, Laplace):
        distance = difference.abs() + p.scale * (-difference.abs() / p.scale).exp()
    else:
        z = difference / p.scale
        distance = (math.sqrt(2 / math.pi) * p.scale * (-0.5 * z ** 2).exp()
                    + difference * autograd.erf(z / math.sqrt(2)))
    return distance / q.scale + (2 * q.scale).log() - p.entropy()


@register_kl(Uniform, Uniform)
def _uniform_uniform(p: Uniform, q: Uniform) -> Tensor:
    outside = (q.low.detach() > p.low.detach()) | (q.high.detach() < p.high.detach())
    return autograd.where(outside, math.inf, ((q.high - q.low) / (p.high - p.low)).log())


@_of_any("Beta ContinuousBernoulli", Uniform)
def _any_uniform(p: Any, q: Uniform) -> Tensor:
    outside = (q.low.detach() > 0) | (q.high.detach() < 1)
    return autograd.where(outside, math.inf, q.entropy() - p.entropy())


# What these take of p

def _lower_end(p: Any) -> Tensor:
    """Of the support."""
    if isinstance(p, (Uniform, Pareto)):
        return (p.low if isinstance(p, Uniform) else p.scale).detach()
    return autograd.zeros(())


def _upper_end(p: Any) -> Tensor:
    """Of the support, if there is one."""
    return p.high.detach() if isinstance(p, Uniform) else autograd.ones(())


def _mean_log(p: Any, of_rest: bool = False) -> Tensor:
    """E[log x], or of 1 − x."""
    if isinstance(p, Beta):
        return ((p.concentration0 if of_rest else p.concentration1).digamma()
                - (p.concentration1 + p.concentration0).digamma())
    if isinstance(p, Gamma):
        return p.concentration.digamma() - p.rate.log()
    if isinstance(p, Exponential):
        return -EULER - p.rate.log()
    if isinstance(p, Pareto):
        return p.scale.log() + 1 / p.alpha
    low, high = (1 - p.high, 1 - p.low) if of_rest else (p.low, p.high)
    width, low, high = high - low, low.clamp(min=0), high.clamp(min=0)  # below 0, the divergence is infinite
    return (autograd.xlogy(high, high) - autograd.xlogy(low, low)) / width - 1


def _mean_exp(p: Any, loc: Tensor, scale: Tensor) -> Tensor:
    """E[exp(−(x − loc) / scale)]."""
    if isinstance(p, Normal):
        return ((loc - p.loc) / scale + 0.5 * (p.scale / scale) ** 2).exp()
    if isinstance(p, Gumbel):
        return ((loc - p.loc) / scale + (1 + p.scale / scale).lgamma()).exp()
    if isinstance(p, Uniform):
        return scale / (p.high - p.low) * (((loc - p.low) / scale).exp() - ((loc - p.high) / scale).exp())
    shape = p.concentration if isinstance(p, Gamma) else 1.0
    return (loc / scale - shape * (1 / (p.rate * scale)).log1p()).exp()


# By what both are

@register_kl(Bernoulli, Bernoulli)
def _bernoulli_bernoulli(p: Any, q: Any) -> Tensor:
    def part(prob_p: Tensor, prob_q: Tensor, log_ratio: Tensor) -> Tensor:
        """P log(P / Q) with 0 log 0 = 0."""
        finite = autograd.where(prob_p.detach() == 0, 0.0, prob_p * log_ratio)
        return autograd.where((prob_q.detach() == 0) & (prob_p.detach() > 0), math.inf, finite)
    return (part(p.probs, q.probs, F.logsigmoid(p.logits) - F.logsigmoid(q.logits))
            + part(1 - p.probs, 1 - q.probs, F.logsigmoid(-p.logits) - F.logsigmoid(-q.logits)))


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Bernoulli, q: Poisson) -> Tensor:
    return q.rate - autograd.xlogy(p.probs, q.rate) - p.entropy()


@register_kl(Binomial, Binomial)
def _binomial_binomial(p: Binomial, q: Binomial) -> Tensor:
    fewer, more = (p.total_count.detach() < q.total_count.detach()), (p.total_count.detach() > q.total_count.detach())
    if fewer.any():
        raise NotImplementedError("kl_divergence: no formula for Binomial ‖ Binomial where the total_count of the "
                                  "second is greater")
    return autograd.where(more, math.inf, p.total_count * _bernoulli_bernoulli(p, q))


@register_kl(Geometric, Geometric)
def _geometric_geometric(p: Geometric, q: Geometric) -> Tensor:
    failures, never = p.mean, q.probs.detach() == 1
    log_failure = autograd.where(never, -math.inf, (-autograd.where(never, 0.5, q.probs)).log1p())
    lost = autograd.where(failures.detach() == 0, 0.0, failures * log_failure)
    return -p.entropy() - lost - q.probs.log()


@register_kl(Poisson, Poisson)
def _poisson_poisson(p: Poisson, q: Poisson) -> Tensor:
    return autograd.xlogy(p.rate, p.rate) - autograd.xlogy(p.rate, q.rate) - (p.rate - q.rate)


@register_kl(Categorical, Categorical)
@register_kl(OneHotCategorical, OneHotCategorical)
def _categorical_categorical(p: Any, q: Any) -> Tensor:
    terms = autograd.where(p.probs.detach() == 0, 0.0, p.probs * (p.logits - q.logits))
    impossible = (q.probs.detach() == 0) & (p.probs.detach() > 0)
    return autograd.where(impossible, math.inf, terms).sum(-1)


@register_kl(Exponential, Exponential)
def _exponential_exponential(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return ratio - 1 - ratio.log()


@register_kl(Gamma, Gamma)
def _gamma_gamma(p: Gamma, q: Gamma) -> Tensor:
    alpha, beta = p.concentration, q.concentration
    return (beta * (p.rate / q.rate).log() + beta.lgamma() - alpha.lgamma() + (alpha - beta) * alpha.digamma()
            + (q.rate / p.rate - 1) * alpha)


@register_kl(Dirichlet, Dirichlet)
def _dirichlet_dirichlet(p: Dirichlet, q: Dirichlet) -> Tensor:
    mean_log = p.concentration.digamma() - p.concentration.sum(-1, keepdim=True).digamma()
    norms = q._log_normalizer(q.concentration) - p._log_normalizer(p.concentration)
    return norms + ((p.concentration - q.concentration) * mean_log).sum(-1)


@register_kl(Cauchy, Cauchy)
def _cauchy_cauchy(p: Cauchy, q: Cauchy) -> Tensor:
    """By Chyzak and Nielsen, "A closed-form formula for the … divergence between Cauchy distributions", 2019."""
    return (((p.scale + q.scale) ** 2 + (p.loc - q.loc) ** 2) / (4 * p.scale * q.scale)).log()


@register_kl(MultivariateNormal, MultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _multivariate_multivariate(p: Any, q: Any) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(f"kl_divergence: the distributions have {p.event_shape[0]} and {q.event_shape[0]} dimensions")
    distance = q._mahalanobis(p.loc - q.loc)
    return 0.5 * (q._trace(p._factor()) + distance - p.event_shape[0]) + q._half_log_det() - p._half_log_det()


@register_kl(ExponentialFamily, ExponentialFamily)
def _family_family(p: Any, q: Any) -> Tensor:
    """Bregman's divergence of the log normalizer (Nielsen and Nock 2010)."""
    if type(p) is not type(q):
        raise NotImplementedError(f"kl_divergence: no formula for {type(p).__name__} ‖ {type(q).__name__}; add one "
                                  "with register_kl")
    log_normalizer, pairs = p._moments()
    result = q._log_normalizer(*q._natural_params) - log_normalizer
    for (eta, slope), other in zip(pairs, q._natural_params, strict=True):
        result = result - sum_last((other - eta) * slope, slope.ndim - len(p.batch_shape))
    tracked = any(eta.requires_grad for eta in (*p._natural_params, *q._natural_params))
    return result if tracked else result.detach()


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed_transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("kl_divergence: of two transformed distributions it is known if the transforms are "
                                  f"the same, but these are {p.transforms} and {q.transforms}")
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Independent, Independent)
def _independent_independent(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("kl_divergence: the distributions are Independent along "
                                  f"{p.reinterpreted_batch_ndims} and {q.reinterpreted_batch_ndims} axes")
    return sum_last(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)
