"""Six programs that print PyTorch's losses: the same text, run by both libraries from the same seed.

    python benchmarks/same_seed.py                                    # the largest difference of each
    python benchmarks/same_seed.py docs/images/same_seed.svg --steps 200    # and the curves

What they draw: initial weights, shuffled orders, dropout masks, noise, and the data themselves.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np


def library(name: str) -> SimpleNamespace:
    """The parts of a library under one set of names."""
    prefix = "torch." if name == "torch" else ""
    return SimpleNamespace(t=import_module(name), nn=import_module(prefix + "nn"),
                           functional=import_module(prefix + "nn.functional"), optim=import_module(prefix + "optim"),
                           data=import_module("torch.utils.data" if prefix else "nn.data"),
                           distributions=import_module(prefix + ("distributions" if prefix else "nn.distributions")))


def mlp(lib: Any) -> Iterator[Any]:
    """A multilayer perceptron with dropout, on shuffled batches."""
    t, nn, functional = lib.t, lib.nn, lib.functional
    x = t.randn(600, 20)
    y = (x[:, :10].square().sum(1) > x[:, 10:].square().sum(1)).long()
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 32), nn.Tanh(),
                          nn.Dropout(0.1), nn.Linear(32, 2))
    optimizer = lib.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    loader = lib.data.DataLoader(lib.data.TensorDataset(x, y), batch_size=32, shuffle=True)
    while True:
        for inputs, labels in loader:
            loss = functional.cross_entropy(model(inputs), labels)
            yield step(optimizer, loss)


def cnn(lib: Any) -> Iterator[Any]:
    """A convolutional network with batch normalization."""
    t, nn, functional = lib.t, lib.nn, lib.functional
    images = t.randn(256, 1, 12, 12)
    labels = (images[:, 0, :6].mean((1, 2)) > images[:, 0, 6:].mean((1, 2))).long()
    model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
                          nn.Conv2d(8, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Dropout2d(0.2), nn.Flatten(),
                          nn.Dropout(0.2), nn.Linear(256, 2))
    optimizer = lib.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-4)
    training, _ = lib.data.random_split(lib.data.TensorDataset(images, labels), [0.75, 0.25])
    loader = lib.data.DataLoader(training, batch_size=16, shuffle=True, drop_last=True)
    while True:
        for inputs, targets in loader:
            loss = functional.cross_entropy(model(inputs), targets)
            yield step(optimizer, loss)


def lstm(lib: Any) -> Iterator[Any]:
    """A language model of two LSTM layers with dropout between them."""
    t, nn, functional = lib.t, lib.nn, lib.functional

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(12, 16)
            self.lstm = nn.LSTM(16, 32, 2, dropout=0.2, batch_first=True)
            self.dropout = nn.Dropout(0.1)
            self.out = nn.Linear(32, 12)

        def forward(self, x: Any) -> Any:
            return self.out(self.dropout(self.lstm(self.table(x))[0]))

    text = (t.arange(2000) ** 2 // 7 + t.randint(0, 2, (2000,))) % 12
    model = Model()
    optimizer = lib.optim.SGD(model.parameters(), lr=2.0)
    while True:
        starts = t.randint(0, 1960, (16,)).tolist()
        batch = t.stack([text[start:start + 25] for start in starts])
        loss = functional.cross_entropy(model(batch[:, :-1]).reshape(-1, 12), batch[:, 1:].reshape(-1))
        yield step(optimizer, loss, model.parameters())


def transformer(lib: Any) -> Iterator[Any]:
    """A small Transformer that learns to sort."""
    t, nn, functional = lib.t, lib.nn, lib.functional

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(10, 32)
            self.places = nn.Parameter(t.randn(8, 32) * 0.1)
            layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.1, batch_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2)
            self.out = nn.Linear(32, 10)

        def forward(self, x: Any) -> Any:
            return self.out(self.encoder(self.table(x) + self.places))

    model = Model()
    optimizer = lib.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    while True:
        x = t.randint(0, 10, (32, 8))
        loss = functional.cross_entropy(model(x).reshape(-1, 10), x.sort(1)[0].reshape(-1))
        yield step(optimizer, loss)


def vae(lib: Any) -> Iterator[Any]:
    """A variational autoencoder: its loss is of a sample."""
    t, nn, functional = lib.t, lib.nn, lib.functional
    data = t.bernoulli(t.rand(8, 30)[t.randint(0, 8, (400,))])
    encoder = nn.Sequential(nn.Linear(30, 32), nn.Tanh(), nn.Linear(32, 8))
    decoder = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 30))
    optimizer = lib.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=3e-3)
    prior = lib.distributions.Normal(t.zeros(4), t.ones(4))
    loader = lib.data.DataLoader(data, batch_size=50, shuffle=True)
    while True:
        for x in loader:
            mean, log_std = encoder(x).chunk(2, 1)
            posterior = lib.distributions.Normal(mean, log_std.exp())
            logits = decoder(posterior.rsample())
            reconstruction = functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
            loss = (reconstruction + lib.distributions.kl_divergence(posterior, prior).sum()) / len(x)
            yield step(optimizer, loss)


def wgan_gp(lib: Any) -> Iterator[Any]:
    """A Wasserstein GAN whose critic is held by the norm of its gradient: derivatives of derivatives."""
    t, nn = lib.t, lib.nn
    generator = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
    critic = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    of_generator = lib.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9))
    of_critic = lib.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.9))
    while True:
        for _ in range(2):
            angle = t.rand(32, 1) * 6.2831853
            real = t.cat([angle.cos(), angle.sin()], 1)
            fake = generator(t.randn(32, 4)).detach()
            share = t.rand(32, 1)
            between = (share * real + (1 - share) * fake).requires_grad_()
            slope, = t.autograd.grad(critic(between).sum(), between, create_graph=True) if hasattr(t, "autograd") \
                else t.grad(critic(between).sum(), between, create_graph=True)
            loss = critic(fake).mean() - critic(real).mean() + 10 * ((slope.norm(2, 1) - 1) ** 2).mean()
            value = step(of_critic, loss)
        step(of_generator, -critic(generator(t.randn(32, 4))).mean())
        yield value


def step(optimizer: Any, loss: Any, clipped: Any = None) -> float:
    """Change the parameters; returns the loss."""
    optimizer.zero_grad()
    loss.backward()
    if clipped is not None:
        for parameter in clipped:
            parameter.grad.clamp_(-0.1, 0.1)
    optimizer.step()
    return loss.item()


PROGRAMS: list[Callable[[Any], Iterator[Any]]] = [mlp, cnn, lstm, transformer, vae, wgan_gp]


def losses(program: Callable[[Any], Iterator[Any]], name: str, steps: int, seed: int = 0) -> np.ndarray:
    """The losses of a program's first steps, by the library of that name."""
    lib = library(name)
    lib.t.manual_seed(seed)
    return np.array([loss for loss, _ in zip(program(lib), range(steps), strict=False)])


