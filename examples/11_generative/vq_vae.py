"""VQ-VAE: an image becomes a few words of a code book, whose order a second network learns.

An encoder gives each square of four pixels a vector, which is replaced by the nearest of the code book. That has no
derivative; the gradient goes straight through it, from the decoder's input to the encoder's output, and the code book
follows the vectors that chose it. Codes are anything but equally likely: a prior, here a GRU that reads them one after
the other, learns which go together, and then writes new ones (van den Oord et al. 2017). The picture shows what codes
drawn from the prior become, and those drawn without one. Try it without the straight-through gradient.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data, networks
from nn import decoding
from nn import functional as F

SYSTEMS = ("VQ-VAE", "learned prior")
CLAIM = ("What the learned prior's codes become is less than half as far from held-out digits (Fréchet distance of "
         "features) as what becomes of codes that are drawn for each place by itself, as often as they are used there, "
         "and less than a quarter as far as with any codes. Without the straight-through gradient reconstruction errs "
         "more than twice as much.")

CODES, SIZE, PLACES = 32, 4, 16


class VQVAE(nn.Module):
    def __init__(self, straight_through=True, width=32):
        super().__init__()
        self.straight_through = straight_through
        self.encoder = nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.ReLU(),
                                     nn.Conv2d(width, width, 4, stride=2, padding=1), nn.ReLU(),
                                     nn.Conv2d(width, SIZE, 1), nn.BatchNorm2d(SIZE, affine=False))
        self.decoder = nn.Sequential(nn.Conv2d(SIZE, width, 3, padding=1), nn.ReLU(),
                                     nn.ConvTranspose2d(width, width, 4, stride=2, padding=1), nn.ReLU(),
                                     nn.Conv2d(width, 1, 3, padding=1), nn.Sigmoid())
        self.book = nn.Embedding(CODES, SIZE)

    def encode(self, images):
        """Vectors (N, 4, 4, SIZE), and the nearest codes (N, 4, 4)."""
        vectors = self.encoder(images).permute(0, 2, 3, 1)
        distances = autograd.cdist(vectors.detach().flatten(0, 2), self.book.weight.detach())
        return vectors, distances.argmin(1).reshape(vectors.shape[:3])

    def decode(self, words):
        """Vectors (N, 4, 4, SIZE) to images."""
        return self.decoder(words.permute(0, 3, 1, 2))

    def loss(self, images):
        vectors, codes = self.encode(images)
        words = self.book(codes)
        through = vectors + (words - vectors).detach() if self.straight_through else words
        return (F.mse_loss(self.decode(through), images) + F.mse_loss(words, vectors.detach())
                + 0.25 * F.mse_loss(vectors, words.detach()))


class Prior(nn.Module):
    """Which code comes next, of those of an image row by row; code CODES is the beginning."""

    def __init__(self, width=64):
        super().__init__()
        self.embed, self.place = nn.Embedding(CODES + 1, width), nn.Embedding(PLACES, width)
        self.gru, self.out = nn.GRU(width, width, batch_first=True), nn.Linear(width, CODES)

    def forward(self, codes):
        before = F.pad(codes[:, :-1], (1, 0), value=CODES)
        return self.out(self.gru(self.embed(before) + self.place.weight)[0])

    def step(self, tokens, state):
        place, hidden = state
        out, hidden = self.gru((self.embed(tokens) + self.place(place))[:, None], hidden)
        return self.out(out[:, 0]), (place + 1, hidden)

    def sample(self, count):
        state = autograd.zeros(count, dtype=autograd.int64), autograd.zeros(1, count, self.gru.hidden_size)
        return decoding.sample(self.step, autograd.full((count,), CODES), state, max_new_tokens=PLACES)


def train(run, model, loss, examples, steps, label):
    optimizer = optim.Adam(model.parameters())
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=run.pick(steps, 2))
    for _ in run.progress(steps, quick=2, label=label):
        value = loss(examples[run.rng.integers(0, len(examples), 64)])
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
    return model.eval().requires_grad_(False)


def example(run):
    train_set, held_out = data.digits(run.seed)
    judge = networks.Judge(run)
    x, test = autograd.tensor(train_set.images), autograd.tensor(held_out.images)
    errors = {}
    for straight in (False, True):
        model = VQVAE(straight)
        train(run, model, model.loss, x, 700, "straight through" if straight else "not straight through")
        codes_of_test = model.encode(test)[1]
        restored = model.decode(model.book(codes_of_test))
        errors[straight] = F.mse_loss(restored, test).item()
        run.result("error" if straight else "error, not straight through", errors[straight])
    codes, prior = model.encode(x)[1].flatten(1), Prior()
    train(run, prior, lambda batch: F.cross_entropy(prior(batch).flatten(0, 1), batch.flatten()), codes, 500, "prior")
    shuffled = np.stack([run.rng.permutation(place) for place in codes.numpy().T], 1)[:1000]
    with autograd.no_grad():
        written = {"learned prior": prior.sample(1000), "each place by itself": autograd.tensor(shuffled),
                   "any codes": autograd.tensor(run.rng.integers(0, CODES, (1000, PLACES)))}
    drawn = {name: model.decode(model.book(words.reshape(-1, 4, 4))) for name, words in written.items()}
    distance = {name: judge.distance(images) for name, images in drawn.items()}
    for name, value in distance.items():
        run.result(f"distance, {name}", value)
    run.result("codes used", len(np.unique(codes.numpy())))
    run.result("coverage, learned prior", 100 * judge.coverage(drawn["learned prior"]), "%")
    run.holds(distance["learned prior"] < distance["each place by itself"] / 2)
    run.holds(distance["learned prior"] < distance["any codes"] / 4)
    run.holds(errors[False] > 2 * errors[True])

    figure = plt.figure(figsize=(11, 4))
    left, right = figure.subfigures(1, 2, width_ratios=(1, 2))
    for axis, (name, images) in zip(left.subplots(3, 1), {
            "held out": test, "their codes": codes_of_test, "what these become": restored}.items(), strict=True):
        axis.imshow(data.in_a_row(images[:8].reshape(8, 1, *images.shape[-2:]).numpy()),
                    cmap="turbo" if name == "their codes" else None)
        axis.set_title(name)
        axis.axis("off")
    for axis, (name, images) in zip(right.subplots(3, 1), drawn.items(), strict=True):
        axis.imshow(np.concatenate([data.in_a_row(row.numpy()) for row in images[:40].reshape(2, 20, 1, 8, 8)]))
        axis.set_title(f"{name}: distance {distance[name]:.0f}")
        axis.axis("off")
    run.save(figure)
