"""Generative adversarial networks: a generator learns from a critic, and from the loss it depends how much.

The critic tells real digits from generated ones. Minimax has the generator lower the critic's success, by
log(1 - D(G(z))), which is flat where the critic is sure; the non-saturating loss -log D(G(z)) is steep there
(Goodfellow et al. 2014). WGAN-GP keeps the slope of the critic's score near 1 between real and generated images by a
penalty on its gradient, which is differentiated once more (Gulrajani et al. 2017): the better its critic, the more it
says. The picture shows what they draw, how it gets better, and what reaches the generator while only the critic is
trained. Try five steps of the critic for all.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data, networks
from nn import functional as F

SYSTEMS = ("minimax GAN", "non-saturating GAN", "WGAN-GP")
CLAIM = ("While only the critic learns, minimax's gradient falls below 1 % of what it was; the others' grow. WGAN-GP "
         "does not collapse: it draws all ten digits, comes near more than 60 % of those held out and 10 % more than "
         "the others do after as many steps, and is less than half as far from them (Fréchet distance of features).")

NOISE, STEPS = 16, 700


def generator():
    return nn.Sequential(nn.Linear(NOISE, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 128),
                         nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 64), nn.Sigmoid(), nn.Unflatten(1, (1, 8, 8)))


def critic():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.LeakyReLU(0.2), nn.Linear(256, 256), nn.LeakyReLU(0.2),
                         nn.Linear(256, 1))


def tells_apart(critic, real, fake):
    """The cross-entropy of a critic whose score is the logit of "real"."""
    return F.softplus(-critic(real)).mean() + F.softplus(critic(fake)).mean()


def measures(critic, real, fake):
    """How much higher generated images score, and how far the slope is from 1 between them and real ones."""
    between = real.lerp(fake, autograd.rand(len(real), 1, 1, 1)).requires_grad_()
    slope, = autograd.grad(critic(between).sum(), between, create_graph=True)
    return critic(fake).mean() - critic(real).mean() + 10 * (slope.flatten(1).norm(dim=1) - 1).square().mean()


KINDS = {  # the loss of the critic, that of the generator from its images' scores, the critic's steps for each of its
    "minimax": (tells_apart, lambda scores: -F.softplus(scores).mean(), 1),  # log(1 - D) = -softplus(score)
    "non-saturating": (tells_apart, lambda scores: F.softplus(-scores).mean(), 1),
    "WGAN-GP": (measures, lambda scores: -scores.mean(), 5)}


class Game:
    """A generator and its critic."""

    def __init__(self, kind, images, rng):
        self.critic_loss, self.generator_loss, self.critic_steps = KINDS[kind]
        self.generator, self.critic, self.images, self.rng = generator(), critic(), images, rng
        self.optimizers = [optim.Adam(net.parameters(), 1e-3, betas=(0.5, 0.9))
                           for net in (self.generator, self.critic)]

    def draw(self, count=64):
        return self.generator(autograd.randn(count, NOISE))

    def train_critic(self):
        real = self.images[self.rng.integers(0, len(self.images), 64)]
        self.optimizers[1].zero_grad()
        self.critic_loss(self.critic, real, self.draw().detach()).backward()
        self.optimizers[1].step()

    def gradient(self):
        """Of the generator's loss for its parameters: its norm."""
        self.optimizers[0].zero_grad()
        self.generator_loss(self.critic(self.draw())).backward()
        return nn.utils.get_total_norm([p.grad for p in self.generator.parameters()]).item()

    def step(self):
        for _ in range(self.critic_steps):
            self.train_critic()
        self.gradient()
        self.optimizers[0].step()


def example(run):
    train_set, _ = data.digits(run.seed)
    judge, images = networks.Judge(run), autograd.tensor(train_set.images)
    reaches, ways, drawn, distance, coverage = {}, {}, {}, {}, {}
    for kind in KINDS:
        game, norms = Game(kind, images, run.rng), []
        for _ in run.progress(150, quick=2, label=f"critic of {kind}"):
            norms.append(game.gradient())
            game.train_critic()
        reaches[kind] = np.array(norms) / norms[0]
        run.result(f"{kind}, gradient left", 100 * np.median(reaches[kind][-20:]), "%")

        game, ways[kind] = Game(kind, images, run.rng), []
        for step in run.progress(STEPS, quick=2, label=kind):
            game.step()
            if step % 50 == 49 or run.quick:
                with autograd.no_grad():
                    ways[kind].append((step + 1, judge.distance(game.draw(500))))
        with autograd.no_grad():
            drawn[kind] = game.draw(1000)
        distance[kind], coverage[kind] = judge.distance(drawn[kind]), judge.coverage(drawn[kind])
        run.result(f"{kind}, distance", distance[kind])
        run.result(f"{kind}, coverage", 100 * coverage[kind], "%")
    run.result("training images, distance", judge.distance(images))
    left = {kind: np.median(norms[-20:]) for kind, norms in reaches.items()}
    run.holds(left["minimax"] < 0.01 and left["non-saturating"] > 1 and left["WGAN-GP"] > 1)
    run.holds(coverage["WGAN-GP"] > max(0.6, 0.1 + coverage["minimax"], 0.1 + coverage["non-saturating"]))
    run.holds(np.bincount(judge.read(drawn["WGAN-GP"]), minlength=10).min() > 30)
    run.holds(2 * distance["WGAN-GP"] < min(distance["minimax"], distance["non-saturating"]))

    figure = plt.figure(figsize=(11, 5))
    top, bottom = figure.subfigures(2, 1, height_ratios=(1, 1.7))
    for axis, (kind, samples) in zip(top.subplots(1, 3), drawn.items(), strict=True):
        rows = samples[:40].reshape(4, 10, 1, 8, 8).numpy()
        axis.imshow(np.concatenate([data.in_a_row(row) for row in rows]), vmin=0, vmax=1)
        axis.set_title(f"{kind}: near {coverage[kind]:.0%} of the held-out digits")
        axis.axis("off")
    left, right = bottom.subplots(1, 2)
    for kind in KINDS:
        left.plot(*zip(*ways[kind], strict=True), label=kind)
        right.plot(reaches[kind], label=kind)
    left.set(yscale="log", xlabel="the generator's steps", ylabel="Fréchet distance", title="How far from real digits")
    right.set(yscale="log", xlabel="the critic's steps", ylabel="norm, relative to the first",
              title="The generator's gradient while only the critic learns")
    left.legend()
    run.save(figure)
