"""Where the time goes: a table by operation and by module, and a picture of it in time.

Nothing here is asked while it is off. Switching it on replaces the forward functions of the table by ones that look at
the clock, and the order of the traversal by one that does so at each node; switching it off puts back what was there.
"""

import contextlib
import json
import os
import threading
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any, ClassVar, Self

import numpy as np

from autograd import costs, files, graph
from autograd.clock import clock
from autograd.function import Function
from autograd.grad_mode import mode
from autograd.operation import Operation
from autograd.table import TABLE
from autograd.tensor import Node

Replacement = tuple[Any, str, Any]
"""What stands for what while a profile is on: an object, its attribute, the value to put there."""

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


class profile:
    """In this block, what every operation and every module takes is noted.

    Only the thread that entered the block is watched. Watching takes two to three microseconds an operation; that time,
    as all time outside of operations, stands in the row "engine and Python", so that the shares add up to 100 %. Each
    event is kept (about 250 bytes), so profile a few steps, not a whole training.

    Attributes:
        events: every Event, in the order of their beginnings.

    Raises:
        RuntimeError: another profile is on.

    >>> with autograd.profile() as p:
    ...     criterion(model(x), target).backward()
    ...     optimizer.step()
    >>> print(p)                               # tables by operation and by module
    >>> p.export_chrome_trace("trace.json")    # open it in https://ui.perfetto.dev
    """

    _extensions: ClassVar[list[Callable[["profile"], Iterable[Replacement]]]] = []
    _active: ClassVar["profile | None"] = None

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self.events: list[Event] = []
        self._running: list[Event] = []
        self._births, self._modules = [0], [""]  # from which number of the clock on nodes belong to which module
        self._restore = contextlib.ExitStack()
        self._thread = threading.get_ident()
        self._began, self._ended = perf_counter_ns(), None

    @classmethod
    def extension(cls, function: Callable[["profile"], Iterable[Replacement]]) -> Callable:
        """Decorator: `function(profile)` gives further functions to replace while a profile is on."""
        cls._extensions.append(function)
        return function

    # On and off

    def __enter__(self) -> Self:
        if profile._active is not None:
            raise RuntimeError("a profile is on already, and its times would contain what this one adds; use one "
                               "`with autograd.profile()` around everything, and look at its events")
        self._clear()
        replacements = [r for extension in self._extensions for r in extension(self)]
        with contextlib.ExitStack() as restore:
            for place, attribute, value in replacements:
                before = vars(place)[attribute] if isinstance(place, type) else getattr(place, attribute)
                restore.callback(setattr, place, attribute, before)
                setattr(place, attribute, value)
            self._restore = restore.pop_all()
        profile._active = self
        self._began = perf_counter_ns()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended = perf_counter_ns()
        profile._active = None
        self._restore.close()
        for event in self._running[::-1]:
            self.end(event)

    # Recording

    def watches(self) -> bool:
        """Whether the current thread is the one that is profiled."""
        return threading.get_ident() == self._thread

    def begin(self, name: str, kind: str, phase: str | None = None, module: str | None = None) -> Event:
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

    def end(self, event: Event) -> None:
        """It ends."""
        now = perf_counter_ns() - self._began
        if event not in self._running:
            return
        while self._running[-1] is not event:  # something was left without its end
            self.end(self._running[-1])
        self._running.pop()
        event.duration = now - event.start
        event.self_time += event.duration
        if self._running:
            self._running[-1].self_time -= event.duration
            self._nodes_belong_to(self._running[-1].module)
        else:
            self._nodes_belong_to("")

    @contextlib.contextmanager
    def span(self, name: str, kind: str, module: str | None = None) -> Iterator[None]:
        """A block of code as an event."""
        event = self.begin(name, kind, module=module)
        try:
            yield
        finally:
            self.end(event)

    def _nodes_belong_to(self, module: str) -> None:
        if module != self._modules[-1]:
            self._births.append(next(clock))
            self._modules.append(module)

    def module_of(self, node: Node) -> str:
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


# What is replaced

@profile.extension
def _operations(profiler: profile) -> Iterator[Replacement]:
    for op in TABLE.values():
        timed = _timed(profiler, op)
        yield op, "forward", timed
        held = dict(zip(op.call.__code__.co_freevars, op.call.__closure__ or (), strict=True))
        if "forward" in held:  # the shorter ways of a call hold the function by themselves
            yield held["forward"], "cell_contents", timed


def _timed(profiler: profile, op: Operation) -> Callable:
    forward, name, differentiable = op.forward, op.name, op.differentiable
    kind = "operation" if differentiable else "composition"
    running, watches = profiler._running, profiler.watches

    def timed(*args: Any, **options: Any) -> Any:
        if not watches():
            return forward(*args, **options)
        around = running[-1].kind if running else ""
        is_part = around in ("operation", "part") or (around == "rule" and not mode.enabled)
        event = profiler.begin(name, "part" if is_part else kind)
        try:
            out = forward(*args, **options)
        finally:
            profiler.end(event)
        if differentiable and not is_part:
            results = out if isinstance(out, (tuple, list)) else (out,)
            event.bytes = sum(_allocated(result, args) for result in results)
            shapes = [getattr(a, "shape", None) for a in args]
            event.flops = costs.flops(op, shapes, results[0].shape if results else (), options)
        return out
    return timed


def _allocated(result: Any, args: tuple) -> int:
    """The bytes of an array, unless it lies in the memory of an argument."""
    owner = _owner(result)
    return 0 if any(_owner(a) is owner for a in args) else getattr(result, "nbytes", 0)


def _owner(array: Any) -> Any:
    while isinstance(array, np.ndarray) and isinstance(array.base, np.ndarray):
        array = array.base
    return array


@profile.extension
def _functions(profiler: profile) -> Iterator[Replacement]:
    plain = Function.apply.__func__

    def apply(cls: type[Function], *args: Any, **kwargs: Any) -> Any:
        if not profiler.watches():
            return plain(cls, *args, **kwargs)
        with profiler.span(cls.__name__, "composition"):
            return plain(cls, *args, **kwargs)
    yield Function, "apply", classmethod(apply)


@profile.extension
def _traversal(profiler: profile) -> Iterator[Replacement]:
    plain = graph.reachable

    def reachable(*args: Any, **kwargs: Any) -> list[Node]:
        nodes = plain(*args, **kwargs)
        return _Turns(profiler, nodes) if profiler.watches() else nodes
    yield graph, "reachable", reachable


class _Turns(list):
    """Nodes in the order of the traversal. Going through them notes how long each has its turn."""

    def __init__(self, profiler: profile, nodes: list[Node]) -> None:
        super().__init__(nodes)
        self.profiler = profiler

    def __iter__(self) -> Iterator[Node]:
        profiler = self.profiler
        for node in super().__iter__():
            event = profiler.begin(node.name, "rule", "backward", profiler.module_of(node))
            try:
                yield node
            finally:
                profiler.end(event)
