"""Networks as they are used, each on one page: ResNet-18, a U-Net, a GPT of 12 blocks, an LSTM, micrograd's moons.

Modules are laid out by themselves, so that frames hold nothing else; what is longer than a page is wrapped into
ribbons; where statistics would not fit, shapes are shown; colors say what family an operation belongs to, and blue
wires skip something. Try direction="right", show=["shape", "flops"], or opened=["layer3.1"].
"""

import re

import autograd
import nn
import viz
from autograd import Tensor
from examples.architectures import GPT, Moons, Recurrent, UNet

SYSTEMS = ("computational graph", "unrolled LSTM", "micrograd")
CLAIM = "Each of the five fits a page of A4, and the smallest type on it has at least five points."


def resnet18() -> viz.Drawing:
    """Blocks closed, and a blue wire past each."""
    return viz.draw(nn.vision.models.resnet18(), autograd.randn(2, 3, 64, 64))


def unet() -> viz.Drawing:
    """What comes down on one side is joined to what goes up on the other."""
    return viz.draw(UNet(), autograd.randn(2, 3, 64, 64))


def gpt12() -> viz.Drawing:
    """To the right, without operations that only change a shape; eleven of twelve blocks are folded."""
    model = GPT(tokens=65, width=48, heads=4, layers=12, context=32)
    return viz.draw(model, autograd.randint(0, 65, (2, 32)), direction="right", shapes=False)


def lstm50() -> viz.Drawing:
    """The first of fifty steps open, the others folded."""
    return viz.draw(Recurrent(8, 16), autograd.randn(50, 4, 8))


def moons() -> viz.Drawing:
    """642 operations on numbers: layers, and the neurons of each folded."""
    model, point = Moons(), [Tensor(0.5), Tensor(-1.0)]
    loss = (1 - model(point)).relu()
    return viz.draw(loss, model=model)


def costs() -> viz.Drawing:
    """Where ResNet-18 spends its parameters, operations and memory, with its last stage open."""
    model = nn.vision.models.resnet18()
    return viz.draw(model, autograd.randn(1, 3, 64, 64), depth=0, opened=["layer4"], direction="right",
                    show=["shape", "count", "flops", "bytes"])


def smallest_type(drawing: viz.Drawing) -> float:
    """In points, if the picture is printed as large as A4 allows."""
    width, height = map(float, re.search(r'viewBox="0 0 (\S+) (\S+)"', str(drawing)).groups())
    return 11 * 0.75 * max(min(794 / width, 1123 / height), min(1123 / width, 794 / height))


def example(run):
    for picture in run.progress((resnet18, unet, gpt12, lstm50, moons, costs), quick=2):
        autograd.manual_seed(run.seed)
        drawing = picture()
        run.save(drawing, picture.__name__)
        points = smallest_type(drawing)
        run.result(f"type of {picture.__name__}", points, "points")
        run.holds(points >= 5)
