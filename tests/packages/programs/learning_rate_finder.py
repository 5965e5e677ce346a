"""torch-lr-finder: a range of learning rates"""

import torch
from common import fill, show, wave
from torch.utils.data import DataLoader, TensorDataset
from torch_lr_finder import LRFinder

model = fill(torch.nn.Linear(4, 3))
finder = LRFinder(model, torch.optim.SGD(model.parameters(), 1e-3), torch.nn.CrossEntropyLoss(), device="cpu")
finder.range_test(DataLoader(TensorDataset(wave(32, 4), torch.arange(32) % 3), 8), end_lr=1, num_iter=10)
show("losses", torch.tensor(finder.history["loss"]))
