"""torchsurv: Cox and Weibull likelihoods"""

import torch
from common import show, wave
from torchsurv.loss import cox, weibull

event, time = torch.arange(8) % 3 > 0, torch.arange(1.0, 9.0)
for name, loss, outputs in (("cox", cox.neg_partial_log_likelihood, 1), ("weibull", weibull.neg_log_likelihood_weibull, 2)):
    x = wave(8, outputs).requires_grad_()
    value = loss(x, event, time)
    value.backward()
    show(name, value, x.grad)
