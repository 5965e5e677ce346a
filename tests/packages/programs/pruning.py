"""torch-pruning: a dependency graph, and channels removed"""

import torch
import torch_pruning
from common import fill, show, wave

model = fill(torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), torch.nn.Conv2d(8, 4, 3)))
graph = torch_pruning.DependencyGraph().build_dependency(model, example_inputs=wave(1, 3, 8, 8))
graph.get_pruning_group(model[0], torch_pruning.prune_conv_out_channels, idxs=[0, 3]).prune()
show("pruned", model(wave(1, 3, 8, 8)))
