"""memcnn: an invertible coupling, forward and back"""

import memcnn
import torch
from common import fill, show, wave


def part():
    return fill(torch.nn.Sequential(torch.nn.Conv2d(2, 2, 3, padding=1), torch.nn.ReLU()))


model = memcnn.InvertibleModuleWrapper(memcnn.AdditiveCoupling(part(), part()), keep_input=True, keep_input_inverse=True)
y = model(wave(1, 4, 5, 5))
y.sum().backward()
show("coupling", y, model.inverse(y), *[p.grad for p in model.parameters()])
