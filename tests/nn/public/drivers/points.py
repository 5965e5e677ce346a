"""A network of theirs and its loss, whose script prints accuracies alone, on balls, cubes and cones: points.py NAME."""

import importlib
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, "models")
module = importlib.import_module(sys.argv[1])
model, criterion = module.get_model(10, normal_channel=False), module.get_loss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-4)
files = sorted(Path("data/modelnet40_normal_resampled").glob("*/*.txt"))
points = torch.as_tensor(np.stack([np.loadtxt(file, delimiter=",")[:, :3] for file in files]).transpose(0, 2, 1))
points, labels = points.to(torch.get_default_dtype()), torch.tensor([ord(file.stem[1]) % 10 for file in files])
for chosen in torch.randperm(len(points)).chunk(4):
    optimizer.zero_grad()
    scores, features = model(points[chosen])
    loss = criterion(scores, labels[chosen], features)
    loss.backward()
    optimizer.step()
    print(loss.item())
