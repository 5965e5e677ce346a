"""The pictures of the documentation: circuits and models, drawn from their recorded graphs into out/.

    python examples/draw_graphs.py                    all pictures
    python examples/draw_graphs.py fork mlp           some of them
    python examples/draw_graphs.py --out docs/images  somewhere else
"""

import argparse
from collections.abc import Callable

import autograd
import nn
import viz
from autograd import Tensor


def sigmoid_neuron() -> viz.Drawing:
    """The neuron of the CS231n notes."""
    w0, x0 = Tensor(2.0, requires_grad=True), Tensor(-1.0, requires_grad=True)
    w1, x1 = Tensor(-3.0, requires_grad=True), Tensor(-2.0, requires_grad=True)
    w2 = Tensor(-3.0, requires_grad=True)
    f = 1 / (1 + autograd.exp(-(w0 * x0 + w1 * x1 + w2)))
    return viz.draw(f)


def fork() -> viz.Drawing:
    """A value used twice: its gradient is the sum of what both branches send back."""
    a, b = Tensor(3.0, requires_grad=True), Tensor(2.0, requires_grad=True)
    c = a * b
    y = c.exp() / 100 + c * a
    return viz.draw(y)


def batch_of_two() -> viz.Drawing:
    """Small tensors in a circuit: a linear neuron on two examples, with a squared error."""
    X = Tensor([[1.0, 2.0], [3.0, -1.0]])  # noqa: N806 - a matrix
    w = Tensor([0.5, -1.0], requires_grad=True)
    b = Tensor(0.1, requires_grad=True)
    target = Tensor([1.0, 2.0])
    error = X @ w + b - target
    loss = (error * error).sum()
    return viz.draw(loss)


def mlp() -> viz.Drawing:
    """A network with one hidden layer and its loss."""
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    images, labels = autograd.randn(16, 64), autograd.randint(0, 10, (16,))
    loss = nn.functional.cross_entropy(model(images), labels)
    return viz.draw(loss, model=model)


class Residual(nn.Module):
    """x + f(x), after He et al. (2016), with linear layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, width) -> (batch, width)."""
        return x + self.down(self.up(x).relu())


def residual_blocks() -> viz.Drawing:
    """Twelve equal blocks: the first opened, the others folded into one box."""
    model = nn.Sequential(*[Residual(16) for _ in range(12)], nn.Linear(16, 1))
    return viz.draw(model, autograd.randn(8, 16))


PICTURES: dict[str, Callable[[], viz.Drawing]] = {
    f.__name__: f for f in (sigmoid_neuron, fork, batch_of_two, mlp, residual_blocks)}


def main() -> None:
    """Draw what was asked for, as SVG and as a page to step through."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pictures", nargs="*", choices=[*PICTURES, []], help="default: all")
    parser.add_argument("--out", default="out")
    options = parser.parse_args()
    for name in options.pictures or PICTURES:
        autograd.manual_seed(0)
        drawing = PICTURES[name]()
        print(drawing.save(f"{options.out}/{name}.svg"), drawing.save(f"{options.out}/{name}.html"), sep="\n")


if __name__ == "__main__":
    main()
