"""Stopping when validation says so: the network of the best epoch, not of the last.

A network first learns what is common to its examples and then each by heart, wrong labels included: the training loss
goes on falling while the validation loss rises again. Early stopping keeps the weights of the best validation loss and
gives up after some epochs without a better one (Prechelt 1998). The validation set is looked at for that; the held-out
digits only at the end. The picture shows where it stopped, and where training would have gone. Try right labels: then
it may go on.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data
from nn import functional as F
from nn.data import DataLoader, TensorDataset
from nn.utils.early_stopping import EarlyStopping

SYSTEMS = ("early stopping", "validation set")
CLAIM = ("With half of the labels drawn by lot, the weights of the best validation loss read at least 8 % more of "
         "the held-out digits than those of the last epoch, and stopping saves half of the epochs.")


def example(run):
    train_set, held_out = data.digits(run.seed)
    wrong = run.rng.random(len(train_set.labels)) < 0.5
    labels = np.where(wrong, run.rng.integers(0, 10, len(wrong)), train_set.labels)
    x, y = autograd.tensor(train_set.images).flatten(1), autograd.tensor(labels)
    test = autograd.tensor(held_out.images).flatten(1)
    validation = slice(len(x) * 4 // 5, None)
    batches = DataLoader(TensorDataset(x[:validation.start], y[:validation.start]), 64, shuffle=True)

    model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    optimizer = optim.AdamW(model.parameters(), lr=1e-3)
    stopping = EarlyStopping(model, patience=5)
    curves, stopped = [], None
    for epoch in run.progress(80, quick=2):
        for images, targets in batches:
            loss = F.cross_entropy(model(images), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with autograd.no_grad():
            curves.append([F.cross_entropy(model(x[part]), y[part]).item()
                           for part in (slice(validation.start), validation)])
        if stopped is None and stopping.step(curves[-1][1]):
            stopped = epoch  # a program would end here; this one goes on, to show what it is spared
    last = (model(test).argmax(1).numpy() == held_out.labels).mean()
    stopping.restore()
    best = (model(test).argmax(1).numpy() == held_out.labels).mean()
    stopped = len(curves) if stopped is None else stopped
    run.result("last epoch", 100 * last, "%")
    run.result("best validation loss", 100 * best, "%")
    run.result("stopped after epoch", stopped)
    run.holds(best > last + 0.08)
    run.holds(stopped < len(curves) / 2)

    figure, axes = plt.subplots(figsize=(6.5, 3.8))
    epochs, chosen = np.arange(1, len(curves) + 1), np.argmin([loss for _, loss in curves])
    axes.plot(epochs, curves, label=["training", "validation"])
    axes.axvline(chosen + 1, color="C2", linestyle="--", label=f"the best: {best:.1%} of held-out digits")
    axes.axvline(stopped + 1, color="C6", linestyle=":", label=f"stopped (the last epoch: {last:.1%})")
    axes.set(xlabel="epoch", ylabel="cross entropy", title="Half of the labels are drawn by lot")
    axes.legend()
    run.save(figure)
