"""The built-in layout: whatever the graph, wires lead onward and boxes keep their distance."""

import pytest

from tests.viz.pictures import assert_well_laid_out, some_graph
from viz.layout import Link, Size, place


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("options", [{}, {"inputs_first": False, "sweeps": 2}])
def test_boxes_keep_their_distance_and_wires_lead_onward(seed, options):
    sizes, links = some_graph(seed, 40)
    assert_well_laid_out(place(sizes, links, gap=9.0, **options), sizes, links, 9.0)


def test_an_input_stands_in_the_first_rank_or_just_before_its_use():
    sizes, links = [Size(10, 10)] * 4, [Link(0, 1), Link(1, 3), Link(2, 3)]
    first, late = (place(sizes, links, inputs_first=first).centers for first in (True, False))
    assert first[2][0] == first[0][0] and late[2][0] == late[1][0] > late[0][0]


def test_wires_enter_a_box_in_the_order_in_which_they_arrive():
    layout = place([Size(10, 10)] * 3, [Link(1, 2), Link(0, 2)], port_gap=8.0)
    ends = [route[-1][1] for route in layout.routes]
    assert ends[0] - ends[1] == 8.0
