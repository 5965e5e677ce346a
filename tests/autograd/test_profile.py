"""The profiler: what it counts, that the shares add up, and no trace of it when it is off."""

import json
import threading

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import Function, profile, randn, watching
from autograd.calling import alias
from autograd.costs import flops
from autograd.table import TABLE

BATCH, WIDTH = 8, 6


def mlp():
    return nn.Sequential(nn.Linear(4, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 3))


def trained(model, steps=2, rule=optim.SGD):
    """The losses of a few steps."""
    generator = autograd.Generator().manual_seed(0)
    x, target = randn(BATCH, 4, generator=generator), randn(BATCH, 3, generator=generator)
    optimizer, criterion, losses = rule(model.parameters(), lr=0.1), nn.MSELoss(), []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = criterion(model(x), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def rows(p, group_by="operation"):
    return {row.name: row for row in p.key_averages(group_by)}


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 4)

    def forward(self, x):
        return self.inner(x).exp()


class Halved(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 0.5

    @staticmethod
    def backward(ctx, g):
        return g * 0.5


class Direct(nn.Module):
    """A call of the function it is given."""

    def __init__(self, function):
        super().__init__()
        self.function, self.block = function, Block()

    def forward(self, x):
        return self.function(self.block, x)


PROGRAMS = {
    "plain": lambda block, x: block(x),
    "checkpoint": lambda block, x: autograd.checkpoint(block, x),
    "Function": lambda block, x: Halved.apply(block(x)),
    "several outputs": lambda block, x: block(x).sort(dim=0).values,
    "composition": lambda block, x: nn.functional.scaled_dot_product_attention(block(x), block(x), x),
}


@pytest.fixture
def profiled_mlp():
    with profile() as p:
        trained(mlp())
    return p


class TestOff:
    def test_an_error_in_the_block_passes_and_leaves_no_trace(self):
        class Broken(nn.Module):
            def forward(self, x):
                return (x.reshape(-1) @ x).sum()

        with pytest.raises(RuntimeError, match="matmul"), profile() as p:
            Broken()(autograd.ones(2, 3))
        assert not watching.watchers
        assert rows(p)["matmul"].calls == 1
        assert p.key_averages()[-1].time >= 0

    def test_an_error_in_a_rule_does_too(self):
        class Broken(Function):
            @staticmethod
            def forward(ctx, x):
                return x * 1

            @staticmethod
            def backward(ctx, g):
                raise KeyError("broken")

        with profile() as p:
            x = autograd.ones(3, requires_grad=True)
            with pytest.raises(KeyError):
                Broken.apply(x).sum().backward()
            assert not p._running
            (x * 2).sum().backward()
        assert rows(p)["mul"].calls == 2
        assert all(event.phase == "forward" for event in p.events if event.kind == "operation")
        assert not watching.watchers

    def test_a_graph_from_the_block_can_be_used_after_it(self):
        with profile() as p:
            x = autograd.ones(3, requires_grad=True)
            y = (x * x).sum()
        count = len(p.events)
        y.backward()
        assert x.grad.tolist() == [2, 2, 2]
        assert len(p.events) == count

    def test_one_within_another_sees_its_own_block(self):
        with profile() as outer:
            trained(mlp(), steps=1)
            with profile() as inner:
                trained(mlp(), steps=1)
        assert (rows(outer)["linear"].calls, rows(inner)["linear"].calls) == (4, 2)
        assert not watching.watchers

    def test_each_thread_has_its_own(self):
        counts = {}

        def run(steps):
            with profile() as p:
                trained(mlp(), steps)
            counts[steps] = rows(p)["linear"].calls
        threads = [threading.Thread(target=run, args=(steps,)) for steps in (1, 2, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert counts == {1: 2, 2: 4, 3: 6}

    @pytest.mark.parametrize("profile_is_outside", [True, False])
    def test_it_goes_with_anomaly_detection(self, profile_is_outside):
        managers = [profile(), autograd.detect_anomaly()]
        first, second = managers if profile_is_outside else managers[::-1]
        with first, second:
            trained(mlp())
        assert not watching.watchers
        assert rows(managers[0])["linear"].calls == 4


class TestOn:
    @pytest.mark.parametrize("rule", [optim.SGD, optim.Adam])
    def test_the_results_are_the_same_to_the_bit(self, rule):
        autograd.manual_seed(0)
        first, second = mlp(), mlp()
        second.load_state_dict(first.state_dict())
        plain = trained(first, rule=rule)
        with profile():
            watched = trained(second, rule=rule)
        assert plain == watched
        for p, q in zip(first.parameters(), second.parameters(), strict=True):
            np.testing.assert_array_equal(p.grad.numpy(), q.grad.numpy())
            np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())

    @pytest.mark.parametrize("create_graph", [False, True])
    @pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
    def test_so_are_those_of_checkpoints_functions_and_second_derivatives(self, program, create_graph):
        model, x = Direct(program), randn(3, 4, requires_grad=True)
        model.block.register_full_backward_hook(lambda module, grad_input, grad_output: (grad_input[0] * 2,))

        def gradients():
            g, = autograd.grad(model(x).square().sum(), x, create_graph=create_graph)
            return [g, *autograd.grad(g.square().sum(), [x, *model.parameters()])] if create_graph else [g]
        plain = gradients()
        with profile() as p:
            watched = gradients()
        for a, b in zip(plain, watched, strict=True):
            np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())
        assert sum(row.time for row in p.key_averages()) == p.total
        assert sum(row.time for row in p.key_averages("module")) == p.total

    def test_only_the_thread_that_entered_is_watched(self):
        with profile() as p:
            thread = threading.Thread(target=trained, args=(mlp(),))
            thread.start()
            thread.join()
        assert not p.events


class TestCounting:
    def test_the_calls_of_a_step(self, profiled_mlp):
        p = rows(profiled_mlp)
        assert (p["linear"].calls, p["relu"].calls, p["SGD.step"].calls) == (4, 2, 2)
        p = rows(profiled_mlp, "module")
        assert {name: row.calls for name, row in p.items()} == {
            "Sequential": 2, "0: Linear": 2, "1: ReLU": 2, "2: Linear": 2, "MSELoss": 2, "SGD.step": 2,
            "engine and Python": 0}

    def test_the_shares_of_all_rows_are_one(self, profiled_mlp):
        for group_by in ("operation", "module"):
            averages = profiled_mlp.key_averages(group_by)
            assert sum(row.share for row in averages) == pytest.approx(1)
            assert sum(row.time for row in averages) == profiled_mlp.total
            assert all(row.time >= 0 for row in averages)
            assert averages[-1].name == "engine and Python"

    def test_flops_are_those_of_the_summary(self, profiled_mlp):
        with profile() as p:
            model = mlp()
            model(randn(BATCH, 4))
        assert sum(row.flops for row in p.key_averages()) == nn.summary(model, randn(BATCH, 4)).flops
        row = rows(profiled_mlp)["linear"]
        assert row.flops == 2 * BATCH * (WIDTH * (2 * 4 + 1) + 3 * (2 * WIDTH + 1))
        time = sum(event.duration for event in profiled_mlp.events if event.name == "linear" and event.flops)
        assert row.flops_per_second == pytest.approx(row.flops / time * 1e9)

    @pytest.mark.parametrize("equation", ["ij,jk->ik", "bij,bkj->bik", "i,j"])
    def test_flops_of_einsum_are_two_for_every_product(self, equation):
        sizes = {"i": 2, "j": 3, "k": 5, "b": 7}
        shapes = [tuple(sizes[c] for c in term) for term in equation.partition("->")[0].split(",")]
        every = {c: n for c, n in sizes.items() if c in equation}
        op = TABLE["_einsum"]
        assert flops(op, shapes, (), {"equation": equation}) == 2 * np.prod(list(every.values()))

    @pytest.mark.parametrize("groups", [1, 2])
    def test_a_convolution_and_both_its_derivatives_take_as_many_flops(self, groups):
        x, w = randn(2, 4, 8, 8, requires_grad=True), randn(6, 4 // groups, 3, 3, requires_grad=True)
        with profile() as p:
            y = nn.functional.conv2d(x, w, groups=groups)
            autograd.grad(y, [x, w], autograd.ones_like(y), create_graph=True)
        p = rows(p)
        assert p["convolution"].flops == 2 * y.numel() * (4 // groups) * 9
        assert p["convolution"].flops == p["transposed_convolution"].flops == p["convolution_weight"].flops

    def test_bytes_are_those_of_results_with_memory_of_their_own(self):
        x = randn(10, 20)
        with profile() as p:
            x.exp().reshape(20, 10).transpose(0, 1)[2:]
        p = rows(p)
        assert p["exp"].bytes == 4 * 200
        assert p["reshape"].bytes == p["transpose"].bytes == p["getitem"].bytes == 0

    def test_an_operation_that_a_rule_calls_is_part_of_it(self):
        x, w = randn(2, 3, 8, 8, requires_grad=True), randn(4, 3, 3, 3, requires_grad=True)
        with profile() as p:
            nn.functional.conv2d(x, w).sum().backward()
        parts = [event for event in p.events if event.kind == "part"]
        assert {event.name for event in parts} == {"convolution_weight", "transposed_convolution"}
        assert {event.operation for event in parts} == {"convolution"}
        assert "convolution_weight" not in rows(p)
        assert rows(p)["convolution"].backward >= sum(event.self_time for event in parts)

    def test_a_recorded_backward_pass_has_its_operations_in_their_own_rows(self):
        x = randn(5, requires_grad=True)
        with profile() as p:
            autograd.grad(x.sin().sum(), x, create_graph=True)
        assert rows(p)["cos"].calls == 1
        assert rows(p)["cos"].backward > 0 == rows(p)["cos"].forward

    def test_without_modules_there_is_one_table(self):
        with profile() as p:
            autograd.ones(3).exp()
        assert str(p) == p.table()


class TestModules:
    def test_a_node_belongs_to_the_module_that_recorded_it(self):
        model = nn.Sequential(nn.Sequential(Block(), nn.ReLU()), Block())
        with profile() as p:
            model(randn(2, 4)).sum().backward()
        found = {(event.module, event.name) for event in p.events if event.kind == "rule"}
        assert found == {("0.0.inner", "linear"), ("0.0", "exp"), ("0.1", "relu"), ("1.inner", "linear"), ("1", "exp"),
                         ("", "sum")}
        averages = rows(p, "module")
        for name in ("0.0: Block", "0.0.inner: Linear", "0.1: ReLU", "1: Block", "1.inner: Linear"):
            assert averages[name].backward > 0
        assert averages["0: Sequential"].backward == averages["Sequential"].backward == 0

    def test_so_does_one_that_is_recorded_in_the_backward_pass(self):
        model, x = Block(), randn(2, 4, requires_grad=True)
        with profile() as p:
            g, = autograd.grad(model(x).sum(), x, create_graph=True)
            g.sum().backward()
        assert {event.module for event in p.events if event.name == "exp"} == {"Block"}
        assert {event.module for event in p.events if event.name == "mul"} == {"Block"}

    def test_a_checkpoint_calls_its_modules_twice_under_their_names(self):
        model = Direct(lambda block, x: autograd.checkpoint(block, x))
        with profile() as p:
            model(randn(2, 4, requires_grad=True)).sum().backward()
        averages = rows(p, "module")
        assert (averages["block: Block"].calls, averages["block.inner: Linear"].calls) == (2, 2)
        assert averages["Direct"].calls == 1
        assert {e.module for e in p.events if e.name == "linear" and e.kind == "rule"} == {"block.inner"}

    def test_several_models_are_told_apart(self):
        x = randn(2, 4)
        models = [nn.Sequential(nn.Linear(4, 4)) for _ in range(3)]
        with profile() as p:
            for model in models:
                model(x)
        names = [row.name for row in p.key_averages("module")]
        assert names == ["Sequential", "0: Linear", "Sequential 2", "Sequential 2.0: Linear", "Sequential 3",
                         "Sequential 3.0: Linear", "engine and Python"]

    def test_what_follows_a_module_is_not_its_own(self):
        class Followed(Block):
            def forward(self, x):
                return alias(self.inner(x))
        with profile() as p:
            alias(Followed()(randn(2, 4))).sum().backward()
        assert [event.module for event in p.events if (event.name, event.kind) == ("alias", "rule")] == ["", "Followed"]

    @pytest.mark.parametrize("rule", [optim.SGD, optim.LBFGS])
    def test_the_hooks_of_a_step_are_called_once(self, rule):
        w, calls = randn(4, requires_grad=True), []
        optimizer = rule([w], lr=0.1)
        optimizer.register_step_pre_hook(lambda *_: calls.append("before"))
        optimizer.register_step_post_hook(lambda *_: calls.append("after"))

        def closure():
            loss = (w * w).sum()
            loss.backward()
            return loss
        with profile() as p:
            optimizer.step(closure)
        assert calls == ["before", "after"]
        assert rows(p)[f"{rule.__name__}.step"].calls == 1

    def test_a_closure_of_an_optimizer_is_not_counted_as_its_step(self):
        w = randn(4, requires_grad=True)
        optimizer = optim.LBFGS([w], max_iter=3)

        def closure():
            optimizer.zero_grad()
            loss = (w * w).sum()
            loss.backward()
            return loss
        with profile() as p:
            optimizer.step(closure)
        step, = [event for event in p.events if event.kind == "optimizer"]
        assert rows(p)["LBFGS.step"].time == step.self_time < step.duration
        assert rows(p)["mul"].calls > 1


class TestOutput:
    def test_the_table(self, profiled_mlp):
        text = str(profiled_mlp)
        operations, modules = text.split("\n\n")
        assert operations == profiled_mlp.table()
        assert modules == profiled_mlp.table(group_by="module")
        for part, first in ((operations, "operation"), (modules, "module")):
            lines = part.splitlines()
            assert lines[0].split("  ")[0] == first
            assert len({len(line) for line in lines}) == 1
            assert lines[-1].startswith("total") and "100.0%" in lines[-1]

    @pytest.mark.parametrize("column", ["time", "calls", "forward", "backward", "bytes", "flops"])
    def test_it_is_sorted_by_a_column(self, profiled_mlp, column):
        names = [line.split()[0] for line in profiled_mlp.table(sort_by=column).splitlines()[2:-3]]
        values = [getattr(rows(profiled_mlp)[name], column) for name in names]
        assert values == sorted(values, reverse=True)

    def test_rows_beyond_the_limit_are_added_up(self, profiled_mlp):
        lines = profiled_mlp.table(row_limit=2).splitlines()
        assert len(lines) == 2 + 3 + 2
        assert lines[4].startswith(f"{len(profiled_mlp.key_averages()) - 2} more")
        assert lines[-1].split() == profiled_mlp.table().splitlines()[-1].split()

    def test_what_is_unknown_is_refused(self, profiled_mlp):
        with pytest.raises(ValueError, match=r"not 'layer'"):
            profiled_mlp.key_averages("layer")
        with pytest.raises(ValueError, match=r"'speed'"):
            profiled_mlp.table(sort_by="speed")

    def test_the_trace_is_nested_in_both_rows(self, tmp_path):
        with profile() as p:
            trained(nn.Sequential(Block(), nn.Linear(4, 3)), steps=1)
        p.export_chrome_trace(tmp_path / "trace.json")
        events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
        names = {event["tid"]: event["args"]["name"] for event in events if event["ph"] == "M"}
        complete = [event for event in events if event["ph"] == "X"]
        assert len(complete) == len(p.events) == len(events) - 2
        assert set(names.values()) == {"forward", "backward"}
        for row, phase in names.items():
            inside = [event for event in complete if event["tid"] == row]
            assert {event["cat"] for event in inside} <= (
                {"rule", "part"} if phase == "backward" else {"operation", "composition", "module", "optimizer"})
            assert inside
            open_until = []
            for event in inside:  # in the order of their beginnings
                end = event["ts"] + event["dur"]
                while open_until and open_until[-1] <= event["ts"]:
                    open_until.pop()
                assert event["ts"] >= 0 and event["dur"] >= 0
                assert not open_until or end <= open_until[-1] + 1e-6
                open_until.append(end)
        linear = next(event for event in complete if event["name"] == "linear")
        assert linear["args"]["module"] == "0.inner"
        assert linear["args"]["flops"] == 2 * BATCH * 4 * 4 + BATCH * 4

    def test_self_times_add_up_to_the_time_of_the_outermost_events(self, profiled_mlp):
        outermost, until = 0, 0
        for event in profiled_mlp.events:
            if event.start >= until:
                outermost, until = outermost + event.duration, event.start + event.duration
        assert sum(event.self_time for event in profiled_mlp.events) == outermost

    def test_a_second_block_begins_anew(self):
        p = profile()
        for _ in range(2):
            with p:
                autograd.ones(3).exp()
        assert rows(p)["exp"].calls == 1
