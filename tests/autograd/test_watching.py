"""Watchers: they are told what happens, in its order, and nothing of the engine is another one meanwhile."""

import threading

import pytest

import autograd
import nn
import optim
from autograd import Function, Node, backward, watching
from autograd.table import TABLE
from autograd.watching import Watcher


class Notes(Watcher):
    def __init__(self):
        self.said, self.births, self.gradients = [], [], []

    def begins(self, kind, what):
        self.said.append(("begins", kind, what))
        return kind, what

    def ends(self, begun, result, args, options):
        self.said.append(("ends", *begun))

    def born(self, node):
        self.births.append(node)

    def sends(self, node, argument, gradient):
        self.gradients.append((node, argument))


class Double(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g * 2


def step(model, optimizer):
    loss = Double.apply(model(autograd.ones(2, 3))).sum()
    loss.backward()
    optimizer.step()
    return loss


def test_what_begins_ends_and_what_is_within_it_ends_before():
    model = nn.Linear(3, 2)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with Notes() as notes:
        loss = step(model, optimizer)
    open_ = []
    for word, *what in notes.said:
        if word == "begins":
            open_.append(what)
        else:
            assert open_.pop() == what
    assert not open_
    begun = {kind: [what for word, k, what in notes.said if (word, k) == ("begins", kind)]
             for kind in ("operation", "function", "turn", "module", "step")}
    assert begun["module"] == [model]
    assert begun["function"] == [Double]
    assert begun["step"] == [optimizer]
    assert [node.name for node in begun["turn"]] == ["sum", "Double", "linear"]
    assert {"linear", "sum", "mul"} <= {operation.name for operation in begun["operation"]}
    assert loss.node in notes.births
    assert [(node.name, i) for node, i in notes.gradients] == [("sum", 0), ("Double", 0), ("linear", 1), ("linear", 2)]


def test_nothing_is_told_afterwards_nor_of_other_threads():
    with Notes() as notes:
        thread = threading.Thread(target=lambda: autograd.ones(2, requires_grad=True).exp().sum().backward())
        thread.start()
        thread.join()
    autograd.ones(2, requires_grad=True).exp().sum().backward()
    assert not (notes.said or notes.births or notes.gradients)
    assert not watching.watchers


def test_while_nobody_watches_nothing_is_asked_but_whether_somebody_does(monkeypatch):
    for name in ("told", "born", "turns", "sends"):
        monkeypatch.setattr(watching, name, None)
    model = nn.Linear(3, 2)
    step(model, optim.SGD(model.parameters(), lr=0.1))


def test_of_every_thread_if_it_asks_for_that():
    class All(Notes):
        every_thread = True
    with All() as notes:
        thread = threading.Thread(target=lambda: autograd.ones(2, requires_grad=True).exp())
        thread.start()
        thread.join()
    assert [node.name for node in notes.births] == ["exp"]


def test_several_watch_at_once_and_leave_in_any_order():
    first, second = Notes(), Notes()
    first.__enter__()
    second.__enter__()
    autograd.ones(2).exp()
    first.__exit__()
    autograd.ones(2).sin()
    second.__exit__()
    assert [what.name for word, _, what in first.said if word == "begins"] == ["exp"]
    assert [what.name for word, _, what in second.said if word == "begins"] == ["exp", "sin"]


def test_an_error_ends_what_had_begun():
    with Notes() as notes, pytest.raises(RuntimeError):
        autograd.ones(2) @ autograd.ones(3)
    assert [word for word, *_ in notes.said] == ["begins", "ends"]


def test_no_function_of_the_engine_is_exchanged():
    def functions():
        held = [cell.cell_contents for op in TABLE.values() for cell in op.call.__closure__ or ()]
        return [*[op.forward for op in TABLE.values()], *held, Node.__init__, backward, nn.Module.__call__,
                vars(Function)["apply"], optim.SGD.step]
    before = functions()
    with Notes(), autograd.profile(), autograd.detect_anomaly():
        assert all(a is b for a, b in zip(before, functions(), strict=True))


def test_who_wants_steps_only_is_told_of_nothing_else():
    class Steps(Notes):
        only_steps = True
    model = nn.Linear(3, 2)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with Steps() as notes:
        assert watching.watchers == ()  # so operations take their fast way
        step(model, optimizer)
    assert notes.said == [("begins", "step", optimizer), ("ends", "step", optimizer)] and not notes.births
    assert watching.of_steps == ()
