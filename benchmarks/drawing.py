"""Drawing: a neuron as a circuit, a thousand visible boxes, a Transformer of 5,000 operations with its modules closed.

    python benchmarks/drawing.py

Times from `viz.draw` to the text of the SVG, medians of five; the graphs are recorded before.
"""

import statistics
import time
from collections.abc import Callable

import autograd
import nn
import viz
from autograd import Tensor


def sigmoid_neuron() -> Callable[[], viz.Drawing]:
    """8 gates and 5 inputs."""
    w0, x0, w1, x1, w2 = (Tensor(v, requires_grad=True) for v in (2.0, -1.0, -3.0, -2.0, -3.0))
    f = 1 / (1 + autograd.exp(-(w0 * x0 + w1 * x1 + w2)))
    return lambda: viz.draw(f)


def thousand_boxes() -> Callable[[], viz.Drawing]:
    """Forty layers of attention and a perceptron, written without modules, so that nothing can be closed."""
    width, heads = 32, 4

    def weight(*shape: int) -> Tensor:
        return (autograd.randn(*shape) / shape[0] ** 0.5).requires_grad_()
    x = autograd.randn(2, 8, width)
    for _ in range(40):
        q, k, v = ((x @ weight(width, width)).reshape(2, 8, heads, -1).transpose(1, 2) for _ in range(3))
        mixed = (q @ k.transpose(-2, -1) / (width / heads) ** 0.5).softmax(-1) @ v
        x = x + mixed.transpose(1, 2).reshape(2, 8, width) @ weight(width, width)
        x = x + (x @ weight(width, 2 * width)).relu() @ weight(2 * width, width)
    loss = (x ** 2).mean()
    return lambda: viz.draw(loss, style="model", limit=2000, engine="layered")


def transformer() -> Callable[[], viz.Drawing]:
    """An encoder of so many layers that more than 5,000 operations are recorded."""
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, dropout=0.1, batch_first=True), 162)
    loss = (model(autograd.randn(2, 8, 32)) ** 2).mean()
    return lambda: viz.draw(loss, model=model)


def main() -> None:
    """Time the three and print seconds, boxes and the size of the SVG."""
    autograd.manual_seed(0)
    for name, goal, record in (("sigmoid neuron", 0.02, sigmoid_neuron), ("a thousand boxes", 1.0, thousand_boxes),
                               ("Transformer, closed", 2.0, transformer)):
        draw, seconds = record(), []
        for _ in range(5):
            begin = time.perf_counter()
            drawing = draw()
            svg = str(drawing)
            seconds.append(time.perf_counter() - begin)
        print(f"{name:20s} {statistics.median(seconds):6.3f} s (goal {goal} s), {len(drawing.picture.boxes):4d} boxes, "
              f"{len(svg) / 1000:6.1f} kB; {drawing.picture.summary}")


if __name__ == "__main__":
    main()
