"""siren-pytorch: a network of sines, its own first weights"""

import torch
from common import learn, wave
from siren_pytorch import SirenNet

torch.manual_seed(0)
model = SirenNet(dim_in=2, dim_hidden=16, dim_out=3, num_layers=2)
learn("values", model, model(wave(5, 2)))
