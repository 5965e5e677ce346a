"""zennit: layer-wise relevance"""

import torch
from common import fill, show, wave
from zennit.attribution import Gradient
from zennit.composites import EpsilonPlusFlat

model = fill(torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(48, 3)))
with Gradient(model=model, composite=EpsilonPlusFlat()) as attributor:
    show("relevance", *attributor(wave(1, 1, 6, 6), torch.eye(3)[[1]]))
