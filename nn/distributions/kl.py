"""Kullback and Leibler's divergence between two distributions, by their types."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd
from autograd import Tensor
from nn import functional as F
from nn.distributions.bernoulli import Bernoulli
from nn.distributions.categorical import Categorical
from nn.distributions.distribution import Distribution
from nn.distributions.independent import Independent
from nn.distributions.multivariate_normal import MultivariateNormal
from nn.distributions.normal import LOG_2PI, Normal
from nn.distributions.uniform import Uniform

_DIVERGENCES: dict[tuple[type, type], Callable[[Any, Any], Tensor]] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Callable], Callable]:
    """A decorator: the function gives `kl_divergence` for these two types and what inherits from them."""
    def register(function: Callable[[Any, Any], Tensor]) -> Callable:
        _DIVERGENCES[type_p, type_q] = function
        return function
    return register


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """KL(p ‖ q) = E_p[log p − log q] ≥ 0 of each copy, in nats.

    Raises:
        NotImplementedError: there is no formula for these two types; `register_kl` adds one.
    """
    for type_p in type(p).__mro__:
        for type_q in type(q).__mro__:
            if (type_p, type_q) in _DIVERGENCES:
                return _DIVERGENCES[type_p, type_q](p, q)
    known = ", ".join(f"{a.__name__} ‖ {b.__name__}" for a, b in _DIVERGENCES)
    raise NotImplementedError(f"kl_divergence: no formula for {type(p).__name__} ‖ {type(q).__name__}, only for "
                              f"{known}; add one with register_kl, or estimate it: "
                              "(p.log_prob(x) - q.log_prob(x)).mean() of x = p.rsample((n,))")


@register_kl(Normal, Normal)
def _normal_normal(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale) ** 2
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - ratio.log())


@register_kl(Uniform, Uniform)
def _uniform_uniform(p: Uniform, q: Uniform) -> Tensor:
    outside = (q.low.detach() > p.low.detach()) | (q.high.detach() < p.high.detach())
    return autograd.where(outside, math.inf, ((q.high - q.low) / (p.high - p.low)).log())


@register_kl(Uniform, Normal)
def _uniform_normal(p: Uniform, q: Normal) -> Tensor:
    second_moment = p.variance + (p.mean - q.loc) ** 2  # E_p[(x − loc)²]
    return second_moment / (2 * q.scale ** 2) + q.scale.log() + 0.5 * LOG_2PI - p.entropy()


@register_kl(Normal, Uniform)
def _normal_uniform(p: Normal, q: Uniform) -> Tensor:
    return autograd.full(np.broadcast_shapes(p.batch_shape, q.batch_shape), math.inf, dtype=p.loc.dtype)


@register_kl(Bernoulli, Bernoulli)
def _bernoulli_bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    def part(prob_p: Tensor, prob_q: Tensor, log_ratio: Tensor) -> Tensor:
        """P log(P / Q) with 0 log 0 = 0."""
        finite = autograd.where(prob_p.detach() == 0, 0.0, prob_p * log_ratio)
        return autograd.where((prob_q.detach() == 0) & (prob_p.detach() > 0), math.inf, finite)
    return (part(p.probs, q.probs, F.logsigmoid(p.logits) - F.logsigmoid(q.logits))
            + part(1 - p.probs, 1 - q.probs, F.logsigmoid(-p.logits) - F.logsigmoid(-q.logits)))


@register_kl(Categorical, Categorical)
def _categorical_categorical(p: Categorical, q: Categorical) -> Tensor:
    terms = autograd.where(p.probs.detach() == 0, 0.0, p.probs * (p.logits - q.logits))
    impossible = (q.probs.detach() == 0) & (p.probs.detach() > 0)
    return autograd.where(impossible, math.inf, terms).sum(-1)


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate_multivariate(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(f"kl_divergence: the distributions have {p.event_shape[0]} and {q.event_shape[0]} dimensions")
    whitened = autograd.linalg.solve_triangular(q.scale_tril, p.scale_tril, upper=False)
    trace = (whitened ** 2).sum((-2, -1))  # of Σ_q⁻¹ Σ_p
    distance = q._mahalanobis(p.loc - q.loc)
    return 0.5 * (trace + distance - p.event_shape[0]) + q._half_log_det() - p._half_log_det()


@register_kl(Independent, Independent)
def _independent_independent(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("kl_divergence: the distributions are Independent along "
                                  f"{p.reinterpreted_batch_ndims} and {q.reinterpreted_batch_ndims} axes")
    return p._summed(kl_divergence(p.base_dist, q.base_dist))
