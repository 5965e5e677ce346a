"""pyro-ppl: variational inference of a mean"""

import pyro
import pyro.distributions as dist
import torch
from common import show, wave
from pyro.infer import SVI, Trace_ELBO

x = wave(20) + 2
pyro.set_rng_seed(0)


def model():
    mean = pyro.sample("mean", dist.Normal(0.0, 10.0))
    with pyro.plate("data", 20):
        pyro.sample("x", dist.Normal(mean, 1.0), obs=x)


def guide():
    scale = pyro.param("scale", torch.tensor(1.0), constraint=dist.constraints.positive)
    pyro.sample("mean", dist.Normal(pyro.param("location", torch.tensor(0.0)), scale))


inference = SVI(model, guide, pyro.optim.Adam({"lr": 0.1}), Trace_ELBO())
show("losses", *[inference.step() for _ in range(20)][-3:], pyro.param("location"), pyro.param("scale"))
