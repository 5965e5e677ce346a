"""pykan: a small network, trained"""

import torch
from common import show, wave
from kan import KAN

torch.manual_seed(0)
model = KAN(width=[2, 3, 1], grid=3, k=3, seed=0, auto_save=False)
y = model(wave(6, 2))
(y ** 2).mean().backward()
show("kan", y, *[p.grad for p in model.parameters() if p.grad is not None][:3])
