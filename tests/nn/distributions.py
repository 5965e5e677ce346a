"""Examples of all distributions, for the walk in test_distributions.py.

A name; parameters by keyword, drawn by a NumPy Generator; and the distribution made of them in a module, ours or
PyTorch's.
"""

import numpy as np


def matrix(rng, *batch, n=3):
    a = rng.standard_normal((*batch, n, n))
    return a @ a.swapaxes(-1, -2) + 0.5 * np.eye(n)


def factor(rng, *batch, n=3):
    return np.linalg.cholesky(matrix(rng, *batch, n=n))


def positive(rng, *shape):
    return rng.uniform(0.3, 2, shape)


def two(first, second, low=0.3, high=2.0):
    """Two positive parameters that broadcast."""
    return lambda r: {first: r.uniform(low, high, (2, 3)), second: r.uniform(low, high, 3)}


def place_and_scale(r):
    return {"loc": r.standard_normal((2, 3)), "scale": positive(r, 3)}


def probs(r):
    return {"probs": r.uniform(0.05, 0.95, (2, 3))}


def logits(r):
    return {"logits": 3 * r.standard_normal((2, 3))}


def plain(name):
    return lambda m, p: getattr(m, name)(**p)


def counted(name):
    """With an integer count before the parameters."""
    return lambda m, p: getattr(m, name)(7, **p)


def warm(name):
    """With a temperature before the parameters, a Tensor as PyTorch wants it."""
    def make(m, p):
        p = dict(p)
        if not hasattr(m, name):  # PyTorch doesn't export all of them
            m = m.relaxed_bernoulli if "Bernoulli" in name else m.relaxed_categorical
        return getattr(m, name)(p.pop("temperature"), **p)
    return make


def with_temperature(draw):
    return lambda r: {"temperature": np.array(r.uniform(0.5, 2)), **draw(r)}


def mixture(component, draw):
    def make(m, p):
        p = dict(p)
        weights = m.Categorical(logits=p.pop("weights"))
        return m.MixtureSameFamily(weights, component(m, p))
    return lambda r: {"weights": r.standard_normal((2, 4)), **draw(r)}, make


def transformed(base, *transforms):
    return lambda m, p: m.TransformedDistribution(base(m, p), [t(m) for t in transforms])


