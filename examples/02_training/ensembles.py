"""Many networks know more than one: independent ones, snapshots of one training, and the mean of its weights.

The mean of the probabilities of several networks is nearly always better than they are, since they err differently. A
snapshot ensemble takes its networks from one training whose learning rate falls and is raised again (Huang et al.
2017); averaged weights are one network at the end (Polyak and Juditsky 1992; Izmailov et al. 2018). Wrong labels among
the training set give them something to err about. The picture compares each with its members. Try members that all
begin with the same weights.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data
from nn import functional as F
from optim.swa_utils import AveragedModel, SnapshotEnsemble

SYSTEMS = ("ensemble", "snapshot ensemble", "averaged weights")
CLAIM = ("Trained on 500 digits with wrong labels among them, eight networks read at least 4 % more of the held-out "
         "ones than they do alone, eight snapshots of one training 2 %, and averaged weights 3 % more than the last.")


def network():
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def train(run, model, x, y, lr, steps, label, each_step=lambda step, optimizer: None):
    optimizer = optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    for step in run.progress(steps, quick=2, label=label):
        batch = run.rng.integers(0, len(x), 16)
        loss = F.cross_entropy(model(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        each_step(step, optimizer)
    return model


def example(run):
    train_set, held_out = data.digits(run.seed)
    wrong = run.rng.random(500) < 0.3
    labels = np.where(wrong, run.rng.integers(0, 10, 500), train_set.labels[:500])
    x, y = autograd.tensor(train_set.images[:500]).flatten(1), autograd.tensor(labels)
    test = autograd.tensor(np.concatenate([train_set.images[500:], held_out.images])).flatten(1)
    truth = np.concatenate([train_set.labels[500:], held_out.labels])
    right = lambda scores: (scores.argmax(1).numpy() == truth).mean()  # noqa: E731
    average = lambda scores: scores.softmax(-1)  # noqa: E731

    independent = SnapshotEnsemble(average=average)
    for k in range(8):
        independent.take(train(run, network(), x, y, 0.05, 300, f"member {k + 1}"))

    snapshots = SnapshotEnsemble(average=average)
    model, cycle = network(), 150

    def cosine(step, optimizer):
        if (step + 1) % cycle == 0:
            snapshots.take(model)
        optimizer.param_groups[0]["lr"] = 0.1 * 0.5 * (1 + np.cos(np.pi * ((step + 1) % cycle) / cycle))

    train(run, model, x, y, 0.1, 8 * cycle, "snapshots", cosine)
    if run.quick:
        snapshots.take(model)

    last = network()
    averaged = AveragedModel(last)
    train(run, last, x, y, 0.05, 600, "averaged",
          lambda step, _: averaged.update_parameters(last) if step >= 200 else None)
    if run.quick:
        averaged.update_parameters(last)

    found = {"independent": ([right(m(test)) for m in independent.models], right(independent(test))),
             "snapshots": ([right(m(test)) for m in snapshots.models], right(snapshots(test))),
             "averaged weights": ([right(last(test))], right(averaged(test)))}
    for name, (members, together) in found.items():
        run.result(f"{name}: alone", 100 * np.mean(members), "%")
        run.result(f"{name}: together", 100 * together, "%")
    for (members, together), gain in zip(found.values(), (0.04, 0.02, 0.03), strict=True):
        run.holds(together > np.mean(members) + gain)

    figure, axes = plt.subplots(figsize=(6.5, 3.8))
    for k, (members, together) in enumerate(found.values()):
        axes.plot(np.linspace(k - 0.2, k + 0.2, len(members)), 100 * np.array(members), "o", color="C0",
                  label="one network" if k == 0 else None)
        axes.plot([k - 0.3, k + 0.3], [100 * together] * 2, color="C5", linewidth=3,
                  label="together" if k == 0 else None)
    axes.set(xticks=range(3), xticklabels=list(found), ylabel="% of held-out digits",
             title="Trained on 500 digits, 27 % of them labeled wrong")
    axes.legend(loc="lower right")
    run.save(figure)
