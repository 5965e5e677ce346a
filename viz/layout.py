"""Where everything stands: a layered layout.

Ranks by longest path; the order within a rank by the mean position of the neighbors (Sugiyama, Tagawa, Toda 1981), or
by Graphviz, which crosses fewer wires in large graphs;
positions as near to that mean as the sizes allow. Between two ranks wires bend, beside and along the boxes they run
straight: so a text that stands on a straight run is never crossed.

All coordinates are (along, across): along the flow, and across it.
"""

import itertools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from viz import engines

Value = tuple[int, float]
"""A box, and where wires leave it."""
Item = tuple[int, float, float]
"""A box, or a place where a wire passes a rank: its rank, and how far it extends to the near and to the far side."""


PASSING = 0.001
"""Weight of a place where a wire passes, beside that of a box."""


@dataclass
class Size:
    """What a box needs.

    Attributes:
        length: along the flow.
        extent: across it.
        run: straight run for the texts after it.
        beside: further extent on the far side, for what is attached to the box.
        room: length that what is attached needs, if that is more.
    """

    length: float
    extent: float
    run: float = 0.0
    beside: float = 0.0
    room: float = 0.0


@dataclass
class Link:
    """A wire to be laid out.

    Attributes:
        source: index of a box.
        target: index of a later box.
        run: straight run it needs before its target.
        leaves: where it leaves its source, across from its center.
        enters: where it enters its target; by default beside the others, in the order in which they arrive.
    """

    source: int
    target: int
    run: float = 0.0
    leaves: float = 0.0
    enters: float | None = None


@dataclass
class Layout:
    """Positions.

    Attributes:
        centers: (along, across) of every box.
        run_ends: along, where the straight run after each box ends.
        routes: for every wire its points: straight, bend, straight, bend, …, straight.
        length: extent along the flow, from 0.
        extent: extent across the flow, from 0.
    """

    centers: list[tuple[float, float]]
    run_ends: list[float]
    routes: list[list[tuple[float, float]]]
    length: float
    extent: float


def place(sizes: Sequence[Size], links: Sequence[Link], *, gap: float = 16.0, bend: float = 34.0,
          longest_bend: float = 160.0, port_gap: float = 20.0, inputs_first: bool = True, sweeps: int = 0,
          engine: str = "layered", first: Collection[int] = (), last: Collection[int] = (),
          limit: float = math.inf, memory: dict[str, Any] | None = None) -> Layout:
    """Lay out boxes, which must be in topological order.

    Args:
        sizes: of the boxes.
        links: the wires.
        gap: least distance across the flow.
        bend: least room along the flow where wires bend.
        longest_bend: most room, where a wire bends far.
        port_gap: distance between the wires that enter a box.
        inputs_first: keep boxes that nothing leads to in their order in the first rank; otherwise each goes just before
            its first use.
        sweeps: how often to improve the order by going back and forth.
        engine: who says the order: see `engines`.
        first: boxes that stand in the first rank.
        last: boxes that stand in a last rank of their own.
        limit: length from which on the flow is cut into ribbons, which stand side by side.
        memory: of the same boxes and wires laid out before, with another limit: what is the same isn't done again.
    """
    memory = {} if memory is None else memory
    if memory.get("given") != (sizes, links):
        memory["flow"] = _one_ribbon(sizes, links, gap, bend, longest_bend, inputs_first, sweeps, engine, first, last,
                                     memory)
        memory["given"] = sizes, links
    ranks, columns, items, chains, crossings, *moved, length = memory["flow"]
    across, middle, run_end, bend_end = map(list, moved)
    inside = range(1 if first else 0, len(columns) - (1 if last else 0))
    ribbons = _Ribbons(bend_end, run_end, crossings, limit, inside)
    if ribbons.count > 1:
        length = ribbons.wrap(columns, items, across, middle, gap)
    extent = max((a + items[i][2] for i, a in enumerate(across)), default=0.0)
    centers = [(middle[ranks[i]], across[i]) for i in range(len(sizes))]
    ports = _ports(sizes, links, chains, across, port_gap)
    routes = []
    for link, chain, port in zip(links, chains, ports, strict=True):
        rank, at = ranks[link.source], across[link.source] + link.leaves
        route = [(centers[link.source][0] + sizes[link.source].length / 2, at), (run_end[rank], at)]
        for item in chain[1:-1]:
            route += ribbons.turn(rank, (link.source, link.leaves))
            rank += 1
            route += [(bend_end[rank], across[item]), (run_end[rank], across[item])]
        route += ribbons.turn(rank, (link.source, link.leaves))
        route += [(bend_end[rank + 1], port), (centers[link.target][0] - sizes[link.target].length / 2, port)]
        routes.append(route)
    return Layout(centers, [run_end[rank] for rank in ranks], routes, length, extent)


