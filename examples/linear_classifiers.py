"""Two linear classifiers, the multiclass SVM and softmax, on scikit-learn's 1,797 handwritten digits of 8 x 8 pixels.

Their scores are the same, W x + b; their losses differ. Checks the gradients and the losses before training, searches
for the learning rate and the strength of regularization, trains, and saves to a folder what the rows of W look like,
the curves of training, and the search.

    python examples/linear_classifiers.py --epochs 100 --trials 20 --seed 2

Source: Stanford CS231n, Linear Classification; Neural Networks 3.
"""

import argparse
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

import autograd
import optim
from autograd import Tensor
from autograd.testing import gradcheck
from nn import functional as F
from nn.data import DataLoader, TensorDataset
from optim.search import Result, log_uniform, search

try:
    import matplotlib
    from sklearn.datasets import load_digits
    from tqdm import tqdm
except ModuleNotFoundError as error:
    raise SystemExit(f"this example needs {error.name}, which is not installed: pip install 'gradcircuit[examples]'"
                     ) from error

matplotlib.use("Agg")  # draws to files, no display needed
from matplotlib import pyplot as plt

CLASSES, SIDE = 10, 8


def hinge(scores: Tensor, labels: Tensor) -> Tensor:
    """The multiclass SVM's loss: Σ_{j≠y} max(0, s_j - s_y + 1), the mean over examples.

    `multi_margin_loss` is PyTorch's, and divides the sum by the number of classes; the notes do not.
    """
    return scores.shape[-1] * F.multi_margin_loss(scores, labels)


DATA_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"SVM": hinge, "softmax": F.cross_entropy}
AT_CHANCE = {"SVM": CLASSES - 1, "softmax": math.log(CLASSES)}  # the loss while all scores are alike


class Examples(NamedTuple):
    """Images, (N, 64), and their labels, (N,)."""

    images: np.ndarray
    labels: np.ndarray


def load() -> dict[str, Examples]:
    """The digits, three fifths of them for training and one each for validation and test; always the same ones."""
    images, labels = load_digits(return_X_y=True)
    images, fifth = (images / 16).astype(np.float32), np.arange(len(images)) % 5
    parts = {"training": fifth > 1, "validation": fifth == 1, "test": fifth == 0}
    mean = images[parts["training"]].mean(axis=0)  # statistics from the training set only
    return {name: Examples(images[part] - mean, labels[part]) for name, part in parts.items()}


def random_weights(std: float, dtype: type = np.float32) -> tuple[Tensor, Tensor]:
    """W, (10, 64), of normal numbers, and b, (10,), of zeros."""
    weight = std * autograd.randn(CLASSES, SIDE * SIDE, dtype=dtype)
    return weight.requires_grad_(), autograd.zeros(CLASSES, dtype=dtype, requires_grad=True)


def full_loss(weight: Tensor, bias: Tensor, images: Tensor, labels: Tensor,
              data_loss: Callable[[Tensor, Tensor], Tensor], reg: float) -> Tensor:
    """The loss of the data plus reg ΣW²: of two W with equal scores, the one with smaller weights is better."""
    return data_loss(F.linear(images, weight, bias), labels) + reg * F.l2_penalty([weight])


def accuracy(weight: Tensor, bias: Tensor, examples: Examples) -> float:
    """The fraction of images whose highest score is that of their label."""
    with autograd.no_grad():
        scores = F.linear(autograd.tensor(examples.images), weight, bias)
    return float((scores.argmax(dim=1).numpy() == examples.labels).mean())


def gradient_error(loss: Callable[[Tensor, Tensor], Tensor], weight: Tensor, bias: Tensor, count: int = 50) -> float:
    """The largest relative error of the gradient at `count` random entries of W.

    Compares with the centered difference, (f(w + h) - f(w - h)) / 2h, whose error falls with h², in double precision.
    `gradcheck` then does the same for all entries of W and b, and explains what it finds wrong.
    """
    [analytic] = autograd.grad(loss(weight, bias), [weight])
    h, worst = 1e-4, 0.0
    for entry in np.random.default_rng(0).choice(weight.numel(), count, replace=False):
        step = autograd.zeros_like(weight)
        step.view(-1)[entry] = h
        with autograd.no_grad():
            numeric = (loss(weight + step, bias) - loss(weight - step, bias)).item() / (2 * h)
        exact = analytic.view(-1)[entry].item()
        worst = max(worst, abs(exact - numeric) / max(abs(exact), abs(numeric), 1e-8))  # both may be 0
    gradcheck(loss, (weight, bias))
    return worst


