"""A picture changes nothing: it is of the recording, and of one point in time."""

import functools
import random
from collections import Counter, deque

import numpy as np
import pytest

import autograd
import nn
import optim
import viz
from autograd import Tensor, no_grad, tensor
from autograd.checkpoint import checkpoint
from autograd.watching import Watcher
from tests.nn.layers import CASES, tensors
from tests.viz.pictures import boxes, labels, mlp


def weight_and_loss() -> tuple[Tensor, Tensor]:
    w = tensor(2.0, requires_grad=True)
    loss = (w - 1) ** 2
    loss.backward(retain_graph=True)
    return w, loss


def assign(w: Tensor) -> None:
    w.data = tensor(5.0)


def write(w: Tensor) -> None:
    with no_grad():
        w.mul_(2)


@pytest.mark.parametrize("change", [lambda w: optim.SGD([w], lr=0.1).step(), assign, write])
def test_values_of_now_are_not_shown_beside_gradients_of_then(change):
    w, loss = weight_and_loss()
    viz.draw(loss)
    change(w)
    with pytest.raises(RuntimeError, match=r"w \(shape \(\), float32\), which `sub` reads, was changed.*Draw before"):
        viz.draw(loss)


def test_a_constant_that_was_written_is_refused_too():
    w, k = tensor([2.0, 3.0], requires_grad=True), tensor([1.0, 2.0])
    y = w * k
    k.add_(1)
    with pytest.raises(RuntimeError, match=r"k .* was changed in place"):
        viz.draw(y)


def test_a_drawing_made_before_the_change_stays():
    w, loss = weight_and_loss()
    drawing = viz.draw(loss)
    write(w)
    assert boxes(drawing, "input")[0].value == "2.00" and "2.00" in str(drawing)


def test_an_intermediate_value_is_shown_as_it_was_used():
    x = tensor([2.0], requires_grad=True)
    y = x * 3
    with no_grad():
        y.add_(1)
    assert [box.value for box in boxes(viz.draw(y * y), "gate")] == ["7.00", "49.00"]


def test_hooks_of_tensors_are_not_run():
    x = tensor([1.0, 2.0], requires_grad=True)
    h = x * 2
    h.retain_grad()
    seen = []
    x.register_hook(seen.append)
    h.register_hook(lambda g: seen.append(g) or g * 100)
    drawing = viz.draw(h.sum())
    assert seen == [] and x.grad is None and h.grad is None
    assert boxes(drawing, "input")[0].gradient == "[2.00 2.00]"


class Tally:
    """What some programs hand to all their modules."""

    def __init__(self) -> None:
        self.calls, self.losses = 0, []


class Nosy(nn.Module):
    """A module with everything that a call may change."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.embedding = nn.BatchNorm1d(3), nn.Embedding(5, 3, max_norm=0.1)
        self.calls, self.seen, self.counts, self.last = 0, [], Counter(), None
        self.table, self.latest, self.nested = np.zeros(3), deque(maxlen=2), {"by layer": [{"calls": 0}]}
        self.tally, self.numpys, self.pythons = Tally(), np.random.default_rng(0), random.Random(0)
        self.own = autograd.Generator()

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.tally.calls += 1
        self.tally.losses.append(self.calls)
        self.seen.append(x)
        self.latest.append(x)
        self.nested["by layer"][0]["calls"] += 1
        self.counts["calls"] += 1
        self.table += 1
        with no_grad():
            self.norm.weight.clamp_(-0.5, 0.5)
        self.last = nn.functional.dropout(self.norm(x + self.embedding(tensor([0, 1])))) * random.random()
        noise = np.random.rand() + self.numpys.random() + self.pythons.random()
        return self.last * noise + autograd.randn(3) + autograd.randn(3, generator=self.own)


def state(module: nn.Module) -> tuple:
    generators = [value.get_state().array.tobytes() if isinstance(value, autograd.Generator) else
                  repr(value.bit_generator.state) if isinstance(value, np.random.Generator) else value.getstate()
                  for value in vars(module).values()
                  if isinstance(value, (autograd.Generator, np.random.Generator, random.Random))]
    return ({name: value.array.tobytes() for name, value in module.state_dict().items()},
            [{name: repr(value) for name, value in vars(inner).items()} for inner in module.modules()],
            repr(vars(getattr(module, "tally", module))), generators,
            autograd.get_rng_state().array.tobytes(), repr(np.random.get_state()), random.getstate(),
            [p.grad for p in module.parameters()])


def test_calling_a_module_for_a_picture_changes_nothing():
    model, x, heard = Nosy(), autograd.randn(2, 3), []
    model.norm.register_forward_hook(lambda *args: heard.append(args))
    model.register_full_backward_hook(lambda *args: heard.append(args))
    handle = model.norm.register_forward_pre_hook(lambda *args: heard.append(args))
    before = state(model)
    viz.draw(model, x)
    viz.draw(lambda x: model(x).sum(), x)
    with no_grad():
        viz.flow(model, x)
    assert state(model) == before and heard == []
    handle.remove()
    model(x)
    assert len(heard) == 1 and model.calls == 1  # the hooks are there again


@pytest.mark.parametrize("case", CASES, ids=str)
def test_drawing_any_layer_leaves_it_as_it_is(case):
    layer = case.layer(autograd, nn)
    inputs = [tensor(x, requires_grad=trained) for x, trained in zip(case.inputs, case.trained, strict=True)]
    before = state(layer)
    viz.draw(functools.partial(layer, **tensors(case.call, autograd)), *inputs, style="model")
    assert state(layer) == before and all(x.grad is None for x in inputs)


def test_a_checkpointed_part_is_drawn_and_forgotten():
    norm, x = nn.BatchNorm1d(3), autograd.randn(4, 3)
    segment_input = x * 2
    loss = checkpoint(lambda z: norm(z).tanh(), segment_input).sum()
    before = state(norm)
    drawing = viz.draw(loss)
    assert labels(drawing, "operation")[1:] == ["tanh", "checkpoint", "sum"]
    assert state(norm) == before
    assert autograd.Graph(loss)._segments  # it had to run again: the picture kept nothing


def test_a_function_is_not_computed_again_where_its_result_is_known():
    calls = []

    class Square(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            calls.append(x)
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            return 2 * g * ctx.saved_tensors[0]
    x = tensor(3.0, requires_grad=True)
    y = Square.apply(Square.apply(x))
    assert labels(viz.draw(y), "gate") == ["Square", "Square"]
    assert len(calls) == 2


def test_who_watches_is_not_told():
    class Everything(Watcher):
        def begins(self, kind, what):
            told.append(what)
    told: list = []
    model, images, loss = mlp()
    with Everything():
        viz.draw(loss)
        viz.draw(model, images)
    assert told == []
    with autograd.detect_anomaly(), np.errstate(all="ignore"):
        x = tensor(0.0, requires_grad=True)
        assert boxes(viz.draw(x.log() * 0.0), "input")[0].gradient == "NaN"
