"""coral-pytorch: ranks, and their loss"""

import torch
from common import fill, show, wave
from coral_pytorch.dataset import levels_from_labelbatch
from coral_pytorch.layers import CoralLayer
from coral_pytorch.losses import coral_loss

model = fill(CoralLayer(4, 5))
loss = coral_loss(model(wave(6, 4)), levels_from_labelbatch(torch.tensor([0, 1, 2, 3, 4, 2]), 5).float())
loss.backward()
show("loss", loss, *[p.grad for p in model.parameters()])