def drawn(curves: dict[str, tuple[np.ndarray, np.ndarray]]) -> str:
    """An SVG: PyTorch's losses as broad lines, ours as thin ones upon them."""
    width, height, cells = 250, 150, []
    for place, (title, (ours, theirs)) in enumerate(curves.items()):
        least, most = min(ours.min(), theirs.min()), max(ours.max(), theirs.max())

        def line(values: np.ndarray, attributes: str, least: float = least, most: float = most) -> str:
            points = " ".join(f"{10 + (width - 30) * i / (len(values) - 1):.1f},"
                              f"{30 + (height - 50) * (most - v) / (most - least):.1f}" for i, v in enumerate(values))
            return f'<polyline points="{points}" fill="none" {attributes}/>'

        apart = np.max(np.abs(ours / theirs - 1)[:50])
        cells.append(
            f'<g transform="translate({place % 3 * width},{place // 3 * height})">'
            f'<text x="10" y="18" font-weight="bold">{title}</text>'
            f'<text x="{width - 20}" y="18" text-anchor="end" fill="#888">apart by {apart:.0e}</text>'
            + line(theirs, 'stroke="#f2a65a" stroke-width="5" stroke-linejoin="round"')
            + line(ours, 'stroke="#1f4e79" stroke-width="1.2"') + "</g>")
    rows = -(-len(curves) // 3)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {3 * width} {rows * height + 20}" '
            f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
            + "".join(cells) + f'<text x="10" y="{rows * height + 8}" fill="#888">Losses by steps: broad of PyTorch, '
            "thin of gradcircuit. Apart: the largest relative difference in 50 steps.</text></svg>\n")


def main() -> None:
    """Run all, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path, nargs="?")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    curves = {}
    for program in PROGRAMS:
        ours, theirs = [losses(program, name, options.steps, options.seed) for name in ("autograd", "torch")]
        apart = np.abs(ours / theirs - 1)
        after = int(np.argmax(apart > 1e-4)) if (apart > 1e-4).any() else None
        sys.stdout.write(f"{program.__name__:12} first {theirs[0]:.6f} {ours[0]:.6f}  last {theirs[-1]:.6f} "
                         f"{ours[-1]:.6f}  apart by {apart.max():.1e}"
                         + (f", beyond 1e-4 from step {after}\n" if after is not None else "\n"))
        curves[program.__name__.replace("_", "-").upper()] = ours, theirs
    if options.picture:
        options.picture.write_text(drawn(curves))


if __name__ == "__main__":
    main()