@np.errstate(over="ignore", invalid="ignore")  # of a training that diverges, which the loss shows
def train(name: str, digits: dict[str, Examples], lr: float, reg: float, epochs: int, batch_size: int = 100,
          progress: bool = False) -> tuple[tuple[Tensor, Tensor], list[float], list[list[float]]]:
    """W and b, the loss at every step, and after every epoch the accuracy on each part of the digits.

    Stops early where the loss is no longer finite: the learning rate is too high.
    """
    autograd.manual_seed(0)  # one beginning for all, so that a search compares nothing but its options
    weights, losses, accuracies = random_weights(1e-3), [], []
    optimizer = optim.SGD(weights, lr=lr)
    batches = DataLoader(TensorDataset(*digits["training"]), batch_size, shuffle=True)
    for _ in tqdm(range(epochs), desc=f"{name}, training", unit="epoch", disable=not progress):
        for x, y in batches:
            loss = full_loss(*weights, x, y, DATA_LOSSES[name], reg)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                return weights, losses, accuracies
        accuracies.append([accuracy(*weights, part) for part in digits.values()])
    return weights, losses, accuracies


def check(name: str, examples: Examples) -> None:
    """What must hold before training is worth its time: of the gradient, of the loss, and of a few examples."""
    data_loss, (images, labels) = DATA_LOSSES[name], map(autograd.tensor, examples)
    x = images[:50].double()
    error = gradient_error(lambda w, b: full_loss(w, b, x, labels[:50], data_loss, 0.1), *random_weights(1, float))
    print(f"{name}\n  gradient: relative error {error:.1e} (1e-7 is right, 1e-4 only with kinks, 1e-2 probably wrong)")
    small = random_weights(1e-3)
    plain, penalized = (full_loss(*small, images, labels, data_loss, reg).item() for reg in (0, 100))
    print(f"  loss at small random weights: {plain:.3f} (expected {AT_CHANCE[name]:.3f}); "
          f"with regularization of 100: {penalized:.3f}")
    few = Examples(examples.images[:20], examples.labels[:20])
    weights, losses, _ = train(name, {"training": few}, lr=0.5, reg=0, epochs=200)
    print(f"  20 examples learned by heart: loss {losses[-1]:.3f}, accuracy {accuracy(*weights, few):.0%}")


