"""torchbnn: a Bayesian layer and its divergence"""

import torch
import torchbnn as bnn
from common import show, wave

torch.manual_seed(0)
model = bnn.BayesLinear(prior_mu=0, prior_sigma=0.1, in_features=4, out_features=3)
loss = (model(wave(5, 4)) ** 2).mean() + bnn.BKLLoss()(model)[0]
loss.backward()
show("loss and gradients", loss, *[p.grad for p in model.parameters()])
