"""torchdiffeq: adaptive and fixed steps, and the adjoint method"""

import torch
from common import fill, learn, wave
from torchdiffeq import odeint, odeint_adjoint


class Field(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))

    def forward(self, t, y):
        return self.net(y)


field, times = fill(Field()), torch.linspace(0, 1, 5)
for method in ("dopri5", "rk4", "euler"):
    field.zero_grad()
    learn(method, field, odeint(field, wave(3, 2), times, method=method))
field.zero_grad()
learn("adjoint", field, odeint_adjoint(field, wave(3, 2), times))