def _one_ribbon(sizes: Sequence[Size], links: Sequence[Link], gap: float, bend: float, longest_bend: float,
                inputs_first: bool, sweeps: int, engine: str, first: Collection[int], last: Collection[int],
                memory: dict[str, Any]) -> tuple[Any, ...]:
    """Ranks, columns, items, chains and crossings; positions across; and those along, as `_along` says them."""
    ranks = _ranks(len(sizes), links, inputs_first, first, last)
    items, chains = _with_bends(sizes, links, ranks)
    columns: list[list[int]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    for item, (rank, _, _) in enumerate(items):
        columns[rank].append(item)
    before, after = _neighbors(len(items), len(sizes), links, chains)
    if "found" not in memory:  # boxes that have become larger keep their order
        links_of_items = [(item, following) for item, others in enumerate(after) for following, _, _ in others]
        memory["found"] = engines.positions(engine, columns, [item[1:] for item in items], links_of_items, gap,
                                            inputs_first)
    across = _order(columns, items, len(sizes), before, after, gap, inputs_first, sweeps, memory["found"])
    if sweeps:
        _straighten(columns, items, chains, across, gap)
    low = min((a - items[i][1] for i, a in enumerate(across)), default=0.0)
    across = [a - low for a in across]
    along = _along(sizes, links, ranks, len(columns), bend, longest_bend, across, chains)
    return (ranks, columns, items, chains, _crossings(ranks, links), across, *along)


TURN, LANE = 26.0, 9.0
"""Room for the turn of a wire at the end of a ribbon, and between two wires on the way to the next ribbon."""


class _Ribbons:
    """The flow, cut between two ranks where few wires pass; whoever goes on in the next ribbon turns twice.

    Args:
        starts: along, where each rank begins.
        ends: along, where it ends.
        crossings: the values whose wires pass from each rank to the next.
        limit: length of a ribbon.
        inside: the ranks between the first and the last ports: a cut has some of them at both sides.
    """

    def __init__(self, starts: list[float], ends: list[float], crossings: list[list[Value]], limit: float,
                 inside: range) -> None:
        self.starts, self.ends, self.crossings = starts, ends, crossings
        self.cuts: list[int] = []  # ranks with which a new ribbon begins
        begin = 0
        for rank in inside[1:]:
            if rank > begin and ends[rank] - starts[begin] > limit:
                near = [r for r in range(max(begin, inside[0]) + 1, rank + 1)
                        if ends[r - 1] - starts[begin] >= 0.6 * limit]
                begin = min(near or [rank], key=lambda r: (len(crossings[r - 1]), -r))
                self.cuts.append(begin)
        self.count = len(self.cuts) + 1
        self.lanes: dict[tuple[int, Value], float] = {}  # (rank before a cut, value) -> across

    def wrap(self, columns: list[list[int]], items: list[Item], across: list[float], middle: list[float],
             gap: float) -> float:
        """Move all ranks into their ribbons; the length of the longest one."""
        edges, free, longest = [0, *self.cuts, len(columns)], 0.0, 0.0
        for number, (begin, end) in enumerate(itertools.pairwise(edges)):
            members = [item for rank in range(begin, end) for item in columns[rank]]
            if number:
                crossing = self.crossings[begin - 1]
                free += gap
                for lane, value in enumerate(crossing):
                    self.lanes[begin - 1, value] = free + lane * LANE
                free += LANE * (len(crossing) - 1) + gap
            shift = free - min(across[item] - items[item][1] for item in members)
            for item in members:
                across[item] += shift
            free = max(across[item] + items[item][2] for item in members)
            back = self.starts[begin] - TURN
            for rank in range(begin, end):
                for places in (middle, self.starts, self.ends):
                    places[rank] -= back
            longest = max(longest, self.ends[end - 1])
        return longest + TURN

    def turn(self, rank: int, value: Value) -> list[tuple[float, float]]:
        """The points of the way to the next ribbon, if one begins after this rank."""
        if (rank, value) not in self.lanes:
            return []
        lane = self.lanes[rank, value]
        return [(self.ends[rank], lane), (self.starts[rank + 1], lane)]


def _crossings(ranks: list[int], links: Sequence[Link]) -> list[list[Value]]:
    """For every rank the values whose wires go on to the next."""
    furthest: dict[Value, int] = {}
    for link in links:
        value = link.source, link.leaves
        furthest[value] = max(furthest.get(value, 0), ranks[link.target])
    found: list[list[Value]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    for value, end in furthest.items():
        for rank in range(ranks[value[0]], end):
            found[rank].append(value)
    return found


def _ranks(count: int, links: Sequence[Link], inputs_first: bool, first: Collection[int],
           last: Collection[int]) -> list[int]:
    ranks, has_source, first_use = [0] * count, [False] * count, [count] * count
    for link in sorted(links, key=lambda link: link.target):
        ranks[link.target] = max(ranks[link.target], ranks[link.source] + 1)
        has_source[link.target] = True
    end = max([ranks[i] for i in range(count) if i not in last], default=-1) + 1
    for i in last:
        ranks[i] = end
    for i in first:
        has_source[i] = True
    for link in links:
        first_use[link.source] = min(first_use[link.source], ranks[link.target])
    if inputs_first:
        return ranks
    return [rank if sourced or use == count else use - 1
            for rank, sourced, use in zip(ranks, has_source, first_use, strict=True)]


def _with_bends(sizes: Sequence[Size], links: Sequence[Link], ranks: list[int]) -> tuple[list[Item], list[list[int]]]:
    """The boxes and the places in the ranks that wires pass; each wire's items."""
    items = [(rank, size.extent / 2, size.extent / 2 + size.beside) for rank, size in zip(ranks, sizes, strict=True)]
    chains, passing = [], {}
    for link in links:
        chain = [link.source]
        for rank in range(ranks[link.source] + 1, ranks[link.target]):
            value = link.source, link.leaves, rank
            if value not in passing:  # wires of one value share their way
                passing[value] = len(items)
                items.append((rank, 3.0, 3.0))
            chain.append(passing[value])
        chains.append([*chain, link.target])
    return items, chains


Neighbor = tuple[int, float, float]
"""Another item, how far across from it one would stand for a straight wire, and the weight of that wish."""


def _neighbors(count: int, boxes: int, links: Sequence[Link],
               chains: list[list[int]]) -> tuple[list[list[Neighbor]], list[list[Neighbor]]]:
    """Wires that end at the next rank weigh more than those that pass by others: these go around."""
    before: list[list[Neighbor]] = [[] for _ in range(count)]
    after: list[list[Neighbor]] = [[] for _ in range(count)]
    for link, chain in zip(links, chains, strict=True):
        for left, right in itertools.pairwise(chain):
            offset = (link.leaves if left < boxes else 0.0) - ((link.enters or 0.0) if right < boxes else 0.0)
            weight = 1.0 if (left < boxes) == (right < boxes) else 0.1
            before[right].append((left, offset, weight))
            after[left].append((right, -offset, weight))
    return before, after


def _order(columns: list[list[int]], items: list[Item], boxes: int, before: list[list[Neighbor]],
           after: list[list[Neighbor]], gap: float, inputs_first: bool, sweeps: int,
           found: list[float] | None) -> list[float]:
    """The position of every item across the flow, perhaps in the order that an engine has found."""
    across = [0.0] * len(items)
    if found:
        for column in columns:
            column.sort(key=found.__getitem__)
            _spread(column, found, items, boxes, gap, across)
        return across
    for sweep in range(2 * sweeps + 1):
        forward = sweep % 2 == 0
        near = before if forward else after
        for rank in range(len(columns)) if forward else reversed(range(len(columns))):
            column, wanted = columns[rank], {}
            for item in column:
                neighbors = near[item]
                if len(neighbors) == 1:  # as wherever a wire passes
                    wanted[item] = across[neighbors[0][0]] + neighbors[0][1]
                elif neighbors:
                    wanted[item] = (sum([(across[n] + offset) * weight for n, offset, weight in neighbors])
                                    / sum([weight for _, _, weight in neighbors]))
                else:
                    wanted[item] = across[item]
            if rank or not inputs_first:
                column.sort(key=wanted.__getitem__)
            _spread(column, wanted, items, boxes if sweeps else len(items), gap, across)
    return across


def _straighten(columns: list[list[int]], items: list[Item], chains: list[list[int]], across: list[float],
                gap: float) -> None:
    """Let a wire that passes several ranks do so in one line, as far out as the widest of what it passes."""
    place = {item: k for column in columns for k, item in enumerate(column)}
    for chain in chains:
        passing = chain[1:-1]
        if len(passing) < 2:
            continue
        outward = sum(across[item] for item in passing) / len(passing) >= (across[chain[0]] + across[chain[-1]]) / 2
        line = (max if outward else min)(across[item] for item in passing)

        def is_free(item: int, line: float = line) -> bool:
            column, k = columns[items[item][0]], place[item]
            _, near, far = items[item]
            return ((k == 0 or across[column[k - 1]] + items[column[k - 1]][2] + gap + near <= line + 1e-6)
                    and (k + 1 == len(column)
                         or line + far + gap + items[column[k + 1]][1] <= across[column[k + 1]] + 1e-6))
        if all(map(is_free, passing)):
            for item in passing:
                across[item] = line


def _spread(column: list[int], wanted: dict[int, float] | list[float], items: list[Item], boxes: int, gap: float,
            across: list[float]) -> None:
    """Set the positions nearest to the wanted ones, in least squares, that keep the order and the distances.

    With the distances subtracted this is isotonic regression, by pooling adjacent violators. Boxes weigh more than
    wires that pass.
    """
    offsets, offset = [], 0.0
    pools: list[tuple[float, float, float, int]] = []  # mean, sum, weight, and how many
    for item in column:
        _, near, far = items[item]
        offset += near
        offsets.append(offset)
        mean = wanted[item] - offset
        weight, count = 1.0 if item < boxes else PASSING, 1
        total = mean * weight
        offset += far + gap
        while pools and pools[-1][0] > mean:
            _, earlier, heavy, n = pools.pop()
            total, weight, count = total + earlier, weight + heavy, count + n
            mean = total / weight
        pools.append((mean, total, weight, count))
    place = 0
    for mean, _, _, count in pools:
        for _ in range(count):
            across[column[place]] = mean + offsets[place]
            place += 1


def _ports(sizes: Sequence[Size], links: Sequence[Link], chains: list[list[int]], across: list[float],
           port_gap: float) -> list[float]:
    """Where each wire enters its target: in the order in which the wires arrive, if there is room straight on."""
    entering: dict[int, list[int]] = {}
    for i, link in enumerate(links):
        entering.setdefault(link.target, []).append(i)
    ports = [0.0] * len(links)
    for target, wires in entering.items():
        middle, count = across[target], len(wires)
        arrival = {i: across[chains[i][-2]] + (links[i].leaves if len(chains[i]) == 2 else 0.0) for i in wires}
        wires.sort(key=arrival.__getitem__)
        room = sizes[target].extent / 2 - port_gap
        if count > 1 and room > port_gap * (count - 1):
            passing = [(0, port_gap / 2, port_gap / 2)] * count
            wanted = {k: min(max(arrival[i], middle - room), middle + room) for k, i in enumerate(wires)}
            boxes = [k for k, i in enumerate(wires) if len(chains[i]) == 2]
            order = {k: place for place, k in enumerate([*boxes, *(k for k in range(count) if k not in boxes)])}
            places = [0.0] * count
            _spread([order[k] for k in range(count)], {order[k]: wanted[k] for k in wanted}, passing, len(boxes), 0.0,
                    places)
            shift = max(0.0, middle - room - places[order[0]]) + min(0.0, middle + room - places[order[count - 1]])
            for k, i in enumerate(wires):
                ports[i] = places[order[k]] + shift
        else:
            for place_, i in enumerate(wires):
                ports[i] = middle + (place_ - (count - 1) / 2) * port_gap
        for i in wires:
            enters = links[i].enters
            if enters is not None:
                ports[i] = middle + enters
    return ports


def _along(sizes: Sequence[Size], links: Sequence[Link], ranks: list[int], count: int, bend: float,
           longest_bend: float, across: list[float],
           chains: list[list[int]]) -> tuple[list[float], list[float], list[float], float]:
    """For every rank: the middle of its boxes, where its straight runs end, where the bends before it end."""
    lengths, runs, entries, rises = [0.0] * count, [0.0] * count, [0.0] * count, [0.0] * (count + 1)
    for size, rank in zip(sizes, ranks, strict=True):
        lengths[rank] = max(lengths[rank], size.length, size.room)
    for size, rank in zip(sizes, ranks, strict=True):
        runs[rank] = max(runs[rank], size.run - (lengths[rank] - size.length) / 2)
    for link, chain in zip(links, chains, strict=True):
        entries[ranks[link.target]] = max(entries[ranks[link.target]], link.run)
        for i in range(len(chain) - 1):
            rank = ranks[link.source] + i + 1
            rises[rank] = max(rises[rank], abs(across[chain[i]] - across[chain[i + 1]]))
    middle, run_end, bend_end, position = [], [], [], 0.0
    for rank in range(count):
        if rank:
            least = bend / 3 if not (lengths[rank] and lengths[rank - 1]) and rises[rank] < 1 else bend
            position += max(least, min(rises[rank] * 0.35, longest_bend))
        bend_end.append(position)
        position += entries[rank] + lengths[rank] / 2
        middle.append(position)
        position += lengths[rank] / 2 + runs[rank]
        run_end.append(position)
    return middle, run_end, bend_end, position
