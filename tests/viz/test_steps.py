"""The steps of both passes are the engine's, and say every number of the figure."""

import autograd
import viz
from autograd import Tensor
from tests.viz.pictures import neuron_with_a_fork


def test_steps_go_forward_in_the_order_of_recording_and_back_in_the_reverse():
    x = Tensor(3.0, requires_grad=True)
    a = x * x
    b = a + 1
    c = a.exp()
    y = b * c
    steps = viz.draw(y).picture.steps
    assert [s.title for s in steps if s.phase == "forward"][1:] == [
        "a = x * x", "b = a + 1", "c = exp a", "y = b * c"]
    assert [s.title for s in steps if s.phase == "backward"][1:] == [
        "Back through b * c", "Back through exp a", "Back through a + 1", "Back through x * x"]


def test_each_step_back_shows_local_derivative_times_upstream_and_the_running_sum():
    w, x = Tensor(3.0, requires_grad=True), Tensor(-2.0, requires_grad=True)
    q = w * x
    y = q * w
    through_y, through_q = viz.draw(y).picture.steps[-2:]
    assert through_y.lines == ["Upstream gradient: 1.00",
                                  "∂(q * w)/∂q = w = 3.00; times upstream: 3.00 * 1.00 = 3.00",
                                  "∂(q * w)/∂w = q = -6.00; times upstream: (-6.00) * 1.00 = -6.00"]
    assert through_q.lines == ["Upstream gradient: 3.00",
                                  "∂(w * x)/∂w = x = -2.00; times upstream: (-2.00) * 3.00 = -6.00; "
                                  "added to what came before: (-6.00) + (-6.00) = -12.00",
                                  "∂(w * x)/∂x = w = 3.00; times upstream: 3.00 * 3.00 = 9.00"]


def test_the_local_derivative_is_said_where_the_upstream_gradient_is_zero():
    x, w = Tensor(-2.0, requires_grad=True), Tensor(3.0, requires_grad=True)
    y = autograd.relu(autograd.tanh(w * x))
    through_relu, through_tanh, _ = viz.draw(y).picture.steps[-3:]
    assert through_relu.lines[1].endswith("times upstream: 0.00 * 1.00 = 0.00")
    assert through_tanh.lines[1].endswith("= 1 - b² = 2.5e-5; times upstream: 2.5e-5 * 0.00 = 0.00")


def test_after_the_last_step_every_number_of_the_figure_is_shown():
    drawing = neuron_with_a_fork()
    shown: dict[str, str] = {}
    for step in drawing.picture.steps:
        shown.update(step.shows)
    for i, box in enumerate(drawing.picture.boxes):
        if box.value:
            assert (shown[f"v{i}"], shown[f"g{i}"]) == (box.value, box.gradient)
    for k, wire in enumerate(drawing.picture.wires):
        if wire.contribution:
            assert shown[f"c{k}"] == wire.contribution
