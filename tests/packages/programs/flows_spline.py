"""zuko: a neural spline flow, density and samples"""

import torch
import zuko
from common import show, wave

torch.manual_seed(0)
flow = zuko.flows.NSF(3, 2, transforms=2, hidden_features=(16, 16))
density = flow(wave(4, 2)).log_prob(wave(4, 3, step=0.5))
(-density.mean()).backward()
show("spline", density, *[p.grad for p in flow.parameters() if p.grad is not None][:3], flow(wave(1, 2)).sample((2,)))
