"""Depth and surface normals from one picture, and why the loss must not ask for the scale.

A large mountain far away and a small one close by make the same picture, so how far something is, in meters, cannot be
known. A loss of differences of log depth that takes their mean away does not ask for it; plain squares do, and drown
what can be learned in what can't (Eigen et al. 2014). Directions have no scale: the loss of normals is the cosine
(Eigen, Fergus 2015). Pictures are of real mountains (an elevation model of Tennessee and Kentucky), lit by a yellow
sun and the blue sky, of a size that nobody knows; held out is the land east of those that were learned. The picture
shows depths and normals of such land. Try weight=0.5, as Eigen et al. had it.
"""

import numpy as np
from matplotlib import cbook
from matplotlib import pyplot as plt

import autograd
import optim
from examples import architectures
from nn import functional as F

SYSTEMS = ("depth estimation", "scale-invariant loss", "surface normals")
CLAIM = ("Of new land the depths learned with the scale-invariant loss are wrong by less than 60 % of what they are if "
         "it is taken to be flat, at the best scale for each; those learned with plain squares by 1.5 times as much. "
         "Normals are off by less than 10 degrees, those of flat land by more than 20.")

SIDE, ABOVE = 32, 24
SUN, SKY = (-1, 0, 1), (0.3, -1, 1)
YELLOW, BLUE = (0.7, 0.6, 0.2), (0.1, 0.25, 0.7)


def landscapes(count, rng, held_out=False):
    """Pictures (N, 3, side, side), log depths (N, side, side) seen from above, and normals (N, 3, side, side)."""
    from scipy.ndimage import gaussian_filter
    land = gaussian_filter(cbook.get_sample_data("jacksboro_fault_dem.npz")["elevation"].astype(np.float32), 2)
    land = land[:, 290:] if held_out else land[:, :280]
    heights = np.empty((count, SIDE, SIDE), np.float32)
    for height, i, j, turn in zip(heights, *rng.integers(0, np.array(land.shape)[:, None] - SIDE, (2, count)),
                                  rng.integers(0, 4, count), strict=True):
        height[:] = np.rot90(land[i:i + SIDE, j:j + SIDE], turn)
        height *= 0.5 / np.hypot(*np.gradient(height)).mean()  # all are as steep; a pixel is the unit
        height -= height.mean()
    down, right = np.gradient(heights, axis=(1, 2))
    normals = np.stack([-right, -down, np.ones_like(right)], 1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    images = 0.02 * rng.standard_normal((count, 3, SIDE, SIDE))
    for light, color in ((SUN, YELLOW), (SKY, BLUE)):
        falls = np.einsum("nchw,c->nhw", normals, light / np.linalg.norm(light)).clip(min=0)
        images += falls[:, None] * np.reshape(color, (3, 1, 1))
    scales = np.exp(rng.uniform(-1.5, 1.5, (count, 1, 1)))
    depths = np.log(scales * np.maximum(ABOVE - heights, 4))
    return tuple(part.astype(np.float32) for part in (images, depths, normals))


def depth_loss(said, depths, weight):
    """Mean squares of log depths' differences, less `weight` times the square of each picture's mean."""
    difference = said - depths
    return (difference.square().mean((1, 2)) - weight * difference.mean((1, 2)).square()).mean()


def fit(run, pictures, depths, normals, weight):
    """A U-Net with a channel for log depth and three for normals."""
    model = architectures.UNet(3, 4, width=8, depth=3)
    optimizer = optim.Adam(model.parameters())
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=300)
    for _ in run.progress(300, quick=2, label=f"depth, weight {weight}"):
        batch = run.rng.integers(0, len(pictures), 16)
        said = model(pictures[batch])
        loss = (5 * depth_loss(said[:, 0], depths[batch], weight)
                + 1 - F.cosine_similarity(said[:, 1:], normals[batch], 1).mean())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


def centered(depths):
    """At its best scale."""
    return depths - depths.mean((1, 2), keepdims=True)


def example(run):
    known = [autograd.tensor(part) for part in landscapes(run.pick(2000, 32), run.rng)]
    pictures, depths, normals = landscapes(run.pick(200, 8), run.rng, held_out=True)
    said = {}
    for name, weight in (("scale-invariant", 1), ("plain squares", 0)):
        model = fit(run, *known, weight)
        with autograd.no_grad():
            said[name] = model(autograd.tensor(pictures)).numpy()
    drawn = {"flat": np.zeros_like(depths), **{name: centered(parts[:, 0]) for name, parts in said.items()}}
    error = {name: np.sqrt(np.square(depth - centered(depths)).mean()) for name, depth in drawn.items()}
    found = said["scale-invariant"][:, 1:] / np.linalg.norm(said["scale-invariant"][:, 1:], axis=1, keepdims=True)
    angle, steep = (np.degrees(np.arccos(cosine.clip(-1, 1))).mean()
                    for cosine in ((found * normals).sum(1), normals[:, 2]))
    for name, value in error.items():
        run.result(f"error of log depth, {name}", value)
    run.result("normals are off by", angle, "degrees")
    run.result("normals of flat land", steep, "degrees")
    run.holds(error["scale-invariant"] < 0.6 * error["flat"])
    run.holds(error["plain squares"] > 1.5 * error["scale-invariant"])
    run.holds(angle < 10 and steep > 20)

    figure, axes = plt.subplots(4, 6, figsize=(11, 7.4))
    titles = ("picture", "log depth", "scale-invariant", "plain squares", "normals", "found")
    for k, row in enumerate(axes):
        depth = [centered(depths)[k], drawn["scale-invariant"][k], drawn["plain squares"][k]]
        for axis, image, title in zip(row, (
                pictures[k].transpose(1, 2, 0).clip(0, 1), *depth, (normals[k].transpose(1, 2, 0) + 1) / 2,
                (found[k].transpose(1, 2, 0) + 1) / 2), titles, strict=True):
            shown = axis.imshow(image, cmap="cividis", vmin=-0.3, vmax=0.3)
            axis.set(xticks=[], yticks=[], title="" if k else title)
            axis.grid(visible=False)
            if image.ndim == 2:
                colored = shown
    figure.colorbar(colored, ax=axes[:, 1:4], location="bottom", shrink=0.6, aspect=40,
                    label="log depth, less its mean (yellow: further away)")
    run.save(figure)
