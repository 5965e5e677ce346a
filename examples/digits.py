"""Handwritten digits: trains a multi-layer perceptron on scikit-learn's 1,797 images of 8 x 8 pixels.

Shows a progress bar, the accuracy on held-out images after each epoch, and saves the curves to out/digits.png.

    python examples/digits.py --epochs 30 --seed 0
"""

import argparse
from pathlib import Path

import numpy as np

import autograd
import nn
import optim
from nn import functional as F
from nn.data import DataLoader, TensorDataset

try:
    import matplotlib
    from sklearn.datasets import load_digits
    from tqdm import tqdm
except ModuleNotFoundError as error:
    raise SystemExit(f"this example needs {error.name}, which is not installed: pip install 'gradcircuit[examples]'"
                     ) from error

matplotlib.use("Agg")  # draws to files, no display needed
from matplotlib import pyplot as plt


def load(held_out: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training images and labels, held-out images and labels: every fifth image is held out."""
    digits = load_digits()
    images = (digits.data / 16).astype(np.float32)
    test = np.arange(len(images)) % held_out == 0
    mean = images[~test].mean()  # statistics from the training set only
    return images[~test] - mean, digits.target[~test], images[test] - mean, digits.target[test]


def accuracy(model: nn.Module, images: np.ndarray, labels: np.ndarray) -> float:
    """The fraction of images whose highest score is that of their label."""
    model.eval()
    with autograd.no_grad():
        scores = model(autograd.tensor(images))
    model.train()
    return float((scores.argmax(dim=1).numpy() == labels).mean())


def train(epochs: int, batch_size: int, seed: int) -> tuple[nn.Module, list[float], list[float]]:
    """The trained model, the loss of every step, and the held-out accuracy after every epoch."""
    autograd.manual_seed(seed)
    images, labels, test_images, test_labels = load()
    model = nn.Sequential(
        nn.Linear(64, 128), nn.ReLU(),
        nn.Linear(128, 128), nn.ReLU(),
        nn.Linear(128, 10),
    )
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    batches = DataLoader(TensorDataset(images, labels), batch_size, shuffle=True)
    losses, accuracies = [], []
    with tqdm(total=epochs * len(batches), unit="step") as bar:
        for epoch in range(epochs):
            for x, y in batches:
                loss = F.cross_entropy(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
                bar.update()
            accuracies.append(accuracy(model, test_images, test_labels))
            bar.set_description(f"epoch {epoch + 1}: loss {np.mean(losses[-10:]):.4f}, held out {accuracies[-1]:.2%}")
    return model, losses, accuracies


def save_curves(path: Path, losses: list[float], accuracies: list[float]) -> None:
    """The loss by step and the held-out accuracy by epoch, as a picture."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    left.semilogy(losses, linewidth=0.8)
    left.set(xlabel="step", ylabel="cross entropy", title="Training loss")
    right.plot(range(1, len(accuracies) + 1), [100 * a for a in accuracies], marker=".")
    right.set(xlabel="epoch", ylabel="%", title="Accuracy on held-out digits")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main() -> None:
    """Train, report, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out/digits.png"), help="where the curves go")
    options = parser.parse_args()
    model, losses, accuracies = train(options.epochs, options.batch_size, options.seed)
    save_curves(options.out, losses, accuracies)
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{parameters:,} parameters, {options.epochs} epochs: {accuracies[-1]:.2%} of the held-out digits are right "
          f"(best epoch {max(accuracies):.2%}); curves in {options.out}")


if __name__ == "__main__":
    main()
