"""normflows: affine couplings"""

import normflows
import torch
from common import show, wave

torch.manual_seed(0)
model = normflows.NormalizingFlow(normflows.distributions.DiagGaussian(2), [
    normflows.flows.AffineCouplingBlock(normflows.nets.MLP([1, 8, 2], init_zeros=False)),
    normflows.flows.Permute(2, mode="swap")])
loss = model.forward_kld(wave(6, 2))
loss.backward()
show("kld", loss, *[p.grad for p in model.parameters() if p.grad is not None][:3])
