"""Curves as SVG: lines where the numbers are, gaps where there are none."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viz.training import chart
from viz.training.chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Panel

SVG = "{http://www.w3.org/2000/svg}"


def lines_of(panel):
    """Name -> the points of each unbroken piece."""
    root = ET.fromstring(chart.single(panel))
    return {path.get("data-name"): [
        [tuple(map(float, point.split())) for point in piece.removesuffix("h0.1").split("L")]
        for piece in path.get("d").split("M")[1:]]
            for path in root.iter(f"{SVG}path") if path.get("data-name") is not None}


def test_points_stand_where_their_numbers_are():
    [[points]] = lines_of(Panel("loss", {"": ([0, 5, 10], [4.0, 1.0, 0.0])})).values()
    right, bottom, high = WIDTH - RIGHT, HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    assert points == [(LEFT, TOP), ((LEFT + right) / 2, bottom - high / 4), (right, bottom)]


def test_on_a_logarithmic_axis_equal_factors_are_equal_distances():
    [[points]] = lines_of(Panel("size", {"": ([0, 1, 2], [1e-4, 1e-2, 1.0])}, log=True)).values()
    (_, a), (_, b), (_, c) = points
    assert a - b == pytest.approx(b - c) and b > c


def test_what_is_not_finite_leaves_a_gap_and_what_is_alone_is_a_dot():
    [pieces] = lines_of(Panel("loss", {"": ([0, 1, 2, 3], [1.0, 2.0, float("nan"), 3.0])})).values()
    assert [len(piece) for piece in pieces] == [2, 1]
    assert "h0.1" in chart.single(Panel("loss", {"": ([0], [1.0])}))


@given(st.lists(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=1, max_size=6), max_size=8),
       st.booleans(), st.text(max_size=8))
def test_whatever_the_numbers_every_point_is_within_the_axes(series, log, name):
    panel = Panel(name, {f"{name}{k}": (list(range(len(numbers))), numbers) for k, numbers in enumerate(series)}, log)
    for pieces in lines_of(panel).values():
        for x, y in (point for piece in pieces for point in piece):
            assert LEFT <= x <= WIDTH - RIGHT and TOP - 0.1 <= y <= HEIGHT - BOTTOM + 0.1
    ET.fromstring(chart.grid([panel, panel, panel]))


def test_marks_are_round_numbers():
    drawn = re.findall(r'text-anchor="end">([^<]+)<', chart.single(Panel("p", {"": ([0, 1], [0.03, 0.97])})))
    assert drawn == ["step 1", "0.2", "0.4", "0.6", "0.8"]
