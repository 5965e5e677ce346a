"""Where the time goes: a table by operation and by module, and a picture of it in time."""

import json
import os
from bisect import bisect
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any, Self

from autograd import costs
from autograd.clock import clock
from autograd.grad_mode import mode
from autograd.operation import Operation
from autograd.runtime import files
from autograd.sharing import memory
from autograd.tensor import Node
from autograd.watching import Watcher

_ENGINE, _OUTSIDE = "engine and Python", "outside of modules"


@dataclass(slots=True, eq=False)
class Event:
    """One thing that took time.

    Attributes:
        name: the operation, the class of the module, or the optimizer's step.
        kind: "operation" (a forward function); "composition" (a function made of other operations); "rule" (a node's
            turn in a backward pass: its rule, the sum over what broadcasting stretched, the addition to what other uses
            of the value have sent); "part" (an operation that a forward function or a rule calls for its own work);
            "module" (a call of a module); "optimizer" (its step).
        operation: the row that it belongs to: its name, but for a part the operation that it is part of.
        phase: "backward" for what happened in the turn of a node, else "forward".
        module: dotted name of the module; "" outside of modules.
        start: nanoseconds since the profile began.
        duration: nanoseconds.
        self_time: the duration without that of the events within.
        bytes: of the arrays that a forward function returned in memory of their own.
        flops: floating-point operations of a forward function.
    """

    name: str
    kind: str
    operation: str
    phase: str
    module: str
    start: int = 0
    duration: int = 0
    self_time: int = 0
    bytes: int = 0
    flops: int = 0


@dataclass
class Row:
    """Events of one operation, or of one module, added up.

    Attributes:
        name: the operation, or the module as `path: class`.
        calls: how often it was called.
        forward: nanoseconds in the forward pass; without those of other rows, as all times here.
        backward: nanoseconds in the backward pass.
        time: both together; an optimizer's row and that of the engine have nothing else.
        share: of the whole time, from 0 to 1.
        bytes: of the results of the forward functions that were allocated.
        flops: floating-point operations of the forward functions.
        flops_per_second: the same by the time that these functions took; None if there are none.
    """

    name: str
    calls: int = 0
    forward: int = 0
    backward: int = 0
    time: int = 0
    share: float = 0.0
    bytes: int = 0
    flops: int = 0
    flops_per_second: float | None = None


