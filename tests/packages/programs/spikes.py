"""snntorch: a leaky neuron with a surrogate gradient"""

import snntorch
import torch
from common import fill, show, wave
from snntorch import surrogate

linear = fill(torch.nn.Linear(5, 4), 1.0)
neuron = snntorch.Leaky(beta=0.9, spike_grad=surrogate.fast_sigmoid())
membrane, spikes = neuron.init_leaky(), []
for _ in range(6):
    spike, membrane = neuron(linear(wave(3, 5)), membrane)
    spikes.append(spike)
(membrane.sum() + torch.stack(spikes).sum()).backward()
show("leaky", torch.stack(spikes), membrane, linear.weight.grad)
