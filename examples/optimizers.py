"""A race of update rules down Beale's function, a valley with steep walls and a flat floor.

Draws the paths on its contours and the losses (out/optimizers.png), and the race itself (out/optimizers.gif).

    python examples/optimizers.py --steps 200
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

import optim
from autograd import Tensor

try:
    import matplotlib
    from tqdm import tqdm
except ModuleNotFoundError as error:
    raise SystemExit(f"this example needs {error.name}, which is not installed: pip install 'gradcircuit[examples]'"
                     ) from error

matplotlib.use("Agg")  # draws to files, no display needed
from matplotlib import animation
from matplotlib import pyplot as plt

START, MINIMUM = (0.9, 1.55), (3.0, 0.5)
CONTESTANTS: dict[str, Callable[[list[Tensor]], optim.Optimizer]] = {
    "SGD": lambda params: optim.SGD(params, lr=0.004),
    "momentum": lambda params: optim.SGD(params, lr=0.004, momentum=0.9),
    "Nesterov": lambda params: optim.SGD(params, lr=0.004, momentum=0.9, nesterov=True),
    "Adagrad": lambda params: optim.Adagrad(params, lr=0.3),
    "RMSprop": lambda params: optim.RMSprop(params, lr=0.03),
    "Adam": lambda params: optim.Adam(params, lr=0.1),
    "LBFGS": lambda params: optim.LBFGS(params, max_iter=1, max_eval=20, tolerance_change=1e-16,
                                         line_search_fn="strong_wolfe"),
}


def beale(x: Tensor | np.ndarray, y: Tensor | np.ndarray) -> Tensor | np.ndarray:
    """Beale's function; its minimum is 0, at (3, ½)."""
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def race(make: Callable[[list[Tensor]], optim.Optimizer], steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The path, (steps + 1, 2), and the losses along it, (steps + 1,)."""
    params = [Tensor(np.array(value), requires_grad=True) for value in START]
    optimizer = make(params)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = beale(*params)
        loss.backward()
        return loss

    path = [START]
    for _ in range(steps):
        optimizer.step(closure)
        path.append(tuple(p.item() for p in params))
    path = np.array(path)
    return path, beale(path[:, 0], path[:, 1])


def contours(axes: plt.Axes) -> None:
    """Beale's function as a landscape: levels at powers of 2."""
    x, y = np.meshgrid(np.linspace(-0.2, 4.2, 150), np.linspace(-2.1, 1.9, 150))
    levels = 2.0 ** np.arange(-7, 14)
    axes.contourf(x, y, beale(x, y), levels=levels, norm=matplotlib.colors.LogNorm(), cmap="Greys", alpha=0.55)
    axes.contour(x, y, beale(x, y), levels=levels, colors="white", linewidths=0.5)
    axes.plot(*MINIMUM, "*", color="black", markersize=13, zorder=5)
    axes.annotate("minimum", MINIMUM, (6, -16), textcoords="offset points")
    axes.plot(*START, "o", color="black", markersize=5, zorder=5)
    axes.annotate("start", START, (7, 5), textcoords="offset points")
    axes.set(xlabel="x", ylabel="y", xlim=(-0.2, 4.2), ylim=(-2.1, 1.9))


def draw(results: dict[str, tuple[np.ndarray, np.ndarray]], out: Path) -> None:
    """Paths on contours beside the losses, as a picture and as an animated one."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 4.8), layout="constrained")
    contours(left)
    left.set_title("Paths down Beale's function")
    colors = dict(zip(results, matplotlib.colormaps["tab10"].colors, strict=False))
    paths, curves, heads = {}, {}, {}
    for name, (path, losses) in results.items():
        [paths[name]] = left.plot(*path.T, color=colors[name], linewidth=1.6)
        [heads[name]] = left.plot(*path[-1], "o", color=colors[name], markersize=6, markeredgecolor="white", zorder=6)
        [curves[name]] = right.semilogy(np.maximum(losses, 1e-16), color=colors[name], linewidth=1.6, label=name)
    right.set(xlabel="step", ylabel="f", title="Distance from the minimum, by value", ylim=(1e-13, 1e2))
    right.legend(loc="lower right", frameon=False)
    right.grid(alpha=0.25)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=150)

    figure.set_layout_engine("none")  # placed once; doing it for every frame takes seconds
    counts = range(1, max(len(losses) for _, losses in results.values()), 4)

    def show(count: int) -> None:
        for name, (path, losses) in results.items():
            paths[name].set_data(*path[:count + 1].T)
            heads[name].set_data(*path[min(count, len(path) - 1)][:, None])
            curves[name].set_data(np.arange(len(losses[:count + 1])), np.maximum(losses[:count + 1], 1e-16))
    with tqdm(total=len(counts), desc="animation", unit="frame") as bar:
        animation.FuncAnimation(figure, show, frames=counts).save(
            out.with_suffix(".gif"), writer=animation.PillowWriter(fps=12), dpi=60,
            progress_callback=lambda i, n: bar.update())
    plt.close(figure)


def main() -> None:
    """Race, report, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("out/optimizers.png"), help="where the pictures go")
    options = parser.parse_args()
    results = {name: race(make, options.steps) for name, make in CONTESTANTS.items()}
    print(f"f after {options.steps} steps from {START}:")
    for name, (path, losses) in sorted(results.items(), key=lambda item: item[1][1][-1]):
        x, y = path[-1]
        print(f"  {name:<9} {losses[-1]:9.2e}   at ({x:.4f}, {y:.4f})")
    draw(results, options.out)
    print(f"pictures in {options.out} and {options.out.with_suffix('.gif')}")


if __name__ == "__main__":
    main()
