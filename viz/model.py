"""A graph of large tensors: operations with shapes, dtypes and statistics, grouped by the modules they belong to."""

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from autograd import Graph, Node, Tensor, costs, no_grad
from viz import families, health, notation, text
from viz.diagnosis import Diagnosis, Unreached, diagnose
from viz.names import Names
from viz.picture import CONSTANT, INPUT, MODEL, MODULE, OPERATION, PARAMETER, Box, Cluster, Look, Picture, Wire
from viz.reading import Reading, arguments, is_constant, output_name
from viz.scopes import NONE, Chosen, Repeats, Scope, all_paths, fold, innermost, is_pick, operations, readable_depth


class ModelReading(Reading):
    """What is known about a graph, for all pictures of a model.

    Args:
        graph: after `forward()` and `backward()`.
        names: of parameters and variables.
        parameters: ids of what belongs to modules: drawn beside the operation that reads it, hidden in a closed module.
        constants: whether to draw constants without a name.
        modules: prefix -> module, for what may be wrong with them.
        shapes: whether to draw operations that only bring a value into another shape.
        look: of the pictures.
        failed: whether the forward pass failed; there are no gradients then.
    """

    def __init__(self, graph: Graph, names: Names, parameters: set[int], constants: bool,
                 modules: Mapping[str, Any] | None = None, shapes: bool = True, look: Look | None = None,
                 failed: bool = False) -> None:
        super().__init__(graph, names)
        self.parameters, self.constants, self.look = parameters, constants, look
        self._seconds: dict[Node, float] = {}
        self._summaries: dict[tuple[int, bool], health.Summary] = {}
        roots = {output.node for output in graph.outputs}
        # Not worth a box: what only brings a parameter into shape.
        self.views: dict[Any, Any] = {}
        for node in graph.nodes:
            parent = node.parents[0]
            if (_is_only_reshaped(node) and (id(parent) in parameters or not shapes) and node not in roots
                    and id(node) not in names):
                self.views[node] = self.views.get(parent, parent)
        self.diagnosis = Diagnosis() if failed else diagnose(graph, modules, self._summary)
        self.unreached: dict[str, list[Unreached]] = {}  # by the path of the module in which they are drawn
        self.insides: dict[str, Picture] = {}

    def summary(self, origin: Any) -> health.Summary:
        """Of a value; taken once."""
        return self._summary(origin, False)

    def summary_of_gradient(self, origin: Any) -> health.Summary:
        """Of a gradient; taken once."""
        return self._summary(origin, True)

    def _summary(self, origin: Any, of_gradient: bool) -> health.Summary:
        key = id(origin), of_gradient
        if key not in self._summaries:
            array = self.gradient(origin) if of_gradient else self.value(origin)
            several = array is None or isinstance(array, (tuple, dict))  # outputs of one operation, each with a box
            self._summaries[key] = health.Summary("") if several else health.summarize(array)
        return self._summaries[key]

    def costs(self, nodes: Iterable[Node]) -> dict[str, float]:
        """What some operations take: numbers in their parameters, FLOPs, bytes of their results, seconds."""
        sums: dict[str, float] = dict.fromkeys(("count", "flops", "bytes", "time"), 0.0)
        read = set()
        for node in nodes:
            for _, origin in self.arguments(node):
                if id(origin) in self.parameters and id(origin) not in read and isinstance(origin, Tensor):
                    read.add(id(origin))
                    sums["count"] += origin.array.size
            if is_pick(node):
                continue
            value = self.value(node)
            shapes: list[tuple[int, ...] | None] = [np.shape(self.value(origin)) for _, origin in arguments(node)]
            results = list(value) if isinstance(value, tuple) else [value]
            sums["flops"] += costs.flops(node.operation, shapes, np.shape(results[0]), node.options)
            sums["bytes"] += 0 if node.operation.view else sum(getattr(result, "nbytes", 0) for result in results)
            if self.look and self.look.show and "time" in self.look.show:
                if node not in self._seconds:
                    self._seconds[node] = self._time(node)
                sums["time"] += self._seconds[node]
        return sums

    def _time(self, node: Node) -> float:
        """The second of two calls: the first may have to make room."""
        given = [self.value(origin) for _, origin in arguments(node)]
        with no_grad():
            node.operation.forward(*given, **node.options)
            begin = time.perf_counter()
            node.operation.forward(*given, **node.options)
        return time.perf_counter() - begin

    def arguments(self, node: Node) -> Iterator[tuple[int, Any]]:
        """As `reading.arguments`; a parameter that is only reshaped counts as the parameter."""
        for i, origin in arguments(node):
            yield i, self.views.get(origin, origin) if isinstance(origin, Node) else origin


