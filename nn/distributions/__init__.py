"""Probability distributions: samples, log densities, entropies and divergences, all differentiable in the parameters.

A distribution has `batch_shape`, the shape of its independent copies, and `event_shape`, that of one draw. A sample has
the shape sample_shape + batch_shape + event_shape; a log density sample_shape + batch_shape.

`rsample` is differentiable (the reparameterization of Kingma and Welling, "Auto-Encoding Variational Bayes", 2014);
`sample` is not, and goes with `log_prob` into a score-function estimate (Williams 1992):

>>> q = Normal(model(x), 1.0); z = q.rsample(); loss = kl_divergence(q, Normal(0.0, 1.0)).sum()  # of an autoencoder
>>> policy = Categorical(logits=model(x)); action = policy.sample(); loss = -policy.log_prob(action)  # times the reward
"""

from nn.distributions import constraints, transforms
from nn.distributions.bernoulli import Bernoulli, ContinuousBernoulli
from nn.distributions.binomial import Binomial, Geometric, Multinomial, NegativeBinomial
from nn.distributions.categorical import Categorical, OneHotCategorical, OneHotCategoricalStraightThrough
from nn.distributions.cauchy import Cauchy, HalfCauchy
from nn.distributions.constraint_registry import ConstraintRegistry, biject_to, transform_to
from nn.distributions.dirichlet import Beta, Dirichlet, Kumaraswamy
from nn.distributions.distribution import Distribution, ExponentialFamily
from nn.distributions.exponential import Exponential, GeneralizedPareto, Pareto, Weibull
from nn.distributions.gamma import Chi2, FisherSnedecor, Gamma, InverseGamma, StudentT
from nn.distributions.gumbel import Gumbel
from nn.distributions.independent import Independent
from nn.distributions.kl import kl_divergence, register_kl
from nn.distributions.laplace import Laplace
from nn.distributions.mixture_same_family import MixtureSameFamily
from nn.distributions.multivariate_normal import LowRankMultivariateNormal, MultivariateNormal
from nn.distributions.normal import HalfNormal, LogisticNormal, LogNormal, Normal
from nn.distributions.poisson import Poisson
from nn.distributions.relaxed import (
    ExpRelaxedCategorical,
    LogitRelaxedBernoulli,
    RelaxedBernoulli,
    RelaxedOneHotCategorical,
)
from nn.distributions.transformed_distribution import TransformedDistribution
from nn.distributions.transforms import (
    AbsTransform,
    AffineTransform,
    CatTransform,
    ComposeTransform,
    CorrCholeskyTransform,
    CumulativeDistributionTransform,
    ExpTransform,
    IndependentTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    PowerTransform,
    ReshapeTransform,
    SigmoidTransform,
    SoftmaxTransform,
    SoftplusTransform,
    StackTransform,
    StickBreakingTransform,
    TanhTransform,
    Transform,
    identity_transform,
)
from nn.distributions.uniform import Uniform
from nn.distributions.von_mises import VonMises
from nn.distributions.wishart import LKJCholesky, Wishart

__all__ = ["AbsTransform", "AffineTransform", "Bernoulli", "Beta", "Binomial", "CatTransform", "Categorical", "Cauchy",
           "Chi2", "ComposeTransform", "ConstraintRegistry", "ContinuousBernoulli", "CorrCholeskyTransform",
           "CumulativeDistributionTransform", "Dirichlet", "Distribution", "ExpRelaxedCategorical", "ExpTransform",
           "Exponential", "ExponentialFamily", "FisherSnedecor", "Gamma", "GeneralizedPareto", "Geometric", "Gumbel",
           "HalfCauchy", "HalfNormal", "Independent", "IndependentTransform", "InverseGamma", "Kumaraswamy",
           "LKJCholesky", "Laplace", "LogNormal", "LogisticNormal", "LogitRelaxedBernoulli",
           "LowRankMultivariateNormal", "LowerCholeskyTransform", "MixtureSameFamily", "Multinomial",
           "MultivariateNormal", "NegativeBinomial", "Normal", "OneHotCategorical", "OneHotCategoricalStraightThrough",
           "Pareto", "Poisson", "PositiveDefiniteTransform", "PowerTransform", "RelaxedBernoulli",
           "RelaxedOneHotCategorical", "ReshapeTransform", "SigmoidTransform", "SoftmaxTransform", "SoftplusTransform",
           "StackTransform", "StickBreakingTransform", "StudentT", "TanhTransform", "Transform",
           "TransformedDistribution", "Uniform", "VonMises", "Weibull", "Wishart", "biject_to", "constraints",
           "identity_transform", "kl_divergence", "register_kl", "transform_to", "transforms"]
