"""torch-geometric: GCN, GAT and SAGE convolutions"""

import torch
from common import fill, learn, wave
from torch_geometric.nn import GATConv, GCNConv, SAGEConv

edges = torch.tensor([[0, 1, 2, 3, 1], [1, 2, 3, 0, 3]])
for layer in (GCNConv(4, 3), GATConv(4, 3), SAGEConv(4, 3)):
    learn(type(layer).__name__, layer, fill(layer)(wave(4, 4), edges))
