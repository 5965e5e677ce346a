"""What the size of the first weights does to activations and gradients, ten layers up and down.

Weights that are too small make activations fade from layer to layer, too large ones saturate tanh or explode: either
way no gradient arrives. Xavier's variance 1/fan_in keeps tanh's alive (Glorot and Bengio 2010), Kaiming's 2/fan_in is
for ReLU, which throws half away (He et al. 2015). The picture shows histograms of activations layer by layer, and what
became of training. Try batch norm after each layer: then it hardly matters.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data
from nn import functional as F

SYSTEMS = ("initialization", "Xavier", "Kaiming")
CLAIM = ("In ten layers N(0, 0.01²) leaves nothing of the activations (under 1e-6), N(0, 1) saturates over half of "
         "tanh's; Xavier keeps tanh's and Kaiming ReLU's within a factor of 4, where Xavier loses over 90 % of "
         "ReLU's. These two learn to read over 90 % of held-out digits; small and large weights stay under 50 %.")

LAYERS, WIDTH = 10, 128
CASES = {  # activation, and how weights are drawn
    "tanh, N(0, 0.01²)": (F.tanh, lambda w: nn.init.normal_(w, std=0.01)),
    "tanh, N(0, 1)": (F.tanh, lambda w: nn.init.normal_(w, std=1)),
    "tanh, Xavier": (F.tanh, nn.init.xavier_normal_),
    "ReLU, N(0, 0.01²)": (F.relu, lambda w: nn.init.normal_(w, std=0.01)),
    "ReLU, Xavier": (F.relu, nn.init.xavier_normal_),
    "ReLU, Kaiming": (F.relu, lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu")),
}


def forward(layers, act, x):
    """The activations of all layers, the last being scores."""
    outputs = []
    for layer in layers[:-1]:
        x = act(layer(x))
        outputs.append(x)
    return [*outputs, layers[-1](x)]


def train(run, layers, act, x, y, label):
    optimizer = optim.SGD([p for layer in layers for p in layer.parameters()], lr=0.01, momentum=0.9)
    for _ in run.progress(400, quick=2, label=label):
        batch = run.rng.integers(0, len(x), 100)
        loss = F.cross_entropy(forward(layers, act, x[batch])[-1], y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def example(run):
    train_set, held_out = data.digits(run.seed)
    mean, std = train_set.images.mean(), train_set.images.std()
    x, test = (autograd.tensor((part.images - mean) / std).flatten(1) for part in (train_set, held_out))
    y = autograd.tensor(train_set.labels)
    figure, axes = plt.subplots(len(CASES), LAYERS, figsize=(11, 7), sharey=True)
    kept, saturated, accuracy = {}, {}, {}
    for row, (name, (act, draw)) in zip(axes, CASES.items(), strict=True):
        layers = [nn.Linear(64, WIDTH), *[nn.Linear(WIDTH, WIDTH) for _ in range(LAYERS - 1)], nn.Linear(WIDTH, 10)]
        for layer in layers:
            draw(layer.weight)
            nn.init.zeros_(layer.bias)
        outputs = [out.detach().numpy() for out in forward(layers, act, x[:200])[:-1]]
        kept[name] = outputs[-1].std() / outputs[0].std()
        saturated[name] = (np.abs(outputs[-1]) > 0.95).mean()
        train(run, layers, act, x, y, name)
        accuracy[name] = (forward(layers, act, test)[-1].argmax(1).numpy() == held_out.labels).mean()
        run.result(f"{name}: accuracy", 100 * accuracy[name], "%")
        run.result(f"{name}: kept of the deviation", 100 * kept[name], "%")
        for k, (ax, out) in enumerate(zip(row, outputs, strict=True)):
            span = (-1, 1) if act is F.tanh else (0, max(1e-3, 4 * out.std()))
            weights = np.full(out.size, 1 / out.size)
            ax.hist(out.ravel(), bins=21, range=span, weights=weights, color="C0" if act is F.tanh else "C1")
            ax.set(xticks=[], yticks=[], title=f"{out.std():.1e}")
            ax.title.set_fontsize(7)
            ax.set_ylabel(f"{name}\n→ {accuracy[name]:.0%}" if k == 0 else "", fontsize=8, rotation=0, ha="right")
    figure.suptitle("Activations before training, layer 1 to 10 (their deviations above) → accuracy after it")
    run.save(figure)

    run.holds(kept["tanh, N(0, 0.01²)"] < 1e-6 and kept["ReLU, N(0, 0.01²)"] < 1e-6)
    run.holds(saturated["tanh, N(0, 1)"] > 0.5)
    run.holds(kept["tanh, Xavier"] > 1 / 4 and 1 / 4 < kept["ReLU, Kaiming"] < 4)
    run.holds(kept["ReLU, Xavier"] < 0.1)
    run.holds(min(accuracy["tanh, Xavier"], accuracy["ReLU, Kaiming"]) > 0.9)
    run.holds(max(accuracy[name] for name in CASES if "N(" in name) < 0.5)
