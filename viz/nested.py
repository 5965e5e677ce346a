"""Where everything stands when boxes belong together: each group is laid out by itself, and is a box of the next one.

So a frame never holds anything else, whatever its neighbors are. A wire that enters or leaves a group goes through a
place in its border, a port: in the group the port is a box without size in the first or the last rank, outside it is
where the wire enters or leaves the group.
"""

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from viz.layout import Layout, Link, Size, place

Route = list[tuple[float, float]]


@dataclass(eq=False)
class Group:
    """Boxes and groups that belong together.

    Attributes:
        boxes: indices of the boxes that are in no group inside it.
        groups: those inside it.
        number: of its cluster; -1 for the outermost.
    """

    boxes: list[int] = field(default_factory=list)
    groups: list["Group"] = field(default_factory=list)
    number: int = -1

    @property
    def first(self) -> int:
        """The first box inside it, at any depth."""
        return min([*self.boxes, *(group.first for group in self.groups)])


@dataclass
class Frame:
    """The room around the boxes of a group: before and after them along the flow, at both sides across it, and in all.
    """

    before: float = 0.0
    after: float = 0.0
    near: float = 0.0
    far: float = 0.0
    length: float = 0.0
    extent: float = 0.0


@dataclass
class Nested:
    """Positions of all boxes, as in a `Layout`, and the frames.

    Attributes:
        centers: box -> (along, across).
        run_ends: box -> along.
        routes: for every wire its points: straight, bend, straight, bend, …, straight.
        frames: number of a group -> its first and its last corner, (along, across) each.
        length: extent along the flow.
        extent: extent across the flow.
    """

    centers: dict[int, tuple[float, float]]
    run_ends: dict[int, float]
    routes: list[Route]
    frames: dict[int, tuple[tuple[float, float], tuple[float, float]]]
    length: float
    extent: float


def place_groups(root: Group, sizes: Mapping[int, Size], links: Sequence[Link], frames: Mapping[int, Frame],
                 limit: float = math.inf, memory: dict[int, dict[str, Any]] | None = None, **options: Any) -> Nested:
    """Lay out boxes in groups.

    Args:
        root: all groups; together they hold every box once.
        sizes: of the boxes.
        links: the wires, between boxes.
        frames: number of a group -> the room it needs around its boxes.
        limit: length from which on the flow of a group is cut into ribbons.
        memory: of the same groups laid out before, with another limit.
        options: of `layout.place`.
    """
    memory = {} if memory is None else memory
    home: dict[int, Group] = {}
    around: dict[Group, Group | None] = {root: None}
    waiting = [root]
    for group in waiting:
        home.update(dict.fromkeys(group.boxes, group))
        around.update(dict.fromkeys(group.groups, group))
        waiting += group.groups
    members: dict[Group, list[tuple[int, Link]]] = {group: [] for group in waiting}  # wires that it takes part in
    ways: list[list[Group]] = []
    for wire, link in enumerate(links):
        up, down = [home[link.source]], [home[link.target]]
        for way in (up, down):
            while (outer := around[way[-1]]) is not None:
                way.append(outer)
        while len(up) > 1 and len(down) > 1 and up[-2] is down[-2]:
            up.pop()
            down.pop()
        ways.append([*up, *down[-2::-1]])
        for group in ways[-1]:
            members[group].append((wire, link))
    placed: dict[Group, _Placed] = {}
    for group in reversed(waiting):  # the inner ones first
        frame = frames.get(group.number, Frame())
        placed[group] = _Placed(group, placed, sizes, members[group], home, around, frame,
                                limit - frame.before - frame.after,
                                {**options, "memory": memory.setdefault(group.number, {})})
    nested = Nested({}, {}, [], {}, *placed[root].sides)
    corners: dict[Group, tuple[float, float]] = {root: (0.0, 0.0)}
    for group in waiting:
        here, (along, across) = placed[group], corners[group]
        for box in group.boxes:
            x, y = here.center(box)
            nested.centers[box] = along + x, across + y
            nested.run_ends[box] = along + here.run_end(box)
        for inner in group.groups:
            x, y = here.center(inner)
            length, extent = placed[inner].sides
            corners[inner] = start = along + x - length / 2, across + y - extent / 2
            nested.frames[inner.number] = start, (start[0] + length, start[1] + extent)
    for wire, way in enumerate(ways):
        route: Route = []
        for group in way:
            (along, across), part = corners[group], placed[group].routes[wire]
            part = [(along + x, across + y) for x, y in part]
            route = [*route[:-1], *part[1:]] if route else part
        nested.routes.append(route)
    return nested


