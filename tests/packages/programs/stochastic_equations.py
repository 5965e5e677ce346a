"""torchsde: an Ito process"""

import torch
import torchsde
from common import show, wave


class Process(torch.nn.Module):
    noise_type, sde_type = "diagonal", "ito"

    def f(self, t, y):
        return -y

    def g(self, t, y):
        return 0 * y


show("sde", torchsde.sdeint(Process(), wave(2, 3), torch.linspace(0, 1, 3), dt=0.1))
