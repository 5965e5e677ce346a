"""The sanity checks of the CS231n notes: the first loss, the effect of regularization, a small subset overfitted."""

import math

import numpy as np
import pytest

import autograd
import nn
import optim
from nn import functional as F

CLASSES = 10


def test_first_loss_of_softmax_is_log_of_the_classes():
    autograd.manual_seed(0)
    scores = nn.Linear(50, CLASSES)(0.001 * autograd.randn(200, 50))
    loss = F.cross_entropy(scores - scores.detach().mean(0), autograd.randint(0, CLASSES, (200,)))
    assert abs(loss.item() - math.log(CLASSES)) < 0.01


def test_first_loss_of_the_svm_is_one_for_each_wrong_class():
    autograd.manual_seed(0)
    scores = 1e-4 * autograd.randn(200, CLASSES)
    loss = F.multi_margin_loss(scores, autograd.randint(0, CLASSES, (200,)))
    assert abs(loss.item() * CLASSES - (CLASSES - 1)) < 0.01  # PyTorch's form divides by the number of classes


def test_regularization_raises_the_loss():
    model = nn.Linear(5, 3)
    loss = F.cross_entropy(model(autograd.randn(4, 5)), autograd.tensor([0, 1, 2, 0]))
    assert (loss + 0.1 * F.l2_penalty(model.parameters())).item() > loss.item()


class Images(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2))
        self.scores = nn.Linear(8 * 4 * 4, CLASSES)

    def forward(self, x):
        return self.scores(self.features(x.reshape(-1, 1, 8, 8)).flatten(1))


class Rows(nn.Module):
    """Reads an image row by row."""

    def __init__(self):
        super().__init__()
        self.lstm, self.scores = nn.LSTM(8, 32, batch_first=True), nn.Linear(32, CLASSES)

    def forward(self, x):
        _, (h, _) = self.lstm(x.reshape(-1, 8, 8))
        return self.scores(h[-1])


class Tokens(nn.Module):
    """Attends to the rows of an image."""

    def __init__(self):
        super().__init__()
        self.embed, self.positions = nn.Linear(8, 16), nn.LearnedPositions(16, 8)
        layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder, self.scores = nn.TransformerEncoder(layer, 2), nn.Linear(16, CLASSES)

    def forward(self, x):
        return self.scores(self.encoder(self.positions(self.embed(x.reshape(-1, 8, 8)))).mean(1))


@pytest.mark.parametrize("model", [
    lambda: nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, CLASSES)), Images, Rows, Tokens],
    ids=["MLP", "CNN", "LSTM", "Transformer"])
def test_a_small_subset_is_learned_by_heart(model):
    autograd.manual_seed(0)
    images, labels = autograd.randn(20, 64), autograd.tensor(np.arange(20) % CLASSES)
    model = model()
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(200):
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss.item() < 0.005:
            break
    assert loss.item() < 0.01
    assert (model(images).argmax(1) == labels).all()
