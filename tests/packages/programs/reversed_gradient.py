"""pytorch-revgrad: a gradient turned around"""

import torch
from common import show, wave
from pytorch_revgrad import RevGrad

x = wave(3, 4).requires_grad_()
(RevGrad(alpha=2.0)(x) ** 2).sum().backward()
show("gradient", x.grad)
