"""Autoregressive models: an image's probability, pixel by pixel, each given those before it.

Pixels come row by row; each has 17 levels, of which a softmax tells how likely they are. PixelCNN sees what is above
and to the left of a pixel through convolutions whose kernels are masked; PixelRNN's row LSTM goes down the image, a row
a step, and remembers all rows above it (van den Oord et al. 2016). What is held out then costs so many nats. Without
the mask each pixel sees itself: the loss is nearly 0, and nothing was learned that could draw. The picture shows what
each draws, from nothing and from the upper half of held-out digits. Try blocks=0.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data, networks
from nn import functional as F

SYSTEMS = ("PixelRNN", "PixelCNN")
CLAIM = ("PixelCNN and PixelRNN need at least 20 nats less for a held-out digit than independent pixels, and what they "
         "draw is less than half as far from real ones (Fréchet distance of features). Without its mask the same "
         "network needs less than 20 nats, and draws worse than independent pixels do.")

LEVELS = 17


class MaskedConv2d(nn.Conv2d):
    """A convolution that sees the rows above, what is left of the middle and, unless `strict`, the middle itself."""

    def __init__(self, inputs, outputs, kernel_size, strict=False):
        super().__init__(inputs, outputs, kernel_size, padding="same")
        order = np.arange(self.kernel_size[0] * self.kernel_size[1]).reshape(self.kernel_size)
        middle = order.size // 2
        self.register_buffer("mask", autograd.tensor((order < middle + (not strict)).astype(np.float32)))

    def forward(self, x):
        return F.conv2d(x, self.weight * self.mask, self.bias, padding="same")


class PixelCNN(nn.Module):
    """Images (N, 1, H, W) of levels from 0 to 1, to scores (N, 17, H, W): residual blocks of masked convolutions."""

    def __init__(self, width=48, blocks=3):
        super().__init__()
        self.first = MaskedConv2d(1, width, 7, strict=True)
        self.blocks = nn.ModuleList([nn.Sequential(
            nn.ReLU(), nn.Conv2d(width, width // 2, 1), nn.ReLU(), MaskedConv2d(width // 2, width // 2, 3), nn.ReLU(),
            nn.Conv2d(width // 2, width, 1)) for _ in range(blocks)])
        self.out = nn.Sequential(nn.ReLU(), nn.Conv2d(width, LEVELS, 1))

    def forward(self, x):
        y = self.first(x)
        for block in self.blocks:
            y = y + block(y)
        return self.out(y)


class PixelRNN(nn.Module):
    """The same by a row LSTM: its gates see a row's pixels to the left, and the state of the row above, three wide."""

    def __init__(self, width=32):
        super().__init__()
        self.see = MaskedConv2d(1, 4 * width, (1, 7), strict=True)
        self.remember = nn.Conv1d(width, 4 * width, 3, padding="same")
        self.out = nn.Sequential(nn.Conv2d(width, 2 * width, 1), nn.ReLU(), nn.Conv2d(2 * width, LEVELS, 1))

    def forward(self, x):
        states = []
        hidden = cell = autograd.zeros(len(x), self.remember.in_channels, x.shape[3])
        for seen in self.see(x).unbind(2):
            i, f, o, g = (seen + self.remember(hidden)).chunk(4, 1)
            cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
            hidden = o.sigmoid() * cell.tanh()
            states.append(hidden)
        return self.out(autograd.stack(states, 2))


class Independent(nn.Module):
    """How often each level was seen at each pixel; from there a network goes on, if there is one."""

    def __init__(self, images, net=None):
        super().__init__()
        levels = (images[:, 0] * (LEVELS - 1)).round()
        counts = autograd.stack([(levels == level).sum(0) for level in range(LEVELS)]) + 0.1
        self.scores, self.net = nn.Parameter((counts / counts.sum(0)).log()), net

    def forward(self, x):
        scores = self.scores[:, :x.shape[2]].expand(len(x), -1, -1, -1)
        return scores + self.net(x) if self.net else scores


def nats(model, images):
    """What an image costs, on average."""
    levels = (images[:, 0] * (LEVELS - 1)).round().long()
    return F.cross_entropy(model(images), levels, reduction="sum") / len(images)


def train(run, model, images, label, steps):
    steps = run.pick(steps, 2)
    optimizer = optim.Adam(model.parameters())
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 8e-3, total_steps=steps)
    for _ in run.progress(steps, quick=2, label=label):
        loss = nats(model, images[run.rng.integers(0, len(images), 32)])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 50)
        optimizer.step()
        schedule.step()
    return model.eval()


@autograd.no_grad()
def draw(model, images, first=0):
    """Pixel by pixel, row by row, from this row on."""
    images = images.clone()
    images[:, :, first:] = 0
    for row in range(first, images.shape[2]):
        for column in range(images.shape[3]):
            scores = model(images[:, :, :row + 1])[:, :, row, column]
            images[:, 0, row, column] = autograd.multinomial(F.softmax(scores, 1), 1)[:, 0] / (LEVELS - 1)
    return images


def unmasked(network):
    for layer in network.modules():
        if isinstance(layer, MaskedConv2d):
            layer.mask.fill_(1)
    return network


def example(run):
    train_set, held_out = data.digits(run.seed)
    judge = networks.Judge(run)
    x, test = autograd.tensor(train_set.images), autograd.tensor(held_out.images)[:run.pick(None, 16)]
    nets = {"independent": None, "PixelCNN": PixelCNN(), "PixelRNN": PixelRNN(), "unmasked": unmasked(PixelCNN())}
    cost, distance, shown = {}, {}, {"held out": (test[8:16], test[:8])}
    for name, net in nets.items():
        model = Independent(x, net).eval()
        if net:
            train(run, model, x, name, 400 if name == "unmasked" else 700)
        with autograd.no_grad():
            cost[name] = nats(model, test).item()
        drawn, completed = draw(model, autograd.zeros(run.pick(500, 8), 1, 8, 8)), draw(model, test, first=4)
        distance[name], shown[name] = judge.distance(drawn), (drawn[:8], completed[:8])
        run.result(name, cost[name], "nats")
        run.result(f"{name}, distance", distance[name])
        run.result(f"{name}, completed", 100 * np.mean(judge.read(completed) == held_out.labels[:len(test)]), "%")
    for name in ("PixelCNN", "PixelRNN"):
        run.holds(cost[name] < cost["independent"] - 20)
        run.holds(distance[name] < distance["independent"] / 2)
    run.holds(cost["unmasked"] < 20 and distance["unmasked"] > distance["independent"])

    figure, axes = plt.subplots(len(shown), 2, figsize=(9, 0.95 * len(shown)))
    for row, (name, batches) in zip(axes, shown.items(), strict=True):
        for axis, batch, origin in zip(row, batches, ("from nothing", "from the upper half"), strict=True):
            axis.imshow(data.in_a_row(batch.numpy()), vmin=0, vmax=1)
            axis.set_title(f"{name}, {cost[name]:.1f} nats, {origin}" if name in cost else name, fontsize="small")
            axis.axis("off")
    run.save(figure)
