"""nflows: a masked autoregressive flow"""

import torch
from common import show, wave
from nflows.distributions.normal import StandardNormal
from nflows.flows.base import Flow
from nflows.transforms.autoregressive import MaskedAffineAutoregressiveTransform
from nflows.transforms.base import CompositeTransform
from nflows.transforms.permutations import ReversePermutation

torch.manual_seed(0)
flow = Flow(CompositeTransform([ReversePermutation(4), MaskedAffineAutoregressiveTransform(4, 8)]), StandardNormal([4]))
density = flow.log_prob(wave(5, 4))
(-density.mean()).backward()
show("flow", density, *[p.grad for p in flow.parameters()][:3])