def _is_only_reshaped(node: Node) -> bool:
    """Whether a node shows all elements of its argument, each as often as the others."""
    if not node.operation.view or node.shape is None or node.parents[0].shape is None:
        return False
    size, before = math.prod(node.shape), math.prod(node.parents[0].shape)
    return size > 0 and before > 0 and not size % before


def model_picture(reading: ModelReading, root: Scope, depth: int, chosen: Chosen = NONE,
                  failed: tuple[Box, list[Any]] | None = None) -> Picture:
    """The whole graph, with modules opened down to some depth, and in `insides` what is in the closed ones.

    What failed is drawn as a box of its own, behind what it was called on.
    """
    paths = set(all_paths(root))
    for part in reading.diagnosis.unreached:  # in the innermost module around it that is called
        around = [part.path[:end] for end, letter in enumerate(part.path) if letter == "."]
        reading.unreached.setdefault(next((path for path in reversed(around) if path in paths), ""), []).append(part)
    model = Model(reading, root, depth, chosen)
    whole = model.picture
    if failed is not None:
        model.fail(*failed)
    if not whole.boxes:  # a leaf that nothing was computed from
        whole.add(model.leaf(reading.graph.outputs[0]))
    closed = sum(box.kind is MODULE for box in whole.boxes)
    whole.summary = (f"Graph of {len(reading.graph.nodes)} operations and {len(reading.graph.leaves)} leaves"
                     + (f", {closed} modules closed" if closed else ""))
    whole.summary += next((f"; {box.label}: {box.alarm}" for box in whole.boxes if box.born), "")
    whole.insides = reading.insides
    return whole


