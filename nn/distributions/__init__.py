"""Probability distributions: samples, log densities, entropies and divergences, all differentiable in the parameters.

A distribution has `batch_shape`, the shape of its independent copies, and `event_shape`, that of one draw. A sample has
the shape sample_shape + batch_shape + event_shape; a log density sample_shape + batch_shape.

`rsample` is differentiable (the reparameterization of Kingma and Welling, "Auto-Encoding Variational Bayes", 2014);
`sample` is not, and goes with `log_prob` into a score-function estimate (Williams 1992):

>>> q = Normal(model(x), 1.0); z = q.rsample(); loss = kl_divergence(q, Normal(0.0, 1.0)).sum()  # of an autoencoder
>>> policy = Categorical(logits=model(x)); action = policy.sample(); loss = -policy.log_prob(action)  # times the reward
"""

from nn.distributions.bernoulli import Bernoulli
from nn.distributions.categorical import Categorical
from nn.distributions.distribution import Distribution
from nn.distributions.independent import Independent
from nn.distributions.kl import kl_divergence, register_kl
from nn.distributions.multivariate_normal import MultivariateNormal
from nn.distributions.normal import Normal
from nn.distributions.uniform import Uniform

__all__ = ["Bernoulli", "Categorical", "Distribution", "Independent", "MultivariateNormal", "Normal", "Uniform",
           "kl_divergence", "register_kl"]