class profile(Watcher):
    """In this block, what every operation and every module takes is noted.

    Only the thread that entered the block is watched. Watching takes two to three microseconds an operation; that time,
    as all time outside of operations, stands in the row "engine and Python", so that the shares add up to 100 %. Each
    event is kept (about 250 bytes), so profile a few steps, not a whole training.

    Attributes:
        events: every Event, in the order of their beginnings.

    >>> with autograd.profile() as p:
    ...     loss(model(x), y).backward()
    ...     optimizer.step()
    >>> print(p)                                             # tables by operation and by module
    operation ...
    >>> p.export_chrome_trace("trace.json")                  # open it in https://ui.perfetto.dev
    """

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self.events: list[Event] = []
        self._running: list[Event] = []
        self._births, self._modules = [0], [""]  # from which number of the clock on nodes belong to which module
        self._names: dict[Any, str] = {}
        self._models: list[Any] = []
        self._began = perf_counter_ns()
        self._ended: int | None = None

    def __enter__(self) -> Self:
        self._clear()
        return super().__enter__()

    def __exit__(self, *exception: object) -> None:
        self._ended = perf_counter_ns()
        super().__exit__()
        for event in self._running[::-1]:
            self._end(event)

    # Recording

    def begins(self, kind: str, what: Any) -> tuple[Event, Any]:  # noqa: D102
        return getattr(self, f"_{kind}")(what), what

    def ends(self, begun: tuple[Event, Any], result: Any, args: tuple, options: dict) -> None:  # noqa: D102
        event, what = begun
        self._end(event)
        if event.kind == "operation" and result is not None:
            results = result if isinstance(result, (tuple, list)) else (result,)
            event.bytes = sum(_allocated(r, args) for r in results)
            shapes = [getattr(a, "shape", None) for a in args]
            event.flops = costs.flops(what, shapes, results[0].shape if results else (), options)

    def _operation(self, operation: Operation) -> Event:
        around = self._running[-1].kind if self._running else ""
        is_part = around in ("operation", "part") or (around == "rule" and not mode.enabled)
        return self._begin(operation.name, "part" if is_part else "operation" if operation.differentiable
                           else "composition")

    def _function(self, function: type) -> Event:
        return self._begin(function.__name__, "composition")

    def _turn(self, node: Node) -> Event:
        return self._begin(node.name, "rule", "backward", self._module_of(node))

    def _module(self, module: Any) -> Event:
        kind = type(module).__name__
        if module not in self._names:  # the outermost: all that is in it gets its name from it
            count = sum(type(model) is type(module) for model in self._models) + 1
            root = kind if count == 1 else f"{kind} {count}"
            inside = f"{root}." if self._models else ""
            self._names.update((part, inside + path if path else root) for path, part in module.named_modules())
            self._models.append(module)
        return self._begin(kind, "module", module=self._names[module])

    def _step(self, optimizer: Any) -> Event:
        return self._begin(f"{type(optimizer).__name__}.step", "optimizer", module="")

    def _begin(self, name: str, kind: str, phase: str | None = None, module: str | None = None) -> Event:
        """Something begins; where it isn't said, the phase and the module are those of what is running."""
        running = self._running
        if phase is None:
            phase = running[-1].phase if running else "forward"
        if module is None:
            module = running[-1].module if running else ""
        operation = running[-1].operation if kind == "part" else name
        event = Event(name, kind, operation, phase, module)
        self._nodes_belong_to(module)
        running.append(event)
        self.events.append(event)
        event.start = perf_counter_ns() - self._began
        return event

    def _end(self, event: Event) -> None:
        """It ends."""
        now = perf_counter_ns() - self._began
        if event not in self._running:
            return
        while self._running[-1] is not event:  # something was left without its end
            self._end(self._running[-1])
        self._running.pop()
        event.duration = now - event.start
        event.self_time += event.duration
        if self._running:
            self._running[-1].self_time -= event.duration
            self._nodes_belong_to(self._running[-1].module)
        else:
            self._nodes_belong_to("")

    def _nodes_belong_to(self, module: str) -> None:
        if module != self._modules[-1]:
            self._births.append(next(clock))
            self._modules.append(module)

    def _module_of(self, node: Node) -> str:
        """The module in whose call a node was recorded."""
        return self._modules[bisect(self._births, node.birth) - 1]

    # Reading

    @property
    def total(self) -> int:
        """Nanoseconds from the beginning of the block to its end."""
        return (self._ended or perf_counter_ns()) - self._began

    def key_averages(self, group_by: str = "operation") -> list[Row]:
        """The events added up, by "operation" or by "module", in the order of first use.

        The times of all rows together are exactly `total`: the last row is what no other accounts for.
        """
        if group_by not in ("operation", "module"):
            raise ValueError(f'group_by is "operation" or "module", not {group_by!r}')
        counted = ("operation", "composition", "optimizer") if group_by == "operation" else ("module", "optimizer")
        rows: dict[str, Row] = {}
        counting: dict[str, int] = {}
        kinds = {event.module: event.name for event in reversed(self.events) if event.kind == "module"}
        for event in self.events:
            if event.kind == "optimizer" or group_by == "operation":
                name = event.operation
            elif not event.module:
                name = _OUTSIDE
            else:
                kind = kinds[event.module]  # a model is called by its class
                name = event.module if event.module.startswith(kind) else f"{event.module}: {kind}"
            if event.kind == "module" and group_by == "operation":
                continue
            row = rows.setdefault(name, Row(name))
            row.calls += event.kind in counted
            if event.kind != "optimizer":
                setattr(row, event.phase, getattr(row, event.phase) + event.self_time)
            row.time += event.self_time
            row.bytes += event.bytes
            row.flops += event.flops
            if event.flops:
                counting[name] = counting.get(name, 0) + event.duration
        rows[_ENGINE] = Row(_ENGINE, time=self.total - sum(row.time for row in rows.values()))
        for name, row in rows.items():
            row.share = row.time / self.total
            if counting.get(name):
                row.flops_per_second = row.flops / counting[name] * 1e9
        return list(rows.values())

    def table(self, group_by: str = "operation", sort_by: str | None = "time", row_limit: int = 30) -> str:
        """The rows of `key_averages` as text.

        Args:
            group_by: "operation" or "module".
            sort_by: a column, the largest first: "time", "calls", "forward", "backward", "bytes", "flops" or
                "flops_per_second"; None for the order of first use.
            row_limit: how many rows to show; the others are added up in one.
        """
        rows = self.key_averages(group_by)
        if sort_by is not None:
            if sort_by not in Row.__dataclass_fields__ or sort_by == "name":
                raise ValueError(f"rows cannot be sorted by {sort_by!r}; sort_by is a column such as 'time' or 'bytes'")
            rows[:-1] = sorted(rows[:-1], key=lambda row: getattr(row, sort_by) or 0, reverse=True)
        if len(rows) > row_limit:
            rows = [*rows[:row_limit], _sum(f"{len(rows) - row_limit} more", rows[row_limit:])]
        head = (group_by, "calls", "forward ms", "backward ms", "total ms", "share", "allocated", "GFLOP/s")
        return costs.table([head, *[_cells(row) for row in rows], _cells(_sum("total", rows))], left=1)

    def __str__(self) -> str:
        if not any(event.kind == "module" for event in self.events):
            return self.table()
        return f"{self.table()}\n\n{self.table('module')}"

    def export_chrome_trace(self, path: str | os.PathLike) -> None:
        """Write the events as a file that chrome://tracing and https://ui.perfetto.dev show: what happened in the
        forward pass in one row, what happened in the backward pass in another, what contains what above it."""
        rows = {"forward": 1, "backward": 2}
        events: list[dict[str, Any]] = [{"name": "thread_name", "ph": "M", "pid": 0, "tid": number,
                                         "args": {"name": phase}} for phase, number in rows.items()]
        for event in self.events:
            name = f"{event.module}: {event.name}" if event.kind == "module" else event.name
            details = {"module": event.module, "bytes": event.bytes, "flops": event.flops}
            events.append({"name": name, "cat": event.kind, "ph": "X", "pid": 0, "tid": rows[event.phase],
                           "ts": event.start / 1000, "dur": event.duration / 1000,
                           "args": {key: value for key, value in details.items() if value}})
        with files.replacing(path) as file:
            file.write(json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}).encode())


def _sum(name: str, rows: list[Row]) -> Row:
    total = Row(name)
    for field in ("calls", "forward", "backward", "time", "share", "bytes", "flops"):
        setattr(total, field, sum(getattr(row, field) for row in rows))
    return total


def _cells(row: Row) -> tuple[str, ...]:
    def milliseconds(time: int) -> str:
        return f"{time / 1e6:.3f}" if time else ""
    rate = row.flops_per_second
    return (row.name, str(row.calls or ""), milliseconds(row.forward), milliseconds(row.backward),
            milliseconds(row.time), f"{row.share:.1%}", costs.memory(row.bytes) if row.bytes else "",
            "" if rate is None else f"{rate / 1e9:.2f}")


def _allocated(result: Any, args: tuple) -> int:
    """The bytes of an array, unless it lies in the memory of an argument."""
    owner = memory(result)
    return 0 if any(memory(a) is owner for a in args) else getattr(result, "nbytes", 0)
