"""entmax: sparsemax, entmax, and the loss"""

from common import show, wave
import torch
from entmax import Entmax15Loss, entmax15, sparsemax

for function in (sparsemax, entmax15):
    x = wave(3, 6).requires_grad_()
    y = function(x, dim=-1)
    (y ** 2).sum().backward()
    show(function.__name__, y, x.grad)
x = wave(3, 6).requires_grad_()
loss = Entmax15Loss()(x, torch.tensor([0, 2, 5]))
loss.backward()
show("loss", loss, x.grad)
