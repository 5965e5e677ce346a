"""spikingjelly: leaky integrate-and-fire"""

import torch
from common import fill, show, wave
from spikingjelly.activation_based import functional, neuron, surrogate

model = torch.nn.Sequential(fill(torch.nn.Linear(5, 4), 1.0), neuron.LIFNode(surrogate_function=surrogate.ATan()))
spikes = sum(model(wave(3, 5, step=0.3 + i)) for i in range(5))
spikes.sum().backward()
functional.reset_net(model)
show("lif", spikes, model[0].weight.grad)
