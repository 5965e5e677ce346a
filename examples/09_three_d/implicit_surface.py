"""Implicit surfaces: a solid is what a network says of points, and its surface is where it changes its mind.

A network of three coordinates learns whether a point is inside (occupancy: Mescheder et al. 2019), or how far it is
from the surface, negative inside (signed distance: Park et al. 2019). Of the distances it needs to be told only where
they are 0: that the gradient's length is 1 everywhere, the eikonal equation, gives all others (Gropp et al. 2020). Such
a loss contains a gradient, and is differentiated once more. The solids are digits; marching cubes find the surfaces.
The picture shows these, and the distances in a slice. Try fewer units.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data
from nn import functional as F

SYSTEMS = ("implicit surface", "signed distance", "IoU")
CLAIM = ("The solid that a network has learned as occupancy overlaps with the true one by an IoU above 0.9, voxels as "
         "many as its parameters by at least 0.05 less. Told only where the surface is, a network with the eikonal "
         "term knows the distances of all points to 0.05 on average (the cube's edge is 2), and the solid by an IoU "
         "above 0.9; without the term it is four times as wrong.")

SIZE, WIDTH = 48, 64
STEP = 2 / (SIZE - 1)


def network():
    """Coordinates (N, 3) to (N,); at first it is about the distance from a sphere (Atzmon, Lipman 2020)."""
    bend = nn.Softplus(100)
    model = nn.Sequential(nn.Linear(3, WIDTH), bend, nn.Linear(WIDTH, WIDTH), bend, nn.Linear(WIDTH, WIDTH), bend,
                          nn.Linear(WIDTH, 1), nn.Flatten(0))
    for layer in model[:6:2]:
        nn.init.normal_(layer.weight, 0, (2 / WIDTH) ** 0.5)
        nn.init.zeros_(layer.bias)
    nn.init.normal_(model[6].weight, (np.pi / WIDTH) ** 0.5, 1e-4)
    nn.init.constant_(model[6].bias, -0.6)
    return model


def fit(run, loss, steps, label, lr=5e-3):
    model = network()
    optimizer = optim.Adam(model.parameters(), lr)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, run.pick(steps, 2))
    for _ in run.progress(steps, quick=2, label=label):
        optimizer.zero_grad()
        loss(model).backward()
        optimizer.step()
        schedule.step()
    return model


def slopes(model, points):
    """What is said of points, and its gradients, which can be differentiated."""
    points = autograd.tensor(points.astype(np.float32)).requires_grad_()
    said = model(points)
    return said, autograd.grad(said.sum(), points, create_graph=True)[0]


def signed_distance(run, truth, eikonal):
    """From points of the surface alone."""
    from skimage.measure import marching_cubes
    places = marching_cubes(truth, 0)[0] * STEP - 1

    def loss(model):
        on = places[run.rng.integers(0, len(places), 512)]
        around = np.concatenate([run.rng.uniform(-1, 1, (256, 3)), on[:256] + run.rng.normal(0, 0.1, (256, 3))])
        said, (_, slope) = model(autograd.tensor(on).float()), slopes(model, around)
        return said.abs().mean() + eikonal * (slope.square().sum(1).sqrt() - 1).square().mean()
    return fit(run, loss, 500, f"eikonal term × {eikonal}")


def occupancy(run, truth, grid):
    """From points that are inside and outside, half of them close to the surface."""
    inside, close = (truth < 0).ravel(), np.flatnonzero(np.abs(truth) < 0.06)

    def loss(model):
        few = np.concatenate([run.rng.choice(close, 512), run.rng.integers(0, truth.size, 512)])
        return F.binary_cross_entropy_with_logits(-model(grid[few]), autograd.tensor(inside[few]).float())
    return fit(run, loss, 1000, "occupancy", lr=1e-2)


def voxels(truth, count):
    """The solid in a coarse grid of at most `count` voxels, as it is seen in the fine one."""
    side = int(count ** (1 / 3))
    nearest = np.rint(np.linspace(0, SIZE - 1, side)).astype(int)
    place = np.rint(np.linspace(0, side - 1, SIZE)).astype(int)
    return truth[np.ix_(*[nearest[place]] * 3)]


def iou(a, b):
    return ((a < 0) & (b < 0)).sum() / ((a < 0) | (b < 0)).sum()


def show(axis, field, title):
    from skimage.measure import marching_cubes
    if field.min() < 0:
        places, faces, *_ = marching_cubes(np.pad(field, 1, constant_values=1), 0)  # closed at the cube's faces
        axis.plot_trisurf(places[:, 0], places[:, 2], faces, -places[:, 1], color="C4")
    axis.set(title=title, xlim=(8, SIZE - 8), ylim=(8, SIZE - 8), zlim=(6 - SIZE, -6))
    axis.set_box_aspect((1, 1, 1.1), zoom=1.3)
    axis.view_init(15, -70)
    axis.axis("off")


def example(run):
    digits, axis = data.digits(run.seed)[0], np.linspace(-1, 1, SIZE, dtype=np.float32)
    grid = autograd.tensor(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), 3).reshape(-1, 3))
    figure = plt.figure(figsize=(12, 5))
    left, right = figure.subfigures(1, 2, width_ratios=[1.7, 1])
    surfaces, slices = left.subplots(2, 4, subplot_kw={"projection": "3d"}), right.subplots(2, 2)
    overlaps, errors = [], []
    for digit, surface_row, slice_row in zip(run.pick((3, 6), (3,)), surfaces, slices, strict=False):
        truth = data.solid(run.rng.choice(digits.images[digits.labels == digit])[0], SIZE)
        occupied = occupancy(run, truth, grid)
        models = occupied, signed_distance(run, truth, eikonal=0.1), signed_distance(run, truth, eikonal=0)
        with autograd.no_grad():
            inside, distance, without = (model(grid).numpy().reshape(truth.shape) for model in models)
        cubes = voxels(truth, sum([p.numel() for p in occupied.parameters()]))
        overlaps.append([iou(field, truth) for field in (inside, cubes, distance)])
        errors.append([np.abs(field - truth).mean() for field in (distance, without)])
        show(surface_row[0], truth, "the solid")
        for name, place, field, overlap in zip(("occupancy", "as many voxels", "signed distance"), surface_row[1:],
                                               (inside, cubes, distance), overlaps[-1], strict=True):
            show(place, field, f"{name}, IoU {overlap:.2f}")
        for name, place, field in zip(("signed distance", "no eikonal term"), slice_row, (distance, without),
                                      strict=True):
            middle = axis, -axis, field[:, :, SIZE // 2].T
            drawn = place.contourf(*middle, np.linspace(-0.6, 0.6, 25), cmap="PuOr", extend="both")
            place.contour(*middle, [0], colors="black")
            place.set(title=name, aspect="equal", xticks=[], yticks=[])
            place.grid(visible=False)
    right.colorbar(drawn, ax=slices, label="in the slice z = 0", ticks=[-0.5, 0, 0.5])
    (occupied, cubes, surface), (told, untold) = np.transpose(overlaps), np.transpose(errors)
    run.result("IoU of occupancy", occupied.mean())
    run.result("of as many voxels", cubes.mean())
    run.result("of signed distance", surface.mean())
    run.result("error of distances", told.mean())
    run.result("without the eikonal term", untold.mean())
    run.holds((occupied > 0.9).all() and (surface > 0.9).all())
    run.holds((occupied > cubes + 0.05).all())
    run.holds((told < 0.05).all() and (untold > 4 * told).all())
    run.save(figure)
