"""A race of update rules down Beale's valley, from the same start: who gets to the minimum, and how.

SGD follows the slope and crawls along a flat floor; momentum gathers speed, Nesterov (1983) looks ahead before it
turns; Adagrad (Duchi et al. 2011), RMSprop (Hinton) and Adam (Kingma and Ba 2015) give each coordinate its own rate;
L-BFGS guesses the curvature. The picture shows their paths on the function's contours, and how far they still have to
go; the start is a little different with each seed. Try a learning rate ten times as high: which of them survive?
"""

import matplotlib
import numpy as np
from matplotlib import pyplot as plt

import optim
from autograd import Tensor

SYSTEMS = ("optimizers", "SGD", "momentum", "Nesterov momentum", "Adagrad", "RMSprop", "Adam", "L-BFGS")
CLAIM = ("After 200 steps L-BFGS is at the minimum (f below 1e-12); momentum, Nesterov and Adam have less than a "
         "fifth of plain SGD's f.")

START, MINIMUM = (0.9, 1.55), (3.0, 0.5)
RULES = {
    "SGD": lambda params: optim.SGD(params, lr=0.004),
    "momentum": lambda params: optim.SGD(params, lr=0.004, momentum=0.9),
    "Nesterov": lambda params: optim.SGD(params, lr=0.004, momentum=0.9, nesterov=True),
    "Adagrad": lambda params: optim.Adagrad(params, lr=0.3),
    "RMSprop": lambda params: optim.RMSprop(params, lr=0.03),
    "Adam": lambda params: optim.Adam(params, lr=0.1),
    "L-BFGS": lambda params: optim.LBFGS(params, max_iter=1, max_eval=20, tolerance_change=1e-16,
                                         line_search_fn="strong_wolfe"),
}


def beale(x, y):
    """Beale's function; its minimum is 0, at (3, ½)."""
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def race(run, name, start):
    """The path, (steps + 1, 2)."""
    params = [Tensor(np.array(value), requires_grad=True) for value in start]
    optimizer = RULES[name](params)

    def closure():
        optimizer.zero_grad()
        loss = beale(*params)
        loss.backward()
        return loss

    path = [start]
    for _ in run.progress(200, quick=5, label=name):
        optimizer.step(closure)
        path.append([p.item() for p in params])
    return np.array(path)


def example(run):
    start = list(START + run.rng.uniform(-0.05, 0.05, 2))
    paths = {name: race(run, name, start) for name in RULES}
    left = {name: beale(*path.T) for name, path in paths.items()}
    for name, values in left.items():
        run.result(name, values[-1])
    run.holds(left["L-BFGS"][-1] < 1e-12)
    run.holds(max(left[name][-1] for name in ("momentum", "Nesterov", "Adam")) < left["SGD"][-1] / 5)

    figure, (valley, values) = plt.subplots(1, 2, figsize=(11, 4.6))
    x, y = np.meshgrid(np.linspace(-0.2, 4.2, 150), np.linspace(-2.1, 1.9, 150))
    levels = 2.0 ** np.arange(-7, 14)
    valley.contourf(x, y, beale(x, y), levels=levels, norm=matplotlib.colors.LogNorm(), cmap="Greys", alpha=0.55)
    for name, path in paths.items():
        valley.plot(*path.T, linewidth=1.6, label=name)
        values.semilogy(np.maximum(left[name], 1e-16), label=name)
    valley.plot(*MINIMUM, "*", color="black", markersize=13)
    valley.annotate("minimum", MINIMUM, (6, -16), textcoords="offset points")
    valley.plot(*start, "o", color="black", markersize=5)
    valley.annotate("start", start, (7, 5), textcoords="offset points")
    valley.set(xlabel="x", ylabel="y", xlim=(-0.2, 4.2), ylim=(-2.1, 1.9), title="Paths on Beale's function")
    values.set(xlabel="step", ylabel="f", title="How far they still have to go", ylim=(1e-13, 1e2))
    values.legend(loc="lower right")
    run.save(figure)
