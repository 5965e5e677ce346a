"""Autoencoders: an image becomes a few numbers, and these an image again; variational, so that any numbers do.

An autoencoder's codes lie wherever they help reconstruction. The VAE's code is a distribution, kept near the standard
normal one; the ELBO is a lower bound of an image's log-probability: reconstruction less the Kullback-Leibler divergence
(Kingma and Welling 2014). So one can draw codes and decode them, go from one digit to another, and calculate with codes
(Radford et al. 2016): less the mean of its kind, plus that of another. Pixels are counts out of 16, binomial. The
picture shows the manifold of a VAE with two numbers, what both draw, the ways and the sums. Try beta=0.1 in `loss`.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data, networks
from nn.distributions import Binomial, Normal, kl_divergence

SYSTEMS = ("autoencoder", "VAE", "latent interpolation", "latent arithmetic")
CLAIM = ("What the VAE makes of standard normal codes is less than a third as far from held-out digits (Fréchet "
         "distance of features) as what the autoencoder does; of codes halfway between two digits, less than a third "
         "as far as their pixels' means. With another digit's mean code in place of its own's, over 75 % are read as "
         "the other, at less than two thirds of the distance of the same sums of pixels. Its ELBO is at least 20 nats "
         "better with 16 numbers than with two.")


class Autoencoder(nn.Module):
    def __init__(self, size=16, variational=True, width=128):
        super().__init__()
        self.size, self.variational = size, variational
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
                                     nn.Linear(width, 2 * size))
        self.decoder = nn.Sequential(nn.Linear(size, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
                                     nn.Linear(width, 64), nn.Unflatten(1, (1, 8, 8)))

    def encode(self, images):
        """The distribution of each image's code."""
        mean, log_scale = self.encoder(images).chunk(2, 1)
        return Normal(mean, log_scale.exp())

    def decode(self, codes):
        """The pixels' means."""
        return self.decoder(codes).sigmoid()

    def loss(self, images, beta=1.0):
        """The mean of the images' negative ELBO, in nats; the reconstruction's part alone if it isn't variational."""
        posterior = self.encode(images)
        codes = posterior.rsample() if self.variational else posterior.mean
        pixels = Binomial(16, logits=self.decoder(codes)).log_prob(16 * images)
        divergence = kl_divergence(posterior, Normal(0.0, 1.0)).sum() if self.variational else 0
        return (beta * divergence - pixels.sum()) / len(images)


def train(run, model, images, steps=2000):
    optimizer = optim.Adam(model.parameters())
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=run.pick(steps, 2))
    for _ in run.progress(steps, quick=2, label="VAE" if model.variational else "autoencoder"):
        loss = model.loss(images[run.rng.integers(0, len(images), 64)])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.requires_grad_(False)


def between(one, other, share):
    """Codes on the way from one to the other, around the middle, where hardly any codes are (White 2016)."""
    mixed = one.lerp(other, share)
    length = one.norm(dim=1, keepdim=True).lerp(other.norm(dim=1, keepdim=True), share)
    return mixed * length / mixed.norm(dim=1, keepdim=True)


def exchanged(x, labels, others, means):
    """Less the mean of its own digit, plus the mean of another."""
    return x - means[labels] + means[others]


def example(run):
    train_set, held_out = data.digits(run.seed)
    judge = networks.Judge(run)
    x, test = autograd.tensor(train_set.images), autograd.tensor(held_out.images)
    plain, vae = train(run, Autoencoder(variational=False), x), train(run, Autoencoder(), x)
    flat = train(run, Autoencoder(size=2), x, steps=1000)
    with autograd.no_grad():
        elbo = {net.size: -net.loss(test).item() for net in (flat, vae)}
        drawn = {name: net.decode(autograd.randn(1000, net.size))
                 for name, net in (("autoencoder", plain), ("VAE", vae))}
    for size, nats in elbo.items():
        run.result(f"VAE of {size} numbers, ELBO", nats, "nats")
    run.result("VAE, coverage", 100 * judge.coverage(drawn["VAE"]), "%")

    codes, following = vae.encode(test).mean, test.roll(1, 0)
    halfway = {"codes": vae.decode(between(codes, codes.roll(1, 0), 0.5)), "pixels": test.lerp(following, 0.5)}
    labels = np.repeat(held_out.labels, 9)
    others = (labels + np.tile(np.arange(1, 10), len(test))) % 10
    code_means, pixel_means = (autograd.stack([part[train_set.labels == digit].mean(0) for digit in range(10)])
                               for part in (vae.encode(x).mean, x))
    sums = {"codes": vae.decode(exchanged(codes.repeat_interleave(9, 0), labels, others, code_means)),
            "pixels": exchanged(test.repeat_interleave(9, 0), labels, others, pixel_means).clamp(0, 1)}
    distance = {f"{way} {name}": judge.distance(images) for way, images_of in
                (("drawn,", drawn), ("halfway,", halfway), ("exchanged,", sums)) for name, images in images_of.items()}
    for name, value in distance.items():
        run.result(f"distance, {name}", value)
    read = np.mean(judge.read(sums["codes"]) == others)
    run.result("exchanged, read as the other", 100 * read, "%")
    run.holds(elbo[16] > elbo[2] + 20)
    run.holds(distance["drawn, VAE"] < distance["drawn, autoencoder"] / 3)
    run.holds(distance["halfway, codes"] < distance["halfway, pixels"] / 3)
    run.holds(read > 0.75 and distance["exchanged, codes"] < distance["exchanged, pixels"] * 2 / 3)

    figure = plt.figure(figsize=(12, 5.6))
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.25))
    axis = left.subplots()
    places = Normal(0.0, 1.0).icdf(autograd.linspace(0.02, 0.98, 16))
    grid = flat.decode(autograd.stack(autograd.meshgrid(places, places, indexing="xy"), 2).reshape(-1, 2))
    axis.imshow(np.concatenate([data.in_a_row(row) for row in grid.reshape(16, 16, 1, 8, 8).numpy()]))
    axis.set_title("A VAE with two numbers: what each pair becomes")
    axis.axis("off")
    steps, unlike = autograd.linspace(0, 1, 10).reshape(-1, 1), np.argmax(held_out.labels != held_out.labels[0])
    way = between(codes[:1].expand(10, -1), codes[[unlike]].expand(10, -1), steps)
    rows = {"drawn, autoencoder": drawn["autoencoder"][:10], "drawn, VAE": drawn["VAE"][:10],
            "from one held-out digit to another, codes": vae.decode(way),
            "from one held-out digit to another, pixels": test[:1].lerp(test[[unlike]], steps.reshape(-1, 1, 1, 1))}
    for name, images in sums.items():
        rows[f"a held-out digit, and exchanged for the nine others, {name}"] = autograd.cat([test[:1], images[:9]])
    for axis, (name, images) in zip(right.subplots(len(rows), 1), rows.items(), strict=True):
        axis.imshow(data.in_a_row(images.numpy()), vmin=0, vmax=1)
        axis.set_title(name, fontsize="small")
        axis.axis("off")
    run.save(figure)
