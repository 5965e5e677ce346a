"""What is wrong with a net, and where it is born: a NaN in one of twelve folded blocks.

viz.draw examines what it draws. It marks one place, and what follows from that is gray, wherever boxes are open or
closed. Try a weight of your own: NaN, 1e30, or a bias of -100 before a relu.
"""

import math

import autograd
import nn
import viz
from autograd import Tensor

SYSTEMS = ("computational graph", "NaN")
CLAIM = "One box says where the fault is born, and it holds the layer that was made sick."


class Residual(nn.Module):
    """x + f(x), after He et al. (2016), with linear layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, width) -> (batch, width)."""
        return x + self.down(self.up(x).relu())


def nan() -> viz.Drawing:
    """A weight that became NaN in the eighth of twelve blocks, though all but the first are folded."""
    model = nn.Sequential(*[Residual(16) for _ in range(12)], nn.Linear(16, 1))
    with autograd.no_grad():
        model[7].down.weight[0, 0] = math.nan
    return viz.draw(model, autograd.randn(8, 16), depth=1)


def example(run):
    drawing = nan()
    run.save(drawing, "nan")
    born = [box for box in drawing.picture.boxes if box.born]
    run.result("places", len(born))
    run.holds(len(born) == 1 and "7.down.weight" in born[0].alarm)
