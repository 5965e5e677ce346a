"""mup: base shapes, and Adam on them"""

import mup
import torch
from common import fill, show, wave


def network(width):
    return torch.nn.Sequential(torch.nn.Linear(4, width), torch.nn.ReLU(), mup.MuReadout(width, 2))


model = network(16)
mup.set_base_shapes(model, network(4), delta=network(8))
optimizer = mup.MuAdam(fill(model).parameters(), lr=0.01)
for _ in range(3):
    optimizer.zero_grad()
    loss = (model(wave(5, 4)) ** 2).mean()
    loss.backward()
    optimizer.step()
show("mup", loss, *model.parameters())