KINDS = {
    "Normal": (place_and_scale, plain("Normal")),
    "Uniform": (lambda r: {"low": r.standard_normal(3) - 3, "high": r.standard_normal((2, 3)) + 3}, plain("Uniform")),
    "Bernoulli of probs": (probs, plain("Bernoulli")),
    "Bernoulli of logits": (logits, plain("Bernoulli")),
    "ContinuousBernoulli of probs": (probs, plain("ContinuousBernoulli")),
    "ContinuousBernoulli of logits": (lambda r: {"logits": r.standard_normal((2, 3))}, plain("ContinuousBernoulli")),
    "ContinuousBernoulli near a half": (lambda r: {"probs": r.uniform(0.4985, 0.5015, (2, 3))},
                                        plain("ContinuousBernoulli")),
    "Binomial of probs": (probs, counted("Binomial")),
    "Binomial of logits": (logits, counted("Binomial")),
    "Geometric of probs": (probs, plain("Geometric")),
    "Geometric of logits": (lambda r: {"logits": r.standard_normal((2, 3))}, plain("Geometric")),
    "NegativeBinomial of probs": (lambda r: {"total_count": r.uniform(0.5, 5, 3), **probs(r)},
                                  plain("NegativeBinomial")),
    "NegativeBinomial of logits": (lambda r: {"total_count": r.uniform(0.5, 5, (2, 3)), "logits": r.standard_normal(3)},
                                   plain("NegativeBinomial")),
    "Categorical of probs": (lambda r: {"probs": positive(r, 2, 4)}, plain("Categorical")),
    "Categorical of logits": (lambda r: {"logits": 3 * r.standard_normal((2, 4))}, plain("Categorical")),
    "OneHotCategorical of probs": (lambda r: {"probs": positive(r, 2, 4)}, plain("OneHotCategorical")),
    "OneHotCategorical of logits": (lambda r: {"logits": 3 * r.standard_normal((2, 4))}, plain("OneHotCategorical")),
    "OneHotCategoricalStraightThrough": (lambda r: {"probs": positive(r, 2, 4)},
                                         plain("OneHotCategoricalStraightThrough")),
    "Multinomial of probs": (lambda r: {"probs": positive(r, 2, 4)}, counted("Multinomial")),
    "Multinomial of logits": (lambda r: {"logits": r.standard_normal((2, 4))}, counted("Multinomial")),
    "Poisson": (lambda r: {"rate": r.uniform(0.2, 9, (2, 3))}, plain("Poisson")),
    "Exponential": (lambda r: {"rate": positive(r, 2, 3)}, plain("Exponential")),
    "Gamma": (two("concentration", "rate"), plain("Gamma")),
    "Gamma of large shape": (two("concentration", "rate", 20, 50), plain("Gamma")),
    "Chi2": (lambda r: {"df": r.uniform(0.5, 6, (2, 3))}, plain("Chi2")),
    "InverseGamma": (two("concentration", "rate", 4.5, 7), plain("InverseGamma")),
    "InverseGamma without a mean": (two("concentration", "rate", 0.5, 2), plain("InverseGamma")),
    "StudentT": (lambda r: {"df": r.uniform(5, 9, (2, 1)), **place_and_scale(r)}, plain("StudentT")),
    "StudentT without a mean": (lambda r: {"df": np.array([0.5, 1.5, 3.0]), **place_and_scale(r)}, plain("StudentT")),
    "FisherSnedecor": (lambda r: {"df1": r.uniform(3, 6, (2, 3)), "df2": r.uniform(9, 12, 3)}, plain("FisherSnedecor")),
    "FisherSnedecor without a mean": (two("df1", "df2", 0.5, 3.9), plain("FisherSnedecor")),
    "Beta": (two("concentration1", "concentration0", 1.1, 3), plain("Beta")),
    "Beta in the corners": (two("concentration1", "concentration0", 0.3, 0.9), plain("Beta")),
    "Dirichlet": (lambda r: {"concentration": r.uniform(1.1, 3, (2, 4))}, plain("Dirichlet")),
    "Dirichlet in the corners": (lambda r: {"concentration": r.uniform(0.3, 0.9, (2, 4))}, plain("Dirichlet")),
    "Kumaraswamy": (two("concentration1", "concentration0", 1.1, 3), plain("Kumaraswamy")),
    "Laplace": (place_and_scale, plain("Laplace")),
    "Cauchy": (place_and_scale, plain("Cauchy")),
    "HalfCauchy": (lambda r: {"scale": positive(r, 2, 3)}, plain("HalfCauchy")),
    "HalfNormal": (lambda r: {"scale": positive(r, 2, 3)}, plain("HalfNormal")),
    "LogNormal": (lambda r: {"loc": r.standard_normal((2, 3)), "scale": r.uniform(0.2, 0.6, 3)}, plain("LogNormal")),
    "LogisticNormal": (place_and_scale, plain("LogisticNormal")),
    "Gumbel": (place_and_scale, plain("Gumbel")),
    "Pareto": (two("scale", "alpha", 4.5, 6), plain("Pareto")),
    "Pareto without a mean": (lambda r: {"scale": positive(r, 2, 3), "alpha": np.array([0.5, 1.5, 3.0])},
                              plain("Pareto")),
    "Weibull": (two("scale", "concentration", 1.1, 3), plain("Weibull")),
    "GeneralizedPareto": (lambda r: {**place_and_scale(r), "concentration": r.uniform(-0.4, 0.2, (2, 1))},
                          plain("GeneralizedPareto")),
    "GeneralizedPareto without a mean": (lambda r: {**place_and_scale(r), "concentration": np.array([0.3, 0.7, 1.5])},
                                         plain("GeneralizedPareto")),
    "VonMises": (lambda r: {"loc": r.uniform(-3, 3, (2, 3)), "concentration": positive(r, 3)}, plain("VonMises")),
    "VonMises, narrow": (lambda r: {"loc": r.uniform(-3, 3, (2, 3)), "concentration": r.uniform(5, 50, 3)},
                         plain("VonMises")),
    "LogitRelaxedBernoulli": (with_temperature(probs), warm("LogitRelaxedBernoulli")),
    "RelaxedBernoulli": (with_temperature(logits), warm("RelaxedBernoulli")),
    "ExpRelaxedCategorical": (with_temperature(lambda r: {"probs": positive(r, 2, 4)}), warm("ExpRelaxedCategorical")),
    "RelaxedOneHotCategorical": (with_temperature(lambda r: {"logits": r.standard_normal((2, 4))}),
                                 warm("RelaxedOneHotCategorical")),
    "MultivariateNormal of covariance": (lambda r: {"loc": r.standard_normal((2, 3)), "covariance_matrix": matrix(r)},
                                         plain("MultivariateNormal")),
    "MultivariateNormal of precision": (lambda r: {"loc": r.standard_normal(3), "precision_matrix": matrix(r, 2)},
                                        plain("MultivariateNormal")),
    "MultivariateNormal of scale_tril": (lambda r: {"loc": r.standard_normal((2, 3)), "scale_tril": factor(r, 2)},
                                         plain("MultivariateNormal")),
    "LowRankMultivariateNormal": (
        lambda r: {"loc": r.standard_normal((2, 4)), "cov_factor": r.standard_normal((4, 2)),
                   "cov_diag": positive(r, 2, 4)},
        plain("LowRankMultivariateNormal")),
    "Wishart": (lambda r: {"df": r.uniform(5, 9, 2), "covariance_matrix": matrix(r, 2)}, plain("Wishart")),
    "Wishart of scale_tril": (lambda r: {"df": r.uniform(3, 3.9, 2), "scale_tril": factor(r, 2)}, plain("Wishart")),
    "Wishart of precision": (lambda r: {"df": r.uniform(5, 9, 2), "precision_matrix": matrix(r, 2)}, plain("Wishart")),
    "LKJCholesky": (lambda r: {"concentration": positive(r, 2)}, lambda m, p: m.LKJCholesky(3, **p)),
    "LKJCholesky of two": (lambda r: {"concentration": positive(r, 2)}, lambda m, p: m.LKJCholesky(2, **p)),
    "Independent": (lambda r: {"loc": r.standard_normal((2, 3)), "scale": positive(r, 2, 3)},
                    lambda m, p: m.Independent(m.Normal(**p), 1)),
    "Independent of Gamma": (lambda r: {"concentration": positive(r, 2, 3), "rate": positive(r, 2, 3)},
                             lambda m, p: m.Independent(m.Gamma(**p), 2)),
    "mixture of Normal": mixture(plain("Normal"),
                                 lambda r: {"loc": r.standard_normal((2, 4)), "scale": positive(r, 2, 4)}),
    "mixture of Gamma": mixture(plain("Gamma"),
                                lambda r: {"concentration": positive(r, 2, 4), "rate": positive(r, 2, 4)}),
    "mixture of vectors": mixture(lambda m, p: m.Independent(m.Normal(**p), 1),
                                  lambda r: {"loc": r.standard_normal((2, 4, 3)), "scale": positive(r, 2, 4, 3)}),
    "affine": (place_and_scale, transformed(plain("Normal"), lambda m: m.AffineTransform(1.0, -2.0))),
    "squashed": (place_and_scale, transformed(plain("Normal"), lambda m: m.TanhTransform())),
    "several": (place_and_scale, transformed(plain("Laplace"), lambda m: m.SigmoidTransform(),
                                             lambda m: m.AffineTransform(-1, 2.0))),
    "softplus": (place_and_scale, transformed(plain("Gumbel"), lambda m: m.SoftplusTransform())),
    "of vectors": (lambda r: {"loc": r.standard_normal((2, 3)), "scale_tril": factor(r)},
                   transformed(plain("MultivariateNormal"), lambda m: m.ExpTransform(),
                               lambda m: m.AffineTransform(0.0, 2.0, event_dim=1))),
    "stick": (lambda r: {"loc": r.standard_normal((2, 3)), "scale_tril": factor(r)},
              transformed(plain("MultivariateNormal"), lambda m: m.StickBreakingTransform())),
    "reshaped": (lambda r: {"loc": r.standard_normal((2, 4)), "scale": positive(r, 2, 4)},
                 transformed(plain("Normal"), lambda m: m.ReshapeTransform((4,), (2, 2)))),
    "correlations": (place_and_scale, transformed(plain("Normal"), lambda m: m.CorrCholeskyTransform())),
    "copula": (place_and_scale, transformed(plain("Normal"),
                                            lambda m: m.CumulativeDistributionTransform(m.Normal(*_standard(m))))),
}


def _standard(m):
    """0 and 2, in double precision, of either library."""
    if m.__name__.startswith("torch"):
        import torch
        return torch.tensor(0.0, dtype=torch.float64), torch.tensor(2.0, dtype=torch.float64)
    import autograd
    return autograd.tensor(0.0, dtype=autograd.float64), autograd.tensor(2.0, dtype=autograd.float64)
