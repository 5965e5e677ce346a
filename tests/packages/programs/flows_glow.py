"""FrEIA: two coupling blocks, density and gradients"""

import FrEIA.framework
import FrEIA.modules
import numpy as np
import torch
from common import show, wave

torch.manual_seed(0)
np.random.seed(0)
model = FrEIA.framework.SequenceINN(4)
for _ in range(2):
    model.append(FrEIA.modules.AllInOneBlock, subnet_constructor=lambda a, b: torch.nn.Sequential(
        torch.nn.Linear(a, 8), torch.nn.ReLU(), torch.nn.Linear(8, b)))
z, log_det = model(wave(3, 4))
(z ** 2).mean().backward()
show("flow", z, log_det, *[p.grad for p in model.parameters() if p.grad is not None][:4])
