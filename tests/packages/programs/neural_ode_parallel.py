"""torchode: Tsit5 with a step of its own for each example"""

import torch
import torchode
from common import show, wave

rates = torch.tensor([[1.0, 2.0]])
term = torchode.ODETerm(lambda t, y: -y * rates)
solver = torchode.AutoDiffAdjoint(torchode.Tsit5(term=term),
                                  torchode.IntegralController(atol=1e-6, rtol=1e-3, term=term))
solution = solver.solve(torchode.InitialValueProblem(wave(3, 2), t_eval=torch.linspace(0, 1, 4).expand(3, 4)))
show("tsit5", solution.ys)
