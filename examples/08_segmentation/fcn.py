"""Fully convolutional network: a class for each pixel, from maps an eighth as large, by upsampling that is learned.

Without linear layers a network that names images gives scores at all places of its last map (Long et al. 2015). They
have to be brought back to the size of the image. Bilinear interpolation makes smooth blobs of them; a transposed
convolution, of stride 8, lays down a patch of 16 x 16 pixels for each place, which it has learned to draw. The features
can read digits already, as those of the paper are trained on ImageNet. Since most pixels are background, each counts
little. The picture shows both beside the truth. Try equal weights of all classes.
"""

from matplotlib import pyplot as plt

import autograd
import nn
from examples import data, detectors, networks
from nn import functional as F
from nn.metrics import jaccard_index

SYSTEMS = ("FCN", "learned upsampling", "IoU")
CLAIM = ("With learned upsampling the mean IoU of the ten digits is more than 0.5; that of digit against background, "
         "where only the strokes count, is at least 0.05 less with bilinear interpolation.")
WEIGHT = autograd.tensor([0.3] + [1.0] * 10)


class FCN(nn.Module):
    """Images (N, 1, H, W) to scores (N, 11, H, W): background, then the digits."""

    def __init__(self, backbone, learned):
        super().__init__()
        self.backbone = backbone
        self.upsample = nn.ConvTranspose2d(32, 11, 16, stride=8, padding=4) if learned else nn.Sequential(
            nn.Conv2d(32, 11, 1), nn.Upsample(scale_factor=8, mode="bilinear", align_corners=False))

    def forward(self, x):
        return self.upsample(F.relu(self.backbone(x)["1"]))


def example(run):
    digits, unseen = data.digits(run.seed)
    scenes = data.digit_scenes(digits, run.pick(2000, 16), run.rng)
    held_out = data.digit_scenes(unseen, run.pick(200, 4), run.rng)
    x, y, test, wanted = map(autograd.tensor, (scenes.images, data.classes(scenes), held_out.images,
                                               data.classes(held_out)))
    pretrained = detectors.reading_pyramid(run, digits).state_dict()
    found, reached, strokes = {}, {}, {}
    for name, learned in (("learned", True), ("bilinear", False)):
        model = FCN(detectors.Pyramid(), learned)
        model.backbone.load_state_dict(pretrained)
        networks.fit(run, model, x, y, 450, 5e-3, name, size=16, weight=WEIGHT)
        with autograd.no_grad():
            found[name] = model(test).argmax(1)
        reached[name] = jaccard_index(found[name], wanted, num_classes=11, average=None)[1:].mean().item()
        strokes[name] = jaccard_index(found[name] > 0, wanted > 0, "binary").item()
        run.result(f"mean IoU of digits, {name}", reached[name])
        run.result(f"IoU of any digit, {name}", strokes[name])
    run.holds(reached["learned"] > 0.5)
    run.holds(strokes["bilinear"] < strokes["learned"] - 0.05)

    figure, axes = plt.subplots(3, 6, figsize=(10, 5.6))
    for axis, image in zip(axes[0], held_out.images, strict=False):
        data.outline(axis, image, ())
    for row, (name, each) in zip(axes[1:], found.items(), strict=True):
        row[0].set_ylabel(name)
        for axis, classes, true in zip(row, each.numpy(), wanted.numpy(), strict=False):
            data.mistakes(axis, classes, true)
    figure.suptitle(data.MISTAKES.capitalize())
    run.save(figure)
