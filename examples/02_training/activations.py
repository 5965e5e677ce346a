"""Eight activation functions in the same deep network: which of them let it learn.

Sigmoid and tanh saturate, and a gradient that comes back through many of them fades; sigmoid's outputs are not
centered either. ReLU (Nair and Hinton 2010) passes gradients where it is on, but units may die; Leaky ReLU, ELU, SELU,
GELU and maxout (Goodfellow et al. 2013) mend that. All start with weights that keep their variance, and take the same
steps. The picture shows the functions with their slopes, and how training went. Try two layers, which even sigmoid can
train.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data
from nn import functional as F

SYSTEMS = ("activation functions", "sigmoid", "tanh", "ReLU", "Leaky ReLU", "ELU", "SELU", "GELU", "maxout")
CLAIM = ("Ten layers deep, sigmoid stays below 30 % of held-out digits and the gradient of its first layer is under "
         "1e-3 of its last one's; tanh, ReLU and its heirs read over 90 %.")

LAYERS, WIDTH = 10, 64
ACTIVATIONS = {"sigmoid": F.sigmoid, "tanh": F.tanh, "ReLU": F.relu, "Leaky ReLU": F.leaky_relu, "ELU": F.elu,
               "SELU": F.selu, "GELU": F.gelu, "maxout": lambda x: x.unflatten(1, (2, -1)).amax(1)}
GAINS = {"sigmoid": "tanh", "tanh": "tanh", "SELU": "linear", "maxout": "linear"}  # all others lose half, as ReLU does


class Deep(nn.Module):
    def __init__(self, name):
        super().__init__()
        self.act = ACTIVATIONS[name]
        width = 2 * WIDTH if name == "maxout" else WIDTH  # two linear functions a unit, of which it takes the larger
        self.hidden = nn.ModuleList([nn.Linear(64 if k == 0 else WIDTH, width) for k in range(LAYERS)])
        self.scores = nn.Linear(WIDTH, 10)
        for layer in self.hidden:
            nn.init.kaiming_normal_(layer.weight, nonlinearity=GAINS.get(name, "relu"))
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        for layer in self.hidden:
            x = self.act(layer(x))
        return self.scores(x)


def train(run, name, x, y):
    """A trained net, its losses, and the size of the first layer's gradient relative to the last's at the beginning."""
    model = Deep(name)
    optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    losses, ratio = [], None
    for _ in run.progress(500, quick=2, label=name):
        batch = run.rng.integers(0, len(x), 100)
        loss = F.cross_entropy(model(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        ratio = ratio or (model.hidden[0].weight.grad.norm() / model.hidden[-1].weight.grad.norm()).item()
        optimizer.step()
        losses.append(loss.item())
    return model, losses, ratio


def example(run):
    train_set, held_out = data.digits(run.seed)
    x, test = (autograd.tensor(part.images - 0.3).flatten(1) for part in (train_set, held_out))
    y = autograd.tensor(train_set.labels)
    figure, axes = plt.subplots(3, 4, figsize=(10, 7), height_ratios=[1, 1, 2])
    for ax in axes[2]:
        ax.remove()
    curves = figure.add_subplot(axes[0, 0].get_gridspec()[2, :])
    for ax, name in zip(axes[:2].flat, ACTIVATIONS, strict=True):
        model, losses, ratio = train(run, name, x, y)
        accuracy = (model(test).argmax(1).numpy() == held_out.labels).mean()
        run.result(name, 100 * accuracy, "%")
        if name == "sigmoid":
            run.result("sigmoid, first layer's gradient of the last's", ratio)
            run.holds(ratio < 1e-3)
            run.holds(accuracy < 0.3)
        else:
            run.holds(accuracy > 0.9)
        curves.plot(np.convolve(losses, np.ones(20) / 20, "valid"), label=f"{name}, {accuracy:.0%}",
                    linestyle="-" if name != "sigmoid" else "--")
        draw(ax, name)
    curves.set(xlabel="step", ylabel="cross entropy", yscale="log", title="Training (means of 20 steps); accuracy")
    curves.legend(ncols=2)
    run.save(figure)


def draw(ax, name):
    """The function, and its slope."""
    x = autograd.linspace(-4, 4, 201).requires_grad_()
    inputs = autograd.stack([x, -0.5 * x], 1) if name == "maxout" else x  # of two linear functions, for example
    y = ACTIVATIONS[name](inputs).flatten()
    y.sum().backward()
    ax.plot(x.detach().numpy(), y.detach().numpy(), color="C0", label="value")
    ax.plot(x.detach().numpy(), x.grad.numpy(), color="C5", linestyle="--", label="slope")
    ax.set(title=name, ylim=(-2, 4))
    if name == "sigmoid":
        ax.legend(loc="upper left")
