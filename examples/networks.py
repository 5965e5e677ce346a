"""Networks that several chapters look into, and how they are trained."""

from collections import OrderedDict
from collections.abc import Callable, Mapping

import numpy as np

import autograd
import nn
import optim
from autograd import Tensor
from examples import data
from nn import functional as F
from nn import metrics
from nn.vision import transforms


def digit_network(channels: int = 16) -> nn.Sequential:
    """Two convolutions and two linear layers, for images (N, 1, 8, 8)."""
    return nn.Sequential(nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(),
                         nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(channels * 16, 64), nn.ReLU(), nn.Linear(64, 10))


def fit(run, model: nn.Module, images, labels, steps: int = 300, lr: float = 3e-3, label: str = "",
        prepare: Callable[[Tensor, Tensor], Tensor] = lambda x, y: x, size: int = 64, weight=None) -> nn.Module:
    """Train a classifier of images, or of their pixels, with Adam on random batches of this size, each after
    `prepare(x, y)`, with a weight of each class, and return it for evaluation."""
    x, y = autograd.tensor(images), autograd.tensor(labels)
    optimizer = optim.Adam(model.parameters(), lr)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, run.pick(steps, 2))
    for _ in run.progress(steps, quick=2, label=label):
        batch = run.rng.integers(0, len(x), size)
        loss = F.cross_entropy(model(prepare(x[batch], y[batch])), y[batch], weight)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


def accuracy(model: nn.Module, images, labels) -> float:
    """The share of images that are given their label."""
    with autograd.no_grad():
        return float((model(autograd.as_tensor(images)).argmax(1) == autograd.as_tensor(labels)).float().mean())


class Judge:
    """A classifier of digits that judges images (N, 1, 8, 8) that no one has drawn, by those held out.

    It reads them, and its features, which separate the digits better than pixels do, say how far they are from real
    ones (Fréchet distance), and which share of the real ones has one nearby (coverage).
    """

    def __init__(self, run):
        train_set, held_out = data.digits(run.seed)
        self.model = fit(run, digit_network(), *train_set, label="the judge").requires_grad_(False)
        self.real = self.features(held_out.images)

    def features(self, images) -> Tensor:
        """(N, 64)."""
        return self.model[:-1](autograd.as_tensor(images))

    def read(self, images) -> np.ndarray:
        """Which digits they are taken for, (N,)."""
        return self.model(autograd.as_tensor(images)).argmax(1).numpy()

    def distance(self, images) -> float:
        """The Fréchet distance from the held-out digits."""
        return metrics.frechet_distance(self.features(images), self.real).item()

    def coverage(self, images) -> float:
        """The share of held-out digits that have one nearby, of as many images."""
        return metrics.coverage(self.features(images[:len(self.real)]), self.real).item()


def photograph_network() -> nn.Sequential:
    """Four convolutions, `features`, whose averages a linear layer classifies: 10 scores of digits, 8 of photos."""
    def block(inputs, outputs, size):
        return nn.Conv2d(inputs, outputs, size, padding="same", bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    features = nn.Sequential(transforms.Normalize([0.5] * 3, [0.25] * 3), *block(3, 16, 7), nn.MaxPool2d(2),
                             *block(16, 32, 3), nn.MaxPool2d(2), *block(32, 64, 3), *block(64, 64, 3))
    with autograd.no_grad():
        features[1].weight.mul_(0.1)  # what is learned then outweighs the noise that it began with
    return nn.Sequential(OrderedDict(features=features, average=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(),
                                     classifier=nn.Linear(64, 18)))


_trained: dict[tuple[int, bool], nn.Sequential] = {}


def trained(run, seed: int = 0) -> nn.Sequential:
    """A `photograph_network` that knows the digits and the photographs, of the run's seed plus `seed`.

    It is trained once: the examples of chapter 5 look into the same ones. Its parameters are constants.
    """
    key = run.seed + seed, run.quick
    if key not in _trained:
        with autograd.random.fork_rng():
            autograd.manual_seed(key[0])
            rng, model = np.random.default_rng(key[0]), photograph_network()
            images, digits, photographs, _ = data.on_photographs(data.digits(run.seed)[0], run.pick(5000, 64), rng)
            optimizer = optim.SGD(model.parameters(), momentum=0.9, nesterov=True, weight_decay=5e-4)
            schedule = optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=700)
            for _ in run.progress(700, quick=2, label="the network"):
                batch = rng.integers(0, len(images), 32)
                scores = model(autograd.tensor(images[batch]))
                loss = (F.cross_entropy(scores[:, :10], autograd.tensor(digits[batch]))
                        + 0.5 * F.cross_entropy(scores[:, 10:], autograd.tensor(photographs[batch])))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
        _trained[key] = model.eval().requires_grad_(False)
    return _trained[key]


