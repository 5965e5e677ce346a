"""poutyne: fit and its history"""

import numpy as np
import torch
from common import fill, show, wave
from poutyne import Model

network = fill(torch.nn.Linear(4, 3))
history = Model(network, torch.optim.SGD(network.parameters(), 0.1), "cross_entropy", batch_metrics=["accuracy"]).fit(
    wave(12, 4).numpy(), np.arange(12) % 3, epochs=2, batch_size=4, verbose=False, dataloader_kwargs={"shuffle": False})
show("poutyne", network.weight, *[epoch["loss"] for epoch in history])
