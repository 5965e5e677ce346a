"""pyhessian: eigenvalues and trace"""

import torch
from common import fill, show, wave
from pyhessian import hessian

torch.manual_seed(0)
curvature = hessian(fill(torch.nn.Linear(4, 3)), torch.nn.CrossEntropyLoss(), data=(wave(6, 4), torch.arange(6) % 3),
                    cuda=False)
show("eigenvalue", *curvature.eigenvalues()[0])
show("trace", sum(curvature.trace()))
