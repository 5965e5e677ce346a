"""What the detectors of several examples share: a small backbone that can read digits, and training."""

from collections.abc import Sequence

import autograd
import nn
import optim
from autograd import Tensor
from examples import data
from examples.networks import fit
from nn.vision.ops import Conv2dNormActivation, FeaturePyramidNetwork


class Pyramid(nn.Module):
    """The backbone of small detectors: images (N, 1, H, W) to maps "0" and "1", a quarter and an eighth as high."""

    def __init__(self, out_channels: int = 32) -> None:
        super().__init__()
        self.out_channels = out_channels
        self.fine = nn.Sequential(Conv2dNormActivation(1, 16, stride=2), Conv2dNormActivation(16, 16),
                                  Conv2dNormActivation(16, 32, stride=2), Conv2dNormActivation(32, 32))
        self.coarse = nn.Sequential(Conv2dNormActivation(32, 64, stride=2), Conv2dNormActivation(64, 64))
        self.pyramid = FeaturePyramidNetwork([32, 64], out_channels)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """The maps by name."""
        fine = self.fine(x)
        return self.pyramid({"0": fine, "1": self.coarse(fine)})


class Reader(nn.Module):
    """Reads a digit, wherever it is, from what is strongest in a backbone's maps."""

    def __init__(self, backbone: Pyramid) -> None:
        super().__init__()
        self.backbone, self.linear = backbone, nn.Linear(backbone.out_channels, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Scores (N, 10)."""
        return self.linear(sum(features.amax(dim=(2, 3)) for features in self.backbone(x).values()))


def reading_pyramid(run, digits: data.Labeled) -> Pyramid:
    """A backbone that can read digits already, as those of detectors are trained on ImageNet first."""
    scenes = data.digit_scenes(digits, run.pick(4000, 64), run.rng, side=24, most=1)
    reader = fit(run, Reader(Pyramid()), scenes.images, [label for label, in scenes.labels], 150, 1e-2, "backbone")
    return reader.backbone


def fit_detector(run, model: nn.Module, images, targets: Sequence[dict], steps: int, lr: float = 1e-2,
                 label: str = "") -> nn.Module:
    """Train a detector of nn.vision with Adam on random batches, and return it for evaluation."""
    model.train()
    optimizer = optim.Adam(model.parameters(), lr)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=run.pick(steps, 2), pct_start=0.2)
    x = autograd.tensor(images)
    for _ in run.progress(steps, quick=2, label=label):
        batch = run.rng.integers(0, len(x), run.pick(16, 2))
        loss = sum(model(list(x[batch]), [targets[k] for k in batch]).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()
