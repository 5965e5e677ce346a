"""Fast style transfer: a network that paints any photograph in one style, in one pass.

Style transfer by optimization takes many passes for each picture. A small network can learn to give its result at once:
it is trained on photographs by the same loss, of content and of style, that a network which stays as it is computes
(Johnson et al. 2016). It learns one style. Its pictures of photographs that it has not seen come near those of the
optimization, in a hundredth of the time. The picture shows both. Try fewer steps of training.
"""

import time

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data, networks
from nn import functional as F

SYSTEMS = ("fast style transfer",)
CLAIM = ("Of a photograph that it has not seen the painter's loss is less than a tenth of the photograph's, at most "
         "twice that of 100 steps of optimization, in a twentieth of the time or less.")


class Block(nn.Module):
    """Something is added to what there is."""

    def __init__(self, channels):
        super().__init__()
        self.change = nn.Sequential(*layer(channels, channels), nn.Conv2d(channels, channels, 3, padding=1),
                                    nn.InstanceNorm2d(channels, affine=True))

    def forward(self, x):
        return x + self.change(x)


def layer(inputs, outputs, size=3, stride=1):
    return (nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, padding_mode="reflect"),
            nn.InstanceNorm2d(outputs, affine=True), nn.ReLU())


def painter(channels=16):
    return nn.Sequential(*layer(3, channels, 5), *layer(channels, 2 * channels, 3, 2), Block(2 * channels),
                         Block(2 * channels), nn.Upsample(scale_factor=2), *layer(2 * channels, channels),
                         nn.Conv2d(channels, 3, 5, padding=2, padding_mode="reflect"), nn.Sigmoid())


def photographs(count, size, rng):
    """Parts of photographs, (count, 3, size, size)."""
    names = ("coffee", "chelsea", "rocket", "china")
    out = np.empty((count, 3, size, size), np.float32)
    for image in out:
        picture = data.photograph(str(rng.choice(names)))
        step = rng.integers(1, 4)
        top, left = (rng.integers(0, length - step * size) for length in picture.shape[1:])
        image[:] = picture[:, top:top + step * size:step, left:left + step * size:step]
    return autograd.tensor(out)


def train(run, model, wanted, steps=300):
    net = painter()
    optimizer = optim.Adam(net.parameters(), lr=5e-3)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=run.pick(steps, 2))
    for _ in run.progress(steps, quick=2, label="the painter"):
        content = photographs(4, run.pick(64, 32), run.rng)
        loss = networks.perceptual_loss(model, net(content), content, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net.eval()


def optimize(run, model, content, wanted, steps=100):
    x = content.clone().requires_grad_()
    optimizer = optim.Adam([x], lr=0.03, betas=(0.9, 0.99))
    for _ in run.progress(steps, quick=2, label="the optimization"):
        loss = networks.perceptual_loss(model, x, content, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with autograd.no_grad():
            x.clamp_(0, 1)
    return x.detach()


def example(run):
    model = networks.trained(run)
    side = run.pick(128, 32)
    style = autograd.tensor(data.photograph("flower")[None, :, 60:380:2, 180:500:2])
    style = F.interpolate(style, size=(side, side), mode="area")
    wanted = networks.style(model, style)
    net = train(run, model, wanted)
    content = autograd.tensor(data.photograph("astronaut")[None, :, 0:256:2, 100:356:2][..., :side, :side])
    start = time.perf_counter()
    with autograd.no_grad():
        fast = net(content)
    middle = time.perf_counter()
    slow = optimize(run, model, content, wanted)
    seconds = {"painter": middle - start, "optimization": time.perf_counter() - middle}
    pictures = {"photograph": content, "style": style, "painter": fast, "optimization": slow}
    losses = {name: networks.perceptual_loss(model, x, content, wanted).item() for name, x in pictures.items()}
    for name in ("photograph", "painter", "optimization"):
        run.result(f"loss, {name}", losses[name])
    for name, each in seconds.items():
        run.result(name, each, "s")
    run.holds(losses["painter"] < losses["photograph"] / 10)
    run.holds(losses["painter"] < 2 * losses["optimization"])
    run.holds(seconds["painter"] < seconds["optimization"] / 20)

    figure, axes = plt.subplots(1, 4, figsize=(12, 3.4))
    for axis, (name, x) in zip(axes, pictures.items(), strict=True):
        axis.imshow(x[0].numpy().transpose(1, 2, 0))
        axis.set_title(name)
        axis.set_axis_off()
    run.save(figure)
