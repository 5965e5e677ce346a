"""pytorch-tabnet: TabNet's network"""

import torch
from common import fill, learn, wave
from pytorch_tabnet.tab_network import TabNet

model = fill(TabNet(input_dim=6, output_dim=2, n_d=4, n_a=4, n_steps=2, group_attention_matrix=torch.eye(6)), 0.3)
learn("tabnet", model, model(wave(5, 6))[0])
