"""What is wrong with a net, and where it is born: a NaN in one of twelve blocks, a gradient that vanishes on its way.

viz.draw examines what it draws. It marks one place, and what follows from that is gray, wherever boxes are open or
closed. viz.flow shows on every wire how much of the gradient comes back: four layers of sigmoids leave a hundredth of
it, and of what an untrained LSTM gets at its last step little arrives at the first. Try relu, or a forget gate's bias
of 3; try a weight that is NaN or 1e30.
"""

import math

import autograd
import nn
import viz
from autograd import Tensor

SYSTEMS = ("computational graph", "NaN", "vanishing gradient", "gradient flow")
CLAIM = ("One box says where the NaN is born, the right one; sigmoids leave less than a fiftieth of the gradient for "
         "the first layer, an LSTM less than a hundredth for ten steps before; a step lifts the neuron from 0.73 to "
         "0.83.")


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


def flow() -> viz.Drawing:
    """Four layers of sigmoids."""
    layers = [layer for k in range(3) for layer in (nn.Linear(16, 16), nn.Sigmoid())]
    model, labels = nn.Sequential(*layers, nn.Linear(16, 4)), autograd.randint(0, 4, (16,))
    loss = nn.functional.cross_entropy(model(autograd.randn(16, 16)), labels)
    return viz.flow(loss, model=model)


class Recurrent(nn.Module):
    """One LSTM cell, called at every step, and a prediction from the last state."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.cell, self.head = nn.LSTMCell(inputs, width), nn.Linear(width, 1)

    def forward(self, steps: Tensor) -> Tensor:
        """(steps, batch, inputs) -> (batch, 1)."""
        state = None
        for x in steps:
            state = self.cell(x, state)
        return self.head(state[0])


def flow_steps() -> viz.Drawing:
    """Fifty steps of an LSTM, folded: a bar a step."""
    return viz.flow(Recurrent(8, 16), autograd.randn(50, 16, 8), depth=0)


def diff() -> viz.Drawing:
    """The sigmoid neuron of the notes before and after a step upward."""
    start = {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}
    t = {name: Tensor(value, requires_grad=True) for name, value in start.items()}
    before = autograd.Graph(neuron(**t))
    before.forward()
    before.backward()
    for name in ("w0", "w1", "w2"):
        t[name].data += 0.5 * before.gradients[t[name]]
    return viz.diff(before, neuron(**t), names=t)


def neuron(w0: Tensor, x0: Tensor, w1: Tensor, x1: Tensor, w2: Tensor) -> Tensor:
    """1 / (1 + exp(-(w0 x0 + w1 x1 + w2)))."""
    return 1 / (1 + autograd.exp(-(w0 * x0 + w1 * x1 + w2)))


def example(run):
    found = {}
    for picture in run.progress((nan, flow, flow_steps, diff), quick=4):
        autograd.manual_seed(run.seed)
        found[picture] = picture()
        run.save(found[picture], picture.__name__)

    born = [box for box in found[nan].picture.boxes if box.born]
    run.result("places where a NaN is born", len(born))
    run.holds(len(born) == 1 and "7.down.weight" in born[0].alarm)

    through = [number(box.gradient) for box in found[flow].picture.boxes if box.label == "linear"]
    run.result("gradient at the first of four layers", through[0] / through[-1])
    run.holds(through[0] < through[-1] / 50)

    [strip] = [box.strip for box in found[flow_steps].picture.boxes if box.strip]
    steps = [number(bar.note) for bar in strip]
    run.result("gradient ten steps before the last", steps[-11] / steps[-1])
    run.holds(steps[-11] < steps[-1] / 100)

    outcome = [box.value for box in found[diff].picture.boxes if box.label == "1/x"]
    run.result("output after a step", float(outcome[0].rpartition("→ ")[2]))
    run.holds(outcome == ["0.73 → 0.83"])


def number(text: str) -> float:
    """What stands behind the word norm."""
    return float(text.rpartition("norm ")[2].replace("−", "-"))
