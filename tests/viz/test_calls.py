"""Frames drawn from a loss alone are those of the calls; nets are found wherever they are held."""

import pytest

import autograd
import nn
import viz
from autograd import Tensor
from tests.viz.pictures import Block, Tower, boxes, labels
from viz import names, scopes


def framed(output: Tensor, model: nn.Module) -> list[tuple[str, list[str]]]:
    """Every call by its path, with the operations in it."""
    graph = autograd.Graph(output)
    calls = scopes.calls(graph.nodes, names.paths({"": model}))
    return [(call.path, [node.name for node in graph.nodes if call.first <= node.birth <= call.last])
            for call in sorted(calls, key=lambda call: (call.first, -call.last))]


def test_an_addition_of_a_residual_block_belongs_to_the_block():
    model, x = Tower(4, 2), autograd.randn(2, 4)
    calls = framed(model(x).sum(), model)
    linear = calls[1][1]
    assert calls[0] == ("blocks.0", [*linear, "relu", *linear, "add"])
    assert [path for path, _ in calls] == [
        f"blocks.{i}{inner}" for i in range(2) for inner in ("", ".up", ".down")] + ["head"]


def test_a_cell_is_framed_once_for_each_step():
    cell, x, state = nn.LSTMCell(3, 4), autograd.randn(50, 2, 3), None
    for t in range(50):
        state = cell(x[t], state)
    [steps] = boxes(viz.draw(state[0].sum(), model=nn.ModuleDict({"cell": cell}), depth=0), "module")
    assert steps.label == "cell … cell × 50" and "50" in steps.note


def test_a_module_without_parameters_is_framed_and_one_that_returns_its_input_is_not():
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Identity(), nn.Dropout(0.0).eval(), nn.Tanh())
    assert [path for path, _ in framed(model(autograd.randn(2, 3)).sum(), model)] == ["0", "1", "4"]


class Experts(nn.Module):
    """A mixture of experts."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.experts = nn.Linear(4, 3), nn.ModuleList([Block(4) for _ in range(3)])

    def forward(self, x: Tensor) -> Tensor:
        weights = self.gate(x).softmax(-1)
        return sum(weights[:, i:i + 1] * expert(x) for i, expert in enumerate(self.experts))


def test_every_expert_has_its_frame():
    model = Experts()
    paths = [path for path, _ in framed(model(autograd.randn(2, 4)).sum(), model)]
    assert [path for path in paths if path.count(".") < 2] == ["gate", "experts.0", "experts.1", "experts.2"]


class Trainer:
    """Holds its nets, as a training script does."""

    def __init__(self) -> None:
        self.generator = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 4))
        self.discriminator = nn.Sequential(nn.Linear(4, 8), nn.LeakyReLU(), nn.Linear(8, 1))
        self.scale = Tensor(2.0, requires_grad=True)

    def loss(self) -> Tensor:
        return self.discriminator(self.generator(autograd.randn(3, 2))).mean() * self.scale

    def draw(self) -> viz.Drawing:
        return viz.draw(self.loss())


PATHS = [f"{net}.{i}" for net in ("generator", "discriminator") for i in range(3)]


@pytest.mark.parametrize(("draw", "prefix"), [
    (lambda: Trainer().draw(), "self."), (lambda: (t := Trainer()) and viz.draw(t.loss()), "t."),
    (lambda: (nets := vars(Trainer())) and viz.draw(
        nets["discriminator"](nets["generator"](autograd.randn(3, 2))).mean() * nets["scale"]), "nets[]")])
def test_nets_and_tensors_are_found_in_what_holds_them(draw, prefix):
    def named(path: str) -> str:
        net, _, rest = path.partition(".")
        return (f"nets['{net}'].{rest}" if prefix == "nets[]" else f"{prefix}{path}").strip(".")
    drawing = draw()
    assert [cluster.title.partition(" ")[0] for cluster in drawing.picture.clusters
            if cluster.title.count(".") - prefix.count(".")] == list(map(named, PATHS))
    assert named("scale") in labels(drawing, "input")


_elsewhere: list[nn.Module] = []


def test_nets_that_are_no_variable_here_are_called_by_their_classes():
    def loss() -> Tensor:
        _elsewhere.extend([Experts(), nn.Linear(4, 1)])
        return _elsewhere[1](_elsewhere[0](autograd.randn(2, 4))).sum()
    drawn = {label.partition(".")[0] for label in labels(viz.draw(loss()), "parameter")}
    assert "Experts" in drawn and len(drawn) == 2
    _elsewhere.clear()


def test_a_variable_left_over_from_a_loop_names_nothing_that_has_a_name():
    ws, y = [Tensor(v, requires_grad=True) for v in (2.0, 3.0)], Tensor(1.0)
    for w in ws:
        y = y * w
        within = labels(viz.draw(y), "input")
    assert within == ["ws[0]", "w"]  # while it runs, w is w
    assert labels(viz.draw(y), "input") == ["ws[0]", "ws[1]"]
    for x in [Tensor(5.0, requires_grad=True)]:
        z = x * x
    assert labels(viz.draw(z), "input") == ["x"]  # there is no better name


def test_functions_of_the_user_with_one_and_with_several_results_are_called_by_their_classes():
    class Split(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, g, h):
            return 2 * g + 3 * h
    x = Tensor(2.0, requires_grad=True)
    a, b = Split.apply(x)
    y = a * b
    assert labels(viz.draw(y), "gate") == ["Split", "output 0", "output 1", "*"]
    assert len(boxes(viz.draw(a, style="model"), "operation")) == 1  # with its only output that is used


def test_what_a_recorded_backward_pass_computed_is_marked():
    w, x = Tensor(3.0, requires_grad=True), Tensor(2.0, requires_grad=True)
    y = (w * x).tanh() * x
    slope, = autograd.grad(y, x, create_graph=True)
    drawing = viz.draw((slope - 1) ** 2)
    recorded = [box.backward for box in boxes(drawing, "gate")]
    assert recorded[:2] == [False, False] and all(recorded[2:-3]) and recorded[-2:] == [False, False]
    assert f"{sum(recorded)} gates, dashed, are of a backward pass" in repr(drawing)
    svg = str(drawing)
    assert svg.count('class="gate"') == len(recorded) and svg.count("stroke-dasharray") == sum(recorded)
    assert sum("(in the recorded backward pass)" in step.title for step in drawing.picture.steps) == sum(recorded)
    assert not any(box.backward for box in viz.draw(y).picture.boxes)


def test_the_backward_pass_of_a_gradient_penalty_has_a_frame():
    net, x = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)), autograd.randn(5, 4, requires_grad=True)
    slope, = autograd.grad(net(x).sum(), x, create_graph=True)
    loss = ((slope.norm(dim=1) - 1) ** 2).mean()
    titles = [cluster.title for cluster in viz.draw(loss, depth=1).picture.clusters]
    assert titles == ["0 Linear", "1 Tanh", "backward pass (create_graph)"]
    (net(x).sum() * 0 + loss).backward(create_graph=True)
    assert any("backward pass" in cluster.title
               for cluster in viz.draw(net[0].weight.grad.sum(), model=net, depth=1).picture.clusters)


def test_a_tensor_that_a_module_keeps_has_its_path():
    class Shifted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.state = nn.Linear(2, 2), Tensor([1.0, 2.0], requires_grad=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x) + self.state
    assert labels(viz.draw(nn.Sequential(Shifted()), autograd.randn(1, 2)), "input") == ["0.state"]