def untrained(images: np.ndarray) -> nn.Sequential:
    """A `photograph_network` as it begins, but normalized: its features of these images have mean 0 and variance 1."""
    model = photograph_network()
    for layer in model.features:
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1
    model(autograd.tensor(images))
    return model.eval().requires_grad_(False)


def activations(model: nn.Sequential, x: Tensor) -> list[Tensor]:
    """What the four convolutions of a `photograph_network` say of images, before their ReLUs.

    Maxima of 2 x 2 are replaced by means, which give smoother images (Gatys et al. 2015).
    """
    said = []
    for layer in model.features:
        x = F.avg_pool2d(x, 2) if isinstance(layer, nn.MaxPool2d) else layer(x)
        if isinstance(layer, nn.BatchNorm2d):
            said.append(x)
    return said


def gram(x: Tensor) -> Tensor:
    """Means over an image's places of all products of two channels; one more channel is 1, for the channels' means."""
    flat = autograd.cat([x.flatten(2), autograd.ones(len(x), 1, x[0, 0].numel())], 1)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def style(model: nn.Sequential, x: Tensor) -> list[Tensor]:
    """Gram matrices of the pixels and of all activations, also of the image at half its size."""
    return [gram(layer) for scale in (x, F.avg_pool2d(x, 2)) for layer in (scale, *activations(model, scale))]


def style_distance(style: list[Tensor], wanted: list[Tensor]) -> Tensor:
    """How far the Gram matrices of each image are from those wanted, as a share of these; the mean of all images."""
    weights = [100, 1, 1, 1, 1] * 2  # of pixels more, or wrong colors creep in
    return sum([weight * ((a - b).square().sum((1, 2)) / b.square().sum((1, 2))).mean()
                for weight, a, b in zip(weights, style, wanted, strict=True)])


def roughness(x: Tensor) -> Tensor:
    """The mean square of the differences between neighboring pixels, down and right."""
    return F.mse_loss(x[..., 1:, :], x[..., :-1, :]) + F.mse_loss(x[..., 1:], x[..., :-1])


def square(name: str, top: int, left: int, size: int, side: int) -> Tensor:
    """A part of a photograph, (1, 3, side, side)."""
    part = autograd.tensor(data.photograph(name)[None, :, top:top + size, left:left + size])
    return F.interpolate(part, size=(side, side), mode="area").expand(1, 3, side, side)


def recolored(x: Tensor, like: Tensor) -> Tensor:
    """x with the means and standard deviations of another picture's colors."""
    mean, std = (getattr(x, name)((2, 3), keepdim=True) for name in ("mean", "std"))
    return ((x - mean) / std * like.std((2, 3), keepdim=True) + like.mean((2, 3), keepdim=True)).clamp(0, 1)


def perceptual_loss(model: nn.Sequential, x: Tensor, content: Tensor, wanted: list[Tensor]) -> Tensor:
    """How far images are from the content of others, by the third convolution, and from a style's Gram matrices."""
    shown = activations(model, content)[2]
    return (style_distance(style(model, x), wanted) + 0.1 * F.mse_loss(activations(model, x)[2], shown) / shown.var()
            + 10 * roughness(x))


