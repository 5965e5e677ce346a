"""Groups that are laid out by themselves: whatever the graph, each stands apart, and every wire finds its box."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from viz.layout import Link, Size
from viz.nested import Frame, Group, place_groups


def some_groups(seed: int, count: int) -> tuple[Group, dict[int, Size], list[Link]]:
    """Spans of boxes, inside each other, as calls of modules are."""
    draw = random.Random(seed)

    def group(begin: int, end: int, depth: int) -> Group:
        numbers[0] += 1
        made, at = Group(number=numbers[0]), begin
        while at < end:
            span = draw.randrange(1, end - at + 1)
            if depth and span < end - begin and draw.random() < 0.5:
                made.groups.append(group(at, at + span, depth - 1))
                at += span
            else:
                made.boxes.append(at)
                at += 1
        return made
    numbers = [-2]
    sizes = {i: Size(draw.uniform(20, 60), draw.uniform(20, 200), 6.0) for i in range(count)}
    return group(0, count, 3), sizes, [Link(draw.randrange(i), i) for i in range(1, count) for _ in range(2)]


def box_corners(center: tuple[float, float], size: Size) -> tuple[float, float, float, float]:
    (along, across) = center
    return along - size.length / 2, across - size.extent / 2, along + size.length / 2, across + size.extent / 2


def are_apart(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return any(a[k] >= b[k + 2] - 1e-6 or b[k] >= a[k + 2] - 1e-6 for k in (0, 1))


def is_inside(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return all(a[k] >= b[k] - 1e-6 and a[k + 2] <= b[k + 2] + 1e-6 for k in (0, 1))


@given(st.integers(0, 10 ** 6), st.integers(1, 25), st.sampled_from([100.0, 400.0, 1e9]))
@settings(max_examples=150)
def test_groups_and_boxes_stand_apart_and_wires_find_their_boxes(seed, count, limit):
    root, sizes, links = some_groups(seed, count)
    numbers, waiting = {}, [root]
    for group in waiting:
        waiting += group.groups
        numbers[group] = {*group.boxes}
    for group in reversed(waiting):
        for inner in group.groups:
            numbers[group] |= numbers[inner]
    frame = Frame(28.0, 10.0, 10.0, 10.0, extent=80.0)
    nested = place_groups(root, sizes, links, {group.number: frame for group in waiting if group is not root}, limit,
                          inputs_first=False, sweeps=3)
    corners = {i: box_corners(nested.centers[i], sizes[i]) for i in sizes}
    assert all(are_apart(corners[i], corners[j]) for i in sizes for j in range(i))
    everything = (0.0, 0.0, nested.length, nested.extent)
    frames = {group: (*nested.frames[group.number][0], *nested.frames[group.number][1])
              for group in waiting if group is not root}
    for group, place in frames.items():
        assert is_inside(place, everything)
        assert all(is_inside(corners[i], place) if i in numbers[group] else are_apart(corners[i], place) for i in sizes)
        assert all(are_apart(place, other) or numbers[inner] <= numbers[group] or numbers[group] <= numbers[inner]
                   for inner, other in frames.items() if inner is not group)
    for link, route in zip(links, nested.routes, strict=True):
        _, near, end, far = corners[link.source]
        assert abs(route[0][0] - end) < 1e-6 and near <= route[0][1] <= far
        begin, near, _, far = corners[link.target]
        assert abs(route[-1][0] - begin) < 1e-6 and near - 21 <= route[-1][1] <= far + 21
        runs = zip(route[::2], route[1::2], strict=True)
        assert all(abs(across - across2) < 1e-6 for (_, across), (_, across2) in runs)