class Model:
    """The picture of one scope: the whole graph, or what is in one module.

    Args:
        reading: of the graph.
        root: the tree of calls.
        depth: how many levels of modules to open.
        chosen: which modules to open however deep they are.
    """

    def __init__(self, reading: ModelReading, root: Scope, depth: int, chosen: Chosen = NONE) -> None:
        self.reading, self.chosen = reading, chosen
        self.nodes = list(operations(root))
        self.inside = set(self.nodes)
        self.picture = Picture(MODEL, f"{root.path} {root.kind}", look=reading.look)
        self.box_of: dict[int, int] = {}  # id of an origin -> index of its box
        self._draw(root, depth)
        self._wires()

    # Boxes, in topological order

    def _draw(self, scope: Scope, depth: int) -> list[int]:
        members: list[int] = []
        for item in fold(scope, depth > 0, self.chosen):
            if isinstance(item, Node):
                if item in self.reading.views:
                    continue
                if self.reading.has_no_box(item):  # its operation may stand in a closed module
                    self.box_of[id(item)] = self.box_of[id(item.parents[0])]
                else:
                    leaves = self._leaves([item], closed=False)
                    members += [i for i in leaves if not scope.path or self.picture.boxes[i].kind is PARAMETER]
                    members.append(self._operation(item))
            elif isinstance(item, Scope) and (depth > 0 or self.chosen(item.path)):
                cluster = Cluster(f"{text.shorten(item.path)} {item.kind}", [])
                self.picture.clusters.append(cluster)
                cluster.members = self._draw(item, depth - 1)
                members += cluster.members
            else:
                self._leaves(operations(item), closed=True)
                members.append(self._module(item))
        for part in self.reading.unreached.get(scope.path, ()):
            if not any(box.label == text.shorten(part.path, 34) for box in self.picture.boxes):
                members.append(self._unreached(part))
        return members

    def _add(self, box: Box, origins: Iterable[Any]) -> int:
        where = self.picture.add(box)
        self.box_of.update(dict.fromkeys(map(id, origins), where))
        return where

    def _is_drawn(self, origin: Any) -> bool:
        """Whether an argument of a visible operation has a box as an input: what comes from outside has."""
        if is_constant(origin):
            return origin is not None and (self.reading.constants or id(origin) in self.reading.names
                                           or id(origin) in self.reading.diagnosis.findings)
        return origin not in self.inside

    def _leaves(self, nodes: Iterable[Node], closed: bool) -> list[int]:
        """The boxes of leaves and constants that appear first here; a closed module keeps its own inside."""
        added = []
        for node in nodes:
            for _, origin in self.reading.arguments(node):
                hidden = closed and id(origin) in self.reading.parameters
                if self._is_drawn(origin) and not hidden and id(origin) not in self.box_of:
                    added.append(self._add(self.leaf(origin), [origin]))
        return added

    def leaf(self, origin: Any) -> Box:
        """The box of a leaf, a constant, or a result from outside."""
        kind = PARAMETER if id(origin) in self.reading.parameters else CONSTANT if is_constant(origin) else INPUT
        name = self.reading.name(origin) or (
            origin.name if isinstance(origin, Node) else self.reading.label(origin))
        box = Box(kind, text.shorten(name, 34))
        self._fill(box, origin)
        box.note = f"{name}, {box.note}"
        self._warn(box, [origin])
        return box

    def _operation(self, node: Node) -> int:
        inside, shown = self.reading.folded(node), self.reading.shown(node)
        label = output_name(node) if is_pick(node) else notation.title(node, inside, self.reading.x)
        name = self.reading.name(shown)
        box = Box(OPERATION, text.shorten(label, 34), name if name != label else "")
        if shown.shape is None:
            box.lines = (f"{len(self.reading.value(node))} results",)
        else:
            self._fill(box, shown)
        box.family, box.settings, box.costs = families.family(node), families.settings(node), self.reading.costs([node])
        box.note = ", ".join(part for part in (label, box.settings, box.note) if part)
        self._warn(box, [node, shown])
        return self._add(box, [node, shown])

    def _module(self, item: "Scope | Repeats") -> int:
        nodes = list(operations(item))
        calls = item.calls if isinstance(item, Repeats) else [item]
        label = calls[0].path if len(calls) == 1 else f"{calls[0].path} … {calls[-1].path} × {len(calls)}"
        covered = self._covered(item)
        ill = self.reading.diagnosis.worst(covered)
        each = [calls[0]] if ill is None else [*calls, *(item.rounds() if isinstance(item, Repeats) else ())]
        shown = next((call for call in each if ill and any(o is ill[0] for o in self._covered(call))), calls[0])
        box = Box(MODULE, text.shorten(label, 40), link=self.reading.link(shown))
        self.reading.covered[id(box)] = covered
        if len(calls) > 1:
            self.reading.rounds[id(box)] = calls
        self.reading.insides[box.link] = Model(self.reading, shown, readable_depth(shown)).picture
        last = next((node for node in reversed(nodes) if node.shape is not None and node not in self.reading.views),
                    nodes[-1])
        if last.shape is not None:
            self._fill(box, last)
        own = {id(p): p for node in nodes for p in node.parents if p is not None and id(p) in self.reading.parameters}
        box.family, box.costs = families.common_family(nodes), self.reading.costs(nodes)
        settings = [found for node in nodes if families.family(node) != "shape" and (found := families.settings(node))]
        if len(calls) == 1 and len(settings) == 1:
            box.settings = settings[0]
        parameters = f", {sum(math.prod(p.shape) for p in own.values()):,} parameters" if own else ""
        box.lines = (calls[0].kind, f"{len(nodes)} operation{'s' * (len(nodes) > 1)}{parameters}", *box.lines)
        box.note = f"{label}, {', '.join(box.lines[:2])}, {box.note}"
        if ill:
            self._warn(box, [ill[0]], self._where(shown, ill[0], label))
        return self._add(box, nodes)

    def _covered(self, place: "Scope | Repeats") -> list[Any]:
        """What a closed module hides: its operations, the parameters that they read, and those that nothing reads."""
        nodes, calls = list(operations(place)), place.calls if isinstance(place, Repeats) else [place]
        own = [origin for node in nodes for _, origin in arguments(node) if id(origin) in self.reading.parameters]
        return [*nodes, *own, *(part for home, parts in self.reading.unreached.items() for part in parts
                                if any(f"{home}.".startswith(f"{call.path}.") for call in calls))]

    def _where(self, call: Scope, origin: Any, label: str) -> str:
        """Where in a closed module something is."""
        if isinstance(origin, Unreached):
            return origin.path
        if not isinstance(origin, Node):
            return self.reading.name(origin)
        path = innermost(call, origin).path
        return f"{path}, {origin.name}" if path != label else origin.name

    def _unreached(self, part: Unreached) -> int:
        """The box of a parameter, or of all in a module, that no output depends on."""
        box = Box(PARAMETER, text.shorten(part.path, 34), lines=(f"{part.kind} {part.count:,} parameters".strip(),),
                  gradient=text.NONE)
        box.note = f"{part.path}, {box.lines[0]}, {box.gradient_in_words()}"
        self._warn(box, [part])
        return self.picture.add(box)

    def _warn(self, box: Box, origins: Iterable[Any], where: str = "") -> None:
        """Write what is wrong into a box."""
        if worst := self.reading.diagnosis.worst(origins):
            finding = worst[1]
            box.alarm, box.born, box.follows = finding.line(where), finding.born, finding.follows
            box.note += f", {box.alarm}"

    def _fill(self, box: Box, origin: Any) -> None:
        """Shape, dtype and the statistics of value and gradient."""
        self.reading.locate(box, origin)
        value, gradient = np.asarray(self.reading.value(origin)), self.reading.gradient(origin)
        box.lines = (f"{text.shape(value.shape)}  {value.dtype}",)
        summary = self.reading.summary(origin)
        box.value, box.value_bars = summary.text, summary.bars
        if gradient is None:
            box.gradient = text.NONE
        else:
            of_gradient = self.reading.summary_of_gradient(origin)
            box.gradient, box.gradient_bars = of_gradient.text, of_gradient.bars
        box.note = f"{box.lines[0]}, value {box.value}, {box.gradient_in_words()}"

    # Wires

    def fail(self, box: Box, origins: list[Any]) -> None:
        """Add the box of a call that could not be made, and of what it was called on."""
        for origin in origins:
            if id(origin) not in self.box_of:
                if isinstance(origin, Tensor):
                    self.reading.graph.values[origin] = origin.array
                self._add(self.leaf(origin), [origin])
        target = self.picture.add(box)
        self.picture.wires += [Wire(source, target, argument=i) for i, source in
                               enumerate(dict.fromkeys(self.box_of[id(origin)] for origin in origins))]

    def _wires(self) -> None:
        seen: dict[tuple[int, int], Wire] = {}
        for node in self.nodes:
            if node in self.reading.views and id(node) not in self.box_of:
                continue
            target = self.box_of[id(node)]
            for i, origin in self.reading.arguments(node):
                source = self.box_of.get(id(origin))
                # A leaf that a closed module reads may be drawn later, where another operation reads it too.
                if source is None or source >= target:
                    continue
                if (source, target) not in seen:
                    seen[source, target] = wire = Wire(source, target, argument=i)
                    self.picture.wires.append(wire)
                self.reading.uses.setdefault(id(seen[source, target]), []).append((node, i))
