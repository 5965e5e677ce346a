"""Mistakes that a type checker is to find: every line marked so, and no other."""

import autograd
import nn
import optim
from autograd import Tensor, tensor
from nn import functional as F
from nn.data import DataLoader

x = tensor([1.0, 2.0], requires_grad=True)
x.sum(dim="0")  # error
x.viev(2)  # error
x.view("2", 3)  # error
x.permute(1.5, 0)  # error
x.max().values  # error
x.exp(2)  # error
x + "1"  # error
x.grad + 1  # error
x.requires_grad_("yes")  # error
autograd.exp()  # error
autograd.zeros(2, dtype=1.5)  # error
autograd.cat([x], dim="0")  # error
count: int = x.sum()  # error
nn.Linear("3", 4)  # error
nn.Linear(3)  # error
nn.Conv2d(1, 8, kernel=3)  # error
nn.Linear(3, 4).wieght  # error
nn.Dropout(rate=0.5)  # error
nn.ReLU().inplce  # error
nn.CrossEntropyLoss(reduction=1)  # error
nn.Liner(3, 4)  # error
F.softmax(x)  # error
F.cross_entropy(x, x, smoothing=0.1)  # error
F.max_pool2d(x, 2).exp2(1)  # error
F.max_pool2d(x, 2, return_indices=True).exp()  # error
optim.SGD([x], learning_rate=0.1)  # error
optim.Adam([x], lr="fast")  # error
optim.lr_scheduler.StepLR(0.1, step_size=1)  # error
DataLoader([x], batch="8")  # error
nn.init.zeros_(3)  # error
nn.utils.clip_grad_norm_([x], max_norm="1")  # error
x.register_hook(lambda gradient: "gradient")  # error


def halved(t: Tensor) -> Tensor:
    return t.item() / 2  # error
