"""skorch: a classifier with scikit-learn's interface"""

import numpy as np
import torch
from common import fill, show, wave
from skorch import NeuralNetClassifier


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = fill(torch.nn.Linear(4, 3))

    def forward(self, x):
        return self.layer(x).softmax(-1)


net = NeuralNetClassifier(Net, max_epochs=3, lr=0.1, batch_size=4, train_split=None, verbose=0, iterator_train__shuffle=False)
net.fit(wave(12, 4).numpy(), np.arange(12) % 3)
show("skorch", torch.tensor(net.predict_proba(wave(3, 4).numpy())), torch.tensor(net.history[:, "train_loss"]))
