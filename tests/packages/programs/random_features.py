"""performer-pytorch: attention by positive features"""

import torch
from common import fill, learn, wave
from performer_pytorch import SelfAttention

torch.manual_seed(0)
model = fill(SelfAttention(dim=32, heads=2, dim_head=16, causal=False, nb_features=8))
learn("attention", model, model(wave(1, 12, 32)))
