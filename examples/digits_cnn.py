"""Handwritten digits: a convolutional network with batch norm and dropout on scikit-learn's images of 8 x 8 pixels.

Trains on images shifted by up to a pixel, shows a progress bar and the accuracy on held-out images after each epoch,
and saves the curves and what the filters of the first layer look like to out/.

    python examples/digits_cnn.py --epochs 40 --seed 0
"""

import argparse
from pathlib import Path

import digits  # the perceptron's example: the same images, held out alike
import numpy as np
from tqdm import tqdm

import autograd
import nn
import optim
import viz
from autograd import Tensor
from nn import functional as F
from nn.data import DataLoader, TensorDataset

SIDE = 8


def as_images(rows: np.ndarray) -> np.ndarray:
    """Rows of 64 pixels, (N, 64), as images with one channel, (N, 1, 8, 8)."""
    return rows.reshape(-1, 1, SIDE, SIDE)


class DigitsCNN(nn.Module):
    """Scores of the ten digits.

    Args:
        channels: of the first two convolutions, C; the third has twice as many.
        dropout: probability with which a channel (between convolutions) or a feature (before the scores) is dropped.
    """

    def __init__(self, channels: int = 32, dropout: float = 0.3) -> None:
        super().__init__()

        def convolution(inputs: int, outputs: int, kernel_size: int) -> nn.Sequential:
            return nn.Sequential(  # batch norm takes the mean away, so a bias would do nothing
                nn.Conv2d(inputs, outputs, kernel_size, padding="same", bias=False), nn.BatchNorm2d(outputs), nn.ReLU())

        self.edges = convolution(1, channels, 5)
        self.strokes = convolution(channels, channels, 3)
        self.shapes = convolution(channels, 2 * channels, 3)
        self.pool = nn.MaxPool2d(2)
        self.drop_channels, self.drop_features = nn.Dropout2d(dropout), nn.Dropout(dropout)
        self.scores = nn.Linear(2 * channels * (SIDE // 4) ** 2, 10)

    def forward(self, x: Tensor) -> Tensor:
        """The scores (N, 10) of images (N, 1, 8, 8)."""
        x = self.edges(x)  # (N, C, 8, 8)
        x = self.drop_channels(self.pool(self.strokes(x)))  # (N, C, 4, 4)
        x = self.pool(self.shapes(x))  # (N, 2·C, 2, 2)
        return self.scores(self.drop_features(x.flatten(1)))  # (N, 8·C), then (N, 10)


def shifted(images: Tensor, by: int = 1) -> Tensor:
    """Each image (N, C, H, W) moved by up to `by` pixels down or up, right or left, over black."""
    count, _, height, width = images.shape
    padded = F.pad(images, (by,) * 4, value=images.min().item())  # (N, C, H + 2·by, W + 2·by)
    top, left = autograd.randint(0, 2 * by + 1, (2, count, 1)).numpy()
    rows, columns = top + np.arange(height), left + np.arange(width)  # (N, H), (N, W)
    return padded[np.arange(count)[:, None, None], :, rows[:, :, None], columns[:, None]].permute(0, 3, 1, 2)


def train(model: DigitsCNN, epochs: int, batch_size: int = 64, lr: float = 3e-3) -> tuple[list[float], list[float]]:
    """The loss of every step, and the held-out accuracy after every epoch."""
    rows, labels, test_rows, test_labels = digits.load()
    batches = DataLoader(TensorDataset(as_images(rows), labels), batch_size, shuffle=True, drop_last=True)
    optimizer = optim.AdamW(model.parameters(), lr=lr, weight_decay=1e-2)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs * len(batches))
    losses, accuracies = [], []
    with tqdm(total=epochs * len(batches), unit="step") as bar:
        for epoch in range(epochs):
            for x, y in batches:
                loss = F.cross_entropy(model(shifted(x)), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                scheduler.step()
                losses.append(loss.item())
                bar.update()
            accuracies.append(digits.accuracy(model, as_images(test_rows), test_labels))
            bar.set_description(f"epoch {epoch + 1}: loss {np.mean(losses[-10:]):.4f}, held out {accuracies[-1]:.2%}")
    return losses, accuracies


def main() -> None:
    """Train, report, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--channels", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out/digits_cnn.png"), help="where the curves go")
    options = parser.parse_args()
    autograd.manual_seed(options.seed)
    model = DigitsCNN(options.channels)
    losses, accuracies = train(model, options.epochs, options.batch_size)
    digits.save_curves(options.out, losses, accuracies)
    filters = options.out.with_stem(f"{options.out.stem}_filters")
    viz.images(model.edges[0].weight, columns=8).savefig(filters, dpi=150)
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{parameters:,} parameters, {options.epochs} epochs: {accuracies[-1]:.2%} of the held-out digits are right; "
          f"curves in {options.out}, filters in {filters}")


if __name__ == "__main__":
    main()
