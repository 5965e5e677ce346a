"""higher: a differentiable inner step"""

import higher
import torch
from common import fill, show, wave

model = fill(torch.nn.Linear(4, 3))
optimizer = torch.optim.SGD(model.parameters(), 0.1)
with higher.innerloop_ctx(model, optimizer, copy_initial_weights=False) as (inner, optimizer):
    optimizer.step((inner(wave(6, 4)) ** 2).mean())
    loss = (inner(wave(6, 4, step=0.5)) ** 2).mean()
    loss.backward()
show("outer", loss, *[p.grad for p in model.parameters()])
