"""All of it together: a perceptron, and a convolutional network that is trained as one trains them today.

The network has batch norm and dropout; it sees each image moved by up to a pixel, so that it cannot learn them by
heart; AdamW's rate falls along a cosine to 0. That it looks through small windows, the same everywhere, is what a
perceptron has to learn from examples (LeCun et al. 1998). The picture shows training, the filters of the first layer,
and the digits that are read wrong. Try it without moving the images.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data
from nn import functional as F
from nn.data import DataLoader, TensorDataset
from nn.data.augmentation import random_crop

SYSTEMS = ("multi-layer perceptron", "convolutional network", "data augmentation")
CLAIM = ("The perceptron reads over 95 % of held-out digits, and the convolutional network over 98 %, and more than "
         "it.")


def perceptron():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(),
                         nn.Linear(128, 10))


def convolution(inputs, outputs, kernel_size):
    """Batch norm takes the mean away, so a bias would do nothing."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel_size, padding="same", bias=False), nn.BatchNorm2d(outputs),
                         nn.ReLU())


def network(channels=32):
    """Images (N, 1, 8, 8) to scores (N, 10)."""
    return nn.Sequential(
        convolution(1, channels, 5), convolution(channels, channels, 3), nn.MaxPool2d(2), nn.Dropout2d(0.2),
        convolution(channels, 2 * channels, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.2),
        nn.Linear(2 * channels * 4, 10))


def train(run, model, train_set, test, change, label):
    """The loss of each step, and the held-out accuracy after each epoch."""
    epochs = run.pick(40, 1)
    batches = DataLoader(TensorDataset(*train_set), 64, shuffle=True, drop_last=True)
    optimizer = optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs * len(batches))
    losses, accuracies = [], []
    for _ in run.progress(epochs, quick=1, label=label):
        model.train()
        for x, y in batches:
            loss = F.cross_entropy(model(change(x)), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        model.eval()
        with autograd.no_grad():
            accuracies.append((model(autograd.tensor(test.images)).argmax(1).numpy() == test.labels).mean())
    return losses, accuracies


def example(run):
    train_set, held_out = data.digits(run.seed)
    if run.quick:
        train_set = data.Labeled(train_set.images[:200], train_set.labels[:200])
    models = {"perceptron": (perceptron(), lambda x: x), "convolutional": (network(), lambda x: random_crop(x, 1))}
    figure = plt.figure(figsize=(10, 6))
    top, bottom = figure.subfigures(2, 1)
    axes = top.subplots(1, 2)
    accuracy = {}
    for name, (model, change) in models.items():
        losses, accuracies = train(run, model, train_set, held_out, change, name)
        accuracy[name] = accuracies[-1]
        run.result(name, 100 * accuracies[-1], "%")
        axes[0].semilogy(losses, linewidth=0.8, label=name)
        axes[1].plot(range(1, len(accuracies) + 1), 100 * np.array(accuracies), marker=".", label=name)
    axes[0].set(xlabel="step", ylabel="cross entropy", title="Training loss")
    axes[1].set(xlabel="epoch", ylabel="%", title="Accuracy on held-out digits", ylim=(90, 100.2))
    axes[1].legend(loc="lower right")
    model, _ = models["convolutional"]
    guesses = model(autograd.tensor(held_out.images)).argmax(1).numpy()
    rows = bottom.subplots(2, 12, subplot_kw={"xticks": [], "yticks": []})
    for ax, weight in zip(rows[0], model[0][0].weight.detach().numpy(), strict=False):
        ax.imshow(weight[0], cmap="RdBu_r")
    for ax, k in zip(rows[1], np.flatnonzero(guesses != held_out.labels), strict=False):
        ax.imshow(held_out.images[k, 0])
        ax.set_title(f"{held_out.labels[k]} as {guesses[k]}", fontsize=8)
    for ax in rows[1, (guesses != held_out.labels).sum():]:
        ax.set_visible(False)
    rows[0, 0].set_ylabel("filters")
    rows[1, 0].set_ylabel("mistakes")
    run.save(figure)
    run.holds(accuracy["perceptron"] > 0.95)
    run.holds(accuracy["convolutional"] > 0.98)
    run.holds(accuracy["convolutional"] > accuracy["perceptron"])
