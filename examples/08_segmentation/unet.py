"""U-Net: a way down that sees what is there, a way up that draws it, and bridges for the details.

To name a pixel a network has to see the whole digit, on maps that have lost where each stroke runs. On its way back to
the size of the image it is shown again, at each size, the maps it has seen on its way down: it concatenates them to its
own (Ronneberger et al. 2015). Here the way down can read digits already. Without the bridges the same network finds
the digits as before, but their strokes become blurred. The picture shows what is wrong with and without. Try to keep
only the bridge between the largest maps.
"""

from matplotlib import pyplot as plt

import autograd
import nn
from examples import data, detectors, networks
from nn.metrics import jaccard_index
from nn.vision.ops import Conv2dNormActivation

SYSTEMS = ("U-Net", "IoU")
CLAIM = ("The mean IoU of the ten digits is more than 0.66 with skip connections, and at least 0.1 less without; that "
         "of digit against background at least 0.1 less, too.")


class UNet(nn.Module):
    """Images (N, 1, H, W) to scores (N, 11, H, W): background, then the digits."""

    def __init__(self, backbone, skips, width=32):
        super().__init__()
        self.skips = skips
        self.down = nn.ModuleList([Conv2dNormActivation(1, 8), backbone.fine[:2], backbone.fine[2:], backbone.coarse])
        self.up = nn.ModuleList([nn.ConvTranspose2d(inputs, width, 2, stride=2) for inputs in (64, width, width)])
        self.merge = nn.ModuleList([Conv2dNormActivation(width + skip, width) for skip in (32, 16, 8)])
        self.last = nn.Conv2d(width, 11, 1)

    def forward(self, image):
        first, *down = self.down
        seen, x = [first(image)], image
        for layers in down:
            x = layers(x)
            seen.append(x)
        for up, merge, skip in zip(self.up, self.merge, reversed(seen[:-1]), strict=True):
            x = merge(autograd.cat([up(x), skip if self.skips else autograd.zeros_like(skip)], 1))
        return self.last(x)


def example(run):
    digits, unseen = data.digits(run.seed)
    scenes = data.digit_scenes(digits, run.pick(2000, 16), run.rng)
    held_out = data.digit_scenes(unseen, run.pick(200, 4), run.rng)
    x, y, test, wanted = map(autograd.tensor, (scenes.images, data.classes(scenes), held_out.images,
                                               data.classes(held_out)))
    weight = autograd.tensor([0.2] + [1.0] * 10)  # most pixels are background
    found, reached, strokes = {}, {}, {}
    pretrained = detectors.reading_pyramid(run, digits).state_dict()
    for name, skips in (("with skips", True), ("without", False)):
        backbone = detectors.Pyramid()
        backbone.load_state_dict(pretrained)
        model = networks.fit(run, UNet(backbone, skips), x, y, 300, 2e-3, name, size=16, weight=weight)
        with autograd.no_grad():
            found[name] = model(test).argmax(1)
        reached[name] = jaccard_index(found[name], wanted, num_classes=11, average=None)[1:].mean().item()
        strokes[name] = jaccard_index(found[name] > 0, wanted > 0, "binary").item()
        run.result(f"mean IoU of digits, {name}", reached[name])
        run.result(f"IoU of any digit, {name}", strokes[name])
    run.holds(reached["with skips"] > 0.66)
    run.holds(reached["without"] < reached["with skips"] - 0.1)
    run.holds(strokes["without"] < strokes["with skips"] - 0.1)

    figure, axes = plt.subplots(3, 6, figsize=(10, 5.6))
    for axis, image in zip(axes[0], held_out.images, strict=False):
        data.outline(axis, image, ())
    for row, (name, each) in zip(axes[1:], found.items(), strict=True):
        row[0].set_ylabel(name)
        for axis, classes, true in zip(row, each.numpy(), wanted.numpy(), strict=False):
            data.mistakes(axis, classes, true)
    figure.suptitle(data.MISTAKES.capitalize())
    run.save(figure)
