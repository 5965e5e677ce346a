"""Drawing: a neuron, many boxes, a Transformer of 5,000 operations; and ResNet-18 beside the tools for PyTorch.

    python benchmarks/drawing.py

Times from `viz.draw` to the text of the SVG, medians of five; the graphs are recorded before. ResNet-18 is that of
images of 224 x 224, and its time is put beside that of a training step. The peers draw the same network, as far as they
are installed: none of them shows values or gradients, so their pictures need neither; torchvista leaves the layout to
the browser, and torchlens runs the network, but its picture would need the program `dot`.
"""

import importlib
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import autograd
import nn
import optim
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


def ten_thousand_boxes() -> Callable[[], viz.Drawing]:
    """Sums and means of random pairs, as a model."""
    draw = random.Random(0)
    values = [autograd.randn(8).requires_grad_() for _ in range(50)]
    for _ in range(6_220):
        values.append((draw.choice(values[-60:]) + draw.choice(values[-60:])) * 0.5)
    loss = sum(values[-60:], Tensor(0.0)).sum()
    return lambda: viz.draw(loss, style="model", limit=30_000, engine="layered")


def median(run: Callable[[], Any], times: int = 5) -> float:
    """Seconds."""
    seconds = []
    for _ in range(times):
        begin = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def resnet18() -> None:
    """A training step, and drawing the same pass."""
    model, images, labels = nn.vision.models.resnet18(), autograd.randn(1, 3, 224, 224), Tensor([1])
    optimizer = optim.SGD(model.parameters(), lr=0.01)

    def forward() -> Tensor:
        return nn.functional.cross_entropy(model(images), labels)

    def step() -> None:
        optimizer.zero_grad()
        forward().backward()
        optimizer.step()
    step()
    trained, loss = median(step), forward()
    drawn = median(lambda: str(viz.draw(loss, model=model)))
    print(f"ResNet-18, 224 x 224: a training step {trained:.3f} s, drawing it with values and gradients {drawn:.3f} s "
          f"({drawn / trained:.1f} steps, goal 2)")


def peers() -> None:
    """The same network, by the tools for PyTorch that are installed."""
    try:
        import torch
    except ImportError:
        print("peers: PyTorch is not installed")
        return
    torch.set_num_threads(1)
    model, x = _torch_resnet18(torch), torch.randn(1, 3, 224, 224)
    out = model(x).sum()

    def laid_out(source: str) -> None:
        pygraphviz = importlib.import_module("pygraphviz")
        pygraphviz.AGraph(string=source).draw(format="svg", prog="dot")
    runs: dict[str, Callable[[Any], Any]] = {
        "torchviz": lambda tool: laid_out(tool.make_dot(out, dict(model.named_parameters())).source),
        "torchview": lambda tool: laid_out(tool.draw_graph(model, input_data=x, depth=2).visual_graph.source),
        "torchvista": lambda tool: tool.trace_model(model, x, export_format="html", export_path=folder + "/a.html"),
        "torchlens": lambda tool: tool.trace(model, x)}
    with tempfile.TemporaryDirectory() as folder:
        for name, run in runs.items():
            try:
                tool = importlib.import_module(name)
                print(f"{name:20s} {median(lambda run=run, tool=tool: run(tool), 3):6.3f} s")
            except Exception as error:  # of any kind, in a program that isn't ours
                print(f"{name:20s} not measured: {type(error).__name__}: {str(error).splitlines()[0]:.80}")


def _torch_resnet18(torch: Any) -> Any:
    class Block(torch.nn.Module):
        def __init__(self, inputs: int, outputs: int, stride: int) -> None:
            super().__init__()
            self.conv1 = torch.nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.conv2 = torch.nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn1, self.bn2 = torch.nn.BatchNorm2d(outputs), torch.nn.BatchNorm2d(outputs)
            self.downsample = torch.nn.Sequential() if stride == 1 else torch.nn.Sequential(
                torch.nn.Conv2d(inputs, outputs, 1, stride, bias=False), torch.nn.BatchNorm2d(outputs))

        def forward(self, x: Any) -> Any:
            inner = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
            return torch.relu(inner + self.downsample(x))
    layers = [Block(max(64, width // 2) if k == 0 else width, width, 2 if k == 0 and width > 64 else 1)
              for width in (64, 128, 256, 512) for k in range(2)]
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 64, 7, 2, 3, bias=False), torch.nn.BatchNorm2d(64), torch.nn.ReLU(),
        torch.nn.MaxPool2d(3, 2, 1), *layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),
        torch.nn.Linear(512, 1000))


def main() -> None:
    """Print seconds, boxes and the size of the SVG."""
    autograd.manual_seed(0)
    for name, goal, record in (("sigmoid neuron", 0.02, sigmoid_neuron), ("a thousand boxes", 1.0, thousand_boxes),
                               ("10,000 boxes", 5.0, ten_thousand_boxes), ("Transformer, closed", 2.0, transformer)):
        draw = record()
        seconds = median(lambda draw=draw: str(draw()))
        drawing = draw()
        print(f"{name:20s} {seconds:6.3f} s (goal {goal} s), {len(drawing.picture.boxes):4d} boxes, "
              f"{len(str(drawing)) / 1000:6.1f} kB; {drawing.picture.summary}")
    resnet18()
    peers()


if __name__ == "__main__":
    main()
