"""ema-pytorch: the average of a model in training"""

from common import fill, show, wave
import torch
from ema_pytorch import EMA

model = fill(torch.nn.Linear(4, 3))
average = EMA(model, beta=0.9, update_after_step=0, update_every=1)
optimizer = torch.optim.SGD(model.parameters(), 0.1)
for _ in range(5):
    optimizer.zero_grad()
    (model(wave(6, 4)) ** 2).mean().backward()
    optimizer.step()
    average.update()
show("average", *average.ema_model.parameters(), average(wave(2, 4)))