def coarse_to_fine(name: str, digits: dict[str, Examples], trials: int, epochs: int, seed: int) -> list[Result]:
    """Two random searches for the best accuracy on the validation set: short trials far and wide, longer ones close by.

    Both options multiply, so it is their logarithms that are drawn evenly.
    """
    def score(lr: float, reg: float, epochs: int) -> float:
        weights, losses, _ = train(name, {"training": digits["training"]}, lr, reg, epochs)
        return accuracy(*weights, digits["validation"]) if math.isfinite(losses[-1]) else math.nan

    space = {"lr": log_uniform(1e-4, 1e2), "reg": log_uniform(1e-6, 1e1), "epochs": max(1, epochs // 10)}
    coarse = search(score, space, trials, seed=seed, progress=partial(tqdm, desc=f"{name}, coarse search"))
    space = coarse.refined() | {"epochs": max(1, epochs // 5)}
    fine = search(score, space, trials, seed=seed + 1, progress=partial(tqdm, desc=f"{name}, fine search"))
    return [coarse, fine]


def draw_templates(weights: dict[str, tuple[Tensor, Tensor]], path: Path) -> None:
    """The rows of W as images: the score of a class is how well an image matches its row."""
    figure, axes = plt.subplots(len(weights), CLASSES, figsize=(11, 2.7), layout="constrained", squeeze=False)
    for row, (name, (weight, _)) in zip(axes, weights.items(), strict=True):
        templates = weight.detach().numpy().reshape(CLASSES, SIDE, SIDE)
        limit = np.abs(templates).max()
        for digit, (ax, template) in enumerate(zip(row, templates, strict=True)):
            picture = ax.imshow(template, cmap="RdBu_r", vmin=-limit, vmax=limit)
            ax.set(xticks=[], yticks=[], title=digit)
        row[0].set_ylabel(name)
        figure.colorbar(picture, ax=row, shrink=0.9)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def draw_curves(curves: dict[str, tuple[list[float], list[list[float]]]], path: Path) -> None:
    """The loss by step (bold: the mean of each epoch); the accuracy by epoch."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    for color, (name, (losses, accuracies)) in zip(("C0", "C1"), curves.items(), strict=True):
        by_epoch = np.reshape(losses, (len(accuracies), -1))
        left.semilogy(losses, color=color, linewidth=0.5, alpha=0.3)
        left.plot((np.arange(len(by_epoch)) + 0.5) * by_epoch.shape[1], by_epoch.mean(axis=1), color=color, label=name)
        left.axhline(AT_CHANCE[name], color=color, linewidth=0.8, linestyle=":")
        training, validation, _ = 100 * np.transpose(accuracies)
        epochs = np.arange(1, len(accuracies) + 1)
        right.plot(epochs, training, color=color, linewidth=1, linestyle="--", label=f"{name}, training")
        right.plot(epochs, validation, color=color, linewidth=1.4, label=f"{name}, validation")
    left.set(xlabel="step", ylabel="loss", title="Training loss (dotted: at chance)")
    right.set(xlabel="epoch", ylabel="%", title="Accuracy", ylim=(85, 100.5))
    for ax in (left, right):
        ax.legend(frameon=False)
        ax.grid(alpha=0.25)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def draw_searches(searches: dict[str, list[Result]], path: Path) -> None:
    """Every trial by its learning rate and regularization, colored by its accuracy."""
    figure, axes = plt.subplots(1, len(searches), figsize=(11, 4.4), layout="constrained", sharey=True)
    for ax, (name, (coarse, fine)) in zip(axes, searches.items(), strict=True):
        for result, marker, label in ((coarse, "o", "coarse"), (fine, "s", "fine")):
            lr, reg, score = np.transpose([(t.options["lr"], t.options["reg"], t.score) for t in result.trials])
            diverged = np.isnan(score)
            ax.plot(lr[diverged], reg[diverged], "x", color="black", label="diverged" if diverged.any() else None)
            points = ax.scatter(lr[~diverged], reg[~diverged], c=100 * score[~diverged], marker=marker, s=36,
                                vmin=80, vmax=98, edgecolors="black", linewidths=0.4, label=label)
        best = fine.best.options
        ax.plot(best["lr"], best["reg"], "*", color="red", markersize=15, markeredgecolor="white", label="best")
        ax.set(xscale="log", yscale="log", xlabel="learning rate", title=name)
    axes[0].set_ylabel("regularization")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    figure.colorbar(points, ax=axes, label="accuracy on the validation set, %", extend="min")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main() -> None:
    """Check, search, train, report, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=100, help="of the final training; trials are shorter")
    parser.add_argument("--trials", type=int, default=20, help="of each search")
    parser.add_argument("--seed", type=int, default=2, help="of the searches")
    parser.add_argument("--out", type=Path, default=Path("out/linear_classifiers"), help="the folder for the pictures")
    options = parser.parse_args()
    digits = load()
    print("images:", ", ".join(f"{len(part.labels)} for {name}" for name, part in digits.items()))
    autograd.manual_seed(0)
    for name in DATA_LOSSES:
        check(name, digits["training"])
    searches, weights, curves = {}, {}, {}
    for name in DATA_LOSSES:
        searches[name] = coarse_to_fine(name, digits, options.trials, options.epochs, options.seed)
        best = searches[name][-1].best.options
        weights[name], *curves[name] = train(name, digits, best["lr"], best["reg"], options.epochs, progress=True)
        if not math.isfinite(curves[name][0][-1]):
            raise SystemExit(f"{name}: training diverged with the best trial's learning rate, {best['lr']:.2g}; "
                             "give the search more --trials")
        rates = ", ".join(f"{accuracy(*weights[name], part):.1%} {part_name}" for part_name, part in digits.items())
        print(f"{name}: lr {best['lr']:.2g}, regularization {best['reg']:.2g}: accuracy {rates}")
    options.out.mkdir(parents=True, exist_ok=True)
    draw_templates(weights, options.out / "templates.png")
    draw_curves(curves, options.out / "training.png")
    draw_searches(searches, options.out / "search.png")
    print(f"pictures in {options.out}")


if __name__ == "__main__":
    main()
