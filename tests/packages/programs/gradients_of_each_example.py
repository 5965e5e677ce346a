"""opacus: the gradient of each example"""

import torch
from common import fill, show, wave
from opacus.grad_sample import GradSampleModule

model = GradSampleModule(fill(torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3)))).train()
(model(wave(6, 4)) ** 2).sum().backward()
show("of each", *[p.grad_sample for p in model.parameters()])
