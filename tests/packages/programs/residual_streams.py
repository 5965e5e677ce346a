"""hyper-connections: several residual streams"""

import torch
from common import fill, learn, wave
from hyper_connections import HyperConnections

init, expand, reduce = HyperConnections.get_init_and_expand_reduce_stream_functions(2)
model = fill(init(dim=8, branch=torch.nn.Linear(8, 8)))
learn("out", model, reduce(model(expand(wave(1, 4, 8)))))
