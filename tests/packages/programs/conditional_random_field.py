"""pytorch-crf: the likelihood of tags, its gradient, and the best path"""

from common import fill, show, wave
import torch
from torchcrf import CRF

model, scores = fill(CRF(3, batch_first=True)), wave(2, 5, 3).requires_grad_()
loss = model(scores, torch.arange(10).reshape(2, 5) % 3)
loss.backward()
show("crf", loss, scores.grad)
print(model.decode(scores))
