"""Where everything stands: a layered layout.

Ranks by longest path; the order within a rank by the mean position of the neighbors (Sugiyama, Tagawa, Toda 1981), or
by Graphviz, which crosses fewer wires in large graphs;
positions as near to that mean as the sizes allow. Between two ranks wires bend, beside and along the boxes they run
straight: so a text that stands on a straight run is never crossed.

All coordinates are (along, across): along the flow, and across it.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from viz import engines

Item = tuple[int, float, float]
"""A box, or a place where a wire passes a rank: its rank, and how far it extends to the near and to the far side."""


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
    """A wire to be laid out, and the straight run it needs before its target."""

    source: int
    target: int
    run: float = 0.0


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
          engine: str = "layered") -> Layout:
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
    """
    ranks = _ranks(len(sizes), links, inputs_first)
    items, chains = _with_bends(sizes, links, ranks)
    columns: list[list[int]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    for item, (rank, _, _) in enumerate(items):
        columns[rank].append(item)
    before, after = _neighbors(len(items), chains)
    across = _order(columns, items, before, after, gap, inputs_first, sweeps, engine)
    low = min((a - items[i][1] for i, a in enumerate(across)), default=0.0)
    across = [a - low for a in across]
    extent = max((a + items[i][2] for i, a in enumerate(across)), default=0.0)

    middle, run_end, bend_end, length = _along(sizes, links, ranks, len(columns), bend, longest_bend, across, chains)
    centers = [(middle[ranks[i]], across[i]) for i in range(len(sizes))]
    ports = _ports(links, chains, across, port_gap)
    routes = []
    for link, chain, port in zip(links, chains, ports, strict=True):
        rank = ranks[link.source]
        route = [(centers[link.source][0] + sizes[link.source].length / 2, across[link.source]),
                 (run_end[rank], across[link.source])]
        for item in chain[1:-1]:
            rank += 1
            route += [(bend_end[rank], across[item]), (run_end[rank], across[item])]
        route += [(bend_end[rank + 1], port), (centers[link.target][0] - sizes[link.target].length / 2, port)]
        routes.append(route)
    return Layout(centers, [run_end[rank] for rank in ranks], routes, length, extent)


def _ranks(count: int, links: Sequence[Link], inputs_first: bool) -> list[int]:
    ranks, has_source, first_use = [0] * count, [False] * count, [count] * count
    for link in sorted(links, key=lambda link: link.target):
        ranks[link.target] = max(ranks[link.target], ranks[link.source] + 1)
        has_source[link.target] = True
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
            if (link.source, rank) not in passing:  # wires of one value share their way
                passing[link.source, rank] = len(items)
                items.append((rank, 3.0, 3.0))
            chain.append(passing[link.source, rank])
        chains.append([*chain, link.target])
    return items, chains


def _neighbors(count: int, chains: list[list[int]]) -> tuple[list[list[int]], list[list[int]]]:
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for chain in chains:
        for left, right in itertools.pairwise(chain):
            before[right].append(left)
            after[left].append(right)
    return before, after


def _order(columns: list[list[int]], items: list[Item], before: list[list[int]], after: list[list[int]], gap: float,
           inputs_first: bool, sweeps: int, engine: str) -> list[float]:
    """The position of every item across the flow."""
    across = [0.0] * len(items)
    links = [(item, following) for item, others in enumerate(after) for following in others]
    found = engines.positions(engine, columns, [item[1:] for item in items], links, gap, inputs_first)
    if found:
        for column in columns:
            column.sort(key=found.__getitem__)
            _spread(column, found, items, gap, across)
        return across
    for sweep in range(2 * sweeps + 1):
        forward = sweep % 2 == 0
        near = before if forward else after
        for rank in range(len(columns)) if forward else reversed(range(len(columns))):
            column, wanted = columns[rank], {}
            for item in column:
                neighbors = near[item]
                if len(neighbors) == 1:  # as wherever a wire passes
                    wanted[item] = across[neighbors[0]]
                elif neighbors:
                    wanted[item] = sum([across[n] for n in neighbors]) / len(neighbors)
                else:
                    wanted[item] = across[item]
            if rank or not inputs_first:
                column.sort(key=wanted.__getitem__)
            _spread(column, wanted, items, gap, across)
    return across


def _spread(column: list[int], wanted: dict[int, float] | list[float], items: list[Item], gap: float,
            across: list[float]) -> None:
    """Set the positions nearest to the wanted ones, in least squares, that keep the order and the distances.

    With the distances subtracted this is isotonic regression, by pooling adjacent violators.
    """
    offsets, offset = [], 0.0
    pools: list[tuple[float, float, int]] = []  # mean, sum, and how many
    for item in column:
        _, near, far = items[item]
        offset += near
        offsets.append(offset)
        mean = total = wanted[item] - offset
        count = 1
        offset += far + gap
        while pools and pools[-1][0] > mean:
            _, earlier, n = pools.pop()
            total, count = total + earlier, count + n
            mean = total / count
        pools.append((mean, total, count))
    place = 0
    for mean, _, count in pools:
        for _ in range(count):
            across[column[place]] = mean + offsets[place]
            place += 1


def _ports(links: Sequence[Link], chains: list[list[int]], across: list[float], port_gap: float) -> list[float]:
    """Where each wire enters its target: in the order in which the wires arrive."""
    entering: dict[int, list[int]] = {}
    for i, link in enumerate(links):
        entering.setdefault(link.target, []).append(i)
    ports = [0.0] * len(links)
    for target, wires in entering.items():
        wires.sort(key=lambda i: across[chains[i][-2]])
        for place_, i in enumerate(wires):
            ports[i] = across[target] + (place_ - (len(wires) - 1) / 2) * port_gap
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
            position += max(bend, min(rises[rank] * 0.35, longest_bend))
        bend_end.append(position)
        position += entries[rank] + lengths[rank] / 2
        middle.append(position)
        position += lengths[rank] / 2 + runs[rank]
        run_end.append(position)
    return middle, run_end, bend_end, position
