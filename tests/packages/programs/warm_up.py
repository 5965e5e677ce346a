"""pytorch-warmup: a warmed-up schedule"""

import pytorch_warmup
import torch
from common import fill, show, wave

model, rates = fill(torch.nn.Linear(2, 1)), []
optimizer = torch.optim.AdamW(model.parameters(), 0.01)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
warmup = pytorch_warmup.UntunedLinearWarmup(optimizer)
for _ in range(5):
    optimizer.zero_grad()
    model(wave(3, 2)).sum().backward()
    optimizer.step()
    with warmup.dampening():
        schedule.step()
    rates.append(optimizer.param_groups[0]["lr"])
show("rates", torch.tensor(rates), model.weight)