class _Placed:
    """One group, laid out: what is in it, and the ports in its border.

    Attributes:
        sides: length and extent with the frame.
        routes: wire -> its way inside this group, from the frame or a box to a box or the frame.
    """

    sides: tuple[float, float]
    routes: dict[int, Route]

    def __init__(self, group: Group, placed: Mapping[Group, "_Placed"], sizes: Mapping[int, Size],
                 wires: list[tuple[int, Link]], home: Mapping[int, Group], around: Mapping[Group, Group | None],
                 frame: Frame, limit: float, options: dict[str, Any]) -> None:
        self.frame = frame
        children: dict[Any, Size] = {box: sizes[box] for box in group.boxes}
        children |= {inner: Size(placed[inner].sides[0], placed[inner].sides[1], 6.0) for inner in group.groups}

        def child(box: int) -> Any:
            """The member of this group that a box is or is in; None if it is elsewhere."""
            if home[box] is group:
                return box
            inner: Group | None = home[box]
            while inner is not None and around[inner] is not group:
                inner = around[inner]
            return inner
        ends: list[tuple[int, Link, Any, Any]] = []
        entries: dict[Any, None] = {}
        exits: dict[Any, None] = {}
        for wire, link in wires:
            source, target = child(link.source), child(link.target)
            if source is None:
                entries[source := ("entry", link.source)] = None
            if target is None:
                exits[target := ("exit", link.source)] = None
            ends.append((wire, link, source, target))
        everything = [*entries, *_in_order(children, ends), *exits]
        self.index = {what: i for i, what in enumerate(everything)}
        local: dict[tuple[int, Any, int], Link] = {}
        users: dict[int, tuple[int, Any, int]] = {}
        for wire, link, source, target in ends:
            made = replace(link, source=self.index[source], target=self.index[target])
            if isinstance(source, Group):
                made.leaves = placed[source].port(("exit", link.source))
            if isinstance(target, Group):
                made.enters, made.run = placed[target].port(("entry", link.source)), 0.0
            elif isinstance(target, tuple):
                made.enters, made.run = 0.0, 0.0
            # Wires of one value to one group share their way; a box may take a value twice.
            users[wire] = key = (link.source, target, wire if isinstance(target, int) else -1)
            local.setdefault(key, made)
        ports = Size(0.0, 6.0)
        count = len(everything)
        self.layout: Layout = place([children.get(what, ports) for what in everything], list(local.values()),
                                    first=range(len(entries)), last=range(count - len(exits), count), limit=limit,
                                    **options)
        self.sides = (max(self.layout.length + frame.before + frame.after, frame.length),
                      max(self.layout.extent + frame.near + frame.far, frame.extent))
        routes = dict(zip(local, self.layout.routes, strict=True))
        self.routes = {wire: self._way(key, routes[key]) for wire, key in users.items()}

    def center(self, what: Any) -> tuple[float, float]:
        """Of a member or a port, from the corner of the frame."""
        along, across = self.layout.centers[self.index[what]]
        return along + self.frame.before, across + self.frame.near

    def run_end(self, box: int) -> float:
        """Where the straight run after a box ends."""
        return self.layout.run_ends[self.index[box]] + self.frame.before

    def port(self, what: Any) -> float:
        """Where a wire crosses the border, across from the middle of the group."""
        return self.center(what)[1] - self.sides[1] / 2

    def _way(self, key: tuple[int, Any, int], route: Route) -> Route:
        way = [(along + self.frame.before, across + self.frame.near) for along, across in route]
        if ("entry", key[0]) in self.index:
            way[0] = 0.0, way[0][1]
        if isinstance(key[1], tuple):
            way[-1] = self.sides[0], way[-1][1]
        return way


def _in_order(children: Mapping[Any, Size], ends: Sequence[tuple[int, Link, Any, Any]]) -> list[Any]:
    """The members of a group in topological order, otherwise as they were."""
    rank = {what: i for i, what in enumerate(children)}
    first = {what: what.first if isinstance(what, Group) else what for what in children}
    sources: dict[Any, set[Any]] = {what: set() for what in children}
    targets: dict[Any, set[Any]] = {what: set() for what in children}
    for _, _, source, target in ends:
        if source in rank and target in rank:
            sources[target].add(source)
            targets[source].add(target)
    ready = [(first[what], rank[what], what) for what in children if not sources[what]]
    heapq.heapify(ready)
    order = []
    while ready:
        _, _, what = heapq.heappop(ready)
        order.append(what)
        for target in targets[what]:
            sources[target].discard(what)
            if not sources[target]:
                heapq.heappush(ready, (first[target], rank[target], target))
    return order