def optimized(run, x: Tensor, loss: Callable[[Tensor], Tensor], steps: int, lr: float, *, label: str = "",
              betas: tuple[float, float] = (0.9, 0.99)) -> tuple[Tensor, list[float]]:
    """Images changed so that `loss(images)` is small, by Adam on their pixels, which stay between 0 and 1; and the
    losses on the way."""
    x, losses = x.clone().requires_grad_(), []
    optimizer = optim.Adam([x], lr, betas)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, run.pick(steps, 2))
    for _ in run.progress(steps, quick=2, label=label):
        now = loss(x)
        optimizer.zero_grad()
        now.backward()
        optimizer.step()
        schedule.step()
        with autograd.no_grad():
            x.clamp_(0, 1)
        losses.append(now.item())
    return x.detach(), losses


def _convolutions(*layers):
    """conv1, prelu1, pool1, ...: (inputs, outputs, kernel, size of the pool after it)."""
    named = {}
    for i, (inputs, outputs, kernel, pool) in enumerate(layers, 1):
        named |= {f"conv{i}": nn.Conv2d(inputs, outputs, kernel), f"prelu{i}": nn.PReLU(outputs)}
        if pool:
            named[f"pool{i}"] = nn.MaxPool2d(pool, 2, ceil_mode=True)
    return named


class _Member(nn.Module):
    """Layers in a row, then heads beside one another: scores of no face and face, box, and landmarks."""

    def __init__(self, body, heads):
        super().__init__()
        self.body, self.heads = [*body], [*heads]
        for name, layer in (body | heads).items():
            self.add_module(name, layer)

    def forward(self, x):
        for name in self.body:
            if name.startswith("dense"):
                x = x.permute(0, 3, 2, 1).flatten(1)  # as these were trained: columns, rows, channels
            x = getattr(self, name)(x)
        return [getattr(self, name)(x) for name in self.heads]


def mtcnn() -> dict[str, nn.Module]:
    """The three networks of the face detector MTCNN (Zhang et al. 2016), with facenet-pytorch's weights."""
    nets = {"pnet": _Member(_convolutions((3, 10, 3, 2), (10, 16, 3, 0), (16, 32, 3, 0)),
                           {"conv4_1": nn.Conv2d(32, 2, 1), "conv4_2": nn.Conv2d(32, 4, 1)}),
            "rnet": _Member(_convolutions((3, 28, 3, 3), (28, 48, 3, 3), (48, 64, 2, 0))
                           | {"dense4": nn.Linear(576, 128), "prelu4": nn.PReLU(128)},
                           {"dense5_1": nn.Linear(128, 2), "dense5_2": nn.Linear(128, 4)}),
            "onet": _Member(_convolutions((3, 32, 3, 3), (32, 64, 3, 3), (64, 64, 3, 2), (64, 128, 2, 0))
                           | {"dense5": nn.Linear(1152, 256), "prelu5": nn.PReLU(256)},
                           {"dense6_1": nn.Linear(256, 2), "dense6_2": nn.Linear(256, 4),
                            "dense6_3": nn.Linear(256, 10)})}
    for name, net in nets.items():
        net.load_state_dict(nn.load(data.package_file("facenet-pytorch", f"facenet_pytorch/data/{name}.pt")))
    return nets


def show_costs(accuracy: Mapping[str, Mapping[str, float]], costs: Mapping[str, nn.Summary], figure=None):
    """The notes' table as a figure, or in one: what networks reach, by title, and what they need for an input."""
    from matplotlib import pyplot as plt
    figure = figure or plt.figure(figsize=(11, 1 + 0.45 * len(costs)))
    columns = {title: [100 * share for share in shares.values()] for title, shares in accuracy.items()}
    columns |= {"thousand parameters": [summary.parameters / 1e3 for summary in costs.values()],
                "million multiply-adds": [summary.multiply_adds / 1e6 for summary in costs.values()],
                "kB of memory": [summary.activation_bytes / 1e3 for summary in costs.values()]}
    axes = figure.subplots(1, len(columns), sharey=True)
    for i, (axis, (title, numbers)) in enumerate(zip(axes, columns.items(), strict=True)):
        bars = axis.barh(list(costs), numbers, color=f"C{i}")
        axis.bar_label(bars, [f"{number:.3g}" for number in numbers], padding=3, fontsize=8)
        axis.set(title=title, xlim=(0, 1.25 * max(numbers)))
        axis.grid(visible=False)
    axes[0].invert_yaxis()
    return figure
