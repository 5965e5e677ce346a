"""Fast style transfer: a network that paints any photograph in one style, in one pass.

Style transfer by optimization takes a hundred passes back and forth for each picture. A small network can learn to give
the result at once: it is trained on photographs, by the same loss of features and Gram matrices, which another network
computes that stays as it is (Johnson et al. 2016). Its last layer begins near 0, so that it starts with the photograph
in the colors of the style, and learns what to add. The picture shows photographs that it has not seen, what it makes of
them, and what the optimization does; and how far the optimization has come when. Try another style.
"""

import time

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data, networks

SYSTEMS = ("fast style transfer",)
CLAIM = ("One pass of the network takes away over three quarters of the loss of photographs that it has not seen, in "
         "the colors of the style. The optimization takes five steps or more to get as far, and five times as long.")

SIDE = 80
STYLE = "gravel", 0, 0, 200
SEEN, UNSEEN = ("coffee", "chelsea", "rocket", "china"), (("astronaut", 0, 120, 200), ("flower", 60, 180, 320))


def layer(inputs, outputs, size=3, stride=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, padding_mode="reflect"),
                         nn.InstanceNorm2d(outputs, affine=True))


class Residual(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.change = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.change(x)


def painter(c=16):
    def block():
        return Residual(layer(2 * c, 2 * c), nn.ReLU(), layer(2 * c, 2 * c))
    last = nn.Conv2d(c, 3, 5, padding=2, padding_mode="reflect")
    with autograd.no_grad():
        last.weight.mul_(0.1)
        last.bias.zero_()
    return Residual(layer(3, c, 5), nn.ReLU(), layer(c, 2 * c, 3, 2), nn.ReLU(), block(), block(),
                    nn.Upsample(scale_factor=2), layer(2 * c, c), nn.ReLU(), last)


def photographs(count, size, rng):
    """Parts of photographs, (count, 3, size, size), some in a mirror."""
    out = np.empty((count, 3, size, size), np.float32)
    for image in out:
        picture = data.photograph(str(rng.choice(SEEN)))
        step = rng.integers(1, 4)
        top, left = (rng.integers(0, length - step * size) for length in picture.shape[1:])
        image[:] = picture[:, top:top + step * size:step, left:left + step * size:step][..., ::rng.choice([1, -1])]
    return autograd.tensor(out)


def trained(run, model, style):
    """A network that paints in the style."""
    wanted, network = networks.style(model, style), painter()
    steps = run.pick(300, 2)
    optimizer = optim.Adam(network.parameters(), lr=5e-3)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=steps)
    for _ in run.progress(steps, label="painter"):
        content = photographs(run.pick(4, 1), run.pick(SIDE, 32), run.rng)
        loss = networks.perceptual_loss(model, network(networks.recolored(content, style)), content, wanted)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return network


def example(run):
    model, side = networks.trained(run), run.pick(SIDE, 32)
    style = networks.square(*STYLE, side)
    wanted, network = networks.style(model, style), trained(run, model, style)
    figure, axes = plt.subplots(len(UNSEEN), 4, figsize=(11, 5.8))
    for row, where in zip(axes, UNSEEN, strict=True):
        content = networks.square(*where, side)

        def loss_of(x, content=content):
            return networks.perceptual_loss(model, x, content, wanted)
        begin = time.perf_counter()
        picture, losses = networks.optimized(run, networks.recolored(content, style), loss_of, 100, 0.03,
                                             label="optimization")
        seconds = (time.perf_counter() - begin) / len(losses)
        with autograd.no_grad():
            network(content)  # the first pass asks for memory
            begin = time.perf_counter()
            made = network(networks.recolored(content, style)).clamp(0, 1)
            once = time.perf_counter() - begin
            loss = loss_of(made).item()
        equal = next((k for k, of_step in enumerate(losses) if of_step < loss), len(losses))
        run.result(f"{where[0]}: loss in the style's colors", losses[0])
        run.result(f"{where[0]}: after one pass", loss)
        run.result(f"{where[0]}: after 100 steps", losses[-1])
        run.result(f"{where[0]}: steps until it is less", equal)
        run.result(f"{where[0]}: a pass, of these steps' time", 100 * once / (seconds * max(equal, 1)), "%")
        run.holds(loss < losses[0] / 4 and equal >= 5 and once < seconds * equal / 5)
        for axis, image, title in zip(row, (content, made, picture), (
                "a photograph", f"one pass, {1e3 * once:.0f} ms", f"100 steps, {1e2 * seconds:.1f} s"), strict=False):
            axis.set_axis_off()
            axis.set_title(title)
            axis.imshow(image[0].numpy().transpose(1, 2, 0))
        row[3].set_title(f"in the style of {STYLE[0]}")
        row[3].plot(losses, label="optimization")
        row[3].axhline(loss, color="C1", label="one pass of the network")
        row[3].set(xlabel="steps", ylabel="loss", yscale="log")
        row[3].legend()
    run.save(figure)
